"""Figures of rows 2 to 6: how many circles survive."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ecodyn.report.style import DEAD, PALETTE
from ecodyn.reproduction.figures.pieces import (
    BLUE,
    GREY,
    ORANGE,
    add_legend,
    draw_counts,
    draw_interval_line,
    log_ticks,
    new_figure,
)
from ecodyn.reproduction.finding import Finding

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def frozen(finding: Finding) -> Figure:
    """Test loss against the dimension of an embedding that is not trained, at each step."""
    table = finding.tables["losses"]
    figure, (ax,) = new_figure()
    for step, color in zip(np.unique(table["step"]), PALETTE, strict=False):
        own = table["step"] == step
        draw_interval_line(
            ax, table["dim"][own], table["test_loss"][own], table["seed"][own], color=color, label=f"step {step}",
            geometric=True,
        )  # fmt: skip
    place = finding.checks[0]
    if np.isfinite(place.low):
        ax.axvspan(place.low, place.high, color=DEAD, alpha=0.4, lw=0, label="half of the last fall, 95 %")
    ax.set_yscale("log")
    log_ticks(ax, table["dim"], base=2)
    ax.set(xlabel="embedding dimension d", ylabel="test loss (nats)")
    add_legend(ax)
    return figure


def dimension(finding: Finding) -> Figure:
    """Circles against d."""
    table = finding.tables["counts"]
    figure, (ax,) = new_figure()
    draw_counts(ax, table, "dim")
    log_ticks(ax, table["dim"], base=2)
    ax.set_xlabel("embedding dimension d")
    return figure


def prime(finding: Finding) -> Figure:
    """Circles against p."""
    table = finding.tables["counts"]
    figure, (ax,) = new_figure()
    draw_counts(ax, table, "p")
    log_ticks(ax, table["p"], base=2)
    ax.set_xlabel("modulus p")
    return figure


def decay(finding: Finding) -> Figure:
    """Circles against weight decay, beside the study's figure."""
    table = finding.tables["counts"]
    figure, (ax,) = new_figure()
    draw_counts(ax, table, "weight_decay")
    for name, marker, words in (
        ("figured", "x", "the study's figure"),
        ("figured_as_far", "+", "the same at equal decay × steps"),
    ):
        known = np.isfinite(table[name])
        ax.plot(table["weight_decay"][known], table[name][known], ls="", marker=marker, ms=8, mew=1.8, color=ORANGE,
                label=words, zorder=4)  # fmt: skip
    log_ticks(ax, table["weight_decay"])
    ax.set_xlabel("weight decay")
    add_legend(ax)
    return figure


def circularity(finding: Finding) -> Figure:
    """Circularity at the start of those that survive and of those that die, against d."""
    table = finding.tables["circularity"]
    figure, (ax,) = new_figure()
    for name, color in (("died", GREY), ("survived", BLUE)):
        draw_interval_line(ax, table["dim"], table[name], table["seed"], color=color, label=name, points=False)
    log_ticks(ax, table["dim"], base=2)
    ax.set(xlabel="embedding dimension d", ylabel="circularity at the start")
    add_legend(ax)
    return figure
