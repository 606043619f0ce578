"""Families whose law is linear in its coefficients, and how these are estimated.

A family is one file and one registry line. One that is linear in its coefficients derives from ``LibraryFamily`` and
gives its library; any other derives from ``Family`` and gives ``fit_model``.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from ecodyn.arrays import Array
from ecodyn.equations.library import EXCHANGEABLE, FULL, INDEPENDENT, Library
from ecodyn.estimation import (
    Estimate,
    MatchedIntegrals,
    Problem,
    Samples,
    Shooting,
    Validation,
    match,
    shoot_all,
    splits,
    unexplained_each,
)
from ecodyn.estimation.integral_matching import memory_needed
from ecodyn.estimation.multiple_shooting import INTERVALS, STAGES
from ecodyn.families.diagnostics import diagnose
from ecodyn.families.estimator import FORECAST_SHARES, Family
from ecodyn.families.law import Law
from ecodyn.families.model import FittedModel, amplitudes_of
from ecodyn.families.protocol_names import FORECAST
from ecodyn.rollouts.iteration import DYNAMICS, FLOW, MAP, stored_step
from ecodyn.trajectories import Trajectories
from ecodyn.trajectories.state import parse_state

RIDGE = 1e-6  # on normalised columns: bounds the coefficients of a singular library, moves others by a millionth
SMALL_FULL = 250  # coefficients of a full coupling up to which shooting and a thorough selection take about a second
BYTES_TOGETHER = 2**26  # of training values that are fitted side by side
MUCH_MEMORY = 2**30  # that matching one run may take without a word
SMALL_LIBRARY = 64  # coefficients of a library that is rolled out whole, whatever was selected from it
RIDGES = tuple(10.0**p for p in (-8, -6, -4, -2, -1, 0))  # what a full matrix's ridge is chosen from
FULL_PULL = 1e-4  # of the Hessian's diagonal, towards integral matching: hundreds of coefficients need some hold


class LibraryFamily(Family):
    """A family whose right-hand side is linear in its coefficients: ẋᵢ = Σⱼ θᵢⱼ φⱼ(x).

    As a map, xᵢ(t+h) = xᵢ(t) + h Σⱼ θᵢⱼ φⱼ(x(t)) from one stored step to the next: the same terms, and coefficients in
    the same units.

    Parameters
    ----------
    coupling : "independent", "exchangeable" or "full"
        What a feature's equation may see of the others, and what coefficients share.
    state : "signal", "signal,gradient@start", "signal,gradient", "signal,velocity", ...
        Channels of a feature's state: traits (``@start``) are held fixed, further observables have an equation of
        the same form as the signal's, and with a velocity ẋ = v and the equation is v̇'s (see ``ecodyn.trajectories``).
    dynamics : "flow" or "map"
        A map needs evenly spaced stored steps; h is their spacing.
    per_feature : bool
        Let an independent law have coefficients of its own for every feature. Implied by trajectories whose
        labels are shared between runs; a full law always has.
    estimation : "integral" or "derivative"
        What the first step matches: increments over spans of samples, or central differences (a map's over one step).
    refine : "auto", True or False
        Multiple shooting after it; "auto" does it for all couplings but full, whose hundreds of coefficients take
        seconds a run.
    ridge : "auto" or float
        On normalised columns. "auto" is 10⁻⁶, and for full is chosen by rollouts on validation runs or windows.
    stages : tuple of float
        Segment lengths of multiple shooting, as shares of the window.
    intervals : int
        Runge-Kutta intervals a window while shooting; for a map, outputs that are compared.
    estimate_starts : bool
        Estimate the segments' starting states too, for noisy data.
    """

    def __init__(
        self,
        coupling: str = EXCHANGEABLE,
        state: str = "signal",
        *,
        dynamics: str = FLOW,
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
        self.dynamics = dynamics
        self.per_feature = per_feature
        self.estimation = estimation
        self.refine = refine
        self.ridge = ridge
        self.stages = stages
        self.intervals = intervals
        self.estimate_starts = estimate_starts

    available_dynamics: ClassVar[tuple[str, ...]] = DYNAMICS
    refines: ClassVar[bool] = True
    model_: Law

    @abstractmethod
    def library(self, channels: Sequence[str], features: Sequence[Any]) -> Library:
        """The candidate terms under this family's coupling."""

    def check(self, trajectories: Trajectories) -> None:
        """Refuse unknown options and unusable data."""
        super().check(trajectories)
        if self.dynamics not in self.available_dynamics:
            raise ValueError(f"dynamics is {' or '.join(map(repr, self.available_dynamics))}, got {self.dynamics!r}")
        if self.dynamics == MAP:
            stored_step(trajectories.times, trajectories.lengths)
        if self.estimation not in ("integral", "derivative"):
            raise ValueError(f"estimation is 'integral' or 'derivative', got {self.estimation!r}")
        if self.refine not in ("auto", True, False):
            raise ValueError(f"refine is 'auto', True or False, got {self.refine!r}")
        if self.ridge != "auto" and not (isinstance(self.ridge, int | float) and self.ridge >= 0):
            raise ValueError(f"ridge is 'auto' or a number of at least 0, got {self.ridge!r}")
        if not self.stages or not all(0 < share <= 1 for share in self.stages):
            raise ValueError(f"stages are shares of the window in (0, 1], at least one, got {self.stages!r}")
        if self.intervals < 1:
            raise ValueError(f"intervals is a whole number of at least 1, got {self.intervals!r}")

    def ahead(self, trajectories: Trajectories) -> tuple[str, ...]:
        """A full library's size, where it is large, and which coupling takes less."""
        if self.coupling != FULL:
            return ()
        longest = int(trajectories.lengths.max())

        def needed(coupling: str) -> int:
            family = clone(self).set_params(coupling=coupling)
            return memory_needed(family.library(parse_state(self.state), trajectories.features.tolist()), longest)

        size = needed(FULL)
        if size < MUCH_MEMORY:
            return ()
        others = [c for c in (EXCHANGEABLE, INDEPENDENT) if c in self.couplings and needed(c) < MUCH_MEMORY]
        offer = [f"coupling={c!r} takes {needed(c) / 2**30:.2f} GiB" for c in others[:1]]
        offer.append("fewer steps (--every) take less")
        return (
            f"{self.name}/full: matching its library takes about {size / 2**30:.1f} GiB for {longest} steps; "
            + ", ".join(offer),
        )

    def for_protocol(self, protocol: str, *, run_by_run: bool) -> Self:
        """Forecasts are shot on segments that end well before the window does: see ``Family.for_protocol``."""
        family = super().for_protocol(protocol, run_by_run=run_by_run)
        if protocol == FORECAST and self.stages == STAGES:
            family.set_params(stages=FORECAST_SHARES)
        return family

    def fit_model(self, trajectories: Trajectories, *, clock: bool = False) -> Law:
        """Integral matching, selection if the family has one, multiple shooting, diagnostics."""
        return self._fit_together([trajectories], clock)[0]

    def fit_models(self, training_sets: Sequence[Trajectories], *, clock: bool = False) -> Sequence[FittedModel]:
        """A law for each training set, as each would be fitted alone; their shooting goes on side by side."""
        return self._fit_together(training_sets, clock)

    def _fit_together(self, training_sets: Sequence[Trajectories], clock: bool) -> list[Law]:
        # Company saves time on small data only; on large ones it would cost as many copies of them as there are sets.
        size = max(1, BYTES_TOGETHER // max(training.values.nbytes for training in training_sets))
        laws: list[Law] = []
        for begin in range(0, len(training_sets), size):
            prepared = [self._prepare(training, clock) for training in training_sets[begin : begin + size]]
            laws += [self._law(p, shot) for p, shot in zip(prepared, self._refined(prepared), strict=True)]
        return laws

    def _prepare(self, trajectories: Trajectories, clock: bool) -> _Prepared:
        started = perf_counter()
        samples = Samples.of(trajectories, self.state, self.dynamics)
        library = self.library(parse_state(self.state), trajectories.features.tolist())
        if clock:
            samples = samples.driven(library)
        own_coefficients = self._own_coefficients(trajectories)
        parts = match(library, samples, per_feature=own_coefficients, method=self.estimation)
        estimate = self.estimate(library, samples, parts, own_coefficients)
        size = int(self.mask(library, own_coefficients).sum())
        return _Prepared(trajectories, library, samples, parts, estimate, size, perf_counter() - started)

    def _refined(self, prepared: Sequence[_Prepared]) -> list[tuple[Shooting | None, float]]:
        """What shooting found for each, and its share of the seconds."""
        started = perf_counter()
        wanted = [p for p in prepared if self._wants_shooting(p.estimate)]
        found = shoot_all(
            [p.problem() for p in wanted],
            stages=self.stages,
            intervals=self.intervals,
            ridge=FULL_PULL if self.coupling == FULL else 0.0,
            estimate_starts=self.estimate_starts,
        )
        by_prepared = {id(p): p.of_support(shooting) for p, shooting in zip(wanted, found, strict=True)}
        seconds = (perf_counter() - started) / max(1, len(wanted))
        return [(by_prepared.get(id(p)), seconds) for p in prepared]

    def _wants_shooting(self, estimate: Estimate) -> bool:
        if self.refine != "auto":
            return bool(self.refine)
        return self.coupling != FULL or estimate.coefficients.size <= SMALL_FULL

    def _law(self, p: _Prepared, shot: tuple[Shooting | None, float]) -> Law:
        shooting, seconds = shot
        coefficients = p.estimate.coefficients if shooting is None else shooting.coefficients
        label, alone = f"{self.name}/{self.coupling}", p.seconds + seconds  # what it would have taken by itself
        diagnostics = diagnose(label, p.estimate, p.samples, p.parts, shooting, alone)
        return Law(
            self.name,
            self.coupling,
            p.library.channels,
            p.library.features,
            amplitudes_of(p.trajectories, self.state),
            self.provenance(p.trajectories),
            p.estimate.library,
            p.estimate.library.rescale(coefficients, p.samples.scales, p.samples.time_scale),
            p.size,
            p.samples.drive_in_original_units(p.library),
            diagnostics,
            step=None if p.samples.step is None else p.samples.step * p.samples.time_scale,
            interaction_matrix=self.interaction_matrix,
        )

    def _own_coefficients(self, trajectories: Trajectories) -> bool:
        if self.coupling == INDEPENDENT:
            return self.per_feature or trajectories.labels_shared
        return self.coupling == FULL

    def mask(self, library: Library, own_coefficients: bool) -> NDArray[np.bool_]:
        """Which coefficients are free, (equation × group, term); a constraint of a family is a subset."""
        groups = len(library.features) if own_coefficients else 1
        return np.ones((len(library.fitted) * groups, len(library)), dtype=bool)

    def estimate(
        self, library: Library, samples: Samples, parts: list[MatchedIntegrals], own_coefficients: bool
    ) -> Estimate:
        """First estimate by ridge regression on matched integrals; families with a selection override it."""
        mask = self.mask(library, own_coefficients)
        matched = MatchedIntegrals.combine(parts)
        if self.ridge != "auto" or self.coupling != FULL:
            ridge = RIDGE if self.ridge == "auto" else float(self.ridge)
            return Estimate(library, matched, matched.solve(ridge, mask), mask, np.arange(len(library)))
        ridge = self._choose_ridge(
            library, splits(library, samples, parts, per_feature=own_coefficients, method=self.estimation), mask
        )
        coefficients = matched.solve(ridge, mask)
        support = np.arange(len(library))
        return Estimate(library, matched, coefficients, mask, support, len(RIDGES), (("ridge", ridge),))

    @staticmethod
    def _choose_ridge(library: Library, validations: list[Validation], mask: NDArray[np.bool_]) -> float:
        def laws(matched: MatchedIntegrals) -> Array:
            if mask.all():
                return matched.solve_each(RIDGES)
            return np.stack([matched.solve(ridge, mask) for ridge in RIDGES])

        unexplained = unexplained_each(library, validations, [laws(v.matched) for v in validations])
        return RIDGES[int(np.argmin(np.mean([u.mean(axis=1) for u in unexplained], axis=0)))]


@dataclass(frozen=True, eq=False)
class _Prepared:
    """One training set up to its first estimate, in the seconds it took."""

    trajectories: Trajectories
    library: Library
    samples: Samples
    parts: list[MatchedIntegrals]
    estimate: Estimate
    size: int
    seconds: float

    @property
    def _whole(self) -> bool:
        """Whether shooting goes by the whole library with a mask: selections of all folds then share their rollouts."""
        return self.size <= SMALL_LIBRARY

    def problem(self) -> Problem:
        """What shooting is to refine."""
        estimate = self.estimate
        if not self._whole:
            return Problem(estimate.library, self.samples, estimate.coefficients, estimate.mask)
        shape = (len(estimate.coefficients), len(self.library))
        coefficients, mask = np.zeros(shape), np.zeros(shape, dtype=bool)
        coefficients[:, estimate.support], mask[:, estimate.support] = estimate.coefficients, estimate.mask
        return Problem(self.library, self.samples, coefficients, mask)

    def of_support(self, found: Shooting) -> Shooting:
        """What shooting found, of the estimate's own terms."""
        return replace(found, coefficients=found.coefficients[:, self.estimate.support]) if self._whole else found
