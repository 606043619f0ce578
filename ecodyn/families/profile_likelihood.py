"""Profiles: how much worse a law gets as one parameter is held elsewhere and all others follow.

The drop is measured by the scatter over runs (Chandler and Bate 2007, Biometrika 94): with S the squares of rollouts,
H their Hessian and V the covariance of the estimates over runs, t² = (S(θ) − S(θ̂))·(H⁻¹)ₖₖ/Vₖₖ, which is the square of
the parameter's own t near the optimum, and stays true where S is no parabola.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ecodyn.arrays import Array
from ecodyn.errors import UnusableDataError
from ecodyn.estimation import Samples, ShootingResult, shoot
from ecodyn.formulas.law import FormulaLaw
from ecodyn.formulas.transforms import Bounds, Coordinates
from ecodyn.formulas.units import units_of
from ecodyn.statistics.intervals import INTERVAL_LEVEL

if TYPE_CHECKING:
    from ecodyn.families.formula_model import FormulaModel

__all__ = ["Profile", "profile_of"]

FIRST_STEP = 0.5  # of the interval's half width, between the first points of a side
LEAST_ERROR = 1e-3  # of a coordinate, which is of order one: where runs agree better, steps would be lost in rounding
GROWTH = 1.4  # of the steps from there on: an open side is then seen to be open within a few
MOST_STEPS = 12  # a side
FAR_ENOUGH = 1.5  # times the t at which the interval ends: a side is then done
WHOLE = (1.0,)  # rollouts over the whole window


@dataclass(frozen=True, kw_only=True)
class Profile:
    """The profile of one parameter.

    Attributes
    ----------
    parameter : str
    values : array (point,), of the parameter, rising
    t : array (point,), how much worse each is, in standard errors; infinite where rollouts diverge
    parameters : dict of the other parameters' values (point,) at their optimum there
    estimate : float
    low, high : float
        Ends of the 95 % interval; infinite (or at a bound) where the profile stays below the limit.
    limit : float
        t at which it ends.

    Examples
    --------
    >>> import numpy as np
    >>> from ecodyn import Formula
    >>> starts = np.linspace(0.1, 0.5, 6)
    >>> runs = [2 / (1 + (2 / s - 1) * np.exp(-0.2 * np.arange(40.0)[:, None])) for s in starts]
    >>> noise = np.random.default_rng(0).normal(0, 0.01, (6, 40, 1))
    >>> profile = Formula("r*x*(1 - x/K)", positive="all").profile("K", list(np.array(runs) + noise))
    >>> bool(profile.low < 2 < profile.high)
    True
    """

    parameter: str
    values: Array
    t: Array
    parameters: dict[str, Array]
    estimate: float
    low: float
    high: float
    limit: float

    @property
    def told(self) -> bool:
        """Whether the data tell the parameter from both sides."""
        return bool(np.isfinite([self.low, self.high]).all())

    @property
    def sentence(self) -> str:
        """The interval in words, or on which side there is none."""
        between = f"{self.parameter} = {self.estimate:.4g}, by its profile {self.low:.4g} to {self.high:.4g} (95 %)"
        if self.told:
            return between
        sides = [side for side, end in (("below", self.low), ("above", self.high)) if not np.isfinite(end)]
        return f"{between}: the data do not bound it from {' and '.join(sides)}"


@dataclass(frozen=True, eq=False)
class _Surface:
    """The squares of rollouts as a function of the coordinates, one of them held."""

    law: FormulaLaw
    coordinates: Coordinates
    samples: Samples
    options: dict[str, object]

    def at(self, coordinates: Array, held: int | None) -> tuple[ShootingResult, Array]:
        """What shooting finds with one coordinate held, and all coordinates there."""
        law = replace(self.law, coordinates=self.coordinates.from_origin(coordinates))
        free = np.ones((1, len(coordinates)), dtype=bool)
        if held is not None:
            free[0, held] = False
        result = shoot(law, self.samples, np.zeros((1, len(coordinates))), mask=free, **self.options)  # type: ignore[arg-type]
        return result, coordinates + result.coefficients[0]


def profile_of(
    model: FormulaModel, samples: Samples, bounds: Sequence[Bounds], parameter: str, options: dict[str, object]
) -> Profile:
    """The profile of a fitted formula's parameter on the samples that it was fitted to.

    Raises
    ------
    UnusableDataError
        There is one run only, whose scatter can't be had, or its rollouts diverge.
    """
    statement = model.statement
    index = statement.parameters.index(parameter)
    fitted = np.array([model.parameters[name] for name in statement.parameters])
    exponents = {n: v for n, v in model.parameters.items() if n in statement.exponents}
    units = units_of(statement, samples.scales.ravel(), samples.time_scale, exponents)
    coordinates = Coordinates(tuple(bounds), tuple(units.tolist()))
    law = replace(model.law, scales=tuple(samples.scales.ravel().tolist()), time_scale=samples.time_scale)
    surface = _Surface(law, coordinates, samples, {**options, "stages": WHOLE})
    result, optimum = surface.at(coordinates.inward(fitted), None)
    if not result.reached:
        raise UnusableDataError("expected rollouts that follow the data, got ones that diverge: there is no profile")
    runs, scale, error = _scatter(result, samples, index)
    from scipy.stats import t as student

    limit = float(student.ppf(0.5 + INTERVAL_LEVEL / 2, runs - 1))
    width = limit * max(error, LEAST_ERROR)
    sides = [_side(surface, result, optimum, index, sign * width, (scale, limit)) for sign in (-1.0, 1.0)]
    points = [*reversed(sides[0]), (optimum, 0.0), *sides[1]]
    values = np.array([coordinates.outward(point) for point, _ in points])
    t = np.array([each for _, each in points])
    middle = len(sides[0])
    low = _end(values[: middle + 1, index][::-1], t[: middle + 1][::-1], limit, -np.inf)
    return Profile(
        parameter=parameter,
        values=values[:, index],
        t=t,
        parameters={n: values[:, i] for i, n in enumerate(statement.parameters) if i != index},
        estimate=float(values[middle, index]),
        low=low,
        high=_end(values[middle:, index], t[middle:], limit, np.inf),
        limit=limit,
    )


def _scatter(result: ShootingResult, samples: Samples, index: int) -> tuple[int, float, float]:
    """Number of independent runs, what turns squares into t², and the parameter's standard error."""
    hessians, gradients = samples.by_cluster(result.hessians), samples.by_cluster(result.gradients)
    runs = len(gradients)
    if runs < 2:
        raise UnusableDataError(f"expected at least 2 independent runs to tell scatter from, got {runs}")
    inverse = np.linalg.pinv(hessians.sum(axis=0), hermitian=True)
    variance = float((inverse @ (gradients.T @ gradients * runs / (runs - 1)) @ inverse)[index, index])
    least = np.finfo(float).eps ** 2 * float(inverse[index, index])  # of exact data, whose runs agree to rounding
    variance = max(variance, least)
    return runs, float(inverse[index, index]) / variance, float(np.sqrt(variance))


def _side(
    surface: _Surface, best: ShootingResult, optimum: Array, index: int, width: float, scale: tuple[float, float]
) -> list[tuple[Array, float]]:
    """Points from the optimum outwards, each begun from the one before, until it is far enough."""
    found: list[tuple[Array, float]] = []
    point, step = optimum, FIRST_STEP * width
    for _ in range(MOST_STEPS):
        point = point.copy()
        point[index] += step
        result, point = surface.at(point, index)
        if not result.reached or not np.isfinite(result.squares):
            found.append((point, np.inf))
            break
        t = float(np.sqrt(max(0.0, result.squares - best.squares) * scale[0]))
        found.append((point, t))
        if t > FAR_ENOUGH * scale[1]:
            break
        step *= GROWTH
    return found


def _end(values: Array, t: Array, limit: float, open_end: float) -> float:
    """Where t passes the limit, from the optimum outwards; between two points linearly."""
    beyond = np.flatnonzero(t > limit)
    if not len(beyond):
        return open_end
    after = int(beyond[0])
    if not np.isfinite(t[after]):
        return float(values[after])
    share = (limit - t[after - 1]) / (t[after] - t[after - 1])
    return float(values[after - 1] + share * (values[after] - values[after - 1]))
