"""Trajectories as pandas DataFrames, and the fields of trajectories out of a table."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, Self, cast

import numpy as np

from ecodyn.errors import DataWarning
from ecodyn.runtime.json_values import Json
from ecodyn.tables import Table, TableOptions, interpret
from ecodyn.tables.own import NOTES, notes_missing
from ecodyn.tables.table import Columns
from ecodyn.trajectories.contents import Contents
from ecodyn.trajectories.dataset import OPTIONAL, Arguments, Fields, fields_of
from ecodyn.trajectories.input_variables import noted_inputs, notes_of_inputs
from ecodyn.trajectories.labels import Label

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Tabular", "check_feature_names", "fields_and_columns", "fields_of_frame", "not_in_tables", "notes_of"]

Layout = Literal["wide", "long"]


class Tabular(Contents):
    """Trajectories to and from DataFrames."""

    @classmethod
    def from_dataframe(
        cls,
        frame: pd.DataFrame,
        *,
        time: str | None = None,
        run: str | None = None,
        columns: Sequence[str] | str | None = None,
        missing: Literal["drop", "interpolate", "keep"] = "drop",
    ) -> Self:
        """Build trajectories from a DataFrame: a column a feature, or a row a value; levels of the index are columns.

        Parameters
        ----------
        frame
            With a column (or level) of times such as step, and one such as run if there are several.
        time, run
            Names of these, where they are others.
        columns
            Features by name, or a pattern such as ``signal_*``, whose ``*`` stands for the label; by default all
            columns of numbers that are nothing else.
        missing
            "drop" leaves a step out that lacks a value, "interpolate" first fills in gaps of one step, "keep" has NaN.

        Raises
        ------
        UnusableDataError
            The table can be read in two ways, or lacks what is needed; the sentence says what to do.

        Warns
        -----
        DataWarning
            What was decided, left out or filled in, with counts; it also stands in the provenance.

        Examples
        --------
        >>> import pandas as pd
        >>> from ecodyn import Trajectories
        >>> frame = pd.DataFrame({"step": [0, 10, 0, 10], "run": list("aabb"), "hare": [1.0, 2.0, 3.0, 5.0]})
        >>> Trajectories.from_dataframe(frame)
        Trajectories: 2 runs × 2 steps (0 to 10) × 1 feature; observables signal; labels shared
        """
        options = TableOptions(time=time, run=run, columns=columns, missing=missing)
        return cls(**cast("dict[str, Any]", fields_of_frame(frame, options)))

    def to_dataframe(self, layout: Layout = "wide") -> pd.DataFrame:
        """Return the times and the signal as a DataFrame, which `from_dataframe` turns back.

        Parameters
        ----------
        layout
            "wide": columns step, run, and one a feature. "long": columns step, run, feature and value.

        Raises
        ------
        ValueError
            The layout is another, or a feature of a wide table would be called step or run.

        Warns
        -----
        DataWarning
            There is more than a table holds: observables, curves, settings.

        Examples
        --------
        >>> import numpy as np
        >>> from ecodyn import Trajectories
        >>> runs = Trajectories(np.array([[[1.0, 4.0], [2.0, 3.0]]]), [0, 10], features=["hare", "lynx"])
        >>> runs.to_dataframe()
           step  run  hare  lynx
        0   0.0    0   1.0   4.0
        1  10.0    0   2.0   3.0
        >>> len(runs.to_dataframe("long"))
        4
        """
        import pandas as pd

        if layout not in ("wide", "long"):
            raise ValueError(f"expected the layout wide or long, got {layout!r}")
        inside = np.arange(self.n_steps) < self.lengths[:, None]
        head = {"step": self.times[inside], "run": np.repeat(self.runs, self.lengths)}
        if layout == "wide":
            check_feature_names(self.features, "a wide table")
            cells = pd.DataFrame(self.values[inside], columns=list(self.features.tolist()))
            frame = pd.concat([pd.DataFrame(head), cells], axis=1)
        else:
            long = {name: np.repeat(column, self.n_features) for name, column in head.items()}
            cells = {"feature": np.tile(self.features, len(head["step"])), "value": self.values[inside].reshape(-1)}
            frame = pd.DataFrame(long | cells)
        fields = fields_of(self._data)
        if left_out := not_in_tables(fields):
            text = f"a DataFrame holds the signal only; left out: {', '.join(left_out)} (to_dataset has them)"
            warnings.warn(text, DataWarning, stacklevel=2)
        frame.attrs[NOTES] = notes_of(fields) | {"layout": layout}
        return frame


def fields_of_frame(frame: pd.DataFrame, options: TableOptions, where: str = "the table") -> Arguments:
    """The keyword arguments of `Trajectories` that a table comes to; see `fields_and_columns`."""
    return fields_and_columns(frame, options, where)[0]


def fields_and_columns(
    frame: pd.DataFrame, options: TableOptions, where: str = "the table", *, count_rows: bool = False
) -> tuple[Arguments, Columns]:
    """The keyword arguments of `Trajectories` that a table comes to, and its columns; warns of what was decided.

    With `count_rows`, 0, 1, 2, ... are the times where nothing offers any.

    Raises
    ------
    UnusableDataError
        The table can be read in two ways, or lacks what is needed.
    """
    noted = frame.attrs.get(NOTES)
    notes: Mapping[str, Any] = noted if isinstance(noted, Mapping) else {}
    asked = options
    if notes_missing(notes) and options == TableOptions():
        options = dataclasses.replace(options, missing="keep")  # trajectories with a mask, written by ecodyn
    table = interpret(frame, options, where=where, count_rows=count_rows)
    if options != asked and not table.own:
        options, table = asked, interpret(frame, asked, where=where, count_rows=count_rows)
    remarks = list(table.remarks)
    if not table.own:
        remarks += _without(notes)
        notes = {}
    if remarks:
        warnings.warn(f"{where}: {'; '.join(remarks)}", DataWarning, stacklevel=4)
    provenance: dict[str, Json] = dict(notes.get("provenance") or {})
    if frame.attrs.get("comments"):
        provenance["comments"] = list(frame.attrs["comments"])
    if remarks:
        provenance["table"] = {"remarks": list(remarks), "columns": dataclasses.asdict(table.columns)}
    fields: Arguments = {
        "values": table.values,
        "steps": table.times,
        "features": list(table.features),
        "runs": list(table.runs),
        "labels_shared": bool(notes.get("labels_shared", table.shared)),
        "provenance": provenance,
        "cluster": _clusters(notes, table),
        "missing": [np.isnan(values) for values in table.values] if options.missing == "keep" else None,
        "inputs": noted_inputs(notes, list(table.runs)),
    }
    return fields, table.columns


def _without(notes: Mapping[str, Any]) -> list[str]:
    """A sentence on what was noted of a table that is another now; what is noted of every table needs none."""
    kinds = (("provenance", "provenance"), ("cluster", "clusters"), ("inputs", "inputs"))
    lost = [said for name, said in kinds if notes.get(name)]
    if not lost:
        return []
    return [f"it has not the columns that ecodyn wrote: the {' and '.join(lost)} noted of those are left out"]


def _clusters(notes: Mapping[str, Any], table: Table) -> list[Any] | None:
    """The noted clusters of those runs that the table still has."""
    noted, runs = notes.get("cluster"), notes.get("runs")
    if noted is None or runs is None or len(runs) != len(noted):
        return noted
    of_run = dict(zip(runs, noted, strict=True))
    return [of_run[run] for run in table.runs] if set(table.runs) <= set(of_run) else None


def notes_of(fields: Fields) -> dict[str, object]:
    """What is noted beside a table of these fields, so that it comes back as it was."""
    notes: dict[str, object] = {
        "labels_shared": fields["labels_shared"],
        "provenance": fields["provenance"],
        "features": fields["features"].tolist(),
        "runs": fields["runs"].tolist(),
    }
    if fields["missing"] is not None:
        notes["missing"] = True
    if fields["inputs"]:
        notes["inputs"] = notes_of_inputs(fields["inputs"])
    return notes if fields["cluster"] is None else notes | {"cluster": fields["cluster"].tolist()}


def not_in_tables(fields: Fields) -> list[str]:
    """Names of what these fields hold and a table does not."""
    others = [name for name in OPTIONAL if name != "cluster" and fields[name] is not None]
    return [*fields["observables"], *fields["curves"], *fields["settings"], *others]


def check_feature_names(features: Iterable[Label], what: str) -> None:
    """Refuse features that are called as a table's other columns are."""
    taken = {"step", "run"} & set(map(str, features))
    if taken:
        raise ValueError(f"{what} can't have a feature named {taken.pop()}; rename it or save as .nc")
