"""Families whose law is linear in its coefficients, and how these are estimated.

A family is one file and one registry line. One that is linear in its coefficients derives from ``LibraryFamily`` and
gives its library; any other derives from ``Family`` and gives ``fit_model``.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from time import perf_counter
from typing import ClassVar

import numpy as np
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted

from ecodyn.arrays import Bools
from ecodyn.equations.library import EXCHANGEABLE, FULL, INDEPENDENT, Library
from ecodyn.errors import UnusableDataError
from ecodyn.estimation import (
    InitialFit,
    MatchedIntegrals,
    Samples,
    ShootingResult,
    match,
    shoot_all,
)
from ecodyn.estimation.constraints import Constraints
from ecodyn.estimation.integral_matching import memory_needed
from ecodyn.estimation.ridge_choice import ridge_fit
from ecodyn.families.configuration import Configuration, Matching, Shooting
from ecodyn.families.constrained import matched_fit, on_data, under_constraints
from ecodyn.families.constraints import Constraint, check_list
from ecodyn.families.known import no_terms_in
from ecodyn.families.law import Law
from ecodyn.families.law_of_fit import law_of
from ecodyn.families.library_size import much_memory
from ecodyn.families.many_runs import BYTES_TOGETHER, FitsManyRuns
from ecodyn.families.options import check_flag
from ecodyn.families.training_set import TrainingSet
from ecodyn.rollouts.iteration import FLOW
from ecodyn.trajectories import Trajectories
from ecodyn.trajectories.labels import Label
from ecodyn.trajectories.state import parse_state

SMALL_FULL = 250  # coefficients of a full coupling up to which shooting and a thorough selection take about a second
# Of the Hessian's diagonal, in centred coordinates where there are any, towards integral matching, which is the surer
# of the two where data are clean or coefficients hundreds. Of few and noisy ones next to none: the larger pull would
# keep what noise has done to matching (of May and Leonard's law with 5 % noise 0.91 for 1; with the smaller, 1.00).
FULL_PULL, SMALL_PULL = 1e-4, 1e-7
MANY = 100  # coefficients


class LibraryFamily(FitsManyRuns):
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
    constraints : list of str, optional
        What coefficients are to hold, such as "A symmetric", "stable", "sum conserved", "r > 0", "-2 <= a <= -1" or
        "x^3 <= 0", in the data's units; or (C, "=", d) and (C, "<=", d) on all coefficients.
    matching : Matching, optional
        The first step: what is matched, and the ridge.
    shooting : Shooting, optional
        The second: whether rollouts are made to follow the data, and how. A parameter of either may be set as
        ``matching__ridge``, or by its short name: ``set_params(ridge=1e-3)``.

    Examples
    --------
    A family of your own, ẋᵢ = θ₁ + θ₂ xᵢ + θ₃ xᵢ², fitted to the logistic law ẋᵢ = 0.2 xᵢ − 0.1 xᵢ²:

    >>> from ecodyn.equations.forms import polynomial_library
    >>> class Quadratic(LibraryFamily):
    ...     name = "quadratic"
    ...     couplings = (INDEPENDENT,)
    ...
    ...     def library(self, channels, features):
    ...         return polynomial_library(self.coupling, channels, features, degree=2)
    >>> x = 2 / (1 + np.array([9.0, 4.0]) * np.exp(-0.2 * np.arange(60.0)[:, None]))
    >>> law = Quadratic(coupling=INDEPENDENT).fit(x).model_
    >>> law.library.names(), np.abs(law.coefficients).round(3).tolist()
    (['1', 'x', 'x**2'], [[0.0, 0.2, 0.1]])
    """

    def __init__(
        self,
        coupling: str = EXCHANGEABLE,
        state: str = "signal",
        *,
        dynamics: str = FLOW,
        per_feature: bool = False,
        constraints: Sequence[Constraint] | None = None,
        matching: Matching | None = None,
        shooting: Shooting | None = None,
    ) -> None:
        self.coupling = coupling
        self.state = state
        self.dynamics = dynamics
        self.per_feature = per_feature
        self.constraints = constraints
        self.matching = matching
        self.shooting = shooting

    takes_inputs = True  # if it has a ``driven_library``
    configurations: ClassVar[dict[str, type[Configuration]]] = {"matching": Matching, "shooting": Shooting}
    constraints: Sequence[Constraint] | None = None
    stability_of: ClassVar[str | None] = None  # what is known of equilibria: see ``families.constraints``
    model_: Law

    @property
    def matching_options(self) -> Matching:
        """``matching``, or the default one."""
        return Matching() if self.matching is None else self.matching

    @abstractmethod
    def library(self, channels: Sequence[str], features: Sequence[Label]) -> Library:
        """The candidate terms under this family's coupling."""

    def driven_library(self, channels: Sequence[str], features: Sequence[Label], inputs: Sequence[str]) -> Library:
        """The candidate terms with those in inputs u(t); a family that has any overrides it.

        Raises
        ------
        UnusableDataError
            This one has none.
        """
        raise UnusableDataError(no_terms_in(self.name, inputs))

    def library_for(self, trajectories: Trajectories) -> Library:
        """The candidate terms for these runs: of the inputs too that vary in them."""
        channels, features = parse_state(self.state), trajectories.features.tolist()
        inputs = trajectories.varying_inputs()
        return self.driven_library(channels, features, inputs) if inputs else self.library(channels, features)

    def candidates(self, trajectories: Trajectories, samples: Samples) -> tuple[Library, tuple[str, ...]]:
        """The candidate terms that these data can tell, in their units, and sentences on those that they can't."""
        return self.library_for(trajectories), ()

    def get_feature_names(self) -> list[str]:
        """Names of the fitted law's terms, in the order of its coefficients, as PySINDy calls them."""
        check_is_fitted(self, "model_")
        return self.model_.library.names()

    def check(self, trajectories: Trajectories) -> None:
        """Refuse unknown options and unusable data."""
        super().check(trajectories)
        check_flag("per_feature", self.per_feature)
        if trajectories.varying_inputs():
            self.library_for(trajectories)
        check_list(self.constraints)
        if self.constraints:
            self._constraints_on(trajectories)

    def coefficient_names(self, library: Library) -> tuple[dict[str, int], str]:
        """What constraints call the coefficients of some terms, by their positions, and the matrix of a full law."""
        return {}, ""

    def _constraints_on(self, trajectories: Trajectories) -> Constraints:
        library = self.library_for(trajectories)
        return on_data(self, library, self.mask(library, self._own_coefficients(trajectories)), trajectories)

    def constrained_fit(self, training: TrainingSet, constraints: Constraints) -> InitialFit:
        """The first fit under constraints, from that without them; families with a selection override it."""
        ridge = self.matching_options.ridge
        chosen = dict(training.initial.chosen).get("ridge") if ridge == "auto" else float(ridge)
        return matched_fit(training, constraints, chosen or None)

    def ahead(self, trajectories: Trajectories) -> tuple[str, ...]:
        """A full library's size, where it is large, and which coupling takes less."""
        if self.coupling != FULL:
            return ()
        longest = int(trajectories.lengths.max())

        def needed(coupling: str) -> int:
            family = clone(self).set_params(coupling=coupling)
            return memory_needed(family.library_for(trajectories), longest)

        return much_memory(self.name, needed, self.couplings, longest)

    def _fit_together(self, training_sets: Sequence[Trajectories], clock: bool) -> list[Law]:
        # Company saves time on small data only; on large ones it would cost as many copies of them as there are sets.
        size = max(1, BYTES_TOGETHER // max(training.values.nbytes for training in training_sets))
        laws: list[Law] = []
        for begin in range(0, len(training_sets), size):
            prepared = [self._prepared(training, clock) for training in training_sets[begin : begin + size]]
            refined = self._refine(prepared)
            if self.constraints:
                own = [self._constraints_on(training.trajectories) for training, _, _ in refined]
                refined = under_constraints(self, refined, own, wants_shooting=self._wants_shooting, shoot=self._shot)
            laws += [self._law(*each) for each in refined]
        return laws

    def _prepare(self, trajectories: Trajectories, clock: bool) -> TrainingSet:
        started = perf_counter()
        own_units, smooth = self._own_units(trajectories), self.coupling == FULL
        inputs = trajectories.varying_inputs()
        samples = Samples.of(trajectories, self.state, self.dynamics, own_units=own_units, smooth=smooth, inputs=inputs)
        library, notes = self.candidates(trajectories, samples)
        library = library.in_units(samples.scales)
        if clock:
            samples = samples.driven(library)
        own_coefficients = self._own_coefficients(trajectories)
        parts = match(library, samples, per_feature=own_coefficients, method=self.matching_options.method)
        initial = self.initial_fit(library, samples, parts, own_coefficients)
        return TrainingSet(
            trajectories=trajectories,
            library=library,
            samples=samples,
            parts=parts,
            initial=replace(initial, notes=(*initial.notes, *notes)) if notes else initial,
            size=int(self.mask(library, own_coefficients).sum()),
            seconds=perf_counter() - started,
        )

    def _refine(self, prepared: Sequence[TrainingSet]) -> list[tuple[TrainingSet, ShootingResult | None, float]]:
        """Each with the result of shooting, None where it is not shot, and its share of the seconds."""
        started = perf_counter()
        wanted = [p for p in prepared if self._wants_shooting(p.initial)]
        by_set = {id(p): result for p, result in zip(wanted, self._shot(wanted), strict=True)}
        seconds = (perf_counter() - started) / max(1, len(wanted))
        return [(p, by_set.get(id(p)), seconds) for p in prepared]

    def _shot(self, prepared: Sequence[TrainingSet], **changed: object) -> list[ShootingResult]:
        """The results of shooting, with ``changed`` options."""
        options = {**self.shooting_options.get_params(), **changed}
        options.pop("refine")
        ridge = 0.0
        if self.coupling == FULL:
            held = any(p.size > MANY or p.samples.smooth is None for p in prepared)
            ridge = FULL_PULL if held else SMALL_PULL
        results = shoot_all([p.problem() for p in prepared], ridge=ridge, **options)
        return [p.of_support(result) for p, result in zip(prepared, results, strict=True)]

    def _wants_shooting(self, initial: InitialFit) -> bool:
        refine = self.shooting_options.refine
        if refine != "auto":
            return bool(refine)
        return self.coupling != FULL or initial.coefficients.size <= SMALL_FULL

    def _law(self, prepared: TrainingSet, shooting: ShootingResult | None, seconds: float) -> Law:
        provenance = self.provenance(prepared.trajectories)
        return law_of(self.name, self.coupling, prepared, shooting, seconds, provenance, self.interaction_matrix)

    def _own_coefficients(self, trajectories: Trajectories) -> bool:
        if self.coupling == INDEPENDENT:
            return self.per_feature or trajectories.labels_shared
        return self.coupling == FULL

    def _own_units(self, trajectories: Trajectories) -> bool:
        """Whether each feature is fitted in a unit of its own: it has a name, and coefficients of its own."""
        return trajectories.labels_shared and self._own_coefficients(trajectories)

    def mask(self, library: Library, own_coefficients: bool) -> Bools:
        """Which coefficients are free, (equation × group, term); a constraint of a family is a subset."""
        groups = len(library.features) if own_coefficients else 1
        return np.ones((len(library.fitted) * groups, len(library)), dtype=bool)

    def initial_fit(
        self, library: Library, samples: Samples, parts: list[MatchedIntegrals], own_coefficients: bool
    ) -> InitialFit:
        """Ridge regression on matched integrals; families with a selection override it.

        Parameters
        ----------
        library : Library
            All candidate terms.
        samples : Samples
            The training part, in scaled units.
        parts : list of MatchedIntegrals
            Each run's regression.
        own_coefficients : bool
            Whether each feature has coefficients of its own.
        """
        return ridge_fit(
            library,
            samples,
            parts,
            mask=self.mask(library, own_coefficients),
            ridge=self.matching_options.ridge,
            per_feature=own_coefficients,
            method=self.matching_options.method,
        )
