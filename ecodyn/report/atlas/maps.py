"""Maps of a grid of settings: which family is named in which cell, and how many features survive there."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np

from ecodyn.comparison.atlas import Atlas, AtlasCell
from ecodyn.comparison.atlas.cell import FAILED
from ecodyn.comparison.candidate import INADEQUATE, NO_FAMILY, TIED, UNDECIDED
from ecodyn.report.atlas.panels import Fixed, colours_of, fixed_text, maps_of, spanned
from ecodyn.report.formatting import number
from ecodyn.report.style import DEAD, FONT, INK, axes_or_new, escaped

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["plot_atlas", "plot_survivors_map"]

WIDE, HIGH = 1.2, 0.72  # inches of a cell, room for three short lines
ROOM = (1.2, 0.9)  # inches for labels
BELOW, LINE = 0.42, 0.2  # inches from the map to the legend below it, and of a line of it
MOST_NAMED = 8  # columns or rows; where there are more, a cell has only its number
STANDS, PALE = 0.62, 0.18  # opacity of what stands over all cells, and of what does not: ink is read on either
HATCHES = {TIED: "//", INADEQUATE: ".."}
WORDS = {UNDECIDED: "undecided", NO_FAMILY: "no family", FAILED: "not compared"}
SHADES = "Greys"  # of the number of survivors: colours are the families'
DARKEST = 0.4  # of the shades: ink has a contrast of 6 to 1 on it


def plot_atlas(atlas: Atlas, window: int = 0, fixed: Fixed | None = None, ax: Axes | None = None) -> Axes:
    """The family that is named in each cell, by colour and name, with its skill.

    Columns are the first setting's values, rows the second's. Full colour: it stands over all cells; pale: it does not.
    Hatched: tied with others; dotted: inadequate. Grey: none is named; in brackets the family that leaves least so far.

    Parameters
    ----------
    atlas : of one or two settings, or of more with values of the others
    window : index of a window
    fixed : values of the settings after the second; the first of each if left out

    Examples
    --------
    >>> from ecodyn import Trajectories, compare_by
    >>> from ecodyn.report import plot_atlas
    >>> steps, starts = np.arange(0.0, 40.0, 2.0), np.linspace(1.0, 3.0, 12).reshape(6, 1, 2)
    >>> runs = Trajectories(starts * np.exp(-0.1 * steps)[:, None], steps, settings={"dim": [8] * 6})
    >>> ax = plot_atlas(compare_by(runs, ["dim"], ["linear"], ["independent"], protocols=["unseen_runs"]))
    >>> [text.get_text().split() for text in ax.texts]
    [['linear', 'independent', '1.000']]
    """
    ax, cells = _grid(atlas, fixed, ax)
    colours = colours_of(atlas)
    named = max(len(values) for values in atlas.values[:2]) <= MOST_NAMED
    for i, j, cell in cells:
        if cell is None:
            _word(ax, i, j, "no runs", DEAD)
            continue
        best = cell.best(window)
        if best is None:
            grey = cell.status(window) != FAILED
            _box(ax, i, j, DEAD if grey else "white", PALE)
            _word(ax, i, j, _unnamed(cell, window) if named else "–", INK)
            continue
        opacity = STANDS if cell.holds(window) else PALE
        _box(ax, i, j, colours[best.family], opacity, HATCHES.get(cell.status(window)))
        lines = [best.family, best.coupling or "", number(best.skill)] if named else [number(best.skill, 2)]
        _word(ax, i, j, "\n".join(lines), INK, hatched=cell.status(window) in HATCHES)
    _legend(ax, atlas, window, colours)
    return ax


def plot_survivors_map(atlas: Atlas, fixed: Fixed | None = None, ax: Axes | None = None) -> Axes:
    """Mean number of survivors at the runs' last steps in each cell, with its 95 % interval, laid out as the map.

    Examples
    --------
    >>> from ecodyn import Trajectories, compare_by
    >>> from ecodyn.report import plot_survivors_map
    >>> steps, starts = np.arange(0.0, 40.0, 2.0), np.linspace(1.0, 3.0, 24).reshape(6, 1, 4)
    >>> runs = Trajectories(starts * np.exp(-0.01 * steps)[:, None], steps, settings={"dim": [8] * 6})
    >>> ax = plot_survivors_map(compare_by(runs, ["dim"], ["linear"], ["independent"], protocols=["unseen_runs"]))
    >>> [text.get_text() for text in ax.texts]
    ['4.0\\n4.0 to 4.0']
    """
    from matplotlib import colormaps

    ax, cells = _grid(atlas, fixed, ax)
    shade = colormaps[SHADES]
    most = max((c.survivors.mean for c in atlas.cells.values() if c.survivors is not None), default=0.0)
    for i, j, cell in cells:
        if cell is None or cell.survivors is None:
            _word(ax, i, j, "no runs" if cell is None else "can't be told", DEAD if cell is None else INK)
            continue
        mean, low, high = cell.survivors.mean, cell.survivors.low, cell.survivors.high
        _box(ax, i, j, shade(DARKEST * mean / most if most > 0 else 0.0), 1.0)
        ends = f"\n{low:.1f} to {high:.1f}" if np.isfinite(low) else ""
        _word(ax, i, j, f"{mean:.1f}{ends}", INK)
    return ax


def _grid(atlas: Atlas, fixed: Fixed | None, ax: Axes | None) -> tuple[Axes, list[tuple[int, int, AtlasCell | None]]]:
    """Axes with the settings' values along them, and the cells by their places."""
    fixed = maps_of(atlas)[0] if fixed is None else fixed
    columns, rows = atlas.values[0], atlas.values[1] if len(atlas.by) > 1 else ("",)
    ax = axes_or_new(ax, (WIDE * len(columns) + ROOM[0], HIGH * len(rows) + ROOM[1]))
    ax.spines[["left", "bottom"]].set_visible(False)
    ax.tick_params(length=0)
    ax.set_xticks(range(len(columns)), [escaped(v) for v in columns])
    ax.set_yticks(range(len(rows)), [escaped(v) for v in rows])
    ax.set_xlim(-0.5, len(columns) - 0.5)
    ax.set_ylim(-0.5, len(rows) - 0.5)
    ax.set_xlabel(escaped(atlas.by[0].replace("_", " ")))
    ax.set_ylabel(escaped(atlas.by[1].replace("_", " ")) if len(atlas.by) > 1 else "")
    if fixed:
        ax.set_title(escaped(fixed_text(fixed)), fontsize=FONT, color=INK)
    return ax, list(spanned(atlas, fixed))


def _box(ax: Axes, i: int, j: int, colour: object, opacity: float, hatch: str | None = None) -> None:
    from matplotlib.colors import to_rgba
    from matplotlib.patches import Rectangle

    face = to_rgba(colour, opacity)  # type: ignore[arg-type]
    ax.add_patch(Rectangle((i - 0.48, j - 0.46), 0.96, 0.92, facecolor=face, edgecolor=DEAD, lw=0.6, hatch=hatch))


def _unnamed(cell: AtlasCell, window: int) -> str:
    """Why no family is named, and which leaves least so far: that is no claim."""
    word = WORDS.get(cell.status(window), cell.status(window))
    least = next(iter(cell.families(window).values()), None)
    return word if least is None else f"{word}\n({least.family}\n{number(least.skill)})"


def _word(ax: Axes, i: int, j: int, text: str, colour: str, *, hatched: bool = False) -> None:
    """Text in a cell, on a ground of its own where the cell may be hatched."""
    ground = {"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 1.2} if hatched else None
    written = ax.text(i, j, escaped(text), ha="center", va="center", fontsize=FONT - 1, color=colour, bbox=ground)
    written.set_linespacing(1.1)


def _legend(ax: Axes, atlas: Atlas, window: int, colours: dict[str, str]) -> None:
    """Families that are named somewhere, and of the marks those that are there."""
    from matplotlib.colors import to_rgba
    from matplotlib.patches import Patch
    from matplotlib.transforms import offset_copy

    cells = list(atlas.cells.values())
    entries: list[Artist] = [
        Patch(facecolor=to_rgba(colours[family], STANDS), edgecolor=DEAD, label=escaped(family))
        for family in colours
        if family in atlas.names(window)
    ]
    if any(cell.names_one(window) and not cell.holds(window) for cell in cells):
        entries.append(Patch(facecolor=to_rgba(INK, PALE), edgecolor=DEAD, label="pale: does not stand over all cells"))
    for status, hatch in HATCHES.items():
        if any(cell.status(window) == status for cell in cells):
            entries.append(Patch(facecolor="white", edgecolor=INK, hatch=hatch, label=status))
    if entries:
        # Below, so that maps can stand beside each other, by inches: the axes' own height is not settled yet.
        figure = cast("Figure", ax.get_figure(root=True))
        figure.set_figheight(figure.get_figheight() + LINE * len(entries))
        ax.legend(
            handles=entries,
            frameon=False,
            fontsize=FONT - 1,
            labelcolor=INK,
            loc="upper left",
            bbox_to_anchor=(0.0, 0.0),
            bbox_transform=offset_copy(ax.transAxes, figure, y=-BELOW, units="inches"),
        )
