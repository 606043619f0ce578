"""The readings of frames whose tokens are not evident: what each would give, and which flags ask for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ecodyn.arrays import Array
from ecodyn.errors import UnusableDataError
from ecodyn.extraction.axes import TokenAxis, stated_p
from ecodyn.extraction.request import FEWEST, Request
from ecodyn.logs import Log

__all__ = ["IN_PYTHON", "Reading", "UnclearTokensError", "unclear"]

# Where the flags' values go; `Recorder` has them as its own arguments, and says so instead.
IN_PYTHON = "in Python, p, tokens and token_axis of ecodyn.extract, or of ecodyn.extraction.Request(p=...)"
EXTRA_SHOWN = 2  # tokens beside the numbers: "=", and the operation's sign
STRONGEST = 3  # frequencies that are shown
MOST_ENTRIES = 1 << 22  # of a frame whose spectra are taken for a sentence: six of these take about a second


@dataclass(frozen=True, kw_only=True)
class Reading:
    """One way to read frames.

    Attributes
    ----------
    token_axis
        The axis that the tokens would be.
    size
        Its length.
    tokens
        (first, end) of those that would take part.
    features
        Number of frequencies.
    strongest
        Frequencies of the last frame, the strongest first, with their shares of the power about the mean over tokens;
        empty where it was not read.
    evident
        Whether the axis is evident, so that no flag is needed for it.
    """

    token_axis: int
    size: int
    tokens: tuple[int, int]
    features: int
    strongest: tuple[tuple[int, float], ...] = ()
    evident: bool = False

    @property
    def p(self) -> int:
        """Number of tokens that would take part."""
        return self.tokens[1] - self.tokens[0]

    def asked(self, request: Request) -> Request:
        """The request that asks for it, and is `request` otherwise."""
        whole = self.tokens == (0, self.size)
        axis = None if self.evident else self.token_axis
        return replace(request, token_axis=axis, p=self.p if whole else None, tokens=None if whole else self.tokens)

    @property
    def flags(self) -> str:
        """The flags of the command that ask for it."""
        axis = "" if self.evident else f"--token-axis {self.token_axis} "
        whole = self.tokens == (0, self.size)
        return axis + (f"--p {self.p}" if whole else "--tokens {}:{}".format(*self.tokens))

    def __str__(self) -> str:
        """What it is, and what it would give."""
        taking = f"{self.p} of the {self.size} entries" if self.p < self.size else f"all {self.size} entries"
        strong = ", ".join(f"{k} ({share:.1%})" for k, share in self.strongest)
        spectrum = f", strongest {strong} of the power" if strong else ""
        return f"{taking} of axis {self.token_axis} are the tokens: {self.features} features{spectrum}"


class UnclearTokensError(UnusableDataError):
    """Which axis of the frames has the tokens, or how many take part, is not stated.

    Attributes
    ----------
    reason
        The sentence without the readings.
    readings
        What may be meant.
    """

    def __init__(self, message: str, readings: Sequence[Reading] = ()) -> None:
        super().__init__(message)
        self.reason = message.partition("; it may be")[0]
        self.readings = tuple(readings)


def unclear(log: Log, request: Request, known: TokenAxis) -> UnclearTokensError:
    """The refusal of frames whose tokens are not evident; it lists the readings and the flags of each."""
    shape, p = log.frames.shape[1:], stated_p(log, request)
    if known.axis is None:
        missing = f"which axis has the tokens is open ({known.why})" + ", and so is p, their number" * (p is None)
    elif p is None:
        missing = f"p, how many of the {shape[known.axis]} tokens of axis {known.axis} ({known.why}) take part, is open"
    else:
        size = shape[known.axis]
        missing = f"axis {known.axis} has {size} tokens ({known.why}), expected p = {p}: which take part is open"
    axis = "--token-axis 0 or 1, and " * (known.axis is None)
    whole = "--p P, or " * (p is None or p in shape)
    reason = (
        f"{log.path} has frames of shape {shape}, and {missing}; state {axis}{whole}--tokens FIRST:END where a "
        'vocabulary has more tokens, such as "="'
    )
    readings = _readings(log, request, known)
    lines = [f"  {reading.flags}: {reading}" for reading in readings]
    note = f"it may be ({IN_PYTHON}; spectra are of the last frame and decide nothing)"
    return UnclearTokensError("\n".join([f"{reason}; {note}:", *lines]), readings)


def _readings(log: Log, request: Request, known: TokenAxis) -> list[Reading]:
    shape, p = log.frames.shape[1:], stated_p(log, request)
    frame = _last_frame(log)
    readings = []
    for axis in (0, 1) if known.axis is None else (known.axis,):
        size = shape[axis]
        if request.tokens is not None:
            parts = [request.tokens]
        elif p is not None:
            parts = [(0, p)]
        else:
            parts = [(0, size - extra) for extra in range(EXTRA_SHOWN + 1)]
        for first, end in parts:
            if end - first >= FEWEST and end <= size:
                strongest = () if frame is None else _strongest(frame.swapaxes(0, axis)[first:end])
                readings.append(
                    Reading(
                        token_axis=axis,
                        size=size,
                        tokens=(first, end),
                        features=(end - first) // 2,
                        strongest=strongest,
                        evident=known.axis is not None and request.token_axis is None,
                    )
                )
    return readings


def _last_frame(log: Log) -> Array | None:
    """The last frame; None if it is large, damaged or not finite."""
    if not len(log.frames) or int(np.prod(log.frames.shape[1:], dtype=np.int64)) > MOST_ENTRIES:
        return None
    try:
        frame = log.frames.read(np.array([len(log.frames) - 1]))[0].astype(np.float64)
    except UnusableDataError:  # an extraction says so when it comes to it
        return None
    return frame if np.isfinite(frame).all() else None


def _strongest(matrix: Array) -> tuple[tuple[int, float], ...]:
    """The strongest frequencies of (tokens, dimensions), and their shares of the power about the mean."""
    power = np.square(np.abs(np.fft.rfft(matrix, axis=0))).sum(axis=1)[1:]
    power[: (len(matrix) - 1) // 2] *= 2  # all but an alternation are there twice, as k and p - k
    order = np.argsort(power)[::-1][:STRONGEST]
    total = power.sum()
    return tuple((int(k) + 1, float(power[k] / total)) for k in order) if 0 < total < np.inf else ()
