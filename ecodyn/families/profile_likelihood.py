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
from ecodyn.formulas.searching import scaled_law
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
LONGEST_FIRST = 1.0  # of a coordinate, towards a bound that is nearer than the interval's end: a factor of e
SHORTER = 0.3  # share of a step after one whose rollouts diverge, for the step may have been too long for the others
MOST_SHORTENED = 4  # times a side, down to a hundredth of the step
FLAT, FLAT_STEPS = 0.01, 3  # share of the limit that t changes by less than, and for how many steps: it won't end
FAR_ENOUGH = 1.5  # times the t at which the interval ends: a side is then done
LEAP, MOST_BETWEEN = 1.5, 6  # times the limit between two points that the end lies between, and points put there
WHOLE = (1.0,)  # rollouts over the whole window
TOLD, OPEN, DIVERGING = "told", "open", "diverging"  # what a side of a profile is


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
        Ends of the 95 % interval; the parameter's bound, or infinite without one, on a side that has no end.
    limit : float
        t at which it ends.
    sides : (str, str)
        Of the lower and the upper one: "told" where t passes the limit, "open" where it stays below, "diverging" where
        rollouts diverge before.

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
    sides: tuple[str, str]

    @property
    def told(self) -> bool:
        """Whether the data tell the parameter from both sides."""
        return self.sides == (TOLD, TOLD)

    @property
    def sentence(self) -> str:
        """The interval in words, or on which side there is none."""
        between = f"{self.parameter} = {self.estimate:.4g}, by its profile {self.low:.4g} to {self.high:.4g} (95 %)"
        found = tuple(zip(("below", "above"), self.sides, (self.values[0], self.values[-1]), strict=True))
        sides = [side for side, what, _ in found if what == OPEN]
        notes = [f"the data do not bound it from {' and '.join(sides)}"] if sides else []
        ends = [f"{value:.4g} {side}" for side, what, value in found if what == DIVERGING]
        notes += [f"rollouts diverge beyond {' and '.join(ends)}, before the data tell an end there"] if ends else []
        return f"{between}: {'; '.join(notes)}" if notes else between


@dataclass(frozen=True, eq=False)
class _Surface:
    """The squares of rollouts over the whole window as a function of the coordinates, one of them held."""

    law: FormulaLaw
    coordinates: Coordinates
    samples: Samples
    options: dict[str, object]

    def at(self, coordinates: Array, held: int | None) -> tuple[ShootingResult, Array]:
        """What shooting finds with one coordinate held, and all coordinates there."""
        law = replace(self.law, coordinates=self.coordinates.from_origin(coordinates))
        free, options = np.ones((1, len(coordinates)), dtype=bool), self.options
        if held is not None and len(coordinates) > 1:
            free[0, held] = False
        elif held is not None:  # none is free: what its rollouts leave is all there is to find
            options = {**options, "max_iterations": 0}
        result = shoot(law, self.samples, np.zeros((1, len(coordinates))), mask=free, **options)  # type: ignore[arg-type]
        return result, coordinates + result.coefficients[0]

    @staticmethod
    def t(result: ShootingResult, best: ShootingResult, scale: float) -> float:
        """How much worse a result is than the best one, in standard errors."""
        return float(np.sqrt(max(0.0, result.squares - best.squares) * scale))

    def first_step(self, optimum: Array, index: int, width: float) -> float:
        """A share of the interval's half width, as far as that goes in the parameter itself.

        Near a bound, and where there is little to tell a parameter, it would be many orders of magnitude in the
        coordinate, and rollouts would diverge there.
        """
        target = self.coordinates.outward(optimum)
        width *= FIRST_STEP
        target[index] += width * self.coordinates.slopes(optimum)[index]
        low, high = self.coordinates.bounds[index]
        longest = LONGEST_FIRST
        if low < target[index] < high:
            longest = abs(float(self.coordinates.inward(target)[index] - optimum[index]))
        return float(np.copysign(min(abs(width), longest), width))


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
    units = units_of(statement, samples.scales.ravel(), samples.time_scale, exponents, samples.input_scales)
    coordinates = Coordinates(tuple(bounds), tuple(units.tolist()))
    law = scaled_law(statement, model.law.columns, samples)
    surface = _Surface(law, coordinates, samples, {**options, "stages": WHOLE})
    result, optimum = surface.at(coordinates.inward(fitted), None)
    if not _whole(result):
        raise UnusableDataError("expected rollouts that follow the data, got ones that diverge: there is no profile")
    runs, scale, error = _scatter(result, samples, index)
    from scipy.stats import t as student

    limit = float(student.ppf(0.5 + INTERVAL_LEVEL / 2, runs - 1))
    width = limit * max(error, LEAST_ERROR)
    sides = [_side(surface, result, optimum, index, sign * width, (scale, limit)) for sign in (-1.0, 1.0)]
    points = [*reversed(sides[0]), (optimum, 0.0), *sides[1]]
    values = np.array([coordinates.outward(point) for point, _ in points])
    t = np.array([each for _, each in points])
    middle, (least, most) = len(sides[0]), bounds[index]
    low, below = _end(values[: middle + 1, index][::-1], t[: middle + 1][::-1], limit, least)
    high, above = _end(values[middle:, index], t[middle:], limit, most)
    return Profile(
        parameter=parameter,
        values=values[:, index],
        t=t,
        parameters={n: values[:, i] for i, n in enumerate(statement.parameters) if i != index},
        estimate=float(values[middle, index]),
        low=low,
        high=high,
        limit=limit,
        sides=(below, above),
    )


def _whole(result: ShootingResult) -> bool:
    """Whether rollouts go on over the whole window."""
    return bool(result.reached >= WHOLE[-1] and np.isfinite(result.squares))


def _scatter(result: ShootingResult, samples: Samples, index: int) -> tuple[int, float, float]:
    """Number of independent runs, what turns squares into t², and the parameter's standard error."""
    hessians, gradients = samples.by_cluster(result.hessians), samples.by_cluster(result.gradients)
    runs = len(gradients)
    if runs < 2:
        raise UnusableDataError(f"expected at least 2 independent runs to tell scatter from, got {runs}")
    hessian = hessians.sum(axis=0)
    # To a diagonal of ones: coordinates near a bound have next to no slope, and must not count as none.
    size = np.sqrt(np.diagonal(hessian))
    size = np.where(size > 0, size, 1.0)
    gradients = gradients / size
    inverse = np.linalg.pinv(hessian / np.outer(size, size), hermitian=True)
    variance = float((inverse @ (gradients.T @ gradients * runs / (runs - 1)) @ inverse)[index, index])
    least = np.finfo(float).eps ** 2 * float(inverse[index, index])  # of exact data, whose runs agree to rounding
    variance = max(variance, least)
    if not variance > 0:
        raise UnusableDataError(
            "expected a parameter that rollouts depend on, got one that they do not depend on at its estimate; if that "
            "is at a bound, give it a wider one"
        )
    return runs, float(inverse[index, index]) / variance, float(np.sqrt(variance) / size[index])


def _side(
    surface: _Surface, best: ShootingResult, optimum: Array, index: int, width: float, scale: tuple[float, float]
) -> list[tuple[Array, float]]:
    """Points from the optimum outwards, each begun from the one before, until it is far enough."""
    found: list[tuple[Array, float]] = []
    point, step = optimum, surface.first_step(optimum, index, width)
    shortened = flat = 0
    before = 0.0
    while len(found) < MOST_STEPS:
        trial = point.copy()
        trial[index] += step
        result, trial = surface.at(trial, index)
        if not _whole(result):
            shortened += 1
            if shortened > MOST_SHORTENED:
                found.append((trial, np.inf))
                break
            step *= SHORTER
            continue
        point, t = trial, surface.t(result, best, scale[0])
        found.append((point, t))
        flat = flat + 1 if abs(t - before) <= FLAT * scale[1] else 0
        if t > FAR_ENOUGH * scale[1] or flat == FLAT_STEPS:
            break
        before, step = t, step * GROWTH
    return _narrowed(surface, best, optimum, index, found, scale)


def _narrowed(
    surface: _Surface,
    best: ShootingResult,
    optimum: Array,
    index: int,
    found: list[tuple[Array, float]],
    scale: tuple[float, float],
) -> list[tuple[Array, float]]:
    """The same with points between those where t leaps past the limit, for its end is had linearly from these."""
    points = [(optimum, 0.0), *found]
    for _ in range(MOST_BETWEEN):
        after = next((i for i, (_, t) in enumerate(points) if t > scale[1]), None)
        if after is None or not LEAP * scale[1] < points[after][1] - points[after - 1][1] < np.inf:
            break
        trial = points[after - 1][0].copy()
        trial[index] = 0.5 * (trial[index] + points[after][0][index])
        result, trial = surface.at(trial, index)
        if not _whole(result):
            break
        points.insert(after, (trial, surface.t(result, best, scale[0])))
    return points[1:]


def _end(values: Array, t: Array, limit: float, bound: float) -> tuple[float, str]:
    """Where t passes the limit, from the optimum outwards, between two points linearly; the bound if it does not."""
    beyond = np.flatnonzero(t > limit)
    if not len(beyond):
        return bound, OPEN
    after = int(beyond[0])
    if not np.isfinite(t[after]):
        return bound, DIVERGING
    share = (limit - t[after - 1]) / (t[after] - t[after - 1])
    return float(values[after - 1] + share * (values[after] - values[after - 1])), TOLD
