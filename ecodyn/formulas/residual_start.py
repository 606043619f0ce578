"""Where a hidden network may begin: regressions on derivatives that splines through the data have.

ẋ = v, v̇ = b + a x + k v + means + Σⱼ uⱼ tanh(pⱼ + qⱼ x + sⱼ v + rⱼ x̄), or with w = v̇ an equation of ẇ. Where a smooth
curve goes through the data, so do v and w, if roughly; increments of the last of them are then matched by integrals of
the right-hand side. For given units it is a regression, and all units are refined together by Gauss-Newton. Rollouts
begin from the best few, and find for themselves what is hidden.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ecodyn.arrays import Array
from ecodyn.errors import UnusableDataError
from ecodyn.estimation.samples import Samples
from ecodyn.formulas.transforms import Bounds

__all__ = ["ResidualForm", "ResidualStart", "bounds_of_units", "residual_starts"]

DRAWS = 60  # of the units: each is a regression of a few dozen columns
REFINED, STEPS = 6, 60  # of the best draws, and Gauss-Newton's steps for each
MOST_ROWS = 3000  # increments, evenly among all: hundreds for each of two dozen parameters
SPAN = 3  # stored steps that an increment is over: derivatives of splines through noise are worse over one
FEWEST = 6  # steps of a run, for a cubic and what varies about it
# Of a unit, in standard deviations of what it sees: steeper ones are steps that no rollout's slope tells from others,
# flatter than a tenth it is the linear part's.
STEEPEST, DRAWN = 4.0, (0.3, 2.0)
HIGHEST = 20.0  # of a unit's height, in root mean squares of the derivative: beyond, units cancel one another
RIDGE = 1e-8  # relative: a unit may be all but linear


@dataclass(frozen=True)
class ResidualForm:
    """Which parameters the law has.

    Attributes
    ----------
    linear : names of those of 1, the channels and, if there are means, of these
    units : for each unit its height, its offset, and its slopes by the channels and the mean signal
    hidden : number of hidden channels
    means : whether features see means
    """

    linear: tuple[str, ...]
    units: tuple[tuple[str, ...], ...]
    hidden: int
    means: bool


@dataclass(frozen=True, eq=False)
class ResidualStart:
    """Parameters by name, and where hidden channels begin (run, feature, hidden), in the data's units."""

    parameters: dict[str, float]
    hidden: Array


@dataclass(frozen=True, eq=False)
class _Paths:
    """What a spline says of the data, in their units.

    Attributes
    ----------
    inputs : (increment, node, input), of the linear part but for the 1: channels, and their means
    weights : (increment, node), of the integral over a span
    increments : (increment,)
    hidden : (run, feature, hidden), at the runs' first steps
    """

    inputs: Array
    weights: Array
    increments: Array
    hidden: Array

    @classmethod
    def of(cls, samples: Samples, form: ResidualForm) -> _Paths:
        from scipy.interpolate import CubicSpline

        pieces, first = [], []
        for run, n in enumerate(samples.lengths.tolist()):
            if n < FEWEST:
                raise UnusableDataError(
                    f"expected at least {FEWEST} complete steps in each run to tell a derivative from, got one of {n}; "
                    "leave that run out or widen the window"
                )
            t = samples.times[run, :n] * samples.time_scale
            curve = CubicSpline(t, samples.starts[run, :n, :, 0] * np.ravel(samples.scales)[0])
            states = np.stack([curve(t, order) for order in range(1 + form.hidden)], axis=-1)
            first.append(states[0, :, 1:])
            pieces.append(_increments(states, t, form.means))
        inputs, weights, increments = (np.concatenate(parts) for parts in zip(*pieces, strict=True))
        kept = np.unique(np.rint(np.linspace(0, len(increments) - 1, MOST_ROWS)).astype(np.intp))
        return cls(inputs[kept], weights[kept], increments[kept], np.array(first))

    @cached_property
    def mean(self) -> Array:
        """Of each input."""
        return np.asarray(self.inputs.mean(axis=(0, 1)))

    @cached_property
    def spread(self) -> Array:
        """Standard deviation of each input, 1 where it does not vary."""
        found = self.inputs.std(axis=(0, 1))
        return np.where(found > 0, found, 1.0)

    @property
    def rate(self) -> float:
        """Root mean square of what the equation gives."""
        span = self.weights.sum(axis=1)
        rate = float(np.sqrt(np.mean((self.increments / np.where(span > 0, span, 1.0)) ** 2)))
        return rate if rate > 0 else 1.0

    @cached_property
    def standard(self) -> Array:
        """Inputs of mean 0 and deviation 1."""
        return (self.inputs - self.mean) / self.spread


def _increments(states: Array, t: Array, means: bool) -> tuple[Array, Array, Array]:
    """Inputs (row, node, input), weights (row, node) and increments (row,) over spans, a row for each feature."""
    steps, features, channels = states.shape
    span = min(SPAN, steps - 1)
    starts = np.arange(steps - span)
    nodes = starts[:, None] + np.arange(span + 1)
    if means:
        states = np.concatenate([states, np.broadcast_to(states.mean(axis=1, keepdims=True), states.shape)], axis=2)
    gaps = np.diff(t[nodes], axis=1)
    weights = 0.5 * (np.pad(gaps, ((0, 0), (1, 0))) + np.pad(gaps, ((0, 0), (0, 1))))
    increments = states[starts + span, :, channels - 1] - states[starts, :, channels - 1]
    rows = states[nodes].swapaxes(1, 2).reshape(-1, span + 1, states.shape[2])
    return rows, np.repeat(weights, features, axis=0), increments.reshape(-1)


class _Fit:
    """Matched increments of a form, its units in standard coordinates: slopes, then an offset."""

    def __init__(self, paths: _Paths, form: ResidualForm) -> None:
        self.paths, self.form = paths, form
        self.seen = paths.standard[..., : form.hidden + 1 + form.means]  # of the means only that of the signal
        ones = np.ones((*paths.inputs.shape[:2], 1))
        self.linear = np.einsum("in,inc->ic", paths.weights, np.concatenate([ones, paths.standard], axis=2))
        self.target = paths.increments / paths.rate

    def columns(self, inner: Array) -> Array:
        """Integrals of the linear part and of units (unit, slope + offset)."""
        units = np.tanh(self.seen @ inner[:, :-1].T + inner[:, -1])
        return np.concatenate([self.linear, np.einsum("in,inu->iu", self.paths.weights, units)], axis=1)

    def regressed(self, inner: Array) -> tuple[Array, float]:
        """The linear part and heights of units at their best, and what is left."""
        matrix = self.columns(inner)
        norms = np.linalg.norm(matrix, axis=0)
        scaled = matrix / np.where(norms > 0, norms, 1.0)
        hessian = scaled.T @ scaled + RIDGE * np.eye(len(norms))
        outer = np.linalg.solve(hessian, scaled.T @ self.target) / np.where(norms > 0, norms, 1.0)
        return outer, float(np.sum((self.target - matrix @ outer) ** 2))

    def drawn(self, rng: np.random.Generator) -> Array:
        """Units that turn somewhere among the data, (unit, slope + offset)."""
        count, size = len(self.form.units), self.seen.shape[2]
        slopes = rng.normal(size=(count, size))
        slopes *= rng.uniform(*DRAWN, (count, 1)) / np.linalg.norm(slopes, axis=1, keepdims=True)
        at = self.seen[rng.integers(len(self.seen), size=count), 0]
        return np.concatenate([slopes, -np.sum(slopes * at, axis=1, keepdims=True)], axis=1)

    def refined(self, inner: Array, outer: Array) -> tuple[Array, Array, float]:
        """All of them by Gauss-Newton within bounds: slopes under the steepest, heights above 0."""
        from scipy.optimize import least_squares

        fixed, count = self.linear.shape[1], len(inner)
        signs = np.where(outer[fixed:] < 0, -1.0, 1.0)
        heights = np.clip(np.abs(outer[fixed:]), 1e-3, 0.5 * HIGHEST)
        start = np.concatenate([outer[:fixed], heights, (inner * signs[:, None]).ravel()])
        top = np.concatenate([np.full(fixed, np.inf), np.full(count, HIGHEST), _steepest(inner)])
        low = np.concatenate([np.full(fixed, -np.inf), np.zeros(count), -_steepest(inner)])

        def residual(theta: Array) -> Array:
            return self.columns(theta[fixed + count :].reshape(inner.shape)) @ theta[: fixed + count] - self.target

        found = least_squares(residual, start, self._slopes(fixed, inner.shape), (low, top), max_nfev=STEPS)
        theta = found.x
        return theta[fixed + count :].reshape(inner.shape), theta[: fixed + count], 2 * float(found.cost)

    def _slopes(self, fixed: int, shape: tuple[int, ...]) -> object:
        def jacobian(theta: Array) -> Array:
            count = shape[0]
            inner = theta[fixed + count :].reshape(shape)
            turned = 1 - np.tanh(self.seen @ inner[:, :-1].T + inner[:, -1]) ** 2
            turned = turned * self.paths.weights[..., None] * theta[fixed : fixed + count]
            by_slopes = np.einsum("inu,inc->iuc", turned, self.seen)
            by_inner = np.concatenate([by_slopes, turned.sum(axis=1)[..., None]], axis=2)
            return np.concatenate([self.columns(inner), by_inner.reshape(len(turned), -1)], axis=1)

        return jacobian

    def parameters(self, inner: Array, outer: Array) -> dict[str, float]:
        """By name, in the data's units."""
        paths, form = self.paths, self.form
        slopes = outer[1 : self.linear.shape[1]] * paths.rate / paths.spread
        constant = outer[0] * paths.rate - float(slopes @ paths.mean)
        found = dict(zip(form.linear, [constant, *slopes.tolist()], strict=True))
        seen = self.seen.shape[2]
        for names, unit, height in zip(form.units, inner, outer[self.linear.shape[1] :], strict=True):
            steep = unit[:-1] / paths.spread[:seen]
            offset = float(unit[-1] - steep @ paths.mean[:seen])
            found |= dict(zip(names, [float(height) * paths.rate, offset, *steep.tolist()], strict=True))
        return found


def _steepest(inner: Array) -> Array:
    """The largest size of each slope, and none of an offset, one unit's after the other's."""
    return np.tile(np.append(np.full(inner.shape[1] - 1, STEEPEST), np.inf), len(inner))


def bounds_of_units(samples: Samples, form: ResidualForm) -> dict[str, Bounds]:
    """Bounds of the units' heights and slopes: those that data can tell; offsets and the linear part are free."""
    paths = _Paths.of(samples, form)
    found: dict[str, Bounds] = {}
    for height, _, *slopes in form.units:
        found[height] = (0.0, HIGHEST * paths.rate)
        for name, spread in zip(slopes, paths.spread, strict=False):
            found[name] = (-STEEPEST / float(spread), STEEPEST / float(spread))
    return found


def residual_starts(samples: Samples, form: ResidualForm, count: int, seed: int) -> list[ResidualStart]:
    """The best few starts that differ, and one at which units are next to nothing: the linear law."""
    paths = _Paths.of(samples, form)
    fit, rng = _Fit(paths, form), np.random.default_rng(seed)
    draws = [fit.drawn(rng) for _ in range(DRAWS)]
    judged = sorted(((*fit.regressed(inner), i) for i, inner in enumerate(draws)), key=lambda one: (one[1], one[2]))
    refined = sorted((fit.refined(draws[i], outer) for outer, _, i in judged[:REFINED]), key=lambda one: one[2])
    alone = np.linalg.lstsq(fit.linear, fit.target, rcond=None)[0]
    linear = np.concatenate([alone, np.full(len(form.units), 1e-3)])
    chosen: Sequence[tuple[Array, Array]] = [(inner, outer) for inner, outer, _ in refined[:count]]
    return [ResidualStart(fit.parameters(*one), paths.hidden) for one in (*chosen, (draws[0], linear))]
