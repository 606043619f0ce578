"""An atlas as one page, which links to the pages of its cells."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from ecodyn.comparison.atlas import Atlas
from ecodyn.families.model_name import ModelName
from ecodyn.report.atlas.coefficients import MOST_LINES, laws_of_atlas, plot_coefficient_along, terms_of
from ecodyn.report.atlas.figures import plot_skills_along
from ecodyn.report.atlas.maps import plot_atlas, plot_survivors_map
from ecodyn.report.atlas.panels import fixed_text, lines_along, maps_of
from ecodyn.report.atlas.rows import CellRow, cell_rows, grouped_failures
from ecodyn.report.embedded import Figure, Image, svg, template
from ecodyn.report.formatting import steps
from ecodyn.runtime.files import write_whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["write_atlas"]

MOST_MAPS = 12  # a map for each combination of the settings after the second; the table has them all
MOST_PANELS = 6  # of skills along a setting, in one figure
MOST_TERMS = 6  # whose coefficients are drawn
IN_A_ROW = 4  # panels: with their legend as wide as the page
PANEL = (2.35, 2.5)  # inches
LEGEND = 1.7  # inches beside the panels


CAPTION = (
    "Which family is named in each cell, with its skill. Grey: none is; in brackets the one that leaves least so far, "
    "which is no claim."
)


@dataclass(frozen=True, kw_only=True)
class WindowSection:
    """What the page shows of one window."""

    name: str
    verdict: str
    maps: list[Figure]
    more_maps: int
    skills: list[Figure]
    laws: list[tuple[str, list[Figure]]]
    rows: list[CellRow]


def write_atlas(atlas: Atlas, path: str | os.PathLike[str], *, force: bool = False) -> None:
    """Write the page: no network, no script, figures inside; only the cells' own pages are beside it.

    Raises
    ------
    OutputExistsError
        The file exists and ``force`` is false.
    """
    windows = [_section(atlas, window) for window in range(max(1, len(atlas.windows)))]
    text = template("atlas.html").render(
        by=atlas.by,
        verdict=atlas.verdict,
        control=atlas.control_statement,
        windows=windows,
        survivors=_survivors(atlas),
        notes=atlas.notes,
        failures=grouped_failures(atlas.failures),
        summary=_summary(atlas),
    )
    with write_whole(path, force=force) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _summary(atlas: Atlas) -> str:
    runs = sum(cell.runs for cell in atlas.cells.values())
    sizes = " × ".join(f"{len(own)} {name}" for name, own in zip(atlas.by, atlas.values, strict=True))
    return f"{runs} runs in {len(atlas.cells)} cells of {sizes}"


def _section(atlas: Atlas, window: int) -> WindowSection:
    drawn = maps_of(atlas)
    return WindowSection(
        name=steps(atlas.windows[window]) if window < len(atlas.windows) else "",
        verdict=atlas.verdict_of(window),
        maps=[
            Figure(
                picture=svg(plot_atlas(atlas, window, fixed)),
                caption=CAPTION,
                text=" ".join(["Map of the family named in each cell.", fixed_text(fixed), atlas.verdict_of(window)]),
            )
            for fixed in drawn[:MOST_MAPS]
        ],
        more_maps=max(0, len(drawn) - MOST_MAPS),
        skills=[_skills(atlas, setting, window) for setting in _varied(atlas)],
        laws=[
            (str(law), [_coefficients(atlas, law, setting, window) for setting in _varied(atlas)])
            for law in laws_of_atlas(atlas, window)
            if terms_of(atlas, law, window)
        ],
        rows=cell_rows(atlas, window),
    )


def _varied(atlas: Atlas) -> list[str]:
    """Settings along which there is something to see."""
    return [name for name, values in zip(atlas.by, atlas.values, strict=True) if len(values) > 1]


def _survivors(atlas: Atlas) -> list[Figure]:
    if all(cell.survivors is None for cell in atlas.cells.values()):
        return []
    caption = "Mean number of survivors at the runs' last steps, with its 95 % interval over independent runs."
    return [
        Figure(
            picture=svg(plot_survivors_map(atlas, fixed)),
            caption=caption,
            text=f"Map of the mean number of survivors in each cell. {fixed_text(fixed)} The table has the numbers.",
        )
        for fixed in maps_of(atlas)[:MOST_MAPS]
    ]


def _skills(atlas: Atlas, setting: str, window: int) -> Figure:
    lines = lines_along(atlas, setting)
    shown = range(min(len(lines), MOST_PANELS))
    last = shown[-1]

    def draw(ax: Axes, line: int) -> None:
        plot_skills_along(atlas, setting, line, window, ax, legend=line == min(IN_A_ROW - 1, last))

    left_out = (
        f" The first {MOST_PANELS} of {len(lines)} combinations of the other settings." if lines[len(shown) :] else ""
    )
    caption = (
        f"Skill of each family's best model against {setting}, with its 95 % t interval over independent runs; filled: "
        "named in that cell. Grey bars: the best null, what must be beaten. Intervals end at the figure's edge."
        f"{left_out}"
    )
    return Figure(picture=_panels(list(shown), draw), caption=caption, text=caption)


def _coefficients(atlas: Atlas, law: ModelName, setting: str, window: int) -> Figure:
    terms = terms_of(atlas, law, window)
    shown = terms[:MOST_TERMS]
    beside = min(IN_A_ROW, len(shown)) - 1

    def draw(ax: Axes, place: int) -> None:
        plot_coefficient_along(atlas, law, shown[place], setting, window, ax)
        if place == beside and len(atlas.by) > 1:
            ax.legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(1.0, 1.0))

    more = f" The first {MOST_TERMS} of {len(terms)} terms." if len(terms) > MOST_TERMS else ""
    lines = len(lines_along(atlas, setting))
    more += f" The first {MOST_LINES} of {lines} combinations of the other settings." if lines > MOST_LINES else ""
    caption = (
        f"Coefficients of {law}, fitted to all runs of each cell, against {setting}, with 95 % intervals over runs; "
        f"filled: the law is named in that cell. Logarithmic where all are of one sign.{more}"
    )
    return Figure(picture=_panels(list(range(len(shown))), draw), caption=caption, text=caption)


def _panels(places: Sequence[int], draw: Callable[[Axes, int], None]) -> Image:
    """Panels side by side, in rows."""
    from matplotlib.figure import Figure as Canvas

    columns = min(IN_A_ROW, len(places))
    rows = -(-len(places) // columns)
    figure = Canvas(figsize=(PANEL[0] * columns + LEGEND, PANEL[1] * rows), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for ax in axes[len(places) :]:
        ax.remove()
    for ax, place in zip(axes, places, strict=False):
        draw(ax, place)
    return svg(cast("Axes", axes[0]))
