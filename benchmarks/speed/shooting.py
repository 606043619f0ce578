"""Multiple shooting: seconds a fit on one core, for the whole fit and for the shooting in it.

There is no peer to time: Jacobians are exact, and checked against finite differences in
tests/estimation/test_multiple_shooting.py.
"""

from __future__ import annotations

import warnings

from measuring import Table, circles, seconds

import ecodyn
from ecodyn.families import Shooting, family

GOAL, GOAL_FULL = 2.0, 8.0  # seconds on one core


def measure(quick: bool) -> list[Table]:
    """Exchangeable laws on all trainings, full ones on one."""
    runs = circles()
    alone = runs.select(runs=[runs.runs[0]])
    table = Table(
        f"Multiple shooting: {runs.n_runs} trainings x {runs.n_steps} steps x {runs.n_features} features, one core",
        ("law", "data", "coefficients", "seconds a fit", "without shooting", "goal", "skill in sample"),
    )
    for name in ("linear", "lotka_volterra", "sindy"):
        add(table, name, "exchangeable", runs, GOAL)
    for name in ("linear", "lotka_volterra") if not quick else ("lotka_volterra",):
        add(table, name, "full", alone, GOAL_FULL)
    return [table]


def add(table: Table, name: str, coupling: str, runs: ecodyn.Trajectories, goal: float) -> None:
    """One fitted law."""
    cls = family(name)

    def fit(refine: bool) -> ecodyn.Linear:
        return cls(coupling=coupling, shooting=Shooting(refine=refine)).fit(runs)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        shot, law = seconds(lambda: fit(True), rounds=3)
        matched, _ = seconds(lambda: fit(False), rounds=3)
    rollout = law.simulate(runs.values[:, 0], runs.times[0]).signal
    left = ((rollout - runs.values) ** 2).mean() / ((runs.values - runs.values[:, :1]) ** 2).mean()
    data = "all" if runs.n_runs > 1 else "one training"
    table.add(f"{name}/{coupling}", data, law.model_.n_coefficients, shot, matched, goal, float(1 - left))
