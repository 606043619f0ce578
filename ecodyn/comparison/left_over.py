"""What a law's residuals depend on: time, the state, or whose they are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ecodyn.arrays import Array, Integers
from ecodyn.trajectories import Trajectories

__all__ = ["Dependence", "Residuals", "strongest_dependence"]

BINS = 5  # of a quantity, equally filled: enough for a bend, few enough to be told in a sentence
MOST_FEATURES = 12  # whose values are each asked for: beyond, only time and feature are
FEATURE = "the feature"
LEAST_SHARE = 0.1  # of what is left, that a quantity must account for to be named


@dataclass(frozen=True, eq=False)
class Residuals:
    """Of one held-out run: times (step,), rollout (step, feature), and what it leaves, in scales (step, feature)."""

    times: Array
    rolled: Array
    left: Array


@dataclass(frozen=True, kw_only=True)
class Dependence:
    """The quantity that accounts for most of what is left, by means over its quintiles.

    Attributes
    ----------
    quantity : "time", "the feature", "the value of the signal", "the mean over features", "the value of NAME"
    share : of the mean square of the residuals, that these means account for
    low, high : the quintile with the largest mean, in the quantity's unit; of no meaning for "the feature"
    feature : whose residuals these are, where features have names; "" otherwise
    residual : that mean, data less rollout, in the signal's unit
    """

    quantity: str
    share: float
    low: float
    high: float
    feature: str
    residual: float

    def text(self) -> str:
        """As a sentence goes on after "what is left depends most on"."""
        size = "low" if self.residual > 0 else "high"
        whose = f" of {self.feature}" if self.feature else ""
        where = "" if self.quantity == FEATURE else f" where that is {self.low:.3g} to {self.high:.3g}"
        return (
            f"{self.quantity} ({self.share:.0%} of it): rollouts{whose} are too {size} by "
            f"{abs(self.residual):.2g} on average{where}"
        )


def strongest_dependence(parts: Sequence[Residuals], data: Trajectories, scales: Array | None) -> Dependence | None:
    """The quantity whose quintiles account for most of the residuals; None if none does for a tenth."""
    if not parts:
        return None
    left = np.concatenate([p.left for p in parts])
    total = float(np.nansum(left**2))
    if not total > 0:
        return None
    found = [
        _dependence(name, values, left, total, data, scales)
        for name, values in _quantities(parts, data)
        if np.isfinite(values).any()
    ]
    best = max(found, key=lambda d: d.share, default=None)
    # Groups of named features by anything are also by feature: that alone is meant unless the rest accounts for more.
    whose = next((d for d in found if d.quantity == FEATURE), None)
    if best is not None and whose is not None and best.share < whose.share + LEAST_SHARE:
        best = whose
    return best if best is not None and best.share >= LEAST_SHARE else None


def _quantities(parts: Sequence[Residuals], data: Trajectories) -> Iterator[tuple[str, Array]]:
    """Names and values (step, feature) of what residuals are held against."""
    rolled = np.concatenate([p.rolled for p in parts])
    shape = rolled.shape
    yield "time", np.broadcast_to(np.concatenate([p.times for p in parts])[:, None], shape)
    if not data.labels_shared:
        yield "the value of the signal", rolled
        if shape[1] > 1:
            yield "the mean over features", np.broadcast_to(rolled.mean(axis=1, keepdims=True), shape)
        return
    if shape[1] > 1:
        yield FEATURE, np.zeros(shape)
    if shape[1] <= MOST_FEATURES:
        for k, label in enumerate(data.features):
            yield f"the value of {label}", np.broadcast_to(rolled[:, [k]], shape)


def _dependence(
    name: str, values: Array, left: Array, total: float, data: Trajectories, scales: Array | None
) -> Dependence:
    edges = np.unique(np.quantile(values, np.linspace(0, 1, BINS + 1)))
    bins = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, max(len(edges) - 2, 0))
    features = (
        np.broadcast_to(np.arange(left.shape[1]), left.shape) if data.labels_shared else np.zeros(left.shape, int)
    )
    counts, sums = _by_group(bins * left.shape[1] + features, left)
    means = np.divide(sums, counts, out=np.zeros_like(sums), where=counts > 0)
    strongest = int(np.argmax(np.abs(means)))
    place, feature = divmod(strongest, left.shape[1])
    unit = 1.0 if scales is None else float(scales[feature])
    return Dependence(
        quantity=name,
        share=float(np.sum(counts * means**2) / total),
        low=float(edges[min(place, len(edges) - 1)]),
        high=float(edges[min(place + 1, len(edges) - 1)]),
        feature=str(data.features[feature]) if data.labels_shared else "",
        residual=float(means[strongest]) * (unit if np.isfinite(unit) else 0.0),
    )


def _by_group(groups: Integers, left: Array) -> tuple[Array, Array]:
    """Numbers and sums of the residuals there are in each group."""
    present = ~np.isnan(left)
    places, size = groups[present], int(groups.max()) + 1
    weights = (np.ones(len(places)), left[present])
    counts, sums = (np.bincount(places, w, minlength=size).astype(np.float64) for w in weights)
    return counts, sums
