"""The commands whose numbers pages have, and what of what each writes.

A source that is read gives ``sentences``, ``rows`` of cells by name, whole ``tables`` in Markdown, and ``values``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

Document = dict[str, Any]


@dataclass(frozen=True)
class Source:
    """A command, and what of the folder that it writes and the lines that it ends in a page may have.

    Attributes
    ----------
    command : as a reader types it; OUTPUT stands for the folder
    read : the folder and the lines on stdout -> ``sentences``, ``rows`` and ``values``
    """

    command: str
    read: Callable[[Path, list[str]], Document]


def of_verdict(folder: Path, _: list[str]) -> Document:
    """The verdict of a comparison; report.json has its sentence."""
    report = json.loads((folder / "report.json").read_text())
    return {
        "versions": {"ecodyn": report["settings"]["ecodyn"], **report["settings"]["versions"]},
        "sentences": [report["verdict"]["statement"]],
    }


def of_survival(folder: Path, lines: list[str]) -> Document:
    """The sentences, and survivors by rule."""
    found = json.loads((folder / "survival.json").read_text())
    auc = found["rules"]["starting_signal_auc"]
    counts = {rule["value"]: rule["survivors"] for rule in found["rules"]["counts"]}
    rows = {rule: [_estimate(counts[rule], ".1f"), _estimate(auc[rule], ".3f")] for rule in counts}
    return {"versions": found["data"]["versions"], "sentences": lines, "rows": rows}


def of_constraints(folder: Path, _: list[str]) -> Document:
    """Median errors without and under constraints."""
    found = json.loads((folder / "constraints.json").read_text())
    rows = {
        name: [f"{row['without']:.2g}", f"{row['under']:.2g}", f"{row['better']} of {found['draws']}"]
        for name, row in found["rows"].items()
    }
    values = {f"{name}_{key}": value for name, row in found["rows"].items() for key, value in row.items()}
    return {"versions": found["versions"], "rows": rows, "values": {"draws": found["draws"], **values}}


def of_record(folder: Path, _: list[str]) -> Document:
    """Of each group of systems how many are named rightly and how many wrongly; and the totals."""
    record = json.loads((folder / "table.json").read_text())
    rows = {
        f"{row['group']} {row['noise']:.0%}": [_count(row, "right", "told apart"), _count(row, "wrong")]
        for row in record["rows"]
    }
    values = {total["what"].replace(":", ""): f"{total['cases']} of {total['of']}" for total in record["summary"]}
    return {"versions": _here(), "rows": rows, "values": values}


def of_speed(folder: Path, _: list[str]) -> Document:
    """The tables by name, seconds of the whole comparison, and how many times as long each peer takes."""
    found = {name: json.loads((folder / f"{name}.json").read_text()) for name in SPEED}
    machine = json.loads((folder / "machine.json").read_text())
    texts = re.split(r"\n(?=\*\*)", (folder / "tables.md").read_text())
    by_title = {text.partition("**")[2].partition("**")[0]: text.strip() for text in texts[1:]}
    tables = {f"{name} {i}": by_title[t["title"]] for name, all_of in found.items() for i, t in enumerate(all_of)}
    values = {f"seconds, {row[0]}": row[1] for row in found["comparison"][0]["rows"]}
    for what, (name, side) in TIMES.items():
        columns, rows = found[name][0]["columns"], found[name][0]["rows"]
        at, ratio = columns.index("side"), next(i for i, c in enumerate(columns) if c.startswith("times ecodyn's"))
        each = [row[ratio] for row in rows if re.search(side, row[at])]
        values |= {f"least, {what}": min(each), f"most, {what}": max(each)}
    versions = {"ecodyn": machine["ecodyn"], **machine["versions"]}
    return {"versions": versions, "sentences": [texts[0].strip()], "tables": tables, "values": values}


SPEED = ("rollouts", "selection", "linear", "shooting", "comparison")
TIMES = {  # of a table of benchmarks/speed, the rows of a side
    "solve_ivp": ("rollouts", "^solve_ivp"),
    "PySINDy simulate": ("rollouts", "^PySINDy simulate$"),
    "PySINDy selection": ("selection", "^PySINDy"),
}


def of_hidden(folder: Path, lines: list[str]) -> Document:
    """Families by how well they do on runs not seen, and the verdict."""
    report = json.loads((folder / "report.json").read_text())
    models = [m for m in report["models"] if m["kind"] == "family"]
    rows = [
        [_with_state(m), f"{m['n_coefficients']:g}", _skill_of(m)] for m in sorted(models, key=lambda m: -m["skill"])
    ]
    laws = _table(["law", "coefficients", "skill on unseen runs (95 %)"], rows)
    return {**of_verdict(folder, lines), "tables": {"laws": laws}}


def of_formula_laws(folder: Path, _: list[str]) -> Document:
    """Laws, with what each leaves beside the first."""
    found = json.loads((folder / "laws.json").read_text())
    columns = ["law", "coefficients", "skill", "leaves more than the share law by"]
    rows = []
    for i, law in enumerate(found["laws"]):
        more = _estimated(law["more_unexplained_percent"], ".0f", " %") if i else ""
        rows.append([law["law"].replace("*", "\\*"), f"{law['coefficients']:g}", _skill_of(law), more])
    return {"versions": _here(), "tables": {"laws": _table(columns, rows)}}


def of_share_settings(folder: Path, _: list[str]) -> Document:
    """Coefficients by setting, exponents of settings, and how laws predicted from other settings do."""
    found = json.loads((folder / "settings.json").read_text())
    study, *others = settings = found["settings"]
    names = list(study["coefficients"])
    columns = ["setting", *(f"{n}/(ηλ)" if n in found["per_decay"] else n for n in names), *SKILLS]
    rows = []
    for each in settings:
        cells = []
        for name, c in each["coefficients"].items():
            per = each["decay"] if name in found["per_decay"] else 1.0
            cells.append(_estimated([c[key] / per for key in ("value", "low", "high")], ".2g"))
        differing = [
            f"{SYMBOLS[key]} {value:g}" for key, value in each["setting"].items() if value != study["setting"][key]
        ]
        skills = [f"{each[key]:.3f}" for key in SKILLS.values()]
        rows.append([", ".join(differing) or "the study's", *cells, *(skills if differing else [*skills[:2], ""])])
    exponents = [
        [SYMBOLS[setting], *(_estimated(of[name], ".1f") for name in names)]
        for setting, of in found["exponents"].items()
    ]
    means = {f"mean, {what}": sum(each[key] for each in others) / len(others) for what, key in SKILLS.items()}
    own, predicted, as_it_is = ([each[key] for each in others] for key in SKILLS.values())
    counts = {
        "settings": len(others),
        "better than own": sum(p > o for p, o in zip(predicted, own, strict=True)),
        "better than the study's": sum(p > s for p, s in zip(predicted, as_it_is, strict=True)),
    }
    ranges = {f"{end} of {name}": row[end] for name, row in found["per_decay"].items() for end in ("least", "most")}
    tables = {"settings": _table(columns, rows), "exponents": _table(["exponent of", *names], exponents)}
    return {"versions": _here(), "tables": tables, "values": {**means, **counts, **ranges}}


SKILLS = {
    "own law": "skill_own",
    "predicted": "skill_predicted_from_other_settings",
    "the study's law": "skill_of_the_study's_law",
}
SYMBOLS = {"dim": "d", "p": "p", "weight_decay": "λ", "learning_rate": "η"}


def of_law_formulas(folder: Path, _: list[str]) -> Document:
    """Laws and regressions on trainings kept for the report, and the best regression in each state."""
    found = json.loads((folder / "law_formulas.json").read_text())
    best, *others = found["reported"]
    columns = ["law", "coefficients", "skill", "the first has more by"]
    rows = [[best["title"], f"{best['coefficients']:g}", _skill_of(best), ""]]
    for law in others:
        more = _estimated(law["best_less_this"], ".3f")
        rows.append([law["title"], f"{law['coefficients']:g}" if "coefficients" in law else "", _skill_of(law), more])
    known = [[f"step {r['step']:g}", _known(r["state"].split(",")), _skill_of(r)] for r in found["regressions"]]
    parameters = ", ".join(f"{name} {value:.2g}" for name, value in best["parameters"].items())
    values = {f"chosen by, {law['title']}": law["skill"] for law in found["laws"]}
    tables = {
        "laws": _table(columns, rows),
        "regressions": _table(["known at", "of each circle", "skill of the best regression"], known),
    }
    return {"versions": _here(), "tables": tables, "values": {**values, "parameters": parameters}}


def _known(channels: Sequence[str]) -> str:
    return ", ".join(channels) if len(channels) <= LISTED else "all that is listed below, signal, velocity and gradient"


LISTED = 4  # channels of a state


def of_schedules(folder: Path, _: list[str]) -> Document:
    """The whole table; skills by what a law was fitted to, and what it leaves beside the first of its kind."""
    found = json.loads((folder / "table.json").read_text())
    values: Document = {"m": _estimate(found["multiplier"], ".3f")}
    rows = []
    for law in found["laws"]:
        name, on = f"{law['law']} of {law['fitted_to']}", law["of_schedule"]
        falling = [skill for schedule, skill in on.items() if schedule != "constant"]
        values |= {name: _estimated(law["skill"], ".3f"), f"{name}, diverged": law["diverged"]}
        values |= {f"{name} on {what}": skill for what, skill in on.items() if what == "constant"}
        values |= {f"{name} on the others": sum(falling) / len(falling)} if falling else {}
        more = ""
        if law["more_unexplained_percent"] is not None:
            more = values[f"{name}, more"] = _estimated(law["more_unexplained_percent"], ".0f", " %")
            mean, low, high = law["more_unexplained_percent"]
            values[f"{name}, less"] = _estimated((-mean, -high, -low), ".0f", " % less")
        each = [f"{on[schedule]:.3f}" if schedule in on else "" for schedule in found["schedules"]]
        cells = [law["law"], law["fitted_to"], f"{law['coefficients']}", values[name], f"{law['median']:.3f}", *each]
        rows.append([*cells, more, f"{law['diverged']}"])
    columns = ["law", "fitted to", "coefficients", "skill", "median"]
    columns += [*(name.partition(":")[0] for name in found["schedules"]), "more unexplained", "diverged"]
    return {"versions": _here(), "tables": {"laws": _table(columns, rows)}, "values": values}


def of_one_trajectory(folder: Path, _: list[str]) -> Document:
    """On how many systems the law of either side held, and the times as a ratio."""
    found = json.loads((folder / "table.json").read_text())
    values: Document = {}
    for row in found["rows"]:
        for key in ("systems", "best_law_held", "pysindy_held", "time_ratio"):
            values[f"{key}, {row['noise']:.0%}"] = row[key]
    return {"versions": {**_here(), "pysindy": version("pysindy")}, "values": values}


def _with_state(model: Document) -> str:
    """A model of the tables on hidden variables, by what it sees of the past."""
    delays = model["state"].count("@-")
    seen = f" as a map with {'`signal@-1`' if delays == 1 else f'{delays} delays'}" if delays else ""
    alone = ", of the signal alone" if model["family"] in ("linear", "sindy") and not delays else ""
    return f"`{model['family']}`/{model['coupling']}{seen}{alone}"


def _skill_of(row: Document) -> str:
    low, high = (row.get(key, row.get(f"skill_{key}")) for key in ("low", "high"))
    return _estimated((row["skill"], low, high), ".3f")


def _estimate(estimate: Document, form: str) -> str:
    return _estimated([estimate[key] for key in ("mean", "low", "high")], form)


def _estimated(values: Iterable[float], form: str, unit: str = "") -> str:
    """Mean, and the interval in brackets, with a minus sign that is no hyphen."""
    mean, low, high = (format(value, f"z{form}").replace("-", "−") for value in values)
    return f"{mean}{unit} ({low} to {high})"


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _here() -> Document:
    return {"ecodyn": version("ecodyn-toolkit")}


def _count(row: Document, *results: str) -> str:
    return f"{round(row['cases'] * sum(row[result] for result in results))} of {row['cases']}"


SOURCES = {
    "verdict": Source("ecodyn compare --example circles --window 60:1000 -o OUTPUT", of_verdict),
    "survival": Source("ecodyn survival --example circles -o OUTPUT", of_survival),
    "record": Source(
        "python benchmarks/identification.py --half held_out --runs 16 --repetitions 1 --seed 1 --no-network -o OUTPUT",
        of_record,
    ),
    "speed": Source("python benchmarks/speed -o OUTPUT " + " ".join(f"--only {name}" for name in SPEED), of_speed),
    "constraints": Source("python benchmarks/constraints.py -o OUTPUT", of_constraints),
    "hidden_oscillators": Source("python benchmarks/hidden_channels.py oscillators --folds 4 -o OUTPUT", of_hidden),
    "hidden_circles": Source("python benchmarks/hidden_channels.py circles -o OUTPUT", of_hidden),
    "schedules": Source("python benchmarks/schedules.py -o OUTPUT", of_schedules),
    "formula_laws": Source(
        "ecodyn train --p 59 --dim 128 --seeds 3040:3064 --steps 1000 -o OUTPUT.nc && "
        "python benchmarks/formula_laws.py -o OUTPUT --fresh OUTPUT.nc",
        of_formula_laws,
    ),
    "share_settings": Source("python benchmarks/share_settings.py -o OUTPUT --seeds 4", of_share_settings),
    "law_formulas": Source("python benchmarks/law_formulas.py -o OUTPUT", of_law_formulas),
    "one_trajectory": Source(
        "python benchmarks/one_trajectory.py --half held_out --noise 0 --noise 0.05 -o OUTPUT", of_one_trajectory
    ),
}
