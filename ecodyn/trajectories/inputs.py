"""Inputs u(t): curves that are known as functions of time, such as a schedule of the learning rate, for each run."""

from __future__ import annotations

import keyword
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from ecodyn.arrays import Array, Integers
from ecodyn.errors import UnusableDataError
from ecodyn.trajectories.labels import Label, Labels
from ecodyn.trajectories.values import float64

__all__ = [
    "KINDS",
    "LINEAR",
    "STEPS",
    "Input",
    "InputLike",
    "Kind",
    "check_covers",
    "check_kind",
    "check_name",
    "checked_inputs",
    "still_at",
]

Kind: TypeAlias = Literal["steps", "linear"]
STEPS: Kind = "steps"
LINEAR: Kind = "linear"
KINDS: tuple[Kind, ...] = (STEPS, LINEAR)

ROUNDING = 4 * np.finfo(float).eps  # of a difference of two heights, or times, given to the last digit

# Names that equations and formulas have for something else.
TAKEN = {"x", "t", "h", "e", "pi", "mean", "sum", "signal", "velocity", "step", "run", "time", "feature", "value"}


@dataclass(frozen=True, eq=False)
class Input:
    """A curve u(t) that is known: a schedule, a temperature, a pulse.

    Parameters
    ----------
    name : str
        A word of letters, digits and underscores, which equations print and formulas use.
    times : array (knot,), strictly increasing
        In the unit of the trajectories' steps; they need not be stored steps.
    values : array (knot,)
    kind : "steps" or "linear"
        "steps" holds each value from its time on, so that it jumps at the next, and holds the last one for ever.
        "linear" is interpolated, and known from the first time to the last.

    Raises
    ------
    ValueError
        The name is no word, or stands for something else; the kind is another.
    UnusableDataError
        The times do not increase, or there is not one finite value for each.

    Examples
    --------
    >>> from ecodyn import Input
    >>> decay = Input("lr", times=[0, 100], values=[0.1, 0.01], kind="steps")
    >>> decay([0.0, 99.9, 100.0, 1000.0]).tolist(), decay.breaks.tolist()
    ([0.1, 0.1, 0.01, 0.01], [100.0])
    """

    name: str
    times: Array
    values: Array
    kind: Kind

    def __init__(self, name: str, times: ArrayLike, values: ArrayLike, kind: Kind) -> None:
        check_name(name)
        check_kind(f"the input {name}", kind)
        knots, heights = float64(times, f"the times of {name}"), float64(values, f"the values of {name}")
        _check_knots(name, knots, heights)
        for field, array in (("times", knots), ("values", heights)):
            array.flags.writeable = False
            object.__setattr__(self, field, array)
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "kind", kind)

    def __call__(self, t: ArrayLike) -> Array:
        """u at times of any shape: at a jump, the new value; before the first knot and after the last, the nearest."""
        t = np.asarray(t, dtype=float)
        if self.kind == LINEAR:
            return np.asarray(np.interp(t, self.times, self.values))
        place = np.searchsorted(self.times, t, side="right") - 1
        return np.asarray(self.values[np.maximum(place, 0)])

    @property
    def breaks(self) -> Array:
        """Times at which the curve jumps or has a kink, so that a solver's step has to end there."""
        if self.kind == STEPS:
            return self.times[1:][np.diff(self.values) != 0]
        gaps = np.diff(self.times)
        slopes = np.diff(self.values) / gaps
        # A straight stretch of many knots has slopes that differ by rounding, and no kinks, whatever the curve's zero.
        heights = np.abs(self.values).max() + np.abs(slopes) * np.abs(self.times).max()
        rounding = ROUNDING * heights / gaps
        return self.times[1:-1][np.abs(np.diff(slopes)) > rounding[1:] + rounding[:-1]]

    def constant(self, first: float, last: float) -> bool:
        """Whether it has one value from the one time to the other."""
        inside = self.breaks[(self.breaks > first) & (self.breaks < last)]
        heights = self(np.array([first, *inside, last if self.kind == LINEAR else first]))
        return bool(np.all(heights == heights[0]))

    def rescaled(self, scale: float, time_scale: float) -> Input:
        """The same curve in other units: values divided by `scale`, times by `time_scale`."""
        return Input(self.name, self.times / time_scale, self.values / scale, self.kind)

    def same_curve(self, other: Input) -> bool:
        """Whether it has the same knots and kind, whatever its name."""
        return (
            self.kind == other.kind
            and np.array_equal(self.times, other.times)
            and np.array_equal(self.values, other.values)
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Input) and self.name == other.name and self.same_curve(other)

    def __hash__(self) -> int:
        return hash((self.name, self.kind, self.times.tobytes(), self.values.tobytes()))

    def __repr__(self) -> str:
        span = f"{self.times[0]:g}" if len(self.times) == 1 else f"{self.times[0]:g} to {self.times[-1]:g}"
        low, high = self.values.min(), self.values.max()
        reach = f"{low:g}" if low == high else f"{low:g} to {high:g}"
        return f"Input({self.name!r}, {len(self.times)} knots at {span}, values {reach}, {self.kind!r})"


InputLike: TypeAlias = "Input | Sequence[Input] | Mapping[Label, Input]"


def still_at(curves: Sequence[Input], first: Array, last: Array) -> float | None:
    """The one value of an input's curves (run,) from each run's first time to its last; None where there are more."""
    heights = {float(curve(a)) for curve, a in zip(curves, first, strict=True)}
    still = len(heights) == 1 and all(c.constant(a, b) for c, a, b in zip(curves, first, last, strict=True))
    return heights.pop() if still else None


def check_kind(what: str, kind: object) -> None:
    """Refuse what is no kind of curve."""
    if kind not in KINDS:
        raise ValueError(
            f"expected the kind of {what} as 'steps', which holds each value until the next, or 'linear', which is "
            f"interpolated; got {kind!r}"
        )


def check_name(name: object) -> None:
    """Refuse what can't name an input."""
    if not isinstance(name, str) or not name.isidentifier() or not name.isascii() or keyword.iskeyword(name):
        raise ValueError(
            f"expected the name of an input as a word of letters, digits and underscores, such as lr, got {name!r}"
        )
    if name in TAKEN or name.startswith(("x_", "mean_")):
        raise ValueError(
            f"{name!r} can't name an input: equations have it for something else; choose another, such as lr"
        )


def _check_knots(name: str, times: Array, values: Array) -> None:
    if times.ndim != 1 or values.shape != times.shape or not len(times):
        raise UnusableDataError(
            f"expected the input {name} as one value for each of its times, got times of shape {times.shape} and "
            f"values of shape {values.shape}; give two lists of one length"
        )
    for what, array in (("time", times), ("value", values)):
        if not np.isfinite(array).all():
            where = int(np.argmin(np.isfinite(array)))
            raise UnusableDataError(
                f"the {what} of the input {name} at index {where} is {array[where]}; expected finite numbers: leave "
                "that knot out"
            )
    back = np.flatnonzero(np.diff(times) <= 0)
    if len(back):
        i = int(back[0])
        raise UnusableDataError(
            f"expected times of the input {name} that increase, got {times[i]:g} and then {times[i + 1]:g} at index "
            f"{i + 1}; sort the knots and keep one of each time"
        )


def check_covers(curve: Input, first: float, last: float, run: object, what: str = "run") -> None:
    """Refuse a curve that is not known throughout a run.

    Raises
    ------
    UnusableDataError
        It begins later or, where it is interpolated, ends earlier.
    """
    if curve.times[0] > first:
        raise UnusableDataError(
            f"expected the input {curve.name} from the start of {what} {run} on, t = {first:g}, got its first value at "
            f"{curve.times[0]:g}; add the value that it has before, or begin the window there"
        )
    if curve.kind == LINEAR and curve.times[-1] < last:
        raise UnusableDataError(
            f"expected the input {curve.name} up to the end of {what} {run}, t = {last:g}, got its last value at "
            f"{curve.times[-1]:g}, after which an interpolated curve is not known; add later values, end the window "
            "there, or use kind 'steps' if the last value holds"
        )


def checked_inputs(
    given: Mapping[str, InputLike], times: Array, lengths: Integers, runs: Labels, others: Iterable[str]
) -> dict[str, tuple[Input, ...]]:
    """One curve for each input and run, known throughout the run.

    Raises
    ------
    UnusableDataError
        There is not one for each run, it does not cover its run, or its name or kind are not its own.
    """
    taken, found = set(others), {}
    for name, each in given.items():
        curves = _by_run(name, each, runs)
        if name in taken:
            raise UnusableDataError(f"{name!r} names an observable of the data and an input: rename one of them")
        if wrong := next((curve for curve in curves if curve.name != name), None):
            raise UnusableDataError(f"expected the curves of the input {name} under that name, got {wrong!r}")
        kinds = {curve.kind for curve in curves}
        if len(kinds) > 1:
            raise UnusableDataError(
                f"expected the input {name} of one kind in all runs, got some of 'steps' and some of 'linear'; convert "
                "one, or give them two names"
            )
        for curve, row, length, run in zip(curves, times, lengths, runs.tolist(), strict=True):
            check_covers(curve, float(row[0]), float(row[length - 1]), run)
        found[name] = curves
    return found


def _by_run(name: str, each: InputLike, runs: Labels) -> tuple[Input, ...]:
    """One curve a run: the one for all, those of a list, or those of a mapping by label."""
    if isinstance(each, Input):
        return (each,) * len(runs)
    if isinstance(each, Mapping):
        labels = runs.tolist()
        if set(each) != set(labels):
            lacking = [run for run in labels if run not in each] or [key for key in each if key not in labels]
            raise UnusableDataError(
                f"expected the input {name} for each of the {len(labels)} runs, got {len(each)} and not the same "
                f"(such as {lacking[0]!r}); name every run once, or give one curve for all"
            )
        return tuple(each[run] for run in labels)
    curves = tuple(each)
    if len(curves) != len(runs) or not all(isinstance(curve, Input) for curve in curves):
        raise UnusableDataError(
            f"expected the input {name} as one Input, or one for each of the {len(runs)} runs, got {len(curves)}"
        )
    return curves
