"""Which files and folders in a folder are the checkpoints of one run, and which are set aside."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ecodyn.errors import UnusableDataError
from ecodyn.logs.checkpoints.names import PLAIN, numbers_of, put_aside
from ecodyn.logs.checkpoints.shards import ARCHIVES, Checkpoint, checkpoint_files, preferred
from ecodyn.logs.checkpoints.step_folders import (
    checkpoint_in,
    is_part,
    is_state,
    model_files,
    models_in,
    named_files_in,
    step_folders,
    step_pattern_of,
    subfolders,
    timed_models,
    with_state,
)
from ecodyn.logs.log import STORED
from ecodyn.tables.names import listed

__all__ = ["Members", "holds_checkpoints", "members_of"]


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
    return bool(model_files(folder, _of_archives(pattern)) or step_folders(folder, pattern))


def _of_archives(pattern: str | None) -> bool:
    """Whether a pattern says that archives of arrays are one step each, whatever they are called."""
    return pattern is not None and pattern.endswith(ARCHIVES)


def members_of(folder: Path, pattern: str | None = None) -> Members:
    """The checkpoints of the run in a folder.

    Parameters
    ----------
    pattern
        `LogOptions.step_pattern`; with a ``/`` it names files in the folders of checkpoints.

    Raises
    ------
    UnusableDataError
        There is none, or it is ambiguous what one is.
    """
    if not folder.is_dir() or not holds_checkpoints(folder, pattern):
        raise UnusableDataError(
            f"{folder} holds no checkpoints, expected a folder of .safetensors, .pt, .pth, .ckpt or .bin files, or of "
            "folders named by their steps such as checkpoint-500; check the path"
        )
    files, numbered = model_files(folder, _of_archives(pattern)), step_folders(folder, pattern)
    chosen, left_out, remarks = (
        _chosen_folders(folder, files, numbered, pattern) if numbered else _chosen_files(folder, files, pattern)
    )
    left_out += [own.name for own in checkpoint_files(folder) if is_state(own)]
    left_out += [f"{sub.name}/" for sub in _others(folder, numbered)]
    counts = Counter(own.name for sub in numbered for own in checkpoint_files(sub) if own not in models_in(sub))
    left_out += [f"{name} in {count} folders" for name, count in sorted(counts.items())]
    if left_out:
        remarks.append(f"set aside beside the checkpoints: {listed(left_out)}")
    return Members(tuple(chosen), tuple(remarks))


_Chosen = tuple[list[Checkpoint], list[str], list[str]]
"""Checkpoints, names of those set aside, and sentences."""


def _chosen_files(folder: Path, files: Sequence[Checkpoint], pattern: str | None) -> _Chosen:
    """The files that are steps of the run."""
    asked = pattern not in (None, STORED)
    copies = [] if asked else [own for own in files if put_aside(own.stem)]
    steps = [own for own in files if own not in copies]
    if not steps and len({put_aside(own.stem) for own in copies}) > 1:
        raise UnusableDataError(
            f"{folder} holds files that are no steps of a run by their names, {listed([c.name for c in copies])}; "
            "leave one of them in the folder, or say where the step is with --step-pattern"
        )
    aside = [own.name for own in copies] if steps else []
    chosen, remarks = _of_one_kind(folder, steps or copies, str(pattern) if asked else "")
    return [_named_by_folder(folder, chosen[0])] if len(chosen) == 1 else chosen, aside, remarks


def _of_one_kind(folder: Path, files: list[Checkpoint], pattern: str) -> tuple[list[Checkpoint], list[str]]:
    """The files of one suffix, where the same steps are there in several; and a sentence on the others."""
    named = [own for own in files if pattern.endswith(own.suffix)] if pattern else []
    numbered = [own for own in files if numbers_of(own.stem)] or files
    kinds = named or preferred(numbered)
    others = [own for own in numbered if own.suffix not in {kind.suffix for kind in kinds}]
    lacking = [own for own in others if own.stem not in {kind.stem for kind in kinds}]
    if lacking and not pattern:
        raise UnusableDataError(
            f"{folder} has checkpoints ending in {kinds[0].suffix} ({len(kinds)}) and in {others[0].suffix} "
            f"({len(others)}), of which {lacking[0].name} is not in both, expected one kind; say which with "
            f"--step-pattern '{step_pattern_of(kinds[0].name)}' or --step-pattern '{step_pattern_of(lacking[0].name)}'"
        )
    kept = [own for own in files if own not in others]
    endings = ", ".join(sorted({own.suffix for own in others}))
    beside = f"{len(others)} files ending in {endings} were left out beside {kinds[0].suffix}"
    return kept, [beside] if others else []


def _chosen_folders(folder: Path, files: list[Checkpoint], numbered: Sequence[Path], pattern: str | None) -> _Chosen:
    """The folders that are steps of the run."""
    inside = "/" in (pattern or "")
    parts = [] if inside else [sub for sub in numbered if is_part(sub)]
    if parts:
        name = step_pattern_of(timed_models(parts[0])[0].name)
        raise UnusableDataError(
            f"{folder} has folders such as {parts[0].name} with several checkpoints each, which may be parts of one "
            f"run or several runs; for one run give --step-pattern '*/{name}', for several name the folders one by one"
        )
    held = [own for sub in numbered for own in (named_files_in(sub) if inside else [checkpoint_in(sub)])]
    timed = [own.name for own in files if numbers_of(own.stem) and not put_aside(own.stem)]
    if timed and pattern in (None, STORED):
        raise UnusableDataError(
            f"{folder} has checkpoints both as files, such as {timed[0]}, and as folders, such as {numbered[0].name}, "
            f"expected one kind; say which with --step-pattern '{step_pattern_of(timed[0])}' or --step-pattern "
            f"'{step_pattern_of(numbered[0].name)}'"
        )
    if pattern not in (None, STORED):
        held, files = held + files, []
    chosen = _without_doubles(held)
    return chosen, [own.name for own in files] + [own.name for own in held if own not in chosen], []


def _named_by_folder(folder: Path, checkpoint: Checkpoint) -> Checkpoint:
    """A single file without a number is the checkpoint that its folder is named for."""
    checkpoint = with_state(folder, checkpoint)
    name = folder.resolve().name
    own = any(number.kind != PLAIN for number in numbers_of(name))
    return replace(checkpoint, name=name, stem=name) if own and not numbers_of(checkpoint.stem) else checkpoint


def _without_doubles(checkpoints: Sequence[Checkpoint]) -> list[Checkpoint]:
    """Without links to files that are there by another name."""
    seen: dict[tuple[Path, ...], Checkpoint] = {}
    for own in sorted(checkpoints, key=lambda c: c.path.parent.is_symlink()):
        seen.setdefault(tuple(file.resolve() for file in own.files), own)
    return [own for own in checkpoints if any(own is kept for kept in seen.values())]


def _others(folder: Path, numbered: Sequence[Path]) -> list[Path]:
    """Folders that hold models and are none of the checkpoints."""
    return [sub for sub in subfolders(folder) if sub not in numbered and (models_in(sub) or step_folders(sub))]
