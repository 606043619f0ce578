"""``ecodyn compare``: which family describes trainings that it has not seen."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ecodyn.cli.arguments import chosen, dynamics_of, windows_of
from ecodyn.cli.atlas import By, Control, Level, compared_by, control_options, settings_of
from ecodyn.cli.constraints import Constraints, constrained_families
from ecodyn.cli.formulas import (
    FormulaTexts,
    Hidden,
    HiddenPerFeature,
    Positive,
    Unmeasured,
    WarmUp,
    formulas_of,
    names_of,
)
from ecodyn.cli.given_inputs import Inputs, NoInputs, with_given_inputs
from ecodyn.cli.inputs import LogReading, Reading, data_files, gathered, part_of
from ecodyn.cli.kept_tasks import TASKS, Resume, check_folder, check_tasks, held, write_report
from ecodyn.cli.options import (
    ClusterName,
    Columns,
    DataFiles,
    Dynamics,
    Every,
    ExampleName,
    Force,
    Interval,
    Jobs,
    Json,
    Key,
    LogFormat,
    Missing,
    OldDynamics,
    RunColumn,
    Runs,
    Seed,
    Select,
    State,
    StepPattern,
    TimeColumn,
    TokenAxis,
    TokenRange,
    Tokens,
)
from ecodyn.cli.output import (
    INTERRUPTED,
    PARTIAL,
    answer,
    console,
    exits,
    fail,
    print_json,
    progress_bar,
    say,
    say_of_laws,
    warnings_said,
)
from ecodyn.cli.own_terms import TermTexts, terms_beside
from ecodyn.cli.workplace import workplace
from ecodyn.cli.writing import end_if_elsewhere, written

if TYPE_CHECKING:
    from ecodyn.comparison import Comparison
    from ecodyn.extraction import Gathered
    from ecodyn.families.estimator import Family

Families = Annotated[
    list[str] | None,
    typer.Option("--family", help="Repeat for more; the default set if none. +share,hill are beside that set."),
]
Couplings = Annotated[list[str] | None, typer.Option("--coupling", help="Repeat for more; all by default.")]
Protocols = Annotated[
    list[str] | None, typer.Option("--protocol", help="unseen_runs, forecast, in_sample; all by default.")
]
Windows = Annotated[
    list[str] | None,
    typer.Option("--window", help="Step values FIRST:LAST, both included; a verdict each."),
]
Phases = Annotated[
    str | None, typer.Option("--phases", help="'auto': windows found from the mean and the spread of all features.")
]
Refine = Annotated[list[str] | None, typer.Option("--refine", help="'full': shoot full couplings too (seconds a run).")]
Margin = Annotated[
    float,
    typer.Option("--margin", min=0.0, help="Unexplained shares within this fraction count as equal."),
]
Folds = Annotated[int | None, typer.Option("--folds", min=2, help="Folds of unseen_runs.")]
Surrogates = Annotated[
    int,
    typer.Option("--surrogates", min=0, help="Refit the best family to so many surrogates of each kind (19 or more)."),
]
CheckBudget = Annotated[
    bool, typer.Option("--check-budget", help="Refit the named family and the next one with four times the iterations.")
]
Resamples = Annotated[
    int,
    typer.Option("--resamples", min=0, help="Refit the confidence set to so many random halves of the runs."),
]
SurvivorRule = Annotated[
    str, typer.Option("--survivor-rule", help="Who counts as a survivor: a rule of 'ecodyn survival'.")
]
Folder = Annotated[
    Path | None,
    typer.Option("-o", "--output", help="Folder for report.json and report.html, and for finished tasks meanwhile."),
]

EXTRACTED = "trajectories.nc"  # what was extracted from logs, beside the report


def compare(
    paths: DataFiles = None,
    example: ExampleName = None,
    family: Families = None,
    coupling: Couplings = None,
    formula: FormulaTexts = None,
    positive: Positive = None,
    term: TermTexts = None,
    constraint: Constraints = None,
    hidden: Hidden = None,
    hidden_per_feature: HiddenPerFeature = None,
    warm_up: WarmUp = 0,
    protocol: Protocols = None,
    window: Windows = None,
    phases: Phases = None,
    state: State = "signal",
    dynamics: Dynamics = None,
    time: OldDynamics = None,
    every: Every = 1,
    runs: Runs = None,
    select: Select = None,
    columns: Columns = None,
    time_column: TimeColumn = None,
    run_column: RunColumn = None,
    missing: Missing = "drop",
    inputs: Inputs = None,
    no_inputs: NoInputs = False,
    key: Key = None,
    p: Tokens = None,
    token_axis: TokenAxis = None,
    tokens: TokenRange = None,
    interval: Interval = None,
    step_pattern: StepPattern = None,
    log_format: LogFormat = None,
    refine: Refine = None,
    margin: Margin = 0.1,
    folds: Folds = None,
    surrogates: Surrogates = 0,
    check_budget: CheckBudget = False,
    resamples: Resamples = 0,
    survivor_rule: SurvivorRule = "two_component",
    by: By = None,
    control: Control = None,
    level: Level = None,
    output: Folder = None,
    resume: Resume = False,
    jobs: Jobs = None,
    cluster: ClusterName = None,
    seed: Seed = 0,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Say which equation family best describes trainings it has not seen, by how much, or that the data can't tell.

    With an output folder, each task is kept there as soon as it is done: of a comparison that was interrupted or
    killed, or is asked with another margin or one more family, the same command with --resume does the rest.
    With --by, in every cell of a grid of settings: OUTPUT is then an atlas, a page with those of all cells beside it.
    """
    with exits(), held(output, force=force, resume=resume), workplace(jobs, cluster) as processes:
        from ecodyn.comparison import compare as compare_families
        from ecodyn.comparison.atlas import compare_by
        from ecodyn.comparison.atlas.files import check_folder as check_atlas
        from ecodyn.comparison.contenders import PROTOCOLS
        from ecodyn.equations.library import COUPLINGS
        from ecodyn.extraction.gathering import holds_logs

        paths = data_files(paths, example)
        # All families are asked for by no name: one that another distribution has broken is then left out, and named.
        names = names_of(family)
        couplings, protocols = chosen(coupling, COUPLINGS, "--coupling"), chosen(protocol, PROTOCOLS, "--protocol")
        windows, which = windows_of(window), dynamics_of(dynamics, time)
        unmeasured = Unmeasured(hidden, hidden_per_feature, warm_up)
        laws = formulas_of(formula or (), positive, state, which.split(","), unmeasured)
        reading = Reading(columns, time_column, run_column, missing)
        logs = LogReading(key, p, token_axis, tokens, interval, step_pattern, log_format)
        settings = settings_of(by, control, level)
        if output is not None and settings is not None:
            check_atlas(output, force=force, resume=resume)
            check_tasks(output, force=force, resume=resume)
        elif output is not None:
            extracted = [EXTRACTED] if holds_logs(paths, logs.options(reading)) else []
            check_folder(output, extracted, force=force, resume=resume)
        found = gathered(paths, reading, logs, processes)
        _keep(found, output)
        data = part_of(found.trajectories, runs, select)
        data = with_given_inputs(data, inputs, paths, reading, none=no_inputs)
        laws += constrained_families(constraint, names, couplings, which.split(","), state, data, refine=bool(refine))
        families = _beside(names, laws)
        comparison = partial(compare_families, data, families, couplings, protocols=protocols, windows=windows)
        comparison = partial(comparison, phases=phases, every=every, state=state, dynamics=which, folds=folds)
        parameters = terms_beside(_parameters(names, refine), names, term)
        comparison = partial(comparison, parameters=parameters, survivor_rule=survivor_rule)
        comparison = partial(comparison, check_budget=check_budget, resamples=resamples)
        comparison = partial(comparison, margin=margin, surrogates=surrogates, jobs=processes, seed=seed)
        comparison = partial(comparison, keep=None if output is None else output / TASKS)
        if settings is not None:
            atlas = partial(compare_by, data, settings, families, couplings, folder=output, resume=resume, force=force)
            atlas = partial(atlas, **comparison.keywords, on_kept=say, **control_options(control, level))
            compared_by(atlas, output, as_json)
            return
        result = _compared(partial(comparison, on_kept=say))
        in_place = _hand_over(result, output, as_json)
        _say_what_is_lacking(result)
        end_if_elsewhere(in_place)


def _say_what_is_lacking(result: Comparison) -> None:
    """End with what a comparison was not finished with, if there is such."""
    if result.interrupted:
        fail("interrupted; what was finished is in the report", INTERRUPTED)
    if result.failures:
        fail("some models could not be fitted: " + "; ".join(result.failures), PARTIAL)


def _beside(names: list[str] | None, laws: list[Family]) -> list[str | Family] | None:
    """Families by name, all of the default set if there are none, and formulas beside them."""
    from ecodyn.families import REGISTRY

    if not laws:
        return None if names is None else [*names]
    return [*(name for name, _ in REGISTRY.usable()), *laws] if names is None else [*names, *laws]


def _parameters(names: Iterable[str] | None, refine: list[str] | None) -> dict[str, dict[str, object]]:
    """What --refine full asks of the families that can refine a fit."""
    from ecodyn.families import REGISTRY, family

    if not refine:
        return {}
    chosen(refine, ("full",), "--refine")  # there is no other word yet
    classes = [cls for _, cls in REGISTRY.usable()] if names is None else [family(name) for name in names]
    return {cls.name: {"shooting__refine": True} for cls in classes if cls.refines}


def _compared(comparison: Callable[..., Comparison]) -> Comparison:
    """The comparison, or what was finished of it when it was interrupted."""
    from ecodyn.comparison import InterruptedComparison

    with progress_bar("fitting", None) as advance, warnings_said():
        try:
            return comparison(progress=advance, on_laws=say_of_laws)
        except InterruptedComparison as stop:
            if stop.finished is None:
                fail("interrupted before anything was finished", INTERRUPTED)
            return stop.finished


def _keep(found: Gathered, folder: Path | None) -> None:
    """Keep beside the report what was extracted for it."""
    if not found.extracted:
        return
    if folder is None:
        say(f"extracted {found.extracted} runs; -o FOLDER keeps them beside the report")
        return
    # --force was asked about before the work began.
    if written(lambda path: found.trajectories.save(path, force=True), folder / EXTRACTED):
        say(f"wrote {folder / EXTRACTED}: {found.trajectories}")


def _hand_over(result: Comparison, output: Path | None, as_json: bool) -> bool:
    """Tables to stderr, verdicts (or all of it as JSON) to stdout, reports to the folder; whether these are there."""
    from ecodyn.report import terminal_table

    stderr = console()
    if result.phases is not None:
        say(f"phases: {result.phases}")
    for number, window in enumerate(result.windows):
        for protocol in dict.fromkeys(m.protocol for m in window.models):
            stderr.print(terminal_table(result, protocol=protocol, window=number, width=stderr.width), "")
        for test in window.surrogates:
            say(test.sentence)
        if window.budget is not None:
            say(window.budget.sentence)
        for sentence in window.agreement.sentences if window.agreement is not None else ():
            say(sentence)
    if as_json:
        print_json(result.to_json(), True)
    else:
        for window in result.windows:
            answer(window.verdict.statement)
    sys.stdout.flush()  # whatever becomes of the files
    return output is None or write_report(result, output)
