"""Selection of a full law's terms from noisy data: supports along many paths, ranked by short rollouts.

Noise in x makes regressions on x wrong, most where a library is large: terms are then wanted that make up for the bias.
Weak forms over windows of several lengths, of the data as they are and smoothed, are each wrong in their own way; along
the paths of backward elimination of all of them lie many supports, the law's among them far more often than along one.
Which is best is told by rollouts from smoothed states over a third of each run, and by what terms cost:

    n log(u + floor) + Σ costs,

with n values and the share u of the features' movement that the rollouts leave (see ``term_costs``).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ecodyn.arrays import Array, Bools
from ecodyn.equations.library import FULL, Library
from ecodyn.equations.right_hand_side import BoundLibrary
from ecodyn.estimation.samples import Samples
from ecodyn.estimation.shooting_equations import AMPLITUDE
from ecodyn.estimation.support_paths import solved, supports_along
from ecodyn.estimation.term_costs import term_costs
from ecodyn.estimation.weak_form import regression, spans
from ecodyn.rollouts.skill import WORST_UNEXPLAINED
from ecodyn.statistics.smoothing import FEWEST

__all__ = ["FLOOR", "Selected", "may_select", "selected", "short_runs"]

MOST_TERMS, MOST_COEFFICIENTS = 100, 300  # paths are eliminated term by term
ROLLOUTS, SHARE, POINTS = 5, 1 / 3, 40  # of each run, over a third of it
BATCH = 3000  # rollouts at a time
FLOOR = 1e-9  # of the movement: less is the solver's


@dataclass(frozen=True, eq=False)
class Selected:
    """A support and its coefficients, (feature, term), and the steps in a window of the path that it is from."""

    support: Bools
    coefficients: Array
    span: int
    candidates: int


def may_select(library: Library, samples: Samples) -> bool:
    """Whether terms are selected in this way: noisy runs that are long enough, and a full law of few features."""
    few = len(library) <= MOST_TERMS and len(library) * len(library.features) <= MOST_COEFFICIENTS
    one = len(library.channels) == 1 and library.coupling == FULL and not library.per_feature_terms
    noisy = samples.smooth is not None and samples.drive is None and int(samples.lengths.min()) >= FEWEST
    return few and one and noisy and not library.inputs


def selected(library: Library, samples: Samples) -> Selected | None:
    """The support that is best by the criterion; None if no regression goes with any term."""
    exponents = np.array([library.environment[e] for _, e in library.terms]).reshape(len(library), -1)
    own = np.ones(len(library.features)) if samples.own is None else samples.own
    candidates = _candidates(library, samples, exponents, own)
    if not candidates:
        return None
    coefficients = np.stack([c for _, _, c in candidates])
    left = _unexplained(library, samples, coefficients, own)
    count = int(samples.lengths.sum()) * len(own)
    costs = term_costs(exponents.sum(axis=1), _of_features(exponents, library), count)
    values = [count * np.log(u + FLOOR) + costs[c[1]].sum() for c, u in zip(candidates, left, strict=True)]
    span, support, found = candidates[int(np.argmin(values))]
    return Selected(support, found, span, len(candidates))


def _candidates(library: Library, samples: Samples, exponents: Array, own: Array) -> list[tuple[int, Bools, Array]]:
    """(span, support, coefficients) along the paths of polynomials of each degree, and of Lotka-Volterra's terms."""
    degrees = exponents.sum(axis=1)
    rank = degrees * 10.0 + exponents.max(axis=1)  # of terms that data can't tell apart, the highest degree goes first
    allowed = [np.tile(degrees <= d, (len(own), 1)) for d in range(1, int(degrees.max()) + 1)]
    allowed.append((_of_features(exponents, library).T > 0) & (degrees <= 2))
    found: list[tuple[int, Bools, Array]] = []
    for states in (samples.states, samples.starts):
        runs = [(states[r, :n], samples.times[r, :n]) for r, n in enumerate(samples.lengths.tolist())]
        columns = [(library.values(x)[:, 0], x[..., 0], t) for x, t in runs]
        for span in spans(int(samples.lengths.min())):
            theta, target, rows = _compressed(columns, span, own)
            along = supports_along(theta, target, allowed, rank, rows)
            found += [(span, support, solved(theta, target, support)) for support in along]
    return found


def _of_features(exponents: Array, library: Library) -> Array:
    """Exponents (term, feature), where a function is one of each feature that it is of."""
    if not library.functions:
        return exponents
    features = len(library.features)
    of_functions = np.array([np.isin(np.arange(features), f.variables) for f in library.functions], dtype=int)
    return np.asarray(exponents[:, :features] + exponents[:, features:] @ of_functions)


def _compressed(runs: list[tuple[Array, Array, Array]], span: int, own: Array) -> tuple[Array, Array, int]:
    """The weak form's regression by its triangular factor, and of how many rows it is: all supports share these."""
    theta, target = regression(runs, span, np.ones(len(own)))
    terms = theta.shape[2]
    factor = np.asarray(np.linalg.qr(np.column_stack([theta[0], target.T]), mode="r"))
    return factor[:, :terms] / own[:, None, None], factor[:, terms:].T / own[:, None], theta.shape[1]


def _unexplained(library: Library, samples: Samples, candidates: Array, own: Array) -> list[float]:
    """Of each candidate (candidate, feature, term): mean square of its rollouts' errors, in features' scales."""
    starts, truth, times = short_runs(samples)
    bound = AMPLITUDE * float(np.abs(samples.states).max())
    worst = 2 * WORST_UNEXPLAINED
    size, left = max(1, BATCH // len(starts)), list[float]()
    with np.errstate(all="ignore"):
        for first in range(0, len(candidates), size):
            part = candidates[first : first + size]
            law = BoundLibrary(library, np.repeat(part, len(starts), axis=0))
            begin, grid = np.tile(starts, (len(part), 1, 1)), np.tile(times, (len(part), 1))
            path, lived = law.path(begin, grid, substeps=1, bound=np.full(len(begin), bound))
            each = np.mean(((path[..., 0] - np.tile(truth, (len(part), 1, 1))) / own) ** 2, axis=2)
            alive = np.arange(each.shape[1]) < lived[:, None]
            error = np.where(alive, np.minimum(each, worst), worst).sum(axis=1)
            shares = np.minimum(error / truth.shape[1], WORST_UNEXPLAINED)
            left += shares.reshape(len(part), -1).mean(axis=1).tolist()
    return left


def short_runs(samples: Samples) -> tuple[Array, Array, Array]:
    """Smoothed starts (rollout, feature, channel), signals (rollout, point, feature) and times (rollout, point)."""
    starts, truth, times = [], [], []
    for r, n in enumerate(samples.lengths.tolist()):
        length = max(2, int(SHARE * (n - 1)))
        begin = np.linspace(0, n - 1 - length, ROLLOUTS).astype(int)
        # As many points of each: of a short run some repeat, after an interval of no length.
        rows = begin[:, None] + np.rint(np.linspace(0, length, POINTS + 1)).astype(int)
        starts.append(samples.starts[r, begin])
        truth.append(samples.states[r, rows, :, 0])
        times.append(samples.times[r, rows])
    return np.concatenate(starts), np.concatenate(truth), np.concatenate(times)
