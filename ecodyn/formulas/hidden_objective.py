"""How far rollouts of a law with hidden variables are from the data, which these take no part in.

Rollouts begin where runs do: nobody knows a hidden variable later on. Growing stages are shares of each run, from its
first step on. Where hidden variables begin is a parameter, or each run's own; the latter are eliminated as other
starting states are (``normal_blocks``).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ecodyn.arrays import Array, Integers
from ecodyn.estimation.samples import Samples
from ecodyn.estimation.segments import Segments
from ecodyn.estimation.shooting_equations import Objective
from ecodyn.formulas.hidden_law import HiddenLaw

__all__ = ["HiddenObjective", "beginnings", "with_channels"]


def with_channels(samples: Samples, hidden: Array) -> Samples:
    """Samples with constant channels of these scales (hidden,) beside the signal: they weigh nothing."""

    def wider(states: Array) -> Array:
        return np.concatenate([states, np.ones((*states.shape[:-1], len(hidden)))], axis=-1)

    return replace(
        samples,
        states=wider(samples.states),
        smooth=None if samples.smooth is None else wider(samples.smooth),
        scales=np.concatenate([np.atleast_1d(samples.scales), hidden]),
    )


def beginnings(samples: Samples, points: int, share: float, *, smoothed: bool) -> Segments:
    """The first share of each run."""
    every = Segments.cut(samples, points, share, smoothed=smoothed)
    first = slice(None, None, len(every) // samples.n_runs)
    smooth = None if every.smooth is None else every.smooth[first]
    return Segments(every.states[first], every.times[first], every.weights[first], every.run[first], smooth)


class HiddenObjective(Objective):
    """One stage's rollouts, and how parameters and starting values enter them.

    Starting values of a run's own are (run, private): the signals where they are estimated, and then each hidden
    variable, of all features together or of each of them.

    Parameters
    ----------
    law, samples, segments : the segments begin where runs do
    begun : array (run, private), where the search for these begins
    signals : whether starting signals are estimated too
    """

    def __init__(self, law: HiddenLaw, samples: Samples, segments: Segments, begun: Array, *, signals: bool) -> None:
        mask = np.ones((1, len(law.statement.parameters)), dtype=bool)
        super().__init__(law, samples, segments, mask=mask, estimate_starts=begun.shape[1] > 0)
        self.law, self.begun, self.signals = law, begun, signals

    @staticmethod
    def private(law: HiddenLaw, features: int, *, signals: bool) -> int:
        """How many starting values each run has of its own."""
        hidden = sum(features if each else 1 for each in law.statement.each) if law.statement.free else 0
        return hidden + (features if signals else 0)

    @property
    def columns(self) -> int:
        """Number of directions of the sensitivities."""
        return self.size + self.begun.shape[1]

    @property
    def size_of_data(self) -> float:
        """What the weights of all values sum to: a mean square is a sum of squares over it."""
        return float(self.segments.weights.sum()) * self.segments.states.shape[2]

    def first_starts(self) -> Array:
        """What a search for starting values begins at, (run, private)."""
        return self.begun.copy()

    def begin(self, parameters: Array, starts: Array | None) -> Array:
        """States (run, feature, channel) that rollouts begin at."""
        states = self.segments.starts.copy()
        starts = self.begun if starts is None else starts
        for channel, columns in self._own():
            states[..., channel] = starts[:, columns]
        values, _ = self.law.bind(self.coefficients(parameters)).starts()
        states[..., 1 : 1 + values.shape[1]] = values
        return states

    def start(self, starts: Array, parameters: Array) -> Array:
        """States followed by the sensitivities of each channel, (run, feature, column)."""
        x = self._zeros()
        channels = self.segments.states.shape[-1]
        x[..., :channels] = self.begin(parameters, starts)
        features = np.arange(x.shape[1])
        for channel, columns in self._own():
            x[:, features, channels + channel * self.columns + self.size + columns] = 1.0
        bound = self.law.bind(self.coefficients(parameters))
        for hidden, place in enumerate(bound.starts()[1]):
            if place is not None:
                slope = bound.slopes[0, place] / self.law.scales[1 + hidden]
                x[..., channels + (1 + hidden) * self.columns + place] = slope
        return x

    def force(self, slopes: Array, terms: Array) -> None:
        """Add ∂f/∂θ (run, channel, feature, parameter) to slopes (run, channel, feature, direction)."""
        slopes[..., : self.size] += terms

    def _own(self) -> list[tuple[int, Integers]]:
        """Channels whose starting values are each run's own, and which of these values is each feature's."""
        features = np.arange(self.segments.states.shape[2])
        found: list[tuple[int, Integers]] = [(0, features)] if self.signals else []
        at = len(features) if self.signals else 0
        if self.law.statement.free:
            for hidden, each in enumerate(self.law.statement.each):
                found.append((1 + hidden, at + features if each else np.full_like(features, at)))
                at += len(features) if each else 1
        return found
