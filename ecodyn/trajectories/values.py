"""Numbers as users give them: float64 copies of (run, step, …), padded by NaN, or a sentence on what is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import ArrayLike

from ecodyn.arrays import Array, Bools, Integers
from ecodyn.errors import UnusableDataError
from ecodyn.trajectories.labels import Labels

if TYPE_CHECKING:
    from torch import Tensor

__all__ = [
    "DIMENSIONS",
    "Numbers",
    "check_finite",
    "checked_velocity",
    "float64",
    "matching",
    "padded",
    "run_lengths",
    "written",
]

Numbers = ArrayLike | Sequence[ArrayLike]  # one array, or one a run: the latter may be of unequal length

DIMENSIONS = ("run", "step", "feature")


def padded(values: Numbers, name: str, ndim: int) -> Array:
    """A float64 copy of shape (run, step, ...), a list of runs of unequal length padded by NaN at the end."""
    if isinstance(values, (list, tuple)):
        parts = [float64(part, f"{name}[{r}]") for r, part in enumerate(values)]
        array = _pad_list(parts, name, ndim)
    else:
        array = float64(values, name)
    if array.ndim != ndim:
        raise UnusableDataError(
            f"expected {name} of shape ({', '.join(DIMENSIONS[:ndim])}), got shape {array.shape}; "
            f"give one run as {name}[None]"
        )
    for size, dim in zip(array.shape, DIMENSIONS, strict=False):
        if size == 0:
            raise UnusableDataError(
                f"{name}: found array with 0 {dim}(s) (shape={array.shape}) while a minimum of 1 is "
                "required; check where the data come from"
            )
    return array


def _pad_list(parts: list[Array], name: str, ndim: int) -> Array:
    for r, part in enumerate(parts):
        if part.ndim != ndim - 1:
            dims = ", ".join(DIMENSIONS[1:ndim])
            raise UnusableDataError(f"expected {name}[{r}] of shape ({dims}), got shape {part.shape}; reshape it")
        if part.shape[1:] != parts[0].shape[1:]:
            raise UnusableDataError(
                f"{name}[0] has {parts[0].shape[1]} features and {name}[{r}] has {part.shape[1]}; "
                "all runs must have the same features: select them first, or put them in files of their own"
            )
        if len(part) == 0:
            raise UnusableDataError(f"{name}[{r}] has 0 steps, expected at least 1; leave that run out")
    longest = max(map(len, parts), default=0)
    tail = parts[0].shape[1:] if parts else (0,) * (ndim - 2)
    padded = np.full((len(parts), longest, *tail), np.nan)
    for r, part in enumerate(parts):
        padded[r, : len(part)] = part
    return padded


def float64(values: Numbers, name: str) -> Array:
    """A copy in double precision of an array, tensor or nested list of numbers; what is masked becomes NaN."""
    if "sparse" in str(getattr(values, "layout", "")):
        raise UnusableDataError(f"expected {name} as a dense tensor, got a sparse one; pass its to_dense()")
    if hasattr(values, "detach"):  # a torch tensor, recognised without importing torch
        tensor = cast("Tensor", values).detach().cpu()
        values = (tensor.double() if tensor.is_floating_point() else tensor).numpy()  # NumPy knows no bfloat16
    if hasattr(values, "toarray"):
        raise UnusableDataError(f"expected {name} as a dense array, got a sparse one; pass its toarray()")
    try:
        array = _unmasked(values)
    except ValueError as error:  # rows of unequal length
        raise UnusableDataError(
            f"{name} is not a rectangular array ({error}); pass a list with an array a run"
        ) from error
    if array.dtype.kind == "c":
        raise UnusableDataError(
            f"Complex data not supported: {name} is {array.dtype}; pass np.abs(...) or the real part"
        )
    if array.dtype.kind == "O" and all(isinstance(x, (int, float, np.number)) for x in array.flat):
        array = array.astype(np.float64)  # numbers from a table of mixed columns
    if array.dtype.kind not in "biuf":
        kind = {"M": "dates", "m": "time differences", "U": "text", "S": "text"}.get(array.dtype.kind, "objects")
        raise UnusableDataError(f"expected {name} as numbers, got {kind} ({array.dtype}); convert them to float64")
    if array.dtype == np.float16 and np.isinf(array).any():
        raise UnusableDataError(f"{name} overflowed: float16 ends at 65504 and holds inf; store it as float32")
    return np.array(array, dtype=np.float64)


def _unmasked(values: Numbers) -> np.ndarray:
    """An array with NaN where it was masked, which whole numbers and booleans have no room for."""
    if not np.ma.is_masked(values):
        return np.asarray(values)
    masked = cast("np.ma.MaskedArray[Any, Any]", np.ma.asarray(values))
    if masked.dtype.kind in "biu":
        masked = cast("np.ma.MaskedArray[Any, Any]", masked.astype(np.float64))
    return np.asarray(masked.filled(np.nan))


def matching(values: Numbers, shape: tuple[int, ...], name: str) -> Array:
    """The same as `padded`, of the shape that the signal has."""
    array = padded(values, name, len(shape))
    if array.shape != shape:
        raise UnusableDataError(f"{name} has shape {array.shape}, expected {shape} as values has; align them")
    return array


def run_lengths(signal: Array, runs: Labels) -> Integers:
    """Steps of each run before its trailing padding."""
    some: Bools = ~np.all(np.isnan(signal), axis=2)
    if not some.any(axis=1).all():
        run = runs[~some.any(axis=1)][0]
        raise UnusableDataError(f"values of run {run} are NaN throughout, expected numbers; leave that run out")
    return signal.shape[1] - np.argmax(some[:, ::-1], axis=1)


def check_finite(
    name: str, array: Array, lengths: Integers, runs: Labels, features: Labels, *, missing: Bools | None = None
) -> None:
    """Refuse what is not finite within a run and not said to be missing, and any number after its end."""
    inside = np.arange(array.shape[1]) < lengths[:, None]
    within = inside.reshape(inside.shape + (1,) * (array.ndim - 2))
    bad = np.where(within, ~np.isfinite(array), ~np.isnan(array))
    if missing is not None:
        bad &= ~missing
    if not bad.any():
        return
    r, t, *k = place = tuple(np.argwhere(bad)[0])
    feature = f", feature {features[k[0]]}" if k else ""
    what = written(array[place]) + ("" if inside[r, t] else " after the end of values")
    raise UnusableDataError(
        f"{name} holds {what} at run {runs[r]}, step index {t}{feature} ({bad.sum()} such in all), expected "
        f"finite numbers (NaN only as padding after a run's end); {_advice(name, array[place], inside=inside[r, t])}"
    )


def _advice(name: str, number: float, *, inside: bool) -> str:
    """What to do about a number that can't stay: the mask is the signal's, and says nothing of what is beside it."""
    if name != "signal":
        return f"cut the run before it, or leave {name} or the run out" if inside else f"end {name} where values ends"
    mask = "np.isnan(values)" if np.isnan(number) else "~np.isfinite(values)"
    return f"cut the run before it, leave it out, or say what is missing with missing={mask}"


def checked_velocity(values: Numbers, absent: Bools, lengths: Integers, runs: Labels) -> Array:
    """A float64 copy (run, step, feature); a first step may have none (NaN), any later one has steps before it.

    So do steps at which a value is absent (run, step, feature).
    """
    velocity = matching(values, absent.shape, "backward_velocity")
    step = np.arange(absent.shape[1])
    complete = ~absent.any(axis=2)
    first = np.argmax(complete, axis=1)[:, None]
    missing = np.isnan(velocity).any(axis=2) & complete & (step > first) & (step < lengths[:, None])
    beyond = ~np.isnan(velocity).all(axis=2) & (step >= lengths[:, None])
    if (missing | beyond).any():
        r, t = np.argwhere(missing | beyond)[0]
        fault = "is NaN" if missing[r, t] else "goes on after the end of values"
        raise UnusableDataError(
            f"backward_velocity {fault} at run {runs[r]}, step index {t}, expected NaN as padding and at the "
            "first step of a run that has none before it; correct it, or leave it out"
        )
    return velocity


def written(number: float) -> str:
    """A number as a sentence has it."""
    return "NaN" if np.isnan(number) else f"{number:g}"
