"""What is in trajectories: their arrays by name, read-only, and what follows from them."""

from __future__ import annotations

import copy
import functools

import numpy as np

from ecodyn.arrays import Array, Bools, Integers
from ecodyn.errors import UnusableDataError
from ecodyn.runtime.json_values import Json
from ecodyn.trajectories.checks import Checked
from ecodyn.trajectories.findings import findings
from ecodyn.trajectories.inputs import Input
from ecodyn.trajectories.labels import Labels, Setting
from ecodyn.trajectories.missing import complete_rows, spread
from ecodyn.trajectories.parts import share_times, take_steps, velocity_of
from ecodyn.trajectories.state import VELOCITY, is_trait, lag_of, observable_of, parse_state
from ecodyn.trajectories.velocity import completed

__all__ = ["Contents"]


class Contents:
    """Read access to checked data; `Trajectories` adds how they are built, cut, selected and saved."""

    _data: Checked

    @property
    def values(self) -> Array:
        """The signal (run, step, feature), NaN at padding."""
        return self._data.observables["signal"]

    @property
    def observables(self) -> dict[str, Array]:
        """All observables by name, "signal" first, each (run, step, feature)."""
        return dict(self._data.observables)

    @property
    def times(self) -> Array:
        """Times (run, step), NaN at padding."""
        return self._data.times

    @property
    def shares_times(self) -> bool:
        """Whether all runs have the same times, as far as each goes."""
        return share_times(self.times, self.lengths)

    @property
    def steps(self) -> Array:
        """The times (step,) that all runs share, those of the longest run.

        Raises
        ------
        UnusableDataError
            The times differ from run to run.
        """
        if not self.shares_times:
            raise UnusableDataError(
                "the times differ from run to run, so there is no one steps array; use times (run, step), "
                "or select runs that share theirs"
            )
        return self.times[np.argmax(self.lengths)]

    @property
    def lengths(self) -> Integers:
        """Steps of each run (run,), without padding."""
        return self._data.lengths

    @property
    def features(self) -> Labels:
        """Labels (feature,)."""
        return self._data.features

    @property
    def runs(self) -> Labels:
        """Labels (run,)."""
        return self._data.runs

    @property
    def clusters(self) -> Labels:
        """Labels (run,), equal for runs that share an initialisation."""
        return self._data.clusters

    @property
    def n_clusters(self) -> int:
        """Number of different clusters: the R that folds and tests count."""
        return len(np.unique(self.clusters))

    @property
    def settings(self) -> dict[str, Setting]:
        """Settings that differ between runs, each (run,)."""
        return dict(self._data.settings)

    @property
    def dc(self) -> Array | None:
        """The spectrum at frequency 0 (run, step), if the data have it."""
        return self._data.curves.get("dc")

    @property
    def curves(self) -> dict[str, Array]:
        """What was measured of the whole network by name, each (run, step), NaN at padding; `dc` has its own place."""
        return {name: array for name, array in self._data.curves.items() if name != "dc"}

    @property
    def inputs(self) -> dict[str, tuple[Input, ...]]:
        """Curves that are known as functions of time by name, each one a run; see `Trajectories.with_inputs`."""
        return dict(self._data.inputs)

    @property
    def embedding(self) -> Array | None:
        """The embeddings at the end of each training (run, token, dimension), if the data have them.

        NaN after the last dimension of a run that has fewer than the widest. A window leaves them as they are.
        """
        return self._data.embedding

    @property
    def provenance(self) -> dict[str, Json]:
        """Where the data come from (a copy)."""
        return copy.deepcopy(self._data.provenance)

    @property
    def labels_shared(self) -> bool:
        """Whether feature k means the same in every run."""
        return self._data.labels_shared

    @property
    def shape(self) -> tuple[int, int, int]:
        """(runs, steps of the longest run, features)."""
        R, T, K = self.values.shape
        return R, T, K

    @property
    def n_runs(self) -> int:
        """R."""
        return self.shape[0]

    @property
    def n_steps(self) -> int:
        """T, of the longest run."""
        return self.shape[1]

    @property
    def n_features(self) -> int:
        """K."""
        return self.shape[2]

    @functools.cached_property
    def warnings(self) -> tuple[str, ...]:
        """Sentences on what looks odd in the data."""
        return findings(self._data)

    @property
    def knows_before(self) -> Bools:
        """Whether a step before the first one of each run (run,), cut away by a window, tells the velocity there.

        Where values are missing: whether values before a run's first complete step do.
        """
        if self._data.velocity is None and self._data.missing is None:  # no step is before the first
            return np.zeros(self.n_runs, dtype=bool)
        first = np.argmin(self.missing.any(axis=2), axis=1)
        known: Bools = ~np.any(np.isnan(velocity_of(self._data)[np.arange(self.n_runs), first]), axis=1)
        return known

    @property
    def remembers_velocity(self) -> bool:
        """Whether the signal's velocities come from steps, of which some were left out since."""
        return self._data.velocity is not None

    @property
    def missing(self) -> Bools:
        """Where a value within a run is missing (run, step, feature): NaN in all observables."""
        return np.broadcast_to(np.False_, self.shape) if self._data.missing is None else self._data.missing

    @property
    def lacks_values(self) -> bool:
        """Whether any value within a run is missing."""
        return self._data.missing is not None

    def state(self, channels: str = "signal") -> Array:
        """Return the state (run, step, feature, channel) that a right-hand side sees.

        "signal" is one channel. "signal,gradient" adds an observable, "signal,gradient@start" a trait: the
        observable at the first step, held constant. "signal,velocity" adds the signal's mean change per step over
        the 3 stored steps before each step, also where a window has cut them away; at the first step of a file it
        is that over the 3 steps after (see `knows_before`). Where values are missing, it is over the feature's 3
        values before. "signal,signal@-1" adds the signal one stored step earlier, NaN where there is no such step in
        the data. NaN at padding, and at incomplete steps: those at which a value is missing.

        Raises
        ------
        ValueError
            The channels are not known (see `parse_state`), or the data lack one of the observables.
        """
        names = parse_state(channels)
        if self._data.missing is None:
            return np.stack([self._channel(name) for name in names], axis=-1)
        rows = complete_rows(self._data.missing, self.lengths, self.runs)
        whole = Contents()
        whole._data = take_steps(self._data, rows)
        return spread(whole.state(channels), rows, self.n_steps)

    def _channel(self, name: str) -> Array:
        if lag := lag_of(name):
            delayed = np.full(self.values.shape, np.nan)
            delayed[:, lag:] = self.values[:, :-lag]
            return np.where(np.isnan(self.values), np.nan, delayed)
        array = self.observable(observable_of(name))
        return np.where(np.isnan(self.values), np.nan, array[:, :1]) if is_trait(name) else array

    def observable(self, name: str) -> Array:
        """An observable (run, step, feature) as a state has it: one of the data's, or "velocity", the signal's own.

        Raises
        ------
        UnusableDataError
            The data lack it.
        """
        if name == VELOCITY:
            return completed(velocity_of(self._data), self.values, self.times, self.lengths)
        if name not in self._data.observables:
            raise UnusableDataError(
                f"the state needs {name}, the data have {', '.join(self._data.observables)}; "
                "use those, or extract the observable from the logs"
            )
        return self._data.observables[name]
