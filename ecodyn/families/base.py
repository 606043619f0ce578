"""What the families share: parameters, validation of what is fitted, and the estimation of laws linear in θ.

A family is one file and one registry line. One that is linear in its coefficients derives from ``LibraryFamily`` and
gives its library; any other derives from ``Family`` and gives ``fit_model``.
"""

from __future__ import annotations

import time
import warnings
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from ecodyn import __version__
from ecodyn.estimation import MatchedIntegrals, Samples, Shooting, Validation, match, shoot, splits
from ecodyn.estimation.multiple_shooting import INTERVALS, STAGES
from ecodyn.families.diagnostics import (
    CORRELATION_LIMIT,
    HALVES_LIMIT,
    Diagnostics,
    condition_number,
    effective_rank,
    spread_over_runs,
)
from ecodyn.families.law import Law
from ecodyn.families.model import FittedModel, plain
from ecodyn.library import COUPLINGS, EXCHANGEABLE, FULL, INDEPENDENT, Library
from ecodyn.rollout import Rollout
from ecodyn.trajectories import DataWarning, Trajectories, UnusableDataError, as_trajectories, parse_state

if TYPE_CHECKING:
    import sympy

Array = NDArray[np.float64]

MIN_STEPS = 3
RIDGE = 1e-6  # on normalised columns: bounds the coefficients of a singular library, moves others by a millionth
RIDGES = tuple(10.0**p for p in (-8, -6, -4, -3, -2, -1, 0))  # what a full matrix's ridge is chosen from
CONDITION_LIMIT = 1e12
FULL_PULL = 1e-4  # of the Hessian's diagonal, towards integral matching: hundreds of coefficients need some hold


class Family(BaseEstimator):
    """An equation family as a scikit-learn estimator.

    Subclasses say what they are and need in class attributes; ``fit`` checks it in one place.

    Attributes
    ----------
    name : str
        As the commands and reports spell it.
    couplings : tuple of str
    stochastic : bool
        Whether a fit depends on a seed (comparisons then average over three).
    over_flexible : bool
        Whether folds that share training runs make its scores too alike for a plain paired t.
    needs_positive : bool
        Whether negative values deserve a warning.
    model_ : FittedModel
        After ``fit``: all that was fitted, frozen.
    """

    name: ClassVar[str]
    couplings: ClassVar[tuple[str, ...]] = COUPLINGS
    stochastic: ClassVar[bool] = False
    over_flexible: ClassVar[bool] = False
    needs_positive: ClassVar[bool] = False

    coupling: str
    state: str
    model_: FittedModel
    n_features_in_: int

    @abstractmethod
    def fit_model(self, trajectories: Trajectories, *, clock: bool = False) -> FittedModel:
        """The model fitted to trajectories that have been checked; no state is kept.

        With ``clock``, what an exchangeable law sees of the other features is replaced by the mean curve of
        these runs.
        """

    def fit_models(self, training_sets: Sequence[Trajectories], *, clock: bool = False) -> Sequence[FittedModel]:
        """A model for each training set: where many are fitted at once, a family may batch them."""
        return [self.fit_model(training, clock=clock) for training in training_sets]

    def fit(self, X: Any, y: Any = None, *, t: Any = None) -> Self:
        """Fit one law to all runs.

        Parameters
        ----------
        X : Trajectories, one (step, feature) array, or a list of them (one a run)
        y : ignored; here because scikit-learn passes it
        t : array (step,) or a list of them, optional
            Times of the arrays; 0, 1, 2, … by default.

        Returns
        -------
        self, with ``model_`` and ``n_features_in_``.

        Raises
        ------
        UnusableDataError
            A ValueError: the data can't be fitted; the sentence says what to do.
        """
        trajectories = self._trajectories(X, t)
        self.check(trajectories)
        model = self.fit_model(trajectories)
        notes = model.diagnostics.warnings if isinstance(model, Law) and model.diagnostics else ()
        notes = (*self.notes(trajectories), *notes)
        if notes:
            warnings.warn("; ".join(notes), DataWarning, stacklevel=2)
        self.model_ = model
        return self

    def _trajectories(self, X: Any, t: Any) -> Trajectories:
        if isinstance(X, Trajectories):
            self.n_features_in_ = X.n_features
            return X
        if isinstance(X, list) and X and np.ndim(X[0]) == 2:
            trajectories = as_trajectories(X, t)
            self.n_features_in_ = trajectories.n_features
            return trajectories
        from sklearn.utils.validation import validate_data

        array = validate_data(self, X, dtype=np.float64, ensure_min_samples=MIN_STEPS)
        names = getattr(self, "feature_names_in_", None)
        times = np.arange(len(array)) if t is None else t
        return Trajectories(array[None], times, features=None if names is None else names.tolist())

    def check(self, trajectories: Trajectories) -> None:
        """Refuse what the family can't be fitted to, with a sentence."""
        if self.coupling not in self.couplings:
            raise ValueError(f"{self.name} has the couplings {', '.join(self.couplings)}, got {self.coupling!r}")
        parse_state(self.state)
        shortest = int(trajectories.lengths.min())
        if shortest < MIN_STEPS:
            raise UnusableDataError(
                f"expected at least {MIN_STEPS} steps to fit a differential equation to, got {shortest} sample(s) "
                "in the shortest run: widen the window or leave that run out"
            )

    def notes(self, trajectories: Trajectories) -> tuple[str, ...]:
        """What a reader should know about these data under this family."""
        if not self.needs_positive:
            return ()
        negative = int((trajectories.values < 0).sum())
        if not negative:
            return ()
        return (
            f"{negative} values are negative, which {self.name} solutions never become from a positive start; "
            "noise does that, a shifted scale would make the family meaningless",
        )

    def clock_applies(self) -> bool:
        """Whether there is anything for a clock to replace."""
        return self.coupling == EXCHANGEABLE

    def provenance(self, trajectories: Trajectories) -> dict[str, Any]:
        """What a fitted model remembers of its making."""
        first = np.nanmin(trajectories.times)
        last = np.nanmax(trajectories.times)
        return {
            "ecodyn": __version__,
            "estimator": type(self).__name__,
            "parameters": {k: _plain_parameter(v) for k, v in self.get_params(deep=False).items()},
            "runs": [plain(r) for r in trajectories.runs],
            "window": [float(first), float(last)],
            "data": trajectories.provenance,
        }

    def equations(self) -> list[sympy.Eq]:
        """The fitted law as sympy equations."""
        return self.model_.equations()

    def to_latex(self) -> str:
        """The fitted law in LaTeX."""
        return self.model_.to_latex()

    def simulate(self, x0: Any, steps: Any, **options: Any) -> Rollout:
        """Roll the fitted law out freely: see ``FittedModel.simulate``."""
        return self.model_.simulate(x0, steps, **options)


def _plain_parameter(value: Any) -> Any:
    if isinstance(value, str | int | float | bool | type(None)):
        return value
    return list(value) if isinstance(value, tuple | list) else repr(value)


@dataclass(frozen=True)
class Estimate:
    """What the first step (integral matching and selection) hands to refinement."""

    library: Library
    matched: MatchedIntegrals
    coefficients: Array
    mask: NDArray[np.bool_]
    support: NDArray[np.intp]  # the library's terms among all candidates
    candidates: int = 1
    chosen: tuple[tuple[str, float], ...] = ()


class LibraryFamily(Family):
    """A family whose right-hand side is linear in its coefficients: ẋᵢ = Σⱼ θᵢⱼ φⱼ(x).

    Parameters
    ----------
    coupling : "independent", "exchangeable" or "full"
        What a feature's equation may see of the others, and what coefficients share.
    state : "signal" or "signal,gradient@start"
        Channels of a feature's state; further channels are traits, held fixed.
    per_feature : bool
        Let an independent law have coefficients of its own for every feature. Implied by trajectories whose
        labels are shared between runs; a full law always has.
    estimation : "integral" or "derivative"
        What the first step matches: increments over spans of samples, or central differences.
    refine : "auto", True or False
        Multiple shooting after it; "auto" does it for all couplings but full, whose hundreds of coefficients take
        seconds a run.
    ridge : "auto" or float
        On normalised columns. "auto" is 10⁻⁶, and for full is chosen by rollouts on validation runs or windows.
    stages : tuple of float
        Segment lengths of multiple shooting, as shares of the window.
    intervals : int
        Runge-Kutta intervals a window while shooting.
    estimate_starts : bool
        Estimate the segments' starting states too, for noisy data.
    """

    def __init__(
        self,
        coupling: str = EXCHANGEABLE,
        state: str = "signal",
        *,
        per_feature: bool = False,
        estimation: str = "integral",
        refine: bool | str = "auto",
        ridge: float | str = "auto",
        stages: tuple[float, ...] = STAGES,
        intervals: int = INTERVALS,
        estimate_starts: bool = False,
    ) -> None:
        self.coupling = coupling
        self.state = state
        self.per_feature = per_feature
        self.estimation = estimation
        self.refine = refine
        self.ridge = ridge
        self.stages = stages
        self.intervals = intervals
        self.estimate_starts = estimate_starts

    model_: Law

    @abstractmethod
    def library(self, channels: Sequence[str], features: Sequence[Any]) -> Library:
        """The candidate terms under this family's coupling."""

    def check(self, trajectories: Trajectories) -> None:
        """Refuse unknown options and unusable data."""
        super().check(trajectories)
        if self.estimation not in ("integral", "derivative"):
            raise ValueError(f"estimation is 'integral' or 'derivative', got {self.estimation!r}")
        if self.refine not in ("auto", True, False):
            raise ValueError(f"refine is 'auto', True or False, got {self.refine!r}")

    def fit_model(self, trajectories: Trajectories, *, clock: bool = False) -> Law:
        """Integral matching, selection if the family has one, multiple shooting, diagnostics."""
        started = time.perf_counter()
        samples = Samples.of(trajectories, self.state)
        library = self.library(parse_state(self.state), trajectories.features.tolist())
        if clock:
            samples = samples.driven(library)
        own_coefficients = self._own_coefficients(trajectories)
        parts = match(library, samples, per_feature=own_coefficients, method=self.estimation)
        estimate = self.estimate(library, samples, parts, own_coefficients)
        shooting = self._refined(estimate, samples)
        coefficients = estimate.coefficients if shooting is None else shooting.coefficients
        diagnostics = self._diagnose(estimate, samples, parts, shooting, started)
        return Law(
            self.name,
            self.coupling,
            library.channels,
            library.features,
            float(np.nanmax(np.abs(trajectories.values))),
            self.provenance(trajectories),
            estimate.library,
            estimate.library.rescale(coefficients, samples.scales, samples.time_scale),
            coefficients.shape[0] * len(library),
            samples.drive_in_original_units(library),
            diagnostics,
        )

    def _own_coefficients(self, trajectories: Trajectories) -> bool:
        if self.coupling == INDEPENDENT:
            return self.per_feature or trajectories.labels_shared
        return self.coupling == FULL

    def mask(self, library: Library, own_coefficients: bool) -> NDArray[np.bool_]:
        """Which coefficients are free, (1 or feature, term); a constraint of a family is a subset."""
        return np.ones((len(library.features) if own_coefficients else 1, len(library)), dtype=bool)

    def estimate(
        self, library: Library, samples: Samples, parts: list[MatchedIntegrals], own_coefficients: bool
    ) -> Estimate:
        """First estimate by ridge regression on matched integrals; families with a selection override it."""
        mask = self.mask(library, own_coefficients)
        matched = MatchedIntegrals.combine(parts)
        if self.ridge != "auto" or self.coupling != FULL:
            ridge = RIDGE if self.ridge == "auto" else float(self.ridge)
            return Estimate(library, matched, matched.solve(ridge, mask), mask, np.arange(len(library)))
        ridge = self._choose_ridge(library, splits(library, samples, parts, own_coefficients), mask)
        coefficients = matched.solve(ridge, mask)
        support = np.arange(len(library))
        return Estimate(library, matched, coefficients, mask, support, len(RIDGES), (("ridge", ridge),))

    @staticmethod
    def _choose_ridge(library: Library, validations: list[Validation], mask: NDArray[np.bool_]) -> float:
        unexplained = [
            v.unexplained(library, np.stack([v.matched.solve(ridge, mask) for ridge in RIDGES])).mean(axis=1)
            for v in validations
        ]
        return RIDGES[int(np.argmin(np.mean(unexplained, axis=0)))]

    def _refined(self, estimate: Estimate, samples: Samples) -> Shooting | None:
        wanted = self.coupling != FULL if self.refine == "auto" else self.refine
        if not wanted:
            return None
        return shoot(
            estimate.library,
            samples,
            estimate.coefficients,
            mask=estimate.mask,
            stages=self.stages,
            intervals=self.intervals,
            ridge=FULL_PULL if self.coupling == FULL else 0.0,
            estimate_starts=self.estimate_starts,
        )

    # ------------------------------------------------------------------ diagnostics

    def _diagnose(
        self,
        estimate: Estimate,
        samples: Samples,
        parts: list[MatchedIntegrals],
        shooting: Shooting | None,
        started: float,
    ) -> Diagnostics:
        coefficients = estimate.coefficients if shooting is None else shooting.coefficients
        factor = estimate.library.rescale(np.ones(len(estimate.library)), samples.scales, samples.time_scale)
        refined = shooting is not None and shooting.iterations > 0
        blocks = [*_blocks(estimate, parts, coefficients, shooting if refined else None)]
        arrays = {key: np.full(coefficients.shape, np.nan) for key in ("half", "halves", "run", "one", "two")}
        for where, hessians, gradients in blocks:
            found = spread_over_runs(coefficients[where], hessians, gradients)
            arrays["half"][where], arrays["halves"][where] = found.half_width, found.halves
            arrays["run"][where] = found.run_spread
            arrays["one"][where], arrays["two"][where] = found.first, found.second
        correlation = _halves_correlation(self.coupling, arrays["one"], arrays["two"])
        identified = ~(arrays["halves"] > HALVES_LIMIT)
        if correlation is not None and correlation < CORRELATION_LIMIT:
            identified &= False
        singular = estimate.matched.singular_values()
        condition = max(condition_number(s) for s in singular)
        return Diagnostics(
            low=(coefficients - arrays["half"]) * factor,
            high=(coefficients + arrays["half"]) * factor,
            halves=arrays["halves"],
            run_spread=arrays["run"],
            identified=identified,
            halves_correlation=correlation,
            condition_number=condition,
            effective_rank=float(np.median([effective_rank(s) for s in singular])),
            rows=estimate.matched.rows,
            refined=refined,
            converged=refined and shooting is not None and shooting.converged,
            status="integral matching only" if shooting is None else shooting.status,
            candidates=estimate.candidates,
            chosen=dict(estimate.chosen),
            seconds=time.perf_counter() - started,
            warnings=self._fit_warnings(estimate, parts[0].n_terms, condition, shooting),
        )

    def _fit_warnings(
        self, estimate: Estimate, terms: int, condition: float, shooting: Shooting | None
    ) -> tuple[str, ...]:
        notes = []
        rows = estimate.matched.rows
        label = f"{self.name}/{self.coupling}"
        if not estimate.mask.any():
            notes.append(f"{label}: every term was thresholded away; what is left is 'nothing changes'")
        elif terms > rows:
            notes.append(
                f"{label}: the library has {terms} terms but the window gives only {rows} regression rows; the ridge "
                "decides what the data can't: use more runs or steps, or coupling='exchangeable'"
            )
        elif condition > CONDITION_LIMIT:
            notes.append(
                f"{label}: the library's condition number is {condition:.0e}; single coefficients mean nothing there, "
                "predictions may: use fewer terms or coupling='exchangeable'"
            )
        if shooting is not None and "diverge" in shooting.status:
            notes.append(f"{label}: multiple shooting stopped early, as {shooting.status}")
        return tuple(notes)


def _blocks(
    estimate: Estimate, parts: list[MatchedIntegrals], coefficients: Array, shooting: Shooting | None
) -> list[tuple[tuple[NDArray[Any], ...], Array, Array]]:
    """Coefficient indices with their runs' Hessians and gradients: one block, or one a feature."""
    mask = estimate.mask
    if not mask.any():
        return []
    if shooting is not None:
        return [(np.nonzero(mask), shooting.hessians, shooting.gradients)]
    if len(mask) > 1 and len(parts) < 2:
        return []  # one run has no spread, and a full matrix's blocks would be large
    blocks: list[tuple[tuple[NDArray[Any], ...], Array, Array]] = []
    for row in range(len(mask)):
        free = np.flatnonzero(mask[row])
        design, target = (row, 0) if len(estimate.matched.factors) > 1 else (0, row)
        columns = estimate.support[free]
        systems = [(p.matrix[design][:, columns], p.targets[design][:, target]) for p in parts]
        hessians = np.array([a.T @ a for a, _ in systems])
        gradients = np.array([a.T @ (a @ coefficients[row, free] - b) for a, b in systems])
        blocks.append(((np.full(len(free), row), free), hessians, gradients))
    return blocks


def _halves_correlation(coupling: str, first: Array, second: Array) -> float | None:
    if coupling != FULL or not np.isfinite(first).all() or len(first) < 2:
        return None
    features = len(first)
    square = slice(first.shape[1] - features, None)  # the interaction terms come last
    off = ~np.eye(features, dtype=bool)
    a, b = first[:, square][off], second[:, square][off]
    if a.std() == 0 or b.std() == 0:
        return None
    return float(np.corrcoef(a, b)[0, 1])
