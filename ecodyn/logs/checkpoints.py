"""Folders of checkpoints: one file a step, .safetensors or .pt."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from ecodyn.arrays import Integers
from ecodyn.errors import UnusableDataError
from ecodyn.logs.choice import choose
from ecodyn.logs.log import Format, Frames, Log, LogOptions
from ecodyn.logs.stated import stated_shape
from ecodyn.logs.tensors import SAFETENSORS, SUFFIXES, TensorFile, open_tensors

__all__ = ["CheckpointFrames", "Checkpoints"]

NUMBER = re.compile(r"\d+")
STEP_IN_NAME = re.compile(r"(?:step|iter|iteration|global_step)[-_=]?(\d+)", re.IGNORECASE)


class CheckpointFrames(Frames):
    """The same tensor of many files, each opened when it is its turn."""

    def __init__(self, files: list[Path], key: str, first: TensorFile) -> None:
        self.files, self.key = files, key
        self.shape = (len(files), *first.shapes[key])
        self.dtype = first.read(key).dtype

    def read(self, rows: Integers) -> np.ndarray:
        """One tensor a row; all of the first one's shape."""
        if not len(rows):
            return np.empty((0, *self.shape[1:]), self.dtype)
        return np.stack([self._tensor(self.files[row]) for row in rows])  # of the widest type, where types differ

    def _tensor(self, path: Path) -> np.ndarray:
        file = open_tensors(path)
        key = choose(path, file.shapes, self.key, [len(self.shape) - 1])
        if file.shapes[key] != self.shape[1:]:
            raise UnusableDataError(
                f"{key} has shape {self.shape[1:]} in {self.files[0]} and {file.shapes[key]} in {path}; "
                "one folder holds the checkpoints of one run"
            )
        return file.read(key)


class Checkpoints(Format):
    """A folder of checkpoints whose steps are in the files or in their names; ``p`` and ``dim`` may be in the files."""

    name = "checkpoints"
    description = "a folder of .safetensors or .pt files, one a step"

    def recognises(self, path: Path) -> bool:
        """A folder with at least one such file."""
        return path.is_dir() and any(_files(path))

    def open(self, path: Path, options: LogOptions) -> list[Log]:
        """One run; every file is opened for its step, tensors are read later."""
        files = _files(path)
        first = open_tensors(files[0])
        key = choose(files[0], first.shapes, options.key, [2])
        steps = np.array([_step(first), *(_step(open_tensors(file)) for file in files[1:])])
        order = np.argsort(steps, kind="stable")
        files = [files[i] for i in order]
        return [
            Log(
                path=path,
                format=self.name,
                name=path.name,
                steps=steps[order],
                frames=CheckpointFrames(files, key, first),
                sources=tuple(files),
                remarks=tuple(_remarks(path, files)),
                arrays=first.shapes,
                key=key,
                stated_shape=stated_shape(first.settings),
            )
        ]


def _files(folder: Path) -> list[Path]:
    """Checkpoints in the order of the numbers in their names; .safetensors where there are both kinds."""
    files = [f for f in folder.iterdir() if f.suffix.lower() in SUFFIXES and f.is_file() and f.name[0] != "."]
    safe = [f for f in files if f.suffix.lower() in SAFETENSORS]
    return sorted(safe or files, key=lambda f: [int(n) for n in NUMBER.findall(f.stem)] + [f.name])


def _remarks(folder: Path, files: list[Path]) -> list[str]:
    others = {f.suffix for f in folder.iterdir() if f.suffix.lower() in SUFFIXES} - {f.suffix for f in files}
    return [f"files ending in {', '.join(sorted(others))} were left out beside {files[0].suffix}"] if others else []


def _step(file: TensorFile) -> float:
    """The step in the file, else after "step" in its name, else the last number there."""
    inside = file.step()
    if inside is not None:
        return inside
    path = file.path
    named = STEP_IN_NAME.findall(path.stem) or NUMBER.findall(path.stem)
    if not named:
        raise UnusableDataError(
            f"{path} states no step: expected a number in its name, such as step_000100{path.suffix}, or an entry "
            "named step in it"
        )
    return float(named[-1])
