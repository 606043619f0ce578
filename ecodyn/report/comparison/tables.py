"""The table of models in a terminal."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ecodyn.comparison.result import Comparison
from ecodyn.families.model_name import CLOCK, FAMILY
from ecodyn.report.comparison.rows import KINDS, PROTOCOL_TITLES, Column, ModelRow, model_rows, shown_columns
from ecodyn.report.formatting import steps
from ecodyn.report.terminal import GAP, without_room

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

NOTE_WIDTH = 14  # the notes wrap, but not below this
LEAST_NAME = 16  # long names wrap, but not below this
# What is kept where there is no room for all.
IMPORTANCE = (
    "skill",
    "one_step_r2",
    "member",
    "unexplained",
    "coefficients",
    "interval",
    "diverged",
    "log_skill",
    "order_crossing",
    "fit_seconds",
)
DECIDE = frozenset(IMPORTANCE[:7])  # a verdict rests on these: notes go below the table before one of them is left out
NEEDED = frozenset(IMPORTANCE[:4])  # long names wrap before one of these is left out


def terminal_table(
    comparison: Comparison, protocol: str | None = None, window: int = 0, *, width: int | None = None
) -> Table:
    """The models under a protocol over a window, as a rich table.

    Parameters
    ----------
    protocol : "unseen_runs", "forecast" or "in_sample"; the headline's by default
    window : index into ``comparison.windows``
    width : columns there are, the terminal's by default, 80 where there is none. What doesn't fit is left out and named
        below the table: what a verdict rests on last, names never.

    Examples
    --------
    >>> import ecodyn
    >>> from ecodyn.report import terminal_table
    >>> from ecodyn.systems import SYSTEMS, simulate
    >>> runs = simulate(SYSTEMS["logistic"], runs=6, samples=21)
    >>> result = ecodyn.compare(runs, ["linear"], ["independent"], protocols=["unseen_runs"], folds=2)
    >>> table = terminal_table(result, width=80)
    >>> table.title, [column.header for column in table.columns[:3]]
    ('unseen runs, steps 0:5', ['model', 'set', 'skill'])
    """
    from rich.box import SIMPLE
    from rich.table import Table

    part = comparison.windows[window]
    protocol = protocol or part.headline
    rows = model_rows(comparison, protocol, window)
    columns = shown_columns(rows)
    layout = _laid_out(columns, rows, width or shutil.get_terminal_size((80, 24)).columns)
    left_out = [c.header for c in columns if c not in layout.columns]
    table = Table(
        title=f"{PROTOCOL_TITLES.get(protocol, protocol)}, steps {steps(part.window)}",
        caption=_caption(layout, rows, left_out),
        box=SIMPLE,
        show_edge=False,
        padding=(0, GAP - 1, 0, 0),  # the box itself adds one
        pad_edge=False,
        title_justify="left",
        caption_justify="left",
    )
    table.add_column("model", overflow="fold", width=layout.name)
    for column in layout.columns:
        table.add_column(column.header, justify="right", no_wrap=True)
    if layout.notes:
        table.add_column("don't trust", width=layout.notes)
    _add_rows(table, rows, layout)
    return table


@dataclass(frozen=True)
class Layout:
    """What a terminal has room for: columns, the width of names, and that of notes, 0 where they have no column."""

    columns: list[Column]
    name: int
    notes: int


def _add_rows(table: Table, rows: list[ModelRow], layout: Layout) -> None:
    """Rows under a heading for each kind of reference; text is never read as markup."""
    from rich.text import Text

    kind = FAMILY  # families come first, and need no heading
    for row in rows:
        if row.kind != kind:
            kind = row.kind
            table.add_section()
            table.add_row(Text(KINDS[kind], style="italic dim"))
        cells = [Text(row.cells[c.key]) for c in layout.columns]
        notes = [Text("; ".join(row.notes))] if layout.notes else []
        table.add_row(Text(_name(row)), *cells, *notes, style="" if kind == FAMILY else "dim")


def _name(row: ModelRow) -> str:
    """The heading says that it is a clock, and names are long enough."""
    return str(row.score.name.of_kind(FAMILY)) if row.score.kind == CLOCK else row.name


def _laid_out(columns: list[Column], rows: list[ModelRow], width: int) -> Layout:
    """The columns for which there is room, taken by importance, in their own order."""
    needs = {c: max(len(c.header), *(len(r.cells[c.key]) for r in rows)) + GAP for c in columns}
    longest = max((len(_name(r)) for r in rows), default=0)
    name = min(longest, max(LEAST_NAME, width - sum(need for c, need in needs.items() if c.key in NEEDED)))
    noted = max((len("; ".join(r.notes)) for r in rows), default=0)
    deciding = name + sum(need for c, need in needs.items() if c.key in DECIDE)
    noted = noted if deciding + GAP + NOTE_WIDTH <= width else 0
    room = width - name - (GAP + NOTE_WIDTH if noted else 0)
    kept = set()
    for column in sorted(columns, key=lambda c: IMPORTANCE.index(c.key)):
        if needs[column] <= room or column.key == IMPORTANCE[0]:
            kept.add(column)
            room -= needs[column]
    notes = min(max(noted, NOTE_WIDTH), NOTE_WIDTH + room) if noted else 0
    return Layout([c for c in columns if c in kept], name, notes)


def _caption(layout: Layout, rows: list[ModelRow], left_out: list[str]) -> Text | None:
    """What marks mean, what is left out, and notes with their models where they have no column of their own."""
    from rich.text import Text

    parts = ["* in the 90 % confidence set"] if any(c.key == "member" for c in layout.columns) else []
    parts += [without_room(left_out)] if left_out else []
    lines = ["; ".join(parts)] if parts else []
    if not layout.notes:
        by_note: dict[str, list[str]] = {}
        for row in rows:
            for note in row.notes:
                by_note.setdefault(note, []).append(row.name)
        lines += [f"don't trust {', '.join(names)}: {note}" for note, names in by_note.items()]
    return Text("\n".join(lines)) if lines else None
