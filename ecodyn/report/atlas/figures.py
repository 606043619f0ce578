"""Skills of families against a setting, for each combination of the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ecodyn.comparison.atlas import Atlas, AtlasCell
from ecodyn.families.model_name import NULL
from ecodyn.report.atlas.panels import colours_of, fixed_text, lines_along
from ecodyn.report.style import DEAD, FONT, INK, WORST_SKILL, axes_or_new, escaped

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["plot_skills_along"]

MARGIN = 0.04  # of skill, above 1 and below the lowest
SPREAD = 0.5  # of the room between two values of a setting, in which families stand beside each other


def plot_skills_along(
    atlas: Atlas, setting: str, line: int = 0, window: int = 0, ax: Axes | None = None, *, legend: bool = True
) -> Axes:
    """Skill of each family's best model along a setting, with its 95 % t interval over runs.

    Filled: named there. Grey bars: the best null. What is under −1 stands at the lower edge as a triangle.

    Parameters
    ----------
    setting : whose values are along the axis
    line : which combination of the other settings, in order
    window : index of a window

    Examples
    --------
    See `ecodyn.report.plot_atlas`.

    >>> from ecodyn import Trajectories, compare_by
    >>> from ecodyn.report import plot_skills_along
    >>> steps, starts = np.arange(0.0, 40.0, 2.0), np.linspace(1.0, 3.0, 12).reshape(6, 1, 2)
    >>> runs = Trajectories(starts * np.exp(-0.1 * steps)[:, None], steps, settings={"dim": [8] * 6})
    >>> atlas = compare_by(runs, ["dim"], ["linear"], ["independent"], protocols=["unseen_runs"])
    >>> [label.get_text() for label in plot_skills_along(atlas, "dim").get_xticklabels()]
    ['8']
    """
    fixed, cells = lines_along(atlas, setting)[line]
    values, colours = _values(atlas, setting), colours_of(atlas)
    ax = axes_or_new(ax, (4.6, 3.2))
    for cell in cells:
        x = values.index(cell.setting[setting])
        _draw_null(ax, x, cell, window)
        best = cell.best(window)
        for i, (family, m) in enumerate((f, cell.families(window).get(f)) for f in colours):
            if m is None or not np.isfinite(m.skill):
                continue
            at = x + SPREAD * ((i + 0.5) / len(colours) - 0.5)
            filled = best is not None and best.family == family
            _draw(ax, at, (m.skill, m.skill_interval.low, m.skill_interval.high), colours[family], filled)
    ax.set_xticks(range(len(values)), [escaped(v) for v in values])
    ax.set_xlim(-0.5, len(values) - 0.5)
    ax.set_ylim(_lowest(atlas, window), 1.0 + MARGIN)
    ax.set_xlabel(escaped(setting.replace("_", " ")))
    ax.set_ylabel("skill")
    ax.set_title(escaped(fixed_text(fixed)), fontsize=FONT, color=INK)
    if legend:
        _family_legend(ax, colours)
    return ax


def _values(atlas: Atlas, setting: str) -> list[object]:
    return list(atlas.values[atlas.by.index(setting)])


def _lowest(atlas: Atlas, window: int) -> float:
    """The lower end of skills in all panels alike: all means and best nulls are in, intervals may go beyond."""
    cells = atlas.cells.values()
    found = [m.skill for cell in cells for m in cell.families(window).values() if np.isfinite(m.skill)]
    ends = [v for v in (*found, *(_best_null(cell, window) for cell in cells)) if np.isfinite(v)]
    return max(WORST_SKILL, min(ends, default=0.0)) - MARGIN


def _draw(ax: Axes, x: float, skill: tuple[float, float, float], colour: str, filled: bool) -> None:
    mean, low, high = skill
    if mean < WORST_SKILL:
        ax.plot(x, WORST_SKILL, "v", color=colour, ms=5, clip_on=False)
        return
    if np.isfinite(low):
        ax.plot([x, x], [max(low, WORST_SKILL), min(high, 1.0)], color=colour, lw=1.4, zorder=2)
    ax.plot(x, mean, "o", ms=5, mec=colour, mfc=colour if filled else "white", zorder=3)


def _draw_null(ax: Axes, x: int, cell: AtlasCell, window: int) -> None:
    best = _best_null(cell, window)
    if best >= WORST_SKILL:
        ax.plot([x - SPREAD / 2, x + SPREAD / 2], [best, best], color=DEAD, lw=2.5, zorder=1)


def _best_null(cell: AtlasCell, window: int) -> float:
    part = cell.windows[window] if window < len(cell.windows) else None
    skills = [m.skill for m in part.of(part.headline) if m.kind == NULL and np.isfinite(m.skill)] if part else []
    return max(skills, default=np.nan)


def _family_legend(ax: Axes, colours: dict[str, str]) -> None:
    from matplotlib.lines import Line2D

    entries = [Line2D([], [], color=c, marker="o", ms=5, lw=1.4, label=escaped(f)) for f, c in colours.items()]
    entries.append(Line2D([], [], color=DEAD, lw=2.5, label="best null"))
    ax.legend(handles=entries, frameon=False, fontsize=FONT, loc="upper left", bbox_to_anchor=(1.0, 1.0))
