"""What is asked for of a log."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, TypedDict

from ecodyn.arrays import Array
from ecodyn.logs import LogOptions
from ecodyn.observables import OBSERVABLES
from ecodyn.observables.features import Label
from ecodyn.observables.projection import check_axis
from ecodyn.observables.registry import SINGULAR_VALUES

__all__ = ["FEWEST", "Fields", "Request", "with_fields"]

FEWEST = 2  # tokens that have a frequency


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
        Number of tokens that take part. It is asked for where the log does not state it: no length of a frame tells.
    token_axis
        Which axis of a frame the tokens are, 0 or 1; None where that is evident.
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
        if self.p is not None and self.p < FEWEST:
            raise ValueError(f"circles need p of at least {FEWEST} tokens, got {self.p}")
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

    @property
    def series(self) -> tuple[str, ...] | None:
        """What is computed of features, by name, "signal" first; None where no observables are named."""
        if self.observables is None:
            return None
        return tuple(dict.fromkeys(["signal", *(name for name in self.observables if name != SINGULAR_VALUES)]))


class Fields(TypedDict, total=False):
    """Fields of `Request` and of `LogOptions` that are asked for most, which `extract` takes beside these."""

    p: int | None
    tokens: tuple[int, int] | None
    token_axis: int | None
    key: str | None
    interval: float | None
    step_pattern: str | None


def with_fields(request: Request, options: LogOptions, fields: Fields) -> tuple[Request, LogOptions]:
    """A request and options with the fields that were given beside them; None where one was not.

    Raises
    ------
    TypeError
        A field is none of those.
    ValueError
        A field is stated in both places.

    Examples
    --------
    >>> from ecodyn.extraction.request import Request, with_fields
    >>> from ecodyn.logs import LogOptions
    >>> request, options = with_fields(Request(every=10), LogOptions(), {"p": 59, "interval": 100})
    >>> request.every, request.p, options.interval
    (10, 59, 100)
    """
    unknown = [name for name in fields if name not in Fields.__annotations__]
    if unknown:
        raise TypeError(
            f"extract() has no argument {' or '.join(unknown)}, expected one of {', '.join(Fields.__annotations__)}; "
            "others are fields of ecodyn.extraction.Request and ecodyn.logs.LogOptions"
        )
    stated: dict[str, Any] = {name: value for name, value in fields.items() if value is not None}
    of_request = {name: value for name, value in stated.items() if hasattr(request, name)}
    of_options = {name: value for name, value in stated.items() if name not in of_request}
    places: tuple[tuple[object, dict[str, Any]], ...] = ((request, of_request), (options, of_options))
    for asked, own in places:
        twice = " and ".join(name for name in own if getattr(asked, name) is not None)
        if twice:
            raise ValueError(f"{twice} stated twice, in {type(asked).__name__} and beside it, expected one of the two")
    return replace(request, **of_request), replace(options, **of_options)
