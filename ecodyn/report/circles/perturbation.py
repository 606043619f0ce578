"""What scaling one circle at the start does to the others, and who survives.

Examples
--------
``plot_perturbation``, of two starts with the first feature plain and raised, after which all lose alike and live:

>>> import numpy as np
>>> from ecodyn import Trajectories
>>> from ecodyn.report import plot_perturbation
>>> from ecodyn.survival import perturbation
>>> start = np.array([[80, 81, 82.0], [96, 81, 82], [79, 83, 80], [95, 83, 80]])
>>> steps = np.arange(11.0)
>>> signal = start[:, None] - 0.002 * start.mean(axis=1)[:, None, None] * steps[:, None]
>>> settings = {"scale_frequency_factor": [1.0, 1.2, 1.0, 1.2]}
>>> runs = Trajectories(signal, steps, cluster=[0, 0, 1, 1], settings=settings)
>>> ax = plot_perturbation(perturbation(runs, alive=np.ones((4, 3), dtype=bool)))
>>> [panel.get_ylabel() for panel in ax.child_axes]
["change of the others' mean signal", 'share that survives to step 10']
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ecodyn.arrays import Array
from ecodyn.report.circles.steps import evenly_log, place_of
from ecodyn.report.style import DEAD, FONT, INK, PALETTE, apply_style, axes_or_new
from ecodyn.statistics.estimates import Estimates
from ecodyn.survival.response import Response
from ecodyn.survival.scaled_start import Perturbation

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["plot_perturbation"]

MOST_LINES = len(PALETTE)  # more would repeat colours


def plot_perturbation(fates: Perturbation, response: Response | None = None, ax: Axes | None = None) -> Axes:
    """Left: change of the others' mean signal against the factor, at some steps; right: who survives.

    Means over initialisations with 95 % intervals. Solid: what happened; dashed, open marks: what the law says.

    Parameters
    ----------
    fates : from ``perturbation``
    response : from ``law_response``; its steps are those that are drawn, at most six. Without it, four are chosen
    """
    from matplotlib.lines import Line2D

    ax = axes_or_new(ax, (8.2, 3.2))
    ax.axis("off")
    left = ax.inset_axes((0.0, 0.0, 0.34, 1.0))
    right = ax.inset_axes((0.62, 0.0, 0.34, 1.0))
    for panel in (left, right):
        apply_style(panel)
        panel.set_xscale("log")
        panel.set_xticks(fates.factors, [f"{f:g}" for f in fates.factors])
        panel.minorticks_off()
        panel.axvline(1.0, color=DEAD, lw=0.8, zorder=0)
        panel.set_xlabel(f"factor on {fates.feature} at step {fates.steps[0]:g}")
    drawn = evenly_log(fates.steps) if response is None else response.steps[response.steps > fates.steps[0]]
    for colour, step in zip(PALETTE, drawn[:MOST_LINES], strict=False):
        at = place_of(fates.steps, float(step))
        _draw_estimates(left, fates.factors, fates.others_change, at, colour)
        if response is not None:
            _draw_estimates(
                left, response.factors, response.predicted, place_of(response.steps, step), colour, law=True
            )
    left.axhline(0.0, color=DEAD, lw=0.8, zorder=0)
    left.set_ylabel("change of the others' mean signal")
    handles = [Line2D([], [], color=c, lw=1.6, label=f"step {s:g}") for c, s in zip(PALETTE, drawn, strict=False)]
    if response is not None:
        handles.append(Line2D([], [], color=INK, marker="o", ms=3.5, lw=1.4, label="observed"))
        handles.append(Line2D([], [], color=INK, marker="o", mfc="white", ms=3.5, ls="--", lw=1.0, label="the law's"))
    left.legend(handles=handles, frameon=False, fontsize=FONT - 1, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    _draw_shares(right, fates)
    return ax


def _draw_estimates(panel: Axes, factors: Array, of: Estimates, column: int, colour: str, *, law: bool = False) -> None:
    mean, low, high = (part[:, column] for part in (of.mean, of.low, of.high))
    panel.errorbar(
        factors,
        mean,
        yerr=[mean - low, high - mean],
        color=colour,
        fmt="o--" if law else "o-",
        mfc="white" if law else colour,
        ms=3.5,
        lw=1.0 if law else 1.4,
        elinewidth=1.0,
        zorder=2 if law else 3,
    )


def _draw_shares(panel: Axes, fates: Perturbation) -> None:
    for of, colour, name in (
        (fates.own_survival, PALETTE[0], f"{fates.feature} itself"),
        (fates.others_survival, PALETTE[1], "others, mean"),
    ):
        error = [of.mean - of.low, of.high - of.mean]
        panel.errorbar(fates.factors, of.mean, yerr=error, color=colour, fmt="o-", ms=3.5, lw=1.4, label=name)
    panel.set_ylim(-0.04, 1.04)
    panel.set_ylabel(f"share that survives to step {fates.steps[-1]:g}")
    panel.legend(frameon=False, fontsize=FONT - 1, loc="center left")
