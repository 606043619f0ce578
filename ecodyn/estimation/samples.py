"""The states that a law is fitted to, in units in which coefficients are of order one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ecodyn.arrays import Array
from ecodyn.equations.clock_drive import Drive
from ecodyn.equations.library import EXCHANGEABLE, Library
from ecodyn.errors import UnusableDataError
from ecodyn.estimation.denoising import without_noise
from ecodyn.estimation.input_samples import InputSamples, input_units
from ecodyn.estimation.movement import Movement
from ecodyn.rollouts.iteration import FLOW, MAP, stored_step
from ecodyn.trajectories import Trajectories
from ecodyn.trajectories.scales import own_scales
from ecodyn.trajectories.state import VELOCITY, history_of, lag_of, parse_state

LARGEST, SMALLEST = 1e150, 1e-150  # of a channel's values: sums of squares are then neither infinite nor zero


@dataclass(frozen=True, kw_only=True)
class Samples:
    """Scaled states of several runs.

    Attributes
    ----------
    states : array (run, step, feature, channel), each channel divided by about its root mean square, but a velocity
        by the signal's unit over the unit of time, so that ẋ = v here too
    times : array (run, step), divided by about the longest run's duration; padding repeats the last time and state, so
        that it is intervals of no length
    lengths : array (run,)
    scales : array (channel,), or (feature, channel) where each feature has its own
    time_scale : float
    own : array (feature,) or None
        How far each feature goes, in the scaled units of its signal, where features count in scales of their own;
        infinite for one that does not move.
    drive : Drive or None
        The clock's environment variables, in the same scaled units.
    clusters : array (run,) or None
        Which runs are not independent of one another.
    step : float or None
        h of the map that is fitted, in the scaled unit of time; None for a flow.
    smooth : array like ``states``, or None
        The states without what is measurement noise, by smoothing splines; None where there is none, or for a map.
    inputs : InputSamples or None
        Known functions of time that the law has terms in.
    told : Movement or None
        Of all steps, where the states are those of a few of them; None where they are all.
    """

    states: Array
    times: Array
    lengths: NDArray[np.intp]
    scales: Array
    time_scale: float
    drive: Drive | None = None
    clusters: NDArray[np.intp] | None = None
    step: float | None = None
    own: Array | None = None
    smooth: Array | None = None
    inputs: InputSamples | None = None
    told: Movement | None = None

    @cached_property
    def movement(self) -> Movement:
        """How large values are and how far they go."""
        return Movement.of(self.states, self.lengths) if self.told is None else self.told

    @property
    def gone(self) -> Array:
        """How far each run goes from where it starts (run,), features in the scales they count in."""
        signal = self.states[..., 0]
        moved = signal - signal[:, :1]
        return np.asarray(
            np.trapezoid(np.mean((moved if self.own is None else moved / self.own) ** 2, axis=-1), self.times, axis=1)
        )

    @property
    def starts(self) -> Array:
        """The smoothed states where there is noise, or the states, (run, step, feature, channel)."""
        return self.states if self.smooth is None else self.smooth

    @cached_property
    def noise(self) -> Array:
        """Variance of what smoothing takes away, (feature, channel)."""
        if self.smooth is None:
            return np.zeros(self.states.shape[2:])
        there = np.arange(self.states.shape[1]) < self.lengths[:, None]
        return np.asarray(np.mean((self.states - self.smooth)[there] ** 2, axis=0))

    @property
    def signal_weights(self) -> Array | None:
        """Weight of squared residuals, (feature,): zero if it does not move; None where all are alike."""
        return None if self.own is None else self.own**-2.0

    @property
    def cluster_codes(self) -> NDArray[np.intp]:
        """Cluster of each run as 0, 1, …; runs are their own clusters unless the file says otherwise."""
        if self.clusters is None:
            return np.arange(self.n_runs)
        return np.unique(self.clusters, return_inverse=True)[1]

    def by_cluster(self, values: Array) -> Array:
        """Sums (cluster, ...) of values (run, ...) over the runs of each cluster: those are what is independent."""
        codes = self.cluster_codes
        counts = np.bincount(codes)
        in_order = np.argsort(codes, kind="stable")
        if (counts == 1).all():
            return np.asarray(values[in_order])
        return np.stack([values[own].sum(axis=0) for own in np.split(in_order, np.cumsum(counts)[:-1])])

    @classmethod
    def of(
        cls,
        trajectories: Trajectories,
        channels: str = "signal",
        dynamics: str = FLOW,
        *,
        own_units: bool = False,
        smooth: bool = True,
        inputs: Sequence[str] = (),
    ) -> Samples:
        """The states of all runs under one scale a channel (features share it, since they may share a law).

        With ``smooth`` they are smoothed beside, which only full laws and formulas go by.

        With ``own_units`` each feature has a scale of its own, which takes coefficients of its own.

        ``inputs`` are names of those that the law may depend on.

        They are for a flow, or for a map between their stored steps, which must then be evenly spaced.

        Steps at which a value is missing take no part. The velocity along a run is the mean change over the 3 steps
        before each, as a scored rollout starts from. The first steps of a run, as many as the longest delay takes, are
        history only.
        """
        trajectories = trajectories.complete()
        states, times, lengths = padded_states(trajectories, channels)
        check_sizes(np.abs(states).max(axis=(0, 1, 2)), parse_state(channels))
        squares = np.mean(states**2, axis=(0, 1) if own_units else (0, 1, 2))
        scales, time_scale = units(squares, float((times[:, -1] - times[:, 0]).max()), channels)
        clusters = np.unique(trajectories.clusters, return_inverse=True)[1]
        step = stored_step(times, lengths) / time_scale if dynamics == MAP else None
        own = own_scales(trajectories)
        smoothed = without_noise(states, times, lengths) if smooth and dynamics != MAP else None
        states /= scales
        return cls(
            states=states,
            smooth=None if smoothed is None else smoothed / scales,
            times=times / time_scale,
            lengths=lengths,
            scales=scales,
            time_scale=time_scale,
            clusters=clusters,
            step=step,
            own=None if own is None else own / scales[..., 0],
            inputs=InputSamples.of(trajectories, inputs, time_scale, step),
        )

    @property
    def input_scales(self) -> tuple[float, ...]:
        """Of each input, if there are any."""
        return () if self.inputs is None else tuple(self.inputs.scales.tolist())

    @property
    def n_runs(self) -> int:
        """Number of runs."""
        return len(self.states)

    def variable_scales(self, library: Library) -> Array:
        """Scale of each environment variable of an exchangeable library."""
        channels = len(library.channels)  # functions, which follow in a mean's powers, keep the values they have
        return np.array([np.prod(self.scales ** np.array(powers[:channels])) for powers in library.moments])

    def driven(self, library: Library) -> Samples:
        """The same samples with the library's environment variables replaced by their mean curve over the runs."""
        if library.coupling != EXCHANGEABLE:
            raise ValueError(f"expected an exchangeable library to make a clock of, got {library.coupling}")
        return replace(self, drive=Drive.mean_over_runs(self.times, library.variables(self.states), self.lengths))

    def original(self, library: Library, coefficients: Array) -> Array:
        """Coefficients (row, term) in the data's units, from those of these samples."""
        found = library.rescale(coefficients, self.scales, self.time_scale)
        return found if self.inputs is None else np.asarray(found / input_units(library, self.inputs))

    def scaled(self, library: Library, coefficients: Array) -> Array:
        """Coefficients (row, term) of these samples, from those in the data's units."""
        found = library.rescale(coefficients, 1 / self.scales, 1 / self.time_scale)
        return found if self.inputs is None else np.asarray(found * input_units(library, self.inputs))

    def drive_in_original_units(self, library: Library) -> Drive | None:
        """The drive as a fitted law carries it."""
        if self.drive is None:
            return None
        return self.drive.rescaled(1.0 / self.variable_scales(library), 1.0 / self.time_scale)

    def take(self, runs: NDArray[np.intp]) -> Samples:
        """Some of the runs, in the same units."""
        return replace(
            self,
            states=self.states[runs],
            smooth=None if self.smooth is None else self.smooth[runs],
            times=self.times[runs],
            lengths=self.lengths[runs],
            clusters=self.cluster_codes[runs],
            inputs=None if self.inputs is None else self.inputs.take(runs),
        )

    def before(self, share: float) -> Samples:
        """The first share of every run, for validation inside a training part."""
        lengths = np.maximum(2, (self.lengths * share).astype(np.intp))
        keep = int(lengths.max())
        states, times = self.states[:, :keep].copy(), self.times[:, :keep].copy()
        smooth = None if self.smooth is None else self.smooth[:, :keep].copy()
        for padded in (states, times, *(() if smooth is None else (smooth,))):
            _pad(padded, lengths)
        return replace(self, states=states, smooth=smooth, times=times, lengths=lengths)


def units(squares: Array, duration: float, channels: str) -> tuple[Array, float]:
    """The scales of mean squares (channel,) or (feature, channel), and that of time, of the longest run's duration."""
    scales = np.sqrt(squares)
    scales = np.where(scales > 0, scales, 1.0)
    # Units are powers of two: exact, and the same for all folds, which can then share each run's regression.
    scales, time_scale = np.exp2(np.rint(np.log2(scales))), float(np.exp2(np.rint(np.log2(duration or 1.0))))
    names = parse_state(channels)
    if VELOCITY in names:
        scales[..., names.index(VELOCITY)] = scales[..., 0] / time_scale
    for place in np.flatnonzero([lag_of(name) for name in names]):
        scales[..., place] = scales[..., 0]
    return scales, time_scale


def padded_states(trajectories: Trajectories, channels: str) -> tuple[Array, Array, NDArray[np.intp]]:
    """States (run, step, feature, channel), times (run, step) and lengths (run,) of complete runs, in the data's units.

    Steps that are history only, as many as the longest delay takes, are left out. After a run's end its last state and
    time are repeated.
    """
    history = history_of(parse_state(channels))
    states = trajectories.state(channels)[:, history:]  # a copy
    times = np.array(trajectories.times)[:, history:]
    lengths = np.asarray(trajectories.lengths, dtype=np.intp) - history
    for padded in (states, times):
        _pad(padded, lengths)
    return states, times, lengths


def _pad(values: Array, lengths: NDArray[np.intp]) -> None:
    """Repeat each run's last value, (run, step, ...), in place."""
    for r, n in enumerate(lengths):
        values[r, n:] = values[r, n - 1]


def check_sizes(sizes: Array, names: Sequence[str]) -> None:
    """Refuse channels of sizes (channel,) whose squares are no finite numbers above 0: no unit could be had of them."""
    for name, largest in zip(names, sizes, strict=True):
        if largest > LARGEST or 0 < largest < SMALLEST:
            raise UnusableDataError(
                f"expected values whose squares floating-point numbers can hold, at most {LARGEST:g} and, unless all "
                f"are 0, at least {SMALLEST:g} somewhere, got a largest {name} of {largest:.2g}; give the data in "
                "another unit"
            )
