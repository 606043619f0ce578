"""Which files and folders in a folder are the checkpoints of one run, and which are set aside."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ecodyn.errors import UnusableDataError
from ecodyn.logs.checkpoint_names import EPOCH, PLAIN, STATE_WORDS, STEP, numbers_of, put_aside
from ecodyn.logs.log import STORED
from ecodyn.logs.npy import open_npz, shapes
from ecodyn.logs.shards import ARCHIVES, Checkpoint, checkpoint_files, preferred
from ecodyn.logs.trainer_state import STATE_FILE

__all__ = ["Members", "holds_checkpoints", "members_of"]


ORBAX = ("_CHECKPOINT_METADATA", "_METADATA", "manifest.ocdbt")
DEEPEST = 3  # folders within one checkpoint: checkpoint-500/global_step500/mp_rank_00_model_states.pt has one
MOST_LISTED = 12  # names in a sentence
STACK_TIMES = ("steps", "step", "times", "time", "t")  # of a stack of frames, which an archive may be as well


@dataclass(frozen=True)
class Members:
    """The checkpoints of one run.

    Attributes
    ----------
    checkpoints
        In the order of their names.
    remarks
        Sentences on what was set aside.
    """

    checkpoints: tuple[Checkpoint, ...]
    remarks: tuple[str, ...] = ()


def holds_checkpoints(folder: Path, pattern: str | None = None) -> bool:
    """Whether there are checkpoints of one run in a folder, as files or as folders named by their steps."""
    return bool(_files(folder)) or next(_numbered(folder, pattern), None) is not None


def members_of(folder: Path, pattern: str | None = None) -> Members:
    """The checkpoints of the run in a folder.

    Parameters
    ----------
    pattern
        `LogOptions.step_pattern`; with a ``/`` it names files in the folders of checkpoints.

    Raises
    ------
    UnusableDataError
        It is ambiguous what a checkpoint is.
    """
    files, numbered = _files(folder), list(_numbered(folder, pattern))
    chosen, left_out, remarks = (
        _chosen_folders(folder, files, numbered, pattern) if numbered else _chosen_files(folder, files, pattern)
    )
    left_out += [own.name for own in checkpoint_files(folder) if _is_state(own)]
    left_out += [f"{sub.name}/" for sub in _others(folder, numbered)]
    counts = Counter(own.name for sub in numbered for own in checkpoint_files(sub) if _is_state(own))
    left_out += [f"{name} in {count} folders" for name, count in sorted(counts.items())]
    if left_out:
        remarks.append(f"set aside beside the checkpoints: {_listed(left_out)}")
    return Members(tuple(chosen), tuple(remarks))


_Chosen = tuple[list[Checkpoint], list[str], list[str]]
"""Checkpoints, names of those set aside, and sentences."""


def _files(folder: Path) -> list[Checkpoint]:
    """The checkpoints that are files, without the states of optimisers; archives only where these are no stacks."""
    found = [own for own in checkpoint_files(folder) if not _is_state(own)]
    archives = [own for own in found if own.suffix in ARCHIVES]
    return [own for own in found if own not in archives] if archives and not _are_trees(archives) else found


def _are_trees(archives: Sequence[Checkpoint]) -> bool:
    """Whether archives of arrays are one step each: named so, and holding no times of their own."""
    if not all(any(n.kind != PLAIN for n in numbers_of(own.stem)) for own in archives if not put_aside(own.stem)):
        return False
    try:
        held = shapes(open_npz(archives[0].path))
    except UnusableDataError:
        return False
    return not any(len(held.get(name, ())) == 1 for name in STACK_TIMES) and any(len(s) == 2 for s in held.values())


def _chosen_files(folder: Path, files: Sequence[Checkpoint], pattern: str | None) -> _Chosen:
    """The files that are steps of the run."""
    kinds = preferred(list(files))
    others = sorted({own.suffix for own in files} - {own.suffix for own in kinds})
    beside = f"files ending in {', '.join(others)} were left out beside {kinds[0].suffix}" if others else ""
    copies = [own for own in kinds if put_aside(own.stem)] if pattern in (None, STORED) else []
    steps = [own for own in kinds if own not in copies]
    if not steps and len({put_aside(own.stem) for own in copies}) > 1:
        raise UnusableDataError(
            f"{folder} holds files that are no steps of a run by their names, {_listed([c.name for c in copies])}; "
            "leave one of them in the folder, or say where the step is with --step-pattern"
        )
    aside = [own.name for own in copies] if steps else []
    chosen = steps or copies
    if len(chosen) == 1:
        chosen = [_named_by_folder(folder, chosen[0])]
    return chosen, aside, [beside] if beside else []


def _chosen_folders(folder: Path, files: list[Checkpoint], numbered: Sequence[Path], pattern: str | None) -> _Chosen:
    """The folders that are steps of the run."""
    inside = _folder_pattern(pattern) is not None
    parts = [] if inside else [sub for sub in numbered if _is_part(sub)]
    if parts:
        name = _as_pattern(_timed(parts[0])[0].name)
        raise UnusableDataError(
            f"{folder} has folders such as {parts[0].name} with several checkpoints each, which may be parts of one "
            f"run or several runs; for one run give --step-pattern '*/{name}', for several name the folders one by one"
        )
    held = [own for sub in numbered for own in _checkpoints_in(sub, inside)]
    timed = [own.name for own in files if numbers_of(own.stem) and not put_aside(own.stem)]
    if timed and pattern in (None, STORED):
        raise UnusableDataError(
            f"{folder} has checkpoints both as files, such as {timed[0]}, and as folders, such as {numbered[0].name}, "
            f"expected one kind; say which with --step-pattern '{_as_pattern(timed[0])}' or --step-pattern "
            f"'{_as_pattern(numbered[0].name)}'"
        )
    if pattern not in (None, STORED):
        held, files = held + files, []
    chosen = _without_doubles(held)
    return chosen, [own.name for own in files] + [own.name for own in held if own not in chosen], []


def _named_by_folder(folder: Path, checkpoint: Checkpoint) -> Checkpoint:
    """A single file without a number is the checkpoint that its folder is named for."""
    checkpoint = _with_state(folder, checkpoint)
    name = folder.resolve().name
    own = any(number.kind != PLAIN for number in numbers_of(name))
    return replace(checkpoint, name=name, stem=name) if own and not numbers_of(checkpoint.stem) else checkpoint


# ------------------------------------------------------------------------------------- folders named by steps


def _numbered(folder: Path, pattern: str | None = None) -> Iterator[Path]:
    """Folders in a folder that are one checkpoint each, named by their steps or as a pattern says."""
    wanted = _folder_pattern(pattern)
    for sub in _subfolders(folder):
        if wanted is not None:
            if wanted.fullmatch(sub.name) and _files(sub):
                yield sub
            continue
        numbers = numbers_of(sub.name)
        if not numbers or put_aside(sub.name) or not (_is_bare(sub.name) or any(n.kind != PLAIN for n in numbers)):
            continue
        is_run = _timed(sub) and (_is_bare(sub.name) or len(_timed(sub)) > 1) and not _is_part(sub)
        if (_model_files(sub) and not is_run) or _is_orbax(sub):
            yield sub


def _timed(folder: Path) -> list[Checkpoint]:
    """The files in a folder that have a time in their own names."""
    return [own for own in _model_files(folder) if any(n.kind != PLAIN for n in numbers_of(own.stem))]


def _is_part(folder: Path) -> bool:
    """Whether a folder of several steps is itself named by a step or an epoch."""
    return any(number.kind in (STEP, EPOCH) for number in numbers_of(folder.name)) and len(_timed(folder)) > 1


def _folder_pattern(pattern: str | None) -> re.Pattern[str] | None:
    """What the folders of checkpoints are called, where a pattern says it."""
    if pattern is None or "/" not in pattern:
        return None
    name = pattern.partition("/")[0].replace("{step}", "*")
    return re.compile(".*?".join(re.escape(part) for part in name.split("*")))


def _is_state(checkpoint: Checkpoint) -> bool:
    """Whether it is what a training goes on from, and no model."""
    return put_aside(checkpoint.stem) in STATE_WORDS


def _is_bare(name: str) -> bool:
    return name.isdecimal()


def _model_files(folder: Path, depth: int = 0) -> list[Checkpoint]:
    """The models in the folder of one checkpoint, or in the only folder within it that has any."""
    files = _files(folder)
    if files:
        copies = [own for own in files if put_aside(own.stem)]
        return preferred([own for own in files if own not in copies] or files)
    if depth == DEEPEST:
        return []
    within = [held for sub in _subfolders(folder) if not put_aside(sub.name) and (held := _model_files(sub, depth + 1))]
    return within[0] if len(within) == 1 else []


def _checkpoints_in(folder: Path, inside: bool) -> list[Checkpoint]:
    """The checkpoint that a folder is; with `inside`, each file of it by its own name."""
    if _is_orbax(folder):
        raise UnusableDataError(
            f"{folder} is a checkpoint of Orbax, whose arrays need its own library; write the parameters of each step "
            "as .npz (numpy.savez of the flattened tree) or .safetensors, such as step_000100.npz"
        )
    files = _model_files(folder)
    if inside:
        return [replace(f, name=f"{folder.name}/{f.name}", stem=f"{folder.name}/{f.stem}") for f in files]
    if len(files) > 1:
        raise UnusableDataError(
            f"{folder} holds several models, {_listed([f.name for f in files])}, expected one checkpoint; say which "
            f"with --step-pattern, such as '{_as_pattern(folder.name)}/{files[0].name}'"
        )
    return [replace(_with_state(folder, files[0]), name=folder.name, stem=folder.name)]


def _is_orbax(folder: Path) -> bool:
    places = (folder, *_subfolders(folder))
    return any((place / name).is_file() for place in places for name in ORBAX) and not _model_files(folder)


def _with_state(folder: Path, checkpoint: Checkpoint) -> Checkpoint:
    state = folder / STATE_FILE
    return replace(checkpoint, state=state) if state.is_file() else checkpoint


def _without_doubles(checkpoints: Sequence[Checkpoint]) -> list[Checkpoint]:
    """Without links to files that are there by another name."""
    seen: dict[tuple[Path, ...], Checkpoint] = {}
    for own in sorted(checkpoints, key=lambda c: c.path.parent.is_symlink()):
        seen.setdefault(tuple(file.resolve() for file in own.files), own)
    return [own for own in checkpoints if any(own is kept for kept in seen.values())]


def _others(folder: Path, numbered: Sequence[Path]) -> list[Path]:
    """Folders that hold models and are none of the checkpoints."""
    return [
        sub for sub in _subfolders(folder) if sub not in numbered and (_model_files(sub) or next(_numbered(sub), None))
    ]


def _subfolders(folder: Path) -> list[Path]:
    return sorted(sub for sub in folder.iterdir() if sub.name[0] != "." and sub.is_dir())


def _as_pattern(name: str) -> str:
    number = numbers_of(name)[0]
    return f"{name[: number.at]}{{step}}{name[number.at + len(number.text) :]}"


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_LISTED} more" if len(names) > MOST_LISTED else ""
    return ", ".join(names[:MOST_LISTED]) + more
