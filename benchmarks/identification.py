"""How often the verdict is right: families against systems whose family is known.

    python benchmarks/identification.py --quick            a few small systems, minutes
    python benchmarks/identification.py -o record [--jobs 2] [--seed 0] [--repetitions 2]
    python benchmarks/identification.py -o report --half held_out            once, at the end
    python benchmarks/identification.py -o trial --sample 20 --runs 8 --noise 0.05 --no-network
    python benchmarks/identification.py -o beside --sample 20 --no-network --beside share --beside hill

Systems are those of the half that is worked on (`ecodyn.systems.half`) unless ``--half`` says otherwise, or a sample of
them from every group. Each is simulated under noise of 0, 1 and 5 % (multiplicative, in every second repetition
additive) with 8 and 16 runs, and `compare` is asked on unseen runs; neural ODEs take part in one column (8 runs, 1 %).
The 8 runs are the first of the 16, and the same under every noise. A case is *right* if the true family is named:
decided, or tied and the simplest. It is *wrong* if another is decided, and *open* else, whatever a status is called.
Where no family of equations holds the law, and so where the time, a delay or a variable that is not in the data is in
it, naming SINDy or the network is right, as it is to say that none is the law (`inadequate`, `no_family`, or
undecided between laws of which none is), and naming linear or Lotka-Volterra is wrong, tied or not. Where two families
were built to be alike, tied or undecided is right, deciding for the truth is to have told them apart, for the other
wrong; of two exact forms of one law, for either. Families that are named by ``--beside`` take part in every case: one
of them decided on a polynomial truth is wrong, on another it is counted by itself. With ``--uneven`` all are sampled at
random times in place of even ones. Each finished case is kept in
OUTPUT/cases.jsonl, and a second call goes on where the first stopped (start another folder after a change of the code).
Written as well: OUTPUT/table.json and OUTPUT/confusion.png. The time it will take is said before it begins.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import warnings
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import finished
import numpy as np
import workplace
from identification_choice import HALVES, data_seed, of_half, stratified
from identification_figure import draw
from identification_worth import (
    FAMILIES,
    NETWORK,
    OPEN,
    RIGHT,
    TOLD_APART,
    WRONG,
    group_of,
    summary,
    true_families,
    worth,
)

import ecodyn
from ecodyn.comparison import Comparison
from ecodyn.comparison.candidate import DECIDED, TIED
from ecodyn.errors import NothingFittedError, UnusableDataError
from ecodyn.families import family
from ecodyn.families.model_name import FAMILY, ModelName
from ecodyn.runtime.files import write_whole
from ecodyn.runtime.processes import outcomes
from ecodyn.systems import ADDITIVE, MULTIPLICATIVE, SINDY, SYSTEMS, WORKED_ON, System, half, simulate

NOISES, RUNS = (0.0, 0.01, 0.05), (8, 16)
NETWORK_COLUMN = (8, 0.01)
QUICK = (
    "linear_exchangeable_5",
    "linear_full_2",
    "logistic",
    "competition",
    "mean_field",
    "gompertz",
    "early_logistic",
)
QUICK_NOISES, QUICK_RUNS = (0.0, 0.01), (8,)
GUESS_SECONDS = 12.0  # a case, before any is done


@dataclass(frozen=True)
class Case:
    """One comparison."""

    system: str
    noise: float
    runs: int
    repetition: int
    network: bool
    seed: int
    beside: str = ""  # further families that take part, with commas
    uneven: bool = False  # whether it is sampled at random times

    @property
    def kind(self) -> str:
        """Of the noise: every second repetition adds it, the others multiply by it."""
        return (MULTIPLICATIVE, ADDITIVE)[self.repetition % 2]


def cases(
    names: Sequence[str],
    noises: Sequence[float],
    runs: Sequence[int],
    repetitions: int,
    seed: int,
    beside: str = "",
    uneven: bool = False,
) -> list[Case]:
    """All of a record, those with networks last."""
    plain = [
        Case(name, noise, count, repetition, False, seed, beside, uneven)
        for repetition in range(repetitions)
        for count in runs
        for noise in noises
        for name in names
    ]
    count, noise = NETWORK_COLUMN
    return plain + [Case(name, noise, count, 0, True, seed, beside, uneven) for name in names]


def judged(case: Case) -> dict[str, Any]:
    """The verdict on one case, what it is worth, and how well the true law's coefficients came out."""
    system = SYSTEMS[case.system]
    started = time.perf_counter()
    seed = data_seed(case.system, case.seed, case.repetition)
    data = simulate(system, case.runs, seed, case.noise, case.kind, uneven=case.uneven)
    families = [*FAMILIES, *([NETWORK] if case.network else []), *filter(None, case.beside.split(","))]
    about = {"truth": system.family, "coupling": system.coupling, "half": half(case.system)}
    record: dict[str, Any] = asdict(case) | about
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about data that are as they were meant to be
        try:
            parameters = {} if system.degree is None else {SINDY: {"degree": system.degree}}
            comparison = ecodyn.compare(
                data, families, protocols=["unseen_runs"], parameters=parameters, seed=case.seed
            )
        except (NothingFittedError, UnusableDataError) as error:
            record |= {"status": "failed", "named": None, "reason": str(error)}
        else:
            record |= _said(comparison, system)
        record["recovery"] = _recovery(system, data)
    return record | {"result": worth(record, system), "seconds": round(time.perf_counter() - started, 2)}


def _said(comparison: Comparison, system: System) -> dict[str, Any]:
    verdict = comparison.verdict
    scores = {_short(m.name): m for m in comparison.models if m.kind == FAMILY}
    held = [m for m in scores.values() if m.in_confidence_set]
    best = verdict.best
    skills = {name: None if np.isnan(m.skill) else round(m.skill, 6) for name, m in scores.items()}
    losses = {name: np.round(m.loss_per_run, 4).tolist() for name, m in scores.items()}
    return {
        "status": verdict.status,
        "named": None if best is None else best.family,
        "named_coupling": None if best is None else best.coupling,
        "tied": [_short(name) for name in verdict.tied],
        "holds_truth": any(m.family in true_families(system) for m in held),
        "skills": skills,
        "losses": losses,
        "diverged": {name: m.diverged for name, m in scores.items() if m.diverged},
        "none_adequate": verdict.none_adequate,
        "statement": verdict.statement,
    }


def _short(name: ModelName) -> str:
    """A model without its variant: within a case family and coupling say which it is."""
    return f"{name.family}/{name.coupling}"


def _recovery(system: System, data: ecodyn.Trajectories) -> float | None:
    """‖θ̂ − θ‖ / ‖θ‖ of the true law fitted to all runs; None where there is no one θ."""
    if system.form is None or not system.unique or system.form.family == SINDY:
        return None
    try:
        model = family(system.form.family)(coupling=system.form.coupling).fit(data).model_
    except (ValueError, RuntimeError):
        return None
    truth = system.form.coefficients
    return float(np.linalg.norm(model.coefficients - truth) / np.linalg.norm(truth))


# ------------------------------------------------------------------------------------------------- the record


def kept(path: Path) -> dict[Case, dict[str, Any]]:
    """Finished cases."""
    return dict(finished.read(path, lambda r: Case(**{n: r[n] for n in Case.__dataclass_fields__ if n in r})))


def carry_out(ahead: Sequence[Case], file: Path, jobs: int) -> Iterator[dict[str, Any]]:
    """Records of the cases ahead, each written as it comes."""
    for index, record in outcomes(judged, ahead, jobs):
        if isinstance(record, Exception):
            print(f"{ahead[index]}: {type(record).__name__}: {record}")
            continue
        finished.append(file, record)
        yield record


def table(records: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """A row for each group of systems, noise and number of runs."""
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = defaultdict(list)
    for record in records:
        groups[group_of(record), record["noise"], record["runs"], record["network"]].append(record)
    rows = []
    for (group, noise, runs, network), members in sorted(groups.items(), key=str):
        results = Counter(r["result"] for r in members)
        recovered = [r["recovery"] for r in members if r["recovery"] is not None]
        rows.append(
            {
                "group": group,
                "noise": noise,
                "runs": runs,
                "network": network,
                "cases": len(members),
                **{result: results[result] / len(members) for result in (RIGHT, OPEN, TOLD_APART, WRONG)},
                "decided": sum(r["status"] == DECIDED for r in members) / len(members),
                "tied": sum(r["status"] == TIED for r in members) / len(members),
                "set_holds_truth": _share([r.get("holds_truth") for r in members if r["truth"] in FAMILIES]),
                "coupling_right": _share([r.get("named_coupling") == r["coupling"] for r in members if r["named"]]),
                "median_recovery_error": float(np.median(recovered)) if recovered else None,
            }
        )
    return rows


def _share(values: Sequence[Any]) -> float | None:
    return sum(map(bool, values)) / len(values) if values else None


COLUMNS = {"right": 7, "open": 7, "told apart": 12, "wrong": 7, "decided": 9, "tied": 6}


def show(rows: Sequence[dict[str, Any]]) -> None:
    """The table on the terminal."""
    shares = "".join(f"{name:>{width}}" for name, width in COLUMNS.items())
    print(
        f"{'truth':<18}{'noise':>6}{'runs':>5}{'net':>4}{'cases':>6}{shares}{'in set':>8}{'coupling':>9}{'θ error':>9}"
    )
    for r in rows:
        shares = "".join(f"{r[name]:>{width}.0%}" for name, width in COLUMNS.items())
        held, coupling = ("–" if r[k] is None else f"{r[k]:.0%}" for k in ("set_holds_truth", "coupling_right"))
        error = "–" if r["median_recovery_error"] is None else f"{r['median_recovery_error']:.1e}"
        where = f"{r['group']:<18}{r['noise']:>6.0%}{r['runs']:>5}{'yes' if r['network'] else '':>4}{r['cases']:>6}"
        print(f"{where}{shares}{held:>8}{coupling:>9}{error:>9}")


def carried_out(arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """Records of all cases asked for; those of an earlier call are taken from its file."""
    names = arguments.system or (QUICK if arguments.quick else of_half(arguments.half or WORKED_ON))
    if arguments.sample is not None:
        names = stratified(names, arguments.sample, arguments.seed)
    noises = arguments.noise or (QUICK_NOISES if arguments.quick else NOISES)
    runs = arguments.runs or (QUICK_RUNS if arguments.quick else RUNS)
    beside = ",".join(arguments.beside or ())
    repetitions = 1 if arguments.quick else arguments.repetitions
    wanted = cases(names, noises, runs, repetitions, arguments.seed, beside, arguments.uneven)
    if arguments.quick or arguments.no_network:
        wanted = [case for case in wanted if not case.network]
    file = arguments.output / "cases.jsonl"
    done = kept(file)
    ahead = [case for case in wanted if case not in done]
    each = float(np.mean([r["seconds"] for r in done.values()])) if done else GUESS_SECONDS
    minutes = len(ahead) * each / arguments.jobs / 60
    print(f"{len(wanted)} cases, {len(ahead)} ahead: about {minutes:.0f} minutes", flush=True)
    records = [done[case] for case in wanted if case in done]
    for record in carry_out(ahead, file, arguments.jobs):
        records.append(record)
        case = f"{record['system']} noise {record['noise']:g} runs {record['runs']}"
        said = f"{record['status']} {record['named'] or ''}".strip()
        print(f"{len(records)}/{len(wanted)} {case}: {said}, {record['result']} ({record['seconds']} s)", flush=True)
    return records


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a few small systems, without networks")
    parser.add_argument("-o", "--output", type=Path, default=Path("identification"))
    workplace.add_options(parser, 2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--repetitions", type=int, default=2)
    parser.add_argument("--system", action="append", help="only these; repeat for more")
    parser.add_argument("--half", choices=HALVES, help=f"of the systems; {WORKED_ON} by default")
    parser.add_argument("--sample", type=int, help="only so many systems, drawn with the seed from every group")
    parser.add_argument("--noise", type=float, action="append", help="only this noise; repeat for more")
    parser.add_argument("--runs", type=int, action="append", help="only so many runs; repeat for more")
    parser.add_argument("--no-network", action="store_true", help="without the column of neural ODEs")
    parser.add_argument("--beside", action="append", help="a further family that takes part; repeat for more")
    parser.add_argument("--uneven", action="store_true", help="sampled at random times")
    parser.add_argument("--at-least", type=float, help="exit with 1 if a smaller share of the cases is right")
    arguments = parser.parse_args()
    if arguments.half is not None and (arguments.quick or arguments.system):
        chosen = "--system" if arguments.system else "--quick"
        parser.error(f"expected --half or {chosen}, got both: {chosen} says which systems; leave one of them out")
    with workplace.at(arguments):
        measure(arguments)


def measure(arguments: argparse.Namespace) -> None:
    """All of it, printed and written."""
    arguments.output.mkdir(parents=True, exist_ok=True)
    records = carried_out(arguments)
    rows, found = table(records), summary(records)
    with write_whole(arguments.output / "table.json", force=True) as temporary:
        totals = [{"what": what, "cases": n, "of": of} for what, n, of in found if of]
        temporary.write_text(json.dumps({"seed": arguments.seed, "rows": rows, "summary": totals}, indent=1))
    draw(records, group_of, arguments.output / "confusion.png")
    show(rows)
    for what, n, of in found:
        if of:
            print(f"{what:<68}{n:>5} of {of:>4}{n / of:>8.1%}")
    right = sum(r["result"] in (RIGHT, TOLD_APART) for r in records) / max(1, len(records))
    if arguments.at_least is not None and right < arguments.at_least:
        sys.exit(f"{right:.1%} of the verdicts are right, fewer than the {arguments.at_least:.1%} asked for")


if __name__ == "__main__":
    main()
