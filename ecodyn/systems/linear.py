"""Stable linear systems: independent, exchangeable and full."""

from __future__ import annotations

import numpy as np

from ecodyn.arrays import Array
from ecodyn.equations.library import EXCHANGEABLE, FULL, INDEPENDENT
from ecodyn.systems.system import LINEAR, Form, System

SOURCE = "stable by construction; the family of the study (arXiv 2405.17420, section 4.3)"
MATRIX_SEED = 59  # any does; the coefficients of the full systems are part of the record
SLOWEST, FASTEST, ROTATION = 0.4, 1.6, 0.8  # rates of decay and size of the rotation, per unit of time


def independent_rhs(x: Array, b: Array, a: Array) -> Array:
    """ẋᵢ = bᵢ + aᵢ xᵢ."""
    return np.asarray(b + np.asarray(a) * x)


def exchangeable_rhs(x: Array, b: float, a: float, c: float) -> Array:
    """ẋᵢ = b + a xᵢ + c x̄."""
    return b + a * x + c * x.mean(axis=-1, keepdims=True)


def full_rhs(x: Array, b: Array, A: Array) -> Array:
    """ẋ = b + A x."""
    return np.asarray(b + x @ np.asarray(A).T)


def equilibrium(size: int) -> Array:
    """Where the full systems come to rest: away from zero, so that offsets matter."""
    return np.linspace(1.0, 2.0, size)


def aside(rng: np.random.Generator, rest: float, nearest: float, farthest: float, size: int | None = None) -> Array:
    """Starts on either side of an equilibrium and none close to it: a run that hardly moves says nothing."""
    return np.asarray(rest + rng.choice([-1.0, 1.0], size) * rng.uniform(nearest, farthest, size))


def independent(size: int) -> System:
    """ẋᵢ = b + a xᵢ, one law for all features: relaxation to −b/a at rate −a."""
    b, a = 0.6, -1.0
    return System(
        name=f"linear_independent_{size}",
        equation="ẋᵢ = b + a xᵢ",
        source=SOURCE,
        family=LINEAR,
        coupling=INDEPENDENT,
        features=tuple(range(1, size + 1)),
        right_hand_side=independent_rhs,
        parameters={"b": b, "a": a},
        start=lambda rng: aside(rng, -b / a, 0.5, 2.5, size),
        duration=4.0,
        form=Form(LINEAR, INDEPENDENT, np.array([[b, a]])),
    )


def independent_named(size: int) -> System:
    """ẋᵢ = bᵢ + aᵢ xᵢ, a law for each named feature."""
    a = -np.linspace(0.5, 1.5, size)
    b = np.linspace(1.0, 0.2, size)
    return System(
        name=f"linear_independent_named_{size}",
        equation="ẋᵢ = bᵢ + aᵢ xᵢ",
        source=SOURCE,
        family=LINEAR,
        coupling=INDEPENDENT,
        features=tuple(range(1, size + 1)),
        right_hand_side=independent_rhs,
        parameters={"b": b, "a": a},
        start=lambda rng: rng.uniform(0.2, 3.0, size),
        duration=4.0,
        form=Form(LINEAR, INDEPENDENT, np.stack([b, a], axis=1)),
        labels_shared=True,
    )


def exchangeable(size: int) -> System:
    """ẋᵢ = b + a xᵢ + c x̄: the mean relaxes at rate −(a + c), what sets features apart at rate −a.

    The starts' means scatter as widely as the features do, so that x̄ is more than a function of time.
    """
    b, a, c = 1.0, -0.5, -1.0
    return System(
        name=f"linear_exchangeable_{size}",
        equation="ẋᵢ = b + a xᵢ + c x̄",
        source=SOURCE,
        family=LINEAR,
        coupling=EXCHANGEABLE,
        features=tuple(range(1, size + 1)),
        right_hand_side=exchangeable_rhs,
        parameters={"b": b, "a": a, "c": c},
        start=lambda rng: aside(rng, -b / (a + c), 1.0, 2.0) + rng.uniform(-1.0, 1.0, size),
        duration=4.0,
        form=Form(LINEAR, EXCHANGEABLE, np.array([[b, a, c]])),
    )


def full(size: int) -> System:
    """ẋ = b + A x, A = S − P with S antisymmetric and P symmetric, eigenvalues 0.4 to 1.6: d‖x − x*‖²/dt < 0."""
    rng = np.random.default_rng([MATRIX_SEED, size])
    directions = np.linalg.qr(rng.standard_normal((size, size)))[0]
    decay = directions @ np.diag(np.linspace(SLOWEST, FASTEST, size)) @ directions.T
    random = rng.standard_normal((size, size)) * ROTATION / np.sqrt(size)
    A = (random - random.T) - decay
    b = -A @ equilibrium(size)
    return System(
        name=f"linear_full_{size}",
        equation="ẋ = b + A x",
        source=f"{SOURCE}; A = S − P drawn with seed ({MATRIX_SEED}, {size})",
        family=LINEAR,
        coupling=FULL,
        features=tuple(range(1, size + 1)),
        right_hand_side=full_rhs,
        parameters={"b": b, "A": A},
        start=lambda rng: equilibrium(size) + rng.standard_normal(size),
        duration=4.0,
        form=Form(LINEAR, FULL, np.column_stack([b, A])),
        labels_shared=True,
    )


SYSTEMS = (
    independent(2),
    independent(5),
    independent(29),
    independent_named(3),
    exchangeable(2),
    exchangeable(5),
    exchangeable(29),
    full(2),
    full(5),
    full(29),
)
