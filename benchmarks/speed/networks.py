"""A neural ODE against the plain recipe (torchdiffeq, dopri5 on whole trajectories, Adam) and diffrax (Tsit5, jitted).

One fold: 14 trainings to fit to, two that are held out. The peers have perceptrons as wide as Adam needs, standardised
states and one thread. The plain recipe follows all stored steps at torchdiffeq's own tolerances; a second one, and
diffrax, are tuned: every 20th step, and tolerances as loose as the data allow. A peer trains until its held-out skill
is ecodyn's, at two learning rates of which the faster counts; looking at the skill is not counted, compilation is.
Peers are told when to stop by the held-out runs themselves, which flatters them: ecodyn sees nothing of those.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from measuring import Table, circles, seconds

import ecodyn
from ecodyn.arrays import Array

Training = Iterator[tuple[float, Callable[[], float]]]  # seconds of training so far, and the held-out skill

FOLDS = 8
EVERY = 20
RATES = (1e-2, 3e-3)
LOOK_EVERY = 5  # Adam steps between looks at the held-out skill
BUDGET, QUICK_BUDGET = 300.0, 20.0
RTOL, ATOL = 1e-5, 1e-6
GOAL = 5.0  # seconds a fold


@dataclass(frozen=True)
class Fold:
    """Runs to fit to and held-out ones, and how they are standardised."""

    training: ecodyn.Trajectories
    held_out: ecodyn.Trajectories
    centre: float
    spread: float

    @classmethod
    def of(cls, number: int) -> Fold:
        """Two runs of the shipped ones are held out."""
        runs = circles()
        held_out = list(runs.runs[number::FOLDS])
        training = runs.select(runs=[r for r in runs.runs if r not in held_out])
        return cls(training, runs.select(runs=held_out), training.values.mean(), training.values.std())

    def points(self, runs: ecodyn.Trajectories, every: int = EVERY) -> Array:
        """Standardised states (run, point, feature)."""
        return (runs.values[:, ::every] - self.centre) / self.spread

    def times(self, every: int = EVERY) -> Array:
        """Of the points, from 0 to 1."""
        steps = self.training.times[0, ::every]
        return (steps - steps[0]) / (steps[-1] - steps[0])

    def skill(self, path: Array) -> float:
        """Mean over held-out runs, of paths (run, point, feature) in standardised units."""
        truth = self.points(self.held_out)
        error = ((path - truth) ** 2).mean(axis=(1, 2))
        return float(np.mean(1 - error / ((truth - truth[:, :1]) ** 2).mean(axis=(1, 2))))


def measure(quick: bool) -> list[Table]:
    """One fold, or two."""
    table = Table(
        "Neural ODE, exchangeable: seconds of training to ecodyn's held-out skill, one thread",
        ("fold", "side", "held-out skill", "seconds", "times ecodyn's", "learning rate"),
    )
    budget = QUICK_BUDGET if quick else BUDGET
    for number in range(1 if quick else 2):
        fold = Fold.of(number)
        took, skill = ecodyns(fold)
        table.add(number, "ecodyn", skill, took, 1.0, "")
        for name, train in PEERS.items():
            found = [(*until(train(fold, rate), skill, budget), rate) for rate in RATES]
            best, needed, rate = min(found, key=lambda f: (f[0] < skill, f[1] if f[0] >= skill else -f[0]))
            reached = best >= skill
            shown = needed if reached else f"not within {needed:.0f}"
            table.add(number, name, best, shown, needed / took if reached else f"over {needed / took:.0f}", rate)
    table.notes.append(f"The goal is {GOAL:g} s a fold. Skills are on every {EVERY}th step.")
    return [table]


def ecodyns(fold: Fold) -> tuple[float, float]:
    """Seconds of one fit, and its skill."""
    took, law = seconds(lambda: ecodyn.NeuralODE().fit(fold.training), rounds=2)
    times = fold.held_out.times[0, ::EVERY]
    path = law.simulate(fold.held_out.values[:, 0], times).signal
    return took, fold.skill((path - fold.centre) / fold.spread)


def until(training: Training, skill: float, budget: float) -> tuple[float, float]:
    """The best skill seen, and the seconds when it was good enough or when they ran out."""
    best, took = -np.inf, 0.0
    for took, look in training:
        best = max(best, look())
        if best >= skill or took > budget:
            break
    return best, took


# ---------------------------------------------------------------------- the peers


class Perceptrons(torch.nn.Module):
    """g(xᵢ, mean x, mean φ(x)), as ecodyn's."""

    def __init__(self) -> None:
        super().__init__()
        layer, tanh = torch.nn.Linear, torch.nn.Tanh
        self.phi = torch.nn.Sequential(layer(1, 12), tanh(), layer(12, 4))
        self.g = torch.nn.Sequential(layer(6, 24), tanh(), layer(24, 24), tanh(), layer(24, 1))

    def forward(self, t: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        """Slopes of states (run, feature)."""
        own = x.unsqueeze(-1)
        seen = torch.cat([own, self.phi(own)], dim=-1).mean(dim=1, keepdim=True).expand(*x.shape, 5)
        return self.g(torch.cat([own, seen], dim=-1)).squeeze(-1)


def plain(fold: Fold, rate: float) -> Training:
    """What a user of torchdiffeq writes first: whole trajectories, and its own tolerances."""
    return by_torchdiffeq(fold, rate, 1, {})


def tuned(fold: Fold, rate: float) -> Training:
    """The same on fewer points, and as loosely as the data allow."""
    return by_torchdiffeq(fold, rate, EVERY, {"rtol": RTOL, "atol": ATOL})


def by_torchdiffeq(fold: Fold, rate: float, every: int, tolerances: dict[str, float]) -> Training:
    """Adam on the squared error of whole rollouts by dopri5, through the solver's steps."""
    from torchdiffeq import odeint

    torch.manual_seed(0)
    torch.set_num_threads(1)
    network = Perceptrons()
    optimizer = torch.optim.Adam(network.parameters(), lr=rate)
    times, scored = (torch.tensor(fold.times(n), dtype=torch.float32) for n in (every, EVERY))
    truth = torch.tensor(fold.points(fold.training, every), dtype=torch.float32)
    start = torch.tensor(fold.points(fold.held_out)[:, 0], dtype=torch.float32)

    def solve(x: torch.Tensor, points: torch.Tensor) -> torch.Tensor:
        return odeint(network, x, points, method="dopri5", **tolerances).transpose(0, 1)

    def look() -> float:
        with torch.no_grad():
            return fold.skill(solve(start, scored).numpy())

    took, step = 0.0, 0
    while True:
        started = time.perf_counter()
        loss = ((solve(truth[:, 0], times) - truth) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        took += time.perf_counter() - started
        step += 1
        if step % LOOK_EVERY == 0:
            yield took, look


def diffrax_recipe(fold: Fold, rate: float) -> Training:
    """The same in JAX: one jitted step, whose compilation counts."""
    import equinox
    import jax
    import jax.numpy as jnp
    import optax

    truth = jnp.asarray(fold.points(fold.training), dtype=jnp.float32)
    start = jnp.asarray(fold.points(fold.held_out)[:, 0], dtype=jnp.float32)
    network, follow = perceptrons_in_jax(), by_diffrax(fold.times())
    optimizer = optax.adam(rate)
    state = optimizer.init(equinox.filter(network, equinox.is_array))

    @equinox.filter_value_and_grad
    def loss(network):  # type: ignore[no-untyped-def]
        return ((jax.vmap(lambda x: follow(network, x))(truth[:, 0]) - truth) ** 2).mean()

    @equinox.filter_jit
    def update(network, state):  # type: ignore[no-untyped-def]
        value, gradient = loss(network)
        updates, state = optimizer.update(gradient, state)
        return equinox.apply_updates(network, updates), state, value

    rollouts = equinox.filter_jit(lambda network: jax.vmap(lambda x: follow(network, x))(start))
    took, step = 0.0, 0
    while True:
        started = time.perf_counter()
        network, state, value = update(network, state)
        value.block_until_ready()
        took += time.perf_counter() - started
        step += 1
        if step % LOOK_EVERY == 0:
            yield took, lambda network=network: fold.skill(np.asarray(rollouts(network)))


def perceptrons_in_jax() -> dict[str, Any]:
    """φ and g as equinox has them, of the sizes of ``Perceptrons``."""
    import equinox
    import jax
    import jax.numpy as jnp

    keys = jax.random.split(jax.random.PRNGKey(0), 2)
    return {
        "phi": equinox.nn.MLP(1, 4, 12, 1, jnp.tanh, key=keys[0]),
        "g": equinox.nn.MLP(6, 1, 24, 2, jnp.tanh, key=keys[1]),
    }


def by_diffrax(points: Array) -> Callable[[dict[str, Any], Any], Any]:
    """A function of a network and one run's start (feature,) that rolls out to the times of the points."""
    import diffrax
    import jax
    import jax.numpy as jnp

    times = jnp.asarray(points, dtype=jnp.float32)

    def slope(t, x, network):  # type: ignore[no-untyped-def]
        own = x[:, None]
        seen = jnp.concatenate([own, jax.vmap(network["phi"])(own)], axis=-1).mean(axis=0)
        seen = jnp.broadcast_to(seen, (len(x), 5))
        return jax.vmap(network["g"])(jnp.concatenate([own, seen], axis=-1))[:, 0]

    def follow(network, x):  # type: ignore[no-untyped-def]
        return diffrax.diffeqsolve(
            diffrax.ODETerm(slope),
            diffrax.Tsit5(),
            times[0],
            times[-1],
            None,
            x,
            network,
            saveat=diffrax.SaveAt(ts=times),
            stepsize_controller=diffrax.PIDController(rtol=RTOL, atol=ATOL),
        ).ys

    return follow


PEERS = {
    "torchdiffeq, dopri5, all steps": plain,
    f"torchdiffeq, dopri5, every {EVERY}th step, rtol {RTOL:g}": tuned,
    f"diffrax, Tsit5, every {EVERY}th step, rtol {RTOL:g}": diffrax_recipe,
}


# ---------------------------------------------------------------------- an hour of training


def hour(budget: float) -> list[Table]:
    """The best that long training reaches: peers for a budget each, ecodyn's recipe with longer schedules."""
    fold = Fold.of(0)
    table = Table(
        f"Neural ODE: held-out skill after a long training (fold 0, {budget:.0f} s a peer)",
        ("side", "best held-out skill", "seconds"),
    )
    table.add("ecodyn", *reversed(ecodyns(fold)))
    for factor in (4, 16):
        estimator = ecodyn.NeuralODE(starts=2 * factor, matching_steps=30 * factor, rollout_steps=30 * factor)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            took, law = seconds(lambda estimator=estimator: estimator.fit(fold.training), rounds=1)
        path = law.simulate(fold.held_out.values[:, 0], fold.held_out.times[0, ::EVERY]).signal
        table.add(f"ecodyn, {factor} times the steps", fold.skill((path - fold.centre) / fold.spread), took)
    for name, train in list(PEERS.items())[1:]:
        table.add(name, *until(train(fold, RATES[1]), np.inf, budget))
    return [table]
