"""Terminal tables of single things: a trajectories file, a training log, a fitted model."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from ecodyn.comparison.model_score import coefficient_table
from ecodyn.families.law import Law
from ecodyn.families.model import FittedModel
from ecodyn.report.formatting import inflation

MOST_COEFFICIENTS = 40  # of a full law's hundreds, the table shows the first


def fit_table(model: FittedModel) -> Table:
    """Coefficients with intervals over runs, variance inflation, and which are identified."""
    title = f"{model.family}/{model.coupling}, state {model.state}"
    if model.step is not None:
        title += f", map of {model.step:g} steps" if model.step != 1 else ", map of one step"
    if not isinstance(model, Law):
        table = Table(title=f"{title}: {model.n_coefficients} weights", show_header=False)
        table.add_row("validation", f"{getattr(model, 'validation', math.nan):.3f} unexplained")
        return table
    table = Table(
        title=title,
        caption=_caption(model),
        caption_justify="left",
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        pad_edge=False,
    )
    for name in ("feature", "term", "coefficient", "95 % over runs", "VIF", "identified"):
        table.add_column(name, no_wrap=True)
    rows = coefficient_table(model)
    for row in rows[:MOST_COEFFICIENTS]:
        table.add_row(
            "all" if row["feature"] is None else str(row["feature"]),
            row["term"] if len(model.library.fitted) == 1 else f"{row['equation']}: {row['term']}",
            f"{row['value']:.4g}",
            _interval(row),
            inflation(row.get("variance_inflation")),
            _identified(row),
        )
    if len(rows) > MOST_COEFFICIENTS:
        table.add_row("...", f"{len(rows) - MOST_COEFFICIENTS} more", "", "", "", "")
    return table


def _interval(row: Mapping[str, Any]) -> str:
    low, high = row.get("low", math.nan), row.get("high", math.nan)
    return f"{low:.4g} to {high:.4g}" if math.isfinite(low) else "–"


def _identified(row: Mapping[str, Any]) -> str:
    known = row.get("identified")
    return "–" if known is None else ("yes" if known else "not identified")


def _caption(law: Law) -> str:
    d = law.diagnostics
    if d is None:
        return ""
    return (
        f"condition number {d.condition_number:.2g}, effective rank {d.effective_rank:.2g} of {len(law.library)}; "
        f"{d.status}; {d.seconds:.2g} s"
    )
