"""Rollouts against ``pysindy.SINDy.simulate`` and SciPy's ``solve_ivp`` on the same equation.

Every side solves to the loosest tolerance of a ladder at which its solution is within 1e-6 (relative, root mean square)
of one solved to 1e-12.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pysindy
from measuring import Table, circles, seconds
from scipy.integrate import solve_ivp

import ecodyn
from ecodyn.arrays import Array
from ecodyn.families.law import Law

Solve = Callable[[float], Array]

ACCURACY = 1e-6
LADDER = (1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10)
POINTS = 1000
MEMBERS = 64


def measure(quick: bool) -> list[Table]:
    """Both tables."""
    runs = circles()
    alone, exchangeable = runs.select(runs=[runs.runs[0]]), ("linear", "lotka_volterra", "sindy")
    laws = {f"{name}/exchangeable": fitted(name, "exchangeable", runs) for name in exchangeable}
    laws["lotka_volterra/full"] = fitted("lotka_volterra", "full", alone)
    laws["sindy/full, 465 terms"] = fitted("sindy", "full", alone)
    network = ecodyn.NeuralODE(matching_steps=50, rollout_steps=0).fit(runs).model_
    start, times = runs.values[0, 0], np.linspace(60, 1000, POINTS)
    peers = [against_peers(name, law, start, times, quick) for name, law in laws.items() if "sindy/ex" not in name]
    table = Table(
        f"Rollouts: {runs.n_features} features, {POINTS} steps, all solved to {ACCURACY:g}",
        ("equation", "side", "milliseconds", "error", "times ecodyn's time"),
        [row for rows in peers for row in rows],
        ["SINDy/exchangeable is no polynomial in PySINDy's library of degree 2 and is left out there."],
    )
    return [table, batches({**laws, "neural_ode/exchangeable": network}, runs.values[:, 0], times)]


def fitted(name: str, coupling: str, runs: ecodyn.Trajectories) -> Law:
    """A family's law of the circles."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ecodyn.families.family(name)(coupling=coupling).fit(runs).model_


def against_peers(name: str, law: Law, start: Array, times: Array, quick: bool) -> list[tuple[Any, ...]]:
    """A row a side."""
    reference = law.simulate(start, times, rtol=1e-12).signal[0]
    peer = pysindy_model(law, start, times)

    def scipy(tolerance: float, method: str) -> Array:
        def rhs(t: float, x: Array) -> Array:
            return law.rhs(x[None, :, None], np.array([t]))[0, :, 0]

        scale = np.sqrt(np.mean(start**2))
        span = (times[0], times[-1])
        return solve_ivp(rhs, span, start, method, times, rtol=tolerance, atol=tolerance * scale).y.T

    def simulated(tolerance: float) -> Array:
        keywords = {"method": "LSODA", "rtol": tolerance, "atol": tolerance * np.sqrt(np.mean(start**2))}
        return peer.simulate(start, times - times[0], integrator_kws=keywords)

    sides: dict[str, Solve] = {
        "ecodyn": lambda tolerance: law.simulate(start, times, rtol=tolerance).signal[0],
        "solve_ivp RK45, ecodyn's right-hand side": lambda tolerance: scipy(tolerance, "RK45"),
        "solve_ivp LSODA, ecodyn's right-hand side": lambda tolerance: scipy(tolerance, "LSODA"),
        "PySINDy simulate": simulated,
    }
    found = {side: to_accuracy(solve, reference, 1 if quick else 3) for side, solve in sides.items()}
    if not quick:
        found["PySINDy simulate, its default tolerance"] = to_accuracy(
            lambda _: peer.simulate(start, times - times[0]), reference, 1
        )
    own = found["ecodyn"][0]
    return [(name, side, 1e3 * time, error, time / own) for side, (time, error) in found.items()]


def to_accuracy(solve: Solve, reference: Array, rounds: int) -> tuple[float, float]:
    """Seconds and error at the loosest tolerance that is accurate enough."""
    scale = np.sqrt(np.mean(reference**2))
    for tolerance in LADDER:
        error = float(np.sqrt(np.mean((solve(tolerance) - reference) ** 2)) / scale)
        if error <= ACCURACY:
            break
    return seconds(lambda: solve(tolerance), rounds)[0], error


def pysindy_model(law: Law, start: Array, times: Array) -> pysindy.SINDy:
    """PySINDy's model of the same equation: fitted to something, and then given the coefficients."""
    degree = int(law.library.degrees.sum(axis=1).max())
    features = len(start)
    names = [f"x{i}" for i in range(features)]
    model = pysindy.SINDy(feature_library=pysindy.PolynomialLibrary(degree=degree))
    path = law.simulate(start, times).signal[0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(path, t=times - times[0], feature_names=names)
    # The derivative is linear in the coefficients: from enough states they follow exactly, term by term.
    model.optimizer.coef_ = monomials(law, degree, model.get_feature_names(), names)
    states = path[:: len(path) // 5]
    ours = law.rhs(states[..., None], np.zeros(len(states)))[..., 0]
    if not np.allclose(model.predict(states), ours, rtol=1e-9, atol=1e-9 * np.abs(ours).max()):
        raise RuntimeError("PySINDy was given another equation than ecodyn's")
    return model


def monomials(law: Law, degree: int, columns: list[str], names: list[str]) -> Array:
    """The law's coefficients on PySINDy's monomials of degree at most 2, by polarisation."""
    features = len(names)

    def rhs(x: Array) -> Array:
        return law.rhs(np.atleast_2d(x)[..., None], np.zeros(np.atleast_2d(x).shape[0]))[..., 0]

    unit, zero = np.eye(features), rhs(np.zeros(features))[0]
    plus, minus = rhs(unit), rhs(-unit)
    found = {"1": zero}
    found |= {names[j]: (plus[j] - minus[j]) / 2 for j in range(features)}
    if degree > 1:
        found |= {f"{names[j]}^2": (plus[j] + minus[j]) / 2 - zero for j in range(features)}
        for j in range(features):
            others = range(j + 1, features)
            both = rhs(unit[j] + unit[list(others)]) if len(others) else []
            for k, value in zip(others, both, strict=True):
                found[f"{names[j]} {names[k]}"] = value - plus[j] - plus[k] + zero
    return np.array([found[column] for column in columns]).T


def batches(laws: dict[str, Any], starts: Array, times: Array) -> Table:
    """One rollout against 64: from all trainings' starts, four times over, or for a law of one training around its own.

    Steps are adaptive, and each rollout of a batch has its own: from a start that is harder, there are more of them.
    """
    table = Table(
        f"Batched rollouts: {POINTS} steps, relative tolerance 1e-8",
        ("model", "one, milliseconds", f"{MEMBERS}, milliseconds", "ratio"),
    )
    around = starts[0] * (1 + 0.01 * np.random.default_rng(0).standard_normal((MEMBERS, starts.shape[1])))
    everyone = np.tile(starts, (-(-MEMBERS // len(starts)), 1))[:MEMBERS]
    for name, law in laws.items():
        many = around if "/full" in name else everyone
        one, _ = seconds(lambda law=law: law.simulate(starts[0], times), rounds=15)
        together, _ = seconds(lambda law=law, many=many: law.simulate(many, times), rounds=15)
        table.add(name, 1e3 * one, 1e3 * together, together / one)
    return table
