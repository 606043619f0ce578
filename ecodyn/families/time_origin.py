"""Whether a formula's time begins where the data do: searches of rates and phases go by the window's own duration."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ecodyn.arrays import Array
from ecodyn.formulas.constants import constant
from ecodyn.formulas.statement import TIME, Statement
from ecodyn.formulas.tree import Binary, Name, Node, parts_of

__all__ = ["far_from_origin"]

FAR = 5.0  # durations between the origin of time and the window: exp(-t/T) still finds T at 2, and no more at 17


def far_from_origin(statement: Statement, times: Array) -> str:
    """What to write instead of a time that begins many durations before the data; "" where it does not.

    Examples
    --------
    >>> import numpy as np
    >>> from ecodyn.formulas.statement import statement_of
    >>> far_from_origin(statement_of("r*x*(1 + e*sin(w*(t - 1900)))"), np.arange(1900.0, 1960.0))
    ''
    """
    first, last = float(np.nanmin(times)), float(np.nanmax(times))
    away = [max(first - origin, origin - last) for origin in _origins(statement.tree, statement.text)]
    if not away or max(away) <= FAR * (last - first):
        return ""
    written = f"({TIME} - {first:g})" if first else TIME
    return (
        f"the formula's time is many durations away from the window, {first:g} to {last:g}: starts of what goes with "
        f"it, such as rates and phases, are drawn as if it began there, and good ones may be missed: write {written}"
    )


def _origins(node: Node, text: str) -> Iterable[float]:
    """Where each time in a formula is counted from: c for t - c, 0 for t alone."""
    match node:
        case Binary(operation="-", left=Name(name=name), right=right) if name == TIME:
            known = constant(right, text)
            yield 0.0 if known is None else known
            yield from _origins(right, text)
        case Name(name=name) if name == TIME:
            yield 0.0
        case _:
            for part in parts_of(node):
                yield from _origins(part, text)
