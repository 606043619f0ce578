"""Where a law with hidden variables may begin: draws, each judged by its hidden variables solved along the data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np

from ecodyn.arrays import Array
from ecodyn.estimation.samples import Samples
from ecodyn.formulas.hidden_driven import driven
from ecodyn.formulas.hidden_law import BoundHidden, HiddenLaw
from ecodyn.formulas.hidden_statement import HiddenStatement
from ecodyn.formulas.hidden_units import units_of_system
from ecodyn.formulas.searching import EXPONENTS, SPREAD, Search
from ecodyn.formulas.symbolic import derivatives_of
from ecodyn.formulas.transforms import Coordinates

__all__ = ["Draw", "drawn", "hidden_law"]

DRAWS = 400  # of parameters: hidden variables have rates and starts of their own, all unknown
MOST_RUNS, NODES = 6, 33  # of the data, that draws are judged by: enough to tell a good one
SPANS = 4  # intervals between nodes that an increment is over: noise counts for less than over one
LEAST = 1e-10  # ridge of the regression, relative: columns may depend on each other


@dataclass(frozen=True, eq=False)
class Draw:
    """Coordinates φ of the parameters, starting values (hidden,) in scaled units, and what increments leave.

    ``own`` are starting values of each run's own, (run, private), where there is more to be said of them.
    """

    coordinates: Array
    hidden: Array
    cost: float
    own: Array | None = None


def hidden_law(search: Search, samples: Samples, columns: tuple[int, ...]) -> HiddenLaw:
    """The law in the units of the data, those of hidden variables being what the equations say."""
    statement = cast(HiddenStatement, search.statement)
    exponents = {name: value for name, value in search.starts.items() if name in statement.exponents}
    scale = float(np.ravel(samples.scales)[0])
    units = units_of_system(statement, scale, samples.time_scale, exponents)
    law = HiddenLaw(statement, columns, None, (scale, *units.hidden.tolist()), samples.time_scale)
    own = units.parameters[law.estimated]
    return HiddenLaw(statement, columns, Coordinates(search.bounds, tuple(own.tolist())), law.scales, law.time_scale)


def drawn(search: Search, law: HiddenLaw, samples: Samples) -> list[Draw]:
    """Draws in the data's units, the best first: those whose hidden variables, driven by the data, say what these do.

    Parameters
    ----------
    search : bounds and starts are those of the parameters that are estimated
    samples : with channels for the hidden variables
    """
    rng = np.random.default_rng(search.seed)
    statement, coordinates = law.statement, cast(Coordinates, law.coordinates)
    units = np.array(coordinates.units)
    values = np.stack([_values(search, statement, units, rng, first=i == 0) for i in range(DRAWS)])
    sizes = 10 ** rng.uniform(-SPREAD, SPREAD / 2, (DRAWS, len(statement.hidden)))
    hidden = np.where(rng.uniform(size=sizes.shape) < 0.5, -sizes, sizes)
    hidden[0] = 1.0
    hidden[: DRAWS // 2] = np.abs(hidden[: DRAWS // 2])  # what is hidden is mostly an amount
    grid = _Grid.of(samples)
    values, costs = _judged(search, law, grid, values, hidden)
    order = np.argsort(costs, kind="stable")
    return [
        Draw(coordinates.inward(values[i]), hidden[i], float(costs[i])) for i in order if np.isfinite(costs[i])
    ] or [Draw(coordinates.inward(v), h, np.inf) for v, h in zip(values, hidden, strict=True)]


def _values(
    search: Search, statement: HiddenStatement, units: Array, rng: np.random.Generator, *, first: bool
) -> Array:
    """Parameters at random around their units; the first draw is at the units themselves."""
    spread = 0.0 if first else 1.0
    low, high = np.log(EXPONENTS)
    values = units * 10 ** (spread * rng.uniform(-SPREAD, SPREAD, len(units)))
    signs = np.where(rng.uniform(size=len(units)) < 0.5 * spread, -1.0, 1.0)
    for i, (name, (least, most)) in enumerate(zip(statement.parameters, search.bounds, strict=True)):
        if name in statement.exponents:
            values[i] = np.exp(0.5 * (low + high) + spread * rng.uniform(-0.5, 0.5) * (high - low))
        elif least < 0:
            values[i] *= signs[i]
        if name in search.starts:
            values[i] = search.starts[name]
        elif not least < values[i] < most:
            share = float(rng.uniform(0.02, 0.98))
            both = np.isfinite(least) and np.isfinite(most)
            inside = least + share * ((most - least) if both else units[i])
            values[i] = inside if np.isfinite(least) else most - share * units[i]
    return values


@dataclass(frozen=True, eq=False)
class _Grid:
    """Signals (run, node, feature) and times (run, node), scaled, of some runs."""

    signals: Array
    times: Array
    weights: Array

    @classmethod
    def of(cls, samples: Samples) -> _Grid:
        runs = np.unique(np.rint(np.linspace(0, samples.n_runs - 1, MOST_RUNS)).astype(np.intp))
        rows = np.rint(np.linspace(0, 1, NODES) * (samples.lengths[runs, None] - 1)).astype(np.intp)
        weights = np.ones(samples.states.shape[2]) if samples.signal_weights is None else samples.signal_weights
        return cls(samples.starts[runs[:, None], rows, :, 0], samples.times[runs[:, None], rows], weights)


def _judged(search: Search, law: HiddenLaw, grid: _Grid, values: Array, hidden: Array) -> tuple[Array, Array]:
    """Draws with the signal's linear parameters at their best, and what increments then leave, (draw,)."""
    draws, runs = len(values), len(grid.times)
    bound = BoundHidden(law, np.repeat(values, runs, axis=0), np.ones((draws * runs, values.shape[1])))
    begun = np.repeat(hidden, runs, axis=0)
    stated, _ = bound.starts()
    begun[:, : stated.shape[1]] = stated
    signals, times = np.tile(grid.signals, (draws, 1, 1)), np.tile(grid.times, (draws, 1))
    begun = np.repeat(begun[:, None], signals.shape[2], axis=1)
    along = driven(bound.rhs, signals, times, begun)
    linear = _linear(search, law)
    without = values.copy()
    without[:, linear] = 0.0
    slopes, rest = _integrals(law, np.repeat(without, runs, axis=0), along, times, linear)
    increments = signals[:, SPANS:] - signals[:, :-SPANS]
    root = np.sqrt(grid.weights)[:, None]
    target = (root[:, 0] * (increments - rest)).reshape(draws, -1)
    matrix = (root * slopes).reshape(*target.shape, len(linear))
    found, costs = values.copy(), np.full(draws, np.inf)
    low, high = np.array(search.bounds).T
    for i in np.flatnonzero(np.isfinite(matrix).all(axis=(1, 2)) & np.isfinite(target).all(axis=1)):
        theta = _regressed(matrix[i], target[i], low[linear], high[linear], values[i, linear])
        found[i, linear] = theta
        costs[i] = float(np.sum((target[i] - matrix[i] @ theta) ** 2))
    return found, costs


def _linear(search: Search, law: HiddenLaw) -> list[int]:
    """Where the parameters are that only the signal's equation has, linearly, and that no start is given of."""
    names, equations = law.statement.parameters, law.statement.equations
    elsewhere = {name for equation in equations[1:] for name in equation.parameters}
    own = [equations[0].parameters[i] for i in derivatives_of(equations[0]).linear]
    return [names.index(n) for n in own if n in names and n not in elsewhere and n not in search.starts]


def _integrals(
    law: HiddenLaw, without: Array, along: Array, times: Array, linear: Sequence[int]
) -> tuple[Array, Array]:
    """Over spans of nodes: integrals of the linear parameters' slopes (…, linear), and of the rest."""
    nodes = times.shape[1]
    flat = np.ascontiguousarray(along.reshape(-1, *along.shape[2:]))
    bound = BoundHidden(law, np.repeat(without, nodes, axis=0), np.ones((len(flat), without.shape[1])))
    found = bound.parts[0].sensitivity(flat, times.ravel())
    own = law.parts[0].statement.parameters
    columns = [own.index(law.statement.parameters[i]) for i in linear]
    shape = (*along.shape[:3], -1)
    slopes = found.terms()[..., columns].reshape(shape)
    rest = found.value[..., :1].reshape(shape)
    both = np.concatenate([slopes, rest], axis=-1)
    areas = 0.5 * np.diff(times, axis=1)[..., None, None] * (both[:, 1:] + both[:, :-1])
    total = np.concatenate([np.zeros_like(both[:, :1]), np.cumsum(areas, axis=1)], axis=1)
    over = total[:, SPANS:] - total[:, :-SPANS]
    return over[..., :-1], over[..., -1]


def _regressed(matrix: Array, target: Array, low: Array, high: Array, otherwise: Array) -> Array:
    """Least squares; what leaves its bounds stays as it was drawn, and the others are found again."""
    free, theta = np.ones(len(otherwise), dtype=bool), otherwise.copy()
    while free.any():
        own = matrix[:, free]
        norms = np.linalg.norm(own, axis=0)
        norms = np.where(norms > 0, norms, 1.0)
        scaled = own / norms
        hessian = scaled.T @ scaled + LEAST * np.eye(len(norms))
        theta[free] = np.linalg.solve(hessian, scaled.T @ (target - matrix[:, ~free] @ theta[~free])) / norms
        outside = free & ~((theta > low) & (theta < high))
        if not outside.any():
            break
        theta[outside] = otherwise[outside]
        free &= ~outside
    return theta
