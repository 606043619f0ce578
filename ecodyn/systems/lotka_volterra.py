"""Lotka-Volterra systems: competition, predation, cycles, chaos, and many exchangeable species."""

from __future__ import annotations

from typing import Unpack

import numpy as np
from numpy.typing import ArrayLike

from ecodyn.arrays import Array
from ecodyn.equations.library import EXCHANGEABLE, FULL, INDEPENDENT
from ecodyn.systems.system import LOTKA_VOLTERRA, Description, Form, Label, System

# The circles of the study's networks (data/circles_p59_d128.nc) at step 60: their signals lie between 57 and 118,
# slightly skewed, and their mean over the 29 frequencies hardly differs between trainings.
LOWEST, RANGE, SHAPE = 57.0, 61.0, (1.9, 3.4)  # of a beta distribution, skewed as they are, of about their mean
MEAN, MEAN_DEVIATION = 78.7, 0.73  # of that mean, over the 16 trainings


def independent_rhs(x: Array, r: float, a: float) -> Array:
    """ẋᵢ = xᵢ(r + a xᵢ)."""
    return x * (r + a * x)


def exchangeable_rhs(x: Array, r: float, a: float, c: float) -> Array:
    """ẋᵢ = xᵢ(r + a xᵢ + c x̄)."""
    return x * (r + a * x + c * x.mean(axis=-1, keepdims=True))


def full_rhs(x: Array, r: Array, A: Array) -> Array:
    """ẋᵢ = xᵢ(rᵢ + Σⱼ Aᵢⱼ xⱼ)."""
    return np.asarray(x * (r + x @ np.asarray(A).T))


def predator_prey_rhs(x: Array, alpha: float, beta: float, gamma: float, delta: float) -> Array:
    """u̇ = (α − β v) u, v̇ = (−γ + δ u) v."""
    prey, predator = x[..., 0], x[..., 1]
    return np.stack([(alpha - beta * predator) * prey, (-gamma + delta * prey) * predator], axis=-1)


def full_form(r: ArrayLike, A: ArrayLike) -> Form:
    """The full law with these growth rates and this interaction matrix."""
    return Form(LOTKA_VOLTERRA, FULL, np.column_stack([r, A]))


def full(
    name: str, r: ArrayLike, A: ArrayLike, features: tuple[Label, ...] | None = None, **more: Unpack[Description]
) -> System:
    """ẋᵢ = xᵢ(rᵢ + Σⱼ Aᵢⱼ xⱼ) with named species; by default they are 1, 2, ..."""
    rates, matrix = np.asarray(r, dtype=float), np.asarray(A, dtype=float)
    described: Description = {
        "equation": "ẋᵢ = xᵢ(rᵢ + Σⱼ Aᵢⱼ xⱼ)",
        "right_hand_side": full_rhs,
        "parameters": {"r": rates, "A": matrix},
        **more,
    }
    return System(
        name=name,
        family=LOTKA_VOLTERRA,
        coupling=FULL,
        features=features or tuple(range(1, len(rates) + 1)),
        form=full_form(rates, matrix),
        labels_shared=True,
        **described,
    )


def logistic() -> System:
    """ẋᵢ = xᵢ(r + a xᵢ): growth to −r/a, one law for all."""
    r, a = 1.0, -1.0
    return System(
        name="logistic",
        equation="ẋᵢ = xᵢ(r + a xᵢ)",
        source="Verhulst 1838",
        family=LOTKA_VOLTERRA,
        coupling=INDEPENDENT,
        features=tuple(range(1, 6)),
        right_hand_side=independent_rhs,
        parameters={"r": r, "a": a},
        start=lambda rng: rng.uniform(0.02, 2.0, 5),
        duration=5.0,
        form=Form(LOTKA_VOLTERRA, INDEPENDENT, np.array([[r, a]])),
    )


def quadratic_growth() -> System:
    """ẋᵢ = c xᵢ²: growth to infinity at t = 1/(c xᵢ(0)), of which a run sees at most two thirds."""
    c = 1.0
    return System(
        name="quadratic_growth",
        equation="ẋᵢ = c xᵢ²",
        source="arXiv 2602.16849: decoupled frequencies from a small start, quadratic activation",
        family=LOTKA_VOLTERRA,
        coupling=INDEPENDENT,
        features=tuple(range(1, 6)),
        right_hand_side=lambda x, c: c * x**2,
        parameters={"c": c},
        start=lambda rng: rng.uniform(0.1, 0.4, 5),
        duration=1.6,
        form=Form(LOTKA_VOLTERRA, INDEPENDENT, np.array([[0.0, c]])),
    )


def competition() -> System:
    """ẋ = x(3 − x − 2y), ẏ = y(2 − x − y): rabbits and sheep, one excludes the other, and the start decides which."""
    return full(
        "competition",
        [3.0, 2.0],
        [[-1.0, -2.0], [-1.0, -1.0]],
        source="Strogatz, Nonlinear Dynamics and Chaos (1994), section 6.4",
        features=("rabbits", "sheep"),
        start=lambda rng: rng.uniform(0.1, 2.5, 2),
        duration=4.0,
    )


def predator_prey() -> System:
    """u̇ = (α − β v) u, v̇ = (−γ + δ u) v: cycles that keep δu − γ ln u + βv − α ln v.

    Units are thousands of pelts and years; two periods or so.
    """
    alpha, beta, gamma, delta = 0.55, 0.028, 0.80, 0.024
    return full(
        "predator_prey",
        [alpha, -gamma],
        [[0.0, -beta], [delta, 0.0]],
        equation="u̇ = (α − β v) u, v̇ = (−γ + δ u) v",
        source="Lotka 1925, Volterra 1926; hare and lynx as fitted by Carpenter (Stan case study, 2018)",
        features=("hare", "lynx"),
        right_hand_side=predator_prey_rhs,
        parameters={"alpha": alpha, "beta": beta, "gamma": gamma, "delta": delta},
        start=lambda rng: np.array([gamma / delta, alpha / beta]) * rng.uniform(0.4, 2.0, 2),
        duration=20.0,
    )


def may_leonard() -> System:
    """ẋ₁ = x₁(1 − x₁ − αx₂ − βx₃) and cyclically, α + β > 2 and α < 1: ever longer cycles between three corners."""
    alpha, beta = 0.8, 1.3
    A = -np.array([[1.0, alpha, beta], [beta, 1.0, alpha], [alpha, beta, 1.0]])
    return full(
        "may_leonard",
        np.ones(3),
        A,
        equation="ẋᵢ = xᵢ(1 − xᵢ − α xᵢ₊₁ − β xᵢ₊₂), indices modulo 3; α = 0.8, β = 1.3",
        source="May and Leonard 1975, SIAM J. Appl. Math. 29, 243",
        start=lambda rng: rng.uniform(0.05, 0.8, 3),
        duration=25.0,
    )


def vano() -> System:
    """ẋᵢ = rᵢxᵢ(1 − Σⱼ aᵢⱼxⱼ) of four competitors, chaotic with λ₁ = 0.0203."""
    r = np.array([1.0, 0.72, 1.53, 1.27])
    a = np.array([[1.0, 1.09, 1.52, 0.0], [0.0, 1.0, 0.44, 1.36], [2.33, 0.0, 1.0, 0.47], [1.21, 0.51, 0.35, 1.0]])
    lyapunov_time = 1 / 0.0203
    return full(
        "vano",
        r,
        -r[:, None] * a,
        equation="ẋᵢ = rᵢ xᵢ(1 − Σⱼ aᵢⱼ xⱼ)",
        source="Vano, Wildenberg, Anderson, Noel and Sprott 2006, Nonlinearity 19, 2391",
        right_hand_side=lambda x, r, a: x * r * (1 - x @ a.T),
        parameters={"r": r, "a": a},
        start=lambda rng: np.array([0.3013, 0.4586, 0.1307, 0.3557]) * rng.uniform(0.9, 1.1, 4),
        duration=2 * lyapunov_time,
        lyapunov_time=lyapunov_time,
        transient=500.0,
    )


def circle_like(rng: np.random.Generator, size: int) -> Array:
    """Starting signals as those of the circles at step 60."""
    x = LOWEST + RANGE * rng.beta(*SHAPE, size)
    return np.asarray(x * rng.normal(MEAN, MEAN_DEVIATION) / x.mean())


def circles(size: int) -> System:
    """ẋᵢ = xᵢ(r + a xᵢ + c x̄) with a > 0 > c: the larger grow at the cost of the rest.

    Made to look like the circles of the study's networks over steps 60 to 1000 (r, a, c are rounded from a fit to
    them): the mean falls from 79 to 24 and is nearly the same in every run, the weakest end near 10 where the
    circles have their noise floor, and one direction holds nearly all the variance.
    """
    r, a, c = 9e-4, 2.8e-5, -9e-5
    return System(
        name=f"circles_{size}",
        equation="ẋᵢ = xᵢ(r + a xᵢ + c x̄)",
        source="data/circles_p59_d128.nc, steps 60 to 1000, as lotka_volterra/exchangeable fits them, rounded",
        family=LOTKA_VOLTERRA,
        coupling=EXCHANGEABLE,
        features=tuple(range(1, size + 1)),
        right_hand_side=exchangeable_rhs,
        parameters={"r": r, "a": a, "c": c},
        start=lambda rng: circle_like(rng, size),
        duration=940.0,
        form=Form(LOTKA_VOLTERRA, EXCHANGEABLE, np.array([[r, a, c]])),
    )


def shared_resource(size: int) -> System:
    """ẋᵢ = xᵢ(r + a xᵢ + c x̄), all of them competing and surviving, from starts whose means differ."""
    r, a, c = 1.0, -0.5, -0.8
    return System(
        name=f"shared_resource_{size}",
        equation="ẋᵢ = xᵢ(r + a xᵢ + c x̄)",
        source="MacArthur and Levins 1967, with equal species",
        family=LOTKA_VOLTERRA,
        coupling=EXCHANGEABLE,
        features=tuple(range(1, size + 1)),
        right_hand_side=exchangeable_rhs,
        parameters={"r": r, "a": a, "c": c},
        start=lambda rng: rng.uniform(0.1, 1.5) * rng.uniform(0.1, 1.9, size),
        duration=5.0,
        form=Form(LOTKA_VOLTERRA, EXCHANGEABLE, np.array([[r, a, c]])),
    )


SYSTEMS = (
    logistic(),
    quadratic_growth(),
    competition(),
    predator_prey(),
    may_leonard(),
    vano(),
    shared_resource(5),
    circles(10),
    circles(29),
)
