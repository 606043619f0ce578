"""The picture of ``coverage.py``: what the set keeps, power, parsimony, and the level on folds that share runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from coverage_cells import EQUAL, FOLDS, PARSIMONY, POWER
from matplotlib.axes import Axes

from ecodyn.runtime.files import write_whole

Row = dict[str, Any]
MARKERS = "osD^v"


def draw(rows: Sequence[Row], path: Path) -> None:
    """Four panels, dashed lines at what is nominal; one whose experiment was not asked for stays empty."""
    import matplotlib as mpl
    import matplotlib.pyplot as plt

    mpl.use("Agg")
    figure, axes = plt.subplots(2, 2, figsize=(11, 8), layout="constrained")
    panels = zip(axes.flat, (EQUAL, POWER, PARSIMONY, FOLDS), (equal, power, parsimony, folds), strict=True)
    for axis, experiment, panel in panels:
        mine = [r for r in rows if r["experiment"] == experiment]
        if mine:
            panel(axis, mine)
            axis.legend(fontsize=7, frameon=False, handlelength=3.5)
        else:
            axis.set_axis_off()
    with write_whole(path, force=True) as temporary:
        figure.savefig(temporary, dpi=150)
    plt.close(figure)


def equal(ax: Axes, rows: Sequence[Row]) -> Axes:
    """How often all of the equal models are kept, by scatter, for the most models."""
    models = max(r["settings"]["models"] for r in rows)
    rows = [r for r in rows if r["settings"]["models"] == models]
    names = list(dict.fromkeys(r["settings"]["scatter"] for r in rows))
    runs = sorted({r["settings"]["runs"] for r in rows})
    for i, count in enumerate(runs):
        mine = {r["settings"]["scatter"]: r for r in rows if r["settings"]["runs"] == count}
        kept = np.array([mine[name]["shares"]["all"] for name in names])
        at = np.arange(len(names)) + 0.18 * (i - (len(runs) - 1) / 2)
        n = rows[0]["repetitions"]
        ax.errorbar(at, kept, 2 * np.sqrt(kept * (1 - kept) / n), fmt=MARKERS[i], ms=4, label=f"{count} runs")
    ax.axhline(0.9, color="0.5", ls="--", lw=1)
    ax.set_xticks(range(len(names)), names, rotation=25, ha="right", fontsize=8)
    ax.set(ylim=(0, 1.02), ylabel="share", title=f"All of {models} equal models are kept (bars: 2 errors)")
    return ax


def power(ax: Axes, rows: Sequence[Row]) -> Axes:
    """How often the better is named, and how often the set is the better alone, for the larger scatter."""
    sigma = max(r["settings"]["σ"] for r in rows)
    rows = [r for r in rows if r["settings"]["σ"] == sigma]
    runs = sorted({r["settings"]["runs"] for r in rows})
    for better, line in (("simplest", "-"), ("most complex", "--")):
        for i, count in enumerate(runs):
            mine = [r for r in rows if r["settings"]["better"] == better and r["settings"]["runs"] == count]
            effect = [r["settings"]["δ/σ"] for r in mine]
            named = [r["shares"]["decided right"] + r["shares"]["tied right"] for r in mine]
            ax.plot(effect, named, line, marker=MARKERS[i], color=f"C{i}", ms=4, label=f"{better} better, {count} runs")
    ax.set(xlabel="δ/σ", ylabel="share", ylim=(-0.02, 1.02), title=f"One of three better by δ is named (σ = {sigma:g})")
    return ax


def parsimony(ax: Axes, rows: Sequence[Row]) -> Axes:
    """How often the simpler of two is named, against how much worse it is."""
    groups = dict.fromkeys((r["settings"]["σ"], r["settings"]["runs"]) for r in rows)
    sigmas, runs = (sorted({g[i] for g in groups}) for i in (0, 1))
    for sigma, count in groups:
        mine = [r for r in rows if (r["settings"]["σ"], r["settings"]["runs"]) == (sigma, count)]
        ax.plot(
            [r["settings"]["worse by"] for r in mine],
            [r["shares"]["simplest named"] for r in mine],
            ("-", "--")[runs.index(count) % 2],
            marker=MARKERS[runs.index(count)],
            color=f"C{sigmas.index(sigma)}",
            ms=4,
            label=f"σ = {sigma:g} margins, {count} runs",
        )
    ax.axhline(0.05, color="0.5", ls="--", lw=1)
    ax.set(xlabel="worse by so many margins", ylabel="share", ylim=(-0.02, 1.02), title="The simpler of two is named")
    return ax


def folds(ax: Axes, rows: Sequence[Row]) -> Axes:
    """How often a true difference is rejected: as it is, corrected, and where no training run is shared."""
    names = [f"{r['settings']['pair']}\n{r['settings']['runs']} runs, {r['settings']['folds']} folds" for r in rows]
    for i, test in enumerate(("flips", "flips corrected", "flips, none shared")):
        at = np.arange(len(rows)) + 0.15 * (i - 1)
        ax.plot(at, [r["shares"][test] for r in rows], MARKERS[i], ms=4, label=test, clip_on=False)
    ax.axhline(0.1, color="0.5", ls="--", lw=1)
    ax.set_xticks(range(len(rows)), names, rotation=60, ha="right", fontsize=7)
    ax.set(ylabel="share", title="A true difference is rejected, on folds")
    ax.set_ylim(bottom=0)
    return ax
