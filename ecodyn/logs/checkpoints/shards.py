"""One checkpoint in one file or in several: of shards with an index only the one asked for is read."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ecodyn.errors import UnusableDataError
from ecodyn.logs.npy import ZIP_SIGNATURE
from ecodyn.logs.tensors import SAFETENSORS, SUFFIXES, TensorFile, open_tensors
from ecodyn.tables.names import listed

__all__ = [
    "ARCHIVES",
    "Checkpoint",
    "checkpoint_files",
    "files_with",
    "holder_of",
    "preferred",
    "tensors_of",
]

ARCHIVES = (".npz",)  # of arrays; the other suffixes are of tensors
PICKLED = (".bin", ".th")  # suffixes that others use too: their first bytes decide
DOUBLE = (".pth.tar", ".pt.tar")  # two suffixes that are one
INDEX = ".index.json"  # Hugging Face's list of which shard holds which tensor
PICKLE_SIGNATURE = b"\x80"  # how a pickle of protocol 2 or later begins
SHARD = re.compile(r"(?P<stem>.*?)[-_.]?(?P<part>\d+)[-_]of[-_](?P<parts>\d+)")  # model-00001-of-00003
MOST_UNPADDED = 9  # shards whose numbers need no padding to sort
PARALLEL = re.compile(r"(?P<stem>.*?mp_rank)_(?P<part>\d+)(?P<end>.*)")  # DeepSpeed's parts of every tensor
CONSOLIDATED = re.compile(r"(?P<stem>consolidated)\.(?P<part>\d+)")  # Llama's, parts of every tensor


@dataclass(frozen=True)
class Checkpoint:
    """The files of one checkpoint.

    Attributes
    ----------
    name
        What it is called in sentences; its step may be in it.
    stem
        The same without suffix.
    files
        Those that hold tensors.
    index
        The file that says which tensor is in which of them.
    lacking
        Parts that should be there and are not, as numbers.
    slices
        Whether each file has a part of every tensor.
    whole
        A file with all tensors that is there beside the shards.
    state
        The file beside it that states the step of the training.
    """

    name: str
    stem: str
    files: tuple[Path, ...]
    index: Path | None = None
    lacking: tuple[int, ...] = ()
    slices: bool = False
    whole: Path | None = None
    state: Path | None = None

    @property
    def path(self) -> Path:
        """The file, or the first of several."""
        return self.files[0]

    @property
    def suffix(self) -> str:
        """Of its files."""
        return _suffix(self.path)


def _suffix(path: Path) -> str:
    """The suffix in small letters, .pth.tar as one."""
    name = path.name.lower()
    return next((suffix for suffix in DOUBLE if name.endswith(suffix)), path.suffix.lower())


def checkpoint_files(folder: Path) -> list[Checkpoint]:
    """The checkpoints among the files of a folder, the shards of one together; by names and first bytes."""
    files = sorted(f for f in folder.iterdir() if f.name[0] != "." and f.is_file())
    tensor_files = [f for f in files if _is_tensor_file(f)]
    groups: dict[tuple[str, str], list[Path]] = {}
    no_shards = _no_shards(tensor_files)
    for file in tensor_files:
        groups.setdefault(_group(file, no_shards), []).append(file)
    indices = {f.name.removesuffix(INDEX): f for f in files if f.name.endswith(INDEX)}
    return [_checkpoint(stem, suffix, own, indices.get(stem + suffix)) for (stem, suffix), own in groups.items()]


def preferred(checkpoints: list[Checkpoint]) -> list[Checkpoint]:
    """Those in .safetensors where there are both kinds, else those that are no archives of arrays."""
    safe = [own for own in checkpoints if own.suffix in SAFETENSORS]
    torch = [own for own in checkpoints if own.suffix not in ARCHIVES]
    return safe or torch or checkpoints


def tensors_of(checkpoint: Checkpoint) -> TensorFile:
    """Open a checkpoint: the headers of all its files.

    Raises
    ------
    UnusableDataError
        A file is damaged or a shard is missing.
    """
    _check_whole(checkpoint)
    if len(checkpoint.files) == 1 and checkpoint.index is None:
        return open_tensors(checkpoint.path)
    return _Shards(checkpoint)


def holder_of(checkpoint: Checkpoint, key: str) -> TensorFile:
    """Open the one file of a checkpoint that holds a tensor; the whole of it where none does."""
    if checkpoint.index is None or len(checkpoint.files) == 1:
        return tensors_of(checkpoint)
    _check_whole(checkpoint)
    file = _weight_map(checkpoint.index).get(key)
    return open_tensors(checkpoint.index.with_name(file)) if file is not None else tensors_of(checkpoint)


def files_with(checkpoint: Checkpoint, key: str) -> list[Path]:
    """The files of a checkpoint that are read for a tensor: the one that the index names, or all."""
    named = _weight_map(checkpoint.index).get(key) if checkpoint.index is not None else None
    return list(checkpoint.files) if checkpoint.index is None or named is None else [checkpoint.index.with_name(named)]


class _Shards(TensorFile):
    """The tensors of several files."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        self.path = checkpoint.index or checkpoint.path.parent
        parts = [open_tensors(file) for file in checkpoint.files]
        counts = Counter(name for part in parts for name in part.shapes)
        twice = next((name for name, count in counts.items() if count > 1), None)
        if twice is not None:
            raise UnusableDataError(
                f"{self.path} has {twice} in {counts[twice]} of {len(parts)} shards, expected each tensor in one; "
                "merge them with the library that wrote them"
            )
        self._holders = {name: part for part in parts for name in part.shapes}
        self.shapes = {name: part.shapes[name] for name, part in self._holders.items()}
        self.numbers = parts[0].numbers if len(parts) == 1 else {}
        self.settings = {name: number for part in parts for name, number in part.settings.items()}

    def read(self, name: str) -> np.ndarray:
        return self._holders[name].read(name)


def _is_tensor_file(path: Path) -> bool:
    suffix = _suffix(path)
    if suffix in (*SUFFIXES, *DOUBLE, *ARCHIVES):
        return True
    if suffix not in PICKLED:
        return False
    with path.open("rb") as file:
        return file.read(2).startswith((ZIP_SIGNATURE, PICKLE_SIGNATURE))


def _no_shards(files: Sequence[Path]) -> set[Path]:
    """Files such as ckpt_100_of_1000, which count towards an end: not padded, and most parts up to it are not there."""
    parts: dict[tuple[str, str, str], list[Path]] = {}
    for file in files:
        shard = SHARD.fullmatch(_stem(file))
        if shard is not None and shard["part"][0] != "0" and shard["parts"][0] != "0":
            parts.setdefault((shard["stem"], shard["parts"], _suffix(file)), []).append(file)
    few = [own for (_, count, _), own in parts.items() if int(count) > MOST_UNPADDED and 2 * len(own) < int(count)]
    return {file for own in few for file in own}


def _group(path: Path, no_shards: Container[Path]) -> tuple[str, str]:
    """What the shards of one checkpoint have in common."""
    suffix, stem = _suffix(path), _stem(path)
    shard = SHARD.fullmatch(stem)
    if shard is not None and path not in no_shards:
        return shard["stem"], suffix
    parallel = PARALLEL.fullmatch(stem) or CONSOLIDATED.fullmatch(stem)
    return (parallel["stem"] + parallel.groupdict().get("end", ""), suffix) if parallel is not None else (stem, suffix)


def _checkpoint(stem: str, suffix: str, files: list[Path], index: Path | None) -> Checkpoint:
    matches = {file: SHARD.fullmatch(_stem(file)) for file in files if _stem(file) != stem}  # equal where it is none
    shards = {file: match for file, match in matches.items() if match is not None}
    whole = next((file for file in files if _stem(file) == stem), None)
    if index is not None:
        named = [index.with_name(name) for name in sorted(set(_weight_map(index).values()))]
        whole = None if whole in named else whole
        return Checkpoint(name=stem + suffix, stem=stem, files=tuple(named), index=index, whole=whole)
    parts = max((int(shard["parts"]) for shard in shards.values()), default=0)
    lacking = sorted(set(range(1, parts + 1)) - {int(shard["part"]) for shard in shards.values()})
    return Checkpoint(
        name=stem + suffix if shards else files[0].name,
        stem=stem,
        files=tuple(files),
        lacking=tuple(lacking),
        slices=len(files) > 1 and not shards,
        whole=whole if shards else None,
    )


def _stem(path: Path) -> str:
    return path.name[: len(path.name) - len(_suffix(path))]


def _weight_map(index: Path) -> Mapping[str, str]:
    """Which tensor is in which file, by an index."""
    try:
        content = json.loads(index.read_text(encoding="utf-8"))
        weight_map = content["weight_map"]
        if not weight_map or not all(Path(name).name == name for name in weight_map.values()):
            raise ValueError("weight_map names no files beside it")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UnusableDataError(
            f"{index} is no index of shards ({error}), expected an entry weight_map of tensors and files; write the "
            "checkpoint again"
        ) from None
    return weight_map


def _check_whole(checkpoint: Checkpoint) -> None:
    missing = [str(part) for part in checkpoint.lacking] + [f.name for f in checkpoint.files if not f.is_file()]
    if missing:
        raise UnusableDataError(
            f"{checkpoint.path.parent}: of the shards of {checkpoint.name} {listed(missing)} is missing, expected "
            "all; copy them again"
        )
    if checkpoint.whole is not None:
        raise UnusableDataError(
            f"{checkpoint.path.parent} has {checkpoint.whole.name} beside shards of the same name, expected one of the "
            "two; move the other elsewhere"
        )
    if checkpoint.slices:
        raise UnusableDataError(
            f"{checkpoint.path.parent}: {len(checkpoint.files)} files such as {checkpoint.path.name} hold a part of "
            "every tensor each, expected whole tensors; merge them with the tool of the library that wrote them (such "
            "as zero_to_fp32.py)"
        )
