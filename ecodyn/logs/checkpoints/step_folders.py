"""Folders that are one checkpoint each, named by their steps, and the models in a folder."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ecodyn.errors import UnusableDataError
from ecodyn.logs.checkpoints.names import EPOCH, PLAIN, STATE_WORDS, STEP, numbers_of, put_aside
from ecodyn.logs.checkpoints.patterns import with_pattern
from ecodyn.logs.checkpoints.shards import ARCHIVES, Checkpoint, checkpoint_files, preferred
from ecodyn.logs.checkpoints.trainer_state import STATE_FILE
from ecodyn.logs.log import STORED
from ecodyn.logs.npy import open_npz, shapes
from ecodyn.logs.stack import EPOCH_ARRAYS, STEP_ARRAYS

__all__ = [
    "checkpoint_in",
    "is_part",
    "is_state",
    "model_files",
    "models_in",
    "named_files_in",
    "step_folders",
    "step_pattern_of",
    "subfolders",
    "timed_models",
    "with_state",
]

BARE = re.compile(r"\d+(?:\.(?:pt|pth|ckpt))?", re.ASCII)  # some trainers write folders named as files
# Files that Orbax writes in the folder of a step, or in that of an item of it.
ORBAX = ("_CHECKPOINT_METADATA", "_METADATA", "manifest.ocdbt")
PART = re.compile(r"mp_rank_\d+(?:_\d+)?", re.ASCII)  # Megatron's, one a rank of its tensors' and layers' parts
DEEPEST = 3  # folders within one checkpoint: checkpoint-500/global_step500/mp_rank_00_model_states.pt has one


def model_files(folder: Path, of_step: bool = False) -> list[Checkpoint]:
    """The checkpoints that are files in a folder, without the states of optimisers.

    Archives of arrays count where these are no stacks of frames: in the folder of one step (`of_step`), or if they are
    named by their steps.
    """
    found = [own for own in checkpoint_files(folder) if not is_state(own)]
    archives = [own for own in found if own.suffix in ARCHIVES]
    return [own for own in found if own not in archives] if archives and not _are_trees(archives, of_step) else found


def is_state(checkpoint: Checkpoint) -> bool:
    """Whether it is what a training goes on from, and no model."""
    return put_aside(checkpoint.stem) in STATE_WORDS


def _are_trees(archives: Sequence[Checkpoint], of_step: bool) -> bool:
    """Whether archives of arrays are one step each and hold no times of their own."""
    named = all(any(n.kind != PLAIN for n in numbers_of(own.stem)) for own in archives if not put_aside(own.stem))
    if not named and not of_step:
        return False
    try:
        held = shapes(open_npz(archives[0].path))
    except UnusableDataError:
        return False
    return not any(len(held.get(name, ())) == 1 for name in (*STEP_ARRAYS, *EPOCH_ARRAYS)) and any(
        len(s) == 2 for s in held.values()
    )


def step_folders(folder: Path, pattern: str | None = None) -> list[Path]:
    """Folders in a folder that are one checkpoint each, named by their steps or as a pattern says."""
    if pattern not in (None, STORED):
        wanted = _folder_pattern(str(pattern))
        named = [sub for sub in subfolders(folder) if wanted.fullmatch(sub.name) and models_in(sub)]
        if named or "/" in str(pattern):
            return named
    found = [sub for sub in subfolders(folder) if _is_step_folder(sub)]
    steps = [sub for sub in found if not put_aside(sub.name)]
    same_word = len({put_aside(sub.name) for sub in found}) == 1  # of all it sets none aside
    return steps or (found if same_word else [])


def _is_step_folder(folder: Path) -> bool:
    numbers, bare = numbers_of(folder.name), BARE.fullmatch(folder.name) is not None
    if not bare and not any(number.kind != PLAIN for number in numbers):
        return False
    timed = timed_models(folder)
    is_run = timed and (bare or len(timed) > 1) and not is_part(folder)
    return bool(models_in(folder) and not is_run) or _is_orbax(folder) or len(_parts_in(folder)) > 1


def is_part(folder: Path) -> bool:
    """Whether a folder of several steps is itself named by a step or an epoch."""
    return any(number.kind in (STEP, EPOCH) for number in numbers_of(folder.name)) and len(timed_models(folder)) > 1


def timed_models(folder: Path) -> list[Checkpoint]:
    """The models in a folder that have a time in their own names."""
    return [own for own in models_in(folder) if any(n.kind != PLAIN for n in numbers_of(own.stem))]


def models_in(folder: Path, depth: int = 0) -> list[Checkpoint]:
    """The models in the folder of one checkpoint, or in the only folder within it that has any."""
    files = model_files(folder, of_step=True)
    if files:
        models = [own for own in files if not put_aside(own.stem)]
        return preferred(models or files)
    if depth == DEEPEST:
        return []
    within = [held for sub in subfolders(folder) if not put_aside(sub.name) and (held := models_in(sub, depth + 1))]
    return within[0] if len(within) == 1 else []


def checkpoint_in(folder: Path) -> Checkpoint:
    """The checkpoint that a folder is, named as that is.

    Raises
    ------
    UnusableDataError
        There are several models in it, or parts of one, or it is one of Orbax.
    """
    if _is_orbax(folder):
        raise UnusableDataError(
            f"{folder} is a checkpoint of Orbax, whose arrays need its own library; write the parameters of each step "
            "as .npz (numpy.savez of the flattened tree) or .safetensors, such as step_000100.npz"
        )
    parts = _parts_in(folder)
    if len(parts) > 1:
        raise UnusableDataError(
            f"{folder}: {parts[0].name} and {parts[1].name} ({len(parts)} such folders) hold a part of every tensor "
            "each, expected whole tensors; merge them with the tool of the library that wrote them"
        )
    files = models_in(folder)
    if len(files) > 1:
        raise UnusableDataError(
            f"{folder} holds several models, {', '.join(f.name for f in files)}, expected one checkpoint; say which "
            f"with --step-pattern, such as '{step_pattern_of(folder.name)}/{files[0].name}'"
        )
    return replace(with_state(folder, files[0]), name=folder.name, stem=folder.name)


def named_files_in(folder: Path) -> list[Checkpoint]:
    """Each model of a folder by its own name after that of the folder."""
    return [replace(f, name=f"{folder.name}/{f.name}", stem=f"{folder.name}/{f.stem}") for f in models_in(folder)]


def with_state(folder: Path, checkpoint: Checkpoint) -> Checkpoint:
    """A checkpoint with the state of the trainer beside it, if there is one."""
    state = folder / STATE_FILE
    return replace(checkpoint, state=state) if state.is_file() else checkpoint


def step_pattern_of(name: str) -> str:
    """The pattern that takes the first number of a name for the step."""
    numbers = numbers_of(name)
    return with_pattern(name, numbers[0]) if numbers else name


def subfolders(folder: Path) -> list[Path]:
    """Folders in a folder, without hidden ones."""
    return sorted(sub for sub in folder.iterdir() if sub.name[0] != "." and sub.is_dir())


def _folder_pattern(pattern: str) -> re.Pattern[str]:
    """What the folders of checkpoints are called, by a pattern."""
    name = pattern.partition("/")[0].replace("{step}", "*")
    return re.compile(".*?".join(re.escape(part) for part in name.split("*")))


def _parts_in(folder: Path) -> list[Path]:
    """Folders within that of one checkpoint that hold parts of every tensor."""
    return [sub for sub in subfolders(folder) if PART.fullmatch(sub.name) and models_in(sub)]


def _is_orbax(folder: Path) -> bool:
    places = (folder, *subfolders(folder))
    return any((place / name).is_file() for place in places for name in ORBAX) and not models_in(folder)
