"""Parameters of estimators as JSON can hold them."""

from __future__ import annotations

from types import FunctionType

import numpy as np

from ecodyn.runtime.json_values import Json

__all__ = ["plain"]


def plain(value: object) -> Json:
    """A parameter as JSON can hold it: what is no number, text, list or nothing as its repr, a function by its name.

    Examples
    --------
    >>> plain((1, np.float64(0.5), None))
    [1, 0.5, None]
    """
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, str | int | float | bool | type(None)):
        return value
    if isinstance(value, tuple | list):
        return [plain(each) for each in value]
    if isinstance(value, FunctionType):  # its repr has an address, another one in each process
        return f"{value.__module__}:{value.__qualname__}"
    try:
        return repr(value)
    except (RuntimeError, AttributeError):  # an object that scikit-learn can't show, such as PySINDy's WrappedOptimizer
        return type(value).__name__
