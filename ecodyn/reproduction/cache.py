"""Trainings on disk: each is trained once, kept in a file that says of what it is, and read from there after."""

from __future__ import annotations

import functools
import json
import shutil
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from ecodyn.errors import DataWarning
from ecodyn.networks.modular_addition import MLP, Snapshots, read_snapshots, take_snapshots, write_snapshots
from ecodyn.networks.training import train
from ecodyn.networks.training.design import check_memory
from ecodyn.networks.training.partial import remove_partial
from ecodyn.reproduction.scale import Scale
from ecodyn.reproduction.trainings import TRAININGS, Trainings, planned
from ecodyn.runtime.files import write_whole
from ecodyn.trajectories import Trajectories, load

__all__ = ["TrainingCache"]


class TrainingCache:
    """Where trainings are kept, so that each is done once: NAME.nc, and NAME.json that says of what.

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
            if not self._is_kept(self._file(file), trainings.described(self.scale)):
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
        (runs,) = self.get(name).values()
        return runs

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
        if not self._is_kept(folder, plan):
            taken = take_snapshots(network, [seed], steps, dtype=self.scale.dtype, device=self.scale.device)
            begun = _partial(folder)
            shutil.rmtree(begun, ignore_errors=True)
            write_snapshots(taken, begun)
            self._state(folder, plan)
            begun.rename(folder)
        return read_snapshots(network, folder, [seed])

    def _is_kept(self, path: Path, plan: Mapping[str, object]) -> bool:
        """Whether a file or folder is there; a ValueError if it is and of another plan."""
        if not path.exists():
            return False
        stated = _plan_of(path)
        if not stated.exists() or json.loads(stated.read_text(encoding="utf-8")) != json.loads(json.dumps(plan)):
            raise ValueError(
                f"{path} holds trainings of other settings than scale {self.scale.name!r} has now; "
                "name another folder, or delete it so that it is trained again"
            )
        return True

    def _state(self, path: Path, plan: Mapping[str, object]) -> None:
        """The plan comes first: a kill before what it is of is there leaves a plan alone, and all is made again."""
        with write_whole(_plan_of(path), force=True) as temporary:
            temporary.write_text(json.dumps(plan, indent=1), encoding="utf-8")

    def _one(self, file: str, trainings: Trainings) -> Trajectories:
        path, plan = self._file(file), trainings.described(self.scale)
        with _expected_to_look_odd():
            if self._is_kept(path, plan):
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
