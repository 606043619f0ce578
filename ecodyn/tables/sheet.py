"""A DataFrame as columns by name, the levels of its index among them where they have one."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from ecodyn.arrays import Array, Integers
from ecodyn.errors import UnusableDataError
from ecodyn.tables.axes import check_axes
from ecodyn.tables.cells import Numbers, labels_of, numbers_of
from ecodyn.tables.names import RUN_NAMES, listed, normal

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["INDEX", "Sheet"]

INDEX = "index"  # what --time-column asks for where the index has no name


def _check_levels(frame: pd.DataFrame, where: str) -> None:
    """Refuse columns of several levels: a level of runs belongs into the rows, others into one name."""
    if frame.columns.nlevels < 2:
        return
    runs = [name for name in frame.columns.names if name is not None and normal(name) in RUN_NAMES]
    todo = (
        f"the level {runs[0]} tells the runs: frame.stack({runs[0]!r}) makes rows of them"
        if runs
        else "join them, as in frame.columns = frame.columns.map('/'.join)"
    )
    raise UnusableDataError(f"{where} has column names of {frame.columns.nlevels} levels, expected one; {todo}")


class Sheet:
    """Columns by name.

    Parameters
    ----------
    frame
        A pandas DataFrame.
    where
        What sentences call it: a path, or "the table".

    Attributes
    ----------
    columns
        Name to pandas Series: levels of the index that have a name come first.
    levels
        Names of those levels.
    rows
        Number of rows.
    literal
        Whether a label that is written NA is one, as in tables that ecodyn made.
    """

    def __init__(self, frame: pd.DataFrame, where: str) -> None:
        import pandas as pd

        if not isinstance(frame, pd.DataFrame):
            raise TypeError(f"expected a pandas DataFrame, got {type(frame).__name__}; pass one")
        self.where, self.rows, self._frame = where, len(frame), frame
        self.literal = False
        _check_levels(frame, where)
        check_axes(frame, where)
        names = [str(name).strip() for name in frame.columns]
        if len(set(names)) < len(names):
            raise UnusableDataError(f"{where} has two columns of the same name in {', '.join(names)}; rename one")
        held = {name: frame.iloc[:, i].reset_index(drop=True) for i, name in enumerate(names)}
        levels = self._named_levels(held)
        self.levels: tuple[str, ...] = tuple(levels)
        self.columns: dict[str, pd.Series] = levels | held
        self._numbers: dict[str, Numbers] = {}
        self._labels: dict[str, tuple[Integers, list[str]]] = {}

    def _named_levels(self, held: dict[str, pd.Series]) -> dict[str, pd.Series]:
        import pandas as pd

        index, levels = self._frame.index, {}
        for i, name in enumerate(index.names):
            if name is None and index.nlevels > 1:
                raise UnusableDataError(
                    f"level {i} of the index of {self.where} has no name; name it, as in "
                    "frame.rename_axis(['run', 'step'])"
                )
            if name is None:
                continue
            level, text = pd.Series(index.get_level_values(i)), str(name).strip()
            if text in held and not level.equals(held[text]) and list(level) != list(held[text]):
                raise UnusableDataError(
                    f"{self.where} has both an index level and a column called {text}, and they differ; drop the one "
                    f"that is wrong (frame.reset_index({text!r}, drop=True), or frame.drop(columns={text!r}))"
                )
            if text not in held:
                levels[text] = level
        return levels

    @property
    def names(self) -> list[str]:
        """Of the columns, levels of the index first."""
        return list(self.columns)

    def notes(self, key: str) -> object:
        """What the DataFrame's attrs hold under a key, None if nothing."""
        return self._frame.attrs.get(key)

    def numbers(self, name: str) -> Numbers:
        """A column as numbers."""
        if name not in self._numbers:
            self._numbers[name] = numbers_of(self.columns[name])
        return self._numbers[name]

    def labels(self, name: str) -> tuple[Integers, list[str]]:
        """Which label each row has in a column, -1 where it has none, and the labels in the order they come."""
        if name not in self._labels:
            self._labels[name] = labels_of(self.columns[name], literal=self.literal)
        return self._labels[name]

    @cached_property
    def nameless_index(self) -> Array | None:
        """The index as numbers if it has no name and doesn't just count the rows; None otherwise.

        Raises
        ------
        UnusableDataError
            It holds text or dates, which may be labels of runs, or times.
        """
        index = self._frame.index
        if index.nlevels > 1 or index.name is not None or not self.rows:
            return None
        numbers = numbers_of(index.to_series())
        if numbers.text is not None:
            raise UnusableDataError(
                f"the index of {self.where} has no name and holds {numbers.text!r}; if it tells the runs, call it so "
                "(frame.rename_axis('run')); if it is the time, turn it into numbers, such as days since the start, "
                "and call it step; if it is neither, frame.reset_index(drop=True)"
            )
        if np.array_equal(numbers.values, np.arange(self.rows)):
            return None
        return numbers.values

    def known(self, name: str, flag: str) -> str:
        """A column that was asked for by name.

        Raises
        ------
        UnusableDataError
            There is none of that name.
        """
        if name.strip() in self.columns:  # blanks around a name are not its own
            return name.strip()
        raise UnusableDataError(
            f"{self.where} has no column {name!r}, which {flag} asks for; it has {listed(self.names)}"
        )
