"""Figures of a comparison: each takes ``ax=None`` and returns the axes it drew on.

Examples
--------
``plot_signals`` and ``plot_skill``, of logistic growth and of a linear law fitted to it:

>>> import ecodyn
>>> from ecodyn.report import plot_signals, plot_skill
>>> from ecodyn.systems import SYSTEMS, simulate
>>> runs = simulate(SYSTEMS["logistic"], runs=6, samples=21)
>>> result = ecodyn.compare(runs, ["linear"], ["independent"], protocols=["unseen_runs"], folds=2)
>>> plot_signals(runs, run=2).get_xlabel()
'step'
>>> ax = plot_skill(result.windows[0], "unseen_runs")
>>> ax.get_xlabel(), [label.get_text() for label in ax.get_yticklabels()]
('skill, unseen runs, steps 0:5', ['linear/independent', 'affine_map', 'mean_curve', 'time_only'])
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ecodyn.arrays import Array
from ecodyn.comparison.model_score import ModelScore
from ecodyn.comparison.window_result import WindowResult
from ecodyn.families.model_name import CEILING, CLOCK, FAMILY, NULL
from ecodyn.report.comparison.rows import PROTOCOL_TITLES
from ecodyn.report.formatting import steps
from ecodyn.report.style import DEAD, FONT, INK, PALETTE, WORST_SKILL, axes_or_new, escaped
from ecodyn.survivors.survivors import alive_at_end
from ecodyn.trajectories import Trajectories
from ecodyn.trajectories.labels import Label

if TYPE_CHECKING:
    from matplotlib.axes import Axes


KIND_COLOURS = {FAMILY: "#0072B2", CLOCK: "#E69F00", CEILING: "#009E73", NULL: "#777777"}


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
    ranked = [int(i) for i in np.argsort(-last_values(signal)) if alive[i]]
    shown = ranked[: min(labels, len(PALETTE))]
    for colour, i in zip(PALETTE, shown, strict=False):
        ax.plot(t, signal[:, i], color=colour, lw=1.8, zorder=3, label=feature_label(name, trajectories.features[i]))
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


def feature_label(name: str, feature: Label) -> str:
    """A legend entry; behind a name, a leading underscore doesn't hide it."""
    return escaped(f"{name} {feature}")


def last_values(signal: Array) -> Array:
    """Of each feature of a run (step, feature), its last value there is; NaN where there is none."""
    last = len(signal) - 1 - np.argmax(~np.isnan(signal[::-1]), axis=0)
    return np.asarray(signal[last, np.arange(signal.shape[1])])


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
