"""Figures of rows 7 to 10: what at the start decides who survives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ecodyn.arrays import Array
from ecodyn.report.style import DEAD, INK
from ecodyn.reproduction.figures.pieces import BLUE, GREY, LOW, ORANGE, add_legend, draw_interval_line, new_figure
from ecodyn.reproduction.finding import Finding
from ecodyn.statistics.clustered import SHARE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def initial_signal(finding: Finding) -> Figure:
    """Survival rate against initial signal: frequencies, means in bins, the study's guide line."""
    table = finding.tables["rates"]
    figure, (ax,) = new_figure()
    x, y = table["signal"], table["rate"]
    ax.plot(x, y, ls="", marker="o", ms=3.5, color=BLUE, alpha=0.25, mew=0, label="a frequency of an embedding")
    _binned(ax, x, y, table["embedding"])
    guide = finding.tables["guide"]
    ax.plot(guide["signal"], guide["rate"], color=ORANGE, lw=1.4, ls="--", label="the study's guide line")
    ax.set(xlabel="initial signal", ylabel="share of trainings it survives", ylim=(-0.03, 1.03))
    add_legend(ax, loc="upper left")
    return figure


BINS = 8  # of equally many points each


def _binned(ax: Axes, x: Array, y: Array, clusters: NDArray[Any]) -> None:
    edges = np.quantile(x, np.linspace(0, 1, BINS + 1))
    which = np.clip(np.searchsorted(edges, x, side="right") - 1, 0, BINS - 1)
    middle = np.array([x[which == b].mean() if (which == b).any() else np.nan for b in range(BINS)])
    draw_interval_line(
        ax, middle[which], y, clusters, color=INK, label="mean in bins, 95 %", points=False, within=SHARE
    )


def scaled(finding: Finding) -> Figure:
    """Survival of the scaled frequency, and how many others survive, against the factor."""
    table = finding.tables["fates"]
    figure, (left, right) = new_figure(2, LOW)
    lives = table["survived"].astype(float)
    draw_interval_line(left, table["factor"], lives, table["embedding"], points=False, within=SHARE)
    draw_interval_line(right, table["factor"], table["others"].astype(float), table["embedding"], color=ORANGE)
    left.set(ylabel="share of trainings it survives", ylim=(-0.03, 1.03))
    right.set(ylabel="other survivors")
    right.set_ylim(bottom=0)
    for ax in (left, right):
        ax.set_xlabel("factor at the start")
    return figure


def planted(finding: Finding) -> Figure:
    """Signals at the end of two planted waves against the ratio of their signals at the start."""
    table = finding.tables["fates"]
    figure, (ax,) = new_figure()
    for name, words, color in (("first", "the stronger at the start", GREY), ("second", "the weaker", BLUE)):
        draw_interval_line(ax, table["ratio"], table[name], table["seed"], color=color, label=words)
    ax.set_xscale("log")
    places = np.unique(table["ratio"])
    ax.set_xticks(places, [f"{v:.2g}" for v in places])
    ax.set_xticks([], minor=True)
    ax.set(xlabel="initial signal of the weaker over that of the stronger", ylabel="signal at the end")
    ax.set_ylim(bottom=0)
    add_legend(ax)
    return figure


def relative_gradient(finding: Finding) -> Figure:
    """Relative gradient against initial signal: survivors over dead, and the study's line between them."""
    table = finding.tables["starts"]
    figure, (ax,) = new_figure()
    alive = table["survived"].astype(bool)
    for mask, color, size, label in ((~alive, DEAD, 6, "died"), (alive, BLUE, 9, "survived")):
        ax.scatter(table["relative_gradient"][mask], table["signal"][mask], color=color, s=size, linewidths=0,
                   alpha=0.8, label=label)  # fmt: skip
    line = finding.tables["line"]
    slope, level = np.polyfit(line["signal"], line["relative_gradient"], 1)
    ends = np.array([table["signal"].min(), table["signal"].max()])
    ax.plot(level + slope * ends, ends, color=ORANGE, ls="--", lw=1.4, label="the study's line")
    ax.set(xlabel="relative gradient at step 4, (x(4) − x(3))/x(0)", ylabel="initial signal")
    add_legend(ax)
    return figure
