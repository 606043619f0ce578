"""Backward elimination: supports that a regression can do with, from all of its terms to one.

In each step the term goes whose loss costs least, θⱼ²/[(ΘᵀΘ)⁻¹]ⱼⱼ: what the squared residual grows by. It is the same
in any unit of any term, which a threshold on coefficients is not.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ecodyn.arrays import Array, Bools

__all__ = ["Path", "eliminate", "exchange", "solved", "supports", "supports_along"]

LIFT = 1e-12  # of normalised columns' squares: lets dependent ones be solved for
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

    def at(self, penalty: float, costs: Array | None = None) -> Bools:
        """The support with the least squared residual and penalty, one for each term or so much times its cost."""
        each = np.ones(len(self.order)) if costs is None else costs[self.order]
        kept = np.append(np.cumsum(each[::-1])[::-1], 0.0)
        gone = int(np.argmin(self.losses + penalty * kept))
        support = np.zeros(self.size, dtype=bool)
        support[self.order[gone:]] = True
        return support

    @property
    def variance(self) -> float:
        """What all terms leave, a degree of freedom; rounding at least."""
        free = max(1, self.rows - len(self.order))
        return max(float(self.losses[0]) / free, 1e-20 * float(self.losses[-1]), 1e-300)


def eliminate(theta: Array, target: Array, allowed: Bools, rank: Array, rows: int | None = None) -> Path:
    """The path of one equation from the terms allowed: rows (row, term), targets (row,).

    ``rows`` is how many there were, where these are a triangular factor of them.
    """
    size = theta.shape[1]
    rows = len(theta) if rows is None else rows
    kept = np.flatnonzero(allowed)
    norms = np.linalg.norm(theta, axis=0)
    kept = kept[norms[kept] > 0]
    joined = np.asarray(np.linalg.qr(np.column_stack([theta[:, kept] / norms[kept], target]), mode="r"))
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


def supports_along(
    theta: Array, target: Array, allowed: Iterable[Bools], rank: Array, rows: int | None = None
) -> list[Bools]:
    """Distinct supports (equation, term) along the paths from each set of terms allowed, (equation, term).

    ``theta`` is (equation, row, term) and ``target`` (equation, row); ``rank`` and ``rows`` are as in ``eliminate``.
    """
    found: dict[bytes, Bools] = {}
    for mask in allowed:
        paths = [eliminate(a, y, free, rank, rows) for a, y, free in zip(theta, target, mask, strict=True)]
        for support in supports(paths):
            found.setdefault(support.tobytes(), support)
    return list(found.values())


def solved(theta: Array, target: Array, mask: Bools) -> Array:
    """Least squares of each equation on its free terms."""
    out = np.zeros(mask.shape)
    for row, (columns, y, free) in enumerate(zip(theta, target, mask, strict=True)):
        kept = np.flatnonzero(free)
        norms = np.linalg.norm(columns[:, kept], axis=0)
        norms = np.where(norms > 0, norms, 1.0)
        out[row, kept] = np.linalg.lstsq(columns[:, kept] / norms, y, rcond=RANK)[0] / norms
    return out


def exchange(matrix: Array, target: Array, support: Bools, costs: Array, moves: int = 8) -> Bools:
    """A support improved by the best single addition, removal or swap, again and again, each term at its cost."""
    problem = _Gram(matrix, target, costs)
    support = support.copy()
    best = problem.value(support)
    for _ in range(moves):
        inside, outside = np.flatnonzero(support).tolist(), np.flatnonzero(~support).tolist()
        with_one = [(problem.value(_changed(support, [k])), k) for k in outside]
        promising = [k for _, k in sorted(with_one)[:SWAPPED_IN]]
        changes = [[k] for k in inside] + [[i, k] for i in inside for k in promising]
        tried = [(problem.value(_changed(support, change)), change) for change in changes]
        tried += [(value, [k]) for value, k in with_one]
        if not tried:
            break
        least, change = min(tried)
        if least >= best - 1e-9 * abs(best):
            break
        best, support = least, _changed(support, change)
    return support


def _changed(support: Bools, terms: list[int]) -> Bools:
    changed = support.copy()
    changed[terms] = ~changed[terms]
    return changed


class _Gram:
    """The squared residual of any support and what its terms cost, from products of columns."""

    def __init__(self, matrix: Array, target: Array, costs: Array) -> None:
        norms = np.linalg.norm(matrix, axis=0)
        columns = matrix / np.where(norms > 0, norms, 1.0)
        self.gram, self.moment, self.square = columns.T @ columns, columns.T @ target, float(target @ target)
        self.gram[np.diag_indices(len(costs))] += LIFT
        self.costs = costs

    def value(self, support: Bools) -> float:
        kept = np.flatnonzero(support)
        moment = self.moment[kept]
        explained = float(moment @ np.linalg.solve(self.gram[np.ix_(kept, kept)], moment)) if len(kept) else 0.0
        return self.square - explained + float(self.costs[kept].sum())
