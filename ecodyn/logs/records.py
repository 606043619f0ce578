"""Values logged one by one, each with a name and a step, gathered into series (T, K)."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from ecodyn.arrays import Array
from ecodyn.errors import UnusableDataError
from ecodyn.logs.frames import ArrayFrames
from ecodyn.logs.integrity import last_wins
from ecodyn.logs.log import Log, LogOptions
from ecodyn.tables.cells import number_of
from ecodyn.tables.entries import RESUMED
from ecodyn.tables.gaps import LACKING, none_complete
from ecodyn.tables.names import are_whole, is_logged_beside, listed, matching, whole_numbers
from ecodyn.tables.wide import LOGGED, NO_NUMBERS

__all__ = ["Records"]


class Records:
    """Values of one run, by name, in the order logged.

    Parameters
    ----------
    order
        Names in the order they were first seen, shared by the runs of one file so that features come alike.
    beside
        Whether a name is one that loggers write beside features, so that it is one only where it is asked for.
    """

    def __init__(self, order: dict[str, None] | None = None, beside: Callable[[str], bool] = is_logged_beside) -> None:
        self.order: dict[str, None] = {} if order is None else order
        self.beside = beside
        self.steps: dict[str, list[float]] = {}
        self.values: dict[str, list[float]] = {}
        self.texts: dict[str, object] = {}

    def add(self, name: str, step: float, value: object) -> None:
        """One value; None or blank text is none."""
        if value is None or (isinstance(value, str) and not value.strip()):
            return
        self.order[name] = None
        number = number_of(value)
        if number is None:
            self.texts.setdefault(name, value)
            return
        self.steps.setdefault(name, []).append(step)
        self.values.setdefault(name, []).append(number)

    def log(self, path: Path, log_format: str, name: str, sources: Sequence[Path], options: LogOptions) -> Log:
        """The features that were meant, at the steps at which all of them have a value.

        Raises
        ------
        UnusableDataError
            No column is meant, or one holds text, or no step has them all.
        """
        labels = self.features(path, options)
        series = {column: self._series(path, column) for column in labels}
        common = functools.reduce(np.intersect1d, [steps for steps, _ in series.values()])
        if not len(common):
            raise UnusableDataError(f"{path}: {none_complete(labels)}")
        values = np.stack([v[np.searchsorted(s, common)] for s, v in series.values()], axis=1)
        return Log(
            path=path,
            format=log_format,
            name=name,
            steps=common,
            frames=ArrayFrames(values),
            sources=tuple(sources),
            features=whole_numbers(list(labels.values())),
            remarks=tuple(self._remarks(series, common, options)),
            arrays={column: (len(v),) for column, v in self.values.items()},
        )

    def features(self, path: Path, options: LogOptions) -> dict[str, str]:
        """Label of each column that is a feature; numbers ascend, names come as logged.

        Raises
        ------
        UnusableDataError
            None is, or one holds text.
        """
        if options.columns is None:
            chosen = {c: c for c in self.order if c in self.values and not self.beside(c)}
        else:
            chosen = matching(options.columns, [c for c in self.order if c in self.values or c in self.texts])
        text = next((c for c in chosen if c in self.texts), None)
        if text is not None or not chosen:
            what = f"{text} holds {self.texts[text]!r}" if text else f"none of {listed(self.values)} is a feature"
            raise UnusableDataError(
                f"{path}: {what}, expected columns of numbers; say which they are with --columns PATTERN, such as "
                "signal_*"
            )
        if are_whole(chosen.values()):
            chosen = dict(sorted(chosen.items(), key=lambda item: int(item[1])))
        return chosen

    def _series(self, path: Path, column: str) -> tuple[Array, Array]:
        steps, values = np.array(self.steps[column]), np.array(self.values[column])
        try:
            kept = last_wins(steps)
        except UnusableDataError as error:
            raise UnusableDataError(f"{path}: {column}: {error}") from None
        return steps[kept], values[kept]

    def _remarks(self, series: dict[str, tuple[Array, Array]], common: Array, options: LogOptions) -> list[str]:
        remarks = []
        dropped = max(len(self.values[c]) - len(s) for c, (s, _) in series.items())
        if dropped:
            remarks.append(RESUMED.format(dropped))
        lacking = len(functools.reduce(np.union1d, [s for s, _ in series.values()])) - len(common)
        if lacking:
            remarks.append(LACKING.format(lacking, len(common)))
        if options.columns is None:
            texts = [c for c in self.texts if not self.beside(c)]
            beside = [c for c in self.order if self.beside(c)]
            remarks += [f"{NO_NUMBERS}: {listed(texts)}"] * (len(texts) > 0)
            remarks += [f"{LOGGED}: {listed(beside)}"] * (len(beside) > 0)
        return remarks
