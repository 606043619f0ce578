"""Systems built so that families can't be told apart: a verdict that decides on them claims too much.

Two kinds. Exponentials are linear *and* Lotka-Volterra laws, exactly: no data tell. The others come in pairs, a
Lotka-Volterra law and its linearisation that run within a few percent of each other from the same starts
(``distance``); at 1 % noise and above they can't be told, without noise a difference so small can be seen and the
verdict may name the truth.
"""

from __future__ import annotations

import numpy as np

from ecodyn.arrays import Array
from ecodyn.equations.library import EXCHANGEABLE, FULL, INDEPENDENT
from ecodyn.systems import linear, lotka_volterra
from ecodyn.systems.system import LINEAR, LOTKA_VOLTERRA, Form, System

NEAR = 0.06  # starting states of the pairs lie within so much of the equilibrium, relative to it


def exponential() -> System:
    """ẋᵢ = a xᵢ: linear with b = 0, and Lotka-Volterra without interaction."""
    a = -0.8
    return System(
        name="exponential",
        equation="ẋᵢ = a xᵢ",
        source="linear and Lotka-Volterra at once, exactly",
        family=LINEAR,
        coupling=INDEPENDENT,
        features=tuple(range(1, 6)),
        right_hand_side=lambda x, a: a * x,
        parameters={"a": a},
        start=lambda rng: rng.uniform(0.5, 3.0, 5),
        duration=3.0,
        form=Form(LINEAR, INDEPENDENT, np.array([[0.0, a]])),
        also=(Form(LOTKA_VOLTERRA, INDEPENDENT, np.array([[a, 0.0]])),),
    )


def exponential_named() -> System:
    """ẋᵢ = aᵢ xᵢ with named features, some growing and some decaying."""
    a = np.array([-1.0, -0.4, 0.3])
    zero = np.zeros(3)
    return System(
        name="exponential_named",
        equation="ẋᵢ = aᵢ xᵢ",
        source="linear and Lotka-Volterra at once, exactly",
        family=LINEAR,
        coupling=INDEPENDENT,
        features=(1, 2, 3),
        right_hand_side=lambda x, a: a * x,
        parameters={"a": a},
        start=lambda rng: rng.uniform(0.5, 3.0, 3),
        duration=3.0,
        form=Form(LINEAR, INDEPENDENT, np.stack([zero, a], axis=1)),
        labels_shared=True,
        also=(Form(LOTKA_VOLTERRA, INDEPENDENT, np.stack([a, zero], axis=1)),),
    )


def coexistence() -> tuple[System, System]:
    """Two competitors near the state in which both survive, and the linear law of that neighbourhood."""
    r, A = np.array([1.0, 1.0]), np.array([[-1.0, -0.6], [-0.4, -1.0]])
    rest = np.linalg.solve(A, -r)
    jacobian = rest[:, None] * A

    def start(rng: np.random.Generator) -> Array:
        return np.asarray(rest * (1 + rng.uniform(-NEAR, NEAR, 2)))

    original = lotka_volterra.full(
        "coexistence",
        r,
        A,
        source="Lotka 1925, Volterra 1926; starts within 6 % of the equilibrium",
        start=start,
        duration=5.0,
        rival="coexistence_linearised",
    )
    b = -jacobian @ rest
    linearised = System(
        name="coexistence_linearised",
        equation="ẋ = J(x − x*)",
        source="linearisation of coexistence at its equilibrium",
        family=LINEAR,
        coupling=FULL,
        features=original.features,
        right_hand_side=linear.full_rhs,
        parameters={"b": b, "A": jacobian},
        start=start,
        duration=original.duration,
        form=Form(LINEAR, FULL, np.column_stack([b, jacobian])),
        labels_shared=True,
        rival=original.name,
    )
    return original, linearised


def equal_species(size: int) -> tuple[System, System]:
    """Equal competitors near their common equilibrium, and the linear law of that neighbourhood."""
    r, a, c = 1.0, -0.6, -0.4
    rest = -r / (a + c)

    def start(rng: np.random.Generator) -> Array:
        return np.asarray(rest * (1 + rng.uniform(-NEAR, NEAR) / 2 + rng.uniform(-NEAR, NEAR, size) / 2))

    name = f"equal_species_{size}"
    original = System(
        name=name,
        equation="ẋᵢ = xᵢ(r + a xᵢ + c x̄)",
        source="starts within 6 % of the equilibrium",
        family=LOTKA_VOLTERRA,
        coupling=EXCHANGEABLE,
        features=tuple(range(1, size + 1)),
        right_hand_side=lotka_volterra.exchangeable_rhs,
        parameters={"r": r, "a": a, "c": c},
        start=start,
        duration=5.0,
        form=Form(LOTKA_VOLTERRA, EXCHANGEABLE, np.array([[r, a, c]])),
        rival=f"{name}_linearised",
    )
    parameters = {"b": -(rest**2) * (a + c), "a": rest * a, "c": rest * c}
    linearised = System(
        name=f"{name}_linearised",
        equation="ẋᵢ = x*(a(xᵢ − x*) + c(x̄ − x*))",
        source=f"linearisation of {name} at its equilibrium",
        family=LINEAR,
        coupling=EXCHANGEABLE,
        features=original.features,
        right_hand_side=linear.exchangeable_rhs,
        parameters=parameters,
        start=start,
        duration=original.duration,
        form=Form(LINEAR, EXCHANGEABLE, np.array([[*parameters.values()]])),
        rival=name,
    )
    return original, linearised


def early_logistic() -> tuple[System, System]:
    """A logistic law far below its capacity, and the exponential growth that it begins with."""
    r, a, size = 1.0, -1.0, 5

    def start(rng: np.random.Generator) -> Array:
        return rng.uniform(0.001, 0.005, size)

    original = System(
        name="early_logistic",
        equation="ẋᵢ = xᵢ(r + a xᵢ)",
        source="Verhulst 1838; no more than 4 % of the capacity is reached",
        family=LOTKA_VOLTERRA,
        coupling=INDEPENDENT,
        features=tuple(range(1, size + 1)),
        right_hand_side=lotka_volterra.independent_rhs,
        parameters={"r": r, "a": a},
        start=start,
        duration=2.0,
        form=Form(LOTKA_VOLTERRA, INDEPENDENT, np.array([[r, a]])),
        rival="early_logistic_linearised",
    )
    linearised = System(
        name="early_logistic_linearised",
        equation="ẋᵢ = r xᵢ",
        source="linearisation of early_logistic at zero",
        family=LINEAR,
        coupling=INDEPENDENT,
        features=original.features,
        right_hand_side=lambda x, r: r * x,
        parameters={"r": r},
        start=start,
        duration=original.duration,
        form=Form(LINEAR, INDEPENDENT, np.array([[0.0, r]])),
        also=(Form(LOTKA_VOLTERRA, INDEPENDENT, np.array([[r, 0.0]])),),
        rival=original.name,
    )
    return original, linearised


SYSTEMS = (exponential(), exponential_named(), *coexistence(), *equal_species(10), *early_logistic())
