"""The trainings that the experiments rest on: each a few lines, trained once, kept in a file and used again."""

from __future__ import annotations

import dataclasses
import functools
import json
import shutil
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ecodyn.errors import DataWarning
from ecodyn.networks.modular_addition import (
    MLP,
    FixedEmbedding,
    FrozenEmbedding,
    KeepFrequencies,
    PlantCircles,
    ScaleFrequency,
    Snapshots,
    initialise,
    read_snapshots,
    spectrum,
    take_snapshots,
    write_snapshots,
)
from ecodyn.networks.training import Schedule, train
from ecodyn.networks.training.design import check_memory
from ecodyn.networks.training.partial import remove_partial
from ecodyn.reproduction.scale import Scale
from ecodyn.runtime.files import write_whole
from ecodyn.trajectories import Trajectories, load

__all__ = ["KEPT_SETS", "TRAININGS", "Shelf", "Trainings", "kept_sets", "planned"]

EARLY = 5  # first steps, all kept, that fitness is measured in
FURTHER_SEEDS = 1000  # of trainings from given embeddings, beyond any embedding's own seed
PLANTED_FREQUENCIES = (1, 2)  # as PlantCircles has them; any two are alike but for a relabelling of the tokens
KEPT_SETS = ("all", "strongest", "two strongest", "one random", "two random")


@dataclass(frozen=True)
class Trainings:
    """One call of `train`: networks × seeds for some steps, in the scale's dtype if no other."""

    networks: tuple[MLP, ...]
    seeds: tuple[int, ...]
    steps: int
    keep: Schedule
    dtype: str | None = None

    @property
    def run_steps(self) -> int:
        """Updates of one network each."""
        return len(self.networks) * len(self.seeds) * self.steps

    def described(self, scale: Scale) -> dict[str, Any]:
        """What decides the numbers, as JSON can hold it."""
        return {
            "networks": [network.described() for network in self.networks],
            "seeds": list(self.seeds),
            "steps": self.steps,
            "schedule": dataclasses.asdict(self.keep),
            "dtype": self.dtype or scale.dtype,
        }


Plan = Callable[[Scale], dict[str, Trainings]]


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

    def made(network: MLP, seeds: Sequence[int]) -> Trainings:
        return Trainings((network,), tuple(seeds), scale.final, keep, dtype="float64")

    found = {"finished": made(_network(scale), range(scale.finished))}
    # Seeds of their own: trainings that share a start would be one observation.
    seeds = range(scale.finished, scale.finished + scale.finished_decay_seeds)
    for decay in scale.finished_decays:
        found[f"finished_decay_{decay:g}"] = made(_network(scale, weight_decay=decay), seeds)
    return found


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
    found = {}
    for embedding in range(scale.embeddings):
        network = _network(scale, interventions=(FixedEmbedding(embedding),))
        seeds = _further(scale.trainings, embedding)
        found[f"from_embedding_{embedding}"] = _sparse([network], seeds, scale.steps)
    return found


def scaled(scale: Scale) -> dict[str, Trainings]:
    """One frequency scaled at the start, and unscaled beside it; a file an embedding, as `from_embeddings`."""
    found = {}
    for embedding in range(scale.scaled_embeddings):
        networks = [
            _network(scale, interventions=(FixedEmbedding(embedding), ScaleFrequency(k=scale.scaled_k, factor=factor)))
            for factor in (*scale.factors, 1.0)
        ]
        seeds = _further(scale.scaled_trainings, embedding)
        found[f"scaled_{embedding}"] = _sparse(networks, seeds, scale.steps)
    return found


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
    found = {}
    for seed in range(scale.kept_seeds):
        sets = kept_sets(scale, seed)
        networks = [
            _network(scale, interventions=() if name == "all" else (KeepFrequencies(sets[name], hold=False),))
            for name in KEPT_SETS
        ]
        found[f"kept_{seed}"] = _sparse(networks, [seed], scale.kept_steps)
    return found


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


class Shelf:
    """Where trainings are kept, so that each is made once: NAME.nc, and NAME.json that says of what.

    Parameters
    ----------
    folder
        Made if it is not there.
    scale
        How much is trained.
    jobs
        Processes, one thread each.
    progress
        As `train` calls it.
    """

    def __init__(
        self,
        folder: Path,
        scale: Scale,
        *,
        jobs: int = 1,
        progress: Callable[[int, int, str], None] | None = None,
    ) -> None:
        self.folder, self.scale, self.jobs, self._progress = folder, scale, jobs, progress
        self._done = self._expected = 0  # run-steps

    def expect(self, names: Sequence[str]) -> None:
        """Say which trainings will be asked for, so that progress knows how many there are ahead.

        Raises
        ------
        ValueError
            A file is there and is of other settings, or what is to be trained does not fit the memory.
        """
        ahead = {}
        for file, trainings in planned(names, self.scale).items():
            if not self._there(self._file(file), trainings.described(self.scale)):
                check_memory(trainings.networks, len(trainings.seeds), trainings.steps, trainings.keep)
                ahead[file] = trainings
        self._expected = sum(t.run_steps for t in ahead.values())

    def get(self, name: str) -> dict[str, Trajectories]:
        """The trajectories of all files of a name: those that are there, and the others trained.

        Raises
        ------
        ValueError
            A file is there and is of other settings.
        """
        return {file: self._one(file, trainings) for file, trainings in TRAININGS[name](self.scale).items()}

    def only(self, name: str) -> Trajectories:
        """Those of a name that has one file.

        Raises
        ------
        ValueError
            It has several, or as `get`.
        """
        (found,) = self.get(name).values()
        return found

    def joined(self, name: str) -> Trajectories:
        """All files of a name as one, a cluster a file: those of one embedding each.

        Raises
        ------
        ValueError
            As `get`.
        """
        parts = list(self.get(name).values())
        counts = [part.n_runs for part in parts]
        common = set.intersection(*(set(part.settings) for part in parts))
        seeds = {} if "seed" in common else {"seed": np.concatenate([part.runs for part in parts])}
        with _expected_to_look_odd():
            return Trajectories(
                np.concatenate([part.values for part in parts]),
                parts[0].steps,
                features=parts[0].features,
                provenance=parts[0].provenance,
                dc=np.concatenate([part.dc for part in parts if part.dc is not None]),
                cluster=np.repeat(np.arange(len(parts)), counts),
                settings=seeds
                | {key: np.concatenate([part.settings[key] for part in parts]) for key in sorted(common)},
            )

    def _file(self, file: str) -> Path:
        return self.folder / f"{file}.nc"

    def snapshots(self, name: str, network: MLP, seed: int, steps: Sequence[int]) -> Snapshots:
        """All parameters of one training at some steps, kept as ``ecodyn train --checkpoints`` keeps them.

        Raises
        ------
        ValueError
            A folder is there and is of other settings.
        """
        folder = self.folder / f"{name}_{seed}"
        plan = {"network": network.described(), "seed": seed, "steps": list(steps), "dtype": self.scale.dtype}
        if not self._there(folder, plan):
            taken = take_snapshots(network, [seed], steps, dtype=self.scale.dtype, device=self.scale.device)
            begun = _partial(folder)
            shutil.rmtree(begun, ignore_errors=True)
            write_snapshots(taken, begun)
            self._state(folder, plan)
            begun.rename(folder)
        return read_snapshots(network, folder, [seed])

    def _there(self, path: Path, plan: dict[str, Any]) -> bool:
        """Whether a file or folder is there; a ValueError if it is and of another plan."""
        if not path.exists():
            return False
        stated = _plan_of(path)
        if not stated.exists() or json.loads(stated.read_text(encoding="utf-8")) != json.loads(json.dumps(plan)):
            raise ValueError(
                f"{path} holds trainings of other settings than scale {self.scale.name!r} has now; "
                "name another folder, or delete it so that it is made again"
            )
        return True

    def _state(self, path: Path, plan: dict[str, Any]) -> None:
        """The plan comes first: a kill before what it is of is there leaves a plan alone, and all is made again."""
        with write_whole(_plan_of(path), force=True) as temporary:
            temporary.write_text(json.dumps(plan, indent=1), encoding="utf-8")

    def _one(self, file: str, trainings: Trainings) -> Trajectories:
        path, plan = self._file(file), trainings.described(self.scale)
        with _expected_to_look_odd():
            if self._there(path, plan):
                return load(path)
            self.folder.mkdir(parents=True, exist_ok=True)
            runs = self._train(path, trainings)
        self._state(path, plan)
        runs.save(path)
        remove_partial(_partial(path))
        self._done += trainings.run_steps
        return runs

    def _report(self, file: str, done: int, _total: int, _what: str) -> None:
        if self._progress is not None:
            self._progress(self._done + done, max(self._expected, self._done + done), f"training {file}")

    def _train(self, path: Path, trainings: Trainings) -> Trajectories:
        return train(
            trainings.networks,
            trainings.seeds,
            trainings.steps,
            keep=trainings.keep,
            dtype=trainings.dtype or self.scale.dtype,
            device=self.scale.device,
            jobs=self.jobs,
            folder=_partial(path),
            resume=True,
            progress=functools.partial(self._report, path.stem),
            command=f"ecodyn reproduce --scale {self.scale.name}",
        )


@contextmanager
def _expected_to_look_odd() -> Iterator[None]:
    """Frozen embeddings are constant and ablated frequencies zero: that is what these trainings are."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        yield


def _plan_of(path: Path) -> Path:
    """Where it is said of what a file or folder is."""
    return path.with_name(f"{path.name.removesuffix('.nc')}.json")


def _partial(path: Path) -> Path:
    return path.with_name(path.name + ".partial")


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
