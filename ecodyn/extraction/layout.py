"""What a request means for frames of a given shape: which axis has the tokens, what is p, what are the features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ecodyn.arrays import Array
from ecodyn.errors import UnusableDataError
from ecodyn.extraction.axes import counted_tokens, token_axis
from ecodyn.extraction.readings import unclear
from ecodyn.extraction.request import Request
from ecodyn.logs import Log
from ecodyn.observables import OBSERVABLES, Features, Fourier, Projection, SingularValues
from ecodyn.observables.features import Label

__all__ = ["Layout", "layout", "same_features"]


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
    """How the frames of `log` are to be read, as `request` and the log state.

    Raises
    ------
    UnusableDataError
        The frames are no matrices, or contradict what is stated.
    UnclearTokensError
        Which axis has the tokens is not evident, or p is not stated.
    """
    shape = log.frames.shape[1:]
    if log.features is not None:
        _check_reduced(log, request)
        p, d = log.stated_shape or (None, None)
        return Layout(features=None, labels=log.features, p=p, d=d)
    if len(shape) != 2 or 0 in shape:
        raise UnusableDataError(f"{log.path} has frames of shape {shape}, expected matrices (tokens, dimensions)")
    if request.singular_values:
        return _whole(log, request)
    if request.directions is not None:
        return _projected(log, request, request.directions)
    axis, tokens, remarks = _located(log, request)
    p = tokens[1] - tokens[0]
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


def _located(log: Log, request: Request) -> tuple[int, tuple[int, int], tuple[str, ...]]:
    """The axis of the tokens, which of them take part, and what is to be said of that."""
    known = token_axis(log, request)
    tokens = None if known.axis is None else counted_tokens(log, request, known.axis)
    if known.axis is None or tokens is None:
        raise unclear(log, request, known)
    return known.axis, tokens, known.remarks


def _check_reduced(log: Log, request: Request) -> None:
    """Refuse what only matrices have, of a log that holds values of features."""
    if request.directions is not None or request.singular_values:
        raise UnusableDataError(f"{log.path} holds values of features, expected matrices; leave --project out")
    _check_no_tokens(log, request)
    # What is logged of features is their signal, and may be that of their gradient; series are computed from these.
    of_matrices = [
        name
        for name in request.observables or ()
        if name not in ("signal", "gradient", *log.observables) and OBSERVABLES.named(name).of_series is None
    ]
    if of_matrices:
        names = " and ".join(of_matrices)
        raise UnusableDataError(f"{log.path} holds values of features, expected matrices for {names}; leave that out")


def _check_no_tokens(log: Log, request: Request) -> None:
    """Refuse what says where the tokens are, of values without any; p may be said again, as a recording states it."""
    p = log.stated_shape[0] if log.stated_shape else None
    asked = {
        f"--p {request.p}": request.p is not None and request.p != p,
        f"--token-axis {request.token_axis}": request.token_axis is not None,
        "--tokens {}:{}".format(*request.tokens or (0, 0)): request.tokens is not None,
    }
    flags = " and ".join(flag for flag, given in asked.items() if given)
    if not flags:
        return
    if p is not None:
        raise UnusableDataError(f"{log.path} holds values of features of p = {p} tokens, got {flags}; leave that out")
    shape = log.frames.shape
    where = f"{log.path}: {log.key}" if log.key else f"{log.path}"
    raise UnusableDataError(
        f"{where} is one frame {shape}, not a series, or the values of {shape[1]} features at {shape[0]} times, and "
        f"{flags} is for a series of matrices; expected an array (T, p, d), or a folder with one checkpoint a step; "
        "leave that out if these are values of features"
    )


def _whole(log: Log, request: Request) -> Layout:
    """The singular values: those of a matrix and its transpose are the same, those of a part of it are not."""
    shape = log.frames.shape[1:]
    if request.tokens is None and request.p is None:
        features = SingularValues((shape[0], shape[1]))
        return Layout(features=features, labels=features.labels, token_axis=request.token_axis or 0)
    axis, tokens, remarks = _located(log, request)
    features = SingularValues((tokens[1] - tokens[0], shape[1 - axis]))
    return Layout(features=features, labels=features.labels, token_axis=axis, tokens=tokens, remarks=remarks)


def _projected(log: Log, request: Request, directions: Array) -> Layout:
    """A projection; where the axes are not evident, the one that the directions go along."""
    shape, entries = log.frames.shape[1:], directions.shape[-1]
    known = token_axis(log, request)
    if known.axis is None and request.tokens is None and request.p is None:
        fitting = [axis for axis in (0, 1) if shape[axis] == entries]
        if len(fitting) == 1:  # products are the same whatever the other axis is called
            over = request.over or "tokens"
            features = Projection(directions, over, request.direction_labels)
            axis = fitting[0] if over == "tokens" else 1 - fitting[0]
            return Layout(features=features, labels=features.labels, token_axis=axis)
    tokens = (0, shape[known.axis or 0])
    if request.tokens is not None or request.p is not None:
        _, tokens, _ = _located(log, request)
    axis = known.axis or 0
    sizes = {"tokens": tokens[1] - tokens[0], "dimensions": shape[1 - axis]}
    spanned = [over for over, size in sizes.items() if size == entries]
    if (request.over is None and len(spanned) != 1) or (known.axis is None and len(spanned) == 2):
        reason = "either" if spanned else "neither"
        flags = "--over tokens or --over dimensions" + " and --token-axis 0 or 1" * (known.axis is None)
        raise UnusableDataError(
            f"{log.path} has {sizes['tokens']} tokens and {sizes['dimensions']} dimensions, and the directions have "
            f"{entries} entries, which fits {reason}; say which with {flags}"
        )
    features = Projection(directions, request.over or spanned[0], request.direction_labels)
    return Layout(
        features=features,
        labels=features.labels,
        token_axis=axis,
        tokens=tokens,
        d=sizes["dimensions"] if known.axis is not None else None,
        remarks=known.remarks if request.tokens or request.p or len(spanned) == 2 else (),
    )


def same_features(layouts: Sequence[Layout], logs: Sequence[Log]) -> None:
    """Raise UnusableDataError, naming both sides, unless all logs have the same features."""
    for log, own in zip(logs[1:], layouts[1:], strict=True):
        same = (own.labels, own.p) == (layouts[0].labels, layouts[0].p)  # p = 2q and 2q + 1 have the same labels
        same = same or order_of(own, layouts[0]) is not None
        if not same or _kind(own) != _kind(layouts[0]):
            raise UnusableDataError(
                f"runs in one file must have the same features: {logs[0].path} has {_described(layouts[0])}, "
                f"{log.path} has {_described(own)}; extract them into files of their own"
            )


def order_of(own: Layout, wanted: Layout) -> list[int] | None:
    """Where named values are that another layout wants in its order; None if they are not the same names."""
    named = own.features is None and all(isinstance(label, str) for label in (*own.labels, *wanted.labels))
    if not named or own.p != wanted.p or sorted(map(str, own.labels)) != sorted(map(str, wanted.labels)):
        return None
    return [own.labels.index(label) for label in wanted.labels]


def _kind(how: Layout) -> tuple[type, str]:
    """What features are, and what they are taken over."""
    return type(how.features), how.features.over if isinstance(how.features, Projection) else ""


def _described(how: Layout) -> str:
    kind = "values of " if how.features is None else f"p = {how.p}, " if how.p else ""
    kind += f"a projection over {how.features.over}, " if isinstance(how.features, Projection) else ""
    labels = ", ".join(map(str, how.labels[:3]))
    return f"{kind}{len(how.labels)} features ({labels}{', ...' if len(how.labels) > 3 else ''})"
