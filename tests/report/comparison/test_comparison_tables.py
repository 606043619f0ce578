"""Tables of a comparison: their numbers, their notes, and that they fit a terminal."""

from __future__ import annotations

import io
import math
from dataclasses import replace

import numpy as np
import pytest
from small_comparison import full_law

from ecodyn.comparison import Comparison
from ecodyn.comparison.model_score import ModelScore
from ecodyn.comparison.window_result import WindowResult
from ecodyn.families.law import Law
from ecodyn.report import (
    fragment,
    plot_coefficients,
    plot_skill,
    terminal_table,
)
from ecodyn.report.comparison.rows import law_notes, model_rows
from ecodyn.report.formatting import interval, number
from ecodyn.statistics.intervals import Estimate


def _same(record: dict, m: ModelScore) -> bool:
    keys = ("family", "coupling", "state", "kind", "protocol")
    return all(record[k] == getattr(m, k) for k in keys) and record["window"] == list(m.window)


def test_nan_is_a_dash(comparison: Comparison, window: WindowResult) -> None:
    lost = replace(
        window.models[0],
        skill_interval=Estimate(math.nan, math.nan, math.nan, 0),
        log_skill=math.nan,
        diverged=5,
        skill_per_run=np.full(6, math.nan),
    )
    broken = replace(comparison, windows=[replace(window, models=[lost, *window.models[1:]])])
    row = next(r for r in model_rows(broken, lost.protocol) if r.score is lost)
    assert {row.cells[k] for k in ("skill", "interval", "unexplained", "log_skill")} == {"–"}
    assert "diverged on 5 of 6" in row.notes
    assert "nan" not in fragment(broken).lower().replace("name", "")
    plot_skill(broken.windows[0], lost.protocol)


def test_table_cells_are_the_numbers_of_the_json(comparison: Comparison) -> None:
    records = comparison.to_json()["models"]
    seen = 0
    for index in range(len(comparison.windows)):
        for protocol in ("unseen_runs", "forecast", "in_sample"):
            for row in model_rows(comparison, protocol, index):
                m = row.score
                record = next(r for r in records if _same(r, m))
                assert row.cells["skill"] == number(record["skill"])
                assert row.cells["interval"] == interval(record["skill_low"], record["skill_high"])
                assert row.cells["log_skill"] == number(record["log_skill"])
                assert (row.cells["member"] == "*") == record["in_confidence_set"]
                seen += 1
    assert seen == len(records)


@pytest.mark.parametrize("width", [60, 80, 100, 200])
@pytest.mark.parametrize("protocol", ["unseen_runs", "forecast", "in_sample"])
def test_the_terminal_table_fits_and_keeps_names_whole(comparison: Comparison, protocol: str, width: int) -> None:
    from rich.console import Console

    console = Console(width=width, record=True, file=io.StringIO())
    console.print(terminal_table(comparison, protocol, 1, width=width))
    text = console.export_text()
    assert "…" not in text
    assert max(len(line.rstrip()) for line in text.splitlines()) <= width
    for row in model_rows(comparison, protocol, 1):
        assert all(part in text for part in row.name.removesuffix(" clock").split())  # it may wrap between them
        assert row.cells["skill"] in text


def test_notes_stay_readable_at_80_columns(comparison: Comparison, window: WindowResult) -> None:
    from rich.console import Console

    lost = [
        replace(m, diverged=3, name=replace(m.name, family="lotka_volterra", state="signal"))
        for m in window.of("forecast")
    ]
    broken = replace(comparison, windows=[replace(window, models=lost)])
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(terminal_table(broken, "forecast", width=80))
    text = console.export_text()
    assert "don't trust" in text
    assert "diverged on 3" in text
    assert "no room for" in text


def _printed(comparison: Comparison, protocol: str, width: int) -> str:
    from rich.console import Console

    console = Console(width=width, record=True, file=io.StringIO())
    console.print(terminal_table(comparison, protocol, width=width))
    return console.export_text()


def test_what_decides_has_room_before_notes_have_a_column(comparison: Comparison, window: WindowResult) -> None:
    """A verdict rests on who is in the set, what is left, and how many coefficients that takes."""
    lost = [replace(m, diverged=3) for m in window.of("forecast")]
    broken = replace(comparison, windows=[replace(window, models=lost)])
    for width, notes in ((80, False), (200, True)):
        text = _printed(broken, "forecast", width)
        header = next(line for line in text.splitlines() if line.startswith("model"))
        assert {"set", "skill", "left", "coef."} <= set(header.split())
        assert ("don't trust" in header) == notes
        assert "don't trust" in text


@pytest.mark.parametrize("width", [40, 60, 80])
def test_a_long_name_wraps_where_it_would_cost_what_decides(
    comparison: Comparison, window: WindowResult, width: int
) -> None:
    name = "a_family_of_another_distribution/" + "x" * 70
    long = [replace(m, name=replace(m.name, family=name)) for m in window.of("forecast")]
    text = _printed(replace(comparison, windows=[replace(window, models=long)]), "forecast", width)
    lines = text.splitlines()
    assert max(len(line.rstrip()) for line in lines) <= width
    assert "…" not in text
    header = next(line for line in lines if line.startswith("model"))
    assert {"set", "skill"} <= set(header.split())
    names = "".join(line[: header.index("set")].strip() for line in lines[3:])
    assert name in names


def test_a_matrix_that_is_not_identified_is_crossed_out_and_noted(comparison: Comparison) -> None:
    law = full_law(comparison)
    assert law_notes(law) == ("matrix not identified",)
    ax = plot_coefficients(law)
    assert len(ax.get_lines()) == 2
    assert "not identified" in ax.get_title()


def test_doubtful_coefficients_and_bad_conditions_are_noted(comparison: Comparison) -> None:
    law = next(m.model for m in comparison.models if isinstance(m.model, Law) and m.coupling == "exchangeable")
    d = law.diagnostics
    assert d is not None
    doubtful = replace(
        law,
        diagnostics=replace(
            d, identified=np.zeros_like(d.identified), halves=np.full_like(d.halves, 9.0), condition_number=1e13
        ),
    )
    notes = law_notes(doubtful)
    assert notes[0] == "not identified: 3 of 3 coefficients"
    assert "condition 1e13" in notes
