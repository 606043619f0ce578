"""An analysis of survival in a folder: numbers, a table of features, figures, and one self-contained page."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from ecodyn.report.circles.perturbation import plot_perturbation
from ecodyn.report.comparison.figures import plot_signals
from ecodyn.report.embedded import Figure, svg, template
from ecodyn.report.style import RESOLUTION
from ecodyn.report.survival.figures import (
    STUDY_GUIDE,
    plot_counts_by,
    plot_predictors,
    plot_separation,
    plot_survival_rate,
)
from ecodyn.report.survival.rows import feature_table, nearest_to_study, survival_sentences, survival_tables
from ecodyn.runtime.files import check_output, write_whole
from ecodyn.runtime.json_values import plain_json
from ecodyn.survival.logistic import fit_logistic
from ecodyn.survival.predictors import predictor
from ecodyn.survival.result import Analysis
from ecodyn.trajectories import Trajectories

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

NUMBERS, TABLE, PAGE = "survival.json", "survivors.csv", "survival.html"
ALWAYS = ("signals", "survival_rate", "predictors", "separation")  # figures of most analyses


def check_survival_folder(folder: Path, *, force: bool = False) -> None:
    """Refuse before the work what could not be written after it, and make the folder."""
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"expected a folder for the analysis, {folder} is a file")
    folder.mkdir(parents=True, exist_ok=True)
    for name in (NUMBERS, TABLE, PAGE, *(f"{figure}.png" for figure in ALWAYS)):
        check_output(folder / name, force=force)


def write_survival(analysis: Analysis, folder: Path, *, force: bool = False) -> list[Path]:
    """Write survival.json, survivors.csv, survival.html and a PNG for each figure; return their paths.

    Raises
    ------
    OutputExistsError
        One of them exists and ``force`` is false.
    """
    figures = survival_figures(analysis)
    written = [folder / name for name in (NUMBERS, TABLE, PAGE, *(f"{name}.png" for name in figures))]
    for target in written:
        check_output(target, force=force)
    with write_whole(folder / NUMBERS, force=force) as path:
        path.write_text(json.dumps(plain_json(analysis.to_json()), indent=1, allow_nan=False, default=str) + "\n")
    with write_whole(folder / TABLE, force=force) as path, path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(feature_table(analysis))
    with write_whole(folder / PAGE, force=force) as path:
        path.write_text(_page(analysis, figures), encoding="utf-8")
    for name, (_, ax) in figures.items():
        with write_whole(folder / f"{name}.png", force=force) as path:
            cast("Canvas", ax.get_figure(root=True)).savefig(path, dpi=RESOLUTION)
    return written


def survival_figures(analysis: Analysis) -> dict[str, tuple[str, Axes]]:
    """Figures by file name, each with its caption; those that there is nothing to draw of are left out."""
    runs, survivors = analysis.runs, analysis.survivors
    figures = {
        "signals": (
            f"Run {runs.runs[0]}: signals over training; survivors in colour, the rest in grey.",
            plot_signals(runs, 0, log_time=True, alive=survivors.alive[0]),
        )
    }
    for setting, counts in analysis.counts.items():
        caption = f"Survivors by {setting}: mean with its 95 % interval over clusters; grey: fewest to most."
        figures[f"survivors_by_{setting}"] = (caption, plot_counts_by(counts, setting))
    for scaled in analysis.scaled:
        k = scaled.fates.feature
        figures[f"scaled_{k}"] = (
            f"Feature {k} scaled at the start: what that does to the others, beside what a law says, and who survives.",
            plot_perturbation(scaled.fates, scaled.response),
        )
    if not analysis.scores:
        return figures
    figures["survival_rate"] = (
        "Survival rate by the signal at the start, in bins of as many features each; 95 % intervals over clusters.",
        plot_survival_rate(
            runs.values[:, 0], survivors.alive, runs.clusters, guide=STUDY_GUIDE if _is_the_studys(runs) else None
        ),
    )
    figures["predictors"] = (
        "How well each predictor tells survivors, by the step it was measured at; shaded: 95 % over clusters.",
        plot_predictors(analysis.curves),
    )
    return figures | _separation(analysis)


def _separation(analysis: Analysis) -> dict[str, tuple[str, Axes]]:
    after = sorted({s.step for s in analysis.scores if s.predictor == "relative_gradient" and np.isfinite(s.auc.mean)})
    if not after:
        return {}
    step = nearest_to_study(analysis, after)
    relative, signal = (predictor(analysis.runs, name, step) for name in ("relative_gradient", "signal"))
    known = np.isfinite(relative)  # a feature that is not there has no rate of growth
    relative, signal, alive = relative[known], signal[known], analysis.survivors.alive[known]
    if alive.all() or not alive.any():
        return {}
    weights = fit_logistic(np.stack([relative, signal], axis=1), alive)
    caption = "Every feature of every run, with the line at which a logistic model of the two gives even odds."
    return {"separation": (caption, plot_separation(relative, signal, alive, weights=weights, step=step))}


def _is_the_studys(runs: Trajectories) -> bool:
    known = runs.provenance
    return known.get("network") == "mlp" and known.get("p") == 59 and known.get("dim") == 128


def _page(analysis: Analysis, figures: dict[str, tuple[str, Axes]]) -> str:
    runs = analysis.runs
    return str(
        template("survival.html").render(
            sentences=survival_sentences(analysis),
            notes=analysis.notes,
            tables=survival_tables(analysis),
            figures=[Figure(svg(ax), caption, caption) for caption, ax in figures.values()],
            summary=f"{runs.n_runs} runs in {runs.n_clusters} clusters, {runs.n_features} features",
            data=[
                (str(k), v if isinstance(v, str) else json.dumps(v, default=str)) for k, v in runs.provenance.items()
            ],
        )
    )
