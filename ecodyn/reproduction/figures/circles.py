"""Figures of row 1, and of short trainings against finished ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ecodyn.report.style import DEAD, FONT, INK, PALETTE, apply_style
from ecodyn.reproduction.figures.pieces import (
    BLUE,
    GREEN,
    SKY,
    add_legend,
    blank_figure,
    frequencies_by_end,
    new_figure,
)
from ecodyn.reproduction.finding import Finding

if TYPE_CHECKING:
    from matplotlib.figure import Figure


FATES = {"early": "alive where short trainings end", "final": "alive at the end", "in_both": "alive at both"}


def proxy(finding: Finding) -> Figure:
    """Circles alive early, at the end, and at both, by rule: a mean over trainings."""
    table = finding.tables["fates"]
    figure, (ax,) = new_figure()
    rules = list(dict.fromkeys(table["rule"].tolist()))
    for number, ((name, label), colour) in enumerate(zip(FATES.items(), (SKY, BLUE, GREEN), strict=True)):
        means = [table[name][table["rule"] == rule].mean() for rule in rules]
        ax.bar(np.arange(len(rules)) + 0.25 * (number - 1), means, 0.22, color=colour, label=label)
    ax.set_xticks(range(len(rules)), rules)
    ax.set_ylabel("circles a training")
    add_legend(ax)
    return figure


def signals(finding: Finding) -> Figure:
    """Signals over log time, and tokens in the Fourier planes of the survivors and of one that died."""
    table, planes = finding.tables["signals"], finding.tables["planes"]
    alive = frequencies_by_end(table, survived=True)
    shown = list(dict.fromkeys(planes["frequency"].tolist()))
    figure = blank_figure((9.6, 5.6))
    top, bottom = np.asarray(figure.subfigures(2, 1, height_ratios=(1.6, 1)))
    ax = top.subplots()
    apply_style(ax)
    colours = dict(zip(alive, PALETTE, strict=False))
    for k in np.unique(table["frequency"]):
        own = table["frequency"] == k
        colour = colours.get(k, DEAD)
        ax.plot(
            table["step"][own], table["signal"][own], color=colour, lw=1.8 if k in colours else 0.8,
            zorder=2 if k in colours else 1, label=f"k = {k}" if k in colours else None,
        )  # fmt: skip
    ax.set_xscale("symlog", linthresh=20)
    ax.set_xlim(0, table["step"].max())
    ax.xaxis.set_major_formatter("{x:g}")
    ax.set(xlabel="step", ylabel="signal")
    ax.plot([], [], color=DEAD, lw=0.8, label="others")
    add_legend(ax, ncols=2)
    for panel, k in zip(np.atleast_1d(bottom.subplots(1, len(shown))), shown, strict=True):
        own = planes["frequency"] == k
        p = int(own.sum())
        order = planes["token"][own] * k % p
        panel.scatter(planes["x"][own], planes["y"][own], c=order, cmap="twilight", s=9, linewidths=0)
        panel.set_aspect("equal")
        panel.set_xticks([])
        panel.set_yticks([])
        dead = "" if planes["survived"][own].all() else ", dead"
        panel.set_title(f"k = {k}{dead}", fontsize=FONT, color=INK)
    bottom.supxlabel("tokens a in each circle's plane, coloured by k·a mod p; scales differ", fontsize=FONT, color=INK)
    return figure
