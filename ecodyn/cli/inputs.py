"""The files and logs that commands are given, as data."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from ecodyn.cli.arguments import assignment, numbers, parse_window, token_range, typed
from ecodyn.cli.output import left_out, listed, progress_bar, warnings_said
from ecodyn.runtime.example_files import EXAMPLES, example_file

if TYPE_CHECKING:
    from ecodyn.extraction import Gathered, Request
    from ecodyn.logs import LogOptions
    from ecodyn.tables import TableOptions
    from ecodyn.trajectories import Trajectories
    from ecodyn.trajectories.labels import Label


LABELLED = ("runs", "features")  # what ``Trajectories.select`` chooses by label


@dataclass(frozen=True)
class Reading:
    """What --columns, --time-column, --run-column and --missing say of a table."""

    columns: str | None = None
    time: str | None = None
    run: str | None = None
    missing: str = "drop"

    @property
    def flags(self) -> str:
        """As they are typed, each after a space."""
        stated = {"--columns": self.columns, "--time-column": self.time, "--run-column": self.run}
        if self.missing != "drop":
            stated["--missing"] = self.missing
        return "".join(f" {flag} {shlex.quote(value)}" for flag, value in stated.items() if value is not None)

    def options(self) -> TableOptions:
        """The same for the API, which refuses an unknown word."""
        from ecodyn.tables import TableOptions

        try:
            return TableOptions(**vars(self))
        except ValueError as error:
            raise typer.BadParameter(str(error)) from None

    def of_logs(
        self,
        key: str | None,
        interval: float | None,
        first_step: float = 0,
        *,
        step_pattern: str | None,
        log_format: str | None,
    ) -> LogOptions:
        """The same with what else commands are told of logs."""
        from ecodyn.logs import LogOptions

        table = self.options()
        return LogOptions(
            key,
            interval,
            first_step,
            columns=table.columns,
            time_column=table.time,
            run_column=table.run,
            missing=table.missing,
            step_pattern=step_pattern,
            format=log_format,
        )


def data_files(paths: list[Path] | None, example: str | None) -> list[Path]:
    """The files that were named, or that of an example in their place."""
    if example is None and not paths:
        raise typer.BadParameter(f"expected a file, or --example with one of {listed(EXAMPLES)}, got neither")
    if example is None:
        return list(paths or ())
    if paths:
        raise typer.BadParameter(f"--example {example} is all the data, got {listed(paths)} beside it; leave one out")
    return [example_file(example)]


def loaded(path: Path, reading: Reading | None = None) -> Trajectories:
    """A trajectories file, its warnings said as sentences."""
    from ecodyn.trajectories import load

    options = (reading or Reading()).options()
    with warnings_said():
        return load(path, **vars(options))


def loaded_unless_log(path: Path, reading: Reading) -> Trajectories | None:
    """A trajectories file (.nc, or a CSV that can be read as one); None for anything else, which may be a log.

    A file that is still recorded is a log.
    """
    from ecodyn.errors import UnusableDataError
    from ecodyn.extraction.recording.journal import journal_of
    from ecodyn.runtime.remote import is_url

    if journal_of(path).is_file():
        return None
    if path.suffix.lower() == ".nc":
        return loaded(path, reading)
    if path.suffix.lower() != ".csv" or not (path.is_file() or is_url(path)):
        return None
    try:
        return loaded(path, reading)
    except UnusableDataError:
        return None


@dataclass(frozen=True)
class LogReading:
    """What --key, --p, --token-axis, --tokens, --interval, --step-pattern and --format say of training logs."""

    key: str | None = None
    p: int | None = None
    token_axis: int | None = None
    tokens: str | None = None
    interval: float | None = None
    step_pattern: str | None = None
    log_format: str | None = None

    def request(self) -> Request:
        """What is extracted: signals of circles."""
        from ecodyn.extraction import Request

        return Request(p=self.p, token_axis=self.token_axis, tokens=token_range(self.tokens))

    def options(self, reading: Reading) -> LogOptions:
        """What logs don't say about themselves."""
        return reading.of_logs(self.key, self.interval, step_pattern=self.step_pattern, log_format=self.log_format)


def gathered(paths: list[Path], reading: Reading, logs: LogReading, jobs: int) -> Gathered:
    """All runs of trajectories files, tables and logs, what is wrong with them said as sentences."""
    from ecodyn.extraction import gather

    options = logs.options(reading)
    with progress_bar("extracting", None) as advance, warnings_said():
        found = gather(paths, logs.request(), options=options, jobs=jobs, command=typed(), progress=advance)
    if found.lacking:
        what = "a log" if len(found.lacking) == 1 else f"{len(found.lacking)} logs"
        left_out(f"{what} of these can't be used, without which this goes on: {'; '.join(found.lacking)}")
    return found


def part_of(data: Trajectories, runs: str | None, select: list[str] | None) -> Trajectories:
    """The runs that were asked for by label and by setting."""
    if runs is not None:
        data = data.select(runs=_labels(runs, data))
    return data.select(**dict(_selection(s) for s in select)) if select else data


def prepared(
    paths: list[Path],
    window: str | None,
    every: int,
    runs: str | None,
    select: list[str] | None,
    reading: Reading | None = None,
) -> Trajectories:
    """The runs, settings, window and thinning that were asked for, of files and logs."""
    from ecodyn.extraction import UnclearTokensError

    try:
        found = gathered(paths, reading or Reading(), LogReading(), 1)
    except UnclearTokensError as error:
        raise UnclearTokensError(
            f"{error.reason}; these are options of 'ecodyn extract', and of 'ecodyn compare'", error.readings
        ) from None
    data = part_of(found.trajectories, runs, select)
    if window is not None:
        data = data.window(*parse_window(window))
    return data.every(every) if every > 1 else data


def _selection(text: str) -> tuple[str, Any]:
    """A setting and its value; "none" is a word there, of runs that have no such setting beside others that do."""
    name, value = assignment(text, "--select")
    if name in LABELLED:
        raise typer.BadParameter(
            f"--select takes settings of the runs, such as dim=128, got {text!r:.80}; runs are chosen by --runs, "
            "features of a table by --columns"
        )
    return name, text.partition("=")[2] if value is None else value


def _labels(text: str, data: Trajectories) -> list[Label]:
    """Labels as the file has them: numbers where its labels are numbers."""
    known = {str(r): r for r in data.runs.tolist()}
    wanted = [str(n) for n in numbers(text, "--runs")] if ":" in text else [t.strip() for t in text.split(",")]
    missing = [w for w in wanted if w not in known]
    if missing:
        raise typer.BadParameter(f"there is no run {listed(missing)}; there are {listed(known)}")
    return [known[w] for w in wanted]
