"""Sparse selection along a path of thresholds, against PySINDy's STLSQ on the same regression."""

from __future__ import annotations

import warnings

import numpy as np
from measuring import Table, circles, seconds
from pysindy.optimizers import STLSQ

from ecodyn.arrays import Array
from ecodyn.equations.forms import polynomial_library
from ecodyn.equations.library import FULL
from ecodyn.estimation import ThresholdedRegression

RUNS, STEPS = 5, 1000
THRESHOLDS = 20
RIDGE = 1e-3


def measure(quick: bool) -> list[Table]:
    """Random states, and those of the circles; a quick one has four equations of 29."""
    table = Table(
        f"Selection: 29 features, 465 terms, {RUNS} x {STEPS} samples, a path of {THRESHOLDS} thresholds",
        ("data", "equations", "side", "seconds", "solves", "times ecodyn's", "same supports", "coefficients differ by"),
    )
    equations = 4 if quick else 29
    for name, (columns, targets) in {"random states": random_states(), "circles": circles_states()}.items():
        norms = np.linalg.norm(columns, axis=0)
        compare(table, name, columns / norms, targets[:, :equations])
    table.notes.append(
        "Columns are normalised, the ridge is 1e-3; a path goes from 1e-3 of the full fit's largest coefficient to "
        "that, the same for both. What coefficients differ by is relative to the largest."
    )
    return [table]


def compare(table: Table, name: str, columns: Array, targets: Array) -> None:
    """Two rows: ecodyn, PySINDy."""
    largest = float(np.abs(ThresholdedRegression(columns, targets, RIDGE).whole).max())
    path = np.geomspace(1e-3, 1.0, THRESHOLDS) * largest

    def ours() -> tuple[list[Array], int]:
        regression = ThresholdedRegression(columns, targets, RIDGE)
        return [regression.at(t) for t in path.tolist()], regression.solves

    def theirs() -> tuple[list[Array], int]:
        found, solves = [], 0
        for threshold in path.tolist():
            optimizer = STLSQ(threshold=threshold, alpha=RIDGE, unbias=False)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of empty supports
                optimizer.fit(columns, targets)
            found.append(optimizer.coef_)
            solves += optimizer.iters
        return found, solves

    own, (mine, own_solves) = seconds(ours, rounds=3)
    peer, (other, peer_solves) = seconds(theirs, rounds=1)
    same = all(np.array_equal(a != 0, np.abs(b) > 0) for a, b in zip(mine, other, strict=True))
    apart = max(float(np.abs(a - b).max()) for a, b in zip(mine, other, strict=True)) / largest
    table.add(name, targets.shape[1], "ecodyn", own, own_solves, 1.0, "", None)
    table.add(name, targets.shape[1], "PySINDy", peer, peer_solves, peer / own, "yes" if same else "no", apart)


def random_states() -> tuple[Array, Array]:
    """States drawn at random, and derivatives of a sparse quadratic law with noise."""
    rng = np.random.default_rng(0)
    states = rng.standard_normal((RUNS * STEPS, 29))
    terms = polynomial_library(FULL, ["signal"], list(range(29))).values(states[..., None])[:, 0]
    truth = rng.standard_normal((29, terms.shape[1])) * (rng.random((29, terms.shape[1])) < 0.1)
    targets = terms @ truth.T
    return terms, targets + 0.1 * targets.std() * rng.standard_normal(targets.shape)


def circles_states() -> tuple[Array, Array]:
    """The first trainings, their derivatives by central differences."""
    runs = circles(0, STEPS - 1)
    states = runs.values[:RUNS, :STEPS]
    terms = polynomial_library(FULL, ["signal"], runs.features.tolist()).values(states[..., None])
    targets = np.gradient(states, axis=1)
    return terms.reshape(-1, terms.shape[-1]), targets.reshape(-1, targets.shape[-1])
