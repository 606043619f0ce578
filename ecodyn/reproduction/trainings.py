"""The trainings that the experiments rest on, as recipes of a few lines each; `TrainingCache` trains and keeps them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ecodyn.networks.modular_addition import (
    MLP,
    FixedEmbedding,
    FrozenEmbedding,
    KeepFrequencies,
    PlantCircles,
    ScaleFrequency,
    initialise,
    spectrum,
)
from ecodyn.networks.training import Schedule
from ecodyn.reproduction.scale import Scale

__all__ = ["KEPT_SETS", "PLANTED_FREQUENCIES", "TRAININGS", "Plan", "Trainings", "kept_sets", "planned"]

EARLY = 5  # first steps, all kept, that fitness is measured in
FURTHER_SEEDS = 1000  # of trainings from given embeddings, beyond any embedding's own seed
PLANTED_FREQUENCIES = (1, 2)  # as PlantCircles has them; any two are alike but for a relabelling of the tokens
KEPT_SETS = ("all", "strongest", "two strongest", "one random", "two random")  # of circles, as the study cuts them


@dataclass(frozen=True)
class Trainings:
    """One call of `train`: networks × seeds for some steps.

    Attributes
    ----------
    networks, seeds
        Each network is trained with each seed.
    steps
        Updates of each training.
    keep
        Steps at which spectra are kept.
    dtype
        The scale's, if None.
    """

    networks: tuple[MLP, ...]
    seeds: tuple[int, ...]
    steps: int
    keep: Schedule
    dtype: str | None = None

    @property
    def run_steps(self) -> int:
        """Updates of one network each."""
        return len(self.networks) * len(self.seeds) * self.steps

    def described(self, scale: Scale) -> dict[str, object]:
        """What decides the numbers, as JSON can hold it."""
        return {
            "networks": [network.described() for network in self.networks],
            "seeds": list(self.seeds),
            "steps": self.steps,
            "schedule": dataclasses.asdict(self.keep),
            "dtype": self.dtype or scale.dtype,
        }


Plan = Callable[[Scale], dict[str, Trainings]]
"""The trainings of a name at a scale, by the file that keeps them."""


def plain(scale: Scale) -> dict[str, Trainings]:
    """The study's training, every step kept as far as equations are fitted."""
    network = _network(scale, observables=("circularity",))
    keep = Schedule(dense=scale.laws, every=100)
    return {"plain": Trainings((network,), tuple(range(scale.plain)), max(scale.plain_steps, scale.laws), keep)}


def finished(scale: Scale) -> dict[str, Trainings]:
    """Trainings to the study's end, against which those that stop early are checked.

    In float64: float32 can't tell the probability of a right label from 1 once the loss is as low as it gets here, and
    after some 15 000 steps circles that live on in float64 collapse.
    """
    keep = Schedule(dense=20, every=20)

    def to_the_end(network: MLP, seeds: Sequence[int]) -> Trainings:
        return Trainings((network,), tuple(seeds), scale.final, keep, dtype="float64")

    files = {"finished": to_the_end(_network(scale), range(scale.finished))}
    # Seeds of their own: trainings that share a start would be one observation.
    seeds = range(scale.finished, scale.finished + scale.finished_decay_seeds)
    for decay in scale.finished_decays:
        files[f"finished_decay_{decay:g}"] = to_the_end(_network(scale, weight_decay=decay), seeds)
    return files


def by_dimension(scale: Scale) -> dict[str, Trainings]:
    """Embedding dimension varied."""
    networks = [_network(scale, dim=dim, observables=("circularity",)) for dim in scale.dims]
    return {"by_dimension": _sparse(networks, range(scale.dim_seeds), scale.steps)}


def frozen(scale: Scale) -> dict[str, Trainings]:
    """Embeddings that are not trained."""
    networks = [_network(scale, dim=dim, interventions=(FrozenEmbedding(),)) for dim in scale.frozen_dims]
    keep = Schedule(dense=0, every=_common_divisor(scale.frozen_steps))
    return {"frozen": Trainings(tuple(networks), tuple(range(scale.frozen_seeds)), max(scale.frozen_steps), keep)}


def by_prime(scale: Scale) -> dict[str, Trainings]:
    """The modulus varied; a file each, since frequencies of different p are different features."""
    seeds = tuple(range(scale.prime_seeds))
    return {f"prime_{p}": _sparse([_network(scale, p=p)], seeds, scale.steps) for p in scale.primes}


def by_decay(scale: Scale) -> dict[str, Trainings]:
    """Weight decay varied."""
    networks = [_network(scale, weight_decay=decay) for decay in scale.decays]
    return {"by_decay": _sparse(networks, range(scale.decay_seeds), scale.decay_steps)}


def from_embeddings(scale: Scale) -> dict[str, Trainings]:
    """Several embeddings, each trained several times with other layers and other pairs; a file an embedding.

    No two embeddings share layers or pairs, so that what layers do to a frequency is not common to all of them.
    """
    files = {}
    for embedding in range(scale.embeddings):
        network = _network(scale, interventions=(FixedEmbedding(embedding),))
        seeds = _further(scale.trainings, embedding)
        files[f"from_embedding_{embedding}"] = _sparse([network], seeds, scale.steps)
    return files


def scaled(scale: Scale) -> dict[str, Trainings]:
    """One frequency scaled at the start, and unscaled beside it; a file an embedding, as `from_embeddings`."""
    files = {}
    for embedding in range(scale.scaled_embeddings):
        networks = [
            _network(scale, interventions=(FixedEmbedding(embedding), ScaleFrequency(k=scale.scaled_k, factor=factor)))
            for factor in (*scale.factors, 1.0)
        ]
        seeds = _further(scale.scaled_trainings, embedding)
        files[f"scaled_{embedding}"] = _sparse(networks, seeds, scale.steps)
    return files


def planted(scale: Scale) -> dict[str, Trainings]:
    """Two planted waves over nothing.

    The study has the layers and pairs of one seed for all; here each seed has its own, so that seeds are independent.
    """
    first, second = PLANTED_FREQUENCIES
    networks = [
        _network(scale, interventions=(PlantCircles(first, second, float(np.exp(ratio))),))
        for ratio in scale.log_ratios
    ]
    return {"planted": _sparse(networks, range(scale.planted), scale.steps)}


def kept(scale: Scale) -> dict[str, Trainings]:
    """Training with only some frequencies in the embedding, chosen for each seed by its own start; a file a seed.

    As in the study, the others are taken out at the start and may come back.
    """
    files = {}
    for seed in range(scale.kept_seeds):
        sets = kept_sets(scale, seed)
        networks = [
            _network(scale, interventions=() if name == "all" else (KeepFrequencies(sets[name], hold=False),))
            for name in KEPT_SETS
        ]
        files[f"kept_{seed}"] = _sparse(networks, [seed], scale.kept_steps)
    return files


def law_dimensions(scale: Scale) -> dict[str, Trainings]:
    """Embedding dimension varied, every step kept, for equations."""
    networks = tuple(_network(scale, dim=dim, test=False) for dim in scale.law_dims)
    return {"law_dimensions": Trainings(networks, tuple(range(scale.law_seeds)), scale.laws, Schedule())}


TRAININGS: dict[str, Plan] = {
    "finished": finished,
    "plain": plain,
    "by_dimension": by_dimension,
    "by_decay": by_decay,
    "by_prime": by_prime,
    "from_embeddings": from_embeddings,
    "scaled": scaled,
    "planted": planted,
    "frozen": frozen,
    "kept": kept,
    "law_dimensions": law_dimensions,
}


def kept_sets(scale: Scale, seed: int) -> dict[str, tuple[int, ...]]:
    """The frequencies that each condition of `kept` keeps: the strongest at the start, and random ones of the rest.

    "two random" keeps the one of "one random" and another, so that the two differ by that one only.
    """
    embedding = initialise(scale.p, scale.dim, seed, width=scale.width).embedding.detach()
    strongest = 1 + np.argsort(-spectrum(embedding).numpy()[1:], kind="stable")
    others = np.random.default_rng(seed).permutation(strongest[2:])
    return {
        "strongest": tuple(strongest[:1].tolist()),
        "two strongest": tuple(strongest[:2].tolist()),
        "one random": tuple(others[:1].tolist()),
        "two random": tuple(others[:2].tolist()),
    }


def planned(names: Sequence[str], scale: Scale) -> dict[str, Trainings]:
    """All files of the trainings of these names."""
    return {file: trainings for name in names for file, trainings in TRAININGS[name](scale).items()}


def _network(scale: Scale, **settings: Any) -> MLP:
    return MLP(**{"p": scale.p, "dim": scale.dim, "width": scale.width} | settings)


def _further(count: int, embedding: int) -> tuple[int, ...]:
    first = FURTHER_SEEDS + count * embedding
    return tuple(range(first, first + count))


def _sparse(networks: Sequence[MLP], seeds: Sequence[int], steps: int) -> Trainings:
    """Trainings of which the first steps are kept, for fitness, and then what a curve needs: 40 to 80 more."""
    return Trainings(tuple(networks), tuple(seeds), steps, Schedule(dense=EARLY, every=max(25, steps // 80)))


def _common_divisor(steps: Sequence[int]) -> int:
    return int(np.gcd.reduce(np.array(steps)))
