"""How do the coefficients of the share law move with the settings of a training, and can a law be had without any?

    python benchmarks/share_settings.py -o share_settings [--seeds 6] [--jobs 2] [--finished]  ten minutes on two cores

Trainings of the study's network are made at `SETTINGS` (kept in OUTPUT/trainings; a second call goes on where the first
stopped), and the law of competition for a share,

    ẋᵢ = b − a xᵢ + g xᵢⁿ / (xᵢⁿ + k · mean(xⁿ)),

is fitted to those of each setting, over the window that is 60:1000 at the study's learning rate and as much longer as
the rate is smaller. Printed, and written to OUTPUT/settings.json and OUTPUT/settings.png:

* each setting's coefficients with their 95 % intervals over trainings, beside ηλ, the rate of decoupled weight decay;
* the exponents of log θ = c + Σ cⱼ log(setting j / the study's) of each coefficient θ, by least squares over settings,
  with their 95 % t intervals, and how far b/(ηλ) and a/(ηλ) range;
* for each setting the skill of the law whose coefficients are so predicted from all *other* settings, beside that of
  the law fitted to the setting's own trainings, each training by the law of the others, and of the study's law as is.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import workplace
from scipy.stats import t as student

import ecodyn
from ecodyn.arrays import Array
from ecodyn.comparison.scores import score_rollout
from ecodyn.errors import DataWarning
from ecodyn.families import family
from ecodyn.families.coefficients import Coefficient, coefficients_of
from ecodyn.families.formula_model import FormulaModel
from ecodyn.networks.modular_addition import MLP
from ecodyn.networks.training import Schedule, train
from ecodyn.report.style import FONT, INK, PALETTE, apply_style
from ecodyn.runtime.files import write_whole
from ecodyn.runtime.json_values import plain_json

STUDY = {"dim": 128.0, "p": 59.0, "weight_decay": 0.5, "learning_rate": 0.01}
SETTINGS: tuple[dict[str, float], ...] = (
    {},
    {"dim": 64},
    {"learning_rate": 0.02},
    {"weight_decay": 0.25},
    {"learning_rate": 0.02, "weight_decay": 0.25},
    {"weight_decay": 1.0},
    {"p": 43},
    {"dim": 64, "weight_decay": 1.0},
    {"dim": 256, "p": 43},
    {"learning_rate": 0.005},
    {"dim": 256},
    {"p": 83},
)
FIRST_SEED = 7000  # neither the shipped trainings nor those of other benchmarks
FIRST, LAST, KEEP = 60, 1000, 10  # of the window, and between kept steps, at the study's learning rate
PER_DECAY = ("b", "a")  # that would go with decoupled decay, if decay were all there is to them
UNITS = {"b": "signal per step", "a": "per step", "g": "signal per step", "n": "a number", "k": "a number"}
WORST = -1.0  # a rollout that ends early, or is worse


@dataclass(frozen=True)
class Fitted:
    """A setting with its law."""

    setting: Mapping[str, float]
    data: ecodyn.Trajectories
    law: FormulaModel
    own_skill: float

    @property
    def title(self) -> str:
        """What differs from the study's."""
        return ", ".join(f"{name}={value:g}" for name, value in self.setting.items()) or "the study's"

    @property
    def settings(self) -> dict[str, float]:
        """All four."""
        return {**STUDY, **self.setting}

    @property
    def decay(self) -> float:
        """ηλ, what decoupled weight decay takes off in a step."""
        return self.settings["learning_rate"] * self.settings["weight_decay"]

    @property
    def row(self) -> Array:
        """Of the regression: 1, and the logarithm of each setting over the study's."""
        return np.array([1.0, *(np.log(self.settings[name] / value) for name, value in STUDY.items())])

    @property
    def values(self) -> Array:
        """The coefficients, in the formula's order."""
        return np.array(list(self.law.parameters.values()))

    @property
    def reach(self) -> Array:
        """What the 95 % intervals of their logarithms reach to both sides, in the mean."""
        return np.array([np.log(np.divide(*interval(c)[::-1])) / 2 for c in coefficients_of(self.law)])


def trainings_of(setting: Mapping[str, float], folder: Path) -> Path:
    """Where the trainings at a setting are kept."""
    name = "-".join(f"{key}_{value:g}" for key, value in setting.items()) or "study"
    return folder / f"{name}.nc"


def trained(setting: Mapping[str, float], seeds: range, folder: Path, jobs: int) -> ecodyn.Trajectories:
    """Trainings at a setting, in its window; read from the file if they were made before."""
    settings = {**STUDY, **setting}
    stretch = STUDY["learning_rate"] / settings["learning_rate"]
    first, last = round(FIRST * stretch), round(LAST * stretch)
    path = trainings_of(setting, folder)
    if path.exists() and set(seeds) <= set(ecodyn.load(path).runs.tolist()):
        runs = ecodyn.load(path).select(runs=list(seeds))
    else:
        print(f"training {len(seeds)} networks, {path.stem}, {last} steps", flush=True)
        network = replace(
            MLP(),
            p=int(settings["p"]),
            dim=int(settings["dim"]),
            weight_decay=settings["weight_decay"],
            learning_rate=settings["learning_rate"],
            test=False,
        )
        # No test losses, float32 and a tenth of the steps: less than half the time, for the same law.
        keep = Schedule(every=max(1, round(KEEP * stretch)))
        runs = train(network, seeds, last, keep=keep, dtype="float32", jobs=jobs)
        runs.save(path, force=True)
    inside = runs.window(first, last)
    return inside.every(max(1, round(KEEP * stretch / float(np.diff(inside.steps).max()))))


def fitted(setting: Mapping[str, float], data: ecodyn.Trajectories) -> Fitted:
    """The setting's law, and how well laws of all trainings but one predict that one."""
    runs = data.runs.tolist()
    share = family("share")("exchangeable")
    *others, law = share.fit_models([*(data.select(runs=[r for r in runs if r != left]) for left in runs), data])
    if not isinstance(law, FormulaModel):
        raise TypeError(f"expected the share law to be a formula, got {type(law).__name__}")
    own = [skills(model, data.select(runs=[left]))[0] for left, model in zip(runs, others, strict=True)]
    return Fitted(setting, data, law, float(np.mean(own)))


def skills(law: ecodyn.FittedModel, data: ecodyn.Trajectories) -> Array:
    """Skill of free rollouts from each training's first step, `WORST` at the least."""
    rollout = law.simulate(data.state(law.state)[:, 0], data.times)
    each = [(data.values[r], rollout.signal[r], data.times[r], rollout.status[r]) for r in range(data.n_runs)]
    found = np.array([score_rollout(*one, None).skill for one in each])
    return np.maximum(np.nan_to_num(found, nan=WORST), WORST)


def with_values(law: FormulaModel, values: Array) -> FormulaModel:
    """The law with other coefficients."""
    return replace(law, parameters=dict(zip(law.parameters, values.tolist(), strict=True)))


def interval(coefficient: Coefficient) -> tuple[float, float]:
    """The 95 % interval over trainings, of which there are several."""
    if coefficient.low is None or coefficient.high is None:
        raise ValueError(f"expected an interval of {coefficient.term}, got none: train two networks or more")
    return coefficient.low, coefficient.high


def exponents(fits: list[Fitted]) -> tuple[Array, Array]:
    """Of each coefficient (setting + 1, coefficient): least squares of its logarithm, and what 95 % intervals reach.

    The intervals are those of the regression; where there are no more settings than exponents, those that follow from
    the coefficients' own. A setting that no two of the trainings differ in has the exponent 0 and no interval.
    """
    rows, logs = np.array([f.row for f in fits]), np.log([f.values for f in fits])
    found, _, rank, _ = np.linalg.lstsq(rows, logs, rcond=None)
    left = len(rows) - int(rank)
    if left:
        spread = np.sqrt(((logs - rows @ found) ** 2).sum(axis=0) / left)
        reach = np.sqrt(np.diag(np.linalg.pinv(rows.T @ rows)))[:, None] * spread * float(student.ppf(0.975, left))
    else:
        reach = np.sqrt(np.linalg.pinv(rows) ** 2 @ np.array([f.reach for f in fits]) ** 2)
    reach[~rows.any(axis=0)] = np.inf
    return found, reach


def spanned(fits: list[Fitted], which: int) -> bool:
    """Whether the other settings differ in all that this one differs in, so that its law can be predicted from them."""
    rows = np.array([f.row for f in fits])
    others = np.delete(rows, which, axis=0)
    return bool(np.linalg.matrix_rank(others) == np.linalg.matrix_rank(rows))


def predicted(fits: list[Fitted], which: int) -> FormulaModel:
    """The law of one setting from the coefficients of all others."""
    found, _ = exponents([f for i, f in enumerate(fits) if i != which])
    return with_values(fits[which].law, np.exp(fits[which].row @ found))


def show(fits: list[Fitted]) -> list[dict[str, object]]:
    """The table of settings, printed; and as records."""
    records: list[dict[str, object]] = []
    names = [c.term for c in coefficients_of(fits[0].law)]
    print(f"{'setting':<36}{'ηλ':>8}" + "".join(f"{n:>30}" for n in names) + f"{'own':>8}{'others':>8}{'study':>8}")
    for i, f in enumerate(fits):
        known = coefficients_of(f.law)
        of_others = float(skills(predicted(fits, i), f.data).mean()) if spanned(fits, i) else np.nan
        as_it_is = float(skills(with_values(f.law, fits[0].values), f.data).mean())
        cells = "".join(f"{c.value:>10.4g} ({c.low:.3g} to {c.high:.3g})".rjust(30) for c in known)
        print(f"{f.title:<36}{f.decay:>8.4g}{cells}{f.own_skill:>8.3f}{of_others:>8.3f}{as_it_is:>8.3f}", flush=True)
        records.append(
            {
                "setting": f.settings,
                "trainings": f.data.n_runs,
                "decay": f.decay,
                "coefficients": {c.term: {"value": c.value, "low": c.low, "high": c.high} for c in known},
                "skill_own": f.own_skill,
                "skill_predicted_from_other_settings": of_others,
                "skill_of_the_study's_law": as_it_is,
            }
        )
    return records


def show_exponents(fits: list[Fitted]) -> dict[str, dict[str, list[float]]]:
    """The exponents with their 95 % t intervals, printed; and as a record: value, low, high."""
    found, reach = exponents(fits)
    names = [c.term for c in coefficients_of(fits[0].law)]
    print(f"\nexponents (95 % interval){'':<11}" + "".join(f"{n:>24}" for n in names))
    record = {}
    for j, setting in enumerate(STUDY, start=1):
        rows = [[float(v), float(v - r), float(v + r)] for v, r in zip(found[j], reach[j], strict=True)]
        cells = [f"{v:.2f} ({low:.2f} to {high:.2f})" if np.isfinite(low) else "–" for v, low, high in rows]
        print(f"{setting:<36}" + "".join(cell.rjust(24) for cell in cells))
        record[setting] = dict(zip(names, rows, strict=True))
    return record


def show_per_decay(fits: list[Fitted]) -> dict[str, dict[str, float]]:
    """How constant b/(ηλ) and a/(ηλ) are over settings, printed; and as a record."""
    record = {}
    print(f"\nover ηλ{'':<29}{'geometric mean':>16}{'least':>10}{'most':>10}{'most/least':>12}")
    for name in PER_DECAY:
        place = [c.term for c in coefficients_of(fits[0].law)].index(name)
        ratios = np.array([f.values[place] / f.decay for f in fits])
        row = {"mean": float(np.exp(np.log(ratios).mean())), "least": float(ratios.min()), "most": float(ratios.max())}
        over = row["most"] / row["least"]
        print(f"{name:<36}{row['mean']:>16.4g}{row['least']:>10.4g}{row['most']:>10.4g}{over:>12.3g}")
        record[name] = row
    return record


def draw(fits: list[Fitted], path: Path) -> None:
    """Each coefficient at each setting with its interval, and what the other settings predict of it where they can."""
    from matplotlib.figure import Figure

    names = [c.term for c in coefficients_of(fits[0].law)]
    places = np.arange(len(fits))[::-1]  # the first setting on top
    figure = Figure(figsize=(2.1 * len(names), 1.5 + 0.28 * len(fits)), layout="constrained")
    for c, (ax, name) in enumerate(zip(figure.subplots(1, len(names), sharey=True), names, strict=True)):
        apply_style(ax)
        for i, f in enumerate(fits):
            known = coefficients_of(f.law)[c]
            ax.plot(interval(known), [places[i]] * 2, color=PALETTE[0], lw=1.5)
            ax.plot(known.value, places[i], "o", color=PALETTE[0], ms=4.5, label="fitted, 95 %" if i == 0 else None)
            if spanned(fits, i):
                expected = list(predicted(fits, i).parameters.values())[c]
                ax.plot(expected, places[i], "x", color=PALETTE[1], ms=6, mew=1.5, label="predicted from the others")
        ax.set_xscale("log")
        ends = [
            float(end) for fit in fits for end in (coefficients_of(fit.law)[c].low, coefficients_of(fit.law)[c].high)
        ]
        ticks = np.geomspace(min(ends), max(ends), 3)
        ax.minorticks_off()
        ax.set_xticks(ticks, [f"{tick:.2g}" for tick in ticks])
        ax.set_title(f"{name}, {UNITS[name]}", fontsize=FONT, color=INK)
        if name == "a":
            decays = [f.decay for f in fits]
            ax.plot(decays, places, "|", color=INK, ms=9, mew=1.2, label="ηλ, the decay of the optimiser")
    figure.axes[0].set_yticks(places, [f.title.replace("_", " ") for f in fits])
    figure.axes[0].set_ylim(-0.6, len(fits) - 0.4)
    handles = {text: h for ax in figure.axes for h, text in zip(*ax.get_legend_handles_labels(), strict=True)}
    figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=3, fontsize=FONT, frameon=False)
    with write_whole(path, force=True) as temporary:
        figure.savefig(temporary, format="png", dpi=130)


def main() -> None:
    """Train, fit, predict, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=6)
    workplace.add_options(parser, 2)
    parser.add_argument("--finished", action="store_true", help="only settings whose trainings are there")
    options = parser.parse_args()
    with workplace.at(options):
        measure(options)


def measure(options: argparse.Namespace) -> None:
    """All of it, printed and written."""
    warnings.simplefilter("ignore", DataWarning)
    folder = options.output / "trainings"
    folder.mkdir(parents=True, exist_ok=True)
    seeds = range(FIRST_SEED, FIRST_SEED + options.seeds)
    wanted = [s for s in SETTINGS if not options.finished or trainings_of(s, folder).exists()]
    if len(wanted) < len(SETTINGS):
        print(f"{len(wanted)} of {len(SETTINGS)} settings, whose trainings are finished")
    runs = [trained(setting, seeds, folder, options.jobs) for setting in wanted]
    fits = []
    for setting, data in zip(wanted, runs, strict=True):
        started = time.perf_counter()
        fits.append(fitted(setting, data))
        print(f"{fits[-1].title}: fitted in {time.perf_counter() - started:.0f} s", flush=True)
    records = show(fits)
    written = {"settings": records, "exponents": show_exponents(fits), "per_decay": show_per_decay(fits)}
    with write_whole(options.output / "settings.json", force=True) as temporary:
        temporary.write_text(json.dumps(plain_json(written), indent=1) + "\n")
    draw(fits, options.output / "settings.png")


if __name__ == "__main__":
    main()
