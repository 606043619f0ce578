"""Runs of known laws that inputs drive, solved piece by piece between the inputs' breaks."""

import itertools

import numpy as np
from scipy.integrate import solve_ivp

from ecodyn import Input, Trajectories


def solved(slope, start, times, curve):
    """ẋ = slope(x, u) from a start, at times (step,): each piece on its own, so that no step goes over a jump."""
    inside = curve.breaks[(curve.breaks > times[0]) & (curve.breaks < times[-1])]
    x, found = np.asarray(start, dtype=float), np.empty((len(times), len(start)))
    for a, b in itertools.pairwise([times[0], *inside, times[-1]]):
        level = (a + b) / 2

        def rate(t, y, level=level):
            return slope(y, curve(level if curve.kind == "steps" else t))

        mine = (times >= a) & (times <= b)
        at = np.union1d(times[mine], [a, b])
        y = solve_ivp(rate, (a, b), x, t_eval=at, method="DOP853", rtol=1e-12, atol=1e-13).y.T
        found[mine], x = y[np.isin(at, times[mine])], y[-1]
    return found


def runs_of(slope, features, times, kind="steps", runs=3, seed=0, **given):
    """Runs from random starts, each with a curve of its own, whose breaks are between samples."""
    rng = np.random.default_rng(seed)
    values, curves = [], []
    for r in range(runs):
        knots = times[-1] * np.array([0.0, 0.257 + 0.015 * r, 0.589, 1.0])
        curves.append(Input("lr", knots, [1.0, 0.3, 0.8 + 0.1 * r, 0.5], kind))
        values.append(solved(slope, rng.uniform(0.3, 1.5, features), times, curves[-1]))
    return Trajectories(values, [times] * runs, inputs={"lr": curves}, **given)
