"""A parameter and its gradients -> rows: what is measured of the features."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ecodyn.arrays import Array
from ecodyn.errors import UnusableDataError
from ecodyn.extraction.layout import Layout, layout
from ecodyn.extraction.passes import checked
from ecodyn.extraction.readings import IN_PYTHON
from ecodyn.extraction.recording.parameter import Parameter
from ecodyn.extraction.request import Request
from ecodyn.logs import ArrayFrames, Log
from ecodyn.observables import OBSERVABLES

__all__ = ["Measuring", "Rows"]


@dataclass(frozen=True)
class Rows:
    """What is measured at some steps.

    Attributes
    ----------
    values
        (step, column, feature).
    dc
        The signal at frequency 0, (step,); NaN where there is no such thing.
    """

    values: Array
    dc: Array


class Measuring:
    """How rows of one parameter are measured.

    Parameters
    ----------
    parameter
        Which one.
    shape
        Its shape.
    request
        How it is read.
    observables
        Names of what is measured, "signal" first. Those of a finished series are no columns of a row.

    Attributes
    ----------
    columns
        Names of what a row has.
    how
        How the parameter is read.
    of_gradients
        Those that need the parameter's gradient.
    needs_gradients
        Whether there are any.

    Raises
    ------
    UnusableDataError
        Its shape does not tell which axis has the tokens, or contradicts what is stated.
    """

    def __init__(
        self, parameter: Parameter, shape: tuple[int, ...], request: Request, observables: Sequence[str]
    ) -> None:
        known = {name: OBSERVABLES.named(name) for name in observables}
        how = _layout(parameter, shape, request)
        if how.features is None:
            raise ValueError(f"{parameter.name} is read as values of features, expected a matrix")
        self.how, self._features = how, how.features
        self._seen = {name: seen for name, seen in known.items() if seen.of_series is None}
        self.columns = tuple(self._seen)
        self.of_gradients = tuple(name for name, seen in self._seen.items() if seen.needs_gradients)
        self.needs_gradients = bool(self.of_gradients)
        self._needs_both = any(seen.of_both is not None for seen in self._seen.values())

    def rows(self, frames: Array, gradients: Array | None) -> Rows:
        """Rows of a parameter (step, ...) and of the gradients at it, where they are needed; they may not be finite."""
        with np.errstate(all="ignore"):
            of_frame = self._features.components(self.how.matrices(frames))
            of_frame = of_frame.copy() if self._needs_both else of_frame  # the next call writes into the same memory
            shape = of_frame.real.shape[:2]
            measured = {c: s.of_frames(of_frame) for c, s in self._seen.items() if s.of_frames is not None}
            if gradients is not None and self.needs_gradients:
                slope = self._features.components(self.how.matrices(gradients))
                for column, seen in self._seen.items():
                    if seen.of_gradients is not None:
                        measured[column] = seen.of_gradients(slope)
                    elif seen.of_both is not None:
                        measured[column] = seen.of_both(of_frame, slope)
        split = [self._features.split(checked(name, measured[name], shape)) for name in self.columns]
        dc = split[self.columns.index("signal")][1]
        return Rows(
            np.stack([values for values, _ in split], axis=1), np.full(len(frames), np.nan) if dc is None else dc
        )


def _layout(parameter: Parameter, shape: tuple[int, ...], request: Request) -> Layout:
    """How a parameter is read; the first axis of an embedding is its tokens, all of them unless it is said."""
    path = Path(parameter.name)
    stated = None
    if parameter.is_embedding:
        request = request if request.token_axis is not None else replace(request, token_axis=0)
        stated = (shape[0], shape[1]) if request.p is None and request.tokens is None else None
    frame = ArrayFrames(np.empty((1, *shape)))
    log = Log(
        path=path,
        format="recording",
        name=parameter.name,
        steps=np.zeros(1),
        frames=frame,
        sources=(),
        stated_shape=stated,
    )
    try:
        return layout(log, request)
    except UnusableDataError as error:
        raise UnusableDataError(f"the parameter {_as_arguments(str(error))}") from None


def _as_arguments(text: str) -> str:
    """A sentence that advises options of the command line, with the arguments of the same names."""
    text = text.replace(IN_PYTHON, "as arguments of ecodyn.Recorder")
    text = re.sub(r"--tokens (\w+):(\w+)", r"tokens=(\1, \2)", text)
    text = re.sub(r"--([a-z-]+) (?=[A-Z0-9])", lambda match: match[1].replace("-", "_") + "=", text)
    return re.sub(r"--([a-z-]+)", lambda match: match[1].replace("-", "_"), text)
