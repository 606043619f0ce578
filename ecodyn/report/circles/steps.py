"""Which of the stored steps a figure shows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecodyn.arrays import Array

__all__ = ["evenly", "evenly_log", "place_of"]

MOST_COLUMNS = 6  # panels side by side that can still be read
MOST_LINES = 4  # lines in a panel that is shared with a law's
LATEST_START = 50  # the first of the lines is at a fiftieth of the training, or the curve's bend is missed


def place_of(times: NDArray[Any], step: float) -> int:
    """Place of a step among stored ones (step,); a ValueError if it is none of them."""
    places = np.flatnonzero(times == step)
    if not len(places):
        raise ValueError(
            f"expected a step among {', '.join(f'{t:g}' for t in times)}; got {step:g}: ask for one of them"
        )
    return int(places[0])


def evenly(count: int, most: int = MOST_COLUMNS) -> list[int]:
    """At most so many of ``count`` places, evenly, the first and the last among them."""
    return sorted({round(i) for i in np.linspace(0, count - 1, min(count, most))})


def evenly_log(steps: Array, most: int = MOST_LINES) -> Array:
    """At most so many of the steps after the first, evenly on a log scale, the last among them."""
    later = steps[1:]
    wanted = np.geomspace(max(later[0], later[-1] / LATEST_START), later[-1], most)
    return np.unique(later[[int(np.argmin(np.abs(later - w))) for w in wanted]])
