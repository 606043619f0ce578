"""The commands: each a few lines over the API.

Tables and progress go to stderr, results to stdout or ``-o``. Exit codes: 0 done; 2 wrong usage; 3 unusable data;
4 nothing could be fitted or trained; 5 partial, what succeeded was saved; 130 interrupted, finished work kept.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ecodyn import __version__
from ecodyn.cli_options import (
    COUPLINGS,
    FAMILIES,
    PROTOCOLS,
    assignment,
    chosen,
    configured,
    cores,
    directions,
    is_trajectories_file,
    network_grid,
    numbers,
    parse_window,
    prepared,
    token_range,
    trajectories_facts,
)
from ecodyn.cli_output import (
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
    save_runs,
    say,
    warnings_said,
)

if TYPE_CHECKING:
    from ecodyn.trajectories import Trajectories


app = typer.Typer(
    name="ecodyn",
    help="Which equation do competing representations obey?",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Output = Annotated[Path | None, typer.Option("-o", "--output", help="Where to write; '-' is stdout.")]
Force = Annotated[bool, typer.Option("--force", help="Replace an existing output.")]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON on stdout.")]
Seed = Annotated[int, typer.Option("--seed", help="Seed of everything random.")]
Jobs = Annotated[int, typer.Option("--jobs", "-j", help="Processes, one thread each; 0 takes all cores.")]
State = Annotated[str, typer.Option("--state", help="Channels of a state: signal, or signal,gradient@start.")]
WindowText = Annotated[str | None, typer.Option("--window", help="Step values FIRST:LAST, both included.")]
Every = Annotated[int, typer.Option("--every", min=1, help="Keep each N-th stored step.")]
Select = Annotated[list[str] | None, typer.Option("--select", help="SETTING=VALUE, such as dim=128; repeat for more.")]
Runs = Annotated[str | None, typer.Option("--runs", help="Run labels: FIRST:END (END excluded) or a list 0,3,5.")]

Key = Annotated[str | None, typer.Option("--key", help="Name of the tensor or array that holds the frames.")]
Tokens = Annotated[int | None, typer.Option("--p", help="Number of tokens, where the log leaves it open.")]
TokenAxis = Annotated[int | None, typer.Option("--token-axis", help="Which axis of a frame the tokens are: 0 or 1.")]
Columns = Annotated[
    str | None, typer.Option("--columns", help="Columns or tags that are features; * stands for the label: signal_*.")
]
Interval = Annotated[
    float | None, typer.Option("--interval", help="Steps between two rows, where the log does not say.")
]


# ---------------------------------------------------------------------- commands


@app.command()
def train(
    output: Annotated[Path, typer.Option("-o", "--output", help="Trajectories file to write (.nc or .csv).")],
    network: Annotated[str, typer.Option("--network", help="mlp (the study's), transformer or deep_linear.")] = "mlp",
    seeds: Annotated[str, typer.Option("--seeds", help="FIRST:END (END excluded) or a list 0,3,5.")] = "0:16",
    steps: Annotated[int, typer.Option("--steps", help="Optimiser steps.")] = 1000,
    p: Annotated[int | None, typer.Option("--p", help="The modulus, an odd prime.  [default: 59]")] = None,
    dim: Annotated[str | None, typer.Option("--dim", help="Embedding dimensions.  [default: 128]")] = None,
    width: Annotated[str | None, typer.Option("--width", help="Hidden units.  [default: 100]")] = None,
    train_fraction: Annotated[
        str | None, typer.Option("--train-fraction", help="Share of pairs trained on.  [default: 0.8]")
    ] = None,
    optimiser: Annotated[str | None, typer.Option("--optimiser", help="adamw, adam or sgd.  [default: adamw]")] = None,
    learning_rate: Annotated[str | None, typer.Option("--learning-rate", help="[default: 0.01]")] = None,
    weight_decay: Annotated[str | None, typer.Option("--weight-decay", help="[default: 0.5]")] = None,
    momentum: Annotated[str | None, typer.Option("--momentum", help="Of sgd.  [default: 0]")] = None,
    setting: Annotated[
        list[str] | None,
        typer.Option("--set", help="Another setting of the network, NAME=VALUE, such as heads=2; repeat for more."),
    ] = None,
    intervene: Annotated[
        list[str] | None,
        typer.Option(
            "--intervene",
            help="An intervention, NAME:PARAMETER=VALUE,..., such as scale_frequency:k=25,factor=0.9/1.1; repeat to "
            "combine. There are fixed_embedding, fixed_layers, fixed_dataset, frozen_embedding, scale_frequency, "
            "plant_circles, keep_frequencies.",
        ),
    ] = None,
    dense: Annotated[int, typer.Option("--dense", help="Keep every step up to this one.")] = 0,
    every: Annotated[int, typer.Option("--every", min=1, help="Keep each N-th step after that.")] = 1,
    checkpoints: Annotated[
        Path | None, typer.Option("--checkpoints", help="Folder for checkpoints (.safetensors), one folder a run.")
    ] = None,
    checkpoint_every: Annotated[int, typer.Option("--checkpoint-every", min=1, help="Steps between them.")] = 100,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on where the same command was interrupted or killed.")
    ] = False,
    dtype: Annotated[str, typer.Option("--dtype", help="float64 or float32.")] = "float64",
    device: Annotated[str, typer.Option("--device", help="cpu or cuda.")] = "cpu",
    batch: Annotated[
        int | None, typer.Option("--batch", min=1, help="Networks side by side.  [default: what cache or memory holds]")
    ] = None,
    jobs: Jobs = 0,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Train populations of networks; what the questions need is kept while they train.

    Several values with commas between them (--dim 16,32,64) are a grid: one file, with the varied settings of each run.
    The defaults in brackets are those of the study's network (mlp). What is finished of a training that is interrupted
    or killed is kept in OUTPUT.partial, for --resume.
    """
    with exits():
        from ecodyn.training import IncompleteTrainingError, InterruptedTraining, Schedule
        from ecodyn.training import train as train_population
        from ecodyn.training.partial import remove_partial
        from ecodyn.trajectories import check_target

        options = {
            "p": p,
            "dim": dim,
            "width": width,
            "train_fraction": train_fraction,
            "optimiser": optimiser,
            "learning_rate": learning_rate,
            "weight_decay": weight_decay,
            "momentum": momentum,
        }
        networks = network_grid(network, options, setting, intervene)
        labels = numbers(seeds, "--seeds")
        check_target(output, force=force)
        folder = output.with_name(output.name + ".partial")
        again = f"what is finished is kept in {folder}; the same command with --resume goes on with the others"
        problem = ""
        with progress_bar("training", None) as advance, warnings_said():
            try:
                runs: Trajectories | None = train_population(
                    networks,
                    labels,
                    steps,
                    keep=Schedule(dense, every),
                    dtype=dtype,
                    device=device,
                    batch=batch,
                    jobs=cores(jobs),
                    checkpoints=checkpoints,
                    checkpoint_every=checkpoint_every,
                    folder=folder,
                    resume=resume,
                    progress=advance,
                    command="ecodyn " + " ".join(sys.argv[1:]),
                )
            except InterruptedTraining as stop:
                fail(f"interrupted with {len(stop.missing)} runs to go; {again}", INTERRUPTED)
            except IncompleteTrainingError as error:
                if error.resumable:
                    fail(f"{error}; {again}", UNFITTED if error.finished is None else PARTIAL)
                runs, problem = error.finished, str(error)
            save_runs(runs, output, force, as_json)
        remove_partial(folder)
        if problem:
            fail(problem, UNFITTED if runs is None else PARTIAL)


@app.command()
def extract(
    paths: Annotated[list[Path], typer.Argument(help="Training logs: files or folders, one run each or several.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Trajectories file to write (.nc or .csv).")],
    observable: Annotated[
        list[str] | None,
        typer.Option(
            "--observable",
            help="signal, share, gradient, relative_gradient, circularity, phase_spread, singular_values; repeat for "
            "more. Default: signal, and gradient where it is logged at the same steps.",
        ),
    ] = None,
    project: Annotated[
        Path | None,
        typer.Option("--project", help="Matrix of feature directions, one a row (.npy or .csv), instead of circles."),
    ] = None,
    over: Annotated[str | None, typer.Option("--over", help="What the directions span: tokens or dimensions.")] = None,
    key: Key = None,
    p: Tokens = None,
    token_axis: TokenAxis = None,
    tokens: Annotated[
        str | None, typer.Option("--tokens", help="Tokens that take part, FIRST:END (END excluded).")
    ] = None,
    columns: Columns = None,
    every: Annotated[int, typer.Option("--every", min=1, help="Read each N-th row only.")] = 1,
    interval: Interval = None,
    first_step: Annotated[float, typer.Option("--first-step", help="Step of the first row, with --interval.")] = 0,
    repair: Annotated[
        bool,
        typer.Option("--repair", help="True steps for late rows, no identical ones, and a cut before what is NaN."),
    ] = False,
    labels_shared: Annotated[
        bool | None,
        typer.Option("--labels-shared/--labels-not-shared", help="Whether feature k is the same in all runs."),
    ] = None,
    note: Annotated[
        list[str] | None,
        typer.Option("--note", help="NAME=VALUE for the provenance, such as learning_rate=0.01; repeat for more."),
    ] = None,
    checksums: Annotated[
        bool | None, typer.Option("--checksums/--no-checksums", help="Of whole files; by default unless --every skips.")
    ] = None,
    jobs: Jobs = 0,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Turn training logs into trajectories, in whatever format they are; frames are read in chunks."""
    with exits():
        from ecodyn.extraction import IncompleteExtractionError, InterruptedExtraction, Request
        from ecodyn.extraction import extract as extract_logs
        from ecodyn.logs import LogOptions
        from ecodyn.trajectories import check_target

        check_target(output, force=force)
        request = Request(
            observables=tuple(n for text in observable for n in text.split(",")) if observable else None,
            directions=directions(project),
            over=over,
            p=p,
            token_axis=token_axis,
            tokens=token_range(tokens),
            every=every,
            repair=repair,
            checksums=checksums,
        )
        code, problem = DONE, ""
        with progress_bar("extracting", None) as advance, warnings_said():
            try:
                runs: Trajectories | None = extract_logs(
                    paths,
                    request,
                    options=LogOptions(key, interval, first_step, columns),
                    labels_shared=labels_shared,
                    notes=dict(assignment(n, "--note") for n in note or ()),
                    jobs=cores(jobs),
                    command="ecodyn " + " ".join(sys.argv[1:]),
                    progress=advance,
                )
            except InterruptedExtraction as stop:
                runs, code, problem = stop.finished, INTERRUPTED, str(stop)
            except IncompleteExtractionError as error:
                runs, code, problem = error.finished, PARTIAL, str(error)
            save_runs(runs, output, force, as_json)
        if problem:
            fail(problem, code)


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
        from ecodyn.report.summaries import inspection_table, log_table

        if is_trajectories_file(path):
            facts = trajectories_facts(path)
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
        from ecodyn.report.summaries import fit_table

        data = prepared(path, window, every, runs, select)
        estimator = configured(family, coupling, state, option, seed)
        if output is not None and str(output) != STDOUT:
            from ecodyn.families.model import check_model_path

            check_model_path(output, force=force)
        with warnings_said():
            model = estimator.fit(data).model_
        if output is not None and str(output) != STDOUT:
            model.save(output, force=force)
            say(f"wrote {output}")
        if as_json or str(output) == STDOUT:
            print_json(model.to_json(), True)
            return
        console().print(fit_table(model))
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
    state: State = "signal",
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

        names = chosen(family, FAMILIES, "--family")
        data = prepared(path, None, 1, runs, select)
        if output is not None:
            check_folder(output, force)
        parameters = {name: {"refine": True} for name in names if "full" in (refine or ()) and name != "neural_ode"}
        with progress_bar("fitting", None) as advance, warnings_said():
            try:
                result = compare_families(
                    data,
                    names,
                    chosen(coupling, COUPLINGS, "--coupling"),
                    protocols=chosen(protocol, PROTOCOLS, "--protocol"),
                    windows=[parse_window(w) for w in window or ()] or None,
                    every=every,
                    state=state,
                    parameters=parameters,
                    margin=math.log1p(margin),
                    folds=folds,
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

        law = load_model(model)
        data = prepared(source, window, every, run, None)
        if len(law.features) != data.n_features:
            fail(f"{model} is a law of {len(law.features)} features, {source} has {data.n_features}", DATA)
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


if __name__ == "__main__":
    main()
