"""How fast a signal grows, relative to itself."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ecodyn.arrays import Array
from ecodyn.observables.observable import Observable
from ecodyn.observables.ratio import ratio

__all__ = ["RELATIVE_GRADIENT", "relative_gradient"]


def relative_gradient(series: Mapping[str, Array], steps: Array) -> Array:
    """Δx/x: (x(t') − x(t)) / (x(t) (t' − t)) with t' the next row's step, per step; 0 where x(t) is.

    The last row repeats the one before it, having no next; a single row has none, and is 0.

    Examples
    --------
    >>> import numpy as np
    >>> from ecodyn.observables.relative_gradient import relative_gradient
    >>> relative_gradient({"signal": np.array([[2.0], [3.0]])}, np.array([0.0, 10.0]))
    array([[0.05],
           [0.05]])
    """
    x = series["signal"]
    if len(x) < 2:
        return np.zeros_like(x)
    change = ratio(np.diff(x, axis=0), x[:-1] * np.diff(steps)[:, None])
    return np.concatenate([change, change[-1:]])


RELATIVE_GRADIENT = Observable(of_series=relative_gradient)
