"""Backward elimination: supports that a regression can do with, from all of its terms to one.

In each step the term goes whose loss costs least, θⱼ²/[(ΘᵀΘ)⁻¹]ⱼⱼ: what the squared residual grows by. It is the same
in any unit of any term, which a threshold on coefficients is not.
"""

from __future__ import annotations

import numpy as np

from ecodyn.arrays import Array, Bools

__all__ = ["Path", "eliminate", "supports"]

RANK = 1e-11  # singular values under so much of the largest are rounding
SWAPPED_IN = 8  # of the absent terms, those that gain most by themselves
INDIFFERENT = 1e-12  # of the target's square: by less, the loss can't tell terms apart
PENALTIES = np.geomspace(2.0, 1e9, 24)  # of a term, in units of the variance that the whole regression leaves


class Path:
    """Nested supports of one equation, and the squared residual of each.

    Attributes
    ----------
    order : terms in the order in which they went
    losses : squared residual before each went, and at the end without any
    """

    def __init__(self, order: list[int], losses: list[float], size: int, rows: int) -> None:
        self.order, self.losses = np.array(order, dtype=int), np.array(losses)
        self.size, self.rows = size, rows

    def at(self, penalty: float) -> Bools:
        """The support with the least squared residual, with a penalty for each of its terms."""
        kept = len(self.order) - np.arange(len(self.losses))
        gone = int(np.argmin(self.losses + penalty * kept))
        support = np.zeros(self.size, dtype=bool)
        support[self.order[gone:]] = True
        return support

    @property
    def variance(self) -> float:
        """What all terms leave, a degree of freedom; rounding at least."""
        free = max(1, self.rows - len(self.order))
        return max(float(self.losses[0]) / free, 1e-20 * float(self.losses[-1]), 1e-300)


def eliminate(theta: Array, target: Array, allowed: Bools, rank: Array) -> Path:
    """The path of one equation from the terms allowed: rows (row, term), targets (row,)."""
    rows, size = theta.shape
    kept = np.flatnonzero(allowed)
    norms = np.linalg.norm(theta, axis=0)
    kept = kept[norms[kept] > 0]
    joined = np.linalg.qr(np.column_stack([theta[:, kept] / norms[kept], target]), mode="r")
    matrix, y = joined[:, :-1], joined[:, -1]
    order: list[int] = []
    losses: list[float] = []
    where = np.arange(len(kept))
    while len(where):
        left, singular, right = np.linalg.svd(matrix[:, where], full_matrices=False)
        used = singular > RANK * singular[0]
        inverse = np.where(used, 1.0 / np.where(used, singular, 1.0), 1.0 / (RANK * singular[0]))
        projected = left.T @ y
        solution = right.T @ (np.where(used, inverse, 0.0) * projected)
        losses.append(float(np.sum((y - matrix[:, where] @ solution) ** 2)))
        variances = np.sum((right.T * inverse) ** 2, axis=1)
        growth = solution**2 / variances
        alike = np.flatnonzero(growth <= growth.min() + INDIFFERENT * float(y @ y))
        first = int(alike[np.lexsort((growth[alike], -rank[kept[where[alike]]]))[0]])
        order.append(int(kept[where[first]]))
        where = np.delete(where, first)
    losses.append(float(y @ y))
    return Path(order, losses, size, rows)


def supports(paths: list[Path]) -> list[Bools]:
    """Distinct supports (equation, term) of all equations, from a small penalty for each term to a large one."""
    found: dict[bytes, Bools] = {}
    for penalty in PENALTIES:
        support = np.stack([p.at(penalty * p.variance) for p in paths])
        found.setdefault(support.tobytes(), support)
    return [s for s in found.values() if s.any()]


def exchange(matrix: Array, target: Array, support: Bools, penalty: float, moves: int = 8) -> Bools:
    """A support improved by the best single addition, removal or swap, again and again, at a penalty for each term."""
    gram, moment, square = matrix.T @ matrix, matrix.T @ target, float(target @ target)
    support = support.copy()

    def value(kept: Array) -> float:
        if not len(kept):
            return square
        inner = gram[np.ix_(kept, kept)]
        scale = 1 / np.sqrt(np.maximum(np.diagonal(inner), 1e-300))
        inner = inner * scale[:, None] * scale + 1e-12 * np.eye(len(kept))
        m = scale * moment[kept]
        return square - float(m @ np.linalg.solve(inner, m)) + penalty * len(kept)

    best = value(np.flatnonzero(support))
    for _ in range(moves):
        inside, outside = np.flatnonzero(support), np.flatnonzero(~support)
        removals = [(i, None) for i in inside]
        additions = [(None, o) for o in outside]
        reductions = {o: value(np.sort(np.append(inside, o))) for o in outside}
        promising = sorted(reductions, key=reductions.__getitem__)[:SWAPPED_IN]
        swaps = [(i, o) for i in inside for o in promising]
        tried = []
        for i, o in (*removals, *additions, *swaps):
            kept = support.copy()
            if i is not None:
                kept[i] = False
            if o is not None:
                kept[o] = True
            tried.append((reductions[o] if i is None else value(np.flatnonzero(kept)), kept))
        least, found = min(tried, key=lambda pair: pair[0])
        if least >= best - 1e-9 * abs(best):
            break
        best, support = least, found
    return support
