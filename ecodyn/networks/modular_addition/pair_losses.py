"""What every circle and every pair of circles is worth at one step, and what a pair gains over its circles alone.

Two measures of collaboration, of log losses (`ablation`) since these fall over orders of magnitude, in nats and
symmetric in i and j:

    synergy(i, j)     = log min(L(i), L(j)) − log L(i, j)
    interaction(i, j) = log L(i) + log L(j) − log L(i, j) − log L(∅)

Synergy is what the pair gains over the better of the two; where it is negative, the weaker circle does harm. The
interaction asks for more: positive where the pair lowers the log loss by more than both do alone, one after the other
(a second difference), and zero where circles multiply the loss independently of each other.

Examples
--------
>>> from ecodyn.training import MLP, all_pairs, take_snapshots
>>> pair = all_pairs(take_snapshots(MLP(p=5, dim=2), seeds=[0], steps=[2]), pairs="all")
>>> pair.features.tolist(), bool(np.isclose(pair.loss[0, 1], pair.whole))  # both circles are all there are
([1, 2], True)
>>> bool(np.isclose(pair.synergy[0, 1], np.log(min(np.diag(pair.loss)) / pair.loss[0, 1])))
True
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ecodyn.networks.modular_addition.collaboration import losses_over_training
from ecodyn.networks.modular_addition.snapshots import Snapshots

__all__ = ["SMALLEST_LOSS", "PairLosses", "all_pairs"]

SMALLEST_LOSS = 1e-16  # nats; float64 resolves no less of a probability near 1


@dataclass(frozen=True, eq=False)
class PairLosses:
    """L(i, j) of one network at one step, L(i) on the diagonal.

    Attributes
    ----------
    features
        Their frequencies, (K,).
    loss, accuracy
        (K, K), symmetric.
    whole
        Loss with every circle.
    none
        Loss with no circle.
    step
        Of the training.
    pairs
        Which pairs; "test", "train" or "all".
    seed
        The network's.
    """

    features: np.ndarray
    loss: np.ndarray
    accuracy: np.ndarray
    whole: float
    none: float
    step: int
    pairs: str
    seed: int

    @property
    def synergy(self) -> np.ndarray:
        """log min(L(i), L(j)) − log L(i, j), (K, K) in nats; NaN on the diagonal."""
        log_loss = _log(self.loss)
        single = np.diag(log_loss)
        return _off_diagonal(np.minimum.outer(single, single) - log_loss)

    @property
    def interaction(self) -> np.ndarray:
        """log L(i) + log L(j) − log L(i, j) − log L(∅), (K, K) in nats; NaN on the diagonal."""
        log_loss = _log(self.loss)
        single = np.diag(log_loss)
        return _off_diagonal(np.add.outer(single, single) - log_loss - _log(self.none))


def all_pairs(
    kept: Snapshots,
    features: Sequence[int] | None = None,
    *,
    step: int | None = None,
    network: int = 0,
    pairs: str = "test",
    dc: bool = True,
) -> PairLosses:
    """L of every circle alone and of every pair of circles; see `kept_losses` for what is raised.

    Parameters
    ----------
    kept
        Parameters over a training.
    features
        Which circles; default all.
    step
        One of the kept steps; default the last.
    network
        Which of the networks, by its place.
    pairs
        The "test" pairs, the "train" pairs, or "all" p².
    dc
        Keep DC.
    """
    steps = kept.steps.tolist()
    if step is not None and step not in steps:
        raise ValueError(f"step {step} was not kept; there are {', '.join(map(str, steps))}")
    place = len(steps) - 1 if step is None else steps.index(step)
    circles = kept.network.features.tolist() if features is None else list(features)
    first, second = np.triu_indices(len(circles))
    sets = [(circles[i],) if i == j else (circles[i], circles[j]) for i, j in zip(first, second, strict=True)]
    at = Snapshots(kept.network, kept.seeds, kept.steps[place : place + 1], kept.parameters[place : place + 1])
    track = losses_over_training(at, sets, network=network, pairs=pairs, dc=dc)
    loss, accuracy = np.empty((2, len(circles), len(circles)))
    loss[first, second] = loss[second, first] = track.loss[0]
    accuracy[first, second] = accuracy[second, first] = track.accuracy[0]
    return PairLosses(
        features=np.array(circles),
        loss=loss,
        accuracy=accuracy,
        whole=float(track.whole[0]),
        none=float(track.none[0]),
        step=int(at.steps[0]),
        pairs=pairs,
        seed=track.seed,
    )


def _log(loss: np.ndarray | float) -> np.ndarray:
    return np.log(np.maximum(loss, SMALLEST_LOSS))


def _off_diagonal(matrix: np.ndarray) -> np.ndarray:
    np.fill_diagonal(matrix, np.nan)
    return matrix
