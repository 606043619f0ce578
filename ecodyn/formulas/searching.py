"""Where the parameters of a formula may begin: draws in the data's own units, and the best of them refined."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from ecodyn.arrays import Array
from ecodyn.errors import UnusableDataError
from ecodyn.estimation.network_descent import Descent, Prior, descend
from ecodyn.estimation.samples import Samples
from ecodyn.formulas.law import FormulaLaw
from ecodyn.formulas.matching import Increments, Projected
from ecodyn.formulas.rolled_out import rollout_cost
from ecodyn.formulas.statement import Statement
from ecodyn.formulas.symbolic import derivatives_of
from ecodyn.formulas.transforms import Bounds, Coordinates
from ecodyn.formulas.units import units_of

__all__ = ["Candidate", "Search", "candidates_of", "draws_of", "scaled_law"]

DRAWS = 100  # of the parameters that enter nonlinearly; each takes a regression on a few thousand numbers
SPREAD = 1.5  # decades around a parameter's unit that draws go to: what saturates or turns does so within the data
EXPONENTS = (0.5, 6.0)  # range of exponents drawn, which are pure numbers
TRIED, TRIAL_STEPS = 40, 4  # of the best draws, and steps each: the best draws may all lie in one poor valley
ALIKE = 1e-3  # share of the cost within which two of these count as one, until the others have had their turn
MATCHING_STEPS, MATCHING_TOLERANCE = 40, 1e-4
ROLLED_OUT = 8  # of the best draws, once each


@dataclass(frozen=True, kw_only=True)
class Search:
    """What is searched for, and from where.

    Attributes
    ----------
    statement : Statement
    bounds : of each parameter
    starts : values of parameters that searches begin with, in place of draws
    count : how many draws are refined
    seed : of the draws
    draws : how many there are, where parameters enter nonlinearly
    """

    statement: Statement
    bounds: tuple[Bounds, ...]
    starts: Mapping[str, float]
    count: int
    seed: int
    draws: int = DRAWS


@dataclass(frozen=True, eq=False)
class Candidate:
    """A start that is worth rolling out: the law in its coordinates, and these."""

    law: FormulaLaw
    coordinates: Array
    increments: Increments
    cost: float


def candidates_of(search: Search, samples: Samples, columns: tuple[int, ...]) -> tuple[Candidate, Candidate | None]:
    """The best optimum of matched integrals, and of all draws and optima the one of the best rollouts, if any ends.

    Noise, and what a law can't follow, lead the matching of short spans astray: whole rollouts have a say as well.

    Raises
    ------
    UnusableDataError
        The formula has no value along the data, wherever it is searched.
    """
    law = scaled_law(search.statement, columns, samples)
    nonlinear = draws_of(search) > 1
    rng = np.random.default_rng(search.seed)
    drawn = [_drawn(search, samples, rng, first=i == 0) for i in range(draws_of(search))]
    increments, found = _projected(search, law, samples, drawn)
    possible = [(p, units) for p, units in found if np.isfinite(p.cost)]
    if not possible:
        raise UnusableDataError(_no_value(search.statement, increments, samples))
    possible.sort(key=lambda pair: pair[0].cost)
    drawn_ones = [_as_drawn(search, increments, p, units) for p, units in possible[: max(TRIED, search.count)]]
    tried = _unlike_first([_refined(one, TRIAL_STEPS) for one in drawn_ones])
    refined = sorted((_refined(one, MATCHING_STEPS) for one in tried[: search.count]), key=lambda one: one.cost)
    every = [*refined, *drawn_ones[:ROLLED_OUT]] if nonlinear else []
    costs = [rollout_cost(each.law, samples, each.coordinates) for each in every]
    best = int(np.argmin(costs)) if every else 0
    return refined[0], every[best] if every and np.isfinite(costs[best]) else None


def scaled_law(statement: Statement, columns: tuple[int, ...], samples: Samples) -> FormulaLaw:
    """A formula of states in the samples' units, its parameters in the data's."""
    scales = tuple(samples.scales.ravel().tolist())
    return FormulaLaw(statement, columns, None, scales, samples.time_scale, samples.input_scales, samples.step)


def draws_of(search: Search) -> int:
    """How many draws there are: one where all parameters enter linearly, for their optimum is the same from each."""
    nonlinear = len(derivatives_of(search.statement).linear) < len(search.statement.parameters)
    return search.draws if nonlinear else 1


def _projected(
    search: Search, law: FormulaLaw, samples: Samples, drawn: list[tuple[Array, Array]]
) -> tuple[Increments, list[tuple[Projected, Array]]]:
    """The draws with their linear parameters at their optimum, on the data, smoothed ones if these are noisy.

    Noise in what is integrated draws coefficients towards zero.
    """
    low, high = np.array(search.bounds).T
    increments = Increments.of(law, replace(samples, states=samples.starts))
    return increments, [(increments.projected(parameters, low, high), units) for parameters, units in drawn]


def _drawn(search: Search, samples: Samples, rng: np.random.Generator, *, first: bool) -> tuple[Array, Array]:
    """Parameters to begin with, and their units: at random but for the first, which is at the units themselves."""
    statement = search.statement
    spread = 0.0 if first else 1.0
    low, high = np.log(EXPONENTS)
    exponents = {
        name: float(np.exp(0.5 * (low + high) + spread * rng.uniform(-0.5, 0.5) * (high - low)))
        for name in statement.parameters
        if name in statement.exponents
    }
    exponents |= {name: value for name, value in search.starts.items() if name in statement.exponents}
    units = units_of(statement, samples.scales.ravel(), samples.time_scale, exponents, samples.input_scales)
    values = units * 10 ** (spread * rng.uniform(-SPREAD, SPREAD, len(units)))
    signs = np.where(rng.uniform(size=len(units)) < 0.5 * spread, -1.0, 1.0)
    for i, (name, (least, most)) in enumerate(zip(statement.parameters, search.bounds, strict=True)):
        if name in exponents:
            values[i] = exponents[name]
        elif least < 0:
            values[i] *= signs[i]
        if name in search.starts:
            values[i] = search.starts[name]
        elif not least < values[i] < most:
            values[i] = _inside(least, most, float(rng.uniform(0.02, 0.98)), float(units[i]))
    return values, units


def _inside(low: float, high: float, share: float, unit: float) -> float:
    """A value between bounds; where only one is finite, within a unit of it."""
    if np.isfinite(low) and np.isfinite(high):
        return low + share * (high - low)
    return low + share * unit if np.isfinite(low) else high - share * unit


def _as_drawn(search: Search, increments: Increments, projected: Projected, units: Array) -> Candidate:
    """A draw as it is."""
    coordinates = Coordinates(search.bounds, tuple(units.tolist()))
    law = replace(increments.law, coordinates=coordinates)
    start = coordinates.inward(projected.parameters)
    return Candidate(law, start, replace(increments, law=law), projected.cost)


def _refined(candidate: Candidate, steps: int) -> Candidate:
    """All parameters by Gauss-Newton on the matched integrals."""
    found: Descent | None = descend(
        candidate.increments,
        candidate.coordinates,
        prior=Prior(0.0, candidate.coordinates),
        tolerance=MATCHING_TOLERANCE,
        max_iterations=steps,
    )
    return candidate if found is None else replace(candidate, coordinates=found.parameters, cost=found.equations.cost)


def _unlike_first(candidates: list[Candidate]) -> list[Candidate]:
    """Those of the lowest cost first, and after all others those whose cost is that of the one before."""
    ordered = sorted(candidates, key=lambda candidate: candidate.cost)
    alike = [i > 0 and one.cost - ordered[i - 1].cost <= ALIKE * one.cost for i, one in enumerate(ordered)]
    return [one for again in (False, True) for one, same in zip(ordered, alike, strict=True) if same == again]


def _no_value(statement: Statement, increments: Increments, samples: Samples) -> str:
    """Why a formula has no value along the data, as far as that shows."""
    signal = samples.states[..., 0]
    below, zero = int((signal < 0).sum()), int((signal == 0).sum())
    there = [f"{n} values are {what}" for n, what in ((below, "negative"), (zero, "zero")) if n]
    seen = f": {' and '.join(there)}, where powers and logarithms may have none" if there else ""
    return (
        f"expected a formula that has a finite value along the data, got {statement.text!r}, which has none for any of "
        f"{DRAWS} draws of its parameters{seen}; give starts=, choose features or steps, or another formula"
    )
