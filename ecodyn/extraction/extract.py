"""Several logs -> one Trajectories, with its provenance."""

from __future__ import annotations

import functools
import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ecodyn.errors import DataWarning, UnusableDataError
from ecodyn.extraction.reduction import Reduced, choose_observables, reduce
from ecodyn.extraction.request import Request, layout, same_features
from ecodyn.logs import Log, LogOptions, open_logs
from ecodyn.runtime.files import first_line
from ecodyn.runtime.processes import outcomes
from ecodyn.runtime.provenance import clusters, versions
from ecodyn.trajectories import Trajectories

Progress = Callable[[int, int, str], None]
"""Called with the number of runs done, of all, and what was done last."""


class InterruptedExtraction(KeyboardInterrupt):
    """Ctrl-C during an extraction.

    Attributes
    ----------
    finished
        Trajectories of the runs that were finished, None if none was.
    missing
        The other runs.
    """

    def __init__(self, finished: Trajectories | None, missing: list[str]) -> None:
        super().__init__(f"interrupted; runs not extracted: {', '.join(missing)}")
        self.finished = finished
        self.missing = missing


class IncompleteExtractionError(UnusableDataError):
    """Some logs could not be extracted; the others were.

    Attributes
    ----------
    finished
        Trajectories of the other runs.
    """

    def __init__(self, finished: Trajectories, failures: Sequence[str]) -> None:
        super().__init__(f"{len(failures)} runs could not be extracted: {'; '.join(failures)}")
        self.finished = finished


def extract(
    paths: Sequence[str | os.PathLike[str]] | str | os.PathLike[str],
    request: Request | None = None,
    *,
    options: LogOptions | None = None,
    labels_shared: bool | None = None,
    notes: Mapping[str, Any] | None = None,
    jobs: int = 1,
    command: str | None = None,
    progress: Progress | None = None,
) -> Trajectories:
    """Turn training logs into trajectories, reading every frame once and holding a few megabytes of them.

    Parameters
    ----------
    paths
        Logs, one run each or several: run directories, folders of checkpoints, stacks, tables, TensorBoard's
        event files, or folders of these.
    request
        What to extract, and how frames are to be read. Default: the signal of circles, and the gradient's
        where it is logged at the same steps.
    options
        What the logs don't say about themselves.
    labels_shared
        Whether feature k means the same in every run. Default: only where features have names.
    notes
        Facts for the provenance that the logs lack, such as ``{"learning_rate": 0.01, "weight_decay": 0.5}``.
    jobs
        Processes, one thread each.
    command
        The command line, for the provenance.
    progress
        Called as runs are finished.

    Returns
    -------
    Trajectories (run, step, feature) with ``dc`` for circles. Runs whose first frames are equal share a cluster.

    Raises
    ------
    FileNotFoundError
        There is nothing at a path.
    UnusableDataError
        A log is damaged or lacks what is asked for, or the runs have different features.
    IncompleteExtractionError
        The same, but other runs could be extracted; carries them.
    InterruptedExtraction
        Ctrl-C; carries the runs that were finished.

    Warns:
        DataWarning: What is wrong with the logs, in one sentence a kind.
    """
    request, options = request or Request(), options or LogOptions()
    given = [paths] if isinstance(paths, str | os.PathLike) else list(paths)
    logs = [log for path in given for log in open_logs(Path(path), options)]
    if not logs:
        raise ValueError("expected at least one log, got none")
    same_features([layout(log, request) for log in logs], logs)
    observables, remarks = choose_observables(logs, request)
    names = run_names(logs)
    done: dict[int, Reduced] = {}
    failures: dict[int, Exception] = {}

    def gathered() -> Trajectories:
        kept = sorted(done)
        provenance = _provenance(logs, request, options, command, notes or {}, [(names[i], done[i]) for i in kept])
        said = _summed_up([(names[i], done[i].remarks) for i in kept]) + remarks
        if said:
            warnings.warn("; ".join(said), DataWarning, stacklevel=3)
        provenance["remarks"] = said
        return _together(
            [logs[i] for i in kept], [names[i] for i in kept], [done[i] for i in kept], labels_shared, provenance
        )

    work = functools.partial(_reduced, request=request, observables=observables)
    try:
        for index, result in outcomes(work, logs, jobs):
            if isinstance(result, Reduced):
                done[index] = result
            else:
                failures[index] = result
            if progress is not None:
                progress(len(done) + len(failures), len(logs), str(names[index]))
    except KeyboardInterrupt:
        missing = [str(name) for i, name in enumerate(names) if i not in done]
        raise InterruptedExtraction(gathered() if done else None, missing) from None
    if not done:
        raise next(iter(failures.values()))
    if failures:
        raise IncompleteExtractionError(gathered(), [_sentence(logs[i], e) for i, e in sorted(failures.items())])
    return gathered()


def _reduced(log: Log, request: Request, observables: Sequence[str]) -> Reduced:
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):  # products of matrices this small only wait for each other on more
        return reduce(log, request, observables)


def run_names(logs: Sequence[Log]) -> list[Any]:
    """What the runs are called: by the seed that varies, else by name, else by path; the first that differ."""
    seeds = [log.settings.get("vary_seed") for log in logs]
    names = [log.name for log in logs]
    whole = [int(n) for n in names if n.isdecimal()] if all(n.isdecimal() for n in names) else names
    for labels in (seeds, whole, [str(log.path) for log in logs]):
        if None not in labels and len(set(labels)) == len(logs):
            return labels
    return [f"{log.path}:{log.name}" for log in logs]


def _together(
    logs: Sequence[Log],
    names: Sequence[Any],
    runs: Sequence[Reduced],
    labels_shared: bool | None,
    provenance: dict[str, Any],
) -> Trajectories:
    labels = runs[0].layout.labels
    by_name = logs[0].features is not None and any(isinstance(label, str) for label in labels)
    others = [name for name in runs[0].series if name != "signal"]
    return Trajectories(
        [run.series["signal"] for run in runs],
        [run.steps for run in runs],
        features=labels,
        runs=names,
        labels_shared=by_name if labels_shared is None else labels_shared,
        provenance=provenance,
        observables={name: [run.series[name] for run in runs] for name in others},
        dc=None if runs[0].dc is None else [run.dc for run in runs if run.dc is not None],
        cluster=clusters([run.first_frame or i for i, run in enumerate(runs)], range(len(runs))),
        settings=_settings(logs, runs),
    )


def _settings(logs: Sequence[Log], runs: Sequence[Reduced]) -> dict[str, list[Any]]:
    stated = [
        {"dim": run.layout.d, **log.settings} if run.layout.d else dict(log.settings)
        for log, run in zip(logs, runs, strict=True)
    ]
    return {name: [own[name] for own in stated] for name in stated[0] if all(name in own for own in stated)}


def _provenance(
    logs: Sequence[Log],
    request: Request,
    options: LogOptions,
    command: str | None,
    notes: Mapping[str, Any],
    runs: Sequence[tuple[Any, Reduced]],
) -> dict[str, Any]:
    asked = {name: value for name, value in vars(request).items() if not isinstance(value, np.ndarray)}
    facts = {"p": runs[0][1].layout.p} if runs[0][1].layout.p else {}
    return {
        "command": command,
        "versions": versions("numpy"),
        "formats": sorted({log.format for log in logs}),
        "request": asked | ({} if request.directions is None else {"directions": list(request.directions.shape)}),
        "options": vars(options),
        **facts,
        **notes,
        "late_rows": {str(name): run.late_rows for name, run in runs if run.late_rows != "none"},
        "sources": {str(name): run.sources for name, run in runs},
    }


def _summed_up(remarks: Sequence[tuple[Any, Sequence[str]]]) -> list[str]:
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


def _runs(names: list[str], everywhere: int, most: int = 4) -> str:
    if len(names) == everywhere:
        return "all runs"
    shown = ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
    return f"run{'s' * (len(names) > 1)} {shown}"


def _sentence(log: Log, error: Exception) -> str:
    text = first_line(error)
    return text if str(log.path) in text else f"{log.path}: {text}"
