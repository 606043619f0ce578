"""Groups of functions that share a parameter, and what of each kind the features' ranges allow."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from ecodyn.arrays import Array
from ecodyn.comparison.automatic.problem import Problem
from ecodyn.equations.functions import POWERS, Function

__all__ = ["free", "groups", "same", "times"]

ANGLES = np.geomspace(0.25, 8.0, 8)  # in radians, of a feature's largest value
RATES = np.geomspace(0.25, 16.0, 9)  # of an exponential, over the feature's largest value
SATURATIONS = (0.0, *np.geomspace(0.03, 4.0, 8).tolist())  # p of a reciprocal, over the feature's largest value
HALF = np.geomspace(0.05, 3.0, 8)  # where a reciprocal of a higher power has half its largest value, over that too
RATIOS = np.geomspace(0.1, 10.0, 7)


def groups(problem: Problem, scale: Array) -> Iterator[list[tuple[Function, ...]]]:
    """Groups of functions that the features' ranges allow, each with all parameters of its grid."""
    smooth = np.concatenate([s for _, s, _ in problem.runs])
    low, high = smooth.min(axis=0), smooth.max(axis=0)
    largest = np.maximum(np.abs(low), np.abs(high))
    for k in range(problem.terms.features):
        # An angle in radians, if it is one, and whatever else a sine is of.
        for angles in ([float(scale[k])], (ANGLES / largest[k]).tolist()):
            yield [(Function("sin", (k,), a), Function("cos", (k,), a)) for a in angles]
        yield [(Function("exp", (k,), float(sign * r / largest[k])),) for r in RATES for sign in (1, -1)]
        if low[k] < 0 < high[k]:
            yield [(Function("abs", (k,), 1.0),)]
        if low[k] > 0:
            yield [(Function("reciprocal", (k,), float(p * largest[k])),) for p in SATURATIONS]
        for kind, power in POWERS.items():
            if power == 2 or (power > 2 and low[k] > 0):
                yield [(Function(kind, (k,), float((p * largest[k]) ** power)),) for p in HALF]
    for pair in itertools.combinations(range(problem.terms.features), 2):
        if (low[list(pair)] > 0).all():
            yield [(Function("ratio", pair, float(p)),) for p in RATIOS]
        yield [(Function("inverse_cube", pair, float((scale[pair[1]] / scale[pair[0]]) ** 2)),)]  # of one unit
        yield [(Function("inverse_cube", pair, float(p**2)),) for p in RATIOS]


def times(group: tuple[Function, ...], factor: float) -> tuple[Function, ...]:
    """The functions at a parameter so many times as large."""
    return tuple(replace(f, parameter=f.parameter * factor) for f in group)


def free(functions: tuple[Function, ...]) -> list[int]:
    """Which have a parameter to be fitted; of a sine and cosine of one angle, the sine."""
    fixed = [f.kind == "abs" or f.parameter == 0 or (k > 0 and same(functions, k - 1)) for k, f in enumerate(functions)]
    return [k for k, out in enumerate(fixed) if not out]


def same(functions: tuple[Function, ...], k: int) -> bool:
    """Whether one is a sine, and the next the cosine of its angle."""
    return k + 1 < len(functions) and functions[k].kind == "sin" and functions[k + 1].kind == "cos"
