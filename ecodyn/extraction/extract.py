"""Several logs -> one Trajectories, with its provenance."""

from __future__ import annotations

import functools
import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Unpack

import numpy as np

from ecodyn.errors import DataWarning
from ecodyn.extraction.damaged import readable_logs
from ecodyn.extraction.incomplete import IncompleteExtractionError, InterruptedExtraction
from ecodyn.extraction.layout import Layout, layout, order_of, same_features
from ecodyn.extraction.logged_inputs import LoggedInputs
from ecodyn.extraction.reduction import Reduced, choose_observables, reduce
from ecodyn.extraction.request import Fields, Request, with_fields
from ecodyn.extraction.sharing import share_noted
from ecodyn.logs import Log, LogOptions
from ecodyn.logs.log import Setting
from ecodyn.observables import Observable
from ecodyn.observables.features import Label
from ecodyn.runtime.files import first_line
from ecodyn.runtime.json_values import Json
from ecodyn.runtime.processes import outcomes
from ecodyn.runtime.provenance import clusters, versions
from ecodyn.runtime.shares import Share, share_of
from ecodyn.tables.names import listed
from ecodyn.tables.remarks import MOST_RUNS
from ecodyn.trajectories import Input, Trajectories
from ecodyn.trajectories.inputs import Kind

__all__ = ["IncompleteExtractionError", "InterruptedExtraction", "Progress", "extract", "extract_logs", "run_names"]

WORTH_PROCESSES = 1 << 26  # bytes of frames: fewer are read before other processes have begun
CALLER = 4  # of `extract`, counted from where a result is put together: warnings point to it

Progress = Callable[[int, int, str], None]
"""Called with the number of runs done, of all, and what was done last."""


def extract(
    paths: Sequence[str | os.PathLike[str]] | str | os.PathLike[str],
    request: Request | None = None,
    *,
    options: LogOptions | None = None,
    labels_shared: bool | None = None,
    notes: Mapping[str, object] | None = None,
    jobs: int | None = 1,
    command: str | None = None,
    progress: Progress | None = None,
    inputs: Mapping[str, str] | None = None,
    input_kind: Kind | Mapping[str, Kind] | None = None,
    shard: tuple[int, int] | None = None,
    **fields: Unpack[Fields],
) -> Trajectories:
    """Turn training logs into trajectories, reading every frame once and holding a few megabytes of them.

    Parameters
    ----------
    paths : logs, of one run each or several, in any format of `ecodyn.logs.FORMATS`, or folders of these
    request : what to extract and how frames are read; by default the signal of circles, and the gradient's where it is
        logged at the same steps
    options : what the logs don't say about themselves
    labels_shared : whether feature k means the same in every run; by default only where features have names
    notes : facts for the provenance that the logs lack, such as ``{"learning_rate": 0.01, "weight_decay": 0.5}``
    jobs : processes, one thread each; None for as many as there are cores, where there is enough to read for them
    command : the command line, for the provenance
    progress : called as runs are finished
    inputs, input_kind : what else was logged that laws may depend on, by the name of the input, such as
        ``{"lr": "train/learning_rate"}``; and "steps" or "linear", how it goes between the steps that it was logged at
    shard : (i, n) for the i-th of n shares of the logs, counted from 1; all shares together are the whole (`merge`)
    **fields : p, tokens, token_axis of `Request`; key, interval, step_pattern of `LogOptions`; given here or there

    Returns
    -------
    Trajectories (run, step, feature) with ``dc`` for circles. Runs whose first frames are equal share a cluster.

    Raises
    ------
    FileNotFoundError : there is nothing at a path
    ValueError : something is given twice, or is no such request
    UnusableDataError : a log is damaged or lacks what is asked for, or the runs have different features
    UnclearTokensError : which axis has the tokens, or their number p, is not stated; carries the readings
    IncompleteExtractionError : the same, but other runs could be extracted; carries them
    InterruptedExtraction : Ctrl-C; carries the runs that were finished

    Warns
    -----
    DataWarning : what is wrong with the logs, in one sentence a kind
    """
    request, options = with_fields(request or Request(), options or LogOptions(), fields)
    given = [paths] if isinstance(paths, str | os.PathLike) else list(paths)
    logs, found, damaged = readable_logs(given, options, inputs or {}, input_kind, all_or_none=shard is not None)
    extraction = _Extraction(
        logs, request, options, labels_shared=labels_shared, notes=notes or {}, command=command, inputs=found
    )
    extraction.share, extraction.damaged = share_of(shard), damaged
    return extraction.result(jobs, progress)


def extract_logs(
    logs: Sequence[Log],
    request: Request,
    options: LogOptions,
    inputs: LoggedInputs,
    *,
    jobs: int = 1,
    command: str | None = None,
    progress: Progress | None = None,
) -> Trajectories:
    """The same of logs that are open."""
    extraction = _Extraction(logs, request, options, labels_shared=None, notes={}, command=command, inputs=inputs)
    return extraction.result(jobs, progress)


class _Extraction:
    """The logs of one request, and the runs that were reduced to series so far."""

    def __init__(
        self,
        logs: Sequence[Log],
        request: Request,
        options: LogOptions,
        *,
        labels_shared: bool | None,
        notes: Mapping[str, object],
        command: str | None,
        inputs: LoggedInputs,
    ) -> None:
        if not logs:
            raise ValueError("expected at least one log, got none")
        same_features([layout(log, request) for log in logs], logs)
        self.logs, self.request, self.options = logs, request, options
        self.labels_shared, self.notes, self.command = labels_shared, notes, command
        self.observables, self.remarks = choose_observables(logs, request)
        self.inputs, self.remarks = inputs, [*self.remarks, *inputs.remarks]
        self.names = run_names(logs)
        self.share: Share | None = None  # all of them
        self.damaged: list[str] = []  # sentences on logs that could not be opened
        self.done: dict[int, Reduced] = {}
        self.failures: dict[int, Exception] = {}

    def result(self, jobs: int | None, progress: Progress | None) -> Trajectories:
        """Reduce all logs; raises what `extract` does."""
        try:
            self._reduce(jobs, progress)
        except KeyboardInterrupt:
            missing = [str(self.names[i]) for i in self._own if i not in self.done]
            raise InterruptedExtraction(self._finished() if self.done else None, missing) from None
        if not self.done:
            raise next(iter(self.failures.values()))
        if self.failures or self.damaged:
            sentences = [_sentence(self.logs[i], error) for i, error in sorted(self.failures.items())]
            raise IncompleteExtractionError(self._finished(), self.damaged + sentences)
        return self._finished()

    @property
    def _own(self) -> Sequence[int]:
        """Positions of the logs that are reduced here."""
        every = range(len(self.logs))
        return every if self.share is None else self.share.taken(every)

    def _processes(self) -> int:
        """As many as pay off."""
        from joblib import cpu_count

        ahead = sum(log.frames.frame_bytes * len(log.frames) for log in (self.logs[i] for i in self._own))
        return 1 if ahead < WORTH_PROCESSES else cpu_count()

    def _reduce(self, jobs: int | None, progress: Progress | None) -> None:
        # Observables go to the workers as they are: by name, one that was registered here would not be known there.
        work = functools.partial(_reduced, request=self.request, observables=self.observables)
        own = self._own
        for place, outcome in outcomes(work, [self.logs[i] for i in own], jobs or self._processes()):
            index = own[place]
            if isinstance(outcome, Reduced):
                self.done[index] = outcome
            else:
                self.failures[index] = outcome
            if progress is not None:
                progress(len(self.done) + len(self.failures), len(own), str(self.names[index]))

    def _finished(self) -> Trajectories:
        """The runs that are done; warns of what is wrong with them."""
        kept = sorted(self.done)
        names, runs = [self.names[i] for i in kept], [self.done[i] for i in kept]
        remarks = _summed_up([(name, run.remarks) for name, run in zip(names, runs, strict=True)]) + self.remarks
        if remarks:
            warnings.warn("; ".join(remarks), DataWarning, stacklevel=CALLER)
        provenance = {**self._provenance(dict(zip(names, runs, strict=True))), "remarks": remarks}
        curves = {name: [of_logs[i] for i in kept] for name, of_logs in self.inputs.curves.items()}
        return _together([self.logs[i] for i in kept], names, runs, self.labels_shared, provenance, curves)

    def _provenance(self, runs: Mapping[Label, Reduced]) -> dict[str, object]:
        request = self.request
        asked = {name: value for name, value in vars(request).items() if not isinstance(value, np.ndarray)}
        p = next(iter(runs.values())).layout.p
        axes = {str(name): run.layout.token_axis for name, run in runs.items()}
        return {
            "command": self.command,
            "versions": versions("numpy"),
            "formats": sorted({log.format for log in self.logs}),
            "request": asked | ({} if request.directions is None else {"directions": list(request.directions.shape)}),
            "options": vars(self.options),
            **({"p": p} if p else {}),
            **({"token_axis": axes if len(set(axes.values())) > 1 else min(axes.values())} if p else {}),
            **_shared_notes([self.logs[i] for i in sorted(self.done)]),
            **self.notes,
            **({"inputs": dict(self.inputs.columns)} if self.inputs.columns else {}),
            **share_noted(self.share, self.names, request, self.options, runs),
            "late_rows": {str(name): run.late_rows for name, run in runs.items() if run.late_rows != "none"},
            "sources": {str(name): list(run.sources) for name, run in runs.items()},
        }


def _reduced(log: Log, request: Request, observables: Mapping[str, Observable]) -> Reduced:
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):  # products of matrices this small only wait for each other on more
        return reduce(log, request, observables)


def run_names(logs: Sequence[Log]) -> list[Label]:
    """What the runs are called: by the seed that varies, else by name, else by path; the first that differ."""
    seeds: list[Label] = [s for log in logs if isinstance(s := log.settings.get("vary_seed"), int | str)]
    names: list[Label] = [int(log.name) if log.name.isdecimal() else log.name for log in logs]
    if not all(isinstance(name, int) for name in names):
        names = [log.name for log in logs]
    paths: list[Label] = [str(log.path) for log in logs]
    for labels in (seeds, names, paths):
        if len(set(labels)) == len(logs):
            return labels
    return [f"{log.path}:{log.name}" for log in logs]


def _together(
    logs: Sequence[Log],
    names: Sequence[Label],
    runs: Sequence[Reduced],
    labels_shared: bool | None,
    provenance: dict[str, object],
    inputs: Mapping[str, Sequence[Input]],
) -> Trajectories:
    labels = runs[0].layout.labels
    by_name = logs[0].features is not None and any(isinstance(label, str) for label in labels)
    others = [name for name in runs[0].series if name != "signal"]
    runs = [_ordered(run, runs[0].layout) for run in runs]
    return Trajectories(
        [run.series["signal"] for run in runs],
        [run.steps for run in runs],
        features=labels,
        runs=names,
        labels_shared=_labels_shared(logs, by_name) if labels_shared is None else labels_shared,
        provenance=provenance,
        observables={name: [run.series[name] for run in runs] for name in others},
        dc=None if runs[0].dc is None else [run.dc for run in runs if run.dc is not None],
        cluster=clusters([run.first_frame or i for i, run in enumerate(runs)], range(len(runs))),
        settings=_settings(logs, runs),
        inputs=inputs,
    )


def _ordered(run: Reduced, first: Layout) -> Reduced:
    """With its features in the order of the first run's: tables of one kind may have their columns in any."""
    order = order_of(run.layout, first)
    if order is None or run.layout.labels == first.labels:
        return run
    return replace(run, series={name: series[:, order] for name, series in run.series.items()})


def _labels_shared(logs: Sequence[Log], by_name: bool) -> bool:
    """As all logs say, or else as names tell."""
    stated = {log.labels_shared for log in logs}
    return all(stated) if None not in stated else by_name


def _shared_notes(logs: Sequence[Log]) -> dict[str, Json]:
    """The facts on the training that all logs state alike."""
    first = logs[0].notes
    return {name: fact for name, fact in first.items() if all(log.notes.get(name) == fact for log in logs)}


def _settings(logs: Sequence[Log], runs: Sequence[Reduced]) -> dict[str, list[Setting]]:
    stated = [
        {"dim": run.layout.d, **log.settings} if run.layout.d else dict(log.settings)
        for log, run in zip(logs, runs, strict=True)
    ]
    return {name: [own[name] for own in stated] for name in stated[0] if all(name in own for own in stated)}


def _summed_up(remarks: Sequence[tuple[Label, Sequence[str]]]) -> list[str]:
    """One sentence a kind, with the runs that it holds for."""
    runs: dict[str, list[str]] = {}
    for name, own in remarks:
        for remark in own:
            runs.setdefault(remark, []).append(str(name))
    everywhere = len(remarks)
    return [
        text if len(names) == everywhere and everywhere == 1 else f"{_runs(names, everywhere)}: {text}"
        for text, names in runs.items()
    ]


def _runs(names: list[str], everywhere: int, most: int = MOST_RUNS) -> str:
    return "all runs" if len(names) == everywhere else f"run{'s' * (len(names) > 1)} {listed(names, most)}"


def _sentence(log: Log, error: Exception) -> str:
    text = first_line(error)
    return text if str(log.path) in text else f"{log.path}: {text}"
