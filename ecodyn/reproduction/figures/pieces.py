"""What the figures of the experiments share: lines with intervals, counts under every rule, axes in the one style."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from ecodyn.arrays import Array
from ecodyn.report.style import FONT, PALETTE, apply_style
from ecodyn.reproduction.finding import Table
from ecodyn.survival import DEFAULT_RULE, RULES, clustered_mean

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "BLUE",
    "GREEN",
    "GREY",
    "LOW",
    "ORANGE",
    "SKY",
    "add_legend",
    "blank_figure",
    "draw_counts",
    "draw_interval_line",
    "frequencies_by_end",
    "log_ticks",
    "new_figure",
]

BLUE, ORANGE, GREEN, _, _, SKY = PALETTE
GREY = "#777777"
WIDE, LOW = (7.2, 3.8), (9.6, 3.6)  # inches
LINES = ("-", "--", ":", "-.")
MOST_TICKS = 16  # labels that fit beside each other
COUNT_TICKS = (1, 2, 3, 4, 5, 7, 10, 15, 20, 30, 40, 60)  # of survivors, about evenly apart in their logarithm


def draw_interval_line(
    ax: Axes,
    x: Array,
    y: Array,
    clusters: NDArray[Any],
    *,
    color: str = BLUE,
    label: str | None = None,
    points: bool = True,
    geometric: bool = False,
    within: tuple[float, float] = (-np.inf, np.inf),
) -> None:
    """Mean of y (point,) at each value of x with its interval over clusters, over the points themselves.

    The geometric mean, if asked for, is that of a logarithmic axis; ``within`` is what y can be (see `clustered_mean`).
    """
    places = np.unique(x)
    values = np.log(y) if geometric else y
    means = [clustered_mean(values[x == place], clusters[x == place], within=within) for place in places]
    mean, low, high = (np.array([getattr(e, name) for e in means]) for name in ("mean", "low", "high"))
    if geometric:
        mean, low, high = np.exp(mean), np.exp(low), np.exp(high)
    if points:
        ax.plot(x, y, ls="", marker="o", ms=3, color=color, alpha=0.25, mew=0, zorder=1)
    ends = np.nan_to_num(np.stack([mean - low, high - mean]))
    # Not one errorbar: legends have these after all lines, whatever the order of drawing.
    ax.errorbar(places, mean, yerr=ends, color=color, fmt="none", elinewidth=1.6, capsize=2, zorder=3)
    ax.plot(places, mean, color=color, marker="o", ms=4, lw=1.6, label=label, zorder=3)


def draw_counts(ax: Axes, table: Table, x: str) -> None:
    """Number of survivors against a setting under the default rule, and thinner under every other rule."""
    draw_interval_line(
        ax, table[x], table[DEFAULT_RULE].astype(float), table["seed"], label=DEFAULT_RULE, within=(0.0, np.inf)
    )
    others = [rule for rule in RULES if rule != DEFAULT_RULE and rule in table]
    for rule, line in zip(others, LINES, strict=False):
        places = np.unique(table[x])
        means = [table[rule][table[x] == place].mean() for place in places]
        ax.plot(places, means, color=GREY, lw=1, ls=line, label=rule, zorder=2)
    ax.set_ylabel("surviving circles")
    counts = np.concatenate([table[rule] for rule in RULES if rule in table])
    if counts.min() > 0:  # rules may differ by a factor, and so may the ends of a grid
        ax.set_yscale("log")
        ticks = [n for n in COUNT_TICKS if counts.min() / 1.5 <= n <= 1.5 * counts.max()]
        ax.set_yticks(ticks, [str(n) for n in ticks])
        ax.set_yticks([], minor=True)
    add_legend(ax, title="rule")


def blank_figure(size: tuple[float, float]) -> Figure:
    """A figure without axes, of a size in inches."""
    from matplotlib.figure import Figure

    return Figure(figsize=size, layout="constrained")


def new_figure(
    columns: int = 1, size: tuple[float, float] = WIDE, *, width_ratios: tuple[float, ...] | None = None
) -> tuple[Figure, list[Axes]]:
    """A figure with axes side by side, in the one style."""
    figure = blank_figure(size)
    axes = np.atleast_1d(figure.subplots(1, columns, width_ratios=width_ratios)).ravel().tolist()
    for ax in axes:
        apply_style(ax)
    return figure, axes


def add_legend(
    ax: Axes,
    *,
    title: str | None = None,
    loc: Literal["upper left", "lower left", "center left"] | None = None,
    ncols: int = 1,
    bbox_to_anchor: tuple[float, float] | None = None,
) -> None:
    """A legend without a frame."""
    legend = ax.legend(
        frameon=False, fontsize=FONT - 1, title=title, loc=loc, ncols=ncols, bbox_to_anchor=bbox_to_anchor
    )
    legend.get_title().set_fontsize(FONT - 1)


def log_ticks(ax: Axes, values: Array, base: float = 10.0) -> None:
    """A logarithmic x axis with the values themselves as ticks, as far as they have room."""
    ax.set_xscale("log", base=base)
    every = np.unique(values)
    apart = (np.log(every[-1]) - np.log(every[0])) / MOST_TICKS
    places = [every[-1]]
    for place in every[-2::-1]:
        if np.log(places[-1]) - np.log(place) >= apart:
            places.append(place)
    ax.set_xticks(places, [f"{v:g}" for v in places])
    ax.set_xticks([], minor=True)


def frequencies_by_end(table: Table, *, survived: bool) -> list[int]:
    """Frequencies that did or didn't survive, those of the largest last signal first."""
    last = table["step"] == table["step"].max()
    chosen = last & (table["survived"] == survived)
    order = np.argsort(-table["signal"][chosen])
    return [int(k) for k in table["frequency"][chosen][order]]
