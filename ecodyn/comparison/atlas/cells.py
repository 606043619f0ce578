"""The cells of a grid of settings: the runs that share one value of each."""

from __future__ import annotations

import hashlib
import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import quote

import numpy as np

from ecodyn.errors import UnusableDataError
from ecodyn.trajectories import Trajectories
from ecodyn.trajectories.labels import Setting
from ecodyn.trajectories.parts import some

__all__ = ["Grid", "Place", "Value", "as_json", "cell_name", "folder_name", "grid_of", "of_json"]

Value: TypeAlias = int | float | str  # of a setting
Place: TypeAlias = tuple[Value, ...]  # of a cell: a value for each setting, in the order in which these were named

LONGEST_NAME = 120  # characters of a folder: file systems take 255 bytes
TOLD_APART = 12  # hexadecimal digits of a longer name's checksum


@dataclass(frozen=True, eq=False, kw_only=True)
class Grid:
    """Runs by their settings.

    Attributes
    ----------
    by : names of the settings
    values : of each setting, those that there are, in order
    cells : runs by place, in the order of the values, the last setting varying fastest
    left_out : runs without a value of one of the settings
    """

    by: tuple[str, ...]
    values: tuple[Place, ...]
    cells: Mapping[Place, Trajectories]
    left_out: int

    @property
    def empty(self) -> list[Place]:
        """Places of the grid of which there are no runs."""
        return [place for place in itertools.product(*self.values) if place not in self.cells]

    @property
    def notes(self) -> list[str]:
        """What of the data and the grid has no part in the atlas, with counts."""
        notes = []
        if self.left_out:
            total = self.left_out + sum(runs.n_runs for runs in self.cells.values())
            notes.append(
                f"{self.left_out} of {total} runs are left out: they have no value of {' or '.join(self.by)}; give "
                "them one, or leave that setting out of the grid"
            )
        if self.empty:
            size = math.prod(map(len, self.values))
            named = some([cell_name(self.by, place) for place in self.empty])
            notes.append(f"{len(self.empty)} of the grid's {size} cells have no runs: {named}")
        return notes


def grid_of(data: Trajectories, by: Sequence[str]) -> Grid:
    """Put runs into the cells of a grid of their settings; those without a value of one are left out, and counted.

    Raises
    ------
    ValueError
        No setting is named, or one twice.
    UnusableDataError
        The runs have no such setting, or none of them a value of each.
    """
    if isinstance(by, str) or not by or len(set(by)) < len(by):
        raise ValueError(f"expected a list of different settings, such as ['dim', 'weight_decay'], got {by!r}")
    if unknown := [name for name in by if name not in data.settings]:
        present = ", ".join(data.settings) or "none at all"
        raise UnusableDataError(
            f"there is no setting {', '.join(unknown)} of the runs, the settings are {present}; choose among them, or "
            "train a grid"
        )
    columns = [_plain(data.settings[name]) for name in by]
    places = list(zip(*columns, strict=True))
    members: dict[Place, list[int]] = {}
    for run, place in enumerate(places):
        if all(value is not None for value in place):
            members.setdefault(tuple(v for v in place if v is not None), []).append(run)
    if not members:
        raise UnusableDataError(
            f"none of the {data.n_runs} runs has a value of each of {', '.join(by)}; leave out the setting that is "
            "missing"
        )
    values = tuple(tuple(sorted({place[i] for place in members}, key=_order)) for i in range(len(by)))
    ordered = [place for place in itertools.product(*values) if place in members]
    cells = {place: data.select(runs=data.runs[members[place]].tolist()) for place in ordered}
    return Grid(
        by=tuple(by), values=values, cells=cells, left_out=data.n_runs - sum(len(runs) for runs in members.values())
    )


def _plain(setting: Setting) -> list[Value | None]:
    """A setting's values (run,) as Python's, None where there is none; what is equal is one value."""
    found: list[Value] = setting.tolist()
    return [None if v in ("", "nan") or (isinstance(v, float) and np.isnan(v)) else v for v in found]


def _order(value: Value) -> tuple[bool, float, str]:
    """Numbers in their order, also where they stand as text beside "none", and then words."""
    try:
        return False, float(value), ""
    except ValueError:
        return True, 0.0, str(value)


def cell_name(by: Sequence[str], place: Place) -> str:
    """A cell as --select has it, such as dim=64,weight_decay=0.5."""
    return ",".join(f"{name}={value}" for name, value in zip(by, place, strict=True))


def folder_name(by: Sequence[str], place: Place) -> str:
    """A cell's folder: its name in characters that every file system takes, shortened where it is long."""
    name = quote(cell_name(by, place), safe="=,+")
    if len(name) <= LONGEST_NAME:
        return name
    return f"{name[:LONGEST_NAME]}-{hashlib.sha256(name.encode()).hexdigest()[:TOLD_APART]}"


def as_json(value: Value) -> Value:
    """A setting's value as JSON can hold it: of an infinite one its name."""
    return str(value) if isinstance(value, float) and math.isinf(value) else value


def of_json(value: Value) -> Value:
    """The inverse of `as_json`."""
    return float(value) if value in ("inf", "-inf") else value
