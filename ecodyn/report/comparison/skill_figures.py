"""Figures of skill over time: by phase of training, and by horizon within one.

A family has a colour and a coupling a marker or line style, so that a legend stays short however many models there
are.

Examples
--------
``plot_skill_by_phase`` and ``plot_skill_by_horizon``, of a comparison of one window:

>>> import ecodyn
>>> from ecodyn.report import plot_skill_by_horizon, plot_skill_by_phase
>>> from ecodyn.systems import SYSTEMS, simulate
>>> runs = simulate(SYSTEMS["logistic"], runs=6, samples=21)
>>> result = ecodyn.compare(runs, ["linear"], ["independent"], protocols=["unseen_runs"], folds=2)
>>> [label.get_text().strip() for label in plot_skill_by_phase(result).get_xticklabels()]
['0:5']
>>> ax = plot_skill_by_horizon(result.windows[0])
>>> ax.get_xlabel(), [float(end) for end in ax.get_xlim()]
('horizon: up to step', [0.0, 5.0])
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ecodyn.comparison.contenders import UNSEEN_RUNS
from ecodyn.comparison.model_score import ModelScore
from ecodyn.comparison.result import Comparison
from ecodyn.comparison.window_result import WindowResult
from ecodyn.equations.library import COUPLINGS
from ecodyn.families import REGISTRY
from ecodyn.families.model_name import FAMILY, NULL
from ecodyn.report.comparison.rows import PROTOCOL_TITLES
from ecodyn.report.formatting import steps
from ecodyn.report.style import DEAD, FONT, INK, PALETTE, WORST_SKILL, axes_or_new
from ecodyn.rollouts.iteration import MAP

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

MARKERS = {"independent": "o", "exchangeable": "s", "full": "D"}  # by coupling
LINES = {"independent": (0, (4, 1.5)), "exchangeable": "-", "full": (0, (1, 1.2))}  # dashes and gaps in line widths
Name = tuple[str, str, str]  # family (or its map), coupling, state

MOST_ENTRIES = 8  # of a legend beside the axes
MOST_FAMILIES = 4  # with three couplings and the null that makes eight legend entries; others are grey
GROUP = 0.7  # of the room between two groups
BEST_NULL = "best null"  # in legends
MOST_CURVES = 6  # that a reader can tell apart


def plot_skill_by_phase(result: Comparison, ax: Axes | None = None, *, protocol: str | None = None) -> Axes:
    """Skill of each family by window, in groups: the mean over runs with its 95 % interval.

    Filled means: in the window's confidence set. A grey bar is the best null, what must be beaten. Skills under −1
    are drawn at the lower edge as triangles, with their values.

    Parameters
    ----------
    protocol : "unseen_runs", "forecast" or "in_sample"; each window's headline by default
    """
    parts = [w.of(protocol or w.headline) for w in result.windows]
    families = [[m for m in scores if m.kind == FAMILY] for scores in parts]
    named = _names([m for scores in families for m in scores])
    ax = axes_or_new(ax, (max(5.0, 0.22 * len(named) * len(parts) + 3.0), 3.8))
    colours = _colours(named)
    worst = _lower_end([m for scores in families for m in scores])
    for group, (members, everyone) in enumerate(zip(families, parts, strict=True)):
        for m in members:
            place = named.index(_name(m))
            x = group + GROUP * ((place + 0.5) / len(named) - 0.5)
            _draw_mean(ax, x, m, colours.get(_family(m), DEAD), worst)
        _draw_null(ax, group, everyone, worst)
    names = [f"{steps(w.window)}\n{p}" for w, p in zip(result.windows, result.phase_names(), strict=True)]
    ax.set_xticks(range(len(parts)), names, fontsize=FONT)
    ax.set_xlim(-0.5, len(parts) - 0.5)
    margin = 0.05 * (1.0 - worst)
    ax.set_ylim(worst - margin, 1.0 + margin)
    for edge in range(1, len(parts)):
        ax.axvline(edge - 0.5, color=DEAD, lw=0.6, zorder=0)
    ax.set_ylabel("skill" if protocol is None else f"skill, {PROTOCOL_TITLES.get(protocol, protocol)}")
    ax.set_xlabel("steps")
    _family_legend(ax, named, colours, lines=False)
    return ax


def plot_skill_by_horizon(
    window_result: WindowResult,
    protocol: str = UNSEEN_RUNS,
    models: Sequence[str] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Skill up to each horizon of the window: the mean over runs, its 95 % t interval shaded.

    A model whose whole skill is under −1 ends in a triangle at the lower edge, with its value.

    Parameters
    ----------
    models : labels of models; by default the families, the best six
    """
    scores = [
        m
        for m in window_result.of(protocol)
        if m.skill_by_horizon is not None and (m.kind == FAMILY if models is None else m.label in models)
    ][:MOST_CURVES]
    if not scores:
        raise ValueError(f"no models with skills by horizon under {protocol!r}")
    ax = axes_or_new(ax, (6.4, 3.6))
    named = _names(scores)
    colours = _colours(named)
    shown = [v for m in scores for v in _finite(m.skill_by_horizon.skill if m.skill_by_horizon else ())]
    worst = max(WORST_SKILL, min(shown, default=0.0))
    for m in scores:
        _draw_curve(ax, m, window_result.window, colours.get(_family(m), DEAD), worst)
    _mark_curves_beyond(ax, scores, window_result.window, colours, worst)
    if worst <= 0:
        ax.axhline(0.0, color=DEAD, lw=0.8, zorder=0)
    first, last = window_result.window
    ax.set_xlim(first, last)
    ax.set_ylim(worst - 0.05 * (1.0 - worst), 1.0 + 0.03 * (1.0 - worst))
    whole = protocol == UNSEEN_RUNS
    ax.set_xlabel("horizon: up to step" if whole else "horizon, as a share of what is rolled out")
    if not whole:
        shares = np.linspace(0.0, 1.0, 5)
        ax.set_xticks(first + shares * (last - first), [f"{share:.0%}" for share in shares])
    ax.set_ylabel("skill until then")
    _family_legend(ax, named, colours, lines=True)
    return ax


# ---------------------------------------------------------------------- parts


def _name(m: ModelScore) -> Name:
    return _family(m), m.coupling or "", m.state


def _family(m: ModelScore) -> str:
    """A family's maps have a colour of their own."""
    return f"{m.family} ({MAP})" if m.dynamics == MAP else m.family


def _names(scores: Sequence[ModelScore]) -> list[Name]:
    """Families in their fixed order, and within them couplings in theirs."""
    places = {_family(m): _place(m) for m in scores}
    return sorted({_name(m) for m in scores}, key=lambda n: (places[n[0]], n[0], _coupling_place(n[1]), n[2]))


def _place(m: ModelScore) -> int:
    """A family's place among those that are registered; behind them where its distribution is not there."""
    return list(REGISTRY).index(m.family) if m.family in REGISTRY else len(REGISTRY)


def _coupling_place(coupling: str) -> int:
    return COUPLINGS.index(coupling) if coupling in COUPLINGS else 0


def _colours(named: Sequence[Name]) -> dict[str, str]:
    """A colour for each family; where they are too many, for the first few, and the others have none."""
    families = list(dict.fromkeys(family for family, _, _ in named))
    shown = families if len(families) <= MOST_FAMILIES else families[: MOST_FAMILIES - 1]
    return dict(zip(shown, PALETTE, strict=False))


def _finite(values: Sequence[float]) -> list[float]:
    return [v for v in values if np.isfinite(v)]


def _lower_end(scores: Sequence[ModelScore]) -> float:
    return max(WORST_SKILL, min(0.0, *_finite([0.0, *(v for m in scores for v in (m.skill, m.skill_interval.low))])))


def _draw_mean(ax: Axes, x: float, m: ModelScore, colour: str, worst: float) -> None:
    """A mean with its interval; what is off the lower end as a triangle there with its value."""
    if not np.isfinite(m.skill):
        return
    if m.skill < worst:
        _mark_beyond(ax, x, m.skill, colour, worst)
        return
    if np.isfinite(m.skill_interval.low):
        ax.plot(
            [x, x], [max(m.skill_interval.low, worst), min(m.skill_interval.high, 1.0)], color=colour, lw=1.4, zorder=2
        )
    face = colour if m.in_confidence_set else "white"
    ax.plot(x, m.skill, MARKERS.get(m.coupling or "", "o"), ms=5, mec=colour, mfc=face, zorder=3)


def _mark_beyond(ax: Axes, x: float, skill: float, colour: str, worst: float) -> None:
    ax.plot(x, worst, "v", color=colour, ms=5, clip_on=False)
    text = f"{skill:.2g}".replace("-", "−")
    ax.annotate(
        text,
        (x, worst),
        xytext=(0, 5),
        textcoords="offset points",
        rotation=90,
        ha="center",
        va="bottom",
        fontsize=FONT - 2,
        color=INK,
    )


def _draw_null(ax: Axes, group: int, scores: Sequence[ModelScore], worst: float) -> None:
    best = max(_finite([m.skill for m in scores if m.kind == NULL]), default=float("nan"))
    if best >= worst:
        ax.plot([group - GROUP / 2, group + GROUP / 2], [best, best], color=DEAD, lw=2.5, zorder=1)


def _draw_curve(ax: Axes, m: ModelScore, window: tuple[float, float], colour: str, worst: float) -> None:
    curve = m.skill_by_horizon
    if curve is None:
        return
    at = window[0] + np.array(curve.horizons) * (window[1] - window[0])
    seen = np.array(curve.skill) >= worst  # an interval whose mean is off the figure would be a cloud without a curve
    ax.fill_between(at, curve.low, curve.high, where=seen, color=colour, alpha=0.15, lw=0, zorder=1)
    ax.plot(at, curve.skill, color=colour, ls=LINES.get(m.coupling or "", "-"), lw=1.6, zorder=2)


def _mark_curves_beyond(
    ax: Axes, scores: Sequence[ModelScore], window: tuple[float, float], colours: dict[str, str], worst: float
) -> None:
    """Triangles at the end of the lower edge, beside one another, for curves that end below the figure."""
    beyond = [m for m in scores if m.skill < worst]
    for place, m in enumerate(beyond):
        x = window[1] - 0.04 * (len(beyond) - 1 - place) * (window[1] - window[0])
        _mark_beyond(ax, x, m.skill, colours.get(_family(m), DEAD), worst)


def _family_legend(ax: Axes, named: Sequence[Name], colours: dict[str, str], *, lines: bool) -> None:
    """Families by colour, couplings by marker or line style; what filled markers are if there is room."""
    from matplotlib.lines import Line2D

    families = list(dict.fromkeys(family for family, _, _ in named))
    couplings = [c for c in MARKERS if any(c == coupling for _, coupling, _ in named)]
    entries: list[Artist] = [Line2D([], [], color=colours[f], lw=3, label=f) for f in families if f in colours]
    if len(families) > len(colours):
        entries.append(Line2D([], [], color=DEAD, lw=3, label="other families"))
    for c in couplings if len(couplings) > 1 else ():
        style = {"ls": LINES[c]} if lines else {"ls": "", "marker": MARKERS[c], "ms": 5, "mfc": "white"}
        entries.append(Line2D([], [], color=INK, label=c, **style))
    if not lines:
        entries.append(Line2D([], [], color=DEAD, lw=2.5, label=BEST_NULL))
    if not lines and len(entries) < MOST_ENTRIES:
        entries.append(Line2D([], [], color=INK, marker="o", ls="", ms=5, label="in the confidence set"))
    ax.legend(handles=entries, frameon=False, fontsize=FONT, loc="upper left", bbox_to_anchor=(1.0, 1.0))
