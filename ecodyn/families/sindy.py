"""Sparse identification of nonlinear dynamics (SINDy) on ecodyn's own library."""

from __future__ import annotations

import math
from collections.abc import Sequence
from time import perf_counter

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from ecodyn.arrays import Array
from ecodyn.equations.forms import polynomial_library
from ecodyn.equations.library import EXCHANGEABLE, FULL, Library
from ecodyn.estimation import InitialFit, MatchedIntegrals, Samples, ShootingResult, Supports, splits, whole
from ecodyn.estimation.centred import Centred
from ecodyn.estimation.constraints import Constraints
from ecodyn.estimation.noisy_selection import may_select, selected
from ecodyn.estimation.optimizers import Optimizer, check_optimizer, is_constrained, optimal_coefficients
from ecodyn.families.base import SMALL_FULL, LibraryFamily
from ecodyn.families.configuration import Matching, Shooting
from ecodyn.families.constrained_selection import check_selection, selected_under_constraints
from ecodyn.families.constraints import Constraint
from ecodyn.families.elimination import shot_without_idle_terms
from ecodyn.families.options import check_flag, check_whole, is_whole
from ecodyn.families.own_terms import Given, check_terms, with_terms
from ecodyn.families.own_terms_on_data import on_data
from ecodyn.families.selection import first_that_finishes, fit_of_support, preferred_ridge, validated
from ecodyn.families.thresholds import check_thresholds
from ecodyn.families.training_set import TrainingSet
from ecodyn.families.with_optimizer import WithOptimizer
from ecodyn.rollouts.iteration import FLOW
from ecodyn.trajectories import Trajectories
from ecodyn.trajectories.labels import Label
from ecodyn.trajectories.state import fitted

THRESHOLDS = 40  # over five decades; 20 over three gave only 3 or 4 different supports on the circles
FULL_PATH = (1e-2, 1e-1)  # K equations of hundreds of terms each, a run at a time: a short path
FULL_SPLITS = 1  # for the same reason
SMALLEST_THRESHOLD = 1e-5  # of the largest coefficient of the full fit
RIDGE = 1e-6  # on normalised columns, where validation asks for one; 14 correlated terms on the circles do
FULL_RIDGE = 1e-3  # hundreds of correlated terms, and fewer independent samples than terms


class SINDy(WithOptimizer, LibraryFamily):
    r"""Sparse combinations of candidate terms (Brunton, Proctor and Kutz 2016), in the weak form.

    ========================  ================================================================
    coupling                  candidates
    ========================  ================================================================
    independent               powers of xᵢ up to 3
    exchangeable              xᵢᵃ m₁ᵇ m₂ᶜ m₃ᵈ with a + b + 2c + 3d ≤ 3 (14 terms), m_q = mean(x^q)
    full                      all monomials up to degree 2, or 3 if these are at most 250 coefficients
    ========================  ================================================================

    Thresholded least squares select on the compressed regression (Θ = QR: R and QᵀẊ give the same coefficients at a
    cost that doesn't depend on the number of samples), over a path of thresholds; the threshold is chosen by rollouts
    on validation runs or windows inside the training part. Supports that diverge from any training start are passed
    over where another does not. What is left is refitted by integral matching, then by multiple shooting. Least squares
    go by singular vectors, and by a ridge only where its selections surely validate better. Noise in the states makes
    thresholds keep terms that mean nothing: those whose absence the rollouts would not notice are eliminated in the
    course of shooting (``ecodyn.estimation.elimination``). Of a full law of few features under noise, terms are
    selected on weak forms of several lengths (``ecodyn.estimation.noisy_selection``), starting states are estimated,
    and what does better near the optimum is exchanged for what was selected.

    Parameters
    ----------
    optimizer : a PySINDy optimiser, optional
        Used as it is, in the data's units, in place of the path: its coefficients are where shooting begins, or, with
        ``Shooting(refine=False)`` or constraints, the law's. Its own ridge (``alpha``) and scaling
        (``normalize_columns``) hold, ``matching__ridge`` does not. ``Matching(method="derivative")`` gives it what
        ``pysindy.SINDy`` does, the default increments. Terms are in the order of ``library(channels,
        features).names()``, which for ``full`` is that of PySINDy's ``PolynomialLibrary``; targets, those of a
        ``constraint_lhs`` too, are the features. See ``ecodyn.estimation.optimizers`` for which are given all rows.
    thresholds : int or sequence of float, optional
        Length of the path, or thresholds relative to the full fit's largest coefficient (on normalised columns). With
        an optimizer, its sparsity parameter (``threshold``, or SR3's ``reg_weight_lam``) is set along the path, and
        its support refitted.
    degree : int, optional
        3, or 2 for full with more than a few features.
    max_terms : int, optional
        Coefficients at most, of all equations together: thresholds that keep more are passed over.

    eliminate : bool
        Leave out what rollouts can do without, in the course of shooting, and exchange terms where starting states are
        estimated; needs two of its stages and four independent runs. Not done with an optimizer or thresholds that
        were given, whose supports are meant.

    terms : list of formulas or functions, optional
        Terms of one's own beside the monomials, of the data in their units, such as ``["sin(x)", "x/(1 + mean(x))"]``:
        see docs/terms.md.

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

    The same with one of PySINDy's optimisers and its own threshold:

    >>> from pysindy import STLSQ
    >>> SINDy("independent", optimizer=STLSQ(threshold=0.1), degree=2).fit(noisy).print(precision=2)
    (x)' = 0.2*x - 0.2*x**2
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
        optimizer: Optimizer | None = None,
        thresholds: int | Sequence[float] | None = None,
        degree: int | None = None,
        max_terms: int | None = None,
        eliminate: bool = True,
        terms: Sequence[Given] | None = None,
        per_feature: bool = False,
        constraints: Sequence[Constraint] | None = None,
        matching: Matching | None = None,
        shooting: Shooting | None = None,
    ) -> None:
        super().__init__(
            coupling, state, dynamics=dynamics, per_feature=per_feature, matching=matching, shooting=shooting
        )
        self.constraints = constraints
        self.optimizer = optimizer
        self.thresholds = thresholds
        self.degree = degree
        self.max_terms = max_terms
        self.eliminate = eliminate
        self.terms = terms

    def check(self, trajectories: Trajectories) -> None:
        """Refuse an empty path or library, and unusable data."""
        super().check(trajectories)
        if self.thresholds is not None:
            check_thresholds(self.thresholds)
        if self.degree is not None:
            check_whole("degree", self.degree, 0)
        if self.max_terms is not None:
            check_whole("max_terms", self.max_terms, 1)
        check_flag("eliminate", self.eliminate)
        check_terms(self.terms)
        check_selection(self.constraints, self.optimizer, self.max_terms)
        if self.terms and self.constraints:
            raise ValueError(
                "expected terms of one's own or constraints, got both: constraints name monomials alone; leave one out"
            )
        if self.optimizer is not None:
            check_optimizer(self.optimizer, along_path=self.thresholds is not None)
            self._check_used_as_it_is()

    def _check_used_as_it_is(self) -> None:
        """Refuse options that an optimiser used as it is has no room for."""
        if self.thresholds is None and self.max_terms is not None:
            raise ValueError("max_terms chooses on a path of thresholds; give thresholds too, or leave it out")
        if self.thresholds is None and self.matching_options.ridge != "auto":
            raise ValueError("an optimizer has a ridge of its own, such as STLSQ's alpha; leave matching__ridge out")
        if is_constrained(self.optimizer) and self.shooting_options.refine is True:
            raise ValueError("shooting would break the optimizer's constraints; leave shooting__refine out")

    def _wants_shooting(self, initial: InitialFit) -> bool:
        return not is_constrained(self.optimizer) and super()._wants_shooting(initial)

    def _refine(self, prepared: Sequence[TrainingSet]) -> list[tuple[TrainingSet, ShootingResult | None, float]]:
        stages = tuple(self.shooting_options.stages)
        chosen = self.optimizer is not None or not (self.thresholds is None or is_whole(self.thresholds))
        if not self.eliminate or chosen or len(stages) < 2:
            return super()._refine(prepared)
        started = perf_counter()
        wanted = [i for i, p in enumerate(prepared) if self._wants_shooting(p.initial)]
        found = shot_without_idle_terms(
            [prepared[i] for i in wanted], stages, lambda sets, shares: self._shot(sets, stages=shares)
        )
        by_set = dict(zip(wanted, found, strict=True))
        seconds = (perf_counter() - started) / max(1, len(wanted))
        return [(*by_set.get(i, (p, None)), seconds) for i, p in enumerate(prepared)]

    def _own_units(self, trajectories: Trajectories) -> bool:
        return self.optimizer is None and not self.terms and super()._own_units(trajectories)

    def ahead(self, trajectories: Trajectories) -> tuple[str, ...]:
        """As every family, of the monomials: terms of one's own may not be there under another coupling."""
        return super(SINDy, clone(self).set_params(terms=None)).ahead(trajectories)

    def candidates(self, trajectories: Trajectories, samples: Samples) -> tuple[Library, tuple[str, ...]]:
        """The candidate terms that these data can tell apart, and sentences on those that they can't."""
        return on_data(super().candidates(trajectories, samples)[0], trajectories, samples)

    def library(self, channels: Sequence[str], features: Sequence[Label]) -> Library:
        """All candidate monomials under the coupling, and terms of one's own behind them."""
        return self.driven_library(channels, features, ())

    def driven_library(self, channels: Sequence[str], features: Sequence[Label], inputs: Sequence[str]) -> Library:
        """The same, in which an input counts as one degree."""
        degree = self.degree
        if degree is None and self.coupling == FULL:
            variables = len(features) * len(channels) + len(inputs)
            cubic = len(features) * len(fitted(channels)) * math.comb(variables + 3, 3)
            degree = 3 if cubic <= SMALL_FULL else 2
        return with_terms(polynomial_library(self.coupling, channels, features, degree, inputs), self.terms)

    def initial_fit(
        self, library: Library, samples: Samples, parts: list[MatchedIntegrals], own_coefficients: bool
    ) -> InitialFit:
        """The support that validates best, refitted on all training runs; or what the optimizer finds on them."""
        everything = whole(samples, parts)
        if self.optimizer is not None and self.thresholds is None:
            found, notes = optimal_coefficients(
                self.optimizer,
                library,
                samples,
                everything.matched,
                per_feature=own_coefficients,
                method=self.matching_options.method,
            )
            return fit_of_support(library, everything.matched, found, found != 0, notes=notes)
        large = self.coupling == FULL and len(library) * len(library.features) > SMALL_FULL
        if (by_weak_forms := self._of_noisy_data(library, samples, everything.matched)) is not None:
            return by_weak_forms
        path, rows = self._path(large), len(self.mask(library, own_coefficients))
        centred = None if large else Centred.of(samples, library, rows)
        validations = splits(library, samples, parts, per_feature=own_coefficients, method=self.matching_options.method)
        validations = validations[: FULL_SPLITS if large else None]
        tried = [validated(path, validations, library, ridge, self.optimizer, centred) for ridge in self._ridges(large)]
        best = tried[preferred_ridge(tried)]
        ridge = best.ridge
        supports = Supports(everything.matched, ridge, self.optimizer, own=samples.own)
        some_use = best.worth_fitting(self._few_enough(supports, path))
        threshold, support, coefficients = first_that_finishes(path[some_use], supports, everything, library, centred)
        chosen = (("threshold", threshold), *((("ridge", ridge),) if ridge else ()))
        candidates = sum(t.distinct for t in tried)
        return fit_of_support(library, everything.matched, coefficients, support, candidates, chosen)

    def coefficient_names(self, library: Library) -> tuple[dict[str, int], str]:
        """b of the constant; all other terms go by their own names."""
        names = library.names()
        return ({"b": names.index("1")} if "1" in names else {}), ""

    def constrained_fit(self, training: TrainingSet, constraints: Constraints) -> InitialFit:
        """Terms selected under the constraints."""
        large = self.coupling == FULL and training.size > SMALL_FULL
        path, ridge = self._path(large), self._ridges(large)[0]
        return selected_under_constraints(training, constraints, path, ridge, method=self.matching_options.method)

    def _of_noisy_data(self, library: Library, samples: Samples, matched: MatchedIntegrals) -> InitialFit | None:
        """A fit of terms selected as noise asks for; None where it doesn't, or it is said how to select or match."""
        said = self.optimizer is not None or self.thresholds is not None or self.max_terms is not None
        plain = self.matching_options.method == "integral" and self.matching_options.ridge == "auto"
        if said or not plain or not may_select(library, samples):
            return None
        best = selected(library, samples)
        if best is None:
            return None
        chosen = (("weak_form_steps", float(best.span)),)
        return fit_of_support(library, matched, best.coefficients, best.support, best.candidates, chosen)

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

    def _ridges(self, large: bool) -> tuple[float | None, ...]:
        """Candidates; None is least squares where the rank is full."""
        ridge = self.matching_options.ridge
        if ridge != "auto":
            return (float(ridge),)
        return (FULL_RIDGE,) if large else (None, RIDGE)

    def _path(self, large: bool) -> Array:
        """Thresholds relative to the largest coefficient, small to large."""
        if self.thresholds is None and large:
            return np.array(FULL_PATH)
        if self.thresholds is None or is_whole(self.thresholds):
            return np.geomspace(SMALLEST_THRESHOLD, 1.0, self.thresholds or THRESHOLDS)
        return np.sort(np.asarray(self.thresholds, dtype=float))
