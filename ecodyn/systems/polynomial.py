"""Polynomial systems that are neither linear nor Lotka-Volterra."""

from __future__ import annotations

from typing import Unpack

import numpy as np

from ecodyn.arrays import Array
from ecodyn.equations.library import EXCHANGEABLE, FULL, INDEPENDENT
from ecodyn.systems.system import SINDY, Description, Form, System

Rows = list[dict[str, float]]


def pitchfork_rhs(x: Array, r: float) -> Array:
    """ẋ = r x − x³."""
    return r * x - x**3


def mean_field_rhs(x: Array, theta: float) -> Array:
    """ẋᵢ = xᵢ − xᵢ³ + θ(x̄ − xᵢ)."""
    return x - x**3 + theta * (x.mean(axis=-1, keepdims=True) - x)


def autocatalysis_rhs(x: Array, k: float) -> Array:
    """ẋᵢ = k xᵢ(xᵢ − Σⱼ xⱼ²)."""
    return k * x * (x - (x**2).sum(axis=-1, keepdims=True))


def floored_rhs(y: Array, r: float, a: float, c: float, floor: float) -> Array:
    """ẏᵢ = uᵢ(r + a uᵢ + c ū), u = y − floor."""
    u = y - floor
    return u * (r + a * u + c * u.mean(axis=-1, keepdims=True))


def van_der_pol_rhs(x: Array, mu: float) -> Array:
    """ẋ = y, ẏ = μ(1 − x²)y − x."""
    x, y = x[..., 0], x[..., 1]
    return np.stack([y, mu * (1 - x**2) * y - x], axis=-1)


def lorenz_rhs(x: Array, sigma: float, rho: float, beta: float) -> Array:
    """ẋ = σ(y − x), ẏ = x(ρ − z) − y, ż = xy − βz."""
    x, y, z = x[..., 0], x[..., 1], x[..., 2]
    return np.stack([sigma * (y - x), x * (rho - z) - y, x * y - beta * z], axis=-1)


def rossler_rhs(x: Array, a: float, b: float, c: float) -> Array:
    """ẋ = −y − z, ẏ = x + a y, ż = b + z(x − c)."""
    x, y, z = x[..., 0], x[..., 1], x[..., 2]
    return np.stack([-y - z, x + a * y, b + z * (x - c)], axis=-1)


def brusselator_rhs(x: Array, A: float, B: float) -> Array:
    """ẋ = A + x²y − (B + 1)x, ẏ = Bx − x²y."""
    x, y = x[..., 0], x[..., 1]
    return np.stack([A + x**2 * y - (B + 1) * x, B * x - x**2 * y], axis=-1)


def replicator_rhs(x: Array, A: Array) -> Array:
    """ẋᵢ = xᵢ((A x)ᵢ − xᵀA x)."""
    fitness = x @ A.T
    return np.asarray(x * (fitness - (x * fitness).sum(axis=-1, keepdims=True)))


def shared(coupling: str, size: int, terms: dict[str, float], *, name: str, **more: Unpack[Description]) -> System:
    """One law for features without names."""
    features = tuple(range(1, size + 1))
    form = Form.of(coupling, features, [terms])
    return System(name=name, family=SINDY, coupling=coupling, features=features, form=form, **more)


def named(
    features: tuple[str, ...], rows: Rows, degree: int | None = None, *, name: str, **more: Unpack[Description]
) -> System:
    """A law for each of a few features with names."""
    form = Form.of(FULL, features, rows, degree)
    return System(name=name, family=SINDY, coupling=FULL, features=features, form=form, labels_shared=True, **more)


def pitchfork() -> System:
    """ẋᵢ = r xᵢ − xᵢ³: to ±√r, by the sign of the start."""
    r = 1.0
    return shared(
        INDEPENDENT,
        5,
        {"x": r, "x**3": -1.0},
        name="pitchfork",
        equation="ẋᵢ = r xᵢ − xᵢ³",
        source="Strogatz, Nonlinear Dynamics and Chaos (1994), section 3.4",
        right_hand_side=pitchfork_rhs,
        parameters={"r": r},
        start=lambda rng: rng.uniform(-1.8, 1.8, 5),
        duration=4.0,
    )


def mean_field() -> System:
    """ẋᵢ = xᵢ − xᵢ³ + θ(x̄ − xᵢ): bistable units that pull one another."""
    theta = 0.6
    return shared(
        EXCHANGEABLE,
        8,
        {"x": 1 - theta, "x**3": -1.0, "mean_x": theta},
        name="mean_field",
        equation="ẋᵢ = xᵢ − xᵢ³ + θ(x̄ − xᵢ)",
        source="Desai and Zwanzig 1978, J. Stat. Phys. 19, 1, without noise",
        right_hand_side=mean_field_rhs,
        parameters={"theta": theta},
        start=lambda rng: rng.uniform(-1.0, 1.0) + rng.uniform(-1.0, 1.0, 8),
        duration=5.0,
    )


def autocatalysis() -> System:
    """ẋᵢ = k xᵢ(xᵢ − Σⱼ xⱼ²), Σ x = 1: replicators that catalyse themselves, and the largest takes all.

    On the simplex x̄ is 1/K, so that terms with x̄ and without it coincide and coefficients are not unique.
    """
    k, size = 4.0, 5
    return shared(
        EXCHANGEABLE,
        size,
        {"x**2": k, "x*mean_x2": -k * size},
        name="autocatalysis",
        equation="ẋᵢ = k xᵢ(xᵢ − Σⱼ xⱼ²), Σⱼ xⱼ = 1",
        source="replicator equation: Schuster and Sigmund 1983; self-replication of order 2: Eigen and Schuster 1979",
        right_hand_side=autocatalysis_rhs,
        parameters={"k": k},
        start=lambda rng: rng.dirichlet(np.full(size, 6.0)),
        duration=6.0,
        unique=False,
    )


def floored_competition() -> System:
    """ẏᵢ = uᵢ(r + a uᵢ + c ū), uᵢ = yᵢ − floor: competitors that are measured on top of a floor, as the circles are.

    A floor takes a law out of the Lotka-Volterra family: it has a constant term, and the dead come to rest above zero.
    """
    r, a, c, floor, size = 1.0, -0.5, -0.8, 1.0, 10
    terms = {
        "1": -floor * (r - (a + c) * floor),
        "x": r - (2 * a + c) * floor,
        "mean_x": -c * floor,
        "x**2": a,
        "x*mean_x": c,
    }
    return shared(
        EXCHANGEABLE,
        size,
        terms,
        name="floored_competition",
        equation="ẏᵢ = uᵢ(r + a uᵢ + c ū), uᵢ = yᵢ − floor",
        source="MacArthur and Levins 1967, with equal species, behind the noise floor of a spectrum's norm",
        right_hand_side=floored_rhs,
        parameters={"r": r, "a": a, "c": c, "floor": floor},
        start=lambda rng: floor + rng.uniform(0.1, 1.5) * rng.uniform(0.02, 1.9, size),
        duration=5.0,
    )


def van_der_pol() -> System:
    """ẋ = y, ẏ = μ(1 − x²)y − x: a relaxation oscillator."""
    mu = 1.0
    return named(
        ("x", "y"),
        [{"x_y": 1.0}, {"x_y": mu, "x_x**2*x_y": -mu, "x_x": -1.0}],
        degree=3,
        name="van_der_pol",
        equation="ẋ = y, ẏ = μ(1 − x²)y − x",
        source="van der Pol 1926",
        right_hand_side=van_der_pol_rhs,
        parameters={"mu": mu},
        start=lambda rng: rng.uniform(-2.5, 2.5, 2),
        duration=10.0,
    )


def lorenz() -> System:
    """ẋ = σ(y − x), ẏ = x(ρ − z) − y, ż = xy − βz, chaotic with λ₁ = 0.9056."""
    sigma, rho, beta = 10.0, 28.0, 8 / 3
    lyapunov_time = 1 / 0.9056
    return named(
        ("x", "y", "z"),
        [
            {"x_y": sigma, "x_x": -sigma},
            {"x_x": rho, "x_x*x_z": -1.0, "x_y": -1.0},
            {"x_x*x_y": 1.0, "x_z": -beta},
        ],
        name="lorenz",
        equation="ẋ = σ(y − x), ẏ = x(ρ − z) − y, ż = xy − βz",
        source="Lorenz 1963; λ₁ from Sprott, Chaos and Time-Series Analysis (2003)",
        right_hand_side=lorenz_rhs,
        parameters={"sigma": sigma, "rho": rho, "beta": beta},
        start=lambda rng: np.array([0.0, 0.0, 25.0]) + rng.uniform(-8.0, 8.0, 3),
        duration=2 * lyapunov_time,
        lyapunov_time=lyapunov_time,
        transient=8.0,
    )


def rossler() -> System:
    """ẋ = −y − z, ẏ = x + a y, ż = b + z(x − c), chaotic with λ₁ = 0.0714."""
    a, b, c = 0.2, 0.2, 5.7
    lyapunov_time = 1 / 0.0714
    return named(
        ("x", "y", "z"),
        [{"x_y": -1.0, "x_z": -1.0}, {"x_x": 1.0, "x_y": a}, {"1": b, "x_x*x_z": 1.0, "x_z": -c}],
        name="rossler",
        equation="ẋ = −y − z, ẏ = x + a y, ż = b + z(x − c)",
        source="Rössler 1976; λ₁ from Sprott, Chaos and Time-Series Analysis (2003)",
        right_hand_side=rossler_rhs,
        parameters={"a": a, "b": b, "c": c},
        start=lambda rng: np.array([0.0, 0.0, 0.1]) + np.append(rng.uniform(-5.0, 5.0, 2), 0.0),
        duration=2 * lyapunov_time,
        lyapunov_time=lyapunov_time,
        transient=40.0,
    )


def brusselator() -> System:
    """ẋ = A + x²y − (B + 1)x, ẏ = Bx − x²y, B > 1 + A²: a chemical clock."""
    A, B = 1.0, 2.5
    return named(
        ("x", "y"),
        [{"1": A, "x_x**2*x_y": 1.0, "x_x": -(B + 1)}, {"x_x": B, "x_x**2*x_y": -1.0}],
        degree=3,
        name="brusselator",
        equation="ẋ = A + x²y − (B + 1)x, ẏ = Bx − x²y",
        source="Prigogine and Lefever 1968",
        right_hand_side=brusselator_rhs,
        parameters={"A": A, "B": B},
        start=lambda rng: rng.uniform(0.3, 3.0, 2),
        duration=10.0,
    )


def replicator() -> System:
    """ẋᵢ = xᵢ((A x)ᵢ − xᵀA x), Σ x = 1: rock, paper, scissors in which winning pays more than losing costs.

    On the simplex terms coincide and coefficients are not unique.
    """
    A = np.array([[0.0, -1.0, 2.0], [2.0, 0.0, -1.0], [-1.0, 2.0, 0.0]])
    features = ("rock", "paper", "scissors")
    rows: Rows = []
    for i, own in enumerate(features):
        row: dict[str, float] = {}
        for j, other in enumerate(features):
            _add(row, A[i, j], own, other)
            for k, third in enumerate(features):
                _add(row, -A[j, k], own, other, third)
        rows.append({name: value for name, value in row.items() if value})
    return named(
        features,
        rows,
        degree=3,
        name="replicator",
        equation="ẋᵢ = xᵢ((A x)ᵢ − xᵀA x), Σⱼ xⱼ = 1",
        source="Taylor and Jonker 1978; Hofbauer and Sigmund, Evolutionary Games and Population Dynamics (1998)",
        right_hand_side=replicator_rhs,
        parameters={"A": A},
        start=lambda rng: aside_of_the_centre(rng, 0.12, 0.35),
        duration=10.0,
        unique=False,
    )


def aside_of_the_centre(rng: np.random.Generator, nearest: float, farthest: float) -> Array:
    """A point of the simplex at such a distance from its centre; farthest < 1/√6 keeps it inside."""
    direction = rng.standard_normal(3)
    direction -= direction.mean()
    return np.asarray(1 / 3 + direction / np.linalg.norm(direction) * rng.uniform(nearest, farthest))


def _add(row: dict[str, float], value: float, *factors: str) -> None:
    """Add a product of features to a row, by the library's name of it."""
    order = ("rock", "paper", "scissors")
    counts = [(f"x_{f}", factors.count(f)) for f in order if f in factors]
    name = "*".join(x if n == 1 else f"{x}**{n}" for x, n in counts)
    row[name] = row.get(name, 0.0) + float(value)


SYSTEMS = (
    pitchfork(),
    mean_field(),
    autocatalysis(),
    floored_competition(),
    van_der_pol(),
    lorenz(),
    rossler(),
    brusselator(),
    replicator(),
)
