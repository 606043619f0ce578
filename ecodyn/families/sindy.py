"""Sparse identification of nonlinear dynamics (SINDy) on ecodyn's own library."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from ecodyn.arrays import Array
from ecodyn.equations.forms import polynomial_library
from ecodyn.equations.library import EXCHANGEABLE, FULL, Library
from ecodyn.estimation import (
    InitialFit,
    MatchedIntegrals,
    Samples,
    Supports,
    Validation,
    splits,
    unexplained_each,
    whole,
)
from ecodyn.families.base import RIDGE, SMALL_FULL, LibraryFamily
from ecodyn.families.configuration import Matching, Shooting
from ecodyn.families.options import check_whole, is_number, is_whole
from ecodyn.rollouts.iteration import FLOW
from ecodyn.trajectories import Trajectories
from ecodyn.trajectories.labels import Label
from ecodyn.trajectories.state import fitted

Support = NDArray[np.bool_]

THRESHOLDS = 40  # over five decades; 20 over three gave only 3 or 4 different supports on the circles
OPTIMISER = ("fit", "get_params", "set_params")  # what a selection asks of one
FULL_PATH = (1e-2, 1e-1)  # K equations of hundreds of terms each, a run at a time: a short path
FULL_SPLITS = 1  # for the same reason
EXACT = 1e-9  # unexplained shares below are the solver's
SMALLEST_THRESHOLD = 1e-5  # of the largest coefficient of the full fit
FULL_RIDGE = 1e-3  # hundreds of correlated terms, and fewer independent samples than terms
# Among supports that validate alike the smallest is taken: never at the cost of more unexplained share than this, ...
TIE = 0.002
ALIKE = 0.05  # ... and a ratio of unexplained shares that doesn't matter, however sure


class SINDy(LibraryFamily):
    r"""Sparse combinations of candidate terms (Brunton, Proctor and Kutz 2016), in the weak form.

    ========================  ================================================================
    coupling                  candidates
    ========================  ================================================================
    independent               powers of xᵢ up to 3
    exchangeable              xᵢᵃ m₁ᵇ m₂ᶜ m₃ᵈ with a + b + 2c + 3d ≤ 3 (14 terms), m_q = mean(x^q)
    full                      all monomials up to degree 2, or 3 if these are at most 250 coefficients
    ========================  ================================================================

    STLSQ, or another of PySINDy's optimisers, selects on the compressed regression (Θ = QR: R and QᵀẊ give the same
    coefficients at a cost that doesn't depend on the number of samples), over a path of thresholds; the threshold is
    chosen by rollouts on validation runs or windows inside the training part. Supports that diverge from any training
    start are passed over where another does not. What is left is refitted by integral matching, then by multiple
    shooting.

    Parameters
    ----------
    optimizer : a PySINDy optimiser, optional
        By default ``sequential_thresholding``, which finds what PySINDy's STLSQ does. The sparsity parameter of a given
        one (``threshold``, or SR3's ``reg_weight_lam``) is set along the path.
    thresholds : int or sequence of float, optional
        Length of the path, or thresholds relative to the full fit's largest coefficient (on normalised columns).
    degree : int, optional
        3, or 2 for full with more than a few features.
    max_terms : int, optional
        Coefficients at most, of all equations together: thresholds that keep more are passed over.

    The other parameters are those of ``LibraryFamily``.

    Examples
    --------
    >>> from ecodyn import SINDy, Trajectories
    >>> steps = np.arange(40.0)
    >>> rng = np.random.default_rng(0)
    >>> x = 1 / (1 + rng.uniform(1, 9, (6, 1, 3)) * np.exp(-0.2 * steps[:, None]))  # logistic growth
    >>> noisy = Trajectories(x * (1 + 0.01 * rng.standard_normal(x.shape)), steps)
    >>> sorted(SINDy(coupling="independent", thresholds=10).fit(noisy).model_.selected_terms())
    ['x', 'x**2']
    """

    name = "sindy"
    selects = True
    cost = 4.0
    simplicity = 2

    def __init__(
        self,
        coupling: str = EXCHANGEABLE,
        state: str = "signal",
        *,
        dynamics: str = FLOW,
        optimizer: BaseEstimator | None = None,
        thresholds: int | Sequence[float] | None = None,
        degree: int | None = None,
        max_terms: int | None = None,
        per_feature: bool = False,
        matching: Matching | None = None,
        shooting: Shooting | None = None,
    ) -> None:
        super().__init__(
            coupling, state, dynamics=dynamics, per_feature=per_feature, matching=matching, shooting=shooting
        )
        self.optimizer = optimizer
        self.thresholds = thresholds
        self.degree = degree
        self.max_terms = max_terms

    def check(self, trajectories: Trajectories) -> None:
        """Refuse an empty path or library, and unusable data."""
        super().check(trajectories)
        if self.thresholds is not None:
            _check_thresholds(self.thresholds)
        if self.degree is not None:
            check_whole("degree", self.degree, 0)
        if self.max_terms is not None:
            check_whole("max_terms", self.max_terms, 1)
        if self.optimizer is not None and not all(callable(getattr(self.optimizer, n, None)) for n in OPTIMISER):
            raise ValueError(
                f"optimizer is one of PySINDy's optimisers, such as pysindy.STLSQ(), with {' and '.join(OPTIMISER)}, "
                f"got {self.optimizer!r}; leave it out for sequential thresholding"
            )

    def library(self, channels: Sequence[str], features: Sequence[Label]) -> Library:
        """All candidate monomials under the coupling."""
        degree = self.degree
        if degree is None and self.coupling == FULL:
            variables = len(features) * len(channels)
            cubic = len(features) * len(fitted(channels)) * math.comb(variables + 3, 3)
            degree = 3 if cubic <= SMALL_FULL else 2
        return polynomial_library(self.coupling, channels, features, degree)

    def initial_fit(
        self, library: Library, samples: Samples, parts: list[MatchedIntegrals], own_coefficients: bool
    ) -> InitialFit:
        """The support that validates best, refitted on all training runs."""
        everything = whole(samples, parts)
        large = self.coupling == FULL and len(library) * len(library.features) > SMALL_FULL
        path, ridge = self._path(large), self._ridge(large)
        validations = splits(library, samples, parts, per_feature=own_coefficients, method=self.matching_options.method)
        tried = self._along(path, validations[: FULL_SPLITS if large else None], library, ridge)
        unexplained = np.concatenate([t.unexplained for t in tried], axis=1)
        size = np.mean([t.sizes for t in tried], axis=0)
        supports = Supports(everything.matched, ridge, self.optimizer)
        few = self._few_enough(supports, path)
        preferred = [int(few[i]) for i in _by_preference(unexplained[few], size[few])]
        # A support may be passed over for one that finishes, but not for one that explains next to nothing beside it.
        score = unexplained.mean(axis=1)
        least = min((score[k] for k in preferred if size[k]), default=1.0)
        some_use = [k for k in preferred if score[k] <= np.sqrt(least)] if least < 1.0 else preferred
        threshold, support, coefficients = self._chosen(path[some_use], supports, everything, library, ridge)
        keep = np.flatnonzero(support.any(axis=0))
        if not len(keep):
            keep = np.arange(1)  # a library can't be empty: one term whose coefficient is zero
        return InitialFit(
            library=library.subset(keep),
            matched=everything.matched.subset(keep),
            coefficients=coefficients[:, keep],
            mask=support[:, keep],
            support=keep,
            candidates=sum(t.distinct for t in tried),
            chosen=(("threshold", threshold),),
        )

    def _chosen(
        self, path: Array, supports: Supports, everything: Validation, library: Library, ridge: float
    ) -> tuple[float, Support, Array]:
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
            coefficients = everything.matched.solve(ridge, support)
            finished = everything.finished(library, coefficients)
            if finished > most:
                best, most = (threshold, support, coefficients), finished
            if finished == 1.0:
                break
        if best is not None:
            return best
        support = supports.at(float(path[0]))
        return float(path[0]), support, everything.matched.solve(ridge, support)

    def _few_enough(self, supports: Supports, path: Array) -> NDArray[np.intp]:
        """Positions on the path of thresholds that keep at most ``max_terms`` coefficients, of all training runs."""
        if self.max_terms is None:
            return np.arange(len(path))
        kept = [int(support.sum()) for support in supports.along(path)]
        few = np.flatnonzero(np.array(kept) <= self.max_terms)
        if not len(few):
            raise ValueError(
                f"expected a threshold that keeps at most max_terms={self.max_terms} coefficients, got {min(kept)} and "
                "more; raise max_terms, or give thresholds up to 1"
            )
        return few

    def _ridge(self, large: bool) -> float:
        ridge = self.matching_options.ridge
        if ridge == "auto":
            return FULL_RIDGE if large else RIDGE
        return float(ridge)

    def _path(self, large: bool) -> Array:
        """Thresholds relative to the largest coefficient, small to large."""
        if self.thresholds is None and large:
            return np.array(FULL_PATH)
        if self.thresholds is None or is_whole(self.thresholds):
            return np.geomspace(SMALLEST_THRESHOLD, 1.0, self.thresholds or THRESHOLDS)
        return np.sort(np.asarray(self.thresholds, dtype=float))

    def _along(self, path: Array, validations: list[Validation], library: Library, ridge: float) -> list[_Tried]:
        """How the supports along the path do on each split."""
        supports = [Supports(v.matched, ridge, self.optimizer).along(path) for v in validations]
        distinct = [{s.tobytes(): s for s in along} for along in supports]
        laws = [
            np.stack([v.matched.solve(ridge, s) for s in kept.values()])
            for v, kept in zip(validations, distinct, strict=True)
        ]
        tried = []
        for along, kept, found in zip(supports, distinct, unexplained_each(library, validations, laws), strict=True):
            scores = dict(zip(kept, found, strict=True))
            unexplained = np.array([scores[s.tobytes()] for s in along])
            tried.append(_Tried(unexplained, np.array([s.sum() for s in along]), len(kept)))
        return tried


@dataclass(frozen=True)
class _Tried:
    """One split's rollouts along the path.

    ``unexplained`` (threshold, rollout), ``sizes`` (threshold,) of the supports, and how many of these were distinct.
    """

    unexplained: Array
    sizes: NDArray[np.intp]
    distinct: int


def _check_thresholds(given: object) -> None:
    """Refuse what is neither a length of the path nor a list of thresholds."""
    several = list(given) if isinstance(given, list | tuple | np.ndarray) and np.ndim(given) == 1 else []
    if not (is_whole(given) and given > 0) and not (several and all(is_number(t) and t >= 0 for t in several)):
        raise ValueError(
            "thresholds is a number of them, at least 1, or a list of at least one, numbers of at least 0 such as "
            f"(0.01, 0.1), got {given!r}; one alone is (0.1,), or --set 'thresholds=0.1,' with its comma"
        )


def _by_preference(unexplained: Array, sizes: Array) -> list[int]:
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
