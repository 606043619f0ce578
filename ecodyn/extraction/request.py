"""What is asked for of a log, and what that means for frames of a given shape: which axis has the tokens, what is p."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ecodyn.arrays import Array
from ecodyn.errors import UnusableDataError
from ecodyn.logs import Log
from ecodyn.observables import OBSERVABLES, Features, Fourier, Projection, SingularValues
from ecodyn.observables.features import Label
from ecodyn.observables.projection import check_axis
from ecodyn.observables.registry import SINGULAR_VALUES

__all__ = ["Layout", "Request", "layout", "same_features"]


@dataclass(frozen=True, kw_only=True)
class Request:
    """What to extract.

    Attributes
    ----------
    observables
        Names in `OBSERVABLES`, or "singular_values"; None for the signal, and the gradient where it is
        logged at the same steps.
    directions
        Feature directions (feature, tokens) or (feature, dimensions) to project on, instead of circles.
    direction_labels
        Labels of the directions.
    over
        "tokens" or "dimensions"; None to tell by the shapes.
    p
        Number of tokens.
    token_axis
        Which axis of a frame the tokens are, 0 or 1.
    tokens
        (first, end) of the tokens that take part, where there are more (an "=" sign).
    every
        Read each N-th row only.
    repair
        Correct the times of late rows, drop identical ones, and cut a run before what is not finite.
    checksums
        Whether to take the checksum of whole files; None to do so unless rows are skipped.

    Raises
    ------
    ValueError
        An observable is not known, or another field says what can't be done.

    Examples
    --------
    >>> from ecodyn.extraction import Request
    >>> Request(observables=("signal", "circularity"), every=10, p=59).singular_values
    False
    >>> Request(observables=("beauty",))  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    ValueError: unknown observables beauty; known are signal, gradient, circularity, ...
    """

    observables: tuple[str, ...] | None = None
    directions: Array | None = None
    direction_labels: tuple[Label, ...] | None = None
    over: str | None = None
    p: int | None = None
    token_axis: int | None = None
    tokens: tuple[int, int] | None = None
    every: int = 1
    repair: bool = False
    checksums: bool | None = None

    def __post_init__(self) -> None:
        known = [*OBSERVABLES, SINGULAR_VALUES]
        unknown = [name for name in self.observables or () if name not in known]
        if unknown:
            raise ValueError(f"unknown observables {', '.join(unknown)}; known are {', '.join(known)}")
        if self.over is not None:
            check_axis(self.over)
        if self.token_axis not in (None, 0, 1):
            raise ValueError(f"the token axis of a frame is 0 or 1, got {self.token_axis}")
        if self.every < 1:
            raise ValueError(f"expected every N-th row with N of at least 1, got {self.every}")
        if self.tokens is not None and not 0 <= self.tokens[0] < self.tokens[1]:
            raise ValueError(f"expected tokens FIRST:END with FIRST before END, got {self.tokens[0]}:{self.tokens[1]}")
        if self.singular_values and self.directions is not None:
            raise ValueError("singular values and a projection exclude each other: both say what a feature is")

    @property
    def singular_values(self) -> bool:
        """Whether features are singular values."""
        return SINGULAR_VALUES in (self.observables or ())


@dataclass(frozen=True, kw_only=True)
class Layout:
    """How frames of one log are read.

    Attributes
    ----------
    features
        What their features are; None if the log holds values of features already.
    labels
        Of the features.
    token_axis
        Which axis of a frame the tokens are.
    tokens
        (first, end) of the tokens that take part.
    p, d
        Their number, and that of the dimensions; None where that means nothing.
    remarks
        Sentences on what was inferred against expectation.
    """

    features: Features | None
    labels: tuple[Label, ...]
    token_axis: int = 0
    tokens: tuple[int, int | None] = (0, None)
    p: int | None = None
    d: int | None = None
    remarks: tuple[str, ...] = ()

    def matrices(self, frames: Array) -> Array:
        """Frames as (frame, token, dimension) in float64, contiguous."""
        if self.token_axis == 1:
            frames = frames.swapaxes(1, 2)
        return np.ascontiguousarray(frames[:, slice(*self.tokens)], dtype=np.float64)


def layout(log: Log, request: Request) -> Layout:
    """How the frames of `log` are to be read, as `request` states or as their shape tells.

    Raises
    ------
    UnusableDataError
        The frames are no matrices, or p is neither stated nor inferable, or contradicts them.
    """
    shape = log.frames.shape[1:]
    if log.features is not None:
        _check_reduced(log, request)
        p, d = log.stated_shape or (None, None)
        return Layout(features=None, labels=log.features, p=p, d=d)
    if len(shape) != 2 or 0 in shape:
        raise UnusableDataError(f"{log.path} has frames of shape {shape}, expected matrices (tokens, dimensions)")
    if request.singular_values:
        return _whole(SingularValues((shape[0], shape[1])), log, request)
    if request.directions is not None:
        return _projected(log, request, request.directions)
    axis, remarks = _token_axis(log, request)
    tokens = _tokens(log, request, shape[axis])
    p = tokens[1] - tokens[0]
    if request.p is not None and request.p != p:
        raise UnusableDataError(
            f"{log.path} has {shape[axis]} tokens in frames of shape {shape}, expected p = {request.p}; choose the "
            f"axis with --token-axis, or the tokens that take part with --tokens 0:{request.p}"
        )
    features = Fourier(p)
    if p % 2 == 0:
        remarks = (*remarks, f"p = {p} is even: feature {p // 2} is an alternation and no circle")
    return Layout(
        features=features,
        labels=features.labels,
        token_axis=axis,
        tokens=tokens,
        p=p,
        d=shape[1 - axis],
        remarks=remarks,
    )


def _check_reduced(log: Log, request: Request) -> None:
    """Refuse what only matrices have, of a log that holds values of features."""
    if request.directions is not None or request.singular_values:
        raise UnusableDataError(f"{log.path} holds values of features, expected matrices; leave --project out")
    # What is logged of features is their signal, and may be that of their gradient; series are computed from these.
    of_matrices = [
        name
        for name in request.observables or ()
        if name not in ("signal", "gradient", *log.observables) and OBSERVABLES.named(name).of_series is None
    ]
    if of_matrices:
        names = " and ".join(of_matrices)
        raise UnusableDataError(f"{log.path} holds values of features, expected matrices for {names}; leave that out")


def _whole(features: Features, log: Log, request: Request) -> Layout:
    axis = request.token_axis or 0
    size = log.frames.shape[1 + axis]
    return Layout(features=features, labels=features.labels, token_axis=axis, tokens=_tokens(log, request, size))


def _projected(log: Log, request: Request, directions: Array) -> Layout:
    axis = request.token_axis or 0
    tokens = _tokens(log, request, log.frames.shape[1 + axis])
    sizes = {"tokens": tokens[1] - tokens[0], "dimensions": log.frames.shape[2 - axis]}
    entries = directions.shape[-1]
    fitting = [over for over, size in sizes.items() if size == entries]
    if request.over is None and len(fitting) != 1:
        reason = "either" if fitting else "neither"
        raise UnusableDataError(
            f"{log.path} has {sizes['tokens']} tokens and {sizes['dimensions']} dimensions, and the directions have "
            f"{entries} entries, which fits {reason}; say which with --over tokens or --over dimensions"
        )
    features = Projection(directions, request.over or fitting[0], request.direction_labels)
    return Layout(features=features, labels=features.labels, token_axis=axis, tokens=tokens, d=sizes["dimensions"])


def _tokens(log: Log, request: Request, size: int) -> tuple[int, int]:
    first, end = request.tokens or (0, size)
    if end > size:
        raise UnusableDataError(f"{log.path} has {size} tokens, expected at least the {end} of --tokens {first}:{end}")
    return first, end


def _token_axis(log: Log, request: Request) -> tuple[int, tuple[str, ...]]:
    """The axis of a frame that the tokens are: as stated, or the one whose length p is known or an odd prime."""
    shape = log.frames.shape[1:]
    if request.token_axis is not None:
        return request.token_axis, ()
    wanted = request.p
    if request.tokens is not None:
        fitting = [axis for axis in (0, 1) if shape[axis] >= request.tokens[1]]
        if len(fitting) == 2:  # most often the first tokens of (tokens, dimensions)
            fitting = [0]
    elif wanted is not None or log.stated_shape is not None:
        wanted = wanted if wanted is not None else log.stated_shape[0]  # type: ignore[index]
        fitting = [axis for axis in (0, 1) if shape[axis] == wanted]
        if len(fitting) == 2 and log.stated_shape is not None:
            fitting = [0]
    else:
        fitting = [axis for axis in (0, 1) if _is_odd_prime(shape[axis])]
    if len(fitting) == 1:
        transposed = fitting == [1] and log.stated_shape is not None
        return fitting[0], (f"frames are {shape}, dimensions first: read transposed",) * transposed
    if wanted is not None and not fitting:
        raise UnusableDataError(
            f"{log.path} has frames of shape {shape}, expected p = {wanted} tokens on one axis; state another --p, or "
            "choose the tokens that take part with --tokens FIRST:END"
        )
    raise UnusableDataError(
        f"{log.path} has frames of shape {shape}, and which axis has the p tokens can't be told "
        f"({'both lengths are' if fitting else 'neither length is'} {'p' if wanted else 'an odd prime'}); state it "
        "with --token-axis 0 or 1, or --p P"
    )


def _is_odd_prime(n: int) -> bool:
    return n > 2 and all(n % q for q in range(2, math.isqrt(n) + 1))


def same_features(layouts: Sequence[Layout], logs: Sequence[Log]) -> None:
    """Raise UnusableDataError, naming both sides, unless all logs have the same features."""
    for log, own in zip(logs[1:], layouts[1:], strict=True):
        same = (own.labels, own.p) == (layouts[0].labels, layouts[0].p)  # p = 2q and 2q + 1 have the same labels
        if not same or type(own.features) is not type(layouts[0].features):
            raise UnusableDataError(
                f"runs in one file must have the same features: {logs[0].path} has {_described(layouts[0])}, "
                f"{log.path} has {_described(own)}; extract them into files of their own"
            )


def _described(how: Layout) -> str:
    kind = "values of " if how.features is None else f"p = {how.p}, " if how.p else ""
    labels = ", ".join(map(str, how.labels[:3]))
    return f"{kind}{len(how.labels)} features ({labels}{', ...' if len(how.labels) > 3 else ''})"
