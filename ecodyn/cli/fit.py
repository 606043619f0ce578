"""``ecodyn fit``: one law, its equations and its equilibria."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ecodyn.cli.arguments import chosen, dynamics_of, parameter
from ecodyn.cli.constraints import Constraints, with_constraints
from ecodyn.cli.formulas import FormulaText, Hidden, HiddenPerFeature, Positive, Unmeasured, WarmUp, formulas_of
from ecodyn.cli.given_inputs import Inputs, NoInputs, with_given_inputs
from ecodyn.cli.inputs import Reading, data_files, prepared
from ecodyn.cli.options import (
    Columns,
    DataFiles,
    Dynamics,
    Every,
    ExampleName,
    Force,
    Json,
    Missing,
    OldDynamics,
    Output,
    RunColumn,
    Runs,
    Seed,
    Select,
    State,
    TimeColumn,
    WindowText,
)
from ecodyn.cli.output import STDOUT, console, exits, listed, print_json, say, warnings_said
from ecodyn.cli.own_terms import TermTexts, with_own_terms
from ecodyn.cli.writing import end_if_elsewhere, written
from ecodyn.families import DEFAULT

if TYPE_CHECKING:
    from ecodyn.families.estimator import Family
    from ecodyn.families.model import FittedModel
    from ecodyn.trajectories import Trajectories

MOST_PRINTED = 20_000  # coefficients in equations: of a thousand features' full law there are a million
AUTO = "auto"  # in place of a family: the data choose

FamilyName = Annotated[
    str,
    typer.Option(
        "--family",
        help="A registered family, such as linear, lotka_volterra, sindy or neural_ode; or auto: family, coupling, "
        "degree and smoothing are chosen by rollouts inside the data.",
    ),
]
CouplingName = Annotated[str, typer.Option("--coupling", help="independent, exchangeable, full")]
Parameters = Annotated[
    list[str] | None,
    typer.Option("--set", help="A parameter of the estimator, NAME=VALUE, or NAME=A,B for numbers; repeat for more."),
]


def fit(
    context: typer.Context,
    paths: DataFiles = None,
    example: ExampleName = None,
    family: FamilyName = DEFAULT,
    coupling: CouplingName = "exchangeable",
    formula: FormulaText = None,
    positive: Positive = None,
    constraint: Constraints = None,
    hidden: Hidden = None,
    hidden_per_feature: HiddenPerFeature = None,
    warm_up: WarmUp = 0,
    state: State = "signal",
    dynamics: Dynamics = None,
    time: OldDynamics = None,
    window: WindowText = None,
    every: Every = 1,
    runs: Runs = None,
    select: Select = None,
    columns: Columns = None,
    time_column: TimeColumn = None,
    run_column: RunColumn = None,
    missing: Missing = "drop",
    inputs: Inputs = None,
    no_inputs: NoInputs = False,
    option: Parameters = None,
    term: TermTexts = None,
    output: Output = None,
    seed: Seed = 0,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Fit one law to all runs and print its equations; -o writes a model file."""
    with exits():
        paths = data_files(paths, example)
        _check_alone(context, formula)
        unmeasured = Unmeasured(hidden, hidden_per_feature, warm_up)
        laws = formulas_of([] if formula is None else [formula], positive, state, unmeasured=unmeasured)
        if family == AUTO:
            _check_left_to_it(context, dynamics_of(dynamics, time), option, term, constraint)
        reading = Reading(columns, time_column, run_column, missing)
        data = prepared(paths, window, every, runs, select, reading)
        data = with_given_inputs(data, inputs, paths, reading, none=no_inputs)
        if family != AUTO:
            which = dynamics_of(dynamics, time)
            estimator = _configured(laws[0] if laws else _of_family(family, coupling, state), which, option, seed)
            estimator = with_constraints(with_own_terms(estimator, term), constraint)
            if formula is None and not _is_given(context, "coupling"):
                _say_what_is_shared(estimator, data)
        target = None if str(output) == STDOUT else output
        if target is not None:
            from ecodyn.families.model_path import check_model_path

            check_model_path(target, force=force)
        with warnings_said():
            model = _chosen(data, seed) if family == AUTO else estimator.fit(data).model_
        in_place = target is None or written(lambda path: model.save(path, force=force), target)
        if target is not None and in_place:
            say(f"wrote {target}")
        _hand_over(model, data, as_json or str(output) == STDOUT)
        end_if_elsewhere(in_place)


def _say_what_is_shared(estimator: Family, data: Trajectories) -> None:
    """Features with names are seldom meant to obey one equation: say that they do where nobody asked for it."""
    from ecodyn.equations.library import EXCHANGEABLE

    if estimator.coupling == EXCHANGEABLE and data.labels_shared and data.features.dtype.kind == "U":
        say("note: one law for all features, as they are taken to be exchangeable; --coupling full has one for each")


def _chosen(data: Trajectories, seed: int) -> FittedModel:
    """The law that the data choose; how sure that is goes to stderr."""
    from ecodyn.comparison.automatic import best_law

    found = best_law(data, seed=seed)
    say(found.confident)
    return found.model


def _check_left_to_it(
    context: typer.Context,
    dynamics: str,
    options: list[str] | None,
    terms: list[str] | None,
    constraints: list[str] | None,
) -> None:
    """Refuse what ``--family auto`` chooses itself, or has no room for; defaults as well where they are given."""
    from ecodyn.rollouts.iteration import FLOW

    given = {f"--{name}": _is_given(context, name) for name in ("coupling", "state")}
    given["--dynamics"] = dynamics != FLOW
    given |= {"--set": bool(options), "--term": bool(terms), "--constraint": bool(constraints)}
    refused = [flag for flag, there in given.items() if there]
    if refused:
        raise typer.BadParameter(
            f"--family {AUTO} chooses all but the data itself, a flow of the signals, got {listed(refused)}; leave "
            f"{'it' if len(refused) == 1 else 'them'} out or name a family"
        )


def _hand_over(model: FittedModel, data: Trajectories, as_json: bool) -> None:
    """Equations on stdout, what else there is to know on stderr; or all of it as JSON."""
    from ecodyn.report.laws.equilibria import equilibria_or_why_not, equilibria_table
    from ecodyn.report.laws.tables import fit_table

    equilibria, sentence = equilibria_or_why_not(model, data.values.reshape(-1, data.n_features))
    if as_json:
        print_json({**model.to_json(), "equilibria": None if equilibria is None else equilibria.to_json()}, True)
        return
    stderr = console()
    stderr.print(fit_table(model, stderr.width), "")
    stderr.print(sentence if equilibria is None else equilibria_table(equilibria, sentence, stderr.width))
    if model.n_coefficients > MOST_PRINTED:
        count = model.n_coefficients
        say(f"equations of {count} coefficients aren't printed: --json prints all of them, -o FILE keeps the law")
        return
    for equation in model.equations():
        print(f"{equation.lhs} = {equation.rhs}")


def _check_alone(context: typer.Context, formula: str | None) -> None:
    """Refuse a formula beside a family or a coupling, which it says itself."""
    given = [f"--{name}" for name in ("family", "coupling") if _is_given(context, name)]
    if formula is not None and given:
        raise typer.BadParameter(f"--formula is the whole law, got {listed(given)} beside it; leave one out")


def _is_given(context: typer.Context, name: str) -> bool:
    """Whether an option was typed, be it its default."""
    source = context.get_parameter_source(name)
    return source is not None and not source.name.startswith("DEFAULT")


def _of_family(family: str, coupling: str, state: str) -> Family:
    from ecodyn.equations.library import COUPLINGS
    from ecodyn.families import family as family_class
    from ecodyn.families import family_names

    (name,) = chosen([family], family_names(), "--family")
    chosen([coupling], COUPLINGS, "--coupling")
    return family_class(name)(coupling=coupling, state=state)


def _configured(estimator: Family, dynamics: str, options: list[str] | None, seed: int) -> Family:
    """An estimator with the parameters that --set names."""
    name = estimator.name
    if dynamics != estimator.dynamics:
        if dynamics not in estimator.available_dynamics:
            raise typer.BadParameter(
                f"--dynamics for {name} is {' or '.join(estimator.available_dynamics)}, got {dynamics!r}"
            )
        estimator.set_params(dynamics=dynamics)
    parameters = dict(parameter(o, "--set") for o in options or ())
    known = estimator.get_params()
    said = [k for k in ("formula", "name") if k in parameters and k in known]
    if said:
        raise typer.BadParameter(f"{said[0]} is said by --formula, as FORMULA or NAME: FORMULA, not by --set")
    unknown = [k for k in parameters if estimator.full_name(k) not in known]
    if unknown:
        raise typer.BadParameter(f"{name} has no parameter {listed(unknown)}; it has {listed(known)}")
    if "random_state" in known:
        parameters.setdefault("random_state", seed)
    configured: Family = estimator.set_params(**parameters)
    return configured
