"""Runs that a tracker keeps in one store -> logs: in the order of their names, told apart, with their parameters."""

from __future__ import annotations

import dataclasses
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ecodyn.errors import UnusableDataError
from ecodyn.logs.log import Log, LogOptions, Setting
from ecodyn.logs.records import Records
from ecodyn.observables import OBSERVABLES
from ecodyn.tables.names import are_whole, listed

__all__ = ["TrackedRun", "logs_of_runs", "natural", "setting_of"]

DIGITS = re.compile(r"(\d+)")
DECIMAL = re.compile(r"[+-]?(\d+\.\d*|\.?\d+(?=[eE]))([eE][+-]?\d+)?")  # 1_000 and 007 are text, as in tables
LARGEST = 1 << 53  # up to here a double holds every whole number
APART = re.compile(r"[/,@]")  # have a meaning in the names of what a trajectories file holds
RESERVED = {  # what else such a file holds by name
    *("run", "runs", "step", "feature", "features", "token", "dimension", "signal", "dc", "time", "length", "cluster"),
    *("embedding", "backward_velocity", "missing"),
}


@dataclass(frozen=True, eq=False)
class TrackedRun:
    """What a tracker keeps of one run.

    Attributes
    ----------
    name
        What it is called, which others may be as well; blank if it has no name.
    id
        What it alone is called.
    path
        The store, or the run's folder in it.
    records
        Its values.
    sources
        Files that they come from.
    parameters
        What was stated of the run.
    """

    name: str
    id: str
    path: Path
    records: Records
    sources: tuple[Path, ...]
    parameters: Mapping[str, Setting]


def logs_of_runs(
    path: Path, log_format: str, runs: Sequence[TrackedRun], options: LogOptions, remarks: Sequence[str] = ()
) -> list[Log]:
    """A log for each run that has values; what holds for the store is remarked on at each.

    Parameters
    ----------
    path
        Of the store.
    log_format
        Name in the registry of formats.
    runs
        In any order.
    options
        Which values are features.
    remarks
        What else was decided.

    Raises
    ------
    UnusableDataError
        No run has values, or those of a feature are all of one step.
    """
    held = sorted((run for run in runs if run.records.values), key=lambda run: (natural(run.name or run.id), run.id))
    if not held:
        raise UnusableDataError(
            f"{path} holds no values of metrics ({len(runs)} runs); log each feature at each step, or name another "
            "store"
        )
    remarks = [*remarks]
    if len(held) < len(runs):
        remarks.append(f"{len(runs) - len(held)} of {len(runs)} runs have no metrics and were left out")
    called = Counter(run.name for run in held)
    same = [name for name, count in called.items() if name and count > 1]
    if same:
        remarks.append(f"several runs are called {listed(same)}: they are told apart by their ids")
    settings, said = _settings([run.parameters for run in held])
    remarks += said
    logs = []
    for run, own in zip(held, settings, strict=True):
        _check_steps(run, options)
        name = f"{run.name} ({run.id})" if run.name in same else run.name or run.id
        log = run.records.log(run.path, log_format, name, run.sources, options)
        logs.append(dataclasses.replace(log, settings=own, remarks=(*remarks, *log.remarks)))
    return logs


def setting_of(text: str) -> Setting:
    """A parameter's text as a number where it writes one."""
    number: float | None = None
    if are_whole([text]):
        number = int(text)
    elif DECIMAL.fullmatch(text):
        number = float(text)
    return text if number is None or not math.isfinite(number) or abs(number) > LARGEST else number


def natural(name: str) -> list[str | int]:
    """A key by which seed_2 comes before seed_10."""
    return [int(part) if i % 2 else part for i, part in enumerate(DIGITS.split(name))]


def _check_steps(run: TrackedRun, options: LogOptions) -> None:
    """Refuse features of which several values are of one step only: they were logged without a step."""
    records = run.records
    stuck = {
        name: len(records.steps[name])
        for name in records.features(run.path, options)
        if len(records.steps[name]) > 1 and len(set(records.steps[name])) == 1
    }
    if stuck:
        name, count = next(iter(stuck.items()))
        raise UnusableDataError(
            f"{run.path}: run {run.name or run.id}: all {count} values of {name} are of the step "
            f"{records.steps[name][0]:g}, expected a step for each ({len(stuck)} such metrics: {listed(stuck)}); log "
            "them with their steps, or say with --columns which others are the features"
        )


def _settings(stated: Sequence[Mapping[str, Setting]]) -> tuple[list[dict[str, Setting]], list[str]]:
    """The parameters that all runs state, by names that a file of trajectories can have, and what was decided."""
    names = dict.fromkeys(name for own in stated for name in own)
    renamed = {name: APART.sub(".", name) for name in names}
    called = Counter(renamed.values())
    unfit = [name for name in names if renamed[name] in {*RESERVED, *OBSERVABLES} or called[renamed[name]] > 1]
    partly = [name for name in names if name not in unfit and not all(name in own for own in stated)]
    kept = [name for name in names if name not in unfit and name not in partly]
    remarks = []
    if kept:
        remarks.append(f"parameters are settings of the runs: {listed(renamed[name] for name in kept)}")
    if partly:
        remarks.append(f"parameters left out, as not all runs have them: {listed(partly)}")
    if unfit:
        remarks.append(f"parameters left out, being called as something else of a run is: {listed(unfit)}")
    return [{renamed[name]: own[name] for name in kept} for own in stated], remarks
