"""Figures of row 1, and of short trainings against finished ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ecodyn.arrays import Bools
from ecodyn.report.style import CYCLIC, DEAD, FONT, INK, PALETTE, apply_style
from ecodyn.reproduction.figures.pieces import (
    BLUE,
    GREEN,
    SKY,
    add_legend,
    blank_figure,
    frequencies_by_end,
    new_figure,
)
from ecodyn.reproduction.finding import Finding, Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


LINEAR_UNTIL = 20.0  # steps, of a logarithmic time axis: little happens before
FATES = {"early": "alive early", "final": "alive at the end", "in_both": "alive at both"}


def proxy(finding: Finding) -> Figure:
    """Circles alive early, at the end, and at both, by rule: means over trainings, a panel a weight decay and step."""
    table = finding.tables["fates"]
    panels = list(dict.fromkeys(zip(table["weight_decay"].tolist(), table["step"].tolist(), strict=True)))
    rules = list(dict.fromkeys(table["rule"].tolist()))
    figure, axes = new_figure(len(panels), (3.9 * len(panels) + 1.6, 3.4))
    for ax, (decay, step) in zip(axes, panels, strict=True):
        own = (table["weight_decay"] == decay) & (table["step"] == step)
        for number, ((name, label), colour) in enumerate(zip(FATES.items(), (SKY, BLUE, GREEN), strict=True)):
            means = [table[name][own & (table["rule"] == rule)].mean() for rule in rules]
            ax.bar(np.arange(len(rules)) + 0.25 * (number - 1), means, 0.22, color=colour, label=label)
        ax.set_xticks(range(len(rules)), [rule.replace("_", "\n") for rule in rules])
        ax.set_title(f"weight decay {decay:g}, early: step {step}", fontsize=FONT, color=INK)
        ax.set_ylim(0, 1.05 * max(table[name].max() for name in FATES))
    axes[0].set_ylabel("circles a training")
    add_legend(axes[-1], loc="center left", bbox_to_anchor=(1.0, 0.5))
    return figure


def signals(finding: Finding) -> Figure:
    """Row 1: signals over log time; tokens in the circles' planes over training."""
    planes = finding.tables["planes"]
    steps, frequencies = np.unique(planes["step"]), list(dict.fromkeys(planes["frequency"].tolist()))
    figure = blank_figure((9.6, 3.6 + 1.4 * len(steps)))
    top, bottom = np.asarray(figure.subfigures(2, 1, height_ratios=(3.6, 1.4 * len(steps))))
    _draw_signals(top.subplots(), finding.tables["signals"])
    panels = bottom.subplots(len(steps), len(frequencies), squeeze=False)
    for column, k in enumerate(frequencies):
        own = planes["frequency"] == k
        reach = 1.08 * max(np.abs(planes["x"][own]).max(), np.abs(planes["y"][own]).max())
        for row, step in enumerate(steps):
            panel = panels[row, column]
            _draw_tokens(panel, planes, own & (planes["step"] == step), int(k), reach)
            if not row:
                dead = "" if planes["survived"][own].all() else ", dead"
                panel.set_title(f"k = {k}{dead}", fontsize=FONT, color=INK)
            if not column:
                panel.set_ylabel(f"step {step}", fontsize=FONT, color=INK)
    bottom.supxlabel(
        "tokens a in the plane of each circle at the end, coloured by k·a mod p; a column has one scale",
        fontsize=FONT,
        color=INK,
    )
    return figure


def _draw_tokens(panel: Axes, planes: Table, rows: Bools, k: int, reach: float) -> None:
    order = planes["token"][rows] * k % int(rows.sum())
    panel.scatter(planes["x"][rows], planes["y"][rows], c=order, cmap=CYCLIC, s=8, linewidths=0)
    panel.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal", xticks=[], yticks=[])


def _draw_signals(ax: Axes, table: Table) -> None:
    apply_style(ax)
    colours = dict(zip(frequencies_by_end(table, survived=True), PALETTE, strict=False))
    for k in np.unique(table["frequency"]).tolist():
        own = table["frequency"] == k
        ax.plot(
            table["step"][own],
            table["signal"][own],
            color=colours.get(k, DEAD),
            lw=1.8 if k in colours else 0.8,
            zorder=2 if k in colours else 1,
            label=f"k = {k}" if k in colours else None,
        )
    ax.plot([], [], color=DEAD, lw=0.8, label="others")
    ax.set_xscale("symlog", linthresh=LINEAR_UNTIL)
    ax.set(xlim=(0, table["step"].max()), ylim=(0, None), xlabel="step", ylabel="signal")
    ax.xaxis.set_major_formatter("{x:g}")
    add_legend(ax, ncols=2)
