"""What a known system is: its law, where it comes from, the simplest family that holds it, and its solutions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypedDict

import numpy as np

from ecodyn.arrays import Array
from ecodyn.equations.forms import linear_library, lotka_volterra_library, polynomial_library
from ecodyn.equations.library import Library
from ecodyn.rollouts.implicit import integrate_stiff
from ecodyn.rollouts.integration import integrate
from ecodyn.systems.delays import Past, integrate_delayed

LINEAR, LOTKA_VOLTERRA, SINDY, NOT_POLYNOMIAL = "linear", "lotka_volterra", "sindy", "not_polynomial"

ACCURACY = 1e-9  # relative error a step: the data are to be exact next to anything that is asserted of them
MAX_EVALUATIONS = 1_000_000  # of a right-hand side: far beyond what any of the systems takes
STIFF = 1e-7  # as ACCURACY, of an implicit method of order 5: its steps are dear, and data are noisy far above it
BEYOND = 1e6  # times a start's largest value a stiff solution has diverged, as `integrate` has it


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
        ``(x, **parameters)`` -> ẋ on states (batch, feature), with ``t`` and ``past`` where the law asks for them;
        written out from the equation, or read from its text (``written.Law``), and not from ``form``.
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
    hidden : tuple
        Variables that are simulated after the features and are not in the data.
    forced : bool
        Whether the right-hand side takes the time as ``t``.
    delays : tuple of float
        How long ago the states are that it asks ``past`` for; before a run the state is its start.
    stiff : bool
        Whether it is solved by an implicit method.

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
    hidden: tuple[Label, ...] = ()
    forced: bool = False
    delays: tuple[float, ...] = ()
    stiff: bool = False

    def __call__(self, x: Array, t: Array | float | None = None, past: Past | None = None) -> Array:
        """ẋ at states (batch, feature), the hidden variables after the features.

        Raises
        ------
        ValueError
            The law depends on a time or a past that is not given.
        """
        if (self.forced and t is None) or (self.delays and past is None):
            missing = "the time t" if self.forced and t is None else "its past, a function of the delay"
            raise ValueError(f"{self.name}'s right-hand side depends on {missing}: give it, or call `solve`")
        more = ({"t": t} if self.forced else {}) | ({"past": past} if self.delays else {})
        return self.right_hand_side(np.asarray(x, dtype=float), **more, **self.parameters)

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
            **({"hidden": list(self.hidden)} if self.hidden else {}),
        }

    def solve(self, x0: Array, times: Array) -> Array:
        """Solutions (run, step, feature) from starting states (run, feature), the hidden variables last.

        Raises
        ------
        RuntimeError
            One of them did not reach the last time.
        """
        return solve(self, x0, times, ACCURACY)


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


def solve(system: System, x0: Array, times: Array, accuracy: float) -> Array:
    """Solutions (run, step, feature) of a relative error a step; a RuntimeError where one ends too early."""
    if system.delays:
        return _reached(system, times, integrate_delayed(system, x0, times, system.delays))
    if system.stiff:
        return _reached(system, times, np.stack([_stiff(system, start, times, accuracy) for start in x0]))
    rhs = (lambda x, t: system(x, t)) if system.forced else (lambda x, t: system(x))
    rollout = integrate(rhs, x0, times, rtol=accuracy, max_evaluations=MAX_EVALUATIONS)
    return _reached(system, times, rollout.values, rollout.status)


def _stiff(system: System, start: Array, times: Array, accuracy: float) -> Array:
    """One solution by an implicit method; NaN where there is none."""
    bound = BEYOND * np.abs(start).max()
    solved = integrate_stiff(
        lambda x, t: system(x[None], t)[0], start, times, bound=bound, rtol=max(accuracy, STIFF), budget=MAX_EVALUATIONS
    )
    return np.full((len(times), len(start)), np.nan) if solved is None else solved[0]


def _reached(system: System, times: Array, values: Array, status: Sequence[str] = ("not solved",)) -> Array:
    if not np.isfinite(values).all():
        raise RuntimeError(
            f"{system.name} has no solution up to t={times[-1]:g} from every start: {', '.join({*status})}; "
            "choose a shorter duration, other parameters or other starts"
        )
    return values
