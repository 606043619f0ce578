"""Which mechanism do the circles' laws have? Laws written as formulas, and the polynomial ones beside them.

    python benchmarks/formula_laws.py -o formula_laws [--window 60:1000] [--every 10]
    ecodyn train --p 59 --dim 128 --seeds 6000:6024 --steps 1000 -o fresh.nc             some minutes on two cores
    python benchmarks/formula_laws.py -o formula_laws --fresh fresh.nc

The first scores every law on each of the 16 shipped trainings, fitted to the other 15 (some minutes); the second on
fresh trainings, fitted to all of the shipped ones (half a minute). Printed, and written to OUTPUT/laws.json: mean skill
with its 95 % t interval over trainings, and how much more a law leaves unexplained than the share law, as the geometric
mean of the trainings' ratios, with the interval of that. Rollouts that diverge are counted, and left out of both.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import ecodyn
from ecodyn.arrays import Array
from ecodyn.comparison.scores import score_rollout
from ecodyn.errors import DataWarning
from ecodyn.families import family
from ecodyn.runtime.files import write_whole
from ecodyn.statistics.intervals import t_interval

SHIPPED = Path(__file__).parent.parent / "data" / "circles_p59_d128.nc"
TRAIT = "signal,gradient@start"
SHARE = "b - a*x + g*x**n/(x**n + k*mean(x**n))"
CUBIC = "b + a*x + c*x**2 + d*x**3 + e*mean(x)"


@dataclass(frozen=True)
class Law:
    """A law of the table: what it is called, and its estimator."""

    title: str
    estimator: ecodyn.Family
    slow: bool = False  # a fit takes a minute: not fitted 16 times, so that it has no row without fresh trainings


def laws() -> list[Law]:
    """All rows; the share law is the first of each state."""

    def written(name: str, text: str, positive: str = "", state: str = "signal") -> ecodyn.Formula:
        return ecodyn.Formula(text, positive=list(positive), state=state, name=name)

    def resource(uptake: str) -> ecodyn.Family:
        return family("consumer_resource")("exchangeable", uptake=uptake, inflow=True)

    return [
        Law("share: b - a x + g x^n/(x^n + k mean(x^n))", family("share")("exchangeable")),
        Law("1, x, x^2, x^3, mean(x)", written("cubic", CUBIC)),
        Law("linear, exchangeable", family("linear")("exchangeable")),
        Law("Lotka-Volterra, exchangeable", family("lotka_volterra")("exchangeable")),
        Law("own saturation: b - a x + g x^n/(x^n + h^n)", family("share")("independent")),
        Law("MacArthur, linear uptake", resource("linear"), slow=True),
        Law("MacArthur, saturating uptake", resource("saturating"), slow=True),
        Law("Holling III, competitive", family("hill")("exchangeable")),
        Law("Gompertz, competitive", family("gompertz")("exchangeable")),
        Law("power law, competitive", family("power_law")("exchangeable")),
        Law("replicator, not normalised", family("replicator")("exchangeable", normalised=False)),
        Law("share + c gradient@start", written("share_gradient", SHARE + " + c*gradient", "agnk", TRAIT)),
        Law("1, x, x^2, x^3, mean(x), gradient@start", written("cubic_gradient", CUBIC + " + f*gradient", "", TRAIT)),
        Law("linear, exchangeable, gradient@start", family("linear")("exchangeable", TRAIT)),
    ]


def left_out(law: Law, data: ecodyn.Trajectories) -> tuple[Array, float]:
    """Skill on each training, fitted to the others; and parameters."""
    runs = data.runs.tolist()
    models = law.estimator.fit_models([data.select(runs=[r for r in runs if r != left]) for left in runs])
    skills = [scored(model, data.select(runs=[left]))[0] for left, model in zip(runs, models, strict=True)]
    return np.array(skills), models[0].n_coefficients


def on_fresh(law: Law, data: ecodyn.Trajectories, fresh: ecodyn.Trajectories) -> tuple[Array, float]:
    """Skill on each fresh training, fitted to all of the others; and parameters."""
    model = law.estimator.fit_model(data)
    return scored(model, fresh), model.n_coefficients


def scored(model: ecodyn.FittedModel, data: ecodyn.Trajectories) -> Array:
    """Skill of free rollouts from each training's first step."""
    rollout = model.simulate(data.state(model.state)[:, 0], data.times)
    each = [(data.values[r], rollout.signal[r], data.times[r], rollout.status[r]) for r in range(data.n_runs)]
    return np.array([score_rollout(*one, None).skill for one in each])


def row(title: str, skills: Array, size: float, seconds: float, share: Array) -> dict[str, object]:
    """What is printed and written of a law."""
    ended = np.isfinite(skills)  # those that did not are counted; their skill has no number
    diverged = int((~ended).sum())
    low, high = t_interval(skills[ended])
    ratio = np.log((1 - skills) / (1 - share))[ended & np.isfinite(share)]
    more = [float(ratio.mean()), *t_interval(ratio)]
    more = [100 * float(np.expm1(each)) for each in more]
    print(
        f"{title:<46}{size:>3g}  {skills[ended].mean():.4f} ({low:.3f} to {high:.3f})"
        f"  {more[0]:+7.1f} % ({more[1]:+.1f} to {more[2]:+.1f})  {seconds:6.1f} s"
        + (f", without {diverged} that diverged" if diverged else ""),
        flush=True,
    )
    return {
        "law": title,
        "coefficients": size,
        "skill": float(skills[ended].mean()),
        "diverged": diverged,
        "low": low,
        "high": high,
        "skills": skills.tolist(),
        "more_unexplained_percent": more,
        "seconds": seconds,
    }


def thinned(path: Path, options: argparse.Namespace) -> ecodyn.Trajectories:
    """The window of a file, every so many steps, whichever of them it has."""
    first, last = map(float, options.window.split(":"))
    inside = ecodyn.load(path).window(first, last)
    stored = float(np.diff(inside.steps).max())
    return inside.every(max(1, round(options.every / stored)))


def main() -> None:
    """Fit, score, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--data", type=Path, default=SHIPPED)
    parser.add_argument("--fresh", type=Path)
    parser.add_argument("--window", default="60:1000")
    parser.add_argument("--every", type=int, default=10)
    options = parser.parse_args()
    warnings.simplefilter("ignore", DataWarning)
    data = thinned(options.data, options)
    fresh = None if options.fresh is None else thinned(options.fresh, options)
    where = "the others left out" if fresh is None else f"{fresh.n_runs} fresh trainings"
    print(f"{data.n_runs} trainings, steps {options.window}, skill on {where}; unexplained: than the share law's")
    rows, share = [], None
    everything = laws()
    if fresh is None:
        left = ", ".join(law.title for law in everything if law.slow)
        print(f"only with --fresh, since a fit takes long: {left}")
    for law in (law for law in everything if fresh is not None or not law.slow):
        started = time.perf_counter()
        skills, size = left_out(law, data) if fresh is None else on_fresh(law, data, fresh)
        share = skills if share is None else share
        rows.append(row(law.title, skills, size, time.perf_counter() - started, share))
    options.output.mkdir(parents=True, exist_ok=True)
    with write_whole(options.output / "laws.json", force=True) as temporary:
        temporary.write_text(json.dumps({"window": options.window, "scored": where, "laws": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
