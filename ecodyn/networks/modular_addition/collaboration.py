"""What circles are worth together over a training: losses with sets of circles kept (`ablation`), step by step."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ecodyn.networks.modular_addition.ablation import KeptLosses, Set, checked_sets, kept_losses
from ecodyn.networks.modular_addition.snapshots import Snapshots

__all__ = ["Collaboration", "ladder", "losses_over_training"]


@dataclass(frozen=True, eq=False)
class Collaboration:
    """L(A) of one network over its training.

    Attributes
    ----------
    steps
        (T,).
    sets
        The frequencies kept, one set a column.
    loss
        Mean cross-entropy in nats, (step, set).
    accuracy
        (step, set).
    whole
        Loss with every circle, (step,): the network itself where DC is kept.
    none
        Loss with no circle, (step,).
    pairs
        Which pairs; "test", "train" or "all".
    seed
        The network's.
    """

    steps: np.ndarray
    sets: tuple[Set, ...]
    loss: np.ndarray
    accuracy: np.ndarray
    whole: np.ndarray
    none: np.ndarray
    pairs: str
    seed: int


def losses_over_training(
    kept: Snapshots, sets: Sequence[Iterable[int]], *, network: int = 0, pairs: str = "test", dc: bool = True
) -> Collaboration:
    """L(A) at each step that was kept; see `kept_losses` for what is raised.

    Parameters
    ----------
    kept
        Parameters over a training, by `take_snapshots` or `read_snapshots`.
    sets
        Frequencies to keep; `ladder` makes the study's.
    network
        Which of the networks, by its place.
    pairs
        The "test" pairs, the "train" pairs, or "all" p² (the study's).
    dc
        Keep DC.

    Examples
    --------
    >>> from ecodyn.training import MLP, take_snapshots
    >>> kept = take_snapshots(MLP(p=5, dim=2), seeds=[0], steps=[0, 2])
    >>> losses = losses_over_training(kept, ladder([1], [1, 2]), pairs="all")
    >>> losses.sets, losses.loss.shape  # step, set
    (((1,), (2,), (1, 2)), (2, 3))
    """
    wanted = checked_sets(sets, kept.network.p)
    losses = list(_over_steps(kept, [*wanted, kept.network.features.tolist(), ()], network, pairs, dc))
    loss, accuracy = np.stack([at.loss[0] for at in losses]), np.stack([at.accuracy[0] for at in losses])
    return Collaboration(
        steps=kept.steps,
        sets=wanted,
        loss=loss[:, :-2],
        accuracy=accuracy[:, :-2],
        whole=loss[:, -2],
        none=loss[:, -1],
        pairs=pairs,
        seed=kept.seeds[network],
    )


def _over_steps(
    kept: Snapshots, sets: Sequence[Iterable[int]], network: int, pairs: str, dc: bool
) -> Iterator[KeptLosses]:
    for tensors in kept.parameters:
        one = {name: tensor[network : network + 1] for name, tensor in tensors.items()}
        yield kept_losses(kept.network, kept.seeds[network : network + 1], one, sets, pairs=pairs, dc=dc)


def ladder(first: Sequence[int], features: Iterable[int]) -> list[Set]:
    """The study's sets: {i}, {f₁, i}, {f₁, f₂, i}, ... for all i of ``features`` that are not yet in them.

    Parameters
    ----------
    first
        f₁, f₂, ..., such as the two strongest circles; the study has 2 and 22.
    features
        The circles i.

    Examples
    --------
    >>> ladder([7], [3, 7])
    [(3,), (7,), (7, 3)]
    """
    others = list(features)
    return [(*first[:n], i) for n in range(len(first) + 1) for i in others if i not in first[:n]]
