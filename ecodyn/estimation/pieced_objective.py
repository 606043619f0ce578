"""Shooting's normal equations of many runs, summed over pieces of them: JᵀJ and Jᵀr are sums over runs.

Only one piece's rollouts and sensitivities are in memory at a time, and small enough for a core's cache, which makes
them no slower than all at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecodyn.arrays import Array
from ecodyn.estimation.normal_blocks import Equations
from ecodyn.estimation.rolled_out import AnyLaw
from ecodyn.estimation.samples import Samples
from ecodyn.estimation.segments import Segments
from ecodyn.estimation.shooting_batches import equations_at, rollouts
from ecodyn.estimation.shooting_equations import BATCH_ELEMENTS, Objective, Probe, Question, Trial

__all__ = ["MOST_TOGETHER", "PiecedObjective", "objective_of"]

MOST_TOGETHER = 250_000  # values that rollouts are compared with: of more, states and sensitivities fill 100 MB
PIECE_ELEMENTS = 4 * BATCH_ELEMENTS  # numbers in a piece's state


class PiecedObjective(Objective):
    """One stage's segments of many runs, cut a few runs at a time; starting signals are the data's."""

    def __init__(
        self, library: AnyLaw, samples: Samples, points: int, share: float, *, mask: NDArray[np.bool_]
    ) -> None:
        samples = replace(samples, told=samples.movement)  # what is measured on all runs, each of the pieces is to know
        self.samples, self.points, self.share = samples, points, share
        first = samples.take(np.arange(1))
        super().__init__(library, first, self.cut(first), mask=mask, estimate_starts=False)
        self.index(mask)  # of many runs, sensitivities are to free coefficients alone
        self.n_runs = samples.n_runs
        self.measure(samples)
        each = max(1, len(self.segments) * self.segments.states.shape[2] * self.shape[2])
        self.size_of_piece = max(1, PIECE_ELEMENTS // each)

    def cut(self, own: Samples) -> Segments:
        """Segments of some of the runs, as all together would be cut."""
        return Segments.cut(own, self.points, self.share, longest=int(self.samples.lengths.max()))

    def pieces(self) -> Iterator[Objective]:
        """The same of some runs at a time."""
        for begin in range(0, self.n_runs, self.size_of_piece):
            runs = np.arange(begin, min(begin + self.size_of_piece, self.n_runs))
            own = self.samples.take(runs)
            piece = Objective(self.library, own, self.cut(own), mask=self.mask, estimate_starts=False)
            piece.index(self.mask)
            piece.substeps, piece.implicit, piece.fine = self.substeps, self.implicit, self.fine
            yield piece

    def first_starts(self) -> Array:
        """None are searched for."""
        return np.zeros((0, self.segments.states.shape[2]))

    def answer(self, question: Question) -> Any:
        """The normal equations of all runs; they are infinite as soon as one rollout died."""
        if not isinstance(question, Trial):
            raise TypeError(f"expected a trial of many runs, got a {type(question).__name__}")
        cost, hessians, gradients = 0.0, list[Array](), list[Array]()
        for piece in self.pieces():
            equations = equations_at(piece, question.parameters, piece.first_starts())
            cost += equations.cost
            if not np.isfinite(cost):
                return Equations(np.inf, equations.hessians, equations.gradients)
            hessians.append(equations.hessians)
            gradients.append(equations.gradients)
        return Equations(cost, np.concatenate(hessians), np.concatenate(gradients))

    def left_and_moved_at(self, parameters: Array) -> tuple[float, float]:
        """``left_and_moved`` of the rollouts at these parameters."""
        each = [piece.left_and_moved(rollouts([Probe(piece, parameters, self.substeps)])[0]) for piece in self.pieces()]
        left, moved = np.sum(each, axis=0)
        return float(left), float(moved)

    def apart_by_halving(self, parameters: Array) -> float:
        """How far rollouts with this number of substeps and with twice as many are apart, as ``apart``."""
        squares, count = 0.0, 0
        for piece in self.pieces():
            coarse, fine = (rollouts([Probe(piece, parameters, n)])[0] for n in (self.substeps, 2 * self.substeps))
            squares += self.apart(fine, coarse) ** 2 * fine.size
            count += fine.size
        return float(np.sqrt(squares / count))


def objective_of(
    library: AnyLaw, samples: Samples, points: int, share: float, *, mask: NDArray[np.bool_], freed: bool
) -> Objective:
    """One stage's objective: of many runs, in pieces; with starting states that are estimated, of all at once."""
    values = samples.n_runs * (min(points, int(samples.lengths.max()) - 1) + 1) * samples.states[0, 0].size
    if values > MOST_TOGETHER and not freed and samples.n_runs > 1:
        return PiecedObjective(library, samples, points, share, mask=mask)
    segments = Segments.cut(samples, points, share, smoothed=freed)
    return Objective(library, samples, segments, mask=mask, estimate_starts=freed)
