"""Equation families, one file each, and the registries of families and of what a model file may hold."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ecodyn.runtime.lazy import lazily
from ecodyn.runtime.registry import EntryPointError, Registry, check_whole

if TYPE_CHECKING:
    from ecodyn.families.configuration import Matching as Matching
    from ecodyn.families.configuration import Shooting as Shooting
    from ecodyn.families.estimator import Family
    from ecodyn.families.formula import Formula as Formula
    from ecodyn.families.linear import Linear as Linear
    from ecodyn.families.lotka_volterra import LotkaVolterra as LotkaVolterra
    from ecodyn.families.model import FittedModel
    from ecodyn.families.neural_ode import NeuralODE as NeuralODE
    from ecodyn.families.sindy import SINDy as SINDy

__all__ = [
    "ADDING",
    "DEFAULT",
    "FURTHER",
    "MODELS",
    "REGISTRY",
    "Formula",
    "Linear",
    "LotkaVolterra",
    "Matching",
    "NeuralODE",
    "SINDy",
    "Shooting",
    "asked_for",
    "family",
    "family_names",
    "load_model",
    "model_of",
    "register",
]


def _accept_family(name: str, thing: object) -> None:
    from ecodyn.families.estimator import Family

    if not (isinstance(thing, type) and issubclass(thing, Family) and getattr(thing, "name", None) == name):
        raise TypeError(f"expected a subclass of Family whose name is {name!r}, got {thing!r}")
    check_whole(name, thing)
    lacking = [option for option in ("coupling", "state") if option not in inspect.signature(thing).parameters]
    if lacking:  # by name it is made with these two
        raise TypeError(f"{name!r} takes no {' and no '.join(lacking)}; {thing.__qualname__}.__init__ has to")


def _accept_model(name: str, thing: object) -> None:
    from ecodyn.families.model import FittedModel

    if not (isinstance(thing, type) and issubclass(thing, FittedModel) and getattr(thing, "kind", None) == name):
        raise TypeError(f"expected a subclass of FittedModel whose kind is {name!r}, got {thing!r}")
    check_whole(name, thing)


# A family is one file and one line here, or an entry point of another distribution.
REGISTRY: Registry[type[Family]] = Registry(
    "family",
    "ecodyn.families",
    {
        "linear": "ecodyn.families.linear:Linear",
        "lotka_volterra": "ecodyn.families.lotka_volterra:LotkaVolterra",
        "sindy": "ecodyn.families.sindy:SINDy",
        "neural_ode": "ecodyn.families.neural_ode:NeuralODE",
    },
    _accept_family,
)

# Families that are asked for by name, and take no part in a comparison of all.
FURTHER: Registry[type[Family]] = Registry(
    "family",
    "ecodyn.further_families",
    {
        "share": "ecodyn.families.share:Share",
        "hill": "ecodyn.families.hill:Hill",
        "power_law": "ecodyn.families.power_law:PowerLaw",
        "gompertz": "ecodyn.families.gompertz:Gompertz",
        "rational": "ecodyn.families.rational:Rational",
        "replicator": "ecodyn.families.replicator:Replicator",
        "consumer_resource": "ecodyn.families.consumer_resource:ConsumerResource",
        "residual_hidden": "ecodyn.families.residual_hidden:ResidualHidden",
        "linear_hidden": "ecodyn.families.linear_hidden:LinearHidden",
    },
    _accept_family,
)
ADDING = "+"  # before the name of one: all that are compared by default, and it

DEFAULT = "linear"  # what is fitted where no family is asked for: the simplest

# What a model file may hold, by its kind. All that is linear in its coefficients is a law: most families add nothing.
MODELS: Registry[type[FittedModel]] = Registry(
    "kind of model",
    "ecodyn.models",
    {
        "law": "ecodyn.families.law:Law",
        "neural_ode": "ecodyn.families.neural_model:NeuralModel",
        "formula": "ecodyn.families.formula_model:FormulaModel",
        "hidden_formula": "ecodyn.families.hidden_model:HiddenModel",
    },
    _accept_model,
)


def family(name: str) -> type[Family]:
    """The class of a family, from its name: built in, registered, or of another distribution.

    Raises
    ------
    ValueError
        There is none of that name; the sentence lists those there are.

    Examples
    --------
    >>> family("linear").__name__
    'Linear'
    """
    if name in FURTHER and name not in REGISTRY:
        return FURTHER.named(name)
    if name not in REGISTRY:
        raise ValueError(f"unknown family {name!r}; there are {', '.join(family_names())}")
    return REGISTRY.named(name)


def family_names() -> tuple[str, ...]:
    """All names that ``family`` knows, those of the default set first.

    Examples
    --------
    >>> {"linear", "share"} <= set(family_names())
    True
    """
    return tuple(dict.fromkeys([*REGISTRY, *FURTHER]))


def asked_for(names: Sequence[str]) -> list[str]:
    """Names of families with those marked by a ``+`` beside the default set: "+share" is all of these and share.

    Raises
    ------
    ValueError
        One is not known.

    Examples
    --------
    >>> asked_for(["+share"])[-2:], asked_for(["share"])
    (['neural_ode', 'share'], ['share'])
    """
    adding = any(name.startswith(ADDING) for name in names)
    plain = [name.removeprefix(ADDING) for name in names]
    for name in plain:
        if name not in family_names():
            raise ValueError(f"unknown family {name!r}; there are {', '.join(family_names())}")
    return list(dict.fromkeys([*(name for name, _ in REGISTRY.usable() if adding), *plain]))


def register(cls: type[Family]) -> type[Family]:
    """Make a family of your own known by its name, to ``compare`` and the rest; usable as a decorator.

    Examples
    --------
    >>> from ecodyn import Linear
    >>> register(Linear) is family("linear")  # again, by hand
    True
    """
    REGISTRY.register(cls.name, cls)
    return cls


def load_model(path: str | Path) -> FittedModel:
    """Read a model file written by ``FittedModel.save``.

    Raises
    ------
    UnusableDataError
        If it isn't one, in a sentence.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from ecodyn import Linear, load_model
    >>> law = Linear(coupling="independent").fit(np.exp(-0.1 * np.arange(50.0))[:, None] * [1.0, 2.0, 3.0]).model_
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     law.save(f"{folder}/law.json")
    ...     same = load_model(f"{folder}/law.json")
    >>> same.family, bool((same.coefficients == law.coefficients).all())
    ('linear', True)
    """
    from ecodyn.errors import UnusableDataError
    from ecodyn.families.model import SCHEMA
    from ecodyn.runtime.foreign_json import foreign_json

    try:
        document: dict[str, Any] = foreign_json(Path(path).read_text(encoding="utf-8"))
        if not isinstance(document, dict) or document.get("schema") not in range(1, SCHEMA + 1):
            raise ValueError(f"schema {document.get('schema') if isinstance(document, dict) else None!r}")
        return model_of(document, path)
    except UnusableDataError:
        raise
    except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError, OverflowError) as error:
        raise UnusableDataError(
            f"expected a model file of schema {SCHEMA} written by ecodyn in {path}, got {type(error).__name__}: {error}"
            "; save the model again, with this version"
        ) from error


def model_of(document: Mapping[str, Any], path: str | Path) -> FittedModel:
    """The model of a model file's content, of whichever kind it says it is.

    Parameters
    ----------
    document : what the model's ``to_json`` gave
    path : where it is from, and what it may stand beside

    Raises
    ------
    UnusableDataError, ValueError, KeyError, TypeError
        The kind is not known here, or the content is none of that kind's.

    Examples
    --------
    >>> import numpy as np
    >>> from ecodyn import Linear
    >>> law = Linear("independent").fit(np.exp(-0.1 * np.arange(50))[:, None] * [1.0, 2.0, 3.0]).model_
    >>> model_of(law.to_json(), "law.json").family
    'linear'
    """
    _check_stated(document)
    return _kind_of_model(document["kind"], path).from_json(document, path)


def _check_stated(document: Mapping[str, Any]) -> None:
    """Refuse what no model of any kind states of itself: text that is none, labels that a table could not have."""
    from ecodyn.trajectories.labels import checked_labels
    from ecodyn.trajectories.state import parse_state

    for name in ("kind", "family", "coupling", "state"):
        if not isinstance(document[name], str):
            raise ValueError(f"{name} {document[name]!r:.60}, which is no text")
    if not isinstance(document["features"], list) or not isinstance(document["provenance"], dict):
        raise ValueError("features that are no list, or a provenance that is no object")
    parse_state(document["state"])
    labels = checked_labels(document["features"], len(document["features"]), "features").tolist()
    if labels != document["features"]:
        raise ValueError(f"features {document['features']!r:.60}, expected whole numbers or names")


def _kind_of_model(kind: str, path: str | Path) -> type[FittedModel]:
    """The class of a model file's kind, which another distribution may have brought."""
    from ecodyn.errors import UnusableDataError

    try:
        return MODELS.named(kind)
    except EntryPointError as error:
        raise UnusableDataError(f"{path} can't be read: {error}") from error
    except ValueError as error:
        raise UnusableDataError(
            f"expected a model file of a kind that is known in {path}, got an {error}; install the distribution that "
            "the model's family is from"
        ) from error


_HOME = {
    "Formula": "ecodyn.families.formula",
    "Linear": "ecodyn.families.linear",
    "LotkaVolterra": "ecodyn.families.lotka_volterra",
    "Matching": "ecodyn.families.configuration",
    "Shooting": "ecodyn.families.configuration",
    "NeuralODE": "ecodyn.families.neural_ode",
    "SINDy": "ecodyn.families.sindy",
}
__getattr__, __dir__ = lazily(__name__, _HOME)
