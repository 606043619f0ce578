"""What a known system is, how it is simulated, and how far two of them lie apart."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TypedDict

import numpy as np

from ecodyn._version import __version__
from ecodyn.arrays import Array
from ecodyn.equations.forms import linear_library, lotka_volterra_library, polynomial_library
from ecodyn.equations.library import Library
from ecodyn.rollouts.integration import integrate
from ecodyn.trajectories import Trajectories

LINEAR, LOTKA_VOLTERRA, SINDY, NOT_POLYNOMIAL = "linear", "lotka_volterra", "sindy", "not_polynomial"
MULTIPLICATIVE, ADDITIVE = "multiplicative", "additive"

SAMPLES = 201  # a run, both ends included: 200 intervals, that thinnings by 2, 4, 5 and 10 divide
ACCURACY = 1e-9  # relative error a step: the data are to be exact next to anything that is asserted of them
TO_THE_ATTRACTOR = 1e-6  # where a transient is thrown away, nothing depends on its accuracy
MAX_EVALUATIONS = 1_000_000  # of a right-hand side: far beyond what any of the systems takes
CACHED = 256  # systems and seeds whose exact solutions are kept
REFERENCE_RUNS, REFERENCE_SEED = 32, 0  # what a system's own scale and a pair's distance are measured on


Label = int | str
"""Of a feature."""

Parameter = float | Array
"""Of a right-hand side."""


@dataclass(frozen=True, eq=False)
class Form:
    """A true law as a family writes it: ẋᵢ = Σⱼ θᵢⱼ φⱼ(x), with φ and θ in the order of a fitted model's.

    Attributes
    ----------
    family : "linear", "lotka_volterra" or "sindy"
    coupling : "independent", "exchangeable" or "full"
    coefficients : array (1, term) where features share them, else (feature, term)
    degree : of sindy's library; None is its default (3, or 2 for full)

    Examples
    --------
    The logistic law ẋᵢ = xᵢ − xᵢ², among the terms 1, x, x² and x³:

    >>> Form.of("independent", features=(1,), rows=[{"x": 1.0, "x**2": -1.0}]).coefficients.tolist()
    [[0.0, 1.0, -1.0, 0.0]]
    """

    family: str
    coupling: str
    coefficients: Array
    degree: int | None = None

    @classmethod
    def of(
        cls,
        coupling: str,
        features: Sequence[Label],
        rows: Sequence[Mapping[str, float]],
        degree: int | None = None,
    ) -> Form:
        """A polynomial law from its coefficients by term name, one mapping for all features or one a feature."""
        names = polynomial_library(coupling, ("signal",), features, degree).names()
        unknown = {name for row in rows for name in row} - set(names)
        if unknown:
            raise ValueError(f"the library has the terms {', '.join(names)}, got {', '.join(sorted(unknown))}")
        coefficients = np.array([[row.get(name, 0.0) for name in names] for row in rows])
        return cls(SINDY, coupling, coefficients, degree)

    def library(self, features: Sequence[Label]) -> Library:
        """The family's candidate terms for features of these labels."""
        if self.family == LINEAR:
            return linear_library(self.coupling, ("signal",), features)
        if self.family == LOTKA_VOLTERRA:
            return lotka_volterra_library(self.coupling, ("signal",), features)
        return polynomial_library(self.coupling, ("signal",), features, self.degree)


@dataclass(frozen=True, eq=False)
class System:
    """A dynamical system whose family is known.

    Attributes
    ----------
    name : str
    equation : str
        As text; features are numbered by i, x̄ is their mean.
    source : str
        Paper, year; where the parameters come from, if not from there.
    family : "linear", "lotka_volterra", "sindy" (polynomial, but neither) or "not_polynomial"
        The simplest that holds the law.
    coupling : str
        The simplest coupling that holds it. Where features have roles of their own this is "full", and a law
        transfers to unseen runs only because ``labels_shared``.
    features : tuple
        Labels.
    right_hand_side : callable
        (x, **parameters) -> ẋ on states (batch, feature), written out from the equation and not from ``form``.
    parameters : mapping
    start : callable
        (generator) -> a starting state (feature,).
    duration : float
        Of a run, in the equation's own time.
    form : Form or None
        The law with its true coefficients in the family's own library; None if it is no polynomial.
    labels_shared : bool
        Whether feature i is the same in every run.
    lyapunov_time : float or None
        1/λ₁ of a chaotic system; no run is longer than two.
    transient : float
        Time that runs before a run begins, to reach an attractor.
    also : tuple of Form
        Exactly the same law in other families: no data tell them apart.
    rival : str or None
        The system of another family that it is built to be hard to tell from; ``distance`` says how hard.
    unique : bool
        Whether data determine the coefficients: not so on an invariant surface, where terms coincide.

    Examples
    --------
    >>> from ecodyn.systems import SYSTEMS
    >>> logistic = SYSTEMS["logistic"]
    >>> logistic(np.array([[0.5, 1.0, 2.0]])).tolist()
    [[0.25, 0.0, -2.0]]
    """

    name: str
    equation: str
    source: str
    family: str
    coupling: str
    features: tuple[Label, ...]
    right_hand_side: Callable[..., Array]
    parameters: Mapping[str, Parameter]
    start: Callable[[np.random.Generator], Array]
    duration: float
    form: Form | None = None
    labels_shared: bool = False
    lyapunov_time: float | None = None
    transient: float = 0.0
    also: tuple[Form, ...] = field(default=())
    rival: str | None = None
    unique: bool = True

    def __call__(self, x: Array) -> Array:
        """ẋ at states (batch, feature)."""
        return self.right_hand_side(np.asarray(x, dtype=float), **self.parameters)

    @property
    def degree(self) -> int | None:
        """The degree that sindy's library must be given to hold the law; None where its default does."""
        return None if self.form is None else self.form.degree

    @property
    def indistinguishable(self) -> bool:
        """Whether it was built so that families can't, or can hardly, be told apart."""
        return bool(self.also) or self.rival is not None

    def described(self) -> dict[str, object]:
        """Name, law, source and parameters, for a provenance."""
        return {
            "system": self.name,
            "family": self.family,
            "coupling": self.coupling,
            "equation": self.equation,
            "source": self.source,
            "parameters": dict(self.parameters),
        }

    def solve(self, x0: Array, times: Array) -> Array:
        """Solutions (run, step, feature) from starting states (run, feature).

        Raises
        ------
        RuntimeError
            One of them did not reach the last time.
        """
        return _solve(self, x0, times, ACCURACY)


class Description(TypedDict, total=False):
    """What a function that makes similar systems passes on to `System` as it is; see there."""

    equation: str
    source: str
    right_hand_side: Callable[..., Array]
    parameters: Mapping[str, Parameter]
    start: Callable[[np.random.Generator], Array]
    duration: float
    lyapunov_time: float | None
    transient: float
    rival: str | None
    unique: bool


def simulate(
    system: System,
    runs: int = 8,
    seed: int = 0,
    noise: float = 0.0,
    kind: str = MULTIPLICATIVE,
    samples: int = SAMPLES,
) -> Trajectories:
    """Runs of a known system from random starting states, sampled evenly, with measurement noise.

    multiplicative: y = x(1 + σε).  additive: y = x + σsε.  ε is standard normal, independent for every sample, the
    first one included, and s is the system's own ``scale``.

    Parameters
    ----------
    runs : number of runs; the first ones don't depend on how many there are
    seed : of starting states and noise; runs of the same seed differ by nothing but their noise
    noise : σ, such as 0.01
    kind : "multiplicative" or "additive"
    samples : times of a run, both ends included

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
    times, values = _clean(system, runs, seed, samples)
    if noise:
        size = np.abs(values) if kind == MULTIPLICATIVE else scale(system)
        errors = [np.random.default_rng([seed, r, 1]).standard_normal(values.shape[1:]) for r in range(runs)]
        values = values + noise * size * np.array(errors)
    provenance = system.described() | {
        "seed": seed,
        "noise": noise,
        "noise_kind": kind if noise else None,
        "ecodyn": __version__,
    }
    return Trajectories(values, times, system.features, labels_shared=system.labels_shared, provenance=provenance)


def starts(system: System, runs: int, seed: int) -> Array:
    """Starting states (run, feature), after the transient if there is one."""
    x0 = np.array([system.start(np.random.default_rng([seed, r, 0])) for r in range(runs)])
    if not system.transient:
        return x0
    return _solve(system, x0, np.array([0.0, system.transient]), TO_THE_ATTRACTOR)[:, -1]


def scale(system: System) -> Array:
    """How much a system moves: the root mean square of x(t) − x(0) over runs and time.

    (feature,) where features have names, and so units of their own; over all features, (1,), where they don't.
    With σ times this as noise, noise alone leaves the share σ² of persistence's error unexplained.
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
def _clean(system: System, runs: int, seed: int, samples: int) -> tuple[Array, Array]:
    """Times and exact values: a system is judged at several levels and kinds of noise, from the same solutions."""
    times = np.linspace(0.0, system.duration, samples)
    values = system.solve(starts(system, runs, seed), times)
    values.flags.writeable = False
    return times, values


def _solve(system: System, x0: Array, times: Array, accuracy: float) -> Array:
    rollout = integrate(lambda x, t: system(x), x0, times, rtol=accuracy, max_evaluations=MAX_EVALUATIONS)
    if not rollout.ok.all():
        raise RuntimeError(
            f"{system.name} has no solution up to t={times[-1]:g} from every start: {', '.join({*rollout.status})}; "
            "choose a shorter duration, other parameters or other starts"
        )
    return rollout.values
