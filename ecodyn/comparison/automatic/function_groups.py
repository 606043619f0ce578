"""Groups of functions that share parameters, and what of each kind the features' ranges allow."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from ecodyn.arrays import Array
from ecodyn.comparison.automatic.problem import Problem
from ecodyn.equations.function_kinds import TABLE
from ecodyn.equations.functions import POWERS, Function

__all__ = ["Group", "free", "groups", "same", "with_parameters"]

Group = tuple[Function, ...]
"""A function, or a sine and the cosine of its angle."""

ANGLES = np.geomspace(0.25, 8.0, 8)  # in radians, of a feature's largest value
MULTIPLES = (1.0, 2.0, 0.5)  # of each variable in radians, in sums and differences
RATES = np.geomspace(0.25, 16.0, 9)  # of an exponential, over the feature's largest value
STEEP = (0.7, 2.0, 6.0)  # of a tanh, over the feature's largest value
CENTRES = (0.25, 0.5, 0.75)  # of a feature's range
POWERS_OF = (1 / 3, 0.5, 2 / 3, 1.5, 2.5)
SATURATIONS = (0.0, *np.geomspace(0.03, 4.0, 8).tolist())  # p of a reciprocal, over the feature's largest value
HALF = np.geomspace(0.05, 3.0, 8)  # where a reciprocal of a higher power has half its largest value, over that too
COARSE = (0.15, 0.5, 1.5)  # of a second parameter, over the same
RATIOS = np.geomspace(0.1, 10.0, 7)
FEW_RATIOS = (0.3, 1.0, 3.0)


def groups(problem: Problem, scale: Array) -> Iterator[list[Group]]:
    """Groups of functions that the features' ranges allow, each with all parameters of its grid."""
    smooth = np.concatenate([s for _, s, _ in problem.runs])
    low, high = smooth.min(axis=0), smooth.max(axis=0)
    for k in range(problem.terms.features):
        yield from _of_one(k, float(low[k]), float(high[k]), float(scale[k]))
    for pair in itertools.combinations(range(problem.terms.features), 2):
        yield from _of_two(pair, smooth, scale)


def _of_one(k: int, low: float, high: float, scale: float) -> Iterator[list[Group]]:
    largest = max(abs(low), abs(high))

    def grid(kind: str, *parameters: tuple[float, float]) -> list[Group]:
        return [(Function(kind, (k,), float(p), float(q)),) for p, q in parameters]

    # An angle in radians, if it is one, and whatever else a sine is of.
    for angles in ([scale], (ANGLES / largest).tolist()):
        yield [(Function("sin", (k,), a), Function("cos", (k,), a)) for a in angles]
    yield grid("exp", *((sign * r / largest, 0.0) for r in RATES for sign in (1, -1)))
    centres = [low + c * (high - low) for c in CENTRES]
    yield grid("tanh", *((s / largest, 0.0) for s in (*STEEP, 2 * STEEP[-1])))
    yield grid("tanh", *((s / (high - low), -s / (high - low) * c) for s in (2.0, 6.0, 20.0) for c in centres))
    yield grid("gaussian", *((s / largest**2, 0.0) for s in (0.3, 1.0, 3.0, 10.0)))
    if low < 0 < high:
        yield grid("abs", (1.0, 0.0))
    for kind in ("reciprocal_root", "reciprocal_root_cube"):
        yield grid(kind, *(((h * largest) ** 2, 0.0) for h in HALF))
    if low > 0:
        yield grid("reciprocal", *((p * largest, 0.0) for p in SATURATIONS))
        yield grid("power", *((p, 0.0) for p in POWERS_OF))
        yield grid("log", *((p / largest, 0.0) for p in (0.5, 1.0, 2.0)))
        yield grid("reciprocal_square", *(((h * largest) ** 2, c * largest) for h in HALF[::2] for c in COARSE))
        # Arrhenius' law about a temperature
        yield grid("exp", *((s * r / largest, c / largest) for r in (1, 4) for s in (1, -1) for c in (0.1, 0.4)))
    for kind, power in POWERS.items():
        if power == 2 or (power > 2 and low > 0):
            yield grid(kind, *(((p * largest) ** power, 0.0) for p in HALF))


def _of_two(pair: tuple[int, int], smooth: Array, scale: Array) -> Iterator[list[Group]]:
    low, high = smooth.min(axis=0), smooth.max(axis=0)
    size = np.maximum(np.abs(low), np.abs(high))[list(pair)]

    def grid(kind: str, *parameters: tuple[float, float]) -> list[Group]:
        return [(Function(kind, pair, float(p), float(q)),) for p, q in parameters]

    if (low[list(pair)] > 0).all():
        yield grid("ratio", *((p, 0.0) for p in RATIOS))
        yield grid("powers", *((p, q) for p in (-0.5, 0.3, 0.6, 1.5) for q in (-0.5, 0.3, 0.6, 1.5)))
        along = [p * size[0] / size[1] for p in (0.25, 1.0, 4.0)]
        yield grid("ratio", *((p, q * size[0]) for p in along for q in COARSE))
    unit = float((scale[pair[1]] / scale[pair[0]]) ** 2)
    for kind in ("inverse_cube", "inverse_root", "inverse_square"):
        yield grid(kind, (unit, 0.0))  # of one unit
        yield grid(kind, *((p**2, 0.0) for p in RATIOS))
        yield grid(kind, *((unit, (q * size[0]) ** 2) for q in COARSE))
    a, b = float(scale[pair[0]]), float(scale[pair[1]])
    for sign in (1, -1):  # of one unit
        both = smooth[:, pair[0]] * a + sign * smooth[:, pair[1]] * b
        if both.min() < 0 < both.max():
            yield grid("abs_of_sum", (1.0, sign * b / a))
    units = [(m * a, sign * n * b) for m in MULTIPLES for n in MULTIPLES for sign in (1, -1)]
    for angles in (units[:2], units[2:]):
        yield [(Function("sin_of_sum", pair, p, q), Function("cos_of_sum", pair, p, q)) for p, q in angles]
    slopes = [(s / size[0], sign * s / size[1]) for s in STEEP for sign in (1, -1)]
    yield grid("tanh_of_sum", *slopes)


def free(functions: Group) -> list[tuple[int, str]]:
    """Which parameters may be fitted, (function, "parameter" or "shift"); of a sine and cosine, the sine's.

    A parameter that is zero stays so: it is then another function.
    """
    out = []
    for k, function in enumerate(functions):
        if k > 0 and same(functions, k - 1):
            continue
        for has, name in zip(TABLE[function.kind].parameters, ("parameter", "shift"), strict=True):
            if has and getattr(function, name) != 0:
                out.append((k, name))
    return out


def same(functions: Group, k: int) -> bool:
    """Whether one is a sine, and the next the cosine of its angle."""
    if k + 1 >= len(functions):
        return False
    first, second = functions[k], functions[k + 1]
    return second == replace(first, kind=first.kind.replace("sin", "cos")) and first.kind.startswith("sin")


def with_parameters(functions: Group, which: list[tuple[int, str]], logs: Array) -> Group:
    """The functions with these parameters times the exponentials of so much."""
    changed = list(functions)
    for (k, name), log in zip(which, logs.tolist(), strict=True):
        pair = same(tuple(changed), k)
        value = getattr(changed[k], name) * math.exp(log)
        changed[k] = replace(changed[k], **{name: value})
        if pair:
            changed[k + 1] = replace(changed[k + 1], **{name: value})
    return tuple(changed)
