"""What constraints that are true do for coefficients fitted to few noisy runs: the lines of docs/constraints.md.

Takes about a minute; written: OUTPUT/constraints.json.
"""

from __future__ import annotations

import argparse
import json
import warnings
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from scipy.integrate import solve_ivp
from scipy.linalg import expm

import ecodyn
from ecodyn import DataWarning, Linear, SINDy, Trajectories
from ecodyn.arrays import Array

DRAWS = 10
SIR_TERMS = {"S: x_S*x_I": -1.5, "I: x_S*x_I": 1.5, "I: x_I": -0.5, "R: x_I": 0.5}
Errors = tuple[float, float, bool, bool]


def noisy(x: Array, times: Array, noise: float, rng: np.random.Generator, labels: str) -> Trajectories:
    """Values with noise that is a share of each feature's spread."""
    x = x + noise * x.std(axis=(0, 1)) * rng.normal(size=x.shape)
    return Trajectories(x, times, features=list(labels), labels_shared=True)


def of_linear(data: Trajectories, matrix: Array, constraints: Sequence[str]) -> Errors:
    """Relative errors of A without and under constraints, and whether each law is unstable."""
    found = [Linear("full", constraints=c).fit(data).model_.interactions() for c in (None, constraints)]
    free, held = (float(np.linalg.norm(a - matrix) / np.linalg.norm(matrix)) for a in found)
    return free, held, *(bool(np.linalg.eigvals(a).real.max() > 0) for a in found)  # type: ignore[return-value]


def solutions(matrix: Array, starts: Array, times: Array) -> Array:
    """Of ẋ = A x, (run, time, feature)."""
    return np.einsum("tij,rj->rti", np.stack([expm(matrix * t) for t in times]), starts)


def symmetric(seed: int) -> Errors:
    """A negative definite matrix of four features, two runs."""
    rng, times = np.random.default_rng(seed), np.linspace(0, 4, 33)
    root = rng.normal(size=(4, 4))
    matrix = -(root @ root.T) / 4 - 0.2 * np.eye(4)
    data = noisy(solutions(matrix, rng.normal(size=(2, 4)), times), times, 0.05, rng, "abcd")
    return of_linear(data, matrix, ["A symmetric"])


def compartments(seed: int) -> Errors:
    """Exchange between three compartments, two runs."""
    rng, times = np.random.default_rng(seed), np.linspace(0, 4, 33)
    rates = rng.uniform(0, 1, (3, 3))
    rates[np.diag_indices(3)] = 0
    matrix = rates - np.diag(rates.sum(axis=0))
    data = noisy(solutions(matrix, rng.uniform(0.1, 2, (2, 3)), times), times, 0.05, rng, "abc")
    return of_linear(data, matrix, ["columns(A) = 0", "b = 0", "offdiagonal(A) >= 0"])


def oscillations(seed: int) -> Errors:
    """Weakly damped oscillations of four features, two short runs with 10 % noise."""
    rng, times = np.random.default_rng(seed), np.linspace(0, 2, 25)
    root = rng.normal(size=(4, 4))
    matrix = (root - root.T) / 2 - 0.1 * np.eye(4)
    data = noisy(solutions(matrix, rng.normal(size=(2, 4)), times), times, 0.1, rng, "abcd")
    return of_linear(data, matrix, ["stable"])


def sir(_: float, y: Array) -> list[float]:
    """An epidemic."""
    return [-1.5 * y[0] * y[1], 1.5 * y[0] * y[1] - 0.5 * y[1], 0.5 * y[1]]


def epidemic(seed: int) -> Errors:
    """SINDy's law of an epidemic, four runs."""
    times = np.linspace(0, 12, 25)
    starts = [(0.95, 0.05, 0), (1.2, 0.15, 0.05), (0.7, 0.1, 0.2), (1.5, 0.1, 0.3)]
    x = np.stack([solve_ivp(sir, (0, 12), s, t_eval=times, rtol=1e-10, atol=1e-12).y.T for s in starts])
    data = noisy(x, times, 0.05, np.random.default_rng(seed), "SIR")
    errors = []
    for constraints in (None, ["sum conserved"]):
        law = SINDy("full", degree=2, constraints=constraints).fit(data).model_
        names = law.library.names()
        found = {f"{'SIR'[i]}: {names[j]}": law.coefficients[i, j] for i, j in np.argwhere(law.coefficients)}
        keys = {*found, *SIR_TERMS}
        errors.append(float(np.sqrt(sum((found.get(k, 0) - SIR_TERMS.get(k, 0)) ** 2 for k in keys) / 5)))
    return errors[0], errors[1], False, False


@dataclass(frozen=True)
class Row:
    """Median errors over draws, in how many it is better under constraints, and how many laws are unstable."""

    without: float
    under: float
    better: int
    unstable_without: int
    unstable_under: int
    better_of_unstable: int

    @classmethod
    def of(cls, draw: Callable[[int], Errors]) -> Row:
        """Of all draws of a system."""
        errors = np.array([draw(seed) for seed in range(DRAWS)])
        better, unstable = errors[:, 1] < errors[:, 0], errors[:, 2:].astype(bool)
        free, held = np.median(errors[:, :2], axis=0)
        counts = [int(part.sum()) for part in (better, *unstable.T, better & unstable[:, 0])]
        return cls(float(free), float(held), *counts)

    def __str__(self) -> str:
        return (
            f"{self.without:.3g} without, {self.under:.3g} under, better in {self.better} of {DRAWS}; unstable "
            f"{self.unstable_without} and {self.unstable_under}"
        )


def main() -> None:
    """Print the rows and write them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--output", type=Path, default=Path("constraints"))
    folder = parser.parse_args().output
    warnings.simplefilter("ignore", DataWarning)
    rows = {}
    for draw in (symmetric, compartments, oscillations, epidemic):
        rows[draw.__name__] = Row.of(draw)
        print(f"{draw.__name__}: {rows[draw.__name__]}", flush=True)
    folder.mkdir(parents=True, exist_ok=True)
    versions = {"ecodyn": ecodyn.__version__, "numpy": np.__version__}
    document = {"versions": versions, "draws": DRAWS, "rows": {name: asdict(row) for name, row in rows.items()}}
    (folder / "constraints.json").write_text(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    main()
