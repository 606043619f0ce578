"""Small subsets of a regression's columns, of many regressions at once: wide beams from one column to a few.

Backward elimination goes wrong where many columns together hold what two or three of them do: of a short trajectory
nearly any function is a combination of nearly all the others. Going up from one column, few are ever together.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ecodyn.arrays import Array, Integers

__all__ = ["Subsets", "small_subsets"]

PARALLEL = 1e-10  # of a column's square, what others leave of it: less is rounding


@dataclass(frozen=True, eq=False)
class Subsets:
    """The best supports of one size, the best first, of each regression.

    Attributes
    ----------
    supports : int array (regression, support, column)
    losses : array (regression, support), squared residuals; infinite where there is none
    """

    supports: Integers
    losses: Array


def small_subsets(columns: Array, target: Array, first: Array, most: int, width: int) -> list[Subsets]:
    """Of regressions (regression, row, column) with one target (row,), supports of each size up to ``most``.

    Parameters
    ----------
    first : bool array (column,)
        Columns that a support begins with one of.
    width : supports of a size that the next one is made from
    """
    count, rows, size = columns.shape
    norms = np.linalg.norm(columns, axis=1, keepdims=True)
    usable = np.isfinite(norms) & (norms > 0)
    unit = np.where(usable, columns / np.where(usable, norms, 1.0), 0.0)
    seen = np.zeros((count, 1), dtype=object)  # bits of the columns in a support
    supports = np.zeros((count, 1, 0), dtype=np.intp)
    basis = np.zeros((count, 1, 0, rows))
    residual = np.broadcast_to(target, (count, 1, rows))
    alive = np.ones((count, 1), dtype=bool)  # of what there are too few of, the last are none
    out: list[Subsets] = []
    for level in range(min(most, size)):
        inside = basis @ unit[:, None]
        left = 1.0 - np.sum(inside**2, axis=2)  # (regression, support, column)
        along = residual @ unit
        allowed = (left > PARALLEL) & usable & alive[..., None]
        if level == 0:
            allowed &= first
        for k in range(level):
            np.put_along_axis(allowed, supports[:, :, k : k + 1], False, axis=2)
        loss = np.sum(residual**2, axis=2, keepdims=True) - along**2 / np.where(allowed, left, 1.0)
        loss = np.where(allowed, np.maximum(loss, 0.0), np.inf).reshape(count, -1)
        chosen = _distinct(loss, seen, size, width)
        parent, column = chosen // size, chosen % size
        take = np.arange(count)[:, None]
        alive = np.isfinite(loss[take, chosen])
        seen = seen[take, parent] | (1 << column.astype(object))
        supports = np.concatenate([supports[take, parent], column[..., None]], axis=2)
        before = basis[take, parent]
        new = unit[take, :, column]
        for _ in range(2):  # once more: the first time leaves rounding of what was large
            new = new - np.einsum("psk,pskr->psr", np.einsum("pskr,psr->psk", before, new), before)
        length = np.linalg.norm(new, axis=2, keepdims=True)
        new = np.where(alive[..., None], new / np.where(length > 0, length, 1.0), 0.0)
        residual = residual[take, parent]
        residual = residual - np.sum(residual * new, axis=2, keepdims=True) * new
        basis = np.concatenate([before, new[:, :, None]], axis=2)
        losses = np.where(alive, np.sum(residual**2, axis=2), np.inf)
        out.append(Subsets(supports, losses))
    return out


def _distinct(loss: Array, seen: Array, size: int, width: int) -> Integers:
    """Of each row, positions of the least losses, each set of columns once; the last repeated where there are less."""
    order = np.argsort(loss, axis=1, kind="stable")[:, : 4 * width]
    chosen = np.zeros((len(loss), min(width, loss.shape[1])), dtype=np.intp)
    for row, positions in enumerate(order.tolist()):
        taken: dict[int, int] = {}
        for position in positions:
            taken.setdefault(seen[row, position // size] | (1 << (position % size)), position)
            if len(taken) == chosen.shape[1]:
                break
        kept = list(taken.values())
        worst = int(np.argmax(loss[row]))
        chosen[row] = kept + [worst if not np.isfinite(loss[row, worst]) else kept[-1]] * (chosen.shape[1] - len(kept))
    return chosen
