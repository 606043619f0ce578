"""Equation families, one file each, and their registry."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ecodyn.families.estimator import Family
    from ecodyn.families.model import FittedModel

# A family is one file and one line here: its name -> where its class lives.
REGISTRY: dict[str, str | type[Family]] = {
    "linear": "ecodyn.families.linear:Linear",
    "lotka_volterra": "ecodyn.families.lotka_volterra:LotkaVolterra",
    "sindy": "ecodyn.families.sindy:SINDy",
    "neural_ode": "ecodyn.families.neural_ode:NeuralODE",
}

_CLASSES = {
    "Linear": "linear",
    "LotkaVolterra": "lotka_volterra",
    "SINDy": "sindy",
    "NeuralODE": "neural_ode",
}

__all__ = ["REGISTRY", "family", "load_model", "register", *_CLASSES]


def family(name: str) -> type[Family]:
    """The class of a registered family."""
    if name not in REGISTRY:
        raise ValueError(f"unknown family {name!r}; there are {', '.join(REGISTRY)}")
    entry = REGISTRY[name]
    if not isinstance(entry, str):
        return entry
    module, _, attribute = entry.partition(":")
    return getattr(importlib.import_module(module), attribute)


def register(cls: type[Family]) -> type[Family]:
    """Make a family of your own known by its name, to ``compare`` and the rest; usable as a decorator."""
    REGISTRY[cls.name] = cls
    return cls


def load_model(path: str | Path) -> FittedModel:
    """Read a model file written by ``FittedModel.save``.

    Raises
    ------
    UnusableDataError
        If it isn't one, in a sentence.
    """
    from ecodyn.errors import UnusableDataError
    from ecodyn.families.law import Law
    from ecodyn.families.model import SCHEMA

    try:
        document: dict[str, Any] = json.loads(Path(path).read_text(), parse_constant=_no_constant)
        if not isinstance(document, dict) or document.get("schema") not in range(1, SCHEMA + 1):
            raise ValueError(f"schema {document.get('schema') if isinstance(document, dict) else None!r}")
        if document["kind"] == Law.kind:
            return Law.from_json(document)
        from ecodyn.families.neural_ode import NeuralModel

        if document["kind"] != NeuralModel.kind:
            raise ValueError(f"the kind {document['kind']!r}")
        return NeuralModel.from_json(document, path)
    except UnusableDataError:
        raise
    except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError) as error:
        raise UnusableDataError(
            f"expected a model file of schema {SCHEMA} written by ecodyn in {path}, got {type(error).__name__}: {error}"
            "; save the model again, with this version"
        ) from error


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} where a finite number belongs")


def __getattr__(name: str) -> Any:
    if name in _CLASSES:
        return family(_CLASSES[name])
    raise AttributeError(f"module 'ecodyn.families' has no attribute {name!r}")
