"""Systems whose law is known, and comparisons of them that are quick."""

import numpy as np

from ecodyn import Trajectories, compare, integrate

FAMILIES = ["linear", "lotka_volterra"]
COUPLINGS = ["independent", "exchangeable"]
OWN = ["linear_again", "quadratic", "failing", "interrupting", "exploding", "losing_its_clock"]
QUICK = {name: {"refine": False} for name in (*FAMILIES, *OWN)}
UNSEEN = ["unseen_runs"]
LAWS = {
    # An equilibrium away from zero; coupled through the mean.
    "linear": lambda x, m: 0.6 - 0.08 * x + 0.05 * m,
    "lotka_volterra": lambda x, m: x * (0.25 - 0.01 * x - 0.015 * m),
    "logistic": lambda x, m: x * (0.2 - 0.02 * x),
    "quadratic": lambda x, m: 2.0 - 0.01 * x**2,
}


def system(law, *, scale=1.0, runs=8, samples=61, features=4, seed=0, until=30.0, **more):
    """Runs of a known law, solved far tighter than anything asserted of them."""
    start = np.random.default_rng(seed).uniform(2, 20, (runs, features))
    times = np.linspace(0, until, samples)

    def slopes(x, t):
        return LAWS[law](x, x.mean(axis=-1, keepdims=True))

    values = integrate(slopes, start, times, rtol=1e-11).values
    return Trajectories(scale * values, times, **more)


def quick(data, families=("linear",), couplings=COUPLINGS, **more):
    """A comparison by integral matching alone."""
    names = {*FAMILIES, *(f if isinstance(f, str) else f.name for f in families)}
    parameters = {name: own for name, own in QUICK.items() if name in names}
    return compare(data, list(families), couplings, **{"parameters": parameters, **more})


def without_seconds(report):
    for m in report["models"]:
        del m["fit_seconds"]
        if "law" in m:
            del m["law"]["diagnostics"]["seconds"]
    return report
