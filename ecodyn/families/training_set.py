"""One training set on its way to a law: matched, fitted a first time, and to be refined by shooting."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ecodyn.equations.library import Library
from ecodyn.estimation import Centred, InitialFit, MatchedIntegrals, Problem, Samples, ShootingResult
from ecodyn.trajectories import Trajectories

__all__ = ["TrainingSet"]

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
    """

    trajectories: Trajectories
    library: Library
    samples: Samples
    parts: list[MatchedIntegrals]
    initial: InitialFit
    size: int
    seconds: float

    @property
    def _whole(self) -> bool:
        """Whether shooting goes by the whole library with a mask: selections of all folds then share their rollouts."""
        return self.size <= SMALL_LIBRARY

    @cached_property
    def _problem(self) -> Problem:
        """What shooting is to refine, in the samples' own coordinates."""
        initial = self.initial
        if not self._whole:
            return Problem(initial.library, self.samples, initial.coefficients, initial.mask)
        shape = (len(initial.coefficients), len(self.library))
        coefficients, mask = np.zeros(shape), np.zeros(shape, dtype=bool)
        coefficients[:, initial.support], mask[:, initial.support] = initial.coefficients, initial.mask
        return Problem(self.library, self.samples, coefficients, mask)

    @cached_property
    def _centred(self) -> Centred | None:
        mask = self._problem.mask
        return None if mask is None else Centred.of(self.samples, self._problem.library, mask)

    def problem(self) -> Problem:
        """What shooting is to refine, in centred coordinates where the law has them."""
        return self._problem if self._centred is None else self._centred.problem(self._problem)

    def of_support(self, result: ShootingResult) -> ShootingResult:
        """A result of shooting, of the first fit's own terms alone, in the samples' own coordinates."""
        if self._centred is not None and self._problem.mask is not None:
            result = self._centred.result(result, self._problem.mask)
        if not self._whole:
            return result
        return replace(result, coefficients=result.coefficients[:, self.initial.support])
