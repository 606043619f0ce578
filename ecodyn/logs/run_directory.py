"""Run directories as the study's own script writes them (arXiv 2405.17420, training/train_model.py)."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from ecodyn.arrays import Array, Bools, Integers
from ecodyn.errors import UnusableDataError
from ecodyn.logs.frames import Frames
from ecodyn.logs.integrity import MOST_RANGES, Watch, aliasing_period, is_late, ranges
from ecodyn.logs.log import Format, Log, LogOptions, Setting
from ecodyn.logs.npy import open_npy

__all__ = ["RunDirectory"]

EMBEDDINGS, FIRST, GRADIENTS, LOSS, DUMPS = "embeddings", "first_embeds", "gradients", "train_loss", "model_params"
MOST_LOOKED_AT = 1000  # rows searched for identical pairs; as many as first_embeds has
# As the study's training code names its folders.
NAME = re.compile(r"dim_(\d+)_init_seed_(\d+)_vary_seed_(\d+)_p_(\d+)")


class RunDirectory(Format):
    """A folder with ``embeddings.npy``, (rows, p, d).

    Row 0 is the initialisation, row 1 the embedding after the first update, then one row every n updates: steps
    0, 1, 1 + n, 1 + 2n, ... The interval n is the one that gives as many rows for the updates that ``train_loss.npy``
    counts, checked against ``first_embeds.npy``, which has every step up to 1000 (``--key first_embeds`` takes that).
    Row j of ``gradients.npy`` is the loss gradient at the parameters of step j·n.

    The script logs views of the parameters. On a CPU the next update still writes into them, so that a row is one
    update late, except where the parameters were dumped right after it (every ``log`` steps) and after the last
    update: there two rows are identical. `Log.late` marks the rows that this has happened to.
    """

    name = "run_directory"
    description = "a run directory of the study's script, with embeddings.npy"

    def recognises(self, path: Path) -> bool:
        """A folder with embeddings.npy or first_embeds.npy."""
        return path.is_dir() and any(_file(path, name).is_file() for name in (EMBEDDINGS, FIRST))

    def open(self, path: Path, options: LogOptions) -> list[Log]:
        """One run."""
        return [_Opened(path, options).log()]


class _Opened:
    """What is in one run directory; arrays by name."""

    def __init__(self, path: Path, options: LogOptions) -> None:
        self.path = path
        there = [n for n in (EMBEDDINGS, FIRST, GRADIENTS, LOSS, DUMPS) if _file(path, n).is_file()]
        self.arrays = {name: open_npy(_file(path, name)) for name in there}
        self.key = options.key or (EMBEDDINGS if EMBEDDINGS in there else FIRST)
        if self.key not in (EMBEDDINGS, FIRST) or self.key not in there:
            keys = ", ".join(n for n in (EMBEDDINGS, FIRST) if n in there)
            raise UnusableDataError(f"{path} has no frames named {self.key!r}; --key may be {keys}")
        for name in (EMBEDDINGS, FIRST):
            if name in there and (len(self.arrays[name].shape) != 3 or not len(self.arrays[name])):
                shape = self.arrays[name].shape
                raise UnusableDataError(f"{_file(path, name)} has shape {shape}, expected (rows, p, d)")
        self.used = {self.key}
        self.updates = len(self.arrays[LOSS]) if LOSS in there else None
        self.interval = self._interval(options)

    def log(self) -> Log:
        """The log of the frames that were chosen."""
        frames = self.arrays[self.key]
        steps = _steps(len(frames), 1 if self.key == FIRST else self.interval)
        late, remarks = self._late(steps)
        gradients, gradient_remarks = self._gradients(frames)
        settings, stated = _named(self.path)
        return Log(
            path=self.path,
            format=RunDirectory.name,
            name=self.path.name,
            steps=steps,
            frames=frames,
            sources=tuple(_file(self.path, name) for name in self.arrays if name in self.used),
            gradients=gradients,
            gradient_steps=None if gradients is None else self.interval * np.arange(float(len(gradients))),
            settings=settings,
            late=late,
            remarks=(*remarks, *gradient_remarks),
            stated_shape=stated,
            arrays={name: frames.shape for name, frames in self.arrays.items()},
        )

    # ------------------------------------------------------------------------------------------------- times

    def _interval(self, options: LogOptions) -> float:
        """Updates between two rows of the embeddings."""
        if options.interval is not None:
            self._check(options.interval)
            return options.interval
        logged = self.arrays[EMBEDDINGS] if EMBEDDINGS in self.arrays else self.arrays.get(GRADIENTS)
        if logged is None or (self.key == FIRST and EMBEDDINGS not in self.arrays):
            return 1
        fitting = [n for n in self._candidates(len(logged) - 1) if self._agrees(n)]
        if len(fitting) != 1:
            raise UnusableDataError(
                f"{_file(self.path, EMBEDDINGS)} has {len(logged)} rows and "
                + (
                    f"{self.updates} updates were made"
                    if self.updates
                    else f"there is no {LOSS}.npy to count the updates"
                )
                + f": {'no interval fits' if not fitting else 'several intervals fit'} (rows at steps 0, 1, 1 + n, "
                "1 + 2n, ...); say how many updates lie between two rows with --interval N"
            )
        return fitting[0]

    def _check(self, interval: float) -> None:
        """Refuse a stated interval that first_embeds contradicts."""
        both = EMBEDDINGS in self.arrays and FIRST in self.arrays
        if both and (interval % 1 or not self._agrees(int(interval))):
            raise UnusableDataError(
                f"{self.path} was not logged every {interval:g} updates: the rows of {EMBEDDINGS}.npy would not be "
                f"those of {FIRST}.npy at their steps; state another --interval, or leave it out"
            )

    def _candidates(self, count: int) -> range:
        """Intervals that log `count` of the updates: those with ceil(updates / n) = count."""
        if not self.updates:
            return range(1, len(self.arrays.get(FIRST, ())) - 1)  # of a longer one first_embeds has no second row
        self.used.add(LOSS)
        if count <= 1:
            return range(1, 2) if self.updates == count else range(0)
        return range(-(-self.updates // count), -(-self.updates // (count - 1)))

    def _agrees(self, n: int) -> bool:
        """Whether the rows are those of first_embeds at their steps, as far as that goes."""
        first, frames = self.arrays.get(FIRST), self.arrays.get(EMBEDDINGS)
        if first is None or frames is None:
            return self.updates is not None
        self.used.add(FIRST)
        steps = _steps(len(frames), n).astype(np.int64)
        row = int(np.searchsorted(steps, len(first) - 1, side="right")) - 1  # the last row that both have
        return all(np.array_equal(frames.read(np.array([r])), first.read(steps[[r]])) for r in {0, min(2, row), row})

    # -------------------------------------------------------------------------------------------------- late

    def _late(self, steps: Array) -> tuple[Bools | None, list[str]]:
        """Which rows are one update late, and a sentence that names them."""
        dense = EMBEDDINGS if EMBEDDINGS in self.arrays and self.interval == 1 else FIRST
        if dense not in self.arrays:
            return None, [f"rows may be one update late: there is no {FIRST}.npy to tell by"]
        self.used.add(dense)
        frames = self.arrays[dense]
        final = self._final(frames, dense)
        identical = self._identical(frames, final)
        period = self._period(identical, min(len(frames) - 1, MOST_LOOKED_AT), final)
        if period is None:
            return None, []
        late = is_late(steps, period, final)
        pairs = ", ".join(f"{r - 1}/{r}" for r in identical[:2])
        where = "" if dense == self.key else f" of {dense}.npy"
        return late, [
            f"{late.sum()} of {len(steps)} rows show the parameters one update late, because they were logged without "
            f"a copy: rows {ranges(np.flatnonzero(late), MOST_RANGES)} (rows {pairs}, ...{where} are identical)"
        ]

    def _final(self, frames: Frames, dense: str) -> float:
        """The step of the last update; infinity if nothing tells: first_embeds may have ended before."""
        if dense == EMBEDDINGS:
            return len(frames) - 1
        if self.updates is not None:
            return self.updates
        return len(frames) - 1 if len(frames) <= MOST_LOOKED_AT else np.inf

    def _identical(self, frames: Frames, final: float) -> Integers:
        """Rows identical to the one before: of the first ones, and the final one if it is there."""
        watch = Watch()
        for rows, chunk in frames.chunks(np.arange(min(len(frames), MOST_LOOKED_AT + 1))):
            watch.see(rows, chunk)
        if MOST_LOOKED_AT < final < len(frames) and np.array_equal(
            *frames.read(np.array([final - 1, final], np.int64))
        ):
            watch.identical.append(int(final))
        return np.array(watch.identical, dtype=np.int64)

    def _period(self, identical: Integers, seen: int, final: float) -> int | None:
        if not len(identical) or len(identical) >= seen:
            return None  # frozen: there are no updates to be late by
        if identical[0] > seen:  # the final pair alone: no parameters were dumped among the first rows
            dumps = self.arrays.get(DUMPS)
            return int(final if dumps is None or not len(dumps) else -(-final // len(dumps)))
        return aliasing_period(identical[identical <= seen], seen, ended=final == seen)

    # --------------------------------------------------------------------------------------------- gradients

    def _gradients(self, frames: Frames) -> tuple[Frames | None, list[str]]:
        gradients = self.arrays.get(GRADIENTS)
        if gradients is None:
            return None, []
        if not len(gradients):
            return None, ["gradients.npy is empty: the embedding was frozen"]
        if gradients.shape[1:] != frames.shape[1:]:
            return None, [f"gradients.npy has shape {gradients.shape}, which does not fit {frames.shape}: left out"]
        return gradients, []


def _steps(rows: int, interval: float) -> Array:
    """0, 1, 1 + n, 1 + 2n, ..."""
    steps: Array = np.maximum(0.0, 1.0 + interval * (np.arange(float(rows)) - 1))
    steps[0] = 0
    return steps


def _named(path: Path) -> tuple[dict[str, Setting], tuple[int, int] | None]:
    """Settings in the folder's name, and (p, d)."""
    match = NAME.search(path.name)
    if match is None:
        return {}, None
    dim, init_seed, vary_seed, p = map(int, match.groups())
    return {"dim": dim, "init_seed": init_seed, "vary_seed": vary_seed}, (p, dim)


def _file(path: Path, name: str) -> Path:
    return path / f"{name}.npy"
