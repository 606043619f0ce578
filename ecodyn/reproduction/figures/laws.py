"""Figures of rows 13 and 14: linear equations."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ecodyn.report.style import DEAD, DIVERGING, FONT, INK, PALETTE
from ecodyn.reproduction.figures.pieces import (
    BLUE,
    ORANGE,
    add_legend,
    draw_interval_line,
    frequencies_by_end,
    log_ticks,
    new_figure,
)
from ecodyn.reproduction.finding import Finding, Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MATRIX_QUANTILE = 0.99  # of sizes of coefficients, at which colours end
EVERY_TICK = 5  # frequencies between ticks: labels of all 29 would overlap


def linear(finding: Finding) -> Figure:
    """Row 13: R² of each training, a rollout over the data it was fitted to, and the matrix."""
    figure, (left, middle, right) = new_figure(3, (12.0, 3.8), width_ratios=(0.8, 1.6, 1.1))
    _draw_r2(left, finding.tables["fits"])
    _draw_rollout(middle, finding.tables["rollout"])
    _draw_matrix(right, finding.tables["matrix"])
    return figure


def _draw_r2(ax: Axes, table: Table) -> None:
    shift = np.random.default_rng(0).uniform(-0.12, 0.12, len(table["seed"]))
    columns = (("least squares", "r2_least_squares", BLUE), ("Lasso", "r2_lasso", ORANGE))
    for place, (_, name, colour) in enumerate(columns):
        ax.plot(place + shift, table[name], ls="", marker="o", ms=4, mew=0, alpha=0.6, color=colour)
    ax.set_xticks(range(len(columns)), [label for label, _, _ in columns])
    ax.set(xlim=(-0.5, 1.5), ylabel="in-sample one-step R²", title="a point a training")
    ax.title.set(fontsize=FONT, color=INK)


def _draw_rollout(ax: Axes, table: Table) -> None:
    alive = frequencies_by_end(table, survived=True)
    colours = dict(zip(alive, PALETTE, strict=False))
    for k in np.unique(table["frequency"]):
        own = table["frequency"] == k
        colour = colours.get(int(k), DEAD)
        ax.plot(table["step"][own], table["signal"][own], color=colour, lw=1.6)
        ax.plot(table["step"][own], table["rollout"][own], color=colour, lw=1.2, ls="--")
    ax.plot([], [], color=INK, lw=1.6, label="data")
    ax.plot([], [], color=INK, lw=1.2, ls="--", label="rollout of the fit")
    fitted = table["step"][table["fitted"]].max()
    ax.axvline(fitted, color=INK, lw=0.8, ls=":")
    top = float(np.nanmax(table["signal"]))
    ax.set(
        xlabel="step",
        ylabel="signal",
        ylim=(-0.05 * top, 1.25 * top),
        title=f"fitted to steps 0 to {fitted:g}, rolled out from 0",
    )
    ax.title.set(fontsize=FONT, color=INK)
    add_legend(ax, loc="upper left", ncols=2)


def _draw_matrix(ax: Axes, table: Table) -> None:
    features = np.unique(table["term"])
    matrix = table["coefficient"].reshape(len(features), len(features))
    top = float(np.quantile(np.abs(matrix), MATRIX_QUANTILE))
    image = ax.imshow(matrix, cmap=DIVERGING, vmin=-top, vmax=top)
    places = np.arange(EVERY_TICK - 1, len(features), EVERY_TICK)
    ax.set_xticks(places, [str(features[i]) for i in places])
    ax.set_yticks(places, [str(features[i]) for i in places])
    ax.set(xlabel="signal of", ylabel="change of", title="least-squares matrix")
    ax.title.set(fontsize=FONT, color=INK)
    bar = ax.get_figure(root=True).colorbar(image, ax=ax, shrink=0.85, extend="both")  # type: ignore[union-attr]
    bar.ax.tick_params(labelsize=FONT - 1, colors=INK)


def linear_by_dimension(finding: Finding) -> Figure:
    """Row 14: in-sample one-step R² against the embedding dimension."""
    table = finding.tables["fits"]
    figure, (ax,) = new_figure()
    for label, name, colour in (("least squares", "r2_least_squares", BLUE), ("Lasso", "r2_lasso", ORANGE)):
        draw_interval_line(ax, table["dim"], table[name], table["seed"], color=colour, label=label)
    log_ticks(ax, table["dim"], base=2)
    ax.set(xlabel="embedding dimension d", ylabel="in-sample one-step R²")
    add_legend(ax)
    return figure
