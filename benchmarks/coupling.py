"""The experiment that identifies coupling: frequencies scaled at the start, so that the mean moves, the clock does not.

    python benchmarks/coupling.py [--seeds 8] [--steps 1000] [--window 60:1000] [-o coupling]

On unperturbed trainings the mean over features x̄(t) is nearly the same curve in every run, so that "features feel x̄"
and "features feel the time" predict the same. Here every initialisation (embedding, layers and training pairs of one
seed) is trained several times, once as it is and then with some frequencies of its embedding multiplied by a factor
before the first step. Two questions are asked of that.

1. Without any family: what do the *untouched* frequencies do? Their response at step t is
   (mean of xᵢ(t) over them, scaled run) / (the same, plain run of the same initialisation) − 1.
   Under a common clock it is zero; under competition it has the opposite sign of the mean's shift.
2. With the families: does the exchangeable law, fitted to other initialisations, roll out better than its clock, by
   the verdict's own rule, and what is its coupling coefficient c (of x̄ in ẋᵢ = b + a xᵢ + c x̄, of xᵢx̄ in
   ẋᵢ = xᵢ(r + a xᵢ + c x̄))? The clock's curve is the mean over all training runs, scaled ones included: it knows the
   time and the average of what was done to the runs, and not what was done to this one.

Initialisations are the independent observations: all runs of one are a cluster, folds and intervals go by cluster.
What stays open: a drive that differs between runs as x̄ does, such as the network's loss, is not told from x̄ here.

56 trainings; finished trainings are kept in the output folder,
and used again by the same command. Prints both tables; writes coupling.json and coupling.png.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import workplace
from coupling_trainings import CONDITIONS, GROUPS, MANY, ONE, PLAIN, Condition, together, trained

import ecodyn
from ecodyn.arrays import Array
from ecodyn.families import family as family_of
from ecodyn.runtime.files import write_whole
from ecodyn.runtime.json_values import plain_json
from ecodyn.statistics.intervals import t_interval
from ecodyn.trajectories import Trajectories

COUPLING_TERM = {"linear": "mean_x", "lotka_volterra": "x*mean_x"}
SELF_TERM = {"linear": "x", "lotka_volterra": "x**2"}
SAMPLED = (0, 20, 60, 150, 300, 600, 1000)  # steps at which responses are tabulated


# ----------------------------------------------------------------------------------------- responses, without a family


@dataclass(frozen=True)
class Response:
    """Shift of the mean and response of the untouched features at one step, relative to the plain run of the same
    initialisation: means over initialisations with their 95 % t intervals."""

    condition: str
    step: float
    mean_shift: float
    untouched: float
    low: float
    high: float
    per_initialisation: list[float]


def response_curves(condition: Condition, plain: Trajectories, scaled: Trajectories) -> tuple[Array, Array]:
    """Relative change of the mean over all features, and over the untouched ones, each (run, step)."""
    untouched = ~np.isin(plain.features, condition.frequencies)
    shift = scaled.values.mean(axis=2) / plain.values.mean(axis=2) - 1
    response = scaled.values[:, :, untouched].mean(axis=2) / plain.values[:, :, untouched].mean(axis=2) - 1
    return shift, response


def responses(condition: Condition, plain: Trajectories, scaled: Trajectories) -> list[Response]:
    """The responses of one condition at the tabulated steps."""
    shift, response = response_curves(condition, plain, scaled)
    rows = []
    for step in (s for s in SAMPLED if s <= plain.steps[-1]):
        i = int(np.searchsorted(plain.steps, step))
        mean, change = float(shift[:, i].mean()), response[:, i]
        rows.append(Response(condition.name, step, mean, float(change.mean()), *t_interval(change), change.tolist()))
    return rows


# ------------------------------------------------------------------------------------------------ laws and their clocks


@dataclass(frozen=True)
class LawAndClock:
    """One family's exchangeable law beside its clock on one group of runs.

    ``advantage`` is the mean over initialisations of log(unexplained by the clock / by the law), with its 95 % t
    interval; ``identified`` the verdict's own rule. ``coupling`` is c with its 95 % interval over initialisations,
    ``own`` the coefficient of the feature itself; per step, and per step and unit of signal for Lotka-Volterra.
    ``between`` is the share of the variance of x̄ (run, step) that the mean curve over runs leaves.
    """

    group: str
    family: str
    runs: int
    initialisations: int
    between: float
    law_skill: float
    clock_skill: float
    advantage: float
    low: float
    high: float
    status: str
    identified: bool
    own: float
    coupling: float
    coupling_low: float
    coupling_high: float
    statement: str


def law_and_clock(group: str, name: str, runs: Trajectories, jobs: int) -> LawAndClock:
    """Compare a family with its clock on unseen initialisations, and fit it to all runs for its coefficients."""
    found = ecodyn.compare(runs, [name], ["exchangeable"], protocols=["unseen_runs"], jobs=jobs)
    law, clock = (found.score(name, "exchangeable", kind=kind) for kind in ("family", "clock"))
    difference = clock.loss_per_run - law.loss_per_run
    model = family_of(name)(coupling="exchangeable").fit(runs).model_
    coefficients = dict(zip(model.library.names(), model.coefficients[0].tolist(), strict=True))
    place = model.library.names().index(COUPLING_TERM[name])
    return LawAndClock(
        group=group,
        family=name,
        runs=runs.n_runs,
        initialisations=runs.n_clusters,
        between=between_runs(runs),
        law_skill=law.skill,
        clock_skill=clock.skill,
        advantage=float(difference.mean()),
        low=t_interval(difference)[0],
        high=t_interval(difference)[1],
        status=found.verdict.status,
        identified=found.verdict.coupling_identified,
        own=coefficients[SELF_TERM[name]],
        coupling=coefficients[COUPLING_TERM[name]],
        coupling_low=float(model.diagnostics.low[0, place]),
        coupling_high=float(model.diagnostics.high[0, place]),
        statement=found.verdict.statement,
    )


def between_runs(runs: Trajectories) -> float:
    """Share of the variance of x̄[run, step] that is not that of its mean curve: how far the mean is from a clock."""
    mean = runs.values.mean(axis=2)
    return float(np.mean((mean - mean.mean(axis=0)) ** 2) / np.var(mean))


# ------------------------------------------------------------------------------------------------------ tables, figure


def show_responses(rows: Sequence[Response]) -> None:
    """The first table: the mean's shift and the untouched features' response."""
    print("\nResponse of the untouched frequencies to scaling the others at step 0 (mean over initialisations):")
    print(f"{'condition':<12}{'step':>6}{'mean moved':>12}{'untouched':>11}   95 % interval")
    for r in rows:
        change, low, high = (round(v, 6) + 0.0 for v in (r.untouched, r.low, r.high))  # no minus zero
        print(f"{r.condition:<12}{r.step:>6g}{r.mean_shift:>+12.1%}{change:>+11.2%}   {low:+.2%} to {high:+.2%}")


def show_laws(rows: Sequence[LawAndClock]) -> None:
    """The second table: laws beside their clocks, and the coupling coefficient."""
    print(
        "\nExchangeable laws and their clocks on initialisations not seen; advantage: log(clock's / law's unexplained)"
    )
    print(
        f"{'runs':<22}{'family':<16}{'R':>3}{'x̄ between':>11}{'law':>8}{'clock':>8}{'advantage':>11}"
        f"{'95 % interval':>18}{'verdict':>11}{'identified':>12}{'c':>12}   95 % interval"
    )
    for r in rows:
        interval, identified = f"{r.low:+.3f} to {r.high:+.3f}", "yes" if r.identified else "no"
        print(
            f"{r.group:<22}{r.family:<16}{r.initialisations:>3}{r.between:>10.1%}{r.law_skill:>8.3f}{r.clock_skill:>8.3f}"
            f"{r.advantage:>+11.3f}{interval:>18}{r.status:>11}{identified:>12}"
            f"{r.coupling:>12.3g}   {r.coupling_low:.3g} to {r.coupling_high:.3g}"
        )


def draw(parts: dict[Condition, Trajectories], path: Path) -> None:
    """Shift of the mean and response of the untouched features over the training, a line a condition."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10.0, 6.4), dpi=150, layout="constrained")
    axes = figure.subplots(2, 2, sharex=True, sharey="col")
    colours = {0.5: "#1f4e9c", 0.8: "#1f4e9c", 0.85: "#7ba3dc", 1.15: "#e59a76", 1.25: "#b03a12", 2.0: "#b03a12"}
    for row, (conditions, title) in zip(axes, ((ONE, "frequency 25"), (MANY, "15 of 29 frequencies")), strict=True):
        for condition in (c for c in conditions if c in parts):
            colour, steps = colours[condition.factor], parts[PLAIN].steps
            curves = response_curves(condition, parts[PLAIN], parts[condition])
            for ax, curve in zip(row, curves, strict=True):
                mean, error = curve.mean(axis=0), curve.std(axis=0, ddof=1) / math.sqrt(len(curve))
                ax.plot(steps, 100 * mean, color=colour, lw=1.6, label=f"× {condition.factor:g}")
                ax.fill_between(steps, 100 * (mean - error), 100 * (mean + error), color=colour, alpha=0.2, lw=0)
        row[0].set_title(f"{title} scaled: mean over all features", fontsize=10, loc="left")
        row[1].set_title(f"{title} scaled: the untouched features", fontsize=10, loc="left")
        if row[0].get_lines():
            row[0].legend(frameon=False, fontsize=8)
        for ax in row:
            ax.axhline(0, color="black", lw=0.6)
            ax.set_ylabel("change against the plain run, %", fontsize=9)
            ax.spines[["top", "right"]].set_visible(False)
    for ax in axes[-1]:
        ax.set_xlabel("step", fontsize=9)
    figure.supxlabel("Bands: one standard error over initialisations.", fontsize=8)
    with write_whole(path, force=True) as temporary:
        figure.savefig(temporary, format="png")


# ---------------------------------------------------------------------------------------------------------------- main


def asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=8, help="initialisations, at least 5: fewer decide nothing")
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument(
        "--condition", action="append", choices=[c.name for c in CONDITIONS[1:]], help="only these; repeat for more"
    )
    parser.add_argument("--window", default="60:1000", help="first and last step of the fits")
    parser.add_argument("--every", type=int, default=5, help="keep each so-many-th step")
    parser.add_argument("--dtype", default="float32", help="float64 takes twice as long")
    workplace.add_options(parser, 2)
    parser.add_argument("-o", "--output", type=Path, default=Path("coupling"))
    arguments = parser.parse_args()
    if arguments.seeds < 5:
        parser.error(f"expected at least 5 initialisations, got {arguments.seeds}: with fewer no verdict is given")
    return arguments


def main() -> None:
    arguments = asked()
    with workplace.at(arguments):
        measure(arguments)


def measure(arguments: argparse.Namespace) -> None:
    """All of it, printed and written."""
    arguments.output.mkdir(parents=True, exist_ok=True)
    conditions = [c for c in CONDITIONS if c is PLAIN or c.name in (arguments.condition or [c.name])]
    parts = {c: trained(c, arguments) for c in conditions}
    answered = [row for c in conditions[1:] for row in responses(c, parts[PLAIN], parts[c])]
    show_responses(answered)
    first, last = map(float, arguments.window.split(":"))
    laws = []
    for group, members in GROUPS.items():
        chosen = {c: parts[c] for c in members if c in parts}
        if len(chosen) == 1 and group != "plain":
            continue
        runs = together(chosen).window(first, last)
        laws += [law_and_clock(group, name, runs, arguments.jobs) for name in COUPLING_TERM]
    show_laws(laws)
    draw(parts, arguments.output / "coupling.png")
    settings: dict[str, Any] = {k: v for k, v in vars(arguments).items() if k not in ("output", "cluster")}
    document = {"settings": settings, "responses": [asdict(r) for r in answered], "laws": [asdict(r) for r in laws]}
    with write_whole(arguments.output / "coupling.json", force=True) as temporary:
        temporary.write_text(json.dumps(plain_json(document), indent=1, allow_nan=False))


if __name__ == "__main__":
    main()
