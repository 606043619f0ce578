"""Systems whose right-hand side is no polynomial."""

from __future__ import annotations

import numpy as np

from ecodyn.arrays import Array
from ecodyn.equations.library import EXCHANGEABLE, FULL, INDEPENDENT
from ecodyn.systems.system import NOT_POLYNOMIAL, System


def pendulum_rhs(x: Array, frequency: float) -> Array:
    """θ̇ = ω, ω̇ = −ω₀² sin θ."""
    return np.stack([x[..., 1], -(frequency**2) * np.sin(x[..., 0])], axis=-1)


def predation_rhs(x: Array, k: float, m: float, c: float, order: int) -> Array:
    """u̇ = u(1 − u/k) − g(u)v, v̇ = (g(u) − c)v, g(u) = m uⁿ/(1 + uⁿ)."""
    prey, predator = x[..., 0], x[..., 1]
    eaten = m * prey**order / (1 + prey**order)
    return np.stack([prey * (1 - prey / k) - eaten * predator, (eaten - c) * predator], axis=-1)


def gompertz_rhs(x: Array, r: float, K: float) -> Array:
    """ẋᵢ = r xᵢ ln(K/xᵢ)."""
    return r * x * np.log(K / x)


def hill_competition_rhs(x: Array, alpha: float, n: int) -> Array:
    """ẋᵢ = α/(1 + Σ_{j≠i} xⱼⁿ) − xᵢ."""
    power = x**n
    return alpha / (1 + power.sum(axis=-1, keepdims=True) - power) - x


def pendulum() -> System:
    """θ̇ = ω, ω̇ = −ω₀² sin θ, swinging far but never over: ω²/2 − ω₀² cos θ is kept."""
    return System(
        name="pendulum",
        equation="θ̇ = ω, ω̇ = −ω₀² sin θ",
        source="Huygens 1673; Strogatz, Nonlinear Dynamics and Chaos (1994), section 6.7",
        family=NOT_POLYNOMIAL,
        coupling=FULL,
        features=("theta", "omega"),
        right_hand_side=pendulum_rhs,
        parameters={"frequency": 1.0},
        start=lambda rng: np.array([rng.choice([-1, 1]) * rng.uniform(1.0, 2.7), rng.uniform(-0.5, 0.5)]),
        duration=12.0,
        labels_shared=True,
    )


def holling_ii() -> System:
    """u̇ = u(1 − u/k) − m u v/(1 + u), v̇ = (m u/(1 + u) − c)v: predators that are busy eating; a limit cycle."""
    return System(
        name="holling_ii",
        equation="u̇ = u(1 − u/k) − m u v/(1 + u), v̇ = (m u/(1 + u) − c)v",
        source="Holling 1959; Rosenzweig and MacArthur 1963, scaled",
        family=NOT_POLYNOMIAL,
        coupling=FULL,
        features=("prey", "predator"),
        right_hand_side=predation_rhs,
        parameters={"k": 3.0, "m": 3.0, "c": 1.0, "order": 1},
        start=lambda rng: np.array([rng.uniform(0.1, 2.5), rng.uniform(0.1, 1.2)]),
        duration=12.0,
        labels_shared=True,
    )


def holling_iii() -> System:
    """u̇ = u(1 − u/k) − m u²v/(1 + u²), v̇ = (m u²/(1 + u²) − c)v: predators that overlook rare prey."""
    return System(
        name="holling_iii",
        equation="u̇ = u(1 − u/k) − m u²v/(1 + u²), v̇ = (m u²/(1 + u²) − c)v",
        source="Holling 1959, scaled",
        family=NOT_POLYNOMIAL,
        coupling=FULL,
        features=("prey", "predator"),
        right_hand_side=predation_rhs,
        parameters={"k": 4.0, "m": 2.0, "c": 1.0, "order": 2},
        start=lambda rng: np.array([rng.uniform(0.3, 3.0), rng.uniform(0.1, 1.5)]),
        duration=12.0,
        labels_shared=True,
    )


def gompertz() -> System:
    """ẋᵢ = r xᵢ ln(K/xᵢ), xᵢ(t) = K (xᵢ(0)/K)^exp(−rt): growth that slows from the first moment on."""
    return System(
        name="gompertz",
        equation="ẋᵢ = r xᵢ ln(K/xᵢ)",
        source="Gompertz 1825; tumours: Laird 1964",
        family=NOT_POLYNOMIAL,
        coupling=INDEPENDENT,
        features=tuple(range(1, 6)),
        right_hand_side=gompertz_rhs,
        parameters={"r": 1.0, "K": 1.0},
        start=lambda rng: 10.0 ** rng.uniform(-3.0, -0.1, 5),
        duration=4.0,
    )


def hill_competition() -> System:
    """ẋᵢ = α/(1 + Σ_{j≠i} xⱼⁿ) − xᵢ: units that repress one another; for n > K − 1 one wins."""
    return System(
        name="hill_competition",
        equation="ẋᵢ = α/(1 + Σ_{j≠i} xⱼⁿ) − xᵢ",
        source="Gardner, Cantor and Collins 2000, Nature 403, 339, for several genes; Hill 1910",
        family=NOT_POLYNOMIAL,
        coupling=EXCHANGEABLE,
        features=(1, 2, 3),
        right_hand_side=hill_competition_rhs,
        parameters={"alpha": 3.0, "n": 4},
        start=lambda rng: rng.uniform(0.1, 2.0, 3),
        duration=6.0,
    )


SYSTEMS = (pendulum(), holling_ii(), holling_iii(), gompertz(), hill_competition())
