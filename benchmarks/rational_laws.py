"""How often rational laws are selected right: known truths, clean and noisy, beside PySINDy's SINDyPI.

    python benchmarks/rational_laws.py worked_on
    python benchmarks/rational_laws.py held_out --seeds 4 --sindy-pi

Defaults were settled on the first half of the truths; the second half was run once. A law is right if numerator and
denominator have exactly the truth's terms, and it holds if a fresh run from other starts, without noise, has a skill of
0.99 at least. SINDyPI is given the same candidates, derivatives by PySINDy's smoothed differences, and thresholds from
1e-4 to 1; of all its left sides and thresholds the one is taken whose explicit law follows the training runs best, and
"any" says whether the truth was among them at all. It needs cvxpy.
"""

from __future__ import annotations

import argparse
import io
import time
import warnings
from collections.abc import Callable
from contextlib import redirect_stdout
from typing import NamedTuple

import numpy as np
from scipy.integrate import solve_ivp

from ecodyn.estimation import Samples
from ecodyn.estimation.implicit_selection import RationalLaw, bound_laws, holds, unexplained
from ecodyn.families.rational import Rational
from ecodyn.formulas.rational_form import RationalForm
from ecodyn.rollouts.marching import march
from ecodyn.trajectories import as_trajectories

RUNS, FEATURES, POINTS = 8, 4, 81
NOISES = (0.0, 0.01, 0.05)  # of the data's standard deviation
HELD = 0.99
ZERO = 1e-3  # of the largest coefficient: SINDyPI's solver leaves no exact zeros
THRESHOLDS = np.geomspace(1e-4, 1.0, 9)

Array = np.ndarray


class Truth(NamedTuple):
    """A law, where features start, how long runs are, and the terms of its numerator and denominator."""

    coupling: str
    slope: Callable[[Array], Array]
    low: float
    high: float
    duration: float
    terms: tuple[set[str], set[str]]


IND, EXC = "independent", "exchangeable"
TRUTHS = {
    "worked_on": {
        "inflow": Truth(IND, lambda x: 0.6 - 1.5 * x / (0.3 + x), 0.0, 3.0, 8.0, ({"1", "x"}, {"x"})),
        "uptake": Truth(IND, lambda x: 1.5 * x / (0.5 + x) - 0.6 * x, 0.05, 3.0, 8.0, ({"x", "x**2"}, {"x"})),
        "hill": Truth(
            IND, lambda x: 0.1 + 2 * x**2 / (1 + x**2) - x, 0.0, 3.0, 8.0, ({"1", "x", "x**2", "x**3"}, {"x**2"})
        ),
        "logistic": Truth(IND, lambda x: x * (1 - x / 2), 0.1, 3.0, 8.0, ({"x", "x**2"}, set())),
        "cubic": Truth(IND, lambda x: x - x**3, -2.0, 2.0, 6.0, ({"x", "x**3"}, set())),
        "holling": Truth(
            EXC,
            lambda x: 2 * x / (0.5 + x + x.mean()) - 0.8 * x,
            0.05,
            3.0,
            8.0,
            ({"x", "x**2", "x*mean_x"}, {"x", "mean_x"}),
        ),
    },
    "held_out": {
        "haldane": Truth(
            IND,
            lambda x: 0.12 * (6 - x) - 2.5 * x / (0.4 + x + x**2 / 0.4),
            0.05,
            5.0,
            8.0,
            ({"1", "x", "x**2", "x**3"}, {"x", "x**2"}),
        ),
        "switch": Truth(
            IND,
            lambda x: 1.2 * (1 - x) / (1.3 - x) - x / (0.3 + x),
            0.02,
            0.98,
            6.0,
            ({"1", "x", "x**2"}, {"x", "x**2"}),
        ),
        "harvest": Truth(
            IND, lambda x: x * (1 - x / 3) - 0.8 * x / (1 + x), 0.1, 4.0, 8.0, ({"x", "x**2", "x**3"}, {"x"})
        ),
        "allee": Truth(IND, lambda x: 3 * x * (x - 0.3) * (1 - x), 0.05, 1.5, 8.0, ({"x", "x**2", "x**3"}, set())),
        "beddington": Truth(
            EXC, lambda x: 1.5 * x / (0.5 + x.mean()) - 0.8 * x, 0.05, 3.0, 8.0, ({"x", "x*mean_x"}, {"mean_x"})
        ),
        "competition": Truth(
            EXC, lambda x: x * (1 - x - 0.5 * x.mean()), 0.05, 2.0, 8.0, ({"x", "x**2", "x*mean_x"}, set())
        ),
    },
}


def runs_of(truth: Truth, noise: float, seed: int) -> tuple[Array, Array, Array]:
    """Training runs (run, step, feature) with noise, a fresh one without, and times."""
    rng, t = np.random.default_rng(seed), np.linspace(0.0, truth.duration, POINTS)
    starts = rng.uniform(truth.low, truth.high, (RUNS + 1, FEATURES))
    x = np.stack(
        [solve_ivp(lambda _, y: truth.slope(y), (0, t[-1]), x0, t_eval=t, rtol=1e-11, atol=1e-13).y.T for x0 in starts]
    )
    noisy = x[:-1] + noise * x[:-1].std() * rng.standard_normal(x[:-1].shape)
    return noisy, x[-1], t


def right(law: RationalLaw, form: RationalForm, truth: Truth) -> bool:
    """Whether it has exactly the truth's terms."""
    top = {n for n, c in zip(form.numerator.names(), law.numerator, strict=True) if c}
    bottom = {n for n, c in zip(form.denominator.names(), law.denominator, strict=True) if c} - {"1"}
    return (top, bottom) == truth.terms


def skill(law: RationalLaw, form: RationalForm, fresh: Array, t: Array) -> float:
    """Of a rollout over the fresh run."""
    x = as_trajectories([fresh], t)
    alone = RationalForm(form.numerator, form.denominator, Samples.of(x))
    values = np.concatenate([law.numerator, law.denominator[1:]]) / law.denominator[0] * form.units
    moved = alone.selected(values / alone.units)
    rhs = bound_laws(alone.numerator, alone.denominator, [moved], 1).rhs
    states, times = alone.samples.states, alone.samples.times
    with np.errstate(all="ignore"):
        rolled = np.stack([s[0, :, 0].copy() for _, s, _ in march(rhs, states[:, 0], times, substeps=4)])
        left = np.mean((rolled - states[0, :, :, 0]) ** 2)
    still = np.mean((states[0, :, :, 0] - states[0, :1, :, 0]) ** 2)
    return float(1 - left / still) if np.isfinite(left) else -np.inf


def own(truth: Truth, noisy: Array, t: Array) -> tuple[RationalLaw, RationalForm]:
    """The law that the family finds."""
    data = as_trajectories(list(noisy), t)
    family = Rational(truth.coupling)
    model = family.fit(data).model_
    form = RationalForm(*family.libraries(data), Samples.of(data))
    return form.selected(np.array([model.parameters.get(n, 0.0) for n in form.names]) / form.units), form


def sindy_pi(form: RationalForm, noisy: Array, t: Array) -> list[RationalLaw]:
    """PySINDy's, of all left sides and thresholds, the best by rollouts of the training runs first."""
    import pysindy

    samples = form.samples
    slopes = np.stack([pysindy.SmoothedFiniteDifference()._differentiate(x, t) for x in noisy])
    slopes = slopes / samples.scales[0] * samples.time_scale
    states = samples.states.reshape(-1, *samples.states.shape[2:])
    count = (len(states), FEATURES)
    top = np.broadcast_to(form.numerator.values(states), (*count, len(form.numerator)))
    bottom = np.broadcast_to(form.denominator.values(states), (*count, len(form.denominator)))
    columns = np.concatenate([top, bottom * slopes.reshape(*count, 1)], axis=-1).reshape(-1, len(form.names) + 1)
    laws = []
    for threshold in THRESHOLDS:
        optimizer = pysindy.SINDyPI(reg_weight_lam=threshold, regularizer="l1", max_iter=2000, tol=1e-6)
        with redirect_stdout(io.StringIO()):  # it prints which left side it is at
            optimizer.fit(columns, columns)
        for left, row in enumerate(np.atleast_2d(optimizer.coef_)):
            whole = -np.where(np.abs(row) < ZERO * np.abs(row).max(initial=0.0), 0.0, row)
            whole[left] = 1.0
            laws.append(RationalLaw(whole[: len(form.numerator)], -whole[len(form.numerator) :], left))
    laws = [law for law in laws if law.denominator.any()]
    laws = [law for law, fine in zip(laws, holds(form.denominator, samples, laws), strict=True) if fine]
    laws = [law for law in laws if law.denominator[0]]
    left = unexplained(form.numerator, form.denominator, samples, laws).mean(axis=1) if laws else []
    return [laws[i] for i in np.argsort(left)]


def main() -> None:
    """Run one half."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("half", choices=list(TRUTHS))
    parser.add_argument("--seeds", type=int, default=3, help="noisy data sets a truth and a noise")
    parser.add_argument("--sindy-pi", action="store_true")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    print(
        "truth        noise  right   hold    error  seconds"
        + ("   SINDyPI right  hold  any" if options.sindy_pi else "")
    )
    for name, truth in TRUTHS[options.half].items():
        for noise in NOISES:
            rows = []
            for seed in range(1 if noise == 0 else options.seeds):
                noisy, fresh, t = runs_of(truth, noise, 100 + seed)
                started = time.process_time()
                law, form = own(truth, noisy, t)
                seconds, scored = time.process_time() - started, skill(law, form, fresh, t)
                found = [right(law, form, truth), scored >= HELD, seconds, 1 - scored]
                if options.sindy_pi:
                    others = sindy_pi(form, noisy, t)
                    found += [right(other, form, truth) for other in others[:1]] or [False]
                    found += [skill(other, form, fresh, t) >= HELD for other in others[:1]] or [False]
                    found += [any(right(other, form, truth) for other in others)]
                rows.append(found)
            table = np.array(rows, dtype=float)
            n = len(rows)
            line = f"{name:12} {noise:5.2f}  {table[:, 0].sum():.0f}/{n}     {table[:, 1].sum():.0f}/{n}  "
            line += f"{np.median(table[:, 3]):.1e}  {np.median(table[:, 2]):5.1f}"
            if options.sindy_pi:
                line += "".join(f"{' ' * 5}{count:.0f}/{n}" for count in table[:, 4:].sum(axis=0))
            print(line, flush=True)


if __name__ == "__main__":
    main()
