"""The folder of a population under way: a file for each finished batch, so that nothing finished is lost.

plan.json                 what is trained, and in which batches
batch_00003.safetensors   the record of one finished batch, whole or absent
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np

from ecodyn.errors import UnusableDataError
from ecodyn.networks.training.descent import Record
from ecodyn.runtime.files import write_whole

__all__ = ["PartialFolder", "continues", "partial_folder", "remove_partial", "write_record"]

MOST_OF_NAME = 120  # letters of a folder's name in that of the one it becomes: names end at 255 bytes
MOST_LISTED = 4  # settings that a message names
PLAN, LOCK = "plan.json", "lock"
OBSERVABLE, CURVE = "observable.", "curve."  # what the arrays' names in a batch's file begin with


Cut = Callable[[list[int]], list[list[int]]]
"""From labels of runs to those of each batch."""


@contextmanager
def partial_folder(
    path: Path, plan: Mapping[str, object], *, resume: bool, recut: Cut | None = None
) -> Iterator[PartialFolder]:
    """Open the folder of a plan, or begin it, and keep other processes out of it.

    Parameters
    ----------
    path
        The folder; made if it is not there.
    plan
        What is trained, as JSON can hold it; its entry "batches" lists the runs of each batch.
    resume
        Whether to go on with what the folder has; then its own cut into batches holds.
    recut
        On resuming, how to cut the runs that are not finished anew.

    Raises
    ------
    FileExistsError
        The folder has finished batches and ``resume`` is false.
    ValueError
        It has those of another plan, or another process is at work in it.
    UnusableDataError
        Its plan is damaged.
    """
    if path.exists() and not path.is_dir():
        raise FileExistsError(f"{path} is a file, expected a folder for finished batches; move it away")
    path.mkdir(parents=True, exist_ok=True)
    with _locked(path):
        stated = path / PLAN
        kept = _kept_plan(stated) if stated.exists() else None
        done = sum(1 for _ in path.glob("batch_*.safetensors"))
        if kept is None and done:
            raise UnusableDataError(f"{path} holds {done} batches and no {PLAN} that says of what; delete the folder")
        if kept is not None and done and not resume:
            raise FileExistsError(
                f"{path} holds {done} of {len(kept['batches'])} batches of an earlier command that was not finished; "
                "go on with resume=True (--resume), or delete the folder"
            )
        if kept is not None and done:
            _check_same(path, kept, plan)
            store = PartialFolder(path, kept["batches"])
            if recut is not None:
                store = PartialFolder(path, _cut_anew(store, recut))
        else:
            store = PartialFolder(path, cast("list[list[int]]", plan["batches"]))
        with write_whole(stated, force=True) as temporary:
            temporary.write_text(json.dumps({**plan, "batches": store.batches}, indent=1))
        yield store


def continues(path: Path, plan: Mapping[str, object]) -> bool:
    """Whether the folder was begun for this very plan, finished batches or not."""
    stated = path / PLAN
    return stated.exists() and not _differences(_kept_plan(stated), plan)


def _cut_anew(store: PartialFolder, recut: Cut) -> list[list[int]]:
    """Finished batches keep their place, the others are left empty there and follow in new ones."""
    ahead = [label for i, labels in enumerate(store.batches) if not store.file(i).exists() for label in labels]
    kept = [labels if store.file(i).exists() else [] for i, labels in enumerate(store.batches)]
    return kept + recut(ahead)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Keep a second process out; a lock goes with the process that holds it, however that ends."""
    try:
        import fcntl
    except ImportError:  # not a POSIX system: two writers then do the same work twice, and harm nothing
        yield
        return
    with (path / LOCK).open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ValueError(f"another process is training into {path}; wait for it to end") from None
        yield


def _kept_plan(path: Path) -> dict[str, Any]:
    try:
        kept = json.loads(path.read_text())
        if isinstance(kept, dict) and "batches" in kept:
            return kept
    except ValueError:
        pass
    raise UnusableDataError(f"{path} is damaged; delete the folder {path.parent} and train again")


def _check_same(path: Path, kept: Mapping[str, object], plan: Mapping[str, object]) -> None:
    texts = _differences(kept, plan)
    if texts:
        raise ValueError(
            f"{path} is of a training with other settings ({'; '.join(texts[:MOST_LISTED])}); resume with the same "
            "settings, or choose another output"
        )


def _differences(kept: Mapping[str, object], plan: Mapping[str, object]) -> list[str]:
    """Which settings differ; how the runs are cut into batches is none."""
    old, new = (_settings(json.loads(json.dumps(each))) for each in (kept, plan))
    differing = [key for key in old | new if old.get(key) != new.get(key)]
    return [f"{key}: {_short(old.get(key))} there, {_short(new.get(key))} now" for key in differing]


def _settings(plan: object, name: str = "") -> dict[str, object]:
    """The single settings of a plan by their place in it, such as networks.0.dim; the batches are none."""
    if isinstance(plan, list) and any(isinstance(part, dict) for part in plan):
        plan = {str(i): part for i, part in enumerate(plan)}
    if not isinstance(plan, dict):
        return {name: plan}
    nested = [_settings(part, f"{name}.{key}".strip(".")) for key, part in plan.items() if key != "batches"]
    return {key: value for table in nested for key, value in table.items()}


@dataclass(frozen=True)
class PartialFolder:
    """Records of finished batches, one file each.

    Attributes
    ----------
    path
        The folder.
    batches
        Labels of the runs of each batch.
    """

    path: Path
    batches: list[list[int]]

    def file(self, batch: int) -> Path:
        """Where a batch's record is, once it is finished."""
        return self.path / f"batch_{batch:05d}.safetensors"

    def read(self, batch: int) -> Record:
        """The record of a finished batch.

        Raises
        ------
        UnusableDataError
            Its file is damaged.
        """
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        try:
            arrays = load_file(self.file(batch))
        except SafetensorError as error:
            raise UnusableDataError(f"{self.file(batch)} is damaged ({error}); delete it and resume") from error
        return Record(
            steps=arrays["steps"],
            observables={k.removeprefix(OBSERVABLE): a for k, a in arrays.items() if k.startswith(OBSERVABLE)},
            curves={k.removeprefix(CURVE): a for k, a in arrays.items() if k.startswith(CURVE)},
            embedding=arrays.get("embedding"),
            diverged=arrays["diverged"],
        )


def write_record(record: Record, path: Path) -> None:
    """Write the record of a batch, whole or not at all."""
    from safetensors.numpy import save_file

    arrays = {"steps": record.steps, "diverged": record.diverged}
    arrays |= {OBSERVABLE + name: array for name, array in record.observables.items()}
    arrays |= {CURVE + name: array for name, array in record.curves.items()}
    if record.embedding is not None:
        arrays["embedding"] = record.embedding
    with write_whole(path, force=True) as temporary:
        save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, temporary)


def remove_partial(path: Path) -> None:
    """Delete the folder, once what it held is saved elsewhere; a kill on the way leaves nothing under its name."""
    doomed = path.with_name(f".{path.name[-MOST_OF_NAME:]}.removed")
    shutil.rmtree(doomed, ignore_errors=True)
    shutil.rmtree(path.rename(doomed))


def _short(value: object, most: int = 60) -> str:
    text = json.dumps(value)
    return text if len(text) <= most else text[:most] + "..."
