"""What ecodyn notes of a table that it makes, so that it reads it back as it was, whatever its features are called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ecodyn.observables.features import Label
from ecodyn.tables.names import whole_numbers

__all__ = ["NOTES", "Own", "notes_missing", "own_layout"]

NOTES = "ecodyn"  # key of the notes in DataFrame.attrs
LONG = ("step", "feature", "value")  # the columns of a long table that ecodyn wrote, beside run


@dataclass(frozen=True)
class Own:
    """How a table that ecodyn made is read: step is the time, run (if there is one) the run.

    Attributes
    ----------
    labels
        Of the features, in their order.
    runs
        Labels of the runs as text, to the labels.
    wide
        Whether a column is a feature; else it is a long table of feature and value.
    """

    labels: tuple[Label, ...]
    runs: dict[str, Label]
    wide: bool


def own_layout(notes: object, names: Sequence[str]) -> Own | None:
    """What the notes say of a table with these columns; None where there are none, or the columns are others now."""
    if not isinstance(notes, Mapping):
        return None
    rest = [name for name in names if name != "run"]
    if "step" not in rest:
        return None
    runs = {str(label): label for label in _labels(notes.get("runs"))}
    if "features" not in notes:  # as files were written before they noted them
        return Own(whole_numbers([name for name in rest if name != "step"]), runs, wide=True)
    labels = _labels(notes["features"])
    wide = notes.get("layout", "wide") == "wide"
    expected = {"step", *map(str, labels)} if wide else set(LONG)
    return Own(labels, runs, wide) if labels and set(rest) == expected else None


def notes_missing(notes: object) -> bool:
    """Whether the notes say that cells were missing when the table was written."""
    return isinstance(notes, Mapping) and bool(notes.get("missing"))


def _labels(noted: Any) -> tuple[Label, ...]:
    held = noted if isinstance(noted, list | tuple) else ()
    return tuple(label for label in held if isinstance(label, int | str))
