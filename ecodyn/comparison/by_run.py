"""Scores of single rollouts gathered by run: seeds and origins averaged within a run, runs within a cluster."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ecodyn.arrays import Array
from ecodyn.comparison.execution import Scored
from ecodyn.comparison.folds import first_row
from ecodyn.comparison.model_score import HorizonCurve
from ecodyn.comparison.scores import HORIZONS, NEXT_TO_NOTHING, loss, noise_share
from ecodyn.statistics.clustered import SKILL, mean_within
from ecodyn.trajectories import Trajectories
from ecodyn.trajectories.scales import own_scales

__all__ = ["ByRun", "Noise"]


class Noise:
    """The share that measurement noise alone leaves unexplained, by run and origin of the rollout."""

    def __init__(self, data: Trajectories, warm_up: int = 0) -> None:
        self.data, self.scales, self.warm_up = data, own_scales(data), warm_up
        self.known: dict[tuple[int, float | None], float] = {}

    def __call__(self, run: int, origin: float | None) -> float:
        """Of a run (its position), from an origin on; None for the whole window."""
        if (run, origin) not in self.known:
            first, n = first_row(self.data, run, origin, self.warm_up), int(self.data.lengths[run])
            t, signal = self.data.times[run, first:n], self.data.values[run, first:n]
            self.known[run, origin] = noise_share(signal, t, self.scales)
        return self.known[run, origin]

    def mean(self) -> float:
        """Over the window's runs, whole."""
        return float(np.mean([self(run, None) for run in range(self.data.n_runs)]))


class ByRun:
    """Single scores gathered by run: seeds and origins averaged within a run, runs within a cluster."""

    def __init__(self, scores: list[Scored], data: Trajectories, noise: Noise) -> None:
        # In an order of their own, not that in which tasks ended: sums must not depend on it.
        scores = sorted(scores, key=lambda s: (s.run, s.origin or 0.0, s.seed))
        self.scores, self.data, self.noise = scores, data, noise
        self.groups: list[list[Scored]] = [[] for _ in range(data.n_runs)]
        for s in scores:
            if not np.isnan(s.score.unexplained):  # persistence exact: the run says nothing
                self.groups[s.run].append(s)
        self.kept = np.array([bool(g) for g in self.groups])
        self.diverged = sum(not s.score.finished for s in scores)
        self.skills = np.array([self._skill(g) for g in self.groups])
        self.losses = self._losses(lambda s: loss(s.score.unexplained, noise(s.run, s.origin)))
        self.gross_losses = self._losses(lambda s: loss(max(s.score.unexplained, NEXT_TO_NOTHING), 0.0))

    def _losses(self, of: Callable[[Scored], float]) -> Array:
        return self.by_cluster(np.array([np.mean([of(s) for s in g]) if g else np.nan for g in self.groups]))

    @staticmethod
    def _skill(group: list[Scored]) -> float:
        if not group or not all(s.score.finished for s in group):
            return float("nan")
        return float(np.mean([s.score.skill for s in group]))

    def by_cluster(self, values: Array) -> Array:
        """Means over the runs of each cluster that say something."""
        of_cluster: dict[object, list[float]] = {}
        for label, value, kept in zip(self.data.clusters.tolist(), values, self.kept, strict=True):
            if kept:
                of_cluster.setdefault(label, []).append(value)
        return np.array([float(np.mean(np.array(of_cluster[c]))) for c in self._labels if c in of_cluster])

    def of_known_clusters(self, values: Array) -> Array:
        """Values (cluster,) of those that say something, as `by_cluster` has them."""
        known = {c for c, k in zip(self.data.clusters.tolist(), self.kept, strict=True) if k}
        return values[[c in known for c in self._labels]]

    @property
    def _labels(self) -> list[object]:
        """Of the clusters, as they come."""
        return list(dict.fromkeys(self.data.clusters.tolist()))

    def quarters(self) -> tuple[float, ...]:
        """Mean skill up to each horizon."""
        rows = np.array([s.score.horizons for s in self.scores])
        return tuple(float(c[np.isfinite(c)].mean()) if np.isfinite(c).any() else float("nan") for c in rows.T)

    def skill_by_horizon(self) -> HorizonCurve:
        """Skill up to each of the horizons, as `skill` is: of runs all of whose rollouts finished, by cluster."""
        nothing = np.full(len(HORIZONS), np.nan)
        rows = np.array(
            [
                np.mean([s.score.curve for s in g], axis=0) if g and all(s.score.finished for s in g) else nothing
                for g in self.groups
            ]
        )
        columns = [mean_within(self.by_cluster(column), within=SKILL) for column in rows.T]
        means, lows, highs = zip(*((c.mean, c.low, c.high) for c in columns), strict=True)
        return HorizonCurve(HORIZONS, means, lows, highs)

    def mean(self, number: Callable[[Scored], float]) -> float:
        """Mean over all rollouts for which there is such a number."""
        values = np.array([number(s) for s in self.scores])
        values = values[np.isfinite(values)]
        return float(values.mean()) if len(values) else float("nan")
