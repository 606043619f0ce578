"""Losses of trained networks whose embedding keeps only some of its circles.

With E the embedding, P_A the projection onto the circles of the frequencies A (`fourier.projection`), and all other
parameters as they are,

    L(A) = mean over pairs (a, b) of −log softmax(logits(a, b; P_A E))_{a+b mod p}

The network is not trained again: that is `interventions.KeepFrequencies`. So a network without circles that it was
trained with is off the states that its layers are used to, and L(A) is an upper bound of the loss that circles A could
reach with layers of their own.

**DC**, the embedding's mean over tokens, is kept by default. It is no circle and carries nothing of a token, but the
layers were trained with it, and only so do all frequencies together give the network itself. The study's own analysis
(section 4.1) keeps it as well; its *training* with few circles does not, and neither does `KeepFrequencies`. The study
evaluates all p² pairs, those that were trained on included, and calls it test loss: here, ``pairs="all"``.

Examples
--------
>>> from ecodyn.training import MLP, kept_losses, take_snapshots
>>> kept = take_snapshots(MLP(p=5, dim=2), seeds=[0, 1], steps=[2])
>>> losses = kept_losses(kept.network, kept.seeds, kept.parameters[0], [(1,), (1, 2)], pairs="all")
>>> losses.sets, losses.loss.shape  # network, set
(((1,), (1, 2)), (2, 2))
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from ecodyn.networks.modular_addition.fourier import check_frequencies, projection
from ecodyn.networks.modular_addition.modular import ModularSettings
from ecodyn.networks.modular_addition.pairs import tokens
from ecodyn.networks.training.checks import check_bool, check_choice, check_whole
from ecodyn.runtime.processes import one_torch_thread

__all__ = ["PAIRS", "KeptLosses", "checked_sets", "kept_losses"]

PAIRS = ("test", "train", "all")  # of which the loss is the mean
PROGRAM_BYTES = 1e8  # of networks that are evaluated side by side, by their own estimate

Set = tuple[int, ...]
"""The frequencies that are kept."""


@dataclass(frozen=True, eq=False)
class KeptLosses:
    """L(A) of networks and sets A.

    Attributes
    ----------
    sets
        The frequencies kept, one set a column.
    loss
        Mean cross-entropy in nats, (network, set).
    accuracy
        Share of pairs whose label has the largest logit, (network, set).
    """

    sets: tuple[Set, ...]
    loss: np.ndarray
    accuracy: np.ndarray


def kept_losses(
    network: ModularSettings,
    seeds: Sequence[int],
    parameters: Mapping[str, torch.Tensor],
    sets: Sequence[Iterable[int]],
    *,
    pairs: str = "test",
    dc: bool = True,
) -> KeptLosses:
    """L(A) of each network and set, many sets as one program through the network's own forward pass, in float64.

    Parameters
    ----------
    network
        What the parameters are of.
    seeds
        One a network, (S,): which pairs each was trained on.
    parameters
        Tensors (S, ...) by name: a batch's ``tensors``, or one step of `Snapshots`.
    sets
        Frequencies 1..(p−1)/2; a set may be empty.
    pairs
        The "test" pairs, the "train" pairs, or "all" p².
    dc
        Keep DC; see above.

    Raises
    ------
    ValueError
        A frequency is none, or is twice in a set; other pairs than these; as many seeds as networks are
        expected.
    """
    wanted = checked_sets(sets, network.p)
    check_choice("pairs", pairs, PAIRS)
    check_bool("dc", dc)
    if len(parameters["embedding"]) != len(seeds):
        raise ValueError(f"expected a seed for each of {len(parameters['embedding'])} networks, got {len(seeds)} seeds")
    index = _grid(network, seeds, pairs)
    keep = torch.from_numpy(np.stack([projection(network.p, A, dc=dc) for A in wanted]))
    side_by_side = max(1, int(PROGRAM_BYTES / network.bytes_per_network(8)))
    rows = []
    with torch.no_grad(), one_torch_thread():
        for i in range(len(seeds)):
            one = {name: tensor[i].to("cpu", torch.float64) for name, tensor in parameters.items()}
            parts = [_scores(network, one, index[i], P) for P in keep.split(side_by_side)]
            rows.append([torch.cat(scores).numpy() for scores in zip(*parts, strict=True)])
    loss, accuracy = (np.stack(column) for column in zip(*rows, strict=True))
    return KeptLosses(wanted, loss, accuracy)


def _scores(
    network: ModularSettings, one: Mapping[str, torch.Tensor], index: np.ndarray, keep: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Loss and accuracy (set,) of one network's parameters under projections (set, p, p)."""
    tensors = {name: tensor.expand(len(keep), *tensor.shape) for name, tensor in one.items()}
    tensors["embedding"] = keep @ one["embedding"]
    a, b, label = (torch.from_numpy(part).expand(len(keep), -1) for part in tokens(index, network.p))
    return network.scores(tensors, a, b, label)


def _grid(network: ModularSettings, seeds: Sequence[int], pairs: str) -> np.ndarray:
    """Grid indices (network, pair)."""
    if pairs == "all":
        return np.tile(np.arange(network.p**2), (len(seeds), 1))
    train, test = network.split(seeds)
    return train if pairs == "train" else test


def checked_sets(sets: Sequence[Iterable[int]], p: int) -> tuple[Set, ...]:
    """The sets as tuples of whole numbers; a ValueError where one holds what is no frequency of p, or twice."""
    wanted = tuple(tuple(A) for A in sets)
    if not wanted:
        raise ValueError("expected at least one set of frequencies to keep, got none; () keeps no circle")
    for A in wanted:
        for k in A:
            check_whole("a kept frequency", k, 1)
        check_frequencies("sets", A, p)
        if len(set(A)) < len(A):
            raise ValueError(f"expected each frequency once in a set, got {A}")
    return tuple(tuple(map(int, A)) for A in wanted)
