"""Which of the supports along a path is preferred, and the fit that one of them makes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ecodyn.arrays import Array, Bools
from ecodyn.equations.library import Library
from ecodyn.estimation import InitialFit, MatchedIntegrals, Supports, Validation, unexplained_each
from ecodyn.estimation.centred import Centred, solve
from ecodyn.estimation.optimizers import Optimizer

__all__ = [
    "Validated",
    "by_preference",
    "first_that_finishes",
    "fit_of_support",
    "preferred_ridge",
    "validated",
]

EXACT = 1e-9  # unexplained shares below are the solver's
# Among supports that validate alike the smallest is taken: never at the cost of more unexplained share than this, ...
TIE = 0.002
ALIKE = 0.05  # ... and a ratio of unexplained shares that doesn't matter, however sure


def fit_of_support(
    library: Library,
    matched: MatchedIntegrals,
    coefficients: Array,
    support: Bools,
    candidates: int = 1,
    chosen: tuple[tuple[str, float], ...] = (),
    notes: tuple[str, ...] = (),
) -> InitialFit:
    """A fit with only the terms that some equation keeps."""
    keep = np.flatnonzero(support.any(axis=0))
    if not len(keep):
        keep = np.arange(1)  # a library can't be empty: one term whose coefficient is zero
    return InitialFit(
        library=library.subset(keep),
        matched=matched.subset(keep),
        coefficients=coefficients[:, keep],
        mask=support[:, keep],
        support=keep,
        candidates=candidates,
        chosen=chosen,
        notes=notes,
    )


def by_preference(unexplained: Array, sizes: Array) -> list[int]:
    """Indices of the path: the smallest support alike to the best, then the others, as they validate.

    ``unexplained`` is (threshold, rollout). Alike means within one standard error of the paired log ratios, as is
    usual in cross-validation (Breiman et al. 1984), or so little above the best that it doesn't matter. Empty supports
    come last: unrefined rollouts can lose to "nothing changes" where refined ones would not.
    """
    score = unexplained.mean(axis=1)
    score = np.where(sizes > 0, score, np.inf) if np.any(sizes > 0) else score
    best = int(np.argmin(score))
    logs = np.log(unexplained + EXACT)
    ratios = logs - logs[best]
    rollouts = ratios.shape[1]
    error = ratios.std(axis=1, ddof=1) / np.sqrt(rollouts) if rollouts > 1 else np.zeros(len(ratios))
    alike = ratios.mean(axis=1) <= np.maximum(error, np.log1p(ALIKE))
    near = np.flatnonzero(alike & (score <= score[best] + TIE))
    first = int(near[np.argmin(sizes[near])])
    others = (k for k in range(len(score)) if k != first)
    return [first, *sorted(others, key=lambda k: (sizes[k] == 0, score[k], sizes[k]))]


@dataclass(frozen=True, eq=False)
class Validated:
    """A path of thresholds with one ridge, on all splits.

    Attributes
    ----------
    ridge : float or None
        On normalised columns; None is least squares where the rank is full.
    unexplained : array (threshold, rollout)
    sizes : array (threshold,)
        Coefficients kept, a split.
    distinct : int
        Supports that were tried.
    """

    ridge: float | None
    unexplained: Array
    sizes: Array
    distinct: int

    def worth_fitting(self, few: NDArray[np.intp]) -> list[int]:
        """Positions on the path, of these ``few``, by preference: those that explain something beside the best.

        A support may be passed over for one that finishes, but not for one that explains next to nothing beside it.
        """
        preferred = [int(few[i]) for i in by_preference(self.unexplained[few], self.sizes[few])]
        score = self.unexplained.mean(axis=1)
        least = min((score[k] for k in preferred if self.sizes[k]), default=1.0)
        return [k for k in preferred if score[k] <= np.sqrt(least)] if least < 1.0 else preferred


def preferred_ridge(tried: Sequence[Validated]) -> int:
    """Which of several ridges: the first, unless the preferred support of another validates better, and surely so."""
    best = [t.unexplained[by_preference(t.unexplained, t.sizes)[0]] for t in tried]
    return by_preference(np.stack(best), np.arange(1.0, len(tried) + 1.0))[0]


def validated(
    path: Array,
    validations: Sequence[Validation],
    library: Library,
    ridge: float | None,
    optimizer: Optimizer | None,
    centred: Centred | None,
) -> Validated:
    """How the supports along a path of thresholds do on all splits."""
    supports = [Supports(v.matched, ridge, optimizer, own=v.own).along(path) for v in validations]
    distinct = [{s.tobytes(): s for s in along} for along in supports]
    laws = [
        np.stack([solve(v.matched, ridge, s, centred) for s in kept.values()])
        for v, kept in zip(validations, distinct, strict=True)
    ]
    unexplained = []
    for along, kept, found in zip(supports, distinct, unexplained_each(library, validations, laws), strict=True):
        scores = dict(zip(kept, found, strict=True))
        unexplained.append(np.array([scores[s.tobytes()] for s in along]))
    sizes = np.mean([[s.sum() for s in along] for along in supports], axis=0)
    return Validated(ridge, np.concatenate(unexplained, axis=1), sizes, sum(map(len, distinct)))


def first_that_finishes(
    path: Array, supports: Supports, everything: Validation, library: Library, centred: Centred | None
) -> tuple[float, Bools, Array]:
    """Threshold, support and coefficients: the first that finishes from every training start, or from most.

    Rollouts that diverge here may be mended by shooting, which begins with short ones: "nothing changes" is the
    answer only where nothing else was ever selected.
    """
    best, most, seen = None, -1.0, set()
    for threshold in path.tolist():
        support = supports.at(threshold)
        if support.tobytes() in seen or not support.any():
            continue
        seen.add(support.tobytes())
        coefficients = solve(everything.matched, supports.ridge, support, centred)
        finished = everything.finished(library, coefficients)
        if finished > most:
            best, most = (threshold, support, coefficients), finished
        if finished == 1.0:
            break
    if best is not None:
        return best
    support = supports.at(float(path[0]))
    return float(path[0]), support, solve(everything.matched, supports.ridge, support, centred)
