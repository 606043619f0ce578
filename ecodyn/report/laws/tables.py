"""The terminal's table of a fitted model."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from ecodyn.families.formula_model import FormulaModel
from ecodyn.families.law import Law
from ecodyn.families.model import FittedModel
from ecodyn.report.laws.coefficients import coefficient_rows

MOST_COEFFICIENTS = 40  # of a full law's hundreds, the table shows the first


def fit_table(model: FittedModel) -> Table:
    """Coefficients with intervals over runs, variance inflation, and which are identified."""
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
    table = Table(
        title=Text(title),
        caption=Text(_caption(model)),  # names of coefficients have brackets
        caption_justify="left",
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        pad_edge=False,
    )
    of_terms = ("term", "coefficient") if isinstance(model, Law) else ("parameter", "value")
    for name in ("feature", *of_terms, "95 % over runs", "VIF", "identified"):
        table.add_column(name, no_wrap=True)
    rows, more = coefficient_rows(model, MOST_COEFFICIENTS)
    for row in rows:
        table.add_row(*map(Text, (row.feature, row.term, row.value, row.interval, row.inflation, row.identified)))
    if more:
        table.add_row("...", f"{more} more", "", "", "", "")
    return table


def _caption(law: Law | FormulaModel) -> str:
    d = law.diagnostics
    if d is None:
        return ""
    size = len(law.library) if isinstance(law, Law) else law.n_coefficients
    return (
        f"condition number {d.condition_number:.2g}, effective rank {d.effective_rank:.2g} of {size}; "
        f"{d.status}; {d.seconds:.2g} s"
    )
