"""Why a verdict is what it is: rollouts of a few models over the data of a few runs.

Examples
--------
``plot_telling_runs``, of logistic growth and of a linear law fitted to it:

>>> import ecodyn
>>> from ecodyn.report import plot_telling_runs
>>> from ecodyn.systems import SYSTEMS, simulate
>>> runs = simulate(SYSTEMS["logistic"], runs=6, samples=21)
>>> result = ecodyn.compare(runs, ["linear"], ["independent"], protocols=["unseen_runs"], folds=2)
>>> [panel.get_title("left") for panel in plot_telling_runs(result.windows[0]).child_axes]
['typical run (3)', 'best run (4)', 'worst run (0)']
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ecodyn.arrays import Array
from ecodyn.comparison.contenders import UNSEEN_RUNS
from ecodyn.comparison.model_score import ModelScore
from ecodyn.comparison.telling import left_in, telling_models, telling_runs
from ecodyn.comparison.window_result import WindowResult
from ecodyn.families.model_name import NULL
from ecodyn.report.comparison.rollout_figures import (
    MOST_COLOURED,
    bands_of,
    draw_run,
    legend_entries,
    limits_of,
    ordered_at_end,
    survivors_of,
    whole_figure,
)
from ecodyn.report.formatting import percent
from ecodyn.report.style import FONT, INK, apply_style, escaped
from ecodyn.trajectories.labels import Label

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDE = 10.2  # inches
ROW, LEGEND = 1.2, 0.6  # inches of a model's tier, and of what stands above all
SHARE = 0.82  # of a tier is for signals; a title is above them


@dataclass(frozen=True)
class Tier:
    """Where a model's signals stand in axes that several share: from ``low`` to ``high`` in one row of height 1."""

    low: float
    high: float
    row: int

    def __call__(self, signal: Array) -> Array:
        """Signals as heights; what leaves the tier is not drawn, as it would be in axes of its own."""
        return np.where((signal < self.low) | (signal > self.high), np.nan, self.at_edge(signal))

    def at_edge(self, signal: Array) -> Array:
        """The same of areas: what leaves the tier stays at its edge."""
        return SHARE * np.clip((signal - self.low) / (self.high - self.low), 0.0, 1.0) - self.row


def plot_telling_runs(
    window_result: WindowResult,
    protocol: str | None = None,
    ax: Axes | None = None,
    *,
    features: Sequence[Label] | None = None,
    level: float | None = None,
) -> Axes:
    """Why the verdict is what it is: the best three families and the nulls on a typical, the best and the worst run.

    A row is a model, a column a run; above each panel stands what the rollout leaves unexplained there.

    Parameters
    ----------
    protocol : whose rollouts; the headline's by default
    features : names that all runs share; by default features are coloured by their order at the end of each run
    level : of the prediction band of each coloured feature, as in `plot_rollouts`; none by default

    Raises
    ------
    ValueError
        No rollouts were kept.
    """
    w, protocol = window_result, protocol or window_result.headline
    models, runs = telling_models(w, protocol), telling_runs(w, protocol)
    if not runs:
        raise ValueError(f"no rollouts were kept under {protocol!r}: a report that was read has none")
    height = ROW * len(models) + LEGEND
    ax = whole_figure(WIDE, height) if ax is None else ax
    ax.axis("off")
    total = next(iter(w.truth.values()))[1].shape[1]
    places = _telling_places(w, total)
    coloured = _coloured(w, list(runs.values()), places, named=features is not None)
    tiers = [Tier(*limits_of([w.truth[run][1] for run in runs.values()]), row) for row in range(len(models))]
    banded = level is not None and protocol == UNSEEN_RUNS
    for column, (word, run) in enumerate(runs.items()):
        panel = _column(ax, column, len(runs), tiers, LEGEND / height)
        _head(panel, f"{word} run ({run})")
        for m, tier in zip(models, tiers, strict=True):
            if run in w.drawn[protocol, m.name]:
                which, bands = (protocol, m.name), bands_of(w, m.name, level, banded)
                draw_run(panel, w, which, run, coloured[run], bands, tier, tier.at_edge)
            _title(panel, m, run, tier, named=column == 0)
    shown = next(iter(coloured.values()))
    words = [_ordinal(place) for place in places] if features is None else [escaped(features[i]) for i in shown]
    handles = legend_entries(words, total - len(shown), level if banded else None)
    ax.legend(handles=handles, frameon=False, fontsize=FONT, loc="upper left", ncols=len(handles), borderaxespad=0.0)
    return ax


# ---------------------------------------------------------------------- parts


def _telling_places(w: WindowResult, features: int) -> list[int]:
    """Places in the order at the end that tell: the largest, a middle and the last survivor, the next, a middle one."""
    if features <= MOST_COLOURED:
        return list(range(features))
    m = survivors_of(w)
    wanted = {0, (m - 1) // 2, m - 1, m, (m + features) // 2}
    return sorted(place for place in wanted if place < features)


def _coloured(w: WindowResult, runs: Sequence[int], places: Sequence[int], *, named: bool) -> dict[int, list[int]]:
    """The features in these places of each run; where they have names, those of the first run in all."""
    found = {run: [ordered_at_end(w.truth[run][1])[place] for place in places] for run in runs}
    return dict.fromkeys(found, found[runs[0]]) if named else found


def _ordinal(place: int) -> str:
    """A place in the order at the end, in words."""
    number = place + 1
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending} at the end" if place == 0 else f"{number}{ending}"


def _column(ax: Axes, column: int, columns: int, tiers: Sequence[Tier], top: float) -> Axes:
    """Axes for one run, in which models stand over one another: axes of their own for all would take a second."""
    from matplotlib.collections import LineCollection
    from matplotlib.ticker import MaxNLocator

    panel = ax.inset_axes((column / columns, 0.0, 0.94 / columns, 1.0 - top))
    apply_style(panel)
    panel.spines["left"].set_visible(False)
    panel.set_ylim(float(1 - len(tiers)), 1.0)
    sides = [[(0.0, -t.row + SHARE), (0.0, -t.row), (1.0, -t.row)] for t in tiers]
    across = panel.get_yaxis_transform()  # from side to side, whatever the steps
    panel.add_collection(
        LineCollection(sides, colors=INK, linewidths=0.8, transform=across, clip_on=False), autolim=False
    )
    if column:
        panel.set_yticks([])
        return panel
    ticks = [v for v in MaxNLocator(3).tick_values(tiers[0].low, tiers[0].high) if tiers[0].low <= v <= tiers[0].high]
    heights = [float(tier(np.array(v))) for tier in tiers for v in ticks]
    panel.set_yticks(heights, [f"{v:g}" for v in ticks] * len(tiers))
    panel.set_ylabel("signal")
    return panel


def _head(panel: Axes, text: str) -> None:
    """What stands above and below a column."""
    panel.set_title(text, fontsize=FONT + 1, color=INK, fontweight="bold", loc="left", y=1.0, pad=2)
    panel.set_xlabel("step")


def _title(panel: Axes, m: ModelScore, run: int, tier: Tier, *, named: bool) -> None:
    """Over a model's tier what it leaves, at the right; in the first column its name at the left."""
    across, left = panel.get_yaxis_transform(), left_in(m, run)
    said = percent(left) + " left" if np.isfinite(left) else "diverged"
    above: dict[str, Any] = {"transform": across, "fontsize": FONT - 1, "color": INK, "va": "bottom"}
    panel.text(1.0, SHARE - tier.row, said, ha="right", **above)
    if named:
        name = f"{m.label} (null)" if m.kind == NULL else m.label
        panel.text(0.0, SHARE - tier.row, escaped(name), fontweight="bold", **above)
