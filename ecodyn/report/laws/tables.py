"""The terminal's table of a fitted model."""

from __future__ import annotations

from rich.table import Table
from rich.text import Text

from ecodyn.families.formula_model import FormulaModel
from ecodyn.families.law import Law
from ecodyn.families.model import FittedModel
from ecodyn.report.laws.coefficients import SHARED, coefficient_rows
from ecodyn.report.terminal import text_table

MOST_COEFFICIENTS = 40  # of a full law's hundreds, the table shows the first
FOUND = ("95 % over runs", "VIF", "identified")
SPARE = ("VIF",)  # where there is no room for all


def fit_table(model: FittedModel, width: int) -> Table:
    """Coefficients with intervals over runs, variance inflation, and which are identified, in so many columns."""
    title = f"{model.family}/{model.coupling}, state {model.state}"
    if model.step is not None:
        title += f", map of {model.step:g} steps" if model.step != 1 else ", map of one step"
    if not isinstance(model, Law | FormulaModel):
        validation = getattr(model, "validation", None)  # of networks, whose coefficients are called weights
        held = "coefficients" if validation is None else "weights"
        table = Table(title=Text(f"{title}: {model.n_coefficients} {held}"), show_header=False)
        if validation is not None:
            table.add_row("validation", f"{validation:.3f} unexplained")
        return table
    rows, more = coefficient_rows(model, MOST_COEFFICIENTS)
    header = ["feature", *(("term", "coefficient") if isinstance(model, Law) else ("parameter", "value")), *FOUND]
    cells = [[row.feature, row.term, row.value, row.interval, row.inflation, row.identified] for row in rows]
    if more:
        cells.append(["...", f"{more} more", "", "", "", ""])
    if {row.feature for row in rows} == {SHARED}:  # needs no column
        header, cells = header[1:], [row[1:] for row in cells]
    return text_table(header, cells, width, spare=SPARE, left=header, title=title, note=_caption(model))


def _caption(law: Law | FormulaModel) -> str:
    d = law.diagnostics
    if d is None:
        return ""
    size = len(law.library) if isinstance(law, Law) else law.n_coefficients
    return (
        f"condition number {d.condition_number:.2g}, effective rank {d.effective_rank:.2g} of {size}; "
        f"{d.status}; {d.seconds:.2g} s"
    )
