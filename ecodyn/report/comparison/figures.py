"""Figures of a comparison: each takes ``ax=None`` and returns the axes it drew on.

Examples
--------
``plot_signals``, ``plot_rollouts`` and ``plot_skill``, of logistic growth and of a linear law fitted to it:

>>> import ecodyn
>>> from ecodyn.report import plot_rollouts, plot_signals, plot_skill
>>> from ecodyn.systems import SYSTEMS, simulate
>>> runs = simulate(SYSTEMS["logistic"], runs=6, samples=21)
>>> result = ecodyn.compare(runs, ["linear"], ["independent"], protocols=["unseen_runs"], folds=2)
>>> plot_signals(runs, run=2).get_xlabel()
'step'
>>> [panel.get_title() for panel in plot_rollouts(result.windows[0], 0, "unseen_runs").child_axes]
['linear/independent']
>>> ax = plot_skill(result.windows[0], "unseen_runs")
>>> ax.get_xlabel(), [label.get_text() for label in ax.get_yticklabels()]
('skill, unseen runs, steps 0:5', ['linear/independent', 'affine_map', 'mean_curve', 'time_only'])
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ecodyn.arrays import Array
from ecodyn.comparison.bands import Band
from ecodyn.comparison.contenders import UNSEEN_RUNS
from ecodyn.comparison.model_score import ModelScore
from ecodyn.comparison.window_result import WindowResult
from ecodyn.families.model_name import CEILING, CLOCK, FAMILY, NULL, ModelName
from ecodyn.report.comparison.rows import PROTOCOL_TITLES
from ecodyn.report.formatting import steps
from ecodyn.report.style import DEAD, FONT, INK, PALETTE, WORST_SKILL, apply_style, axes_or_new, escaped
from ecodyn.survivors.survivors import alive_at_end
from ecodyn.trajectories import Trajectories
from ecodyn.trajectories.labels import Label

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes


KIND_COLOURS = {FAMILY: "#0072B2", CLOCK: "#E69F00", CEILING: "#009E73", NULL: "#777777"}
MOST_PANELS = 6  # two rows of three
MOST_COLOURED = 5  # with "others", "rollout" and its band that makes eight legend entries


def plot_signals(
    trajectories: Trajectories,
    run: int = 0,
    ax: Axes | None = None,
    *,
    labels: int = 6,
    name: str = "feature",
    log_time: bool = False,
    alive: NDArray[np.bool_] | None = None,
) -> Axes:
    """Signals of one run over time: survivors in colour, survivors beyond the colours in black, the rest in grey.

    Parameters
    ----------
    run : position of the run
    labels : how many survivors get a colour and a legend entry, at most 6; the largest at the end come first
    name : what the features are, such as "frequency"
    alive : who survives (feature,); by default as `ecodyn.survival.survivors` has it at the end, all if that can't tell
    """
    ax = axes_or_new(ax, (7.0, 4.0))
    n = int(trajectories.lengths[run])
    t, signal = trajectories.times[run, :n], trajectories.values[run, :n]
    if alive is None:
        alive = alive_at_end(trajectories, run)
    if alive is None:  # too few features to tell who survives
        alive = np.ones(trajectories.n_features, dtype=bool)
    ranked = [int(i) for i in np.argsort(-_last_values(signal)) if alive[i]]
    shown = ranked[: min(labels, len(PALETTE))]
    for colour, i in zip(PALETTE, shown, strict=False):
        ax.plot(t, signal[:, i], color=colour, lw=1.8, zorder=3, label=_label(name, trajectories.features[i]))
    more, others = ranked[len(shown) :], np.flatnonzero(~alive).tolist()
    for places, colour, word in ((others, DEAD, "other"), (more, INK, "more survivor")):
        for number, i in enumerate(places):
            label = None if number else f"{len(places)} {word}{'s' * (len(places) > 1)}"
            ax.plot(t, signal[:, i], color=colour, lw=0.8, zorder=2 if colour == INK else 1, label=label)
    if log_time:
        ax.set_xscale("symlog", linthresh=1.0)
        ax.xaxis.set_major_formatter("{x:g}")
    ax.set_xlim(t[0], t[-1])
    ax.set_xlabel("step")
    ax.set_ylabel("signal")
    ax.legend(frameon=False, fontsize=FONT)
    return ax


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
    level : of a prediction band around the rollout of the largest feature on an unseen run, from the other runs'
        errors; none by default
    """
    if run not in window_result.truth:
        raise ValueError(f"run {run} was not kept for drawing; there are {sorted(window_result.truth)}")
    names = _drawn_models(window_result, run, protocol, models)
    if not names:
        raise ValueError(f"no rollouts of run {run} were kept under {protocol!r}")
    columns = min(3, len(names))
    rows = -(-len(names) // columns)
    ax = axes_or_new(ax, (3.4 * columns + 1.2, 2.5 * rows + 0.3))
    ax.axis("off")
    t, truth = window_result.truth[run]
    shown = _largest_at_end(truth, window_result)
    limits = _limits(truth)
    for number, name in enumerate(names):
        row, column = divmod(number, columns)
        panel = _panel(ax, row, column, rows, columns)
        _draw_data(panel, t, truth, shown)
        drawn = window_result.drawn[protocol, name][run]
        _draw_rollout(panel, *drawn, shown)
        if level is not None and protocol == UNSEEN_RUNS and name in window_result.errors:
            _draw_band(panel, *drawn, shown[0], window_result.errors[name].band(level, without=run))
        panel.set(xlim=(t[0], t[-1]), ylim=limits)
        panel.set_title(str(name), fontsize=FONT, color=INK)
        lowest = number + columns >= len(names)
        # Axes are the same in all panels: numbers stand once a row and once a column.
        panel.tick_params(labelleft=column == 0, labelbottom=lowest)
        panel.set_xlabel("step" if lowest else "")
        panel.set_ylabel("signal" if column == 0 else "")
        # The others' labels stand no further out than the corner's; to measure them all takes longer than to draw.
        panel.set_in_layout(column == 0 and row == rows - 1)
    banded = level is not None and protocol == UNSEEN_RUNS
    _rollout_legend(ax, shown, truth.shape[1], features, level if banded else None)
    return ax


def plot_skill(window_result: WindowResult, protocol: str, ax: Axes | None = None) -> Axes:
    """Skill of each model: its mean over runs with the 95 % interval, a dot for each run.

    Filled means: in the confidence set. Skills under −1 are drawn at the left edge, with their values.
    """
    from matplotlib.lines import Line2D

    # Persistence has skill 0 by definition, and would only squeeze the rest together.
    scores = [m for m in window_result.of(protocol) if m.family != "persistence"]
    ax = axes_or_new(ax, (7.5, 0.34 * len(scores) + 1.4))
    worst = _worst_shown(scores)
    for row, m in enumerate(scores):
        _draw_skill(ax, row, m, worst)
    ax.set_yticks(range(len(scores)), [m.label for m in scores], fontsize=FONT)
    ax.set_ylim(len(scores) - 0.5, -0.5)
    margin = 0.04 * (1.0 - worst)
    ax.set_xlim(worst - margin, 1.0 + margin)
    for special in (0.0, 1.0):
        if special >= worst:
            ax.axvline(special, color=DEAD, lw=0.8, zorder=0)
    ax.set_xlabel(f"skill, {PROTOCOL_TITLES.get(protocol, protocol)}, steps {steps(window_result.window)}")
    kinds = [k for k in KIND_COLOURS if any(m.kind == k for m in scores)]
    handles = [Line2D([], [], color=KIND_COLOURS[k], lw=1.5, label=k) for k in kinds]
    handles.append(Line2D([], [], color=INK, marker="o", ls="", ms=3, alpha=0.4, label="one run"))
    handles.append(Line2D([], [], color=INK, marker="o", ls="", ms=6, label="in the confidence set"))
    ax.legend(handles=handles, frameon=False, fontsize=FONT, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return ax


# ---------------------------------------------------------------------- parts


def _label(name: str, feature: Label) -> str:
    """A legend entry; behind a name, a leading underscore doesn't hide it."""
    return escaped(f"{name} {feature}")


def _drawn_models(w: WindowResult, run: int, protocol: str, models: Sequence[str] | None) -> list[ModelName]:
    """The models of a panel each: by default the families, the best first."""
    drawn = {str(name): name for p, name in w.drawn if p == protocol and run in w.drawn[p, name]}
    wanted = [m.label for m in w.of(protocol) if m.kind == FAMILY] if models is None else models
    return [drawn[label] for label in dict.fromkeys(wanted) if label in drawn][:MOST_PANELS]


def _largest_at_end(truth: Array, w: WindowResult) -> list[int]:
    """As many features as survive on average, largest at the end first."""
    survive = w.start.survivors if np.isfinite(w.start.survivors) else MOST_COLOURED
    many = int(np.clip(round(survive), 1, MOST_COLOURED))
    return [int(i) for i in np.argsort(-_last_values(truth))[:many]]


def _last_values(signal: Array) -> Array:
    """Of each feature of a run (step, feature), its last value there is; NaN where there is none."""
    last = len(signal) - 1 - np.argmax(~np.isnan(signal[::-1]), axis=0)
    return np.asarray(signal[last, np.arange(signal.shape[1])])


def _limits(truth: Array) -> tuple[float, float]:
    """Those of the data: a rollout that leaves them leaves the panel."""
    low, high = float(np.nanmin(truth)), float(np.nanmax(truth))
    room = 0.08 * (high - low) or 1.0
    return low - room, high + room


def _panel(ax: Axes, row: int, column: int, rows: int, columns: int) -> Axes:
    """A small axes inside the given one, so that a figure of panels is still one axes to the caller."""
    right = 0.86  # the legend's place is beyond
    width, height = right / columns, 1.0 / rows
    panel = ax.inset_axes(
        (
            column * width + 0.02,
            1.0 - (row + 1) * height + 0.13 * height,
            0.86 * width,
            0.72 * height,
        )
    )
    apply_style(panel)
    return panel


def _draw_data(ax: Axes, t: Array, truth: Array, shown: list[int]) -> None:
    others = [i for i in range(truth.shape[1]) if i not in shown]
    if others:
        ax.plot(t, truth[:, others], color=DEAD, lw=0.6, zorder=1)
    for colour, i in zip(PALETTE, shown, strict=False):
        ax.plot(t, truth[:, i], color=colour, lw=2.2, alpha=0.45, zorder=2)


def _draw_rollout(ax: Axes, t: Array, rollout: Array, shown: list[int]) -> None:
    for colour, i in zip(PALETTE, shown, strict=False):
        ax.plot(t, rollout[:, i], color=colour, lw=1.3, ls=(0, (4, 1.5)), zorder=3)
    if len(t) and t[0] > ax.dataLim.x0:  # a forecast: everything before is what it was fitted on
        ax.axvline(t[0], color=INK, lw=0.7, ls=":", zorder=0)


def _draw_band(ax: Axes, t: Array, rollout: Array, feature: int, band: Band) -> None:
    """The band of one feature: all have the same width, and several over one another show none."""
    half = band.at(t - t[0])
    low, high = rollout[:, feature] - half, rollout[:, feature] + half
    ax.fill_between(t, low, high, color=PALETTE[0], alpha=0.15, lw=0, zorder=0)


def _rollout_legend(
    ax: Axes, shown: list[int], total: int, features: Sequence[Label] | None, level: float | None
) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    labels = [i if features is None else features[i] for i in shown]
    handles: list[Artist] = [
        Line2D([], [], color=c, lw=2.2, alpha=0.6, label=_label("feature", k))
        for c, k in zip(PALETTE, labels, strict=False)
    ]
    if total > len(shown):
        handles.append(Line2D([], [], color=DEAD, lw=0.8, label=f"{total - len(shown)} others"))
    handles.append(Line2D([], [], color=INK, lw=1.3, ls=(0, (4, 1.5)), label="rollout"))
    if level is not None:
        handles.append(Patch(color=PALETTE[0], alpha=0.15, lw=0, label=f"{100 * level:g} % band"))
    ax.legend(handles=handles, frameon=False, fontsize=FONT, loc="center right", bbox_to_anchor=(1.0, 0.5))


def _worst_shown(scores: list[ModelScore]) -> float:
    """The left end of the skill axis: the worst run that is not off it."""
    values = [v for m in scores for v in (m.skill, m.skill_interval.low, *m.skill_per_run) if np.isfinite(v)]
    return max(WORST_SKILL, min(values, default=0.0))


def _draw_skill(ax: Axes, row: int, m: ModelScore, worst: float) -> None:
    colour = KIND_COLOURS[m.kind]
    runs = m.skill_per_run[np.isfinite(m.skill_per_run)]
    ax.plot(np.maximum(runs, worst), np.full(len(runs), row), "o", color=colour, ms=3, alpha=0.35, mew=0)
    if m.diverged:
        ax.annotate(f" {m.diverged} diverged", (1.0, row), fontsize=FONT - 2, color=INK, va="bottom", ha="right")
    if not np.isfinite(m.skill):
        return
    if m.skill < worst:
        ax.plot(worst, row, "<", color=colour, ms=6)
        ax.annotate(f"  {m.skill:.3g}", (worst, row), fontsize=FONT - 1, color=INK, va="center")
        return
    if np.isfinite(m.skill_interval.low):
        ax.plot([max(m.skill_interval.low, worst), min(m.skill_interval.high, 1.0)], [row, row], color=colour, lw=1.6)
    ax.plot(m.skill, row, "o", ms=6, mec=colour, mfc=colour if m.in_confidence_set else "white")
