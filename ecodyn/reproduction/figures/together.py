"""Figures of rows 11 and 12: what circles are worth together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ecodyn.report.style import DIVERGING, FONT, INK, PALETTE
from ecodyn.reproduction.figures.pieces import BLUE, LOW, ORANGE, add_legend, new_figure
from ecodyn.reproduction.finding import Finding, Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SIZES = {1: "one", 2: "the strongest and another", 3: "the two strongest and another"}
SMALLEST_LOSS = 1e-12  # drawn; below it rounding is seen


def together(finding: Finding) -> Figure:
    """Row 11: loss over training with chosen circles kept; and what pairs of survivors do together."""
    figure, (left, right) = new_figure(2, LOW, width_ratios=(1.6, 1))
    _draw_losses(left, finding.tables["losses"])
    _draw_pairs(right, finding.tables["pairs"])
    return figure


def _draw_losses(ax: Axes, table: Table) -> None:
    """The first training: a line a set, coloured by the size of the set."""
    own = table["seed"] == table["seed"].min()
    names = list(dict.fromkeys(table["kept"][own].tolist()))
    drawn = set()
    for name in names:
        rows = own & (table["kept"] == name) & (table["step"] > 0)  # the axis is logarithmic
        size = len(str(name).split("+"))
        label = "the whole network" if name == "whole" else SIZES.get(size, "all survivors")
        colour = INK if name == "whole" else PALETTE[min(size, 4) - 1]
        ax.plot(
            table["step"][rows], np.maximum(table["loss"][rows], SMALLEST_LOSS), color=colour,
            lw=1.8 if label in ("the whole network", "all survivors") else 1.0, ls="--" if name == "whole" else "-",
            label=None if label in drawn else label,
        )  # fmt: skip
        drawn.add(label)
    ax.set(xscale="log", yscale="log", xlabel="step", ylabel="loss over all pairs (nats)")
    ax.xaxis.set_major_formatter("{x:g}")
    add_legend(ax, title="circles kept", loc="lower left")


def _draw_pairs(ax: Axes, table: Table) -> None:
    """Interaction of the survivors of the first training, in orders of magnitude."""
    own = table["seed"] == table["seed"].min()
    circles = list(dict.fromkeys(table["i"][own].tolist()))
    matrix = np.full((len(circles), len(circles)), np.nan)
    for i, j, value in zip(table["i"][own], table["j"][own], table["interaction"][own], strict=True):
        matrix[circles.index(i), circles.index(j)] = value / np.log(10)
    top = float(np.nanmax(np.abs(matrix))) if np.isfinite(matrix).any() else 1.0
    image = ax.imshow(matrix, cmap=DIVERGING, vmin=-top, vmax=top)
    ax.set_xticks(range(len(circles)), [str(k) for k in circles])
    ax.set_yticks(range(len(circles)), [str(k) for k in circles])
    ax.set_xlabel("frequency")
    ax.set_title("interaction, orders of magnitude", fontsize=FONT, color=INK)
    bar = ax.get_figure(root=True).colorbar(image, ax=ax, shrink=0.85)  # type: ignore[union-attr]
    bar.ax.tick_params(labelsize=FONT - 1, colors=INK)


def kept(finding: Finding) -> Figure:
    """Row 12: final test loss of trainings with only some frequencies, beside the study's figure."""
    table = finding.tables["losses"]
    figure, (ax,) = new_figure()
    names = list(dict.fromkeys(table["kept"].tolist()))
    for place, name in enumerate(names):
        own = table["kept"] == name
        ax.plot(np.full(own.sum(), place), table["test_loss"][own], ls="", marker="o", ms=5, mew=0, alpha=0.5,
                color=BLUE, label=None if place else "a training")  # fmt: skip
        ax.plot(place, 10 ** np.log10(table["test_loss"][own]).mean(), ls="", marker="_", ms=22, mew=2, color=BLUE,
                label=None if place else "geometric mean")  # fmt: skip
        ax.plot(place, table["figured"][own][0], ls="", marker="x", ms=7, mew=1.8, color=ORANGE,
                label=None if place else "the study's figure, step 30 000")  # fmt: skip
    ax.set_yscale("log")
    ax.set_xticks(range(len(names)), names)
    ax.set(xlabel="frequencies in the embedding", ylabel="test loss (nats)", xlim=(-0.5, len(names) - 0.5))
    add_legend(ax, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return figure
