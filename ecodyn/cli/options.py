"""What is typed after a command: options that several have, and their values. A wrong one is a usage error."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ecodyn.cli.output import listed, warnings_said

if TYPE_CHECKING:
    from ecodyn.trajectories import Trajectories

Output = Annotated[Path | None, typer.Option("-o", "--output", help="Where to write; '-' is stdout.")]
Force = Annotated[bool, typer.Option("--force", help="Replace an existing output.")]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON on stdout.")]
Seed = Annotated[int, typer.Option("--seed", help="Seed of everything random.")]
Jobs = Annotated[int, typer.Option("--jobs", "-j", help="Processes, one thread each; 0 takes all cores.")]
State = Annotated[
    str,
    typer.Option(
        "--state",
        help="Channels of a state: signal; signal,gradient@start (a trait); signal,gradient (both evolve); "
        "signal,velocity (second order).",
    ),
]
Dynamics = Annotated[
    str,
    typer.Option(
        "--dynamics",
        "--time",
        help="flow (a differential equation) or map (from stored step to stored step, which must be evenly spaced); "
        "compare takes both: flow,map. Neural ODEs are flows only.",
    ),
]
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

# For --help alone: what may be named is what the registry of families has.
FAMILIES = ("linear", "lotka_volterra", "sindy", "neural_ode")
COUPLINGS = ("independent", "exchangeable", "full")
PROTOCOLS = ("unseen_runs", "forecast", "in_sample")


def typed() -> str:
    """The command line, for the provenance."""
    return "ecodyn " + " ".join(sys.argv[1:])


def loaded(path: Path) -> Trajectories:
    """A trajectories file, its warnings said as sentences."""
    from ecodyn.trajectories import load

    with warnings_said():
        return load(path)


def loaded_unless_log(path: Path) -> Trajectories | None:
    """A trajectories file (.nc, or a CSV that can be read as one); None for anything else, which may be a log."""
    from ecodyn.errors import UnusableDataError

    if path.suffix.lower() == ".nc":
        return loaded(path)
    if path.suffix.lower() != ".csv" or not path.is_file():
        return None
    try:
        return loaded(path)
    except UnusableDataError:
        return None


def trajectories_facts(path: Path, runs: Trajectories) -> dict[str, Any]:
    """What is in a trajectories file."""
    import numpy as np

    return {
        "path": str(path),
        "runs": runs.n_runs,
        "clusters": runs.n_clusters,
        "steps": runs.n_steps,
        "first_step": float(np.nanmin(runs.times)),
        "last_step": float(np.nanmax(runs.times)),
        "features": runs.n_features,
        "observables": list(runs.observables),
        "curves": list(runs.curves),
        "embedding": None if runs.embedding is None else list(runs.embedding.shape[1:]),
        "labels_shared": runs.labels_shared,
        "settings": {k: sorted(set(v.tolist())) for k, v in runs.settings.items()},
        "warnings": list(runs.warnings),
        "provenance": runs.provenance,
        "command": f"ecodyn compare {path} -o report",
    }


def prepared(path: Path, window: str | None, every: int, runs: str | None, select: list[str] | None) -> Trajectories:
    """A trajectories file with the runs, settings, window and thinning that were asked for."""
    data = loaded(path)
    if runs is not None:
        data = data.select(runs=_labels(runs, data))
    if select:
        data = data.select(**dict(assignment(s, "--select") for s in select))
    if window is not None:
        data = data.window(*parse_window(window))
    return data.every(every) if every > 1 else data


def _labels(text: str, data: Trajectories) -> list[Any]:
    """Labels as the file has them: numbers where its labels are numbers."""
    known = {str(r): r for r in data.runs.tolist()}
    wanted = [str(n) for n in numbers(text, "--runs")] if ":" in text else [t.strip() for t in text.split(",")]
    missing = [w for w in wanted if w not in known]
    if missing:
        raise typer.BadParameter(f"there is no run {listed(missing)}; there are {listed(known)}")
    return [known[w] for w in wanted]


def parse_window(text: str) -> tuple[float, float]:
    """FIRST:LAST in step values."""
    first, _, last = text.partition(":")
    try:
        window = float(first), float(last)
    except ValueError:
        raise typer.BadParameter(f"--window is FIRST:LAST in step values, such as 60:1000, got {text!r}") from None
    if not window[0] < window[1]:
        raise typer.BadParameter(f"--window is FIRST:LAST with FIRST before LAST, got {text!r}")
    return window


def numbers(text: str, option: str) -> list[int]:
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


def assignment(text: str, option: str) -> tuple[str, Any]:
    """NAME=VALUE."""
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


def chosen(given: list[str] | None, known: tuple[str, ...], option: str) -> list[str]:
    """Known names, from repeated options or commas; all where none was given."""
    names = [n for text in given or known for n in text.split(",")]
    unknown = [n for n in names if n not in known]
    if unknown:
        raise typer.BadParameter(f"{option} takes {', '.join(known)}; got {', '.join(unknown)}")
    return list(dict.fromkeys(names))


def configured(family: str, coupling: str, state: str, dynamics: str, options: list[str] | None, seed: int) -> Any:
    """A family's estimator with the parameters that --set names."""
    from ecodyn.families import REGISTRY
    from ecodyn.families import family as family_class

    (name,) = chosen([family], tuple(REGISTRY), "--family")
    chosen([coupling], COUPLINGS, "--coupling")
    estimator = family_class(name)(coupling=coupling, state=state)
    if dynamics != estimator.dynamics:
        if dynamics not in estimator.available_dynamics:
            raise typer.BadParameter(
                f"--dynamics for {name} is {' or '.join(estimator.available_dynamics)}, got {dynamics!r}"
            )
        estimator.set_params(dynamics=dynamics)
    parameters = dict(assignment(o, "--set") for o in options or ())
    known = estimator.get_params()
    unknown = [k for k in parameters if estimator.full_name(k) not in known]
    if unknown:
        raise typer.BadParameter(f"{name} has no parameter {listed(unknown)}; it has {listed(known)}")
    if "random_state" in known:
        parameters.setdefault("random_state", seed)
    return estimator.set_params(**parameters)


def network_grid(
    name: str, options: dict[str, Any], settings: list[str] | None, interventions: list[str] | None
) -> Any:
    """Networks to train: every combination of the values of the options given, of --set and of --intervene."""
    import dataclasses
    import itertools
    import typing

    from ecodyn.networks.training import grid, network_settings

    kind = network_settings(name)
    hints = typing.get_type_hints(kind)
    readable = (int, float, str, bool, tuple[str, ...])
    types = {f.name: hints[f.name] for f in dataclasses.fields(kind) if hints[f.name] in readable}
    given = {option: str(text) for option, text in options.items() if text is not None}
    for text in settings or ():
        setting, equals, values = text.partition("=")
        if not equals:
            raise typer.BadParameter(f"--set is NAME=VALUE, got {text!r}")
        if setting in given:
            raise typer.BadParameter(f"{setting} is given twice; several values have commas between them")
        given[setting] = values
    if unknown := [option for option in given if option not in types]:
        raise typer.BadParameter(f"{name} has no setting {listed(unknown)}; it has {listed(types)}")
    cells = {option: _setting_values(option, text, types[option]) for option, text in given.items()}
    if interventions:
        from ecodyn.networks.modular_addition import parse_interventions

        cells["interventions"] = list(itertools.product(*map(parse_interventions, interventions)))
    return grid(kind, cells)


def _setting_values(name: str, text: str, kind: type) -> list[Any]:
    """Comma-separated values of one setting."""
    from ecodyn.networks.training.grids import read_value

    try:
        return [read_value(part.strip(), kind) for part in text.split(",")]
    except ValueError:
        wanted = {int: "whole numbers", float: "numbers", bool: "true or false"}.get(kind, kind)
        raise typer.BadParameter(f"{name} takes {wanted}, with commas between them; got {text!r}") from None


def token_range(text: str | None) -> tuple[int, int] | None:
    """FIRST:END, END excluded."""
    if text is None:
        return None
    first, _, end = text.partition(":")
    try:
        return int(first or 0), int(end)
    except ValueError:
        raise typer.BadParameter(f"--tokens is FIRST:END, such as 0:113, got {text!r}") from None


def directions(path: Path | None) -> Any:
    """Feature directions, one a row, from a .npy file or a CSV of numbers without column names."""
    if path is None:
        return None
    import numpy as np

    from ecodyn.errors import UnusableDataError

    try:
        if path.suffix.lower() == ".npy":
            return np.load(path, allow_pickle=False)
        return np.loadtxt(path, delimiter=",", ndmin=2)
    except (ValueError, EOFError) as error:
        reason = "it holds objects" if "pickle" in str(error) else str(error)
        raise UnusableDataError(
            f"{path} is no matrix of feature directions ({reason}); expected .npy, or CSV with one feature a line"
        ) from None


def cores(jobs: int) -> int:
    """Number of processes; 0 stands for all cores."""
    from joblib import cpu_count

    if jobs < 0:
        raise typer.BadParameter(f"--jobs is a number of processes, or 0 for all cores; got {jobs}")
    return jobs or cpu_count()
