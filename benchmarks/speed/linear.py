"""Linear laws against PyDMD's BOP-DMD and ordinary least squares: forecasts of what was held out, and time.

Each is fitted to steps 60 to 700 of one training and forecasts from 700 to 1000, from the last step that it was fitted
on; DMD's modes go on from their own fit.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
from measuring import Table, circles, seconds
from pydmd import BOPDMD

import ecodyn
from ecodyn.arrays import Array
from ecodyn.families import Shooting
from ecodyn.families.estimator import FORECAST_SHARES

Forecast = Callable[[ecodyn.Trajectories, Array], Array]

ORIGIN = 700
RANKS = (2, 3, 5, 0)  # 0: PyDMD's own choice, the optimal hard threshold


def measure(quick: bool) -> list[Table]:
    """Median skill over trainings; a quick one has two of them."""
    runs = circles()
    labels = list(runs.runs[: 2 if quick else None])
    sides: dict[str, Forecast] = {
        "ecodyn linear/exchangeable": ecodyn_forecast("exchangeable"),
        "ecodyn linear/full": ecodyn_forecast("full"),
        "ordinary least squares, x(t + 1) on 1 and x(t)": least_squares,
        **{f"PyDMD BOP-DMD, rank {rank or 'its own'}": bop(rank, 0) for rank in RANKS},
        "PyDMD BOP-DMD, rank 3, 20 bags": bop(3, 20),
    }
    table = Table(
        f"Linear: fitted to steps 60 to {ORIGIN} of one training, forecast to 1000, {len(labels)} trainings",
        ("side", "median skill", "worst skill", "seconds a fit and forecast"),
    )
    for name, forecast in sides.items():
        skills, took = zip(*(one(runs.select(runs=[r]), forecast) for r in labels), strict=True)
        table.add(name, float(np.median(skills)), float(np.min(skills)), float(np.median(took)))
    table.notes.append("Skill is 1 − MSE / MSE of staying where it was at the origin.")
    return [table]


def one(run: ecodyn.Trajectories, forecast: Forecast) -> tuple[float, float]:
    """Skill and seconds on one training."""
    before = run.window(60, ORIGIN)
    later = run.window(ORIGIN, 1000)
    truth = later.values[0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        took, found = seconds(lambda: forecast(before, later.times[0]), rounds=1)
    error = np.mean((found - truth) ** 2) / np.mean((truth - truth[0]) ** 2)
    return float(1 - error), took


def ecodyn_forecast(coupling: str) -> Forecast:
    """By integral matching, and shooting over short segments where the coupling has any, as compare forecasts."""

    def forecast(before: ecodyn.Trajectories, times: Array) -> Array:
        law = ecodyn.Linear(coupling=coupling, shooting=Shooting(stages=FORECAST_SHARES)).fit(before)
        return law.simulate(before.values[0, -1], times).signal[0]

    return forecast


def least_squares(before: ecodyn.Trajectories, times: Array) -> Array:
    """Of each step on the one before."""
    values = before.values[0]
    terms = np.column_stack([np.ones(len(values) - 1), values[:-1]])
    step = np.linalg.lstsq(terms, values[1:], rcond=None)[0]
    path = [values[-1]]
    for _ in times[1:]:
        path.append(step[0] + path[-1] @ step[1:])
    return np.array(path)


def bop(rank: int, bags: int) -> Forecast:
    """Optimised DMD, or with bags of a fifth of the samples BOP-DMD (Askham and Kutz 2018; Sashidhar and Kutz 2022)."""

    def forecast(before: ecodyn.Trajectories, times: Array) -> Array:
        np.random.seed(0)  # noqa: NPY002 - PyDMD draws its bags from the global generator
        model = BOPDMD(svd_rank=rank, num_trials=bags, trial_size=0.2)
        start = before.times[0, 0]
        model.fit(before.values[0].T, before.times[0] - start)
        found = model.forecast(times - start)
        return np.real(found[0] if isinstance(found, tuple) else found).T

    return forecast
