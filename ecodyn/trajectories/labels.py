"""What has a name: runs, features, clusters, settings, observables, curves; and the provenance, which is text."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ecodyn.errors import UnusableDataError
from ecodyn.runtime.json_values import Json
from ecodyn.runtime.letters import is_control

__all__ = ["Label", "Labels", "Setting", "check_names", "checked_labels", "checked_setting", "plain_provenance"]

Label = int | str  # of a feature, a run, a cluster
Labels = NDArray[np.int64] | NDArray[np.str_]  # whole numbers or names, never both
Setting: TypeAlias = NDArray[np.int64] | NDArray[np.float64] | NDArray[np.str_]  # numbers or text (run,)

# Of a dataset of trajectories.
VARIABLES = {"signal", "dc", "time", "length", "cluster", "embedding", "backward_velocity", "missing"}
RESERVED = VARIABLES | {"step", "run", "feature", "token", "dimension", "runs", "features"}  # and its dimensions


def checked_labels(labels: Iterable[Label], size: int, name: str, *, unique: bool = True) -> Labels:
    """Labels as int64 if they are whole numbers that it holds, else as text without blanks around it."""
    array = np.asarray(labels if hasattr(labels, "dtype") else list(labels))
    if array.shape != (size,):
        raise UnusableDataError(f"{name} has shape {array.shape}, expected {size} labels; give one each")
    if array.dtype.kind in "iuf" or all(isinstance(x, (int, np.integer)) for x in array.tolist()):
        if not np.all(np.mod(array.astype(np.float64), 1) == 0):  # NaN and inf fail as well
            raise UnusableDataError(
                f"{name} holds {array.tolist()}, expected whole numbers or names; write them as text"
            )
        array = array.astype(np.int64) if _fits(array) else np.array([str(int(x)) for x in array.tolist()])
    else:
        if not all(isinstance(x, (str, int, float)) for x in array.tolist()):
            raise UnusableDataError(f"{name} holds {array.tolist()}, expected whole numbers or names")
        array = np.array([_text(str(x).strip(), name) for x in array.tolist()])
    if unique and len(set(array.tolist())) < size:
        double = next(x for x in array.tolist() if array.tolist().count(x) > 1)
        raise UnusableDataError(
            f"{name} holds {double!r} twice, expected labels that differ; rename one or leave it out"
        )
    return array


def checked_setting(values: Iterable[Label | float], size: int, name: str) -> Setting:
    """A setting of each run as int64, float64 or text."""
    array = np.asarray(values if hasattr(values, "dtype") else list(values))
    if array.shape != (size,):
        raise UnusableDataError(f"setting {name} has shape {array.shape}, expected one value for each of {size} runs")
    if array.dtype.kind in "biu":
        return array.astype(np.int64)
    if array.dtype.kind == "f":
        return array.astype(np.float64)
    return np.array([_text(str(x), f"setting {name}") for x in array.tolist()])


def _fits(array: np.ndarray) -> bool:
    """Whether int64 holds these whole numbers."""
    bounds = np.iinfo(np.int64)
    return all(bounds.min <= int(x) <= bounds.max for x in array.tolist())


def _text(text: str, name: str) -> str:
    """Text that a terminal, a page and a file can hold as it is: whoever reads a label prints and writes it."""
    if any(map(is_control, text)):
        raise UnusableDataError(
            f"{name} holds {text!a:.80}, which has control characters or halves of characters, expected text that can "
            "be printed; rename it"
        )
    return text


def check_names(names: Sequence[object]) -> None:
    """Refuse names of observables, curves and settings that a file could not tell apart."""
    for name in names:
        if not isinstance(name, str) or not name or set(name) & set("/,@") or name in RESERVED or names.count(name) > 1:
            raise UnusableDataError(
                f"{name!r} can't name an observable, a curve or a setting: expected text without / , and @, used once "
                f"and none of {', '.join(sorted(RESERVED))}; rename it"
            )


def plain_provenance(provenance: Mapping[str, object]) -> dict[str, Json]:
    """A copy that JSON can hold and gives back as it was."""
    try:
        plain: dict[str, Json] = json.loads(json.dumps(dict(provenance), default=_scalar))
    except (TypeError, ValueError) as error:
        raise UnusableDataError(f"provenance must hold what JSON can ({error}); turn the rest into text") from error
    return plain


def _scalar(value: object) -> object:
    if isinstance(value, (np.generic, np.ndarray)):
        return value.tolist()
    raise TypeError(f"got {type(value).__name__}")
