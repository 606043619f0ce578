"""What a collection says of its runs before they are read."""

from __future__ import annotations

import copy
import functools
from collections.abc import Iterator

import numpy as np

from ecodyn.arrays import Array, Integers
from ecodyn.errors import UnusableDataError
from ecodyn.runtime.json_values import Json
from ecodyn.trajectories.collection.facts import Facts, Measured, Times, kinds_of
from ecodyn.trajectories.labels import Labels, Setting
from ecodyn.trajectories.trajectories import Trajectories

__all__ = ["Described"]


class Described:
    """Labels, settings, names and sizes of runs that are not read for it."""

    _facts: Facts

    def shards(self, *, runs: int | None = None, most_bytes: int | None = None) -> Iterator[Trajectories]:
        """The runs themselves, some at a time; see `Collection.shards`."""
        raise NotImplementedError

    @property
    def runs(self) -> Labels:
        """Labels (run,)."""
        return self._facts.outline.runs

    @property
    def features(self) -> Labels:
        """Labels (feature,)."""
        return self._facts.outline.features

    @property
    def clusters(self) -> Labels:
        """Labels (run,), equal for runs that share an initialisation."""
        return self._facts.outline.clusters

    @property
    def settings(self) -> dict[str, Setting]:
        """Settings that differ between runs, each (run,)."""
        return dict(self._facts.outline.settings)

    @property
    def observables(self) -> tuple[str, ...]:
        """Names of the observables, "signal" first."""
        return tuple(self._facts.outline.observables)

    @property
    def curves(self) -> tuple[str, ...]:
        """Names of what was measured of whole networks."""
        return tuple(name for name in self._facts.outline.curves if name != "dc")

    @property
    def inputs(self) -> dict[str, str]:
        """Inputs by name, with their kind."""
        return kinds_of(self._facts.outline.inputs)

    @property
    def labels_shared(self) -> bool:
        """Whether feature k means the same in every run."""
        return self._facts.outline.labels_shared

    @property
    def provenance(self) -> dict[str, Json]:
        """Where the data come from (a copy)."""
        return copy.deepcopy(self._facts.outline.provenance)

    @property
    def n_runs(self) -> int:
        """R."""
        return len(self.runs)

    @property
    def n_features(self) -> int:
        """K."""
        return len(self.features)

    @property
    def n_clusters(self) -> int:
        """Number of different clusters: the R that folds and tests count."""
        return len(np.unique(self.clusters))

    @property
    def n_steps(self) -> int:
        """T, of the longest run."""
        return int(self.lengths.max())

    @property
    def shape(self) -> tuple[int, int, int]:
        """(runs, steps of the longest run, features)."""
        return self.n_runs, self.n_steps, self.n_features

    @property
    def lengths(self) -> Integers:
        """Steps of each run (run,); the runs are read where nothing else tells."""
        return self._times.lengths

    @property
    def shares_times(self) -> bool:
        """Whether all runs have the same times, as far as each goes; the runs are read where nothing else tells."""
        return self._times.steps is not None

    @property
    def steps(self) -> Array:
        """The times (step,) that all runs share, those of the longest run.

        Raises
        ------
        UnusableDataError
            The times differ from run to run.
        """
        if self._times.steps is None:
            raise UnusableDataError(
                "the times differ from run to run, so there is no one steps array; use the times of its shards, or "
                "select runs that share theirs"
            )
        return self._times.steps

    @property
    def span(self) -> tuple[float, float]:
        """The first and the last time of any run; the runs are read where nothing else tells."""
        return self._times.span or self._measured.span or (np.nan, np.nan)

    @functools.cached_property
    def _times(self) -> Times:
        return self._facts.times or self._measured

    @functools.cached_property
    def _measured(self) -> Times:
        found = Measured()
        for shard in self.shards():
            found.add(shard.times, shard.lengths)
        return found.times

    def __len__(self) -> int:
        return self.n_runs

    def __repr__(self) -> str:
        R, K, times = self.n_runs, self.n_features, self._facts.times
        steps = "" if times is None else f" × {int(times.lengths.max())} steps"
        return f"Collection: {R} run{'s' * (R > 1)}{steps} × {K} feature{'s' * (K > 1)}, read when used"
