"""Figures of survival: each takes ``ax=None`` and returns the axes it drew on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ecodyn.arrays import Array
from ecodyn.report.style import DEAD, FONT, INK, PALETTE, axes_or_new, escaped
from ecodyn.statistics.clustered import SHARE, clustered_mean
from ecodyn.statistics.intervals import Estimate
from ecodyn.survival.counts import Count
from ecodyn.survival.logistic import Weights
from ecodyn.survival.predictors import Score

if TYPE_CHECKING:
    from matplotlib.axes import Axes


# The line that the study drew through survival rates at p = 59, d = 128 (arXiv 2405.17420, section 3.2.1).
STUDY_GUIDE = ((86.0, 0.0), (95.0, 0.75))
LINES = ("-", (0, (4, 1.5)), (0, (1, 1)))  # once the colours are used up
LEAST_IN_BIN = 5  # values for a rate


def plot_survival_rate(
    values: ArrayLike,
    alive: ArrayLike,
    clusters: ArrayLike,
    ax: Axes | None = None,
    *,
    bins: int = 8,
    guide: Sequence[tuple[float, float]] | None = None,
    name: str = "signal at the start",
) -> Axes:
    """Share of features that survive, in bins of an early predictor that hold as many features each.

    Parameters
    ----------
    values, alive : (run, feature)
    clusters : (run,); intervals are over clusters
    guide : two points of a line to compare with, such as `STUDY_GUIDE`

    Examples
    --------
    >>> from ecodyn.report import plot_survival_rate
    >>> signal = np.arange(70.0, 90.0).reshape(2, 10)  # two runs; whoever starts above 80 lives
    >>> ax = plot_survival_rate(signal, signal > 80, clusters=[0, 1], bins=2)
    >>> [round(float(dot.get_ydata()[0]), 3) for dot in ax.get_lines() if dot.get_marker() == "o"]
    [0.0, 0.9]
    """
    ax = axes_or_new(ax, (5.6, 3.8))
    x, y = np.asarray(values, dtype=float), np.asarray(alive, dtype=bool)
    edges = np.unique(np.quantile(x, np.linspace(0, 1, bins + 1)))
    place = np.clip(np.searchsorted(edges, x, side="right") - 1, 0, max(len(edges) - 2, 0))
    labels = np.broadcast_to(np.asarray(clusters)[:, None], x.shape)
    for b in range(max(len(edges) - 1, 1)):
        own = place == b
        if own.sum() < LEAST_IN_BIN:
            continue
        rate = clustered_mean(y[own], labels[own], within=SHARE)
        _whisker(ax, float(x[own].mean()), rate, PALETTE[0])
    if guide is not None:
        (x0, y0), (x1, y1) = guide
        ax.plot([x0, x1], [y0, y1], color=INK, lw=1.2, ls=(0, (4, 1.5)), label="the study's guide line")
        ax.legend(frameon=False, fontsize=FONT, loc="upper left")
    ax.set_ylim(-0.03, 1.03)
    ax.set_xlabel(name)
    ax.set_ylabel("survival rate")
    return ax


def plot_predictors(scores: Sequence[Score], ax: Axes | None = None) -> Axes:
    """AUC of each predictor over the step it was measured at, with its interval over clusters; 0.5 is a guess.

    Examples
    --------
    >>> from ecodyn import Trajectories
    >>> from ecodyn.report import plot_predictors
    >>> from ecodyn.survival import fitness, survivors
    >>> starts = np.array([[80, 82, 78, 84, 79, 81.0], [83, 79, 80, 78, 82, 81], [79, 80, 83, 81, 78, 82]])
    >>> rates = np.where(starts >= np.sort(starts)[:, [-2]], 0.001, 0.06)  # the two strongest live
    >>> steps = np.arange(41.0)
    >>> runs = Trajectories(starts[:, None] * np.exp(-rates[:, None] * steps[:, None]), steps)
    >>> ax = plot_predictors(fitness(runs, survivors(runs), steps=[0, 4], predictors=["signal"]))
    >>> ax.get_lines()[0].get_ydata().tolist()  # no run has a survivor that started below one of the dead
    [1.0, 1.0]
    """
    names = list(dict.fromkeys(s.predictor for s in scores))
    ax = axes_or_new(ax, (6.8, 4.0))
    for number, name in enumerate(names):
        colour, dashes = PALETTE[number % len(PALETTE)], LINES[number // len(PALETTE) % len(LINES)]
        own = [s for s in scores if s.predictor == name and np.isfinite(s.auc.mean)]
        steps = [s.step for s in own]
        means = [s.auc.mean for s in own]
        ax.plot(steps, means, color=colour, lw=1.6, ls=dashes, label=escaped(name.replace("_", " ")))
        low, high = ([getattr(s.auc, end) for s in own] for end in ("low", "high"))
        ax.fill_between(steps, low, high, color=colour, alpha=0.12, lw=0)
    ax.axhline(0.5, color=DEAD, lw=0.8, zorder=0)
    steps = sorted({s.step for s in scores})
    if len(steps) > 2:
        ax.set_xscale("symlog", linthresh=max(steps[1] - steps[0], 1.0))
        ax.xaxis.set_major_formatter("{x:g}")
    ax.set_xlim(steps[0], steps[-1])
    ax.set_ylim(top=1.005)
    ax.set_xlabel("step of the measurement")
    ax.set_ylabel("AUC of survival")
    ax.legend(frameon=False, fontsize=FONT, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return ax


def plot_counts_by(counts: Sequence[Count], setting: str, ax: Axes | None = None) -> Axes:
    """Survivors a run against a setting: mean with its interval over clusters, fewest and most in grey.

    Examples
    --------
    >>> from ecodyn import Trajectories
    >>> from ecodyn.report import plot_counts_by
    >>> from ecodyn.survival import counts_by, survivors
    >>> start, few, many = [88.0] * 5, [70.0, 9.0, 10.0, 11.0, 8.0], [70.0, 72.0, 71.0, 9.0, 8.0]
    >>> runs = Trajectories([[start, few], [start, many]], [0, 1000], settings={"dim": [8, 16]})
    >>> ax = plot_counts_by(counts_by(runs, survivors(runs), "dim"), "dim")
    >>> ax.get_xlabel(), [label.get_text() for label in ax.get_xticklabels()]
    ('dim', ['8', '16'])
    """
    ax = axes_or_new(ax, (5.6, 3.8))
    numbers = all(isinstance(c.value, int | float) for c in counts)
    places = [float(c.value) for c in counts] if numbers else [float(i) for i in range(len(counts))]
    for x, c in zip(places, counts, strict=True):
        ax.plot([x, x], [c.fewest, c.most], color=DEAD, lw=4, solid_capstyle="butt", zorder=1)
        _whisker(ax, x, c.survivors, PALETTE[0])
    if numbers and min(places) > 0 and max(places) > 10 * min(places):
        ax.set_xscale("log")
    if numbers and len(places) <= 8:
        ax.set_xticks(places, [f"{x:g}" for x in places])
        ax.minorticks_off()
    elif not numbers:
        ax.set_xticks(places, [escaped(c.value) for c in counts])
    ax.set_ylim(bottom=0)
    ax.set_xlabel(escaped(setting.replace("_", " ")))
    ax.set_ylabel("survivors a run")
    return ax


def plot_separation(
    relative: Array,
    signal: Array,
    alive: NDArray[np.bool_],
    ax: Axes | None = None,
    *,
    weights: Weights | None = None,
    step: float | None = None,
) -> Axes:
    """Signal against relative gradient, survivors in colour over grey dead, and where a logistic model parts them.

    Parameters
    ----------
    relative, signal, alive : of one shape
    weights : of log odds in (relative gradient, signal); drawn where they are zero
    step : at which both were measured

    Examples
    --------
    >>> from ecodyn.report import plot_separation
    >>> relative, signal = np.array([0.01, 0.02, 0.03]), np.array([80.0, 78.0, 84.0])
    >>> ax = plot_separation(relative, signal, signal > 83, step=4)
    >>> ax.get_xlabel(), [text.get_text() for text in ax.get_legend().get_texts()]
    ('relative gradient at step 4 (Δx/x per step)', ['dead', 'survivors'])
    """
    ax = axes_or_new(ax, (5.8, 4.2))
    ax.plot(relative[~alive], signal[~alive], "o", color=DEAD, ms=3, mew=0, label="dead")
    ax.plot(relative[alive], signal[alive], "o", color=PALETTE[1], ms=4.5, mew=0, label="survivors")
    limits = ax.get_xlim(), ax.get_ylim()
    if weights is not None and weights.coefficients[1]:
        x = np.array(limits[0])
        a, b = weights.coefficients
        ax.plot(x, -(weights.intercept + a * x) / b, color=INK, lw=1.2, ls=(0, (4, 1.5)), label="even odds")
    ax.set(xlim=limits[0], ylim=limits[1])
    at = "" if step is None else f" at step {step:g}"
    ax.set_xlabel(f"relative gradient{at} (Δx/x per step)")
    ax.set_ylabel(f"signal{at}")
    ax.ticklabel_format(axis="x", style="plain")
    ax.legend(frameon=False, fontsize=FONT, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return ax


def _whisker(ax: Axes, x: float, estimate: Estimate, colour: str) -> None:
    if np.isfinite(estimate.low):
        ax.plot([x, x], [estimate.low, estimate.high], color=colour, lw=1.6, zorder=2)
    ax.plot(x, estimate.mean, "o", color=colour, ms=6, zorder=3)
