"""How time and memory grow with runs, steps and features, and with which exponent.

Made-up trainings: exchangeable Lotka-Volterra competition from random starts, under a little noise. Each fit has a
process of its own, whose peak memory above that of its start is what is told.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from measuring import Table, peak_gibibytes

import ecodyn
from ecodyn.arrays import Array
from ecodyn.families import family

BASE = {"runs": 16, "steps": 1000, "features": 29}
SIZES = {
    "runs": (4, 16, 64, 256),
    "steps": (250, 500, 1000, 2000, 4000, 8000),
    "features": (8, 16, 32, 64, 128),
}
QUICK_SIZES = {axis: sizes[:3] for axis, sizes in SIZES.items()}
SUBJECTS = (
    "linear/exchangeable",
    "lotka_volterra/exchangeable",
    "sindy/exchangeable",
    "neural_ode/exchangeable",
    "linear/full",
    "compare",
)
LEAST_GIB = 50 / 1024
LIMIT_SECONDS = 200
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#000000")  # Okabe and Ito


def trainings(runs: int, steps: int, features: int) -> ecodyn.Trajectories:
    """ẋᵢ = xᵢ(1 − 0.4 xᵢ − 0.6 K x̄ / K) and a hundredth of noise, features of different strength at the start."""
    rng = np.random.default_rng(0)
    start = np.exp(rng.normal(-2.0, 0.7, (runs, features)))
    times = np.arange(steps, dtype=float) * (8.0 / steps)

    def rhs(x: Array, t: Array) -> Array:
        return x * (1.0 - 0.4 * x - 0.6 * x.mean(axis=1, keepdims=True))

    path = ecodyn.integrate(rhs, start, times).values
    noisy = path * np.exp(0.01 * rng.standard_normal(path.shape))
    return ecodyn.Trajectories(noisy, np.arange(steps))


def one(subject: str, size: dict[str, int]) -> dict[str, float]:
    """Seconds and peak GiB of one fit, in this process, whose imports are done before."""
    work(subject, trainings(4, 40, 4))
    data = trainings(**size)
    before = peak_gibibytes()
    started = time.perf_counter()
    work(subject, data)
    return {"seconds": time.perf_counter() - started, "gib": peak_gibibytes() - before}


def work(subject: str, data: ecodyn.Trajectories) -> None:
    """A fit, or a comparison."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if subject == "compare":
            ecodyn.compare(data, families=["linear", "lotka_volterra", "sindy"], couplings=["exchangeable"], folds=8)
        else:
            name, coupling = subject.split("/")
            family(name)(coupling=coupling).fit(data)


def apart(subject: str, size: dict[str, int]) -> dict[str, float] | None:
    """``one`` in a process of its own; None if it takes too long."""
    command = [sys.executable, __file__, subject, json.dumps(size)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_SECONDS, check=True)
    except subprocess.TimeoutExpired:
        return None
    return json.loads(done.stdout)


def measure(quick: bool) -> list[Table]:
    """A row a subject and axis: the times of all sizes and the exponent over the upper half of them."""
    table = Table(
        f"Growth from {BASE['runs']} runs, {BASE['steps']} steps, {BASE['features']} features: one axis at a time",
        ("subject", "grows with", "sizes", "seconds", "exponent", "GiB above the start", "exponent of memory"),
    )
    for subject in SUBJECTS[:2] if quick else SUBJECTS:
        for axis, sizes in (QUICK_SIZES if quick else SIZES).items():
            found = [(n, apart(subject, {**BASE, axis: n})) for n in sizes]
            finished = [(n, f) for n, f in found if f is not None]
            took, gib = ([(n, f[key]) for n, f in finished] for key in ("seconds", "gib"))
            late = [f"over {LIMIT_SECONDS}"] * (len(found) - len(finished))
            seconds, memory = [t for _, t in took], [g for _, g in gib]
            table.add(subject, axis, list(sizes), seconds + late, exponent(took), memory, exponent(gib, LEAST_GIB))
    table.notes.append(
        "Exponents are slopes in log-log over the upper half of the sizes; of memory, where there is more of it than "
        f"{LEAST_GIB * 1024:.0f} MiB, which a process may have left from making the data."
    )
    return [table]


def exponent(points: list[tuple[int, float]], least: float = 0.0) -> float | None:
    """Least squares over the upper half, of what is more than so much; None of fewer than two such points."""
    upper = [point for point in points[len(points) // 2 - 1 :] if point[1] > least]
    if len(upper) < 2:
        return None
    logs = np.log(np.array(upper, dtype=float))
    return float(np.polyfit(logs[:, 0], logs[:, 1], 1)[0])


def draw(table: Table, path: Path) -> None:
    """Seconds over each axis, log-log, a line a subject with its exponent."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    axes_of = list(dict.fromkeys(row[1] for row in table.rows))
    subjects = list(dict.fromkeys(row[0] for row in table.rows))
    figure, panels = plt.subplots(1, len(axes_of), figsize=(3.6 * len(axes_of), 4.6), sharey=True, layout="constrained")
    for panel, axis in zip(panels, axes_of, strict=True):
        for subject, colour, marker in zip(subjects, COLOURS, "osD^vP", strict=False):
            _, _, sizes, seconds, slope, *_ = next(r for r in table.rows if r[:2] == (subject, axis))
            finished = [s for s in seconds if isinstance(s, float)]
            label = subject if slope is None else f"{subject}: {slope:.2f}"
            panel.plot(sizes[: len(finished)], finished, color=colour, marker=marker, markersize=4, label=label)
        panel.set_xscale("log")
        panel.set_yscale("log")
        panel.set_xticks(sizes, [str(n) for n in sizes])
        panel.minorticks_off()
        panel.set_xlabel(axis)
        panel.grid(alpha=0.3)
        # Below the panel: inside, there is no place that no line goes through.
        panel.legend(
            fontsize=8, title="exponent", title_fontsize=8, frameon=False, loc="upper left", bbox_to_anchor=(0, -0.17)
        )
    panels[0].set_ylabel("seconds, one core")
    figure.savefig(path, dpi=150)
    plt.close(figure)


def main() -> None:
    """What ``apart`` starts."""
    subject, size = sys.argv[1:]
    found: dict[str, Any] = one(subject, json.loads(size))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
