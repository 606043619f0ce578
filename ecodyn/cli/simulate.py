"""``ecodyn simulate``: rollouts of a fitted law from where runs began."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ecodyn.cli.arguments import assignment, times_of
from ecodyn.cli.given_inputs import Inputs, with_given_inputs
from ecodyn.cli.inputs import Reading, data_files, prepared
from ecodyn.cli.options import (
    Columns,
    Every,
    ExampleName,
    Force,
    Json,
    Missing,
    Output,
    RunColumn,
    TimeColumn,
    WindowText,
)
from ecodyn.cli.output import PARTIAL, STDOUT, UNFITTED, exits, fail, listed, print_json, say
from ecodyn.cli.writing import end_if_elsewhere, written
from ecodyn.errors import UnusableDataError

if TYPE_CHECKING:
    from ecodyn.families.model import FittedModel
    from ecodyn.rollouts.integration import Rollout
    from ecodyn.trajectories import Trajectories

ModelFile = Annotated[Path, typer.Argument(help="A model file written by 'ecodyn fit -o'.")]
Source = Annotated[Path | None, typer.Option("--from", help="Trajectories file to start from.")]
Start = Annotated[
    str | None, typer.Option("--start", help="In place of a file, a value for each feature: hare=20,lynx=10.")
]
Times = Annotated[str | None, typer.Option("--times", help="With --start: FIRST:LAST:SPACING, such as 0:60:0.5.")]
FEWEST_TIMES = 2  # the first, and one to roll out to
RunLabel = Annotated[str | None, typer.Option("--run", help="Label of the run to start from; all by default.")]


def simulate(
    model: ModelFile,
    source: Source = None,
    start: Start = None,
    times: Times = None,
    example: ExampleName = None,
    run: RunLabel = None,
    window: WindowText = None,
    every: Every = 1,
    columns: Columns = None,
    time_column: TimeColumn = None,
    run_column: RunColumn = None,
    missing: Missing = "drop",
    inputs: Inputs = None,
    output: Output = None,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Roll a fitted law out from a file's first step, at that file's times, or from a start of one's own."""
    with exits():
        from ecodyn.families import load_model
        from ecodyn.families.warm_start import started, what_for

        law = load_model(model)
        if (start is None) != (times is None):
            raise typer.BadParameter("--start and --times go together: hare=20,lynx=10 and 0:60:0.5")
        if start is not None and times is not None:
            if source is not None or example is not None or inputs:
                raise typer.BadParameter("--start is in place of a file and of its inputs; leave one of them out")
            source, data = Path("--start"), _of_start(law, start, times)
        else:
            (source,) = data_files(None if source is None else [source], example)
            reading = Reading(columns, time_column, run_column, missing)
            data = with_given_inputs(
                prepared([source], window, every, run, None, reading), inputs, [source], reading, rolled_out=True
            )
            _check_times(data, source)
        matched = _of_features(law, data, source)
        _say_velocity(law, matched)
        first, matched = started(law, matched)
        if law.warm_up:
            say(f"rollouts start after the first {law.warm_up} steps, {what_for(law)}")
        driven: dict[str, Any] = {"inputs": _inputs_of(law, matched)} if law.inputs else {}
        rollout = law.simulate(first, matched.times, **driven)
        status = {str(r): s for r, s in zip(data.runs, rollout.status, strict=True)}
        if not rollout.ok.any():
            fail(f"no rollout finished: {listed(f'run {r}: {s}' for r, s in status.items())}", UNFITTED)
        origin = {"model": str(model), "from": str(source), "status": status, "law": dict(law.provenance)}
        solved = _finished(rollout, matched, origin).select(features=data.features)
        in_place = True
        if output is not None and str(output) != STDOUT:
            in_place = written(lambda path: solved.save(path, force=force), output)
            if in_place:
                say(f"wrote {output}: {solved}")
        if as_json or output is None or str(output) == STDOUT:
            print_json({"status": status, "runs": solved.runs, "steps": solved.times, "values": solved.values}, True)
        if solved.n_runs < data.n_runs:
            lost = (f"run {r}: {s}" for r, s in status.items() if s != "ok")
            fail(f"{data.n_runs - solved.n_runs} of {data.n_runs} rollouts ended early: {listed(lost)}", PARTIAL)
        end_if_elsewhere(in_place)


def _of_start(law: FittedModel, text: str, times: str) -> Trajectories:
    """A run that begins there, of the times that were asked for."""
    import numpy as np

    from ecodyn.errors import DataWarning
    from ecodyn.trajectories import Trajectories
    from ecodyn.trajectories.state import SIGNAL

    if law.channels != (SIGNAL,) or law.warm_up or law.inputs:
        raise typer.BadParameter(
            "--start gives the signal alone, and this law needs more: give a file that has it by --from"
        )
    given = dict(assignment(part, "--start") for part in text.split(","))
    wrong = [name for name, value in given.items() if isinstance(value, bool) or not isinstance(value, int | float)]
    if wrong:
        raise typer.BadParameter(f"--start is a number for each feature, got {listed(wrong)} without one")
    at = times_of(times)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)  # that nothing moves
        return Trajectories(np.broadcast_to([*given.values()], (1, len(at), len(given))), at, features=[*given])


def _check_times(data: Trajectories, source: Path) -> None:
    """Refuse a file of starts alone: nothing would come of it but these."""
    if data.times.shape[1] < FEWEST_TIMES:
        raise UnusableDataError(
            f"expected times to roll out to, got the first alone in {source}; begin there by --start and --times"
        )


def _of_features(law: FittedModel, data: Trajectories, source: Path) -> Trajectories:
    """The data with their features in the law's order; other labels only where all features have the same law."""
    from ecodyn.trajectories.parts import some

    matched = data.aligned(law.features, any_labels=not law.per_feature)
    if set(matched.features.tolist()) != set(law.features):
        say(
            f"{source} has features of other labels ({some(data.features)}) than the law was fitted to "
            f"({some(law.features)}): it is the same for all features, so each starts from its own state"
        )
    return matched


def _inputs_of(law: FittedModel, data: Trajectories) -> Trajectories:
    """The data, which have the law's inputs; others that they have are said to have no say."""
    if further := [name for name in data.inputs if name not in law.inputs]:
        say(f"the law does not depend on the input {listed(further)}")
    return data


def _say_velocity(law: FittedModel, data: Trajectories) -> None:
    """Say where a velocity at the start is one that a forecast would not know."""
    from ecodyn.trajectories.state import VELOCITY

    if VELOCITY in law.channels and not data.knows_before.all():
        say("no step is stored before the first one: the velocity there is that of the steps after it")


def _finished(rollout: Rollout, data: Trajectories, provenance: Mapping[str, object]) -> Trajectories:
    """The rollouts that went on to the last step."""
    import numpy as np

    from ecodyn.errors import DataWarning
    from ecodyn.trajectories import Trajectories

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "the input .* throughout all runs", DataWarning)  # as it was asked for
        return Trajectories(
            rollout.signal[rollout.ok],
            data.times[rollout.ok],
            features=data.features,
            runs=data.runs[rollout.ok],
            labels_shared=data.labels_shared,
            provenance=provenance,
            inputs=data[np.flatnonzero(rollout.ok)].inputs,
        )
