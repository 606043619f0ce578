"""The data that networks are trained on: split for stopping, standardised, and cut into spans to draw from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from ecodyn.arrays import Array, Integers
from ecodyn.estimation.integral_matching import SPAN
from ecodyn.estimation.perceptrons import Architecture
from ecodyn.estimation.samples import Samples

__all__ = ["Spans", "Split", "Units", "simpson", "stack"]

VALIDATION_SHARE = 5  # one run in so many is held out for stopping; with fewer, stopping goes by chance
FEW_RUNS = 4  # with fewer, the last quarter of each run is held out instead
FEW_RUNS_CUT = 0.75  # of each run, where runs are too few to hold any out: the rest validates


@dataclass(frozen=True)
class Split:
    """Runs that are fitted with where their fitted part ends, and runs (or ends of runs) kept for stopping."""

    fitted_runs: Integers
    held_out: Integers
    ends: Integers
    lengths: Integers

    @classmethod
    def of(cls, samples: Samples, rng: np.random.Generator) -> Split:
        """Whole clusters held out, or with too few of them the ends of all runs."""
        runs = np.arange(samples.n_runs)
        codes = samples.cluster_codes
        clusters = int(codes.max()) + 1
        if clusters < FEW_RUNS:
            ends = np.maximum(3, (samples.lengths * FEW_RUNS_CUT).astype(np.intp))
            return cls(runs, runs, np.minimum(ends, samples.lengths), samples.lengths)
        count = max(1, round(clusters / VALIDATION_SHARE))
        held_out = np.flatnonzero(np.isin(codes, rng.permutation(clusters)[:count]))  # clusters stay whole
        return cls(np.setdiff1d(runs, held_out), held_out, samples.lengths, samples.lengths)

    def validation(self) -> tuple[Integers, Integers, Integers]:
        """Runs, first and last rows of the rollouts that decide when to stop."""
        runs = self.held_out
        whole = len(self.held_out) < len(self.lengths)
        first = np.zeros(len(runs), dtype=np.intp) if whole else np.minimum(self.ends, self.lengths - 1)[runs] - 1
        return runs, first, self.lengths[runs] - 1


@dataclass(frozen=True, kw_only=True)
class Units:
    """Standardisation of one training set: inputs to mean 0 and deviation 1, slopes to a deviation of about 1.

    Time is counted in units τ in which the standardised signal changes by one: of a fitted channel du/dτ = rate · g,
    of a signal with a velocity du/dτ = offset + factor · u_velocity, the two ``kinematics``.
    """

    centre: Array
    spread: Array
    slopes: Array  # (equation,)
    per_time: float
    rates: Array  # (equation,)
    kinematics: Array  # (2,)
    drive_centre: Array
    drive_spread: Array

    @classmethod
    def of(cls, samples: Samples, runs: Integers, architecture: Architecture) -> Units:
        """The units in which some of the runs are standardised."""
        states = samples.states[runs]
        centre = states.mean(axis=(0, 1, 2))
        spread = np.where((s := states.std(axis=(0, 1, 2))) > 0, s, 1.0)
        span = max(1, min(SPAN, states.shape[1] // 10))
        change = states[:, span:] - states[:, :-span]
        duration = samples.times[runs][:, span:] - samples.times[runs][:, :-span]
        lasting = duration > 0
        steepness = np.std(change[lasting] / duration[lasting][:, None, None], axis=(0, 1))
        steepness = np.where(steepness > 0, steepness, 1.0)
        per_time = float(steepness[0] / spread[0])
        fitted = list(architecture.fitted)
        rates = steepness[fitted] / spread[fitted] / per_time
        v = 0 if architecture.velocity is None else architecture.velocity
        kinematics = np.array([centre[v], spread[v]]) / spread[0] / per_time
        drive = np.zeros((1, 1)) if samples.drive is None else samples.drive.values
        wide = np.where((d := drive.std(axis=0)) > 0, d, 1.0)
        return cls(
            centre=centre,
            spread=spread,
            slopes=steepness[fitted],
            per_time=per_time,
            rates=rates,
            kinematics=kinematics,
            drive_centre=drive.mean(axis=0),
            drive_spread=wide,
        )

    def gather(self, samples: Samples, runs: Integers, rows: Integers) -> tuple[Array, Array, Array]:
        """Standardised states, times in which standardised slopes are of order one, and the standardised drive."""
        states = (samples.states[runs, rows] - self.centre) / self.spread
        t = samples.times[runs, rows]
        if samples.drive is None:
            drive = np.zeros((*rows.shape, 1))
        else:
            drive = (samples.drive(t.ravel()).reshape(*rows.shape, -1) - self.drive_centre) / self.drive_spread
        return states, t * self.per_time, drive


@dataclass(frozen=True, kw_only=True)
class Spans:
    """All spans of one training set, ready to be drawn from: nodes, quadrature weights, increments, drive.

    Increments (span, feature, equation) are over the standard deviation of all of them: every span then has a say of
    order one. ``gain`` (equation,) takes integrals of g into that unit.
    """

    states: Array
    quadrature: Array
    increments: Array
    gain: Array
    drive: Array

    @classmethod
    def of(cls, samples: Samples, split: Split, units: Units, architecture: Architecture, nodes: int) -> Spans:
        """All spans of so many nodes in the fitted parts of the runs."""
        longest = int(split.ends.max())
        gap = max(1, min(SPAN, longest // 10) // (nodes - 1))
        offsets = gap * np.arange(nodes)
        pairs = [
            (run, start)
            for run in split.fitted_runs
            for start in range(max(1, int(split.ends[run]) - int(offsets[-1])))
        ]
        run, start = (np.array(column, dtype=np.intp) for column in zip(*pairs, strict=True))
        rows = np.minimum(start[:, None] + offsets, split.ends[run][:, None] - 1)
        states, times, drive = units.gather(samples, run[:, None], rows)
        fitted = list(architecture.fitted)
        increments = states[:, -1][..., fitted] - states[:, 0][..., fitted]
        size = np.maximum(increments.std(axis=(0, 1)), 1e-12)
        return cls(
            states=states,
            quadrature=simpson(times),
            increments=increments / size,
            gain=units.rates / size,
            drive=drive,
        )

    def draw(self, rng: np.random.Generator, count: int) -> tuple[Array, Array, Array, Array, Array]:
        """States, quadrature weights, increments, gain and drive of so many spans, drawn with replacement."""
        chosen = rng.integers(0, len(self.states), count)
        return self.states[chosen], self.quadrature[chosen], self.increments[chosen], self.gain, self.drive[chosen]


def simpson(times: Array) -> Array:
    """Weights of Simpson's rule on an odd number of nodes, (span, node), that may be unequally spaced."""
    weights = np.zeros_like(times)
    for i in range(0, times.shape[1] - 2, 2):
        h, k = times[:, i + 1] - times[:, i], times[:, i + 2] - times[:, i + 1]
        both = h + k
        safe_h, safe_k = np.where(h > 0, h, 1.0), np.where(k > 0, k, 1.0)
        whole = (h > 0) & (k > 0)
        weights[:, i] += np.where(whole, both / 6 * (2 - k / safe_h), h / 2)
        weights[:, i + 1] += np.where(whole, both**3 / (6 * safe_h * safe_k), both / 2)
        weights[:, i + 2] += np.where(whole, both / 6 * (2 - h / safe_k), k / 2)
    return weights


def stack(parts: Sequence[Array]) -> torch.Tensor:
    """Arrays of one shape as one tensor, in the float32 of training."""
    return torch.from_numpy(np.stack(parts).astype(np.float32))
