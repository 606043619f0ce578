"""Recordings read: what a journal or a finished file holds of one run, as trajectories and as a log."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ecodyn.arrays import Array
from ecodyn.errors import DataWarning, UnusableDataError
from ecodyn.extraction.recording.journal import MARK, SUFFIX, Kept, journal_of, read_journal
from ecodyn.logs import ArrayFrames, Log, LogOptions, open_logs
from ecodyn.logs.opening import is_log
from ecodyn.observables import OBSERVABLES
from ecodyn.observables.features import Label
from ecodyn.runtime.remote import looked_into
from ecodyn.tables.names import listed
from ecodyn.trajectories import Trajectories, load
from ecodyn.trajectories.hdf5_contents import check_readable
from ecodyn.trajectories.netcdf import CHECKSUM

__all__ = ["RECORDING", "Recording", "from_journal", "is_recording", "logs_at", "read_recording"]

RECORDING = "recording"  # the format's name, and what the provenance has of a finished file
MOST_LISTED = 4  # steps that a sentence lists


@dataclass(frozen=True, kw_only=True)
class Recording:
    """One recorded run.

    Attributes
    ----------
    path
        The journal or the finished file.
    header
        What a journal says of its rows.
    steps
        Ascending, (step,).
    columns
        What was measured, by name, "signal" first, each (step, feature).
    dc
        The signal at frequency 0, (step,), None where there is no such thing.
    remarks
        What happened while it was recorded, or since.
    """

    path: Path
    header: Mapping[str, Any]
    steps: Array
    columns: Mapping[str, Array]
    dc: Array | None
    remarks: tuple[str, ...] = ()

    @property
    def features(self) -> tuple[Label, ...]:
        """Labels."""
        return tuple(self.header["features"])

    def series(self) -> tuple[dict[str, Array], list[str]]:
        """The columns and what is computed of finished series, in the order asked for; and what could not be."""
        series, unknown = dict(self.columns), []
        for name in self.header["observables"]:
            if name in series:
                continue
            seen = OBSERVABLES.named(name) if name in OBSERVABLES else None
            if seen is None or seen.of_series is None:
                unknown.append(f"the observable {name} is not known here and was left out")
            else:
                series[name] = seen.of_series(series, self.steps)
        return {name: series[name] for name in self.header["observables"] if name in series}, unknown

    def trajectories(self) -> Trajectories:
        """As trajectories of one run.

        Raises
        ------
        UnusableDataError
            There is no row yet.
        """
        if not len(self.steps):
            raise UnusableDataError(f"{self.path} has no rows yet; wait for the first step that is due")
        series, unknown = self.series()
        remarks = list(dict.fromkeys([*self.remarks, *unknown]))
        return Trajectories(
            series.pop("signal")[None],
            self.steps,
            features=self.features,
            runs=[self.header["run"]],
            labels_shared=self.header["labels_shared"],
            provenance={**self.header["provenance"], "remarks": remarks},
            observables={name: array[None] for name, array in series.items()},
            dc=None if self.dc is None else self.dc[None],
            settings={name: [value] for name, value in self.header["settings"].items()},
        )

    def log(self) -> Log:
        """As a log, so that it is extracted and inspected as those of every format are."""
        series, unknown = self.series() if len(self.steps) else ({"signal": self.columns["signal"]}, [])
        frames = {name: ArrayFrames(array) for name, array in series.items()}
        facts = self.header["provenance"]
        p, d = facts.get("p"), self.header["settings"].get("dim")
        return Log(
            path=self.path,
            format=RECORDING,
            name=str(self.header["run"]),
            steps=self.steps,
            frames=frames.pop("signal"),
            sources=(self.path,),
            features=self.features,
            settings=self.header["settings"],
            remarks=(*self.remarks, *unknown),
            stated_shape=None if p is None or d is None else (p, d),
            arrays={name: array.shape for name, array in series.items()},
            observables=frames,
            dc=self.dc,
            first_frame=facts[RECORDING]["first_frame"],
            labels_shared=self.header["labels_shared"],
            notes=_notes(facts),
        )


def is_recording(path: Path) -> bool:
    """Whether a file is a journal, or the trajectories file that a recorder made of one; by its name and attributes.

    What is saved of such a file, whole or a part, lacks the mark and is none.
    """
    if path.name.endswith(SUFFIX):
        return path.is_file()
    if path.suffix.lower() != ".nc" or not path.is_file():
        return False
    import h5py

    if not h5py.is_hdf5(path):
        return False
    try:
        check_readable(path, values=False)
        with h5py.File(path) as file:  # whoever alters a file by other means takes its checksum away
            return MARK in file.attrs and CHECKSUM in file.attrs
    except (OSError, RuntimeError, KeyError, UnusableDataError):  # damaged
        return False


def read_recording(path: Path) -> Recording:
    """What a journal or a finished file holds.

    Raises
    ------
    UnusableDataError
        It is damaged.
    """
    if path.name.endswith(SUFFIX):
        kept = read_journal(path)
        recording = from_journal(path, kept)
        return replace(recording, remarks=(*recording.remarks, *_state(kept)))
    runs = load(path)
    facts: dict[str, Any] = {**runs.provenance}
    columns = {name: runs.observables[name][0] for name in facts[RECORDING]["columns"]}
    header = {
        "run": runs.runs[0].item(),
        "features": runs.features.tolist(),
        "columns": list(columns),
        "observables": list(runs.observables),
        "settings": {name: values[0].item() for name, values in runs.settings.items()},
        "labels_shared": runs.labels_shared,
        "provenance": facts,
    }
    dc = None if runs.dc is None else runs.dc[0]
    remarks = tuple(facts.get("remarks", ()))
    return Recording(path=path, header=header, steps=runs.times[0], columns=columns, dc=dc, remarks=remarks)


def logs_at(path: str | os.PathLike[str], options: LogOptions | None = None) -> list[Log]:
    """The logs at a path, recordings among them: of one run, of several, or those within a folder.

    A recording under way is named by its file, which is not there yet, or by its journal. A folder of recordings may
    hold other logs.

    Raises
    ------
    FileNotFoundError
        There is nothing at `path`.
    UnusableDataError
        What is there is no log, or is damaged.

    Warns
    -----
    DataWarning
        A folder of recordings holds something that is no log, or one of logs trajectories files.
    """
    return _logs_at(looked_into(path), options)


def _logs_at(path: Path, options: LogOptions | None) -> list[Log]:
    if (journal := journal_of(path)).is_file():
        path = journal
    if is_recording(path):
        return [read_recording(path).log()]
    asked = None if options is None else options.format
    if path.suffix.lower() == ".nc" and path.is_file() and asked is None and not is_log(path):
        raise _stored(path, "is no training log but, by its name, a trajectories file")
    if not path.is_dir() or is_log(path):
        return open_logs(path, options)
    entries = sorted(entry for entry in path.iterdir() if entry.name[0] != ".")
    recordings = [e for e in entries if is_recording(e) and not journal_of(e).exists()]
    if not recordings and asked is None and entries and all(entry.suffix.lower() == ".nc" for entry in entries):
        raise _stored(path, "holds no training logs but, by their names, trajectories files alone")
    if not recordings:
        logs = open_logs(path, options)
        used = {log.path for log in logs}
        _say_left_out(path, [e.name for e in entries if e.suffix.lower() == ".nc" and e not in used])
        return logs
    others = [entry for entry in entries if entry not in recordings and is_log(entry)]
    said = {*recordings, *others, *(entry for entry in entries if journal_of(entry) in recordings)}
    _say_left_out(path, [entry.name for entry in entries if entry not in said])
    further = [log for entry in others for log in open_logs(entry, options)]
    return [read_recording(entry).log() for entry in recordings] + further


def _stored(path: Path, what: str) -> UnusableDataError:
    """The error of trajectories files where logs are expected."""
    return UnusableDataError(
        f"{path} {what}: there is nothing to extract; give it as it is to ecodyn compare and the other commands, or to "
        "ecodyn.load"
    )


def _say_left_out(folder: Path, names: Sequence[str]) -> None:
    """Warn of what a folder holds beside logs, if there is such."""
    if names:
        text = f"{folder}: left out, as no recordings and no logs: {listed(names)}"
        advice = "; ecodyn compare and ecodyn.load take trajectories files" * any(n.endswith(".nc") for n in names)
        warnings.warn(text + advice, DataWarning, stacklevel=4)


def from_journal(path: Path, kept: Kept) -> Recording:
    """What was recorded so far, whether the training goes on or not."""
    rows = kept.rows
    columns = {name: rows["values"][:, i] for i, name in enumerate(kept.header["columns"])}
    has_dc = bool(len(rows)) and not np.isnan(rows["dc"]).any()
    return Recording(
        path=path,
        header=kept.header,
        steps=rows["step"].astype(np.float64),
        columns=columns,
        dc=rows["dc"].astype(np.float64) if has_dc else None,
        remarks=(*kept.header["provenance"].get("remarks", ()), *_resumes(rows)),
    )


def _notes(facts: Mapping[str, Any]) -> dict[str, Any]:
    """What the provenance of an extraction has of a recording's own."""
    own = {"command", "versions", "p", "remarks", RECORDING}
    recorded = {name: fact for name, fact in facts[RECORDING].items() if name != "first_frame"}
    plain = {name: fact for name, fact in facts.items() if name not in own}
    return {**plain, "recorded": {**recorded, "versions": facts["versions"]}}


def _state(kept: Kept) -> list[str]:
    """Sentences on a recording that is not finished."""
    if kept.in_progress:  # its last row may be on its way
        return ["the recording is in progress, this is what there is so far"]
    torn = ["the last row is incomplete and was left out"] if kept.torn else []
    return ["the recording was interrupted, this is what there is", *torn]


def _resumes(rows: np.ndarray) -> list[str]:
    """A sentence on the steps at which the training was resumed, as the rows tell."""
    at = rows["step"][1:][np.diff(rows["start"].astype(np.int64)) != 0]
    return [f"the training was resumed: rows from steps {_steps(at)} on are of later starts"] if len(at) else []


def _steps(steps: Array) -> str:
    return ", ".join(f"{s:g}" for s in steps[:MOST_LISTED]) + (", ..." if len(steps) > MOST_LISTED else "")
