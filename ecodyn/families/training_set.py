"""One training set on its way to a law: matched, fitted a first time, and to be refined by shooting."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ecodyn.arrays import Array, Bools
from ecodyn.equations.library import Library
from ecodyn.estimation import Centred, InitialFit, MatchedIntegrals, Problem, Samples, ShootingResult
from ecodyn.estimation.constraints import Constraints, map_of
from ecodyn.estimation.elimination import alternatives, reduced
from ecodyn.estimation.multiple_shooting import equations_of_all
from ecodyn.families.constraints_held import ConstraintsHeld
from ecodyn.families.selection import fit_of_support
from ecodyn.trajectories import Trajectories

__all__ = ["TrainingSet"]

MOST_EXCHANGED = 150  # coefficients of a library in which others are sought than were selected

NEGLIGIBLE = 1e-10  # of the squares of what happens: no term of an exact law is worth less than solvers get wrong

SMALL_LIBRARY = 64  # coefficients of a library that is rolled out whole, whatever was selected from it


@dataclass(frozen=True, eq=False, kw_only=True)
class TrainingSet:
    """Trajectories with their first fit.

    Attributes
    ----------
    trajectories : Trajectories
    library : Library
        All candidate terms.
    samples : Samples
        The trajectories' states in scaled units.
    parts : list of MatchedIntegrals
        Each run's regression.
    initial : InitialFit
    size : int
        Coefficients that could have been non-zero, before any selection.
    seconds : float
        What all this took.
    constraints : Constraints or None
        That its first fit holds, and shooting is to keep.
    held : ConstraintsHeld or None
        How constraints were held.
    """

    trajectories: Trajectories
    library: Library
    samples: Samples
    parts: list[MatchedIntegrals]
    initial: InitialFit
    size: int
    seconds: float
    constraints: Constraints | None = None
    held: ConstraintsHeld | None = None

    @property
    def _whole(self) -> bool:
        """Whether shooting goes by the whole library with a mask: selections of all folds then share their rollouts."""
        return self.size <= SMALL_LIBRARY

    def _placed(self, given: Array) -> Array:
        """What is the first fit's, (row, term), among all candidate terms if these are rolled out."""
        if not self._whole:
            return given
        placed = np.zeros((len(given), len(self.library)))
        placed[:, self.initial.support] = given
        return placed

    @property
    def _rolled_out(self) -> Library:
        return self.library if self._whole else self.initial.library

    @cached_property
    def _mask(self) -> Bools:
        return self._placed(self.initial.mask.astype(float)) > 0

    @cached_property
    def _centred(self) -> Centred | None:
        centred = Centred.of(self.samples, self._rolled_out, len(self._mask))
        return None if centred is None else centred.within(self._mask)

    def problem(self) -> Problem:
        """What shooting is to refine, in centred coordinates where the law is closed in them."""
        problem = Problem(self._rolled_out, self.samples, self._placed(self.initial.coefficients), self._mask)
        if self._centred is not None:
            problem = self._centred.problem(problem)
        if self.constraints is None:
            return problem
        return replace(problem, restriction=self.constraints.within(map_of(self._mask, self._of_problem)))

    def _of_problem(self, given: Array) -> Array:
        """All coefficients (row, term) in the data's units, from what shooting goes by."""
        found = given if self._centred is None else self._centred.original(given)
        return self.in_data_units(found[:, self.initial.support] if self._whole else found)

    def in_data_units(self, given: Array) -> Array:
        """Coefficients of all candidate terms in the data's units, from the first fit's in the samples'."""
        placed = np.zeros((len(given), len(self.library)))
        placed[:, self.initial.support] = given
        return self.samples.original(self.library, placed)

    def original(self, given: Array) -> Array:
        """The first fit's coefficients in the data's units, constraints held to the last digit."""
        initial = self.initial
        if self.constraints is None:
            return self.samples.original(initial.library, given)
        free, units = (self.in_data_units(v) for v in (initial.mask.astype(float), np.ones(given.shape)))
        found = self.constraints.exactly(self.in_data_units(given), free != 0, np.where(units > 0, units, 1.0))
        return np.asarray(found[:, initial.support])

    def of_support(self, result: ShootingResult) -> ShootingResult:
        """A result of shooting, of the first fit's own terms alone, in the samples' own coordinates."""
        if self._centred is not None:
            result = self._centred.result(result, self._mask)
        if not self._whole:
            return result
        return replace(result, coefficients=result.coefficients[:, self.initial.support])

    def from_result(self, result: ShootingResult) -> TrainingSet:
        """The same, to be refined from there on."""
        return replace(self, initial=replace(self.initial, coefficients=result.coefficients))

    def without_idle_terms(self, result: ShootingResult) -> tuple[TrainingSet, float] | None:
        """The same with a first fit of the terms alone that rollouts need, and what their squares may grow by.

        None where all are needed, or nothing can be told: see ``estimation.elimination``.
        """
        initial = self.initial
        if not result.reached:
            return None
        hessians, gradients = (self.samples.by_cluster(v) for v in (result.hessians, result.gradients))
        negligible = NEGLIGIBLE * float(self.samples.gone.sum()) * self.samples.states.shape[2]
        found = reduced(result.coefficients[initial.mask], hessians, gradients, self.size, negligible)
        if found is None:
            return None
        mask, coefficients = np.zeros_like(initial.mask), np.zeros_like(initial.coefficients)
        mask[initial.mask], coefficients[initial.mask] = found.kept, found.parameters
        smaller = self._kept(initial.library, initial.matched, coefficients, mask)
        return replace(self, initial=replace(smaller, support=initial.support[smaller.support])), found.allowed

    def with_other_terms(self, result: ShootingResult) -> list[tuple[TrainingSet, float]]:
        """The same with first fits of other terms that may do better, and what one more term is worth in squares.

        Empty unless starting states were estimated and a library is small: see ``estimation.elimination``.
        """
        initial = self.initial
        if result.starts is None or not result.substeps or self.size > MOST_EXCHANGED:
            return []
        shape = (len(initial.mask), len(self.library))
        coefficients, free = np.zeros(shape), np.zeros(shape, dtype=bool)
        coefficients[:, initial.support], free[:, initial.support] = result.coefficients, initial.mask
        every = equations_of_all(
            Problem(self.library, self.samples, coefficients), replace(result, coefficients=coefficients)
        )
        hessians, gradients = (self.samples.by_cluster(v) for v in (every.hessians, every.gradients))
        others = alternatives(coefficients.ravel(), hessians, gradients, free.ravel())
        matched = MatchedIntegrals.combine(self.parts)
        fits = [self._kept(self.library, matched, o.parameters.reshape(shape), o.kept.reshape(shape)) for o in others]
        return [(replace(self, initial=fit), o.price) for fit, o in zip(fits, others, strict=True)]

    def _kept(self, library: Library, matched: MatchedIntegrals, coefficients: Array, mask: Bools) -> InitialFit:
        """A first fit of these terms (row, term) of a library, chosen as the one there is was."""
        chosen = self.initial
        return fit_of_support(library, matched, coefficients, mask, chosen.candidates, chosen.chosen, chosen.notes)
