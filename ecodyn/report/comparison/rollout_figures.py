"""Rollouts over the data: of all families on one run; and what such figures are made of.

Examples
--------
``plot_rollouts``, of logistic growth and of a linear law fitted to it:

>>> import ecodyn
>>> from ecodyn.report import plot_rollouts
>>> from ecodyn.systems import SYSTEMS, simulate
>>> runs = simulate(SYSTEMS["logistic"], runs=6, samples=21)
>>> result = ecodyn.compare(runs, ["linear"], ["independent"], protocols=["unseen_runs"], folds=2)
>>> [panel.get_title() for panel in plot_rollouts(result.windows[0], 0, "unseen_runs").child_axes]
['linear/independent']
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ecodyn.arrays import Array
from ecodyn.comparison.contenders import UNSEEN_RUNS
from ecodyn.comparison.feature_bands import FeatureErrors
from ecodyn.comparison.window_result import WindowResult
from ecodyn.families.model_name import FAMILY, ModelName
from ecodyn.report.comparison.figures import feature_label, last_values
from ecodyn.report.style import DEAD, FONT, INK, PALETTE, apply_style, escaped
from ecodyn.trajectories.labels import Label

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

MOST_PANELS = 6  # two rows of three
MOST_COLOURED = 5  # with "others", "rollout" and its band that makes eight legend entries
DASHES = (0, (4, 1.5))  # of rollouts, in line widths
FAINT = 0.15  # a band's ink


@dataclass(frozen=True)
class Bands:
    """From what the band of a rollout is: its model's errors on held-out runs, and the level."""

    errors: FeatureErrors
    level: float


def plot_rollouts(
    window_result: WindowResult,
    run: int,
    protocol: str,
    models: Sequence[str] | None = None,
    ax: Axes | None = None,
    *,
    features: Sequence[Label] | None = None,
    level: float | None = None,
) -> Axes:
    """Rollouts (dashed) over one run's data (solid), a panel for each model.

    Parameters
    ----------
    run : one of the runs kept for drawing, a key of ``window_result.truth``
    protocol : which rollouts; a forecast's start at its origin
    models : labels of models; by default the families, the best six
    features : labels of the features, by default their positions
    level : of prediction bands around the rollouts of the coloured features on an unseen run, each from the other
        runs' errors in the same place; none by default
    """
    if run not in window_result.truth:
        raise ValueError(f"run {run} was not kept for drawing; there are {sorted(window_result.truth)}")
    names = _drawn_models(window_result, run, protocol, models)
    if not names:
        raise ValueError(f"no rollouts of run {run} were kept under {protocol!r}")
    columns = min(3, len(names))
    rows = -(-len(names) // columns)
    ax = whole_figure(3.4 * columns + 1.2, 2.5 * rows) if ax is None else ax
    ax.axis("off")
    truth = window_result.truth[run][1]
    shown, limits = _largest_at_end(truth, window_result), limits_of([truth])
    banded = level is not None and protocol == UNSEEN_RUNS
    for number, name in enumerate(names):
        row, column = divmod(number, columns)
        panel = _panel(ax, row, column, rows, columns)
        draw_run(panel, window_result, (protocol, name), run, shown, bands_of(window_result, name, level, banded))
        panel.set_ylim(limits)
        panel.set_title(escaped(name), fontsize=FONT, color=INK, y=1.0)  # a place given is not looked for
        _label_sides(panel, lowest=number + columns >= len(names), first=column == 0)
    labels = [feature_label("feature", i if features is None else features[i]) for i in shown]
    handles = legend_entries(labels, truth.shape[1] - len(shown), level if banded else None)
    ax.legend(handles=handles, frameon=False, fontsize=FONT, loc="center right", bbox_to_anchor=(1.0, 0.5))
    return ax


# ---------------------------------------------------------------------- parts


def _drawn_models(w: WindowResult, run: int, protocol: str, models: Sequence[str] | None) -> list[ModelName]:
    """The models of a panel each: by default the families, the best first."""
    drawn = {str(name): name for p, name in w.drawn if p == protocol and run in w.drawn[p, name]}
    wanted = [m.label for m in w.of(protocol) if m.kind == FAMILY] if models is None else models
    return [drawn[label] for label in dict.fromkeys(wanted) if label in drawn][:MOST_PANELS]


def _largest_at_end(truth: Array, w: WindowResult) -> list[int]:
    """As many features as survive on average, largest at the end first."""
    return ordered_at_end(truth)[: min(survivors_of(w), MOST_COLOURED)]


def ordered_at_end(truth: Array) -> list[int]:
    """Features of a run (step, feature), the largest at its end first."""
    return [int(i) for i in np.argsort(-last_values(truth))]


def survivors_of(w: WindowResult) -> int:
    """As many as survive in a run on average; a few where nobody can be told apart."""
    return max(1, round(w.start.survivors)) if np.isfinite(w.start.survivors) else MOST_COLOURED


def whole_figure(width: float, height: float) -> Axes:
    """The axes of a figure whose panels' room is known beforehand: to measure all their labels takes a second."""
    from matplotlib.figure import Figure

    left, bottom = 0.6, 0.5  # inches, for numbers and what they are
    return Figure(figsize=(width, height + bottom)).add_axes(
        (left / width, bottom / (height + bottom), 1.0 - left / width, height / (height + bottom))
    )


def limits_of(signals: Sequence[Array]) -> tuple[float, float]:
    """Those of the data: a rollout that leaves them leaves the panel."""
    low, high = min(float(np.nanmin(s)) for s in signals), max(float(np.nanmax(s)) for s in signals)
    room = 0.08 * (high - low) or 1.0
    return low - room, high + room


def _panel(ax: Axes, row: int, column: int, rows: int, columns: int) -> Axes:
    """A small axes inside the given one, so that a figure of panels is still one axes to the caller."""
    right = 0.86  # the legend's place is beyond
    width, height = right / columns, 1.0 / rows
    bounds = (column * width + 0.02, 1.0 - (row + 1) * height + 0.13 * height, 0.86 * width, 0.72 * height)
    panel = ax.inset_axes(bounds)
    apply_style(panel)
    return panel


def _label_sides(panel: Axes, *, lowest: bool, first: bool) -> None:
    """Axes are the same in all panels: numbers stand once a row and once a column."""
    # Others' labels stand no further out than the corner's; to measure all is slow.
    panel.set_in_layout(lowest and first)
    if lowest:
        panel.set_xlabel("step")
    else:
        panel.set_xticks([])
    if first:
        panel.set_ylabel("signal")
    else:
        panel.set_yticks([])


def bands_of(w: WindowResult, name: ModelName, level: float | None, banded: bool) -> Bands | None:
    """From what a model's bands are, where they are wanted and can be had."""
    found = w.feature_errors.get(name)
    return Bands(found, level) if banded and level is not None and found is not None else None


def draw_run(
    panel: Axes,
    w: WindowResult,
    which: tuple[str, ModelName],
    run: int,
    shown: list[int],
    bands: Bands | None,
    heights: Callable[[Array], Array] = np.asarray,
    edges: Callable[[Array], Array] = np.asarray,
) -> None:
    """Data, rollout and bands of one run: a collection each, for a page's hundreds of single lines are slow.

    Signals stand at ``heights``, and the sides of bands at ``edges``.
    """
    from matplotlib.collections import LineCollection, PolyCollection

    (t, data), (times, rolled) = w.truth[run], w.drawn[which][run]
    truth, rollout = heights(data), heights(rolled)
    colours = PALETTE[: len(shown)]
    others = [i for i in range(truth.shape[1]) if i not in shown]
    panel.add_collection(LineCollection(_paths(t, truth, others), colors=DEAD, linewidths=0.6, zorder=1))
    thick = LineCollection(_paths(t, truth, shown), colors=colours, linewidths=2.2, alpha=0.45, zorder=2)
    panel.add_collection(thick)
    if bands is not None:
        half = bands.errors.half_widths(run, bands.level, times - times[0])
        low, high = edges(rolled - half), edges(rolled + half)
        areas = [_area(times, low[:, i], high[:, i]) for i in shown]
        panel.add_collection(PolyCollection(areas, facecolors=colours, alpha=FAINT, linewidths=0, zorder=0))
    dashed = LineCollection(
        _paths(times, rollout, shown), colors=colours, linewidths=1.3, linestyles=[DASHES], capstyle="butt", zorder=3
    )
    panel.add_collection(dashed)
    if len(times) and times[0] > t[0]:  # a forecast: everything before is what it was fitted on
        panel.axvline(times[0], color=INK, lw=0.7, ls=":", zorder=0)
    panel.set_xlim(t[0], t[-1])


def _paths(t: Array, signals: Array, features: list[int]) -> list[Array]:
    """A line a feature, with a gap where there is nothing."""
    return [np.stack([t, signals[:, i]], axis=1) for i in features]


def _area(t: Array, low: Array, high: Array) -> Array:
    """The outline of a band, there where it is finite."""
    there = np.isfinite(low) & np.isfinite(high)
    below, above = np.stack([t, low], axis=1)[there], np.stack([t, high], axis=1)[there]
    return np.concatenate([below, above[::-1]])


def legend_entries(labels: Sequence[str], others: int, level: float | None) -> list[Artist]:
    """The entries of a legend: coloured features, the others, and what else is drawn."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Artist] = [
        Line2D([], [], color=c, lw=2.2, alpha=0.6, label=label) for c, label in zip(PALETTE, labels, strict=False)
    ]
    if others:
        handles.append(Line2D([], [], color=DEAD, lw=0.8, label=f"{others} others"))
    handles.append(Line2D([], [], color=INK, lw=1.3, ls=DASHES, label="rollout"))
    if level is not None:
        handles.append(Patch(color=PALETTE[0], alpha=FAINT, lw=0, label=f"{100 * level:g} % band"))
    return handles
