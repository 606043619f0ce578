"""From one trajectory to another start: `best_law` beside a tuned PySINDy, on textbook systems of 1 to 4 variables.

    python benchmarks/one_trajectory.py --sample 10        every tenth system or so, minutes
    python benchmarks/one_trajectory.py -o record [--jobs 2] [--seed 0] [--half worked_on]

Of each system one trajectory is simulated from a random start (201 samples, noise of 0, 1 and 5 % of how far each
feature goes, added independently to every sample; --kind multiplicative for x(1 + σε)), and a law is sought in it by
both.
**Held**: rolled out from a second start, drawn from the system's own starting distribution and told without noise, the
law finishes and has a skill of at least 0.9 against the true solution: 1 − MSE/MSE(persistence), time-weighted, each
feature in the scale of its own movement, over the trajectory's duration, which for a chaotic system is at most two
Lyapunov times (--lyapunov 1 for one). Where a search
fails, its error is recorded and the case is not held. Core seconds are processor time of the whole search, one thread.
PySINDy's grid is that of tuned_pysindy.py. Each finished case is kept in OUTPUT/cases.jsonl, and a second call
goes on where the first stopped (start another folder after a change of the code). Written as well: OUTPUT/table.json.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import finished
import numpy as np
import workplace
from threadpoolctl import threadpool_limits
from tuned_pysindy import SCORED_ACCURACY, rolled_out, tuned

import ecodyn
from ecodyn.arrays import Array
from ecodyn.rollouts.skill import skill_of
from ecodyn.runtime.files import write_whole
from ecodyn.runtime.processes import outcomes
from ecodyn.systems import ADDITIVE, HELD_OUT, MULTIPLICATIVE, SYSTEMS, WORKED_ON, half, simulate
from ecodyn.trajectories.scales import own_scales

NOISES = (0.0, 0.01, 0.05)
MOST_FEATURES = 4
SAMPLES = 201
HELD = 0.9  # of skill on the second start
SIDES = ("best_law", "pysindy")


@dataclass(frozen=True)
class Case:
    """One trajectory."""

    system: str
    noise: float
    kind: str
    seed: int
    samples: int
    lyapunov: float


def names(half_name: str | None, sample: int | None) -> list[str]:
    """Systems of few variables, in the order of their names; of one half, or an even sample of them.

    Driven, delayed and partly observed ones are left out: no law of their state alone holds on a second start.
    """
    few = sorted(name for name, system in SYSTEMS.items() if len(system.features) <= MOST_FEATURES)
    few = [name for name in few if not (SYSTEMS[name].hidden or SYSTEMS[name].forced or SYSTEMS[name].delays)]
    if half_name is not None:
        few = [name for name in few if half(name) == half_name]
    if sample is not None and sample < len(few):
        few = [few[i] for i in np.linspace(0, len(few) - 1, sample).round().astype(int)]
    return few


def judged(case: Case) -> dict[str, Any]:
    """How both sides' laws do on the second start, and what they took."""
    import pysindy  # noqa: F401 — before either is timed

    system = SYSTEMS[case.system]
    seed = int(np.random.default_rng([case.seed, *case.system.encode()]).integers(2**31))
    both = simulate(system, 2, seed, 0.0, samples=case.samples)
    noisy = simulate(system, 1, seed, case.noise, case.kind, case.samples)
    times, truth = np.array(both.times[1]), np.array(both.values[1])
    if system.lyapunov_time is not None:
        inside = times - times[0] <= case.lyapunov * system.lyapunov_time * (1 + 1e-9)
        times, truth = times[inside], truth[inside]
    second = ecodyn.Trajectories(truth[None], times, system.features, labels_shared=True)
    scales, data = own_scales(second), (np.array(noisy.values[0]), np.array(noisy.times[0]))
    record: dict[str, Any] = asdict(case)
    for side, found in (("best_law", _best_law), ("pysindy", _pysindy)):
        started = time.process_time()
        law: Rolled | None = None
        with threadpool_limits(limits=1):  # both are timed on one core
            try:
                law, text = found(*data)
            except Exception as error:  # whatever it is, no law was found: a case that counts
                text = f"{type(error).__name__}: {error}"
        seconds = time.process_time() - started
        skill = float("-inf")
        try:
            rollout = None if law is None else law(truth[0], times)
            if rollout is not None and np.isfinite(rollout).all():
                skill = skill_of(truth, rollout, times, scales)
        except Exception as error:
            text += f"; its rollout failed: {type(error).__name__}: {error}"
        record[side] = {
            "held": bool(skill >= HELD),
            "skill": round(skill, 6) if np.isfinite(skill) else None,
            "core_seconds": round(seconds, 3),
            "law": text,
        }
    return record


Rolled = Callable[[Array, Array], Array]


def _best_law(x: Array, t: Array) -> tuple[Rolled, str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about data that are as they were meant to be
        found = ecodyn.best_law(x, t)
    model = found.model

    def rolled(start: Array, times: Array) -> Array:
        return np.asarray(model.simulate(start, times, rtol=SCORED_ACCURACY).signal[0])

    return rolled, str(found)


def _pysindy(x: Array, t: Array) -> tuple[Rolled, str]:
    cell, law = tuned(x, t)

    def rolled(start: Array, times: Array) -> Array:
        return rolled_out(law, start[None], times, x, scored=True)[0]

    return rolled, f"{cell}: {np.round(law[1], 4).tolist()}"


def table(records: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """A row for each level of noise."""
    rows = []
    for noise in sorted({r["noise"] for r in records}):
        members = [r for r in records if r["noise"] == noise]
        row: dict[str, Any] = {"noise": noise, "systems": len(members)}
        for side in SIDES:
            row[f"{side}_held"] = sum(r[side]["held"] for r in members)
            row[f"{side}_core_seconds"] = round(sum(r[side]["core_seconds"] for r in members) / len(members), 2)
        row["time_ratio"] = round(row["best_law_core_seconds"] / max(row["pysindy_core_seconds"], 1e-9), 3)
        rows.append(row)
    return rows


def show(rows: Sequence[dict[str, Any]], missing: int) -> None:
    """The table on the terminal, and under it how many of the cases that were asked for are not in it."""
    print(f"held: skill of at least {HELD} on a second start")
    print(f"{'noise':>6}{'systems':>9}{'best_law':>14}{'PySINDy':>14}{'core s':>9}{'PySINDy':>9}{'ratio':>7}")
    for r in rows:
        shares = "".join(f"{r[f'{s}_held']:>5} = {r[f'{s}_held'] / r['systems']:>5.1%} " for s in SIDES)
        seconds = "".join(f"{r[f'{s}_core_seconds']:>9.2f}" for s in SIDES)
        print(f"{r['noise']:>6.0%}{r['systems']:>9}{shares}{seconds}{r['time_ratio']:>7.2f}")
    print(f"cases without a record: {missing}" + (", their errors are above" if missing else ""))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path, default=Path("one_trajectory"))
    workplace.add_options(parser, 1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--samples", type=int, default=SAMPLES, help="of the trajectory")
    parser.add_argument("--sample", type=int, help="so many of the systems, evenly by name")
    parser.add_argument("--half", choices=(WORKED_ON, HELD_OUT), help="only systems of this half")
    parser.add_argument("--system", action="append", help="only these; repeat for more")
    parser.add_argument("--noise", type=float, action="append", help="only these levels; repeat for more")
    parser.add_argument("--kind", choices=(ADDITIVE, MULTIPLICATIVE), default=ADDITIVE)
    parser.add_argument("--lyapunov", type=float, default=2.0, help="Lyapunov times over which a law has to hold")
    arguments = parser.parse_args()
    with workplace.at(arguments):
        measure(arguments)


def measure(arguments: argparse.Namespace) -> None:
    """All of it, printed and written."""
    chosen = arguments.system or names(arguments.half, arguments.sample)
    wanted = [
        Case(name, noise, arguments.kind, arguments.seed, arguments.samples, arguments.lyapunov)
        for noise in arguments.noise or NOISES
        for name in chosen
    ]
    arguments.output.mkdir(parents=True, exist_ok=True)
    file = arguments.output / "cases.jsonl"
    done = dict(finished.read(file, lambda record: Case(**{n: record[n] for n in Case.__dataclass_fields__})))
    ahead = [case for case in wanted if case not in done]
    records = [done[case] for case in wanted if case in done]
    print(f"{len(wanted)} cases, {len(ahead)} ahead", flush=True)
    for index, record in outcomes(judged, ahead, arguments.jobs):
        if isinstance(record, Exception):
            print(f"{ahead[index]}: {type(record).__name__}: {record}")
            continue
        finished.append(file, record)
        records.append(record)
        said = ", ".join(
            f"{side} {'held' if record[side]['held'] else 'not'} {record[side]['skill']} "
            f"({record[side]['core_seconds']:.1f} s)"
            for side in SIDES
        )
        print(f"{len(records)}/{len(wanted)} {record['system']} noise {record['noise']:g}: {said}", flush=True)
    rows, missing = table(records), len(wanted) - len(records)
    with write_whole(arguments.output / "table.json", force=True) as temporary:
        temporary.write_text(
            json.dumps({"seed": arguments.seed, "held": HELD, "rows": rows, "without_record": missing}, indent=1)
        )
    show(rows, missing)


if __name__ == "__main__":
    main()
