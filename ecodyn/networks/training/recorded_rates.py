"""Scheduled rates as inputs of the runs that they trained: what a law may depend on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ecodyn.arrays import Array, Integers
from ecodyn.networks.training.network import RATES, NetworkSettings
from ecodyn.trajectories import Input

__all__ = ["rate_inputs"]


def rate_inputs(networks: Sequence[NetworkSettings], kept: Integers) -> dict[str, list[Input]]:
    """Curves of the rates that any of the networks has a schedule of, by the optimiser's names, one a network.

    The value at step t is the rate of the update from there to t + 1. Where all schedules of a rate hold each value
    until the next, curves are of kind "steps" and exact between kept steps too. Else they are "linear", through the
    kept steps and both sides of each jump.
    """
    steps = int(kept[-1])
    varying = [network.rates(steps) for network in networks]
    names = [name for name in RATES if any(name in rates for rates in varying)]
    return {name: _curves(name, networks, kept) for name in names}


def _curves(name: str, networks: Sequence[NetworkSettings], kept: Integers) -> list[Input]:
    steps, setting = int(kept[-1]), RATES[name]
    schedules = [network.schedule(setting) for network in networks]
    whole = [own.rates(getattr(n, setting), steps) for own, n in zip(schedules, networks, strict=True)]
    if all(own.piecewise_constant for own in schedules):
        changes = [np.flatnonzero(np.diff(values, prepend=np.nan)) for values in whole]
        return [Input(name, at, values[at], "steps") for at, values in zip(changes, whole, strict=True)]
    knots = [_knots(values, own.jumps(steps), kept) for own, values in zip(schedules, whole, strict=True)]
    return [Input(name, at, values[at], "linear") for at, values in zip(knots, whole, strict=True)]


def _knots(values: Array, jumps: Integers, kept: Integers) -> Integers:
    """Kept steps and both sides of each jump; the ends alone where it is constant."""
    if (values == values[0]).all():
        return np.array([0, len(values) - 1])
    return np.unique(np.concatenate([kept, jumps - 1, jumps]).astype(np.int64))
