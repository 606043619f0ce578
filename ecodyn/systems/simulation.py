"""Runs of known systems with measurement noise, how much a system moves, and how far two of them lie apart."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from ecodyn._version import __version__
from ecodyn.arrays import Array
from ecodyn.systems.system import System, solve
from ecodyn.trajectories import Trajectories

__all__ = ["ADDITIVE", "MULTIPLICATIVE", "distance", "scale", "simulate", "starts"]

MULTIPLICATIVE, ADDITIVE = "multiplicative", "additive"

SAMPLES = 201  # a run, both ends included: 200 intervals, that thinnings by 2, 4, 5 and 10 divide
TO_THE_ATTRACTOR = 1e-6  # relative error a step: where a transient is thrown away, nothing depends on its accuracy
TIMES = 1 << 31  # beside a seed: of the times, which all runs share; each run has its number there
CACHED = 256  # systems and seeds whose exact solutions are kept: all systems at several numbers of runs
REFERENCE_RUNS, REFERENCE_SEED = 32, 0  # what a system's own scale and a pair's distance are measured on


def simulate(
    system: System,
    runs: int = 8,
    seed: int = 0,
    noise: float = 0.0,
    kind: str = MULTIPLICATIVE,
    samples: int = SAMPLES,
    *,
    uneven: bool = False,
) -> Trajectories:
    """Runs of a known system from random starting states, with measurement noise.

    multiplicative: y = x(1 + σε).  additive: y = x + σsε.  ε is standard normal, independent for every sample, the
    first one included, and s is the system's own ``scale``.

    Parameters
    ----------
    runs : number of runs; the first ones don't depend on how many there are
    seed : of starting states and noise; runs of the same seed differ by nothing but their noise
    noise : σ, such as 0.01
    kind : "multiplicative" or "additive"
    samples : times of a run, both ends included
    uneven : whether the times between the ends are random, those of a Poisson process, the same for all runs; they are
        evenly spaced else

    Raises
    ------
    ValueError
        A parameter makes no sense.
    RuntimeError
        A solution did not reach the end: the parameters were changed beyond what the system stands.

    Examples
    --------
    >>> from ecodyn.systems import SYSTEMS
    >>> simulate(SYSTEMS["competition"], runs=3, noise=0.01, samples=21).values.shape
    (3, 21, 2)
    """
    if kind not in (MULTIPLICATIVE, ADDITIVE):
        raise ValueError(f"expected noise that is multiplicative or additive, got {kind!r}")
    if not (runs >= 1 and samples >= 2 and noise >= 0):
        raise ValueError(f"expected runs ≥ 1, samples ≥ 2 and noise ≥ 0, got {runs}, {samples} and {noise:g}")
    times, values = _clean(system, runs, seed, samples, uneven)
    if noise:
        size = np.abs(values) if kind == MULTIPLICATIVE else scale(system)
        errors = [np.random.default_rng([seed, r, 1]).standard_normal(values.shape[1:]) for r in range(runs)]
        values = values + noise * size * np.array(errors)
    provenance = system.described() | {
        "seed": seed,
        "noise": noise,
        "noise_kind": kind if noise else None,
        "uneven": uneven,
        "ecodyn": __version__,
    }
    return Trajectories(values, times, system.features, labels_shared=system.labels_shared, provenance=provenance)


def starts(system: System, runs: int, seed: int) -> Array:
    """Starting states (run, feature), after the transient if there is one; hidden variables come last.

    Examples
    --------
    >>> from ecodyn.systems import SYSTEMS
    >>> starts(SYSTEMS["logistic"], runs=2, seed=0).shape
    (2, 5)
    """
    x0 = np.array([system.start(np.random.default_rng([seed, r, 0])) for r in range(runs)])
    if not system.transient:
        return x0
    return solve(system, x0, np.array([0.0, system.transient]), TO_THE_ATTRACTOR)[:, -1]


def scale(system: System) -> Array:
    """How much a system moves: the root mean square of x(t) − x(0) over runs and time.

    (feature,) where features have names, and so units of their own; over all features, (1,), where they don't.
    With σ times this as noise, noise alone leaves the share σ² of persistence's error unexplained.

    Examples
    --------
    >>> from ecodyn.systems import SYSTEMS
    >>> scale(SYSTEMS["logistic"]).shape, scale(SYSTEMS["lorenz"]).shape
    ((1,), (3,))
    """
    return _scale(system).copy()


@lru_cache(maxsize=CACHED)
def _scale(system: System) -> Array:
    _, x = _reference(system)
    axes = (0, 1) if system.labels_shared else (0, 1, 2)
    return np.atleast_1d(np.sqrt(np.mean((x - x[:, :1]) ** 2, axis=axes)))


def distance(system: System, rival: System) -> float:
    """How far a rival's solutions run from a system's: ‖rival(t) − x(t)‖ / ‖x(t) − x(0)‖ from the system's starts.

    Norms are root mean squares over runs, time and features; the square is the share that the rival, refitted to
    nothing, leaves unexplained.

    Examples
    --------
    >>> from ecodyn.systems import SYSTEMS
    >>> round(distance(SYSTEMS["early_logistic"], SYSTEMS["early_logistic_linearised"]), 2)
    0.02
    """
    times, x = _reference(system)
    y = rival.solve(x[:, 0], times)
    return float(np.sqrt(np.mean((y - x) ** 2) / np.mean((x - x[:, :1]) ** 2)))


def _reference(system: System) -> tuple[Array, Array]:
    return _clean(system, REFERENCE_RUNS, REFERENCE_SEED, SAMPLES)


@lru_cache(maxsize=CACHED)
def _clean(system: System, runs: int, seed: int, samples: int, uneven: bool = False) -> tuple[Array, Array]:
    """Times and exact values: a system is judged at several levels and kinds of noise, from the same solutions."""
    times = np.linspace(0.0, system.duration, samples)
    if uneven:
        # Uniform, in order: a Poisson process's times, given how many there are. Runs have numbers, times none.
        times[1:-1] = np.sort(np.random.default_rng([seed, TIMES]).uniform(0.0, system.duration, samples - 2))
    values = system.solve(starts(system, runs, seed), times)[..., : len(system.features)].copy()
    values.flags.writeable = False
    return times, values
