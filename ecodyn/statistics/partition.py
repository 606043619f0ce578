"""A curve cut into pieces, each a straight line: the cuts by dynamic programming, their number by held-out curves.

For curves y(u) on an even grid 0 ≤ u ≤ 1, several channels at once, the m-piece partition minimises

    Σ_pieces Σ_{u in piece} ‖y(u) − α_piece − β_piece u‖²,

which dynamic programming finds exactly (Bai and Perron 2003, section 3; `ruptures` has it as CostLinear with Dynp).
Its usual companions for choosing m, penalties such as BIC, take residuals to be independent. Those of a smooth curve
are not, and every penalty in use cuts a slow bend into as many pieces as it may. Here m is chosen by curves that were
held out: more pieces are worth it only while they bring other runs' curves nearer.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from ecodyn.arrays import Array

Cuts = tuple[int, ...]

RESOLUTION = 0.01  # of a curve of logarithms: a misfit of a hundredth, one per cent, is no further piece


def partitions(curve: Array, most: int, shortest: int) -> list[Cuts]:
    """The best partitions into 1, 2, ... pieces of a curve (grid, channel).

    Parameters
    ----------
    most : pieces at most; fewer where there is no room for so many
    shortest : grid intervals that a piece has at least

    Returns
    -------
    list of grid indices where pieces begin and end, the first and the last of the grid among them. A cut belongs to
    both its pieces.
    """
    costs = _costs(curve, shortest)
    best, came_from, by_number = costs[0], [], []
    for pieces in range(1, most + 1):
        if pieces > 1:
            totals = best[:, None] + costs
            came_from.append(np.argmin(totals, axis=0))
            best = np.min(totals, axis=0)
        if not np.isfinite(best[-1]):
            break
        cuts = [len(curve) - 1]
        for previous in reversed(came_from):
            cuts.append(int(previous[cuts[-1]]))
        by_number.append((0, *reversed(cuts)))
    return by_number


def _costs(curve: Array, shortest: int) -> Array:
    """Squared error of the best line from grid point i to j (i, j), both included; infinite for what is too short."""
    n = len(curve)
    u = np.linspace(0.0, 1.0, n)
    y = curve - curve.mean(axis=0)
    moments = [np.ones(n), u, u**2, *y.T, *(u[:, None] * y).T, (y**2).sum(axis=1)]
    sums = np.cumsum([np.zeros(len(moments)), *np.transpose(moments)], axis=0)
    i, j = np.triu_indices(n, shortest)
    count, first, second, *rest, squares = (sums[j + 1] - sums[i]).T
    levels, slopes = np.array(rest[: y.shape[1]]), np.array(rest[y.shape[1] :])
    spread = second - first**2 / count
    explained = levels**2 / count + (slopes - levels * first / count) ** 2 / spread
    costs = np.full((n, n), np.inf)
    costs[i, j] = np.maximum(squares - explained.sum(axis=0), 0.0)
    return costs


def lines(curve: Array, cuts: Cuts) -> Array:
    """The piecewise straight lines of a partition (grid, channel); at a cut, the later piece's."""
    u = np.linspace(0.0, 1.0, len(curve))
    fitted = np.empty_like(curve)
    for start, stop in pairwise(cuts):
        piece = slice(start, stop + 1)
        design = np.stack([np.ones(stop + 1 - start), u[piece]], axis=1)
        fitted[piece] = design @ np.linalg.lstsq(design, curve[piece], rcond=None)[0]
    return fitted


def number_of_pieces(curves: Array, folds: Sequence[tuple[int, ...]], most: int, shortest: int) -> int:
    """How many pieces curves (run, grid, channel) have: the fewest within one standard error of the best.

    Lines fitted to the mean curve of the other folds' runs are scored on each held-out run's own curve; the standard
    error is over runs, of the best number's errors (Breiman et al. 1984, section 3.4.3). What runs differ by sets the
    scale, so that neighbouring times need not be independent. More runs can tell more pieces apart.
    """
    errors = np.full((len(curves), most), np.nan)
    for held_out in folds:
        training = np.delete(curves, held_out, axis=0).mean(axis=0)
        for number, cuts in enumerate(partitions(training, most, shortest)):
            misfit = curves[list(held_out)] - lines(training, cuts)
            errors[list(held_out), number] = np.mean(misfit**2, axis=(1, 2))
    errors = errors[:, np.isfinite(errors).all(axis=0)]
    means = errors.mean(axis=0)
    best = int(np.argmin(means))
    error = float(np.std(errors[:, best], ddof=1)) / np.sqrt(len(errors))
    return 1 + int(np.flatnonzero(means <= means[best] + max(error, RESOLUTION**2))[0])
