"""Tables of text in a terminal: no number or name is cut; columns for which there is no room are named instead."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ecodyn.report.formatting import DASH

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["GAP", "text_table", "without_room"]

GAP = 2  # columns between columns
UNIT = "("  # what an interval in brackets begins with: a cell is broken before it, and nowhere else
NARROWEST = 12  # what a column whose text wraps is left with


def text_table(
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    width: int,
    *,
    spare: Sequence[str] = (),
    wrapping: Sequence[str] = (),
    left: Sequence[str] | None = None,
    title: str = "",
    note: str = "",
) -> Table:
    """A table that is as wide as the terminal at most.

    Parameters
    ----------
    header, rows : text, the name of a row first; none of it is read as markup
    width : of the terminal
    spare : columns that are left out where there is no room for all, in this order; then the last ones, but never the
        first two. What is left out is named below the table.
    wrapping : columns of prose, which may be broken between words
    left : columns set to the left, the first if None
    title, note : above and below
    """
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    shown, broken = _shown(header, rows, width, spare, wrapping)
    out = [name for place, name in enumerate(header) if place not in shown]
    notes = [part for part in (note, without_room(out)) if part]
    table = Table(
        title=Text(title, style="italic") if title else None,
        caption=Text("\n".join(notes), style="dim italic") if notes else None,
        box=SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        padding=(0, GAP - 1, 0, 0),  # the box itself adds one
        title_justify="left",
        caption_justify="left",
    )
    cells = [[_broken(cell) if broken else cell for cell in row] for row in rows]
    for place, wide in zip(shown, _widths(header, cells, shown, width, wrapping), strict=True):
        table.add_column(Text(header[place]), justify="left" if _is_left(header, place, left) else "right", width=wide)
    for row in cells:
        table.add_row(*(Text(row[place]) for place in shown))
    return table


def without_room(headers: Sequence[str]) -> str:
    """What is said of columns that were left out; nothing where there are none."""
    return f"no room for the column{'s' * (len(headers) > 1)} {', '.join(headers)}" if headers else ""


def _is_left(header: Sequence[str], place: int, left: Sequence[str] | None) -> bool:
    return place == 0 if left is None else header[place] in left


def _shown(
    header: Sequence[str], rows: Sequence[Sequence[str]], width: int, spare: Sequence[str], wrapping: Sequence[str]
) -> tuple[list[int], bool]:
    """The places of the columns that fit, and whether their cells are broken before brackets for it."""
    places = list(range(len(header)))
    leaving = [*(header.index(name) for name in spare if name in header), *reversed(places[2:])]
    for place in [None, *dict.fromkeys(leaving)]:
        places = [p for p in places if p != place]
        for broken in (False, True):
            columns = [[_broken(row[p]) if broken else row[p] for row in rows] for p in places]
            if _total(_needed(header, columns, places, wrapping)) <= width:
                return places, broken
    return places, True


def _widths(
    header: Sequence[str], rows: Sequence[Sequence[str]], places: list[int], width: int, wrapping: Sequence[str]
) -> list[int]:
    """As wide as each column must be, and what is left over for headers and prose, from the left."""
    columns = [[row[place] for row in rows] for place in places]
    widths = _needed(header, columns, places, wrapping)
    over = max(0, width - _total(widths))
    for n, (place, cells) in enumerate(zip(places, columns, strict=True)):
        wanted = max(_longest([header[place], *cells]) - widths[n], 0)
        widths[n] += min(wanted, over)
        over -= min(wanted, over)
    return widths


def _needed(header: Sequence[str], columns: list[list[str]], places: list[int], wrapping: Sequence[str]) -> list[int]:
    """The least width of each column: of prose any, of others that at which no line of a cell is broken."""
    return [
        NARROWEST if header[place] in wrapping else _longest([*header[place].split(), *cells])
        for place, cells in zip(places, columns, strict=True)
    ]


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + GAP * (len(widths) - 1)


def _broken(cell: str) -> str:
    """A cell of two lines where there is something in brackets, or a half width, after the number."""
    for unit in (f" {UNIT}", " ±"):
        head, found, rest = cell.partition(unit)
        if found and head and head != DASH:
            return f"{head}\n{unit.lstrip()}{rest}"
    return cell


def _longest(cells: Sequence[str]) -> int:
    from rich.cells import cell_len

    return max((cell_len(line) for cell in cells for line in cell.split("\n")), default=1)
