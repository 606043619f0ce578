"""The table of models in a terminal."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from ecodyn.comparison.result import Comparison
from ecodyn.families.model_name import CLOCK, FAMILY
from ecodyn.report.comparison.rows import KINDS, PROTOCOL_TITLES, Column, ModelRow, model_rows, shown_columns
from ecodyn.report.formatting import steps

if TYPE_CHECKING:
    from rich.table import Table

NOTE_WIDTH = 14  # the notes wrap, but not below this
GAP = 2  # columns between columns
# What is kept where there is no room for all; the notes count diverged rollouts too.
IMPORTANCE = (
    "skill",
    "one_step_r2",
    "interval",
    "member",
    "unexplained",
    "coefficients",
    "diverged",
    "log_skill",
    "order_crossing",
    "fit_seconds",
)


def terminal_table(
    comparison: Comparison, protocol: str | None = None, window: int = 0, *, width: int | None = None
) -> Table:
    """The models under a protocol over a window, as a rich table.

    Parameters
    ----------
    protocol : "unseen_runs", "forecast" or "in_sample"; the headline's by default
    window : index into ``comparison.windows``
    width : columns there are, the terminal's by default. What doesn't fit is left out and named below the table.

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
    fitting = _fitting(columns, rows, width or shutil.get_terminal_size((100, 24)).columns)
    left_out = [c.header for c in columns if c not in fitting]
    table = Table(
        title=f"{PROTOCOL_TITLES.get(protocol, protocol)}, steps {steps(part.window)}",
        caption=_caption(fitting, left_out),
        box=SIMPLE,
        show_edge=False,
        padding=(0, GAP - 1, 0, 0),  # the box itself adds one
        pad_edge=False,
        caption_justify="left",
    )
    table.add_column("model", no_wrap=True)
    for column in fitting:
        table.add_column(column.header, justify="right", no_wrap=True)
    if any(r.notes for r in rows):
        table.add_column("don't trust", min_width=NOTE_WIDTH)
    _add_rows(table, rows, fitting)
    return table


def _add_rows(table: Table, rows: list[ModelRow], columns: list[Column]) -> None:
    """Rows under a heading for each kind of reference; text is never read as markup."""
    from rich.text import Text

    noted = any(r.notes for r in rows)
    kind = FAMILY  # families come first, and need no heading
    for row in rows:
        if row.kind != kind:
            kind = row.kind
            table.add_section()
            table.add_row(Text(KINDS[kind], style="italic dim"))
        cells = [Text(row.cells[c.key]) for c in columns]
        notes = [Text("; ".join(row.notes))] if noted else []
        table.add_row(Text(_name(row)), *cells, *notes, style="" if kind == FAMILY else "dim")


def _name(row: ModelRow) -> str:
    """The heading says that it is a clock, and names are long enough."""
    return str(row.score.name.of_kind(FAMILY)) if row.score.kind == CLOCK else row.name


def _fitting(columns: list[Column], rows: list[ModelRow], width: int) -> list[Column]:
    """The columns for which there is room, taken by importance, in their own order."""
    room = width - max((len(_name(r)) for r in rows), default=0)
    room -= NOTE_WIDTH + GAP if any(r.notes for r in rows) else 0
    kept = set()
    for column in sorted(columns, key=lambda c: IMPORTANCE.index(c.key)):
        needed = max(len(column.header), *(len(r.cells[column.key]) for r in rows)) + GAP
        if needed <= room or column.key == IMPORTANCE[0]:
            kept.add(column)
            room -= needed
    return [c for c in columns if c in kept]


def _caption(columns: list[Column], left_out: list[str]) -> str:
    parts = ["* in the 90 % confidence set"] if any(c.key == "member" for c in columns) else []
    if left_out:
        parts.append(f"no room for: {', '.join(left_out)}")
    return "; ".join(parts)
