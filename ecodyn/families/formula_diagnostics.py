"""How far the parameters of a formula can be believed: intervals over runs, halves, what the data can't tell."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ecodyn.arrays import Array, Bools
from ecodyn.estimation import Samples
from ecodyn.families.conditioning import condition_number, effective_rank, variance_inflation
from ecodyn.families.diagnostics import HALVES_LIMIT, Diagnostics
from ecodyn.families.run_spread import spread_over_runs
from ecodyn.formulas.fitting import FittedFormula
from ecodyn.formulas.transforms import INSIDE, Bounds

__all__ = ["diagnose_formula"]

WIDEST = 100.0  # ratio of an interval's ends from which on the data do not tell a parameter's size


def diagnose_formula(
    label: str, fitted: FittedFormula, bounds: Sequence[Bounds], samples: Samples, seconds: float
) -> Diagnostics:
    """All diagnostics of a fit; arrays are (1, parameter).

    Intervals are had in the coordinates of the search, such as the logarithm of a positive parameter, and keep to the
    bounds.
    """
    shooting, size = fitted.shooting, len(fitted.coordinates)
    refined = shooting is not None and shooting.iterations > 0
    half, halves, run_spread = np.full((3, size), np.nan)
    if shooting is not None and refined:
        hessians, gradients = samples.by_cluster(shooting.hessians), samples.by_cluster(shooting.gradients)
        spread = spread_over_runs(fitted.coordinates, hessians, gradients)
        half, halves = spread.half_width, spread.halves
        # In the coordinates a spread is relative to nothing: as a share of the parameter it is in its own units.
        deviation = spread.run_spread * np.maximum(np.abs(fitted.coordinates), 1e-300)
        bound = fitted.law.bind(fitted.coordinates[None])
        run_spread = deviation * bound.slopes[0] / np.maximum(np.abs(fitted.parameters), 1e-300)
    inflation = variance_inflation(fitted.slopes)
    dependent = np.isinf(inflation)
    half = np.where(dependent, np.nan, half)
    with np.errstate(all="ignore"):  # an end may be beyond all numbers
        low, high = (fitted.law.bind((fitted.coordinates + s * half)[None]).parameters[0] for s in (-1, 1))
    norms = np.linalg.norm(fitted.slopes, axis=0)
    singular = np.asarray(np.linalg.svd(fitted.slopes / np.where(norms > 0, norms, 1.0), compute_uv=False), dtype=float)
    return Diagnostics(
        low=low[None],
        high=high[None],
        halves=halves[None],
        run_spread=run_spread[None],
        identified=(~(halves > HALVES_LIMIT) & ~dependent)[None],
        variance_inflation=inflation[None],
        halves_correlation=None,
        condition_number=condition_number(singular),
        effective_rank=effective_rank(singular),
        rows=len(fitted.slopes),
        refined=refined,
        converged=shooting is not None and refined and shooting.converged,
        status=_status(fitted),
        candidates=fitted.draws,
        chosen={},
        seconds=seconds,
        warnings=_warnings(label, fitted, bounds, dependent, (low, high)),
        optimality=shooting.optimality if shooting is not None and refined else float("nan"),
    )


def _status(fitted: FittedFormula) -> str:
    """How the search ended; where there were several starts, another one may still lead to a better optimum."""
    if fitted.shooting is None:
        return "integral matching only"
    several = fitted.shooting.converged and fitted.draws > 1
    return fitted.shooting.status + (f" from the best of {fitted.draws} starts" if several else "")


def _warnings(
    label: str, fitted: FittedFormula, bounds: Sequence[Bounds], dependent: Bools, ends: tuple[Array, Array]
) -> tuple[str, ...]:
    names, values, shooting = fitted.law.statement.parameters, fitted.parameters, fitted.shooting
    notes = []
    units = (1.0,) * len(names) if fitted.law.coordinates is None else fitted.law.coordinates.units
    at_bound = [_at_bound(*each) for each in zip(values.tolist(), bounds, units, strict=True)]
    held = [f"{n} at {b:g}" for n, b in zip(names, at_bound, strict=True) if b is not None]
    if held:
        best = f"the best of {fitted.draws} starts" if fitted.draws > 1 else "the search"
        more = "; more searches, or starts=, tell whether another fit is better" if fitted.draws > 1 else ""
        notes.append(f"{label}: {best} ended at a bound, {', '.join(held)}: there the data want no more of it{more}")
    named = [n for n, d, b in zip(names, dependent, at_bound, strict=True) if d and b is None]
    if named:
        notes.append(
            f"{label}: on these data {' and '.join(named)} can't be told, for other values of them predict the same; "
            "hold one with bounds, or write the formula with fewer parameters"
        )
    low, high = ends
    wide = [
        name
        for i, name in enumerate(names)
        if not dependent[i] and at_bound[i] is None and low[i] > 0 and not high[i] <= WIDEST * low[i]
    ]
    if wide:
        notes.append(
            f"{label}: on these data {' and '.join(wide)} can hardly be told: the ends of the 95 % interval are more "
            f"than a factor of {WIDEST:g} apart"
        )
    if shooting is not None and "diverge" in shooting.status:
        notes.append(f"{label}: multiple shooting stopped early, as {shooting.status}")
    return tuple(notes)


def _at_bound(value: float, bound: Bounds, unit: float) -> float | None:
    """The bound that a value is at, within a millionth of its unit or range, the smaller one."""
    low, high = bound
    near = INSIDE * min(high - low, unit)
    if np.isfinite(low) and value - low <= near:
        return low
    return high if np.isfinite(high) and high - value <= near else None
