"""Where a recording goes: its journal while the training runs, and the trajectories file in the end."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from ecodyn.arrays import Array
from ecodyn.errors import DataWarning, OutputExistsError, UnusableDataError
from ecodyn.extraction.recording.journal import MARK, VERSION, Header, Journal, journal_of, read_journal, row_type
from ecodyn.extraction.recording.reading import RECORDING, Recording, from_journal, is_recording, read_recording
from ecodyn.extraction.recording.subject import Subject
from ecodyn.trajectories import check_target
from ecodyn.trajectories.netcdf import write_dataset

__all__ = ["Output"]

CALLER = 5  # a training loop, counted from where a warning is given


class Output:
    """The file of one run and its journal.

    Parameters
    ----------
    out
        The file; its folder is made.
    force
        Whether to begin anew whatever is there.

    Attributes
    ----------
    remarks
        What happened while this process recorded, for the provenance.

    Raises
    ------
    ValueError
        The file would be no .nc.
    OutputExistsError
        There is something else at its place.
    """

    def __init__(self, out: Path, *, force: bool) -> None:
        if out.suffix.lower() != ".nc":
            raise ValueError(f"expected out ending in .nc, got {out}; rename it")
        out.parent.mkdir(parents=True, exist_ok=True)
        self.path, self.journal_path, self._force = out, journal_of(out), force
        check_target(out, force=force or is_recording(out))
        self.remarks: list[str] = []
        self._journal: Journal | None = None
        self._replaces = force
        self._first: int | None = None  # step of this process's first row
        self._said_overwritten = False

    def existing(self) -> Recording | None:
        """An earlier recording that is to go on; None where there is none."""
        if self._force:
            return None
        if self.journal_path.exists():
            kept = read_journal(self.journal_path)
            return from_journal(self.journal_path, kept) if len(kept.rows) else None
        return read_recording(self.path) if self.path.exists() else None

    def go_on(self, recording: Recording, subject: Subject, step: int) -> None:
        """Go on with a recording, without what it has at a step or after it, which is said.

        Raises
        ------
        OutputExistsError
            That would replace all of a finished one.
        ValueError
            It is of something else, or another process records there.
        """
        if differences := subject.differences(recording.header["provenance"][RECORDING]):
            raise ValueError(
                f"{recording.path} is a recording of something else ({'; '.join(differences)}); name another out, or "
                "pass force=True to begin anew"
            )
        self._replaces = True
        if recording.path == self.journal_path:
            journal = Journal(self.journal_path)
        else:
            if step <= recording.steps[0]:
                raise OutputExistsError(
                    f"{self.path} is a finished recording of steps {_span(recording)}, and this training begins at "
                    f"step {step}, which would replace it; name another out, or pass force=True"
                )
            journal = Journal.begin(self.journal_path, recording.header, _rows(recording))
        dropped = journal.rewind(step)
        if dropped:
            self.say(f"the training goes on from step {step}: {dropped} rows from there on were dropped")
        if journal.n_rows:
            self._journal = journal
        else:
            journal.close()

    def append(self, step: int, values: Array, dc: float, header: Callable[[], Header]) -> None:
        """One row; the first of all begins the journal. Rows at its step or after it are overwritten, which is said.

        The last row over again, as of a training's end that was recorded already, changes nothing.

        Raises
        ------
        OSError
            It can't be written.
        """
        if self._journal is None:
            self._journal = Journal.begin(self.journal_path, header())
        elif self._journal.repeats(step, values, dc):
            return
        elif step <= self._journal.last_step:
            dropped = self._journal.rewind(step)
            if not self._said_overwritten:
                self._said_overwritten = True
                self.say(f"the steps went back to {step}: {dropped} rows from there on were overwritten")
        self._first = step if self._first is None else self._first
        self._journal.append(step, values, dc)

    @property
    def is_open(self) -> bool:
        """Whether there is a journal that this process writes to."""
        return self._journal is not None

    @property
    def kept(self) -> str:
        """How much there is, as a sentence says it."""
        if self._journal is None:
            return "nothing was recorded"
        return f"{self._journal.n_rows} rows up to step {self._journal.last_step} are kept"

    def take_back(self) -> None:
        """Drop the rows that this process recorded."""
        if self._journal is None or self._first is None:
            return
        self._journal.rewind(self._first)
        if not self._journal.n_rows:
            self.journal_path.unlink()
        self.let_go()

    def finish(self) -> None:
        """Make the journal the file; where that fails, the journal stays, which is said."""
        if self._journal is None:
            self.say("nothing was recorded, and no file is written")
            return
        try:
            recording = from_journal(self.journal_path, read_journal(self.journal_path))
            recording = replace(recording, remarks=(*recording.remarks, *self.remarks))
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DataWarning)  # on features that look odd: said whenever it is loaded
                dataset = recording.trajectories().to_dataset()
                write_dataset(dataset.assign_attrs({MARK: VERSION}), self.path, force=self._replaces)
        except (OSError, UnusableDataError) as error:
            self.say(f"the file could not be written ({error}); {self.journal_path} has all rows: extract that")
        else:
            self.journal_path.unlink()
        finally:
            self.let_go()

    def let_go(self) -> None:
        """Leave the journal as it is, for a later start."""
        if self._journal is not None:
            self._journal.close()
            self._journal = None

    def say(self, sentence: str) -> None:
        """A warning, and a remark in the provenance."""
        self.remarks.append(sentence)
        self.warn(sentence)

    def warn(self, sentence: str) -> None:
        """A warning."""
        warnings.warn(f"{self.path}: {sentence}", DataWarning, CALLER)


def _rows(recording: Recording) -> np.ndarray:
    """The rows of a finished recording as its journal had them, but for the checksums."""
    rows = np.zeros(len(recording.steps), row_type(recording.header))
    rows["step"], rows["start"] = recording.steps, 1
    rows["dc"] = np.nan if recording.dc is None else recording.dc
    for column, values in enumerate(recording.columns.values()):
        rows["values"][:, column] = values
    return rows


def _span(recording: Recording) -> str:
    return f"{recording.steps[0]:g} to {recording.steps[-1]:g}"
