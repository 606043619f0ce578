"""The commands: each a few lines over the API.

Tables and progress go to stderr, results to stdout or ``-o``. Exit codes: 0 done; 2 wrong usage; 3 unusable data;
4 nothing could be fitted or trained; 5 partial, what succeeded was saved; 130 interrupted, finished work kept.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from ecodyn._version import __version__
from ecodyn.cli.making import extract, train
from ecodyn.cli.options import (
    COUPLINGS,
    FAMILIES,
    PROTOCOLS,
    Columns,
    Dynamics,
    Every,
    Force,
    Interval,
    Jobs,
    Json,
    Key,
    Output,
    Runs,
    Seed,
    Select,
    State,
    TokenAxis,
    Tokens,
    WindowText,
    chosen,
    configured,
    cores,
    loaded_unless_log,
    parse_window,
    prepared,
    trajectories_facts,
)
from ecodyn.cli.output import (
    DATA,
    DONE,
    INTERRUPTED,
    PARTIAL,
    STDOUT,
    UNFITTED,
    check_folder,
    console,
    exits,
    fail,
    hand_over,
    listed,
    print_json,
    progress_bar,
    say,
    warnings_said,
)
from ecodyn.cli.reproduce import reproduce
from ecodyn.cli.survival import survival

app = typer.Typer(
    name="ecodyn",
    help="Which equation do competing representations obey?",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

# ---------------------------------------------------------------------- commands


app.command()(train)
app.command()(extract)
app.command()(survival)


@app.command()
def inspect(
    path: Annotated[Path, typer.Argument(help="A trajectories file (.nc or .csv), or a training log.")],
    key: Key = None,
    p: Tokens = None,
    token_axis: TokenAxis = None,
    columns: Columns = None,
    interval: Interval = None,
    as_json: Json = False,
) -> None:
    """Say what is in a trajectories file or a training log, and what is wrong with it. Fits and writes nothing."""
    with exits():
        from ecodyn.report.inspection import inspection_table, log_table

        if (runs := loaded_unless_log(path)) is not None:
            facts = trajectories_facts(path, runs)
            if as_json:
                print_json(facts, True)
            else:
                console().print(inspection_table(facts))
            return
        from ecodyn.extraction import Request, inspect_logs
        from ecodyn.logs import LogOptions

        options = LogOptions(key, interval, columns=columns)
        with warnings_said():
            logs = inspect_logs(path, Request(p=p, token_axis=token_axis), options=options)
        print_json(logs, as_json)
        for facts in () if as_json else logs:
            console().print(log_table(facts))


@app.command()
def fit(
    path: Annotated[Path, typer.Argument(help="A trajectories file (.nc or .csv).")],
    family: Annotated[str, typer.Option("--family", help=", ".join(FAMILIES))] = "linear",
    coupling: Annotated[str, typer.Option("--coupling", help=", ".join(COUPLINGS))] = "exchangeable",
    state: State = "signal",
    dynamics: Dynamics = "flow",
    window: WindowText = None,
    every: Every = 1,
    runs: Runs = None,
    select: Select = None,
    option: Annotated[
        list[str] | None,
        typer.Option("--set", help="A parameter of the estimator, NAME=VALUE; repeat for more."),
    ] = None,
    output: Output = None,
    seed: Seed = 0,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Fit one law to all runs and print its equations; -o writes a model file."""
    with exits():
        from ecodyn.report.laws.equilibria import equilibria_or_why_not, equilibria_table
        from ecodyn.report.laws.tables import fit_table

        data = prepared(path, window, every, runs, select)
        estimator = configured(family, coupling, state, dynamics, option, seed)
        if output is not None and str(output) != STDOUT:
            from ecodyn.families.model import check_model_path

            check_model_path(output, force=force)
        with warnings_said():
            model = estimator.fit(data).model_
        if output is not None and str(output) != STDOUT:
            model.save(output, force=force)
            say(f"wrote {output}")
        found, sentence = equilibria_or_why_not(model, data.values.reshape(-1, data.n_features))
        if as_json or str(output) == STDOUT:
            print_json({**model.to_json(), "equilibria": None if found is None else found.to_json()}, True)
            return
        console().print(fit_table(model))
        console().print(sentence if found is None else equilibria_table(found, sentence))
        for equation in model.equations():
            print(f"{equation.lhs} = {equation.rhs}")


@app.command()
def compare(
    path: Annotated[Path, typer.Argument(help="A trajectories file (.nc or .csv).")],
    family: Annotated[list[str] | None, typer.Option("--family", help="Repeat for more; all by default.")] = None,
    coupling: Annotated[list[str] | None, typer.Option("--coupling", help="Repeat for more; all by default.")] = None,
    protocol: Annotated[
        list[str] | None, typer.Option("--protocol", help="unseen_runs, forecast, in_sample; all by default.")
    ] = None,
    window: Annotated[
        list[str] | None,
        typer.Option("--window", help="Step values FIRST:LAST, both included; a verdict each."),
    ] = None,
    phases: Annotated[
        str | None, typer.Option("--phases", help="'auto': windows found from the mean and the spread of all features.")
    ] = None,
    state: State = "signal",
    dynamics: Dynamics = "flow",
    every: Every = 1,
    runs: Runs = None,
    select: Select = None,
    refine: Annotated[
        list[str] | None, typer.Option("--refine", help="'full': shoot full couplings too (seconds a run).")
    ] = None,
    margin: Annotated[
        float,
        typer.Option("--margin", min=0.0, help="Unexplained shares within this fraction count as equal."),
    ] = 0.1,
    folds: Annotated[int | None, typer.Option("--folds", min=2, help="Folds of unseen_runs.")] = None,
    surrogates: Annotated[
        int,
        typer.Option(
            "--surrogates", min=0, help="Refit the best family to so many surrogates of each kind (19 or more)."
        ),
    ] = 0,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Folder for report.json and report.html.")
    ] = None,
    jobs: Jobs = 0,
    seed: Seed = 0,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Say which equation family best describes trainings it has not seen, by how much, or that the data can't tell."""
    with exits():
        import math

        from ecodyn.comparison import InterruptedComparison
        from ecodyn.comparison import compare as compare_families
        from ecodyn.families import REGISTRY
        from ecodyn.families import family as family_class

        names = chosen(family, tuple(REGISTRY), "--family")
        data = prepared(path, None, 1, runs, select)
        if output is not None:
            check_folder(output, force)
        refining = [name for name in names if "full" in (refine or ()) and family_class(name).refines]
        parameters = {name: {"shooting__refine": True} for name in refining}
        with progress_bar("fitting", None) as advance, warnings_said():
            try:
                result = compare_families(
                    data,
                    names,
                    chosen(coupling, COUPLINGS, "--coupling"),
                    protocols=chosen(protocol, PROTOCOLS, "--protocol"),
                    windows=[parse_window(w) for w in window or ()] or None,
                    phases=phases,
                    every=every,
                    state=state,
                    dynamics=dynamics,
                    parameters=parameters,
                    margin=math.log1p(margin),
                    folds=folds,
                    surrogates=surrogates,
                    jobs=cores(jobs),
                    seed=seed,
                    progress=advance,
                )
            except InterruptedComparison as stop:
                if stop.finished is None:
                    fail("interrupted before anything was finished", INTERRUPTED)
                result = stop.finished
        hand_over(result, output, as_json)
        if result.interrupted:
            fail("interrupted; what was finished is in the report", INTERRUPTED)
        if result.failures:
            fail("some models could not be fitted: " + "; ".join(result.failures), PARTIAL)


@app.command()
def simulate(
    model: Annotated[Path, typer.Argument(help="A model file written by 'ecodyn fit -o'.")],
    source: Annotated[Path, typer.Option("--from", help="Trajectories file to start from.")],
    run: Annotated[str | None, typer.Option("--run", help="Label of the run to start from; all by default.")] = None,
    window: WindowText = None,
    every: Every = 1,
    output: Output = None,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Roll a fitted law out from the first step of a file's runs, at that file's times."""
    with exits():
        from ecodyn.families import load_model
        from ecodyn.trajectories import Trajectories
        from ecodyn.trajectories.state import VELOCITY

        law = load_model(model)
        data = prepared(source, window, every, run, None)
        if len(law.features) != data.n_features:
            fail(f"{model} is a law of {len(law.features)} features, {source} has {data.n_features}", DATA)
        if VELOCITY in law.channels and not data.knows_before.all():
            say("no step is stored before the first one: the velocity there is that of the steps after it")
        rollout = law.simulate(data.state(law.state)[:, 0], data.times)
        status = {str(r): s for r, s in zip(data.runs, rollout.status, strict=True)}
        finished = [r for r, good in zip(data.runs, rollout.ok, strict=True) if good]
        if not finished:
            fail(f"no rollout finished: {listed(f'run {r}: {s}' for r, s in status.items())}", UNFITTED)
        solved = Trajectories(
            rollout.signal[rollout.ok],
            data.times[rollout.ok],
            features=data.features,
            runs=finished,
            labels_shared=data.labels_shared,
            provenance={
                "model": str(model),
                "from": str(source),
                "status": status,
                "law": dict(law.provenance),
            },
        )
        if output is not None and str(output) != STDOUT:
            solved.save(output, force=force)
            say(f"wrote {output}: {solved}")
        if as_json or output is None or str(output) == STDOUT:
            print_json({"status": status, "runs": solved.runs, "steps": solved.times, "values": solved.values}, True)
        if len(finished) < data.n_runs:
            lost = (f"run {r}: {s}" for r, s in status.items() if s != "ok")
            fail(f"{data.n_runs - len(finished)} of {data.n_runs} rollouts ended early: {listed(lost)}", PARTIAL)


app.command()(reproduce)


def _version(wanted: bool) -> None:
    if wanted:
        print(__version__)
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Which equation do competing representations obey?"""


def main() -> None:
    """Entry point; a closed pipe downstream is no error."""
    try:
        app()
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(DONE)
