"""What every format comes down to: a log of one run, its steps and its frames."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from ecodyn.arrays import Array, Bools
from ecodyn.errors import UnusableDataError
from ecodyn.logs.frames import Frames
from ecodyn.observables.features import Label
from ecodyn.tables import TableOptions
from ecodyn.tables.gaps import Missing

__all__ = ["STORED", "Format", "Log", "LogOptions", "Setting"]

STORED = "stored"  # the step pattern that takes what checkpoints state in themselves

Setting = float | str
"""A fact on a run, such as its seed."""


@dataclass(frozen=True, kw_only=True)
class Log:
    """The log of one run, opened: headers and times are read, frames are not.

    Attributes
    ----------
    path
        The file or folder.
    format
        Name in the registry of formats.
    name
        What the run is called; unique among the runs of one folder.
    steps
        Optimiser steps of the rows, in the order logged; may repeat or go back.
    frames
        (rows, ...) arrays; or (rows, K) values of features if `features` is given.
    features
        Labels, if the log holds values already reduced to features.
    gradients
        The same of the loss gradient, if it was logged.
    gradient_steps
        Their steps.
    settings
        Facts on the run that the log states, such as ``{"dim": 128}``.
    late
        Rows that show the parameters one update after their step, (rows,) bool.
    remarks
        Sentences on what is wrong with the log, or was decided on opening it.
    sources
        The files that the numbers come from.
    stated_shape
        (p, d) where the log states them, or one of them and None.
    key
        Name of the array that the frames are, as in `arrays`; None where it has none.
    arrays
        Name to shape of everything that the log holds, as far as it is known.
    observables
        What else was measured of the features before it was logged, by name: (rows, K) values at `steps`.
    dc
        The signal at frequency 0 at `steps`, where it was logged.
    first_frame
        Checksum of the first frame, where frames were reduced to features before they were logged.
    labels_shared
        Whether feature k means the same in other runs, where the log says.
    notes
        Facts on the training for the provenance.

    Examples
    --------
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from ecodyn.logs import ArrayFrames, Log
    >>> frames, path = ArrayFrames(np.ones((3, 7, 4))), Path("run.raw")
    >>> log = Log(path=path, format="raw", name="run", steps=np.arange(3.0), frames=frames, sources=(path,))
    >>> log.frames.shape
    (3, 7, 4)
    """

    path: Path
    format: str
    name: str
    steps: Array
    frames: Frames
    sources: tuple[Path, ...]
    features: tuple[Label, ...] | None = None
    gradients: Frames | None = None
    gradient_steps: Array | None = None
    settings: Mapping[str, Setting] = field(default_factory=dict)
    late: Bools | None = None
    remarks: tuple[str, ...] = ()
    stated_shape: tuple[int | None, int | None] | None = None
    key: str | None = None
    arrays: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    observables: Mapping[str, Frames] = field(default_factory=dict)
    dc: Array | None = None
    first_frame: str = ""
    labels_shared: bool | None = None
    notes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class LogOptions:
    """What a log does not say about itself.

    Attributes
    ----------
    key
        Name of the tensor or array that holds the frames.
    interval
        Steps between rows, where the log states no times.
    first_step
        Step of the first row, used with `interval`.
    columns
        Columns or tags that are features: names, or a pattern whose ``*`` stands for the feature's label.
    time_column
        Column of a table that holds the times.
    run_column
        Column of a table that tells the runs.
    missing
        What becomes of a table's missing cells: "drop", "interpolate" or "keep"; see `ecodyn.tables.TableOptions`.
    step_pattern
        Which number in the names of checkpoints is the step: a name such as ``model_*_{step}.pt`` with ``*`` for
        anything; others are left out. ``"stored"`` takes the steps stored in them.
    format
        Name of the format in the registry, where several would take the path for theirs; by default the first does.

    Raises
    ------
    ValueError
        The interval is no positive number, or the pattern lacks ``{step}``.

    Examples
    --------
    >>> from pathlib import Path
    >>> from ecodyn.logs import LogOptions
    >>> LogOptions(interval=100, first_step=50).times(Path("run.npy"), 3).tolist()
    [50.0, 150.0, 250.0]
    """

    key: str | None = None
    interval: float | None = None
    first_step: float = 0
    columns: Sequence[str] | str | None = None
    time_column: str | None = None
    run_column: str | None = None
    missing: Missing = "drop"
    step_pattern: str | None = None
    format: str | None = None

    def __post_init__(self) -> None:
        self.of_table()
        if self.step_pattern not in (None, STORED) and str(self.step_pattern).count("{step}") != 1:
            raise ValueError(
                f"the step pattern is {self.step_pattern!r}, expected a name with {{step}} for the step and * for "
                f"anything else, such as 'model_*_{{step}}.pt', or {STORED!r}"
            )
        if self.interval is not None and not 0 < self.interval < np.inf:
            raise ValueError(f"the interval between rows must be a positive number of steps, got {self.interval}")

    def of_table(self) -> TableOptions:
        """Those that are on tables.

        Raises
        ------
        ValueError
            `missing` is no known word.
        """
        return TableOptions(time=self.time_column, run=self.run_column, columns=self.columns, missing=self.missing)

    def times(self, path: Path, rows: int) -> Array:
        """Steps of rows that state none, reconstructed from `interval`.

        Raises
        ------
        UnusableDataError
            There is no interval to reconstruct them from.
        """
        if self.interval is None:
            raise UnusableDataError(
                f"{path} has {rows} frames and does not say at which steps: expected an array of steps beside them; "
                "say how many steps lie between two frames with --interval N (and --first-step; in Python, "
                "ecodyn.logs.LogOptions(interval=N))"
            )
        return self.first_step + self.interval * np.arange(float(rows))


class Format(ABC):
    """A log format: how to recognise it and how to open it.

    Attributes
    ----------
    name
        In the registry, and of the entry point if it has one.
    description
        What such a log is, for the sentence that lists the formats.

    Examples
    --------
    Frames of seven tokens and four dimensions as raw doubles, and no steps:

    >>> import numpy as np
    >>> from ecodyn.logs import ArrayFrames, Format, Log
    >>> class Raw(Format):
    ...     name = "raw"
    ...     description = "frames of 7 × 4 doubles in .raw"
    ...     def recognises(self, path):
    ...         return path.suffix == ".raw"
    ...     def open(self, path, options):
    ...         frames = ArrayFrames(np.fromfile(path).reshape(-1, 7, 4))
    ...         known = {"path": path, "format": self.name, "name": path.stem, "sources": (path,)}
    ...         steps = options.times(path, len(frames))
    ...         return [Log(steps=steps, frames=frames, stated_shape=(7, 4), **known)]

    ``register_format(Raw)`` makes it known in this process; an entry point makes it known to the command line::

        [project.entry-points."ecodyn.logs"]
        raw = "my_package.raw:Raw"
    """

    name: ClassVar[str]
    description: ClassVar[str]

    @abstractmethod
    def recognises(self, path: Path) -> bool:
        """Whether `path`, which exists, is one; by its name and first bytes only."""

    @abstractmethod
    def open(self, path: Path, options: LogOptions) -> list[Log]:
        """The logs in `path`, one a run.

        Raises
        ------
        UnusableDataError
            It is damaged, or lacks what was asked for.
        """
