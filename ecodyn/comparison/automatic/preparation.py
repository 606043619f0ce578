"""Data made ready for the search of `best_law`: checked, scaled, smoothed, thinned; and the size of the library."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass, replace

import numpy as np

from ecodyn.arrays import Array
from ecodyn.comparison.automatic.monomials import Terms
from ecodyn.comparison.automatic.problem import Problem
from ecodyn.errors import DataWarning, UnusableDataError
from ecodyn.statistics.smoothing import smoothed
from ecodyn.trajectories import Trajectories
from ecodyn.trajectories.conversions import DataLike

__all__ = ["SEARCHED", "Prepared", "columns_alike", "degree_for", "prepared", "thinned"]

FEWEST = 20  # samples of a run: fewer hold no window of test functions and a smoothing spline beside it
DEGREES = {1: 5}  # by number of features
DEFAULT_DEGREE = 3
MOST_TERMS = 100  # of a library
MOST_COEFFICIENTS = 300  # of a law: the local search solves for all of them at once, again and again
SEARCHED = 500  # samples of the longest run that are searched on: the time of all steps is in proportion to them
FAR = 1e-4  # how far a feature goes, over its size: with less, thresholds of the search are near rounding
LEAST, MOST = 1e-290, 1e290  # of coefficients and monomials in the data's units: room for what multiplies them


@dataclass(frozen=True, eq=False)
class Prepared:
    """Scaled runs, and how large features and times are in the data's units."""

    problem: Problem
    scale: Array
    duration: float

    def terms(self, scaled: Terms) -> Terms:
        """The same terms in the data's units."""
        return Terms(scaled.features, scaled.degree, tuple(f.in_units(self.scale)[0] for f in scaled.functions))

    def coefficients(self, scaled: Terms, coefficients: Array) -> Array:
        """Of (feature, term) in the data's units."""
        sizes = np.append(self.scale, [f.in_units(self.scale)[1] for f in scaled.functions])
        return np.asarray(coefficients * self.scale[:, None] / self.duration / np.prod(sizes**scaled.exponents, axis=1))


def degree_for(features: int, degree: int | None) -> int:
    """The degree asked for, or by default that of the number of features, where its library is small enough."""
    if features * (features + 1) > MOST_COEFFICIENTS:
        most = (math.isqrt(4 * MOST_COEFFICIENTS + 1) - 1) // 2
        raise UnusableDataError(
            f"expected at most {most} features, since each has an equation in all others, got {features}: a linear law "
            f"has {features * (features + 1)} coefficients, over {MOST_COEFFICIENTS}; leave features out, or fit or "
            "compare families whose features are exchangeable"
        )
    wanted = DEGREES.get(features, DEFAULT_DEGREE) if degree is None else degree
    largest = wanted
    while largest > 1:
        terms = math.comb(features + largest, largest)
        if terms <= MOST_TERMS and features * terms <= MOST_COEFFICIENTS:
            break
        largest -= 1
    if degree is not None and largest < degree:
        warnings.warn(
            f"the degree is {largest} instead of {degree}: of {features} feature{'s' if features > 1 else ''}, a "
            f"library of degree {largest + 1} has over {MOST_TERMS} terms or laws of over {MOST_COEFFICIENTS} "
            "coefficients; leave features out for a larger degree",
            DataWarning,
            stacklevel=3,
        )
    return largest


def prepared(data: Trajectories, terms: Terms, *, alike: bool = False) -> Prepared:
    """The runs in units of features' size and of the duration, smoothed beside; or a sentence.

    ``alike`` says that features are the same in every run, though the data don't.
    """
    _check_runs(data, alike)
    _check_moves(data)
    largest = np.nanmax(np.abs(data.values), axis=(0, 1))
    scale = largest * np.sqrt(np.nanmean((data.values / largest) ** 2, axis=(0, 1)))
    begin, last = data.times[:, 0], data.times[np.arange(data.n_runs), data.lengths - 1]
    duration = float((last - begin).max())
    with np.errstate(all="ignore"):
        monomials = np.prod(scale**terms.exponents, axis=1)
        back = np.asarray(scale[:, None] / duration / monomials)
    sizes = np.concatenate([monomials, back.ravel()])
    if not ((sizes > LEAST) & (sizes < MOST)).all():
        raise UnusableDataError(
            "expected units in which features' powers and a law's coefficients are floating-point numbers, got sizes "
            f"of {scale.min():.3g} to {scale.max():.3g} over a duration of {duration:.3g} at degree {terms.degree}: "
            "divide features, or times, by their own size"
        )
    runs = []
    for r, n in enumerate(data.lengths.tolist()):
        x, t = data.values[r, :n] / scale, (data.times[r, :n] - begin[r]) / duration
        runs.append((x, smoothed(x, t), t))
    own = np.sqrt(np.mean(np.concatenate([(x - x[:1]) ** 2 for x, _, _ in runs]), axis=0))
    return Prepared(Problem(terms, runs, own), scale, duration)


def _check_runs(data: Trajectories, alike: bool) -> None:
    shortest = int(data.lengths.min())
    if shortest < FEWEST:
        raise UnusableDataError(
            f"expected at least {FEWEST} samples a run to choose a law by, got {shortest} in the shortest: widen the "
            "window, sample more finely or leave that run out"
        )
    if data.n_runs > 1 and data.n_features > 1 and not (data.labels_shared or alike):
        raise UnusableDataError(
            f"expected features that are the same in every run, got {data.n_runs} runs of {data.n_features} features "
            "without names: name them, give one run, give a list of arrays whose columns are the same features, or "
            "compare families whose features are exchangeable"
        )


def columns_alike(x: DataLike) -> bool:
    """Whether it is arrays alone, as a list or of three axes: their columns are then the same features in every run."""
    if isinstance(x, np.ndarray):
        return True
    return isinstance(x, list | tuple) and all(isinstance(part, np.ndarray | list | tuple) for part in x)


def _check_moves(data: Trajectories) -> None:
    """Refuse what is constant in each run, and say what moves by little of its size."""
    largest = np.nanmax(np.abs(data.values), axis=(0, 1))
    size = np.where(largest > 0, largest, 1.0)
    share = data.values / size  # sizes near the largest number have no finite difference
    within = np.max(np.nanmax(share, axis=1) - np.nanmin(share, axis=1), axis=0)
    anywhere = np.nanmax(share, axis=(0, 1)) - np.nanmin(share, axis=(0, 1))
    still = data.features[~(anywhere > 0)].tolist()
    if still:
        raise UnusableDataError(
            f"expected features that move, got {', '.join(map(repr, still))} constant: leave "
            f"{'it' if len(still) == 1 else 'them'} out, the law's constants hold what a constant feature does"
        )
    between = data.features[~(within > 0)].tolist()
    if between:
        raise UnusableDataError(
            f"expected features that move within runs, got {', '.join(map(repr, between))} constant in each run and "
            f"different between runs: leave {'it' if len(between) == 1 else 'them'} out and give runs of one value, "
            "each of which has a law of its own"
        )
    little = [f"{f!r} by {w:.1g}" for f, w in zip(data.features.tolist(), within.tolist(), strict=True) if w < FAR]
    if little:
        warnings.warn(
            f"within runs, of their size, features move by little ({', '.join(little)}), of which rounding hides some: "
            "subtract an origin, a value that is in the middle of them",
            DataWarning,
            stacklevel=4,
        )


def thinned(problem: Problem) -> tuple[Problem, int]:
    """The problem with about 500 samples of its longest run, all smoothed before; and how many there are to each."""
    lengths = [len(t) for _, _, t in problem.runs]
    # The shortest run keeps as many as are asked for of any.
    every = max(1, min(round((max(lengths) - 1) / SEARCHED), (min(lengths) - 1) // (FEWEST - 1)))
    if every == 1:
        return problem, 1
    return replace(problem, runs=[(x[::every], s[::every], t[::every]) for x, s, t in problem.runs]), every
