"""What circles are worth together: losses of trained networks whose embedding keeps only some of its circles.

With E the embedding, P_A the projection onto the circles of the frequencies A (`fourier.projection`), and all other
parameters as they are,

    L(A) = mean over pairs (a, b) of −log softmax(logits(a, b; P_A E))_{a+b mod p}

The network is not trained again: that is `interventions.KeepFrequencies`. Two measures of collaboration, of log losses
since these fall over orders of magnitude, in nats and symmetric in i and j:

    synergy(i, j)     = log min(L(i), L(j)) − log L(i, j)
    interaction(i, j) = log L(i) + log L(j) − log L(i, j) − log L(∅)

Synergy is what the pair gains over the better of the two; where it is negative, the weaker circle does harm. The
interaction asks for more: positive where the pair lowers the log loss by more than both do alone, one after the other
(a second difference), and zero where circles multiply the loss independently of each other.

What none of this can say: a network without circles that it was trained with is off the states that its layers are
used to, so that L(A) is an upper bound of the loss that circles A could reach with layers of their own.

**DC**, the embedding's mean over tokens, is kept by default. It is no circle and carries nothing of a token, but the
layers were trained with it, and only so do all frequencies together give the network itself. The study's own analysis
(section 4.1) keeps it as well; its *training* with few circles does not, and neither does `KeepFrequencies`. The study
evaluates all p² pairs, those that were trained on included, and calls it test loss: here, ``pairs="all"``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from ecodyn.networks.modular_addition.fourier import check_frequencies, projection
from ecodyn.networks.modular_addition.modular import ModularSettings
from ecodyn.networks.modular_addition.pairs import tokens
from ecodyn.networks.modular_addition.snapshots import Snapshots
from ecodyn.networks.training.checks import check_bool, check_choice, check_whole
from ecodyn.networks.training.descent import one_thread

__all__ = [
    "PAIRS",
    "Collaboration",
    "KeptLosses",
    "PairLosses",
    "all_pairs",
    "kept_losses",
    "ladder",
    "losses_over_training",
]

PAIRS = ("test", "train", "all")
SMALLEST_LOSS = 1e-16  # nats; float64 resolves no less of a probability near 1
PROGRAM_BYTES = 1e8  # of networks that are evaluated side by side, by their own estimate

Set = tuple[int, ...]


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
    wanted = _checked(sets, network.p)
    check_choice("pairs", pairs, PAIRS)
    check_bool("dc", dc)
    if len(parameters["embedding"]) != len(seeds):
        raise ValueError(f"expected a seed for each of {len(parameters['embedding'])} networks, got {len(seeds)} seeds")
    index = _grid(network, seeds, pairs)
    keep = torch.from_numpy(np.stack([projection(network.p, A, dc=dc) for A in wanted]))
    side_by_side = max(1, int(PROGRAM_BYTES / network.bytes_per_network(8)))
    rows = []
    with torch.no_grad(), one_thread():
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


def _checked(sets: Sequence[Iterable[int]], p: int) -> tuple[Set, ...]:
    """The sets as tuples of whole numbers."""
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


# ------------------------------------------------------------------------------------------------- over a training


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
    """
    wanted = _checked(sets, kept.network.p)
    found = list(_over_steps(kept, [*wanted, kept.network.features.tolist(), ()], network, pairs, dc))
    loss, accuracy = (np.stack([getattr(at, what)[0] for at in found]) for what in ("loss", "accuracy"))
    return Collaboration(
        kept.steps, wanted, loss[:, :-2], accuracy[:, :-2], loss[:, -2], loss[:, -1], pairs, kept.seeds[network]
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
    """
    others = list(features)
    return [(*first[:n], i) for n in range(len(first) + 1) for i in others if i not in first[:n]]


# ------------------------------------------------------------------------------------------------------- all pairs


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
        np.array(circles),
        loss,
        accuracy,
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
