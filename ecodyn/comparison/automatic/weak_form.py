"""The weak form of laws of named features: see ``estimation.weak_form``."""

from __future__ import annotations

from ecodyn.arrays import Array
from ecodyn.comparison.automatic.monomials import Terms
from ecodyn.estimation import weak_form

__all__ = ["operator", "regression", "spans"]

operator, spans = weak_form.operator, weak_form.spans


def regression(terms: Terms, runs: list[tuple[Array, Array]], span: int, own: Array) -> tuple[Array, Array]:
    """Rows (feature, row, term) and targets (feature, row) of all runs' (states, times) windows."""
    return weak_form.regression(((terms.values(x), x, t) for x, t in runs), span, own)
