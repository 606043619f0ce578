"""A collection: trajectories on disk, of which runs are read when they are used."""

from __future__ import annotations

import operator
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np

from ecodyn.arrays import Integers
from ecodyn.errors import DataWarning
from ecodyn.runtime.remote import UrlPath
from ecodyn.trajectories.checks import Checked
from ecodyn.trajectories.collection.assembly import assembled
from ecodyn.trajectories.collection.described import Described
from ecodyn.trajectories.collection.facts import Facts
from ecodyn.trajectories.collection.later import Every, Features, Later, Window
from ecodyn.trajectories.labels import Label
from ecodyn.trajectories.parts import some, where_labels, where_setting
from ecodyn.trajectories.trajectories import Trajectories

__all__ = ["Collection", "Source"]

MOST_BYTES = 1 << 26  # 64 MiB: hundreds of runs of 200 steps × 29 features at a time, and little beside a library's own
NUMBER = 8  # bytes of a number in double precision


class Source(Protocol):
    """Where the runs of a collection come from: a file, or a folder of files."""

    @property
    def facts(self) -> Facts:
        """What is known of the runs."""

    @property
    def files(self) -> tuple[Path | UrlPath, ...]:
        """The files, in the order of their runs."""

    def read(self, positions: Sequence[int]) -> Checked:
        """The runs at these positions, in this order."""

    def problems(self) -> list[str]:
        """What is wrong with the files: a sentence each."""


@dataclass(frozen=True, eq=False, repr=False)
class Collection(Described):
    """Runs on disk, of one trajectories file or of a folder of them, whose values are read when they are used.

    It is made by ``ecodyn.load(path, lazy=True)``. Labels, settings and names are known; ``select``, ``window`` and
    ``every`` read nothing and give a collection again; `shards`, `runs_of` and `load` read, and give `Trajectories`
    that are the same as if all runs had been loaded first.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> import numpy as np
    >>> import ecodyn
    >>> runs = ecodyn.Trajectories(np.random.default_rng(0).random((5, 11, 2)), np.arange(0, 110, 10))
    >>> with TemporaryDirectory() as folder:
    ...     runs.save(f"{folder}/runs.nc")
    ...     later = ecodyn.load(f"{folder}/runs.nc", lazy=True).window(20, 60)
    ...     later, [part.shape for part in later.shards(runs=2)]
    (Collection: 5 runs × 5 steps × 2 features, read when used, [(2, 5, 2), (2, 5, 2), (1, 5, 2)])
    """

    _source: Source
    _facts: Facts
    _index: Integers  # positions in the source
    _later: tuple[Later, ...] = ()  # what is done to runs once they are read

    @classmethod
    def of(cls, source: Source) -> Collection:
        """All runs of a source."""
        return cls(source, source.facts, np.arange(len(source.facts.outline.runs)))

    # ------------------------------------------------------------------------------------------- parts, unread

    def select(
        self,
        runs: Label | Iterable[Label] | None = None,
        features: Label | Iterable[Label] | None = None,
        **settings: Label | float | Iterable[Label | float],
    ) -> Collection:
        """Keep runs and features by label, and runs by setting, as `Trajectories.select`; nothing is read.

        Raises
        ------
        UnusableDataError
            A label or setting is not there, or nothing is left.
        """
        kept = self
        for name, wanted in settings.items():
            kept = kept._of_runs(where_setting(kept._facts.outline, name, wanted))
        if runs is not None:
            kept = kept._of_runs(where_labels(kept.runs, runs, "runs"))
        if features is not None:
            kept = kept._then(Features(tuple(where_labels(kept.features, features, "features"))))
        return kept

    def window(self, start: float, stop: float) -> Collection:
        """Keep the steps with start ≤ t ≤ stop, as `Trajectories.window`; nothing is read.

        Raises
        ------
        UnusableDataError
            A run has no step in the window; where runs differ in their times, this shows when they are read.
        """
        return self._then(Window(start, stop))

    def every(self, n: int) -> Collection:
        """Keep each n-th stored step of each run, the first included; nothing is read."""
        if operator.index(n) < 1:
            raise ValueError(f"expected every(n) with n of at least 1, got {n}; 1 keeps all steps")
        return self._then(Every(operator.index(n)))

    def _of_runs(self, positions: Sequence[int]) -> Collection:
        return replace(self, _facts=self._facts.of_runs(positions), _index=self._index[list(positions)])

    def _then(self, step: Later) -> Collection:
        return replace(self, _facts=step.of_facts(self._facts), _later=(*self._later, step))

    # ------------------------------------------------------------------------------------------- runs, read

    def shards(self, *, runs: int | None = None, most_bytes: int | None = None) -> Iterator[Trajectories]:
        """Yield all runs in order, some at a time, as `Trajectories` of whole runs.

        What looks odd in them is in their ``warnings``, and is not warned of.

        Parameters
        ----------
        runs
            So many in each but the last.
        most_bytes
            Runs whose values take at most so many bytes as they are read, before a window or thinning; one run at
            least. Default 64 MiB. To read them takes about three times that for a moment.

        Raises
        ------
        ValueError
            Both are given, or one is below 1.
        UnusableDataError
            A file is missing, or was damaged or replaced.
        """
        size = self._shard_size(runs, most_bytes)
        return (self._read(range(first, min(first + size, len(self)))) for first in range(0, len(self), size))

    def _shard_size(self, runs: int | None, most_bytes: int | None) -> int:
        given = [n for n in (runs, most_bytes) if n is not None]
        if len(given) > 1 or any(operator.index(n) < 1 for n in given):
            raise ValueError(f"expected one of runs and most_bytes, of at least 1, got runs={runs}, {most_bytes=}")
        if runs is not None:
            return runs
        facts = self._source.facts
        columns = len(facts.outline.features) * len(facts.outline.observables) + len(facts.outline.curves) + 1  # times
        return max(1, (most_bytes or MOST_BYTES) // (NUMBER * facts.longest * columns))

    def runs_of(self, indices: Iterable[int]) -> Trajectories:
        """Read the runs at these positions, in this order, and no others.

        Raises
        ------
        IndexError
            There are none, one is beyond the runs, or one is asked for twice.
        """
        places = [operator.index(index) for index in indices]
        if not places or not all(-len(self) <= place < len(self) for place in places):
            raise IndexError(f"expected positions of some of {len(self)} runs, got {some(places)}")
        places = [place % len(self) for place in places]
        if len(set(places)) < len(places):
            raise IndexError(f"runs are asked for twice, at {some(places)}: a run's label tells it; take each once")
        return self._read(places)

    def load(self) -> Trajectories:
        """Read all runs.

        Warns
        -----
        DataWarning
            What looks odd in the data.
        """
        whole = Trajectories._derived(assembled([shard._data for shard in self.shards()]))
        if whole.warnings:
            warnings.warn("; ".join(whole.warnings), DataWarning, stacklevel=2)
        return whole

    @property
    def files(self) -> tuple[Path | UrlPath, ...]:
        """The files of the whole collection, in the order of their runs."""
        return self._source.files

    def problems(self) -> list[str]:
        """Say what is wrong with the files, a sentence each: their checksums are compared, one file after the other.

        Reading does the same of the files that it needs, and raises the sentence.

        Examples
        --------
        >>> from tempfile import TemporaryDirectory
        >>> import numpy as np
        >>> import ecodyn
        >>> with TemporaryDirectory() as folder:
        ...     ecodyn.Trajectories(np.ones((1, 3, 2)).cumsum(1) ** [1, 2], range(3)).save(f"{folder}/runs.nc")
        ...     ecodyn.load(f"{folder}/runs.nc", lazy=True).problems()
        []
        """
        return self._source.problems()

    def _read(self, positions: Sequence[int]) -> Trajectories:
        data = self._source.read(self._index[list(positions)].tolist())
        for step in self._later:
            data = step.of_data(data)
        return Trajectories._derived(data)
