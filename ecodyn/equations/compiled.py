"""Compiled loops over tapes: derivatives, and Runge-Kutta steps of states and sensitivities, with normal equations.

Each is compiled at its first use, which takes seconds, and kept (`ecodyn.runtime.compiling`). Nothing is allocated in
them: without Numba's reference counts, which every view of an array pays for, they take a third of the time.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ecodyn.arrays import Array
from ecodyn.equations.tape import Places, Tape
from ecodyn.runtime.compiling import compiled

__all__ = ["Rooms", "derivatives", "march", "rooms", "slopes_of"]


class Rooms(NamedTuple):
    """Where what is computed on the way is put.

    Attributes
    ----------
    rows, values, weights, blocks : a tape's, (row, feature), (value,), (weight · group,) and (block, feature)
    x, at, slopes, total : a state (channel, feature), where a stage stands, ẋ there, and the sum over stages
    s, s_at, s_slopes, s_total : the same of directions (row, direction); the first two end in the means' rows
    """

    rows: Array
    values: Array
    weights: Array
    blocks: Array
    x: Array
    at: Array
    slopes: Array
    total: Array
    s: Array
    s_at: Array
    s_slopes: Array
    s_total: Array


def rooms(tape: Tape, channels: int, features: int, size: int = 0, count: int = 0) -> Rooms:
    """Rooms for so many rows of directions and so many directions."""
    state, moved = (channels, features), (size + tape.means.shape[1], count)
    shapes: list[tuple[int, ...]] = [(tape.rows, features), (tape.n_values,), (tape.n_weights * tape.groups,)]
    shapes += [(tape.blocks.shape[1], features), state, state, state, state, moved, moved, (size, count), (size, count)]
    return Rooms(*(np.empty(shape) for shape in shapes))


@compiled
def derivatives(tape: Tape, theta: Array, x: Array, given: Array, out: Array, rooms: Rooms) -> None:
    """ẋ of states (member, feature, channel), coefficients (member or 1, free) and what is given (member, value)."""
    at, slopes = rooms.at, rooms.slopes
    for b in range(len(x)):
        for f in range(x.shape[1]):
            for c in range(x.shape[2]):
                at[c, f] = x[b, f, c]
        slopes_of(tape, theta[b if len(theta) > 1 else 0], at, given[b], rooms, slopes)
        for f in range(x.shape[1]):
            for c in range(x.shape[2]):
                out[b, f, c] = slopes[c, f]


@compiled
def march(
    tape: Tape,
    theta: Array,
    x0: Array,
    directions: Array,
    lengths: Array,
    given: Array,
    ends: Places,
    first: int,
    bound: Array,
    path: Array,
    lived: Places,
    observed: Places,
    data: Array,
    weights_of: Array,
    hessian: Array,
    gradient: Array,
    cost: Array,
    rooms: Rooms,
) -> None:
    """Steps of all members through some of the outputs, each until it dies.

    Parameters
    ----------
    theta : (member or 1, free)
    x0, directions : where states (member, channel, feature) and directions (member, row, direction) are, and go to
    lengths : of the steps, (step, member); one of no length is none
    given : values from outside, (stage, member, value), at the beginning, middle and end of each step
    ends : after how many steps each output is due
    first : which of all outputs the first is; 0 is where rollouts begin
    bound : of a member's first channel, beyond which it is dead, where it doesn't begin there
    path : all outputs (member, output, channel, feature), those after a death zero; of no members if none is wanted
    lived : how many outputs each member was alive at; those that weren't at all before these are left alone
    observed : channels, and the first of the rows of directions of each; of no channels if no equations are wanted
    data, weights_of : (member, output, channel, feature)
    hessian, gradient, cost : of each member, the lower triangle of Σ w JJᵀ, Σ w J r and Σ w r², infinite of a dead one
    """
    x, at, slopes, total = rooms.x, rooms.at, rooms.slopes, rooms.total
    s, s_at, s_slopes, s_total = rooms.s, rooms.s_at, rooms.s_slopes, rooms.s_total
    size, count, features = directions.shape[1], directions.shape[2], x0.shape[2]
    for b in range(len(x0)):
        if lived[b] < first:
            continue
        coefficients = theta[b if len(theta) > 1 else 0]
        _copy(x0[b], x)
        _copy(directions[b], s)
        step, k = 0, 0
        while k < len(ends):
            while step < ends[k]:
                h = lengths[step, b]
                if h != 0.0:
                    _copy(x, at)
                    _copy(s, s_at)
                    _clear(total)
                    _clear(s_total)
                    for stage in range(4):
                        seen = given[3 * step + (stage + 1) // 2, b]
                        slopes_of(tape, coefficients, at, seen, rooms, slopes)
                        if count:
                            _moved(tape, coefficients, s_at, rooms, s_slopes)
                        ahead, factor = (h if stage == 2 else 0.5 * h), (2.0 if stage == 1 or stage == 2 else 1.0)
                        _ahead(x, at, slopes, total, ahead, factor)
                        _ahead(s, s_at, s_slopes, s_total, ahead, factor)
                    _close(x, total, h / 6.0)
                    _close(s, s_total, h / 6.0)
                step += 1
            if not _lives(x, s, size, bound[b] if first + k else np.inf):
                break
            if len(path):
                _copy(x, path[b, first + k])
            for c in range(len(observed)):
                channel, row = observed[c]
                cost[b] += _gathered(
                    x[channel],
                    s[row : row + features],
                    data[b, first + k, channel],
                    weights_of[b, first + k, channel],
                    hessian[b],
                    gradient[b],
                )
            k += 1
        lived[b] = first + k
        if k < len(ends) and len(cost):
            cost[b] = np.inf
        _copy(x, x0[b])
        for i in range(size):
            for d in range(count):
                directions[b, i, d] = s[i, d]


@compiled
def slopes_of(tape: Tape, theta: Array, x: Array, given: Array, rooms: Rooms, out: Array) -> None:
    """ẋ (channel, feature) of one member; the tape's rows, values and weights are filled on the way."""
    rows, values, weights = rooms.rows, rooms.values, rooms.weights
    channels, features = x.shape
    for f in range(features):
        rows[0, f] = 1.0
    for c in range(channels):
        for f in range(features):
            rows[1 + c, f] = x[c, f]
    for i in range(tape.products.shape[1]):
        target, one, other = tape.products[0, i], tape.products[1, i], tape.products[2, i]
        for f in range(features):
            rows[target, f] = rows[one, f] * rows[other, f]
    values[0] = 1.0
    for i in range(tape.means.shape[1]):
        row, total = tape.means[1, i], 0.0
        for f in range(features):
            total += rows[row, f]
        values[tape.means[0, i]] = total / features
    for i in range(tape.copied.shape[1]):
        values[tape.copied[0, i]] = x[tape.copied[1, i], tape.copied[2, i]]
    for i in range(len(given)):
        values[tape.given + i] = given[i]
    for i in range(tape.outer.shape[1]):
        values[tape.outer[0, i]] = values[tape.outer[1, i]] * values[tape.outer[2, i]]
    for i in range(len(weights)):
        weights[i] = 0.0
    for i in range(tape.weights.shape[1]):
        first, count, value = tape.weights[0, i], tape.weights[2, i], values[tape.weights[3, i]]
        if count == 1:  # here and in `_moved`: as a part of `_add_run` it took sparse laws up to twice as long
            weights[first] += theta[tape.weights[1, i]] * value
        else:
            _add_run(weights[first : first + count], theta[tape.weights[1, i] :], value)
    _clear(out)
    for i in range(tape.slopes.shape[1]):
        _add(out[tape.slopes[0, i]], tape.groups, weights, tape.slopes[1, i], rows[tape.slopes[2, i]], 1.0)
    if tape.velocity:
        for f in range(features):
            out[0, f] = x[tape.velocity, f]


@compiled
def _moved(tape: Tape, theta: Array, s: Array, rooms: Rooms, out: Array) -> None:
    """Ṡ (row, direction), with the rows, values and weights of `slopes_of`; the means' rows are the last of S."""
    rows, values, weights, blocks = rooms.rows, rooms.values, rooms.weights, rooms.blocks
    size, directions = out.shape
    features = rows.shape[1]
    for i in range(tape.turns.shape[1]):
        first, run, value = tape.turns[0, i], tape.turns[2, i], values[tape.turns[3, i]] * tape.power[i]
        if run == 1:
            weights[first] += theta[tape.turns[1, i]] * value
        else:
            _add_run(weights[first : first + run], theta[tape.turns[1, i] :], value)
    for i in range(size, len(s)):
        for d in range(directions):
            s[i, d] = 0.0
    for i in range(tape.seen.shape[1]):
        mean, begin = size + np.intp(tape.seen[0, i]), np.intp(tape.seen[1, i])
        for f in range(features):
            slope = rows[tape.seen[2, i], f] * tape.slope[i]
            for d in range(directions):
                s[mean, d] += slope * s[begin + f, d]
    for i in range(tape.blocks.shape[1]):
        constant = np.float64(tape.blocks[3, i])
        for f in range(features):
            blocks[i, f] = constant
    for i in range(tape.jacobian.shape[1]):
        block, weight, row = tape.jacobian[0, i], tape.jacobian[1, i], tape.jacobian[2, i]
        _add(blocks[block], tape.groups, weights, weight, rows[row], tape.exponent[i])
    _clear(out)
    for i in range(tape.blocks.shape[1]):
        at, source, each = np.intp(tape.blocks[0, i]), np.intp(tape.blocks[1, i]), np.intp(tape.blocks[2, i])
        for f in range(features):
            slope = blocks[i, f]
            if slope != 0.0:
                for d in range(directions):
                    out[at + f, d] += slope * s[source + each * f, d]
    for i in range(tape.forced.shape[1]):
        at, direction, row = np.intp(tape.forced[0, i]), tape.forced[1, i], tape.forced[2, i]
        term = values[tape.forced[3, i]]
        for f in range(np.intp(tape.forced[4, i]), np.intp(tape.forced[5, i])):
            out[at + f, direction] += rows[row, f] * term


@compiled
def _add_run(to: Array, theta: Array, value: float) -> None:
    for i in range(len(to)):
        to[i] += theta[i] * value


@compiled
def _add(to: Array, groups: int, weights: Array, weight: int, row: Array, factor: float) -> None:
    """Weight times row times factor, where each feature has a weight of its own, or all share one."""
    if groups == 1:
        shared = weights[weight] * factor
        for f in range(len(to)):
            to[f] += shared * row[f]
    else:
        first = np.intp(weight) * groups
        own = weights[first : first + groups]
        for f in range(len(to)):
            to[f] += own[f] * factor * row[f]


@compiled
def _gathered(x: Array, s: Array, data: Array, weights: Array, hessian: Array, gradient: Array) -> float:
    """Add one output's share to the lower triangle of Σ w JJᵀ and to Σ w J r, and return Σ w r²."""
    cost = 0.0
    for f in range(len(x)):
        residual = x[f] - data[f]
        cost += weights[f] * residual * residual
        for i in range(s.shape[1]):
            weighted = weights[f] * s[f, i]
            gradient[i] += weighted * residual
            for j in range(i + 1):
                hessian[i, j] += weighted * s[f, j]
    return cost


@compiled
def _lives(x: Array, s: Array, size: int, bound: float) -> bool:
    """Whether all is finite, and the first channel within bounds: as `ecodyn.rollouts.marching.within`."""
    total = 0.0
    for f in range(x.shape[1]):
        if not abs(x[0, f]) <= bound:
            return False
    for i in range(len(x)):
        for j in range(x.shape[1]):
            total += x[i, j]
    for i in range(size):
        for j in range(s.shape[1]):
            total += s[i, j]
    return bool(np.isfinite(total))


@compiled
def _ahead(now: Array, at: Array, slopes: Array, total: Array, ahead: float, factor: float) -> None:
    for i in range(len(slopes)):
        for j in range(slopes.shape[1]):
            total[i, j] += factor * slopes[i, j]
            at[i, j] = now[i, j] + ahead * slopes[i, j]


@compiled
def _close(now: Array, total: Array, h: float) -> None:
    for i in range(len(total)):
        for j in range(total.shape[1]):
            now[i, j] += h * total[i, j]


@compiled
def _copy(one: Array, to: Array) -> None:
    for i in range(len(one)):
        for j in range(one.shape[1]):
            to[i, j] = one[i, j]


@compiled
def _clear(to: Array) -> None:
    for i in range(len(to)):
        for j in range(to.shape[1]):
            to[i, j] = 0.0
