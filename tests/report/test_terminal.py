"""Tables of text are as wide as the terminal at most, and cut nothing."""

from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from ecodyn.report.terminal import text_table, without_room

CELL = st.text("ab1-.,", min_size=1, max_size=9)
HEADER = ["state", "AUC", "95 %", "hit rate", "gain"]
ROW = ["signal,velocity", "0.919", "0.893 to 0.946", "0.675", "+0.066 (0.037 to 0.094)"]


def printed(header, rows, width, **options):
    console = Console(width=width, record=True, file=io.StringIO())
    console.print(text_table(header, rows, width, **options))
    return [line.rstrip() for line in console.export_text().splitlines()]


@given(st.lists(st.lists(CELL, min_size=5, max_size=5), min_size=1, max_size=4), st.integers(20, 100))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_no_cell_is_cut_and_what_is_left_out_is_named(rows, width):
    header = [f"h{n}" for n in range(5)]
    lines = printed(header, rows, width)
    shown = lines[0].split()
    assert max(map(len, lines)) <= width
    assert shown[:2] == header[:2]
    assert " ".join(lines).count("no room") == (len(shown) < len(header))
    left_out = [name for name in header if name not in shown]
    assert without_room(left_out) in " ".join(lines)
    for row, line in zip(rows, lines[2:], strict=False):
        assert line.split() == [cell for cell, name in zip(row, header, strict=True) if name in shown]


@pytest.mark.parametrize("width", range(30, 90, 5))
def test_an_interval_is_never_broken(width):
    lines = printed(HEADER, [ROW], width)
    shown = [name for name in HEADER if any(name in line for line in lines[:3])]
    for unit in ("0.893 to 0.946", "(0.037 to 0.094)"):
        column = "95 %" if unit == ROW[2] else "gain"
        assert any(unit in line for line in lines) == (column in shown)


def test_spare_columns_go_first_and_prose_wraps():
    text = "\n".join(printed(HEADER, [ROW], 50, spare=["95 %"]))
    assert "no room for the column 95 %" in text
    assert "gain" in text
    lines = printed(["n", "state"], [["1", "two of a kind and many of another"]], 20, wrapping=["state"])
    assert len(lines) > 3
    assert max(map(len, lines)) <= 20


def test_text_is_not_read_as_markup():
    assert "[bold]" in "\n".join(printed(["a", "b"], [["[bold]", "1"]], 40, title="[red]", note="[0]"))
