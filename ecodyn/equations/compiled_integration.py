"""The guarded adaptive solver of `ecodyn.rollouts.integration` over tapes, compiled, each member on its own.

The same method, step controller, interpolant, guards and budget: only the last digits differ.
"""

from __future__ import annotations

import numpy as np

from ecodyn.arrays import Array
from ecodyn.equations.compiled import Rooms, slopes_of
from ecodyn.equations.tape import Places, Tape
from ecodyn.rollouts.integration import BUDGET_OF_A_STEP, ERROR, FLOOR, GROW, INTERPOLANT, SAFETY, SHRINK, STAGES, STUCK
from ecodyn.runtime.compiling import compiled

__all__ = ["DIVERGED", "FINE", "NOT_FINITE", "SPENT", "integrate_tape", "workspace"]

FINE, DIVERGED, NOT_FINITE, SPENT = 0, 1, 2, 3  # how a rollout ended

MATRIX = np.array([np.pad(row, (0, len(STAGES) - len(row))) for row in STAGES])


def workspace(moving: int, features: int) -> tuple[Array, ...]:
    """Arrays for stages, the interpolant's powers, a state and a new one."""
    state = moving, features
    shapes = ((len(ERROR), *state), (INTERPOLANT.shape[1], *state), state, state)
    return tuple(np.empty(shape) for shape in shapes)


@compiled
def integrate_tape(
    tape: Tape,
    theta: Array,
    x0: Array,
    moving: Places,
    units: Array,
    grid: Array,
    points: Places,
    bound: Array,
    rtol: float,
    budget: int,
    values: Array,
    ended: Places,
    when: Array,
    evaluations: Places,
    spaces: tuple[Array, ...],
    rooms: Rooms,
) -> None:
    """Solutions of all members.

    Parameters
    ----------
    theta : (member or 1, free)
    x0 : starting states (member, channel, feature)
    moving : the channels that are no traits
    units : (member, moving channel, feature), in which errors and what diverged are measured
    grid, points : times (member, point), and how many of them there are
    bound : (member, moving channel, feature), in those units
    values : solutions (member, point, channel, feature), NaN where there are none yet
    ended, when : how each ended, and at what time
    evaluations : of the right-hand side, of each member
    spaces : see `workspace`
    """
    stages, powers, x, new = spaces
    state, size = rooms.at, len(moving) * x0.shape[2]
    for b in range(len(x0)):
        coefficients, unit = theta[b if len(theta) > 1 else 0], units[b]
        for c in range(x0.shape[1]):
            for f in range(x0.shape[2]):
                state[c, f] = x0[b, c, f]
        square = 0.0
        for m in range(len(moving)):
            for f in range(x0.shape[2]):
                x[m, f] = x0[b, moving[m], f] / unit[m, f]
                square += x[m, f] ** 2
        floor = FLOOR * np.sqrt(square / size) + 1e-300
        t, end, recorded = grid[b, 0], grid[b, points[b] - 1], 1
        _evaluate(tape, coefficients, x, unit, moving, rooms, stages[0])
        evaluations[b] = 1
        ended[b] = FINE if t >= end or (_finite(x) and _finite(stages[0])) else NOT_FINITE
        speed, extent = np.sqrt(_squares(stages[0]) / size), np.sqrt(square / size) + floor
        h = 0.01 * extent / speed
        if not (np.isfinite(h) and 0 < h < end - t):
            h = end - t
        while ended[b] == FINE and t < end:
            if evaluations[b] + BUDGET_OF_A_STEP > budget:
                ended[b] = SPENT
                break
            h = min(h, end - t)
            for stage in range(1, len(stages)):
                for m in range(len(new)):
                    for f in range(new.shape[1]):
                        new[m, f] = x[m, f]
                for s in range(stage):
                    share = h * MATRIX[stage - 1, s]
                    for m in range(len(new)):
                        for f in range(new.shape[1]):
                            new[m, f] += share * stages[s, m, f]
                _evaluate(tape, coefficients, new, unit, moving, rooms, stages[stage])
                evaluations[b] += 1
            ratio = _error_ratio(x, new, stages, h, floor, rtol)
            if ratio <= 1.0:
                last = h >= end - t
                reached = end if last else t + h
                if recorded < points[b] and grid[b, recorded] <= reached:
                    _interpolant(stages, powers)
                while recorded < points[b] and grid[b, recorded] <= reached:
                    _interpolated(x, powers, (grid[b, recorded] - t) / h, h, unit, moving, values[b, recorded])
                    recorded += 1
                beyond = False
                for m in range(len(new)):
                    for f in range(new.shape[1]):
                        x[m, f] = new[m, f]
                        stages[0, m, f] = stages[len(stages) - 1, m, f]
                        beyond = beyond or abs(new[m, f]) > bound[b, m, f]
                t = reached
                if beyond:
                    ended[b] = DIVERGED
            elif h <= STUCK * max(abs(t), end - grid[b, 0]):
                ended[b] = DIVERGED if _sums_are_finite(stages) else NOT_FINITE
            factor = SAFETY * ratio**-0.2
            h *= min(max(factor if np.isfinite(factor) else GROW, SHRINK), GROW)
        when[b] = t


@compiled
def _evaluate(tape: Tape, theta: Array, x: Array, unit: Array, moving: Places, rooms: Rooms, out: Array) -> None:
    """ẋ of the moving channels in their units; those of ``rooms.at`` that stand still are left as they are."""
    state, slopes = rooms.at, rooms.slopes
    for m in range(len(moving)):
        for f in range(x.shape[1]):
            state[moving[m], f] = x[m, f] * unit[m, f]
    slopes_of(tape, theta, state, rooms.values[:0], rooms, slopes)  # autonomous: nothing is given
    for m in range(len(moving)):
        for f in range(x.shape[1]):
            out[m, f] = slopes[moving[m], f] / unit[m, f]


@compiled
def _error_ratio(x: Array, new: Array, stages: Array, h: float, floor: float, rtol: float) -> float:
    """Root mean square of the error over what is allowed; infinite where it is not finite."""
    errors, squares = 0.0, 0.0
    for m in range(len(x)):
        for f in range(x.shape[1]):
            error = 0.0
            for s in range(len(stages)):
                error += ERROR[s] * stages[s, m, f]
            errors += (h * error) ** 2
            squares += max(x[m, f] ** 2, new[m, f] ** 2)
    ratio = np.sqrt(errors / x.size) / (rtol * (np.sqrt(squares / x.size) + floor))
    return ratio if np.isfinite(ratio) else np.inf


@compiled
def _interpolant(stages: Array, powers: Array) -> None:
    """q₃, q₂, q₁ and q₀, (power, moving channel, feature), of a step's stages."""
    count = INTERPOLANT.shape[1]
    for p in range(count):
        for m in range(powers.shape[1]):
            for f in range(powers.shape[2]):
                powers[p, m, f] = 0.0
        for s in range(len(stages)):
            share = INTERPOLANT[s, count - 1 - p]
            for m in range(powers.shape[1]):
                for f in range(powers.shape[2]):
                    powers[p, m, f] += share * stages[s, m, f]


@compiled
def _interpolated(x: Array, powers: Array, fraction: float, h: float, unit: Array, moving: Places, out: Array) -> None:
    """x + h θ(q₀ + θ(q₁ + θ(q₂ + θ q₃))) in the channels that move."""
    for m in range(len(x)):
        for f in range(x.shape[1]):
            moved = powers[0, m, f]
            for p in range(1, len(powers)):
                moved = moved * fraction + powers[p, m, f]
            out[moving[m], f] = (x[m, f] + moved * (h * fraction)) * unit[m, f]


@compiled
def _finite(x: Array) -> bool:
    for i in range(len(x)):
        for j in range(x.shape[1]):
            if not np.isfinite(x[i, j]):
                return False
    return True


@compiled
def _squares(x: Array) -> float:
    total = 0.0
    for i in range(len(x)):
        for j in range(x.shape[1]):
            total += x[i, j] ** 2
    return total


@compiled
def _sums_are_finite(stages: Array) -> bool:
    for i in range(stages.shape[1]):
        for j in range(stages.shape[2]):
            total = 0.0
            for s in range(len(stages)):
                total += stages[s, i, j]
            if not np.isfinite(total):
                return False
    return True
