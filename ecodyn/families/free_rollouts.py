"""Free rollouts of a right-hand side whose state has channels: traits stand still, the others in the signal's unit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import ArrayLike

from ecodyn.arrays import Array
from ecodyn.equations.taped_law import TapedLaw
from ecodyn.rollouts.implicit import integrate_stiff
from ecodyn.rollouts.integration import EXHAUSTED, OK, RightHandSide, Rollout, integrate
from ecodyn.rollouts.iteration import iterate
from ecodyn.rollouts.stopping import integrate_with_stops
from ecodyn.trajectories.state import moving

__all__ = ["roll_out"]

STIFF_SHARE = 4  # of the budget of explicit steps: what is stiff and no more takes hundreds of implicit ones
BOUND = 100.0  # a rollout beyond so many times the training data's largest value has diverged


def roll_out(
    rhs: RightHandSide,
    start: Array,
    steps: ArrayLike,
    channels: Sequence[str],
    amplitudes: Array,
    *,
    feature_amplitudes: Array | None = None,
    bound: float | None = None,
    map_step: float | None = None,
    rtol: float = 1e-8,
    max_evaluations: int = 20_000,
    stops: Array | None = None,
    taped: TapedLaw | None = None,
) -> Rollout:
    """Rollouts from starting states (batch, feature, channel); see ``FittedModel.simulate``.

    ``amplitudes`` are (channel,), or (batch, channel) where each member of the batch has its own law; ``map_step`` is a
    map's h, and the other options are those of ``integrate`` and ``iterate``. Features with units of their own have
    ``feature_amplitudes``, (feature,) or (batch, feature), in which the solver's error and what diverged are measured.
    ``stops`` (batch, stop) are times at which a flow's right-hand side jumps: see ``integrate_with_stops``. ``taped``
    is the same law for compiled loops, where it is one that they can hold.
    """
    move = list(moving(channels))
    largest = np.maximum(amplitudes, np.abs(start).max(axis=1))[:, move]
    limit: Array | float = np.where(largest[:, 0] > 0, BOUND * largest[:, 0], np.inf) if bound is None else bound
    # Traits stand still: outside the solver, their units have no say in its steps or in what diverged. Channels that
    # move have their say in the signal's unit.
    units = _relative_units(largest)[:, None]
    if feature_amplitudes is not None:
        own = np.maximum(feature_amplitudes, np.abs(start[..., 0]))
        own = np.exp2(np.rint(np.log2(np.where((own > 0) & np.isfinite(own), own, 1.0))))[..., None]
        units = units * own
        limit = np.full(own.shape, BOUND) if bound is None else bound / own

    explicit = None
    flows = map_step is None and stops is None and np.ndim(rtol) == 0 and _padded_at_its_end(steps)
    if taped is not None and taped.autonomous and flows:
        found = taped.integrate(start, steps, units=units, bound=limit, rtol=rtol, max_evaluations=max_evaluations)
        if not any(status.startswith(EXHAUSTED) for status in found.status):
            return found
        explicit = replace(found, values=found.values[..., move] / units[:, None])

    def in_units(scaled: Array, t: Array) -> Array:
        state = start.copy()
        state[..., move] = scaled * units
        return rhs(state, t)[..., move] / units

    alone = len(channels) == 1 and feature_amplitudes is None  # nothing stands still, and the unit is its own
    slope, scaled = rhs if alone else in_units, start[..., move] / units
    solved = _solved(slope, scaled, steps, limit, map_step, rtol, max_evaluations, stops, explicit)
    values = np.where(np.isnan(solved.values[..., :1]), np.nan, start[:, None])
    values[..., move] = solved.values * units[:, None]
    return replace(solved, values=values)


def _padded_at_its_end(steps: ArrayLike) -> bool:
    missing = np.isnan(np.asarray(steps, dtype=float))
    return not (missing[..., :-1] & ~missing[..., 1:]).any()


def _solved(
    rhs: RightHandSide,
    start: Array,
    steps: ArrayLike,
    bound: Array | float,
    map_step: float | None,
    rtol: float,
    max_evaluations: int,
    stops: Array | None,
    explicit: Rollout | None,
) -> Rollout:
    """By ``integrate``, and by implicit steps where that has no budget left; a map's by ``iterate``.

    ``explicit`` is what ``integrate`` would give, if that is there already.
    """
    if map_step is not None:
        return iterate(rhs, start, steps, step=map_step, bound=bound, max_evaluations=max_evaluations)
    if explicit is not None:
        solved = explicit
    elif stops is None:
        solved = integrate(rhs, start, steps, bound=bound, rtol=rtol, max_evaluations=max_evaluations)
    else:
        solved = integrate_with_stops(rhs, start, steps, stops, bound=bound, rtol=rtol, max_evaluations=max_evaluations)
    unfinished = [b for b, status in enumerate(solved.status) if status.startswith(EXHAUSTED)]
    values, status, calls = solved.values, list(solved.status), solved.evaluations
    limit = np.asarray(bound, dtype=float)
    limit = limit[:, None, None] if limit.ndim == 1 else limit
    limits = np.broadcast_to(limit, start.shape)
    for b in unfinished:
        there = np.isfinite(solved.times[b])
        found = integrate_stiff(
            partial(_slope_of_one, rhs, start, b),
            start[b].ravel(),
            solved.times[b, there],
            bound=limits[b].ravel(),
            rtol=rtol,
            budget=max_evaluations // STIFF_SHARE,
            stops=() if stops is None else stops[b, np.isfinite(stops[b])],
        )
        if found is not None:
            values[b, there], status[b] = found[0].reshape(-1, *start.shape[1:]), OK
            calls += found[1]
    return replace(solved, values=values, status=tuple(status), evaluations=calls)


def _slope_of_one(rhs: RightHandSide, start: Array, member: int, x: Array, t: float) -> Array:
    """ẋ of one member of a batch, (variable,), each of which may have its own law; the others stay at their start."""
    states = start.copy()
    states[member] = x.reshape(start.shape[1:])
    return np.asarray(rhs(states, np.full(len(start), t))[member].ravel())


def _relative_units(largest: Array) -> Array:
    """Size of each channel relative to the first, (batch, channel), as powers of two: they leave digits alone."""
    present = np.where((largest > 0) & np.isfinite(largest), largest, np.nan)
    ratio = np.exp2(np.rint(np.log2(present / present[:, :1])))
    return np.where(np.isfinite(ratio) & (ratio > 0), ratio, 1.0)
