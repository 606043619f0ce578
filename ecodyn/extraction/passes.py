"""One pass over logged frames, a chunk at a time: the series of their features, and what was seen on the way."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from ecodyn.arrays import Array, Bools, Integers
from ecodyn.errors import UnusableDataError
from ecodyn.extraction.layout import Layout
from ecodyn.logs import Frames
from ecodyn.logs.integrity import Watch
from ecodyn.observables import Components, Observable

__all__ = ["Pass", "checked", "read_both", "read_pass"]


@dataclass(kw_only=True)
class Pass:
    """What one pass over frames gives.

    Attributes
    ----------
    steps
        Of the rows, (T,).
    rows
        Of the log, (T,).
    series
        Observable name to (T, K).
    dc
        The signal at frequency 0, (T,), None where there is no such thing.
    watch
        What looked at the frames as they passed.
    """

    steps: Array
    rows: Integers
    series: dict[str, Array]
    dc: Array | None
    watch: Watch

    def keep(self, which: Bools | Integers) -> None:
        """Drop all other rows."""
        self.steps, self.rows = self.steps[which], self.rows[which]
        self.series = {name: values[which] for name, values in self.series.items()}
        self.dc = None if self.dc is None else self.dc[which]


def read_pass(
    frames: Frames,
    rows: Integers,
    steps: Array,
    how: Layout,
    functions: Mapping[str, Callable[[Components], Array]],
    digest: hashlib._Hash | None = None,
) -> Pass:
    """One pass over the frames of some rows, whose bytes go into `digest`.

    Where the log holds values of features already they are the series, whatever the one function is.
    """
    if not len(rows):
        raise UnusableDataError("the log has no rows, expected at least one; check that the training was logged")
    watch = Watch()
    series = {name: np.empty((len(rows), len(how.labels))) for name in functions}
    dc: Array | None = None
    at = 0
    with np.errstate(all="ignore"):  # what is not finite is found in the series, and named by its row
        for part, chunk in frames.chunks(rows):
            watch.see(part, chunk)
            if digest is not None:
                digest.update(np.ascontiguousarray(chunk).data)
            here = slice(at, at := at + len(part))
            if how.features is None:
                (values,) = series.values()
                values[here] = chunk
                continue
            components = how.features.components(how.matrices(chunk))
            for name, values in series.items():
                measured = checked(name, functions[name](components), components.real.shape[:2])
                values[here], zero = how.features.split(measured)
                if name == "signal" and zero is not None:
                    dc = np.empty(len(rows)) if dc is None else dc
                    dc[here] = zero
    return Pass(steps=steps, rows=rows, series=series, dc=dc, watch=watch)


def read_both(
    frames: Frames,
    rows: Integers,
    gradients: Frames,
    gradient_rows: Integers,
    how: Layout,
    observables: Mapping[str, Observable],
) -> dict[str, Array]:
    """Those observables that are of frames and of the gradients at them, row by row; nothing is read if none is."""
    functions = {name: seen.of_both for name, seen in observables.items() if seen.of_both is not None}
    series = {name: np.empty((len(rows), len(how.labels))) for name in functions}
    if how.features is None or not functions:
        return series
    at = 0
    for part in frames.parts(rows):
        here = slice(at, at := at + len(part))
        of_frames = how.features.components(how.matrices(frames.read(part))).copy()
        of_gradients = how.features.components(how.matrices(gradients.read(gradient_rows[here])))
        for name, function in functions.items():
            measured = checked(name, function(of_frames, of_gradients), of_frames.real.shape[:2])
            series[name][here], _ = how.features.split(measured)
    return series


def checked(name: str, values: Array, shape: tuple[int, ...]) -> Array:
    """What an observable gave; a ValueError unless it is one number a frame and feature."""
    if np.shape(values) != shape:
        raise ValueError(
            f"the observable {name} gave an array of shape {np.shape(values)}, expected one number a frame and "
            f"feature, {shape}; correct its function"
        )
    return values
