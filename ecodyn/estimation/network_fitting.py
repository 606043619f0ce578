"""Fitting right-hand sides that are neural networks, many at once as one batched program.

The recipe is that of the laws linear in their coefficients: first match integrals (increments of the data against
Simpson's rule of g along the data, which needs no solver), then follow rollouts. Every network of the batch has its
own training set and seed; parameters carry a leading network axis and one batched matrix product serves all, so that
folds and seeds cost little more than one fit. Training is in float32 with torchdiffeq's fixed Runge-Kutta steps;
evaluation is elsewhere, in float64 with an adaptive solver.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torchdiffeq import odeint

from ecodyn.arrays import Array, Integers
from ecodyn.estimation.network_data import Spans, Split, Units, stack
from ecodyn.estimation.perceptrons import Architecture, Weights, evaluate, in_sigmoids, initial_weights
from ecodyn.estimation.samples import Samples
from ecodyn.estimation.segments import BESIDE
from ecodyn.runtime.processes import one_torch_thread

Tensor = torch.Tensor

NODES = 5  # data points of Simpson's rule in a span
WINDOWS = 48  # spans in a batch
PEAK_RATE, ROLLOUT_RATE, CLIP = (
    1.5e-2,
    3e-3,
    0.1,
)  # of Adam: settled in sketches on eight trainings that nothing reports
BATCH_RUNS = 16  # whole windows of as many runs a step
CHECK_MATCHING_EVERY, CHECK_EVERY = 25, 2  # Adam steps between looks at the validation rollouts


@dataclass(frozen=True)
class Schedule:
    """How long to train: Adam steps of each stage and the length of the rollouts, as a share of the window."""

    matching_steps: int = 300
    rollout_steps: int = 30
    rollout_share: float = 1.0
    intervals: int = 24


@dataclass(frozen=True, kw_only=True)
class FittedNetwork:
    """One network's float64 weights with the units that it works in (those of the samples).

    ẋ = slope · g((x − centre)/spread) for the fitted channels, ``slope`` (equation,).
    """

    weights: dict[str, Array]
    centre: Array
    spread: Array
    slope: Array
    validation: float
    converged: bool


def fit_networks(
    sets: Sequence[Samples], seeds: Sequence[int], architecture: Architecture, schedule: Schedule
) -> list[FittedNetwork]:
    """Fit one network to each training set with each seed (sets outermost); all sets have one shape."""
    with one_torch_thread():
        trainer = _Trainer(sets, seeds, architecture, schedule)
        trainer.match()
        trainer.follow()
        return trainer.networks()


class _Trainer:
    """Standardised data of every network of the batch, and the two stages."""

    def __init__(
        self, sets: Sequence[Samples], seeds: Sequence[int], architecture: Architecture, schedule: Schedule
    ) -> None:
        self.architecture, self.schedule = architecture, schedule
        self.sets = [s for s in sets for _ in seeds]
        self.seeds = [seed for _ in sets for seed in seeds]
        self.generators = [np.random.default_rng(seed) for seed in self.seeds]
        self.splits = [Split.of(s, np.random.default_rng(seed)) for s, seed in zip(self.sets, self.seeds, strict=True)]
        self.units = [
            Units.of(s, split.fitted_runs, architecture) for s, split in zip(self.sets, self.splits, strict=True)
        ]
        self.rates = stack([u.rates for u in self.units])[:, None, None]
        self.kinematics = stack([u.kinematics for u in self.units])[:, None, None]
        self.weights = {k: w.requires_grad_() for k, w in initial_weights(architecture, self.seeds).items()}
        self.best = {k: w.detach().clone() for k, w in self.weights.items()}
        self.best_score = torch.full((len(self.sets),), torch.inf)
        self.improved = torch.zeros(len(self.sets), dtype=torch.bool)

    # -------------------------------------------------------------- first stage: matching integrals

    def match(self) -> None:
        """Adam on random spans: increments against Simpson's rule of g along the data."""
        shortest = min(int(split.ends.min()) for split in self.splits)
        nodes = 3 if shortest < 2 * NODES else NODES
        spans = [
            Spans.of(s, split, u, self.architecture, nodes)
            for s, split, u in zip(self.sets, self.splits, self.units, strict=True)
        ]
        optimizer = torch.optim.Adam(self.weights.values(), lr=PEAK_RATE)
        steps = self.schedule.matching_steps
        rate = torch.optim.lr_scheduler.OneCycleLR(optimizer, PEAK_RATE, total_steps=steps + 1)
        for step in range(1, steps + 1):
            batch = [s.draw(g, WINDOWS) for s, g in zip(spans, self.generators, strict=True)]
            loss = self._matching_loss(*(stack(parts) for parts in zip(*batch, strict=True)))
            optimizer.zero_grad()
            loss.sum().backward()
            optimizer.step()
            rate.step()
            if step % CHECK_MATCHING_EVERY == 0 or step == steps:
                self._keep_best()
        self._go_back_to_best()

    def _matching_loss(
        self, states: Tensor, quadrature: Tensor, increments: Tensor, gain: Tensor, drive: Tensor
    ) -> Tensor:
        n, windows, nodes, features, channels = states.shape
        z = drive.reshape(n, windows * nodes, -1) if self.architecture.driven else None
        g = evaluate(
            in_sigmoids(self.weights), self.architecture, states.reshape(n, windows * nodes, features, channels), z
        ).reshape(n, windows, nodes, features, -1)
        integral = (quadrature[..., None, None] * g).sum(dim=2) * gain[:, None, None]
        return ((integral - increments) ** 2).mean(dim=(1, 2)).sum(dim=1)

    # -------------------------------------------------------------- second stage: following rollouts

    def follow(self) -> None:
        """Adam on rollouts over segments of the training runs; the best on validation rollouts is kept."""
        optimizer = torch.optim.Adam(self.weights.values(), lr=ROLLOUT_RATE)
        for step in range(self.schedule.rollout_steps):
            loss = self._rollout_loss(*self._on_grids([self._segments(b) for b in range(len(self.sets))]))
            optimizer.zero_grad()
            loss.nan_to_num(0.0, 0.0, 0.0).sum().backward()
            self._clip()
            optimizer.step()
            if step % CHECK_EVERY == CHECK_EVERY - 1:
                self._keep_best()

    def _segments(self, b: int) -> tuple[Integers, Integers, Integers]:
        """Runs, first and last rows of rollouts to train on, drawn anew at each step."""
        runs, rng = self.splits[b].fitted_runs, self.generators[b]
        runs = rng.permutation(runs)[:BATCH_RUNS]
        last = self.splits[b].ends[runs] - 1
        length = np.maximum(1, np.rint(self.schedule.rollout_share * last)).astype(np.intp)
        first = rng.integers(0, last - length + 1)
        return runs, first, first + length

    def _on_grids(self, pieces: Sequence[tuple[Integers, Integers, Integers]]) -> tuple[Tensor, Tensor, Tensor]:
        """Every network's pieces of runs on as many grid points; short ones repeat rows, steps of no length."""
        longest = max(int((last - first).max()) for _, first, last in pieces)
        share = np.linspace(0, 1, min(self.schedule.intervals, longest) + 1)
        parts = []
        for b, (runs, first, last) in enumerate(pieces):
            rows = np.rint(first[:, None] + share * (last - first)[:, None]).astype(np.intp)
            parts.append(self.units[b].gather(self.sets[b], runs[:, None], rows))
        states, times, drive = (stack(part) for part in zip(*parts, strict=True))
        return states, times, drive

    def _rollout_loss(self, states: Tensor, times: Tensor, drive: Tensor) -> Tensor:
        """Squared error of rollouts over that of persistence, (network,); observables beside the signal add a tenth."""
        path = self._rollout(states[:, :, 0], times, drive)
        steps = times.diff(dim=2)
        weight = torch.zeros_like(times)
        weight[..., 1:] += steps / 2
        weight[..., :-1] += steps / 2
        loss = torch.zeros(len(path))
        for m, channel in enumerate(self.architecture.moving):
            if channel == self.architecture.velocity:
                continue
            truth = states[..., channel]
            error = (weight[..., None] * (path[..., m] - truth) ** 2).sum(dim=(1, 2, 3))
            still = (weight[..., None] * (truth - truth[:, :, :1]) ** 2).sum(dim=(1, 2, 3))
            loss = loss + (BESIDE if m else 1.0) * error / still.clamp_min(1e-30)
        return loss

    def _rollout(self, start: Tensor, times: Tensor, drive: Tensor) -> Tensor:
        """Rollouts (network, run, point, feature, moving) from standardised starts, by torchdiffeq's fixed steps.

        The independent variable counts grid points, so that runs with times of their own share the steps.
        """
        steps = times.diff(dim=2)
        moving = torch.tensor(self.architecture.moving)
        weights = in_sigmoids(self.weights)

        def slope(u: Tensor, moved: Tensor) -> Tensor:
            i = min(int(u), steps.shape[2] - 1)
            z = torch.lerp(drive[:, :, i], drive[:, :, i + 1], u - i) if self.architecture.driven else None
            return steps[:, :, i, None, None] * self._slopes(weights, start.index_copy(3, moving, moved), z)

        count = torch.arange(steps.shape[2] + 1, dtype=torch.float32)
        path = odeint(slope, start[..., list(self.architecture.moving)], count, method="rk4", options={"perturb": True})
        return path.permute(1, 2, 0, 3, 4)

    def _slopes(self, weights: Weights, state: Tensor, drive: Tensor | None) -> Tensor:
        """du/dτ of the moving channels: the networks' answers, and that of the signal which follows a velocity."""
        shape = self.architecture
        slopes = self.rates * evaluate(weights, shape, state, drive)
        if shape.velocity is None:
            return slopes
        offset, factor = self.kinematics.unbind(dim=-1)
        return torch.cat([(offset + factor * state[..., shape.velocity]).unsqueeze(-1), slopes], dim=-1)

    def _clip(self) -> None:
        """Each network's own gradient norm: one network's bad rollout must not slow the others."""
        gradients = [w.grad for w in self.weights.values() if w.grad is not None]
        norm = torch.stack([g.flatten(1).square().sum(dim=1) for g in gradients]).sum(dim=0).sqrt()
        factor = (CLIP / norm.clamp_min(1e-30)).clamp_max(1.0).nan_to_num(0.0)
        for g in gradients:
            g.mul_(factor.reshape(-1, *(1,) * (g.dim() - 1))).nan_to_num_(0.0, 0.0, 0.0)

    @torch.no_grad()
    def _keep_best(self) -> None:
        grids = self._on_grids([split.validation() for split in self.splits])
        score = self._rollout_loss(*grids).nan_to_num(torch.inf, torch.inf, torch.inf)
        better = score < self.best_score
        self.improved |= better
        self.best_score = torch.where(better, score, self.best_score)
        for name, weight in self.weights.items():
            self.best[name][better] = weight.detach()[better]

    @torch.no_grad()
    def _go_back_to_best(self) -> None:
        """Where matching came to overfit, rollouts are trained from before that."""
        for name, weight in self.weights.items():
            weight.copy_(self.best[name])

    def networks(self) -> list[FittedNetwork]:
        """The best networks, in float64."""
        return [
            FittedNetwork(
                weights={name: w[b].double().numpy() for name, w in self.best.items()},
                centre=units.centre,
                spread=units.spread,
                slope=units.slopes,
                validation=float(self.best_score[b]),
                converged=bool(self.improved[b]),
            )
            for b, units in enumerate(self.units)
        ]
