"""Validation inside the training part: rollouts that judge candidate coefficients before anything is scored.

With four runs or more, quarters of the runs are held out in turn; with fewer, the ends of the runs are. What is
chosen here (a sparsity threshold, a ridge, a stopping point) never sees the runs or steps that scores are made on.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ecodyn.drive import Drive
from ecodyn.estimation.integral_matching import MatchedIntegrals, match
from ecodyn.estimation.samples import Samples
from ecodyn.library import Library
from ecodyn.rollout import march

Array = NDArray[np.float64]

SPLITS = 4
# Shares of the training part at which the fitted beginning ends, where clusters are too few to hold any out.
CUTS = (0.5, 0.7)
INTERVALS = 32
TRAVEL = 0.1  # of its range that a feature may go in one Runge-Kutta step: more, and the solver is what is judged
MOST_SUBSTEPS = 16
AMPLITUDE = 10.0
WORST = 2.0  # an unexplained share is capped there, as in the scores


@dataclass(frozen=True)
class Validation:
    """One split: the compressed regression of its fitted part, and rollouts to be followed in the other.

    ``states`` (rollout, point, feature, channel) on the coarse grid ``times`` (rollout, point), in scaled units;
    each interval is taken in ``substeps``, or in a map's own steps of length ``step``.
    """

    matched: MatchedIntegrals
    states: Array
    times: Array
    drive: Drive | None
    substeps: int = 1
    step: float | None = None

    def unexplained(self, library: Library, candidates: Array) -> Array:
        """1 − skill of each candidate's rollouts, (candidate, rollout), at most 2 and NaN-free.

        ``candidates`` is (candidate, row, term); all are rolled out as one batch.
        """
        share, alive = self._rollouts(library, candidates)
        return np.where(alive, np.minimum(share, WORST), WORST)

    def finished(self, library: Library, coefficients: Array) -> float:
        """The share of one candidate's rollouts, (row, term), that reach their end."""
        return float(self._rollouts(library, coefficients[None])[1].mean())

    def _rollouts(self, library: Library, candidates: Array) -> tuple[Array, NDArray[np.bool_]]:
        """Squared error over that of persistence, and who reached the end, both (candidate, rollout)."""
        count, rollouts = len(candidates), len(self.states)
        law = library.bind(np.repeat(candidates, rollouts, axis=0), self.drive)
        truth = np.tile(self.states[..., 0], (count, 1, 1))
        times = np.tile(self.times, (count, 1))
        start = np.tile(self.states[:, 0], (count, 1, 1))
        bound = AMPLITUDE * float(np.abs(truth).max())
        error, alive = np.zeros((count * rollouts, truth.shape[1])), np.ones(count * rollouts, dtype=bool)
        with np.errstate(all="ignore"):
            steps = march(law.rhs, start, times, substeps=self.substeps, bound=bound, step=self.step)
            for i, x, living in steps:
                error[:, i] = np.mean((x[..., 0] - truth[:, i]) ** 2, axis=-1)
                alive = living
        persistence = np.mean((truth - truth[:, :1]) ** 2, axis=-1)
        share = np.trapezoid(error, times, axis=1) / np.maximum(np.trapezoid(persistence, times, axis=1), 1e-300)
        return share.reshape(count, rollouts), alive.reshape(count, rollouts)


def splits(
    library: Library,
    samples: Samples,
    parts: list[MatchedIntegrals],
    *,
    per_feature: bool,
    method: str = "integral",
) -> list[Validation]:
    """The validation splits of a training part whose runs are already compressed in ``parts``; clusters stay whole."""
    codes = samples.cluster_codes
    count = len(np.unique(codes))
    if count < SPLITS:
        return [_by_time(library, samples, per_feature, method, cut) for cut in CUTS]
    return [_by_run(samples, parts, np.flatnonzero(codes % SPLITS == s)) for s in range(SPLITS)]


def whole(samples: Samples, parts: list[MatchedIntegrals]) -> Validation:
    """All runs at once, fitted and followed: to see whether candidates diverge from any training start."""
    return _rollouts(samples, MatchedIntegrals.combine(parts))


def _by_run(samples: Samples, parts: list[MatchedIntegrals], runs: NDArray[np.intp]) -> Validation:
    # A clock keeps the mean curve of all training runs here: that can only flatter the clock, which is the null.
    others = [part for r, part in enumerate(parts) if r not in runs]
    return _rollouts(samples.take(runs), MatchedIntegrals.combine(others))


def _by_time(library: Library, samples: Samples, per_feature: bool, method: str, cut: float) -> Validation:
    before = samples.before(cut)
    matched = MatchedIntegrals.combine(match(library, before, per_feature=per_feature, method=method))
    first = np.minimum((samples.lengths * cut).astype(np.intp), samples.lengths - 2).clip(0)
    return _rollouts(samples, matched, first)


def _rollouts(samples: Samples, matched: MatchedIntegrals, first: NDArray[np.intp] | None = None) -> Validation:
    begin = np.zeros(samples.n_runs, dtype=np.intp) if first is None else first
    count = min(INTERVALS, int((samples.lengths - begin).max()) - 1)
    share = np.linspace(0.0, 1.0, count + 1)
    rows = np.rint(begin[:, None] + share * (samples.lengths - 1 - begin)[:, None]).astype(np.intp)
    run = np.arange(samples.n_runs)[:, None]
    substeps = _substeps(samples.states[..., 0], rows)
    states, times = samples.states[run, rows], samples.times[run, rows]
    return Validation(matched, states, times, samples.drive, substeps, samples.step)


def _substeps(signal: Array, rows: NDArray[np.intp]) -> int:
    """Steps an interval between ``rows`` (run, point), so that no feature of (run, step, feature) goes too far in one.

    How far it goes is told by the data, turning points included; they can't be told more finely than they are stored.
    Noise would tell of going to and fro: it is averaged away over half an interval.
    """
    spacing = int(np.diff(rows, axis=1).max())
    smooth = _running_mean(signal, spacing // 2)
    gone = np.cumsum(np.abs(np.diff(smooth, axis=1, prepend=smooth[:, :1])), axis=1)
    run = np.arange(len(signal))[:, None]
    travelled = np.diff(gone[run, rows], axis=1).max(axis=(0, 1))
    extent = np.ptp(smooth, axis=(0, 1))
    moving = extent > 0
    wanted = float((travelled[moving] / extent[moving]).max(initial=0.0)) / TRAVEL
    return int(np.clip(np.ceil(wanted), 1, min(MOST_SUBSTEPS, spacing)))


def _running_mean(signal: Array, width: int) -> Array:
    """Means over so many steps of (run, step, feature); the ends repeat."""
    if width < 2:
        return signal
    before = width // 2
    padded = np.pad(signal, ((0, 0), (before, width - 1 - before), (0, 0)), mode="edge")
    return np.asarray(np.lib.stride_tricks.sliding_window_view(padded, width, axis=1).mean(axis=-1))
