"""Validation inside the training part: rollouts that judge candidate coefficients before anything is scored.

With four runs or more, quarters of the runs are held out in turn; with fewer, the ends of the runs are. Clusters stay
whole, and are dealt out by how far they go, not in the order in which they are given, which says nothing. What is
chosen here (a sparsity threshold, a ridge, a stopping point) never sees the runs or steps that scores are made on.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d

from ecodyn.arrays import Array
from ecodyn.equations.clock_drive import Drive
from ecodyn.equations.known_inputs import KnownInputs
from ecodyn.equations.library import Library
from ecodyn.equations.right_hand_side import BoundLibrary
from ecodyn.estimation.integral_matching import MatchedIntegrals, match
from ecodyn.estimation.many_runs import ManyRuns, ranks_of
from ecodyn.estimation.samples import Samples
from ecodyn.estimation.shooting_equations import AMPLITUDE, MOST_SUBSTEPS
from ecodyn.rollouts.stiff_marching import is_stiff, march_stiff

SPLITS = 4  # a quarter of the training clusters validates at a time
# Shares of the training part at which the fitted beginning ends, where clusters are too few to hold any out.
CUTS = (0.5, 0.7)
INTERVALS = 32  # of a validation rollout: that it ranks is all that is asked of it
TRAVEL = 0.1  # of its range that a feature may go in one Runge-Kutta step: more, and the solver is what is judged
SMALL_BATCH = 2**16  # values of the states that a validation's candidates have: larger ones gain nothing by company
WORST = 2.0  # an unexplained share is capped there, as in the scores


@dataclass(frozen=True, kw_only=True)
class Validation:
    """One split: the compressed regression of its fitted part, and rollouts to be followed in the other.

    ``states`` (rollout, point, feature, channel) on the coarse grid ``times`` (rollout, point), in scaled units;
    each interval is taken in ``substeps``, or in a map's own steps of length ``step``. ``own`` (feature,) are scales
    that features count in, None where they share one.
    """

    matched: MatchedIntegrals
    states: Array
    times: Array
    drive: Drive | None
    substeps: int = 1
    step: float | None = None
    own: Array | None = None
    inputs: KnownInputs | None = None

    def unexplained(self, library: Library, candidates: Array) -> Array:
        """1 − skill of each candidate's rollouts, (candidate, rollout), at most 2 and NaN-free.

        ``candidates`` is (candidate, row, term); all are rolled out as one batch.
        """
        return unexplained_each(library, [self], [candidates])[0]

    def finished(self, library: Library, coefficients: Array) -> float:
        """The share of one candidate's rollouts, (row, term), that reach their end."""
        return float(_followed(library, [self], [coefficients[None]])[0][1].mean())

    @property
    def kind(self) -> Hashable:
        """What validations that are rolled out as one batch have in common."""
        return (
            self.times.shape[1],
            self.substeps,
            self.step,
            id(self.drive),
            self.inputs is None,
            None if self.own is None else self.own.tobytes(),
        )


def unexplained_each(library: Library, validations: Sequence[Validation], candidates: Sequence[Array]) -> list[Array]:
    """``Validation.unexplained`` of each validation's candidates, those of one kind as one batch while it is small."""
    kinds: dict[Hashable, list[int]] = defaultdict(list)
    for i, v in enumerate(validations):
        kinds[v.kind if candidates[i].shape[0] * v.states[:, 0].size <= SMALL_BATCH else i].append(i)
    found: dict[int, Array] = {}
    for alike in kinds.values():
        followed = _followed(library, [validations[i] for i in alike], [candidates[i] for i in alike])
        for i, (share, alive) in zip(alike, followed, strict=True):
            found[i] = np.where(alive, np.minimum(share, WORST), WORST)
    return [found[i] for i in range(len(validations))]


def _followed(
    library: Library, validations: Sequence[Validation], candidates: Sequence[Array]
) -> list[tuple[Array, NDArray[np.bool_]]]:
    """Squared error over that of persistence, and who reached the end, both (candidate, rollout), for each validation.

    All of one kind; each member of the batch goes as it would alone.
    """
    pairs = list(zip(validations, candidates, strict=True))
    first = validations[0]
    inputs = _inputs_of(validations, candidates)
    coefficients = np.concatenate([np.repeat(c, len(v.states), axis=0) for v, c in pairs])
    law = BoundLibrary(library, coefficients, first.drive, inputs, first.step)
    states = np.concatenate([np.tile(v.states, (len(c), 1, 1, 1)) for v, c in pairs])
    times = np.concatenate([np.tile(v.times, (len(c), 1)) for v, c in pairs])
    largest = [AMPLITUDE * float(np.abs(v.states[..., 0]).max()) for v in validations]
    bound = np.repeat(largest, [len(c) * len(v.states) for v, c in pairs])
    truth = states[..., 0]
    with np.errstate(all="ignore"):
        cuts = None if inputs is None else inputs.cuts(times)
        path, lived = law.path(states[:, 0], times, substeps=first.substeps, bound=bound, cuts=cuts)
        error, alive = _mean_square(path[..., 0] - truth, first.own), lived == times.shape[1]
        members = _stiff(law, first, states, times, np.flatnonzero(~alive))
        if len(members):
            known = None if inputs is None else inputs.take(members)
            own = BoundLibrary(library, law.coefficients[members], inputs=known)
            again = march_stiff(
                own.rhs,
                own.jacobian,
                states[members, 0],
                times[members],
                substeps=first.substeps,
                bound=bound[members],
                cuts=None if known is None else known.cuts(times[members]),
            )
            for i, x, living in again:
                error[members, i] = _mean_square(x[..., 0] - truth[members, i], first.own)
                alive[members] = living
    persistence = _mean_square(truth - truth[:, :1], first.own)
    share = np.trapezoid(error, times, axis=1) / np.maximum(np.trapezoid(persistence, times, axis=1), 1e-300)
    ends = np.cumsum([len(c) * len(v.states) for v, c in pairs])[:-1]
    shapes = [(len(c), len(v.states)) for v, c in pairs]
    parts = zip(np.split(share, ends), np.split(alive, ends), shapes, strict=True)
    return [(s.reshape(shape), a.reshape(shape)) for s, a, shape in parts]


def _inputs_of(validations: Sequence[Validation], candidates: Sequence[Array]) -> KnownInputs | None:
    """Those of all rollouts, each validation's as often as it has candidates."""
    pairs = zip(validations, candidates, strict=True)
    repeated = [
        None if v.inputs is None else v.inputs.take(np.tile(np.arange(len(v.states)), len(c))) for v, c in pairs
    ]
    return KnownInputs.concat(repeated)


def _stiff(
    law: BoundLibrary, first: Validation, states: Array, times: Array, dead: NDArray[np.intp]
) -> NDArray[np.intp]:
    """Those of the dead whose law implicit steps can follow."""
    if not len(dead) or states.shape[-1] > 1 or first.step is not None or first.drive is not None:
        return dead[:0]
    inputs = None if law.inputs is None else law.inputs.take(dead)
    jacobian = BoundLibrary(law.library, law.coefficients[dead], inputs=inputs).jacobian
    return dead[is_stiff(jacobian, states[dead, ..., 0], times[dead], first.substeps)]


def _mean_square(difference: Array, own: Array | None) -> Array:
    """Over features, the last axis, each in its own scale where it has one."""
    return np.asarray(np.mean((difference if own is None else difference / own) ** 2, axis=-1))


def splits(
    library: Library,
    samples: Samples,
    parts: list[MatchedIntegrals],
    *,
    per_feature: bool,
    method: str = "integral",
) -> list[Validation]:
    """The validation splits of a training part whose runs are already compressed in ``parts``; clusters stay whole."""
    if isinstance(samples, ManyRuns):
        return _of_many(samples, parts)
    ranks = ranks_of(samples.gone, samples.cluster_codes)
    if len(np.unique(ranks)) < SPLITS:
        return [_by_time(library, samples, per_feature, method, cut) for cut in CUTS]
    return [_by_run(samples, parts, np.flatnonzero(ranks % SPLITS == s)) for s in range(SPLITS)]


def _of_many(samples: ManyRuns, parts: list[MatchedIntegrals]) -> list[Validation]:
    """The same of many runs, of which some alone are rolled out."""
    of_split = [
        MatchedIntegrals.combine([parts[r] for r in np.flatnonzero(samples.ranks % SPLITS == s)]) for s in range(SPLITS)
    ]
    splits_of = samples.ranks[samples.validated] % SPLITS
    return [
        _rollouts(
            samples.validating.take(np.flatnonzero(splits_of == s)),
            MatchedIntegrals.combine([part for other, part in enumerate(of_split) if other != s]),
        )
        for s in range(SPLITS)
    ]


def whole(samples: Samples, parts: list[MatchedIntegrals]) -> Validation:
    """All runs at once, fitted and followed: to see whether candidates diverge from any training start.

    Of many runs, those that validation rolls out anyway.
    """
    if isinstance(samples, ManyRuns):
        return _rollouts(samples.validating, MatchedIntegrals.combine(parts))
    return _rollouts(samples, MatchedIntegrals.combine(parts))


def _by_run(samples: Samples, parts: list[MatchedIntegrals], runs: NDArray[np.intp]) -> Validation:
    # A clock keeps the mean curve of all training runs here: that can only flatter the clock, which is the null.
    held_out = frozenset(runs.tolist())
    others = [part for r, part in enumerate(parts) if r not in held_out]
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
    return Validation(
        matched=matched,
        states=samples.states[run, rows],
        times=samples.times[run, rows],
        drive=samples.drive,
        substeps=_substeps(samples.states[..., 0], rows),
        step=samples.step,
        own=samples.own,
        inputs=None if samples.inputs is None else samples.inputs.of_runs(np.arange(samples.n_runs)),
    )


def _substeps(signal: Array, rows: NDArray[np.intp]) -> int:
    """Steps an interval between ``rows`` (run, point), so that no feature of (run, step, feature) goes too far in one.

    How far it goes is told by the data, turning points included; they can't be told more finely than they are stored.
    Noise would tell of going to and fro: it is averaged away over half an interval.
    """
    spacing = int(np.diff(rows, axis=1).max())
    width = spacing // 2
    smooth = uniform_filter1d(signal, width, axis=1, mode="nearest") if width > 1 else signal
    gone = np.cumsum(np.abs(np.diff(smooth, axis=1, prepend=smooth[:, :1])), axis=1)
    run = np.arange(len(signal))[:, None]
    travelled = np.diff(gone[run, rows], axis=1).max(axis=(0, 1))
    extent = np.ptp(smooth, axis=(0, 1))
    moving = extent > 0
    wanted = float((travelled[moving] / extent[moving]).max(initial=0.0)) / TRAVEL
    return int(np.clip(np.ceil(wanted), 1, min(MOST_SUBSTEPS, spacing)))
