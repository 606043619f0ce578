"""The commands: each a few lines over the API.

Tables and progress go to stderr, results to stdout or ``-o``. Exit codes: 0 done; 2 wrong usage; 3 unusable data;
4 no family could be fitted; 5 partial, what succeeded was saved; 130 interrupted, finished work kept.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from ecodyn import __version__

if TYPE_CHECKING:
    from ecodyn.comparison import Comparison
    from ecodyn.trajectories import Trajectories

DONE, USAGE, DATA, UNFITTED, PARTIAL, INTERRUPTED = 0, 2, 3, 4, 5, 130
STDOUT = "-"
FAMILIES = ("linear", "lotka_volterra", "sindy", "neural_ode")
COUPLINGS = ("independent", "exchangeable", "full")
PROTOCOLS = ("unseen_runs", "forecast", "in_sample")

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


# ---------------------------------------------------------------------- commands


@app.command()
def train(
    output: Annotated[Path, typer.Option("-o", "--output", help="Trajectories file to write (.nc or .csv).")],
    p: Annotated[int, typer.Option("--p", help="The modulus, an odd prime.")] = 59,
    dim: Annotated[int, typer.Option("--dim", help="Embedding dimensions.")] = 128,
    seeds: Annotated[str, typer.Option("--seeds", help="FIRST:END (END excluded) or a list 0,3,5.")] = "0:16",
    steps: Annotated[int, typer.Option("--steps", help="Optimiser steps.")] = 1000,
    dense: Annotated[int, typer.Option("--dense", help="Keep every step up to this one.")] = 0,
    every: Annotated[int, typer.Option("--every", min=1, help="Keep each N-th step after that.")] = 1,
    learning_rate: Annotated[float, typer.Option("--learning-rate")] = 0.01,
    weight_decay: Annotated[float, typer.Option("--weight-decay")] = 0.5,
    train_fraction: Annotated[float, typer.Option("--train-fraction", help="Share of pairs trained on.")] = 0.8,
    width: Annotated[int, typer.Option("--width", help="Hidden units.")] = 100,
    dtype: Annotated[str, typer.Option("--dtype", help="float64 or float32.")] = "float64",
    device: Annotated[str, typer.Option("--device", help="cpu or cuda.")] = "cpu",
    jobs: Jobs = 1,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Train the study's modular-addition networks; signal and gradient spectra are kept while training."""
    with _exits():
        from ecodyn.files import check_output
        from ecodyn.modular_addition import IncompleteError, Interrupted, Schedule, train_population

        labels = _numbers(seeds, "--seeds")
        check_output(output, force=force)
        code, problem = DONE, ""
        with _progress("training", len(labels) * steps) as advance:
            try:
                runs: Trajectories | None = train_population(
                    p,
                    dim,
                    labels,
                    steps,
                    width=width,
                    learning_rate=learning_rate,
                    weight_decay=weight_decay,
                    train_fraction=train_fraction,
                    dtype=dtype,
                    device=device,
                    keep=Schedule(dense, every),
                    jobs=_cores(jobs),
                    progress=_StepCounter(advance),
                    command="ecodyn " + " ".join(sys.argv[1:]),
                )
            except Interrupted as stop:
                runs, code = stop.finished, INTERRUPTED
                problem = f"interrupted: seeds {_list(stop.missing)} are missing"
            except IncompleteError as error:
                runs, problem = error.finished, str(error)
                code = PARTIAL if runs is not None else UNFITTED
        if runs is not None:
            runs.save(output, force=force)
            _say(f"wrote {output}: {runs}")
            _print_json({"output": str(output), "runs": runs.runs, "shape": runs.shape}, as_json)
        if problem:
            _fail(problem, code)


@app.command()
def inspect(
    path: Annotated[Path, typer.Argument(help="A trajectories file (.nc or .csv).")],
    as_json: Json = False,
) -> None:
    """Say what is in a trajectories file, and what is wrong with it. Fits and writes nothing."""
    with _exits():
        import numpy as np

        from ecodyn.report.summaries import inspection_table

        runs = _load(path)
        facts = {
            "path": str(path),
            "runs": runs.n_runs,
            "clusters": runs.n_clusters,
            "steps": runs.n_steps,
            "first_step": float(np.nanmin(runs.times)),
            "last_step": float(np.nanmax(runs.times)),
            "features": runs.n_features,
            "observables": list(runs.observables),
            "labels_shared": runs.labels_shared,
            "settings": {k: sorted(set(v.tolist())) for k, v in runs.settings.items()},
            "warnings": list(runs.warnings),
            "provenance": runs.provenance,
            "command": f"ecodyn compare {path} -o report",
        }
        if as_json:
            _print_json(facts, True)
        else:
            _console().print(inspection_table(facts))


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
    with _exits():
        from ecodyn.report.summaries import fit_table

        data = _prepared(path, window, every, runs, select)
        estimator = _estimator(family, coupling, state, option, seed)
        if output is not None and str(output) != STDOUT:
            from ecodyn.files import check_output

            check_output(output, force=force)
        with _warnings_said():
            model = estimator.fit(data).model_
        if output is not None and str(output) != STDOUT:
            model.save(output, force=force)
            _say(f"wrote {output}")
        if as_json or str(output) == STDOUT:
            _print_json(model.to_json(), True)
            return
        _console().print(fit_table(model))
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
    with _exits():
        import math

        from ecodyn.comparison import InterruptedComparison
        from ecodyn.comparison import compare as compare_families

        names = _chosen(family, FAMILIES, "--family")
        data = _prepared(path, None, every, runs, select)
        if output is not None:
            _check_folder(output, force)
        parameters = {name: {"refine": True} for name in names if "full" in (refine or ()) and name != "neural_ode"}
        with _progress("fitting", None) as advance, _warnings_said():
            try:
                result = compare_families(
                    data,
                    names,
                    _chosen(coupling, COUPLINGS, "--coupling"),
                    protocols=_chosen(protocol, PROTOCOLS, "--protocol"),
                    windows=[_window(w) for w in window or ()] or None,
                    state=state,
                    parameters=parameters,
                    margin=math.log1p(margin),
                    folds=folds,
                    jobs=_cores(jobs),
                    seed=seed,
                    progress=advance,
                )
            except InterruptedComparison as stop:
                if stop.finished is None:
                    _fail("interrupted before anything was finished", INTERRUPTED)
                result = stop.finished
        _hand_over(result, output, as_json)
        if result.interrupted:
            _fail("interrupted; what was finished is in the report", INTERRUPTED)
        if result.failures:
            _fail("some models could not be fitted: " + "; ".join(result.failures), PARTIAL)


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
    with _exits():
        from ecodyn.families import load_model
        from ecodyn.trajectories import Trajectories

        law = load_model(model)
        data = _prepared(source, window, every, run, None)
        if len(law.features) != data.n_features:
            _fail(f"{model} is a law of {len(law.features)} features, {source} has {data.n_features}", DATA)
        rollout = law.simulate(data.state(law.state)[:, 0], data.times)
        status = {str(r): s for r, s in zip(data.runs, rollout.status, strict=True)}
        finished = [r for r, good in zip(data.runs, rollout.ok, strict=True) if good]
        if not finished:
            _fail(f"no rollout finished: {_list(f'run {r}: {s}' for r, s in status.items())}", UNFITTED)
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
            _say(f"wrote {output}: {solved}")
        if as_json or output is None or str(output) == STDOUT:
            _print_json({"status": status, "runs": solved.runs, "steps": solved.times, "values": solved.values}, True)
        if len(finished) < data.n_runs:
            lost = (f"run {r}: {s}" for r, s in status.items() if s != "ok")
            _fail(f"{data.n_runs - len(finished)} of {data.n_runs} rollouts ended early: {_list(lost)}", PARTIAL)


# ---------------------------------------------------------------------- options


def _load(path: Path) -> Trajectories:
    from ecodyn.trajectories import load

    with _warnings_said():
        return load(path)


def _prepared(path: Path, window: str | None, every: int, runs: str | None, select: list[str] | None) -> Trajectories:
    data = _load(path)
    if runs is not None:
        data = data.select(runs=_labels(runs, data))
    if select:
        data = data.select(**dict(_assignment(s, "--select") for s in select))
    if window is not None:
        data = data.window(*_window(window))
    return data.every(every) if every > 1 else data


def _labels(text: str, data: Trajectories) -> list[Any]:
    """Labels as the file has them: numbers where its labels are numbers."""
    known = {str(r): r for r in data.runs.tolist()}
    wanted = [str(n) for n in _numbers(text, "--runs")] if ":" in text else [t.strip() for t in text.split(",")]
    missing = [w for w in wanted if w not in known]
    if missing:
        raise typer.BadParameter(f"there is no run {_list(missing)}; there are {_list(known)}")
    return [known[w] for w in wanted]


def _window(text: str) -> tuple[float, float]:
    first, _, last = text.partition(":")
    try:
        window = float(first), float(last)
    except ValueError:
        raise typer.BadParameter(f"--window is FIRST:LAST in step values, such as 60:1000, got {text!r}") from None
    if not window[0] < window[1]:
        raise typer.BadParameter(f"--window is FIRST:LAST with FIRST before LAST, got {text!r}")
    return window


def _numbers(text: str, option: str) -> list[int]:
    """Python's range FIRST:END, or a comma-separated list."""
    try:
        if ":" in text:
            first, _, end = text.partition(":")
            numbers = list(range(int(first or 0), int(end)))
        else:
            numbers = [int(n) for n in text.split(",")]
    except ValueError:
        raise typer.BadParameter(f"{option} is FIRST:END or a list of integers, got {text!r}") from None
    if not numbers:
        raise typer.BadParameter(f"{option} {text!r} is empty")
    return numbers


def _assignment(text: str, option: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals:
        raise typer.BadParameter(f"{option} is NAME=VALUE, got {text!r}")
    return name, _value(value)


def _value(text: str) -> Any:
    """A number, true, false, none, or the text itself."""
    words: dict[str, Any] = {"true": True, "false": False, "none": None}
    if text.lower() in words:
        return words[text.lower()]
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _chosen(given: list[str] | None, known: tuple[str, ...], option: str) -> list[str]:
    names = [n for text in given or known for n in text.split(",")]
    unknown = [n for n in names if n not in known]
    if unknown:
        raise typer.BadParameter(f"{option} takes {', '.join(known)}; got {', '.join(unknown)}")
    return list(dict.fromkeys(names))


def _estimator(family: str, coupling: str, state: str, options: list[str] | None, seed: int) -> Any:
    from ecodyn.families import family as family_class

    (name,) = _chosen([family], FAMILIES, "--family")
    _chosen([coupling], COUPLINGS, "--coupling")
    estimator = family_class(name)(coupling=coupling, state=state)
    parameters = dict(_assignment(o, "--set") for o in options or ())
    known = estimator.get_params(deep=False)
    unknown = [k for k in parameters if k not in known]
    if unknown:
        raise typer.BadParameter(f"{name} has no parameter {_list(unknown)}; it has {_list(known)}")
    if "random_state" in known:
        parameters.setdefault("random_state", seed)
    return estimator.set_params(**parameters)


def _cores(jobs: int) -> int:
    from joblib import cpu_count

    if jobs < 0:
        raise typer.BadParameter(f"--jobs is a number of processes, or 0 for all cores; got {jobs}")
    return jobs or cpu_count()


# ---------------------------------------------------------------------- output


def _check_folder(folder: Path, force: bool) -> None:
    """Refuse before the work what could not be written after it."""
    from ecodyn.files import check_output

    if folder.exists() and not folder.is_dir():
        raise typer.BadParameter(f"expected a folder for the report, {folder} is a file")
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("report.json", "report.html"):
        check_output(folder / name, force=force)


def _hand_over(result: Comparison, output: Path | None, as_json: bool) -> None:
    from ecodyn.report import terminal_table

    console = _console()
    for number, window in enumerate(result.windows):
        for protocol in dict.fromkeys(m.protocol for m in window.models):
            console.print(terminal_table(result, protocol=protocol, window=number))
    if output is not None:
        # --force was asked about before the work began.
        result.save(output / "report.json", force=True)
        result.to_html(output / "report.html", force=True)
        _say(f"wrote {output / 'report.json'} and {output / 'report.html'}")
    if as_json:
        _print_json(result.to_json(), True)
        return
    for window in result.windows:
        print(window.verdict.statement)


def _print_json(value: Any, wanted: bool) -> None:
    import json

    from ecodyn.comparison.result import plain_json

    if wanted:
        print(json.dumps(plain_json(value), indent=1, allow_nan=False, default=str))


def _console() -> Any:
    from rich.console import Console

    return Console(stderr=True)


def _say(text: str) -> None:
    print(text, file=sys.stderr)


def _list(items: Any) -> str:
    return ", ".join(str(i) for i in items)


class _StepCounter:
    """Turns (seed, step) into steps done over all seeds."""

    def __init__(self, advance: Callable[[int, int | None, str], None]) -> None:
        self.advance = advance
        self.steps: dict[int, int] = {}

    def __call__(self, seed: int, step: int) -> None:
        self.steps[seed] = step
        self.advance(sum(self.steps.values()), None, f"seed {seed}")


@contextmanager
def _progress(what: str, total: int | None) -> Iterator[Callable[[int, int | None, str], None]]:
    """A bar with the time left, on stderr and only on a terminal."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    console = _console()
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task(what, total=total)

        def advance(done: int, of: int | None, text: str) -> None:
            changes: dict[str, Any] = {"completed": done, "description": f"{what}: {text}"}
            bar.update(task, **(changes if of is None else {**changes, "total": of}))

        yield advance


# ---------------------------------------------------------------------- how it ends


@contextmanager
def _warnings_said() -> Iterator[None]:
    """Warnings about the data as one sentence each on stderr, without Python's file and line."""
    import warnings

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            yield
        finally:
            for text in dict.fromkeys(str(w.message) for w in caught if issubclass(w.category, UserWarning)):
                _say(f"warning: {text}")


def _fail(text: str, code: int) -> NoReturn:
    _say(f"ecodyn: {text}")
    raise typer.Exit(code)


@contextmanager
def _exits() -> Iterator[None]:
    """Errors as sentences with the exit code that belongs to them."""
    from ecodyn.files import UnusableDataError

    try:
        yield
    except (typer.Exit, typer.BadParameter):
        raise
    except KeyboardInterrupt:
        _fail("interrupted", INTERRUPTED)
    except UnusableDataError as error:
        _fail(str(error), DATA)
    except (ValueError, OSError) as error:
        if isinstance(error, BrokenPipeError):
            raise
        _fail(str(error), USAGE)
    except ModuleNotFoundError as error:
        _fail(f"{error}; install it with: python -m pip install {error.name}", USAGE)
    except RuntimeError as error:
        if type(error).__name__ != "NothingFittedError":
            raise
        _fail(str(error), UNFITTED)


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
