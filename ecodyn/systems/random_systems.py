"""Systems drawn at random from grammars, so that nobody has tuned anything to them.

Of each kind a sentence is drawn with a seed, its numbers rounded to two digits, until what it says can be seen: from
many starts everything stays bounded, every variable moves, and no simpler family explains the rates (`suitable`).
Nothing is asked of how a family's *fit* would do.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from itertools import combinations_with_replacement
from numbers import Integral

import numpy as np

from ecodyn.arrays import Array
from ecodyn.rollouts.integration import integrate
from ecodyn.systems.system import LINEAR, LOTKA_VOLTERRA, NOT_POLYNOMIAL, SINDY, Form, System
from ecodyn.systems.written import flow

__all__ = ["KINDS", "random_system", "suitable", "unexplained"]

POLYNOMIAL, RATIONAL, TRANSCENDENTAL = "polynomial", "rational", "transcendental"

FEWEST, MOST = 2, 4  # variables
DURATION = 6.0  # rates are of order 1: a few time scales
POSITIVE, SIGNED = (0.2, 2.0), (-1.5, 1.5)  # starting values
LARGEST = 10.0  # absolute value of a state that counts as bounded: several times any start
LEAST = 0.25  # root mean square of x(t) − x(0) that counts as moving, in every variable
SHARE = 0.02  # of the rates' mean square that a simpler family must leave unexplained, in one variable at least
CHECKED, SAMPLES, ROUGHLY = (
    (8, 64),
    61,
    1e-6,
)  # starts, first few and then many, samples of each and relative error a step of the check
EVALUATIONS = 1_000  # of the right-hand side in the check: a law that needs more is a stiff one, and drawn again
TRIES = 2_000  # of each kind one sentence in five or so will do

Sentence = tuple[list[str], bool]
"""Rates of x1, x2, ..., and whether states are to stay positive."""


def _number(rng: np.random.Generator, low: float, high: float) -> str:
    """A number of either sign."""
    return f"{rng.uniform(low, high) * rng.choice([-1.0, 1.0]):.2f}"


def _size(rng: np.random.Generator, low: float, high: float) -> str:
    """A positive number."""
    return f"{rng.uniform(low, high):.2f}"


def _variables(rng: np.random.Generator, most: int = MOST) -> list[str]:
    return [f"x{i + 1}" for i in range(rng.integers(FEWEST, most + 1))]


def _sum(terms: list[str]) -> str:
    return " + ".join(terms).replace("+ -", "- ")


def _linear(rng: np.random.Generator) -> Sentence:
    """Rate := offset − own + some of the others."""
    names = _variables(rng)
    rates = []
    for own in names:
        terms = [_number(rng, 0.3, 2.0), f"-{_size(rng, 0.2, 1.8)}*{own}"]
        terms += [f"{_number(rng, 0.2, 1.5)}*{other}" for other in names if other != own and rng.random() < 0.7]
        rates.append(_sum(terms))
    return rates, False


def _lotka_volterra(rng: np.random.Generator) -> Sentence:
    """Rate := own·(growth − own + some of the others)."""
    names = _variables(rng)
    rates = []
    for own in names:
        terms = [_number(rng, 0.2, 1.5), f"-{_size(rng, 0.05, 1.2)}*{own}"]
        terms += [f"{_number(rng, 0.2, 1.3)}*{other}" for other in names if other != own and rng.random() < 0.8]
        rates.append(f"{own}*({_sum(terms)})")
    return rates, True


def _polynomial(rng: np.random.Generator) -> Sentence:
    """Rate := own + two to four monomials of degree 1 to 3."""
    names = _variables(rng, most=3)
    monomials = ["*".join(m) for degree in (1, 2, 3) for m in combinations_with_replacement(names, degree)]
    rates = []
    for own in names:
        others = rng.choice([m for m in monomials if m != own], rng.integers(2, 5), replace=False)
        rates.append(_sum([f"{_number(rng, 0.2, 1.5)}*{m}" for m in (own, *others)]))
    return rates, False


def _rational(rng: np.random.Generator) -> Sentence:
    """Rate := inflow − own + one to three of saturation, activation, inhibition and consumption."""
    names = _variables(rng, most=3)
    shapes = ("{c}*{x}/({k} + {x})", "{c}*{x}**2/({k} + {x}**2)", "{c}/({k} + {x}**3)", "{c}*{o}*{x}/({k} + {o})")
    rates = []
    for own in names:
        terms = [_size(rng, 0.05, 0.5), f"-{_size(rng, 0.2, 1.2)}*{own}"]
        for _ in range(rng.integers(1, 4)):
            parts = {"x": rng.choice(names), "o": own, "k": _size(rng, 0.2, 1.0), "c": _number(rng, 0.5, 2.5)}
            terms.append(str(rng.choice(shapes)).format(**parts))
        rates.append(_sum(terms))
    return rates, True


def _transcendental(rng: np.random.Generator) -> Sentence:
    """Rate := offset − own + one to three of sine, sigmoid, bump, modulation and root."""
    names = _variables(rng, most=3)
    shapes = ("sin({k}*{x})", "tanh({k}*{x})", "exp(-{k}*{x}**2)", "{o}*cos({x})", "sqrt(0.1 + {x}**2)")
    rates = []
    for own in names:
        terms = [_number(rng, 0.0, 0.5), f"-{_size(rng, 0.1, 0.8)}*{own}"]
        for _ in range(rng.integers(1, 4)):
            parts = {"x": rng.choice(names), "o": own, "k": _size(rng, 1.0, 3.0)}
            terms.append(f"{_number(rng, 0.5, 2.0)}*{rng.choice(shapes)}".format(**parts))
        rates.append(_sum(terms))
    return rates, False


KINDS: dict[str, tuple[Callable[[np.random.Generator], Sentence], str]] = {
    LINEAR: (_linear, LINEAR),
    LOTKA_VOLTERRA: (_lotka_volterra, LOTKA_VOLTERRA),
    POLYNOMIAL: (_polynomial, SINDY),
    RATIONAL: (_rational, NOT_POLYNOMIAL),
    TRANSCENDENTAL: (_transcendental, NOT_POLYNOMIAL),
}
"""What draws a sentence of each kind, and the family that its laws are in."""


def random_system(seed: int, kind: str) -> System:
    """A system drawn from the grammar of its kind; it depends on its seed and kind alone.

    Parameters
    ----------
    seed : int
    kind : "linear", "lotka_volterra", "polynomial", "rational" or "transcendental"

    Raises
    ------
    ValueError
        The kind is none of these, or the seed no whole number of at least 0.
    RuntimeError
        Nothing that was drawn will do.

    Examples
    --------
    >>> from ecodyn.systems import random_system
    >>> random_system(1, "linear").family, random_system(seed=1, kind="linear") is random_system(1, "linear")
    ('linear', True)
    """
    if not (isinstance(kind, str) and kind in KINDS):
        raise ValueError(f"expected one of the kinds {', '.join(KINDS)}, got {kind!r}; choose one of these")
    if isinstance(seed, bool) or not isinstance(seed, Integral) or seed < 0:
        raise ValueError(f"seed is a whole number of at least 0, got {seed!r}")
    return _drawn(int(seed), kind)


@lru_cache(maxsize=256)  # more than the record has
def _drawn(seed: int, kind: str) -> System:
    draw, family = KINDS[kind]
    rng = np.random.default_rng([list(KINDS).index(kind), seed])
    for _ in range(TRIES):
        rates, positive = draw(rng)
        system = flow(
            f"random_{kind}_{seed}",
            "; ".join(f"x{i + 1}' = {rate}" for i, rate in enumerate(rates)),
            f"drawn at random with seed {seed}",
            [POSITIVE if positive else SIGNED] * len(rates),
            DURATION,
        )
        if system.family == family and suitable(system, positive):
            return system
    raise RuntimeError(f"no {kind} system was found with seed {seed} in {TRIES} drawings; take another seed")


def suitable(system: System, positive: bool) -> bool:
    """Whether a drawn law can be seen: bounded, moving in every variable, and not explained by a simpler family."""
    return all(_seen(system, positive, starts) for starts in CHECKED)


def _seen(system: System, positive: bool, starts: int) -> bool:
    x0 = np.array([system.start(np.random.default_rng([0, r, 0])) for r in range(starts)])
    times = np.linspace(0.0, system.duration, SAMPLES)
    solved = integrate(lambda x, t: system(x), x0, times, bound=LARGEST, rtol=ROUGHLY, max_evaluations=EVALUATIONS)
    x = solved.values
    if not solved.ok.all() or (positive and x.min() <= 0):
        return False
    if np.sqrt(np.mean((x - x[:, :1]) ** 2, axis=(0, 1))).min() < LEAST:
        return False
    simpler = {LINEAR: (LOTKA_VOLTERRA,), LOTKA_VOLTERRA: (LINEAR,)}.get(system.family, (LINEAR, LOTKA_VOLTERRA))
    states = x.reshape(-1, x.shape[-1])
    return all(unexplained(system, family, states) > SHARE for family in simpler)


def unexplained(system: System, family: str, states: Array) -> float:
    """The share of the rates' mean square at some states that a family's best law leaves, in the worst variable.

    Examples
    --------
    >>> from ecodyn.systems import SYSTEMS, simulate
    >>> rivals = SYSTEMS["competition"]
    >>> x = simulate(rivals, runs=4, samples=21).values.reshape(-1, 2)
    >>> unexplained(rivals, "lotka_volterra", x) < 1e-12, unexplained(rivals, "linear", x) > 0.1
    (True, True)
    """
    rates = system(states)
    terms = Form(family, system.coupling, np.zeros((1, 0))).library(system.features).values(states[..., None])
    terms = np.broadcast_to(terms, (*states.shape, terms.shape[-1]))
    if system.labels_shared:
        problems = [(terms[:, k], rates[:, k]) for k in range(states.shape[1])]
    else:
        problems = [(terms.reshape(-1, terms.shape[-1]), rates.ravel())]
    left = [rate - phi @ np.linalg.lstsq(phi, rate, rcond=None)[0] for phi, rate in problems]
    return max(float(np.mean(e**2) / np.mean(rate**2)) for e, (_, rate) in zip(left, problems, strict=True))
