"""An atlas as pandas has it: rows with the settings in front."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ecodyn.comparison.atlas.cell import AtlasCell
from ecodyn.families.coefficients import coefficients_of
from ecodyn.families.formula_model import FormulaModel
from ecodyn.families.law import Law
from ecodyn.families.model_name import FAMILY

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["cells_frame", "coefficients_frame", "scores_frame"]

KNOWN = ("low", "high", "halves", "run_spread", "identified")  # of a coefficient


def cells_frame(cells: Sequence[AtlasCell]) -> pd.DataFrame:
    """A row for every cell and window; a cell that could not be compared has one, with its failure."""
    import pandas as pd

    rows = [_row(cell, window) for cell in cells for window in range(max(1, len(cell.windows)))]
    return pd.DataFrame(rows)


def _row(cell: AtlasCell, window: int) -> dict[str, object]:
    nan = float("nan")
    verdict, best = cell.verdict_of(window), cell.best(window)
    first, last = cell.windows[window].window if cell.windows else (nan, nan)
    survivors = cell.survivors
    return {
        **cell.setting,
        "runs": cell.runs,
        "clusters": cell.clusters,
        "window_first": first,
        "window_last": last,
        "status": cell.status(window),
        "model": None if best is None else best.label,
        "family": None if best is None else best.family,
        "coupling": None if best is None else best.coupling,
        "skill": nan if best is None else best.skill,
        "skill_low": nan if best is None else best.skill_interval.low,
        "skill_high": nan if best is None else best.skill_interval.high,
        "p_value": nan if verdict is None or verdict.p_value is None else verdict.p_value,
        "adjusted_p_value": cell.adjusted[window] if cell.windows else nan,
        "holds": cell.holds(window),
        "survivors": nan if survivors is None else survivors.mean,
        "survivors_low": nan if survivors is None else survivors.low,
        "survivors_high": nan if survivors is None else survivors.high,
        "failure": cell.failure,
    }


def scores_frame(cells: Sequence[AtlasCell]) -> pd.DataFrame:
    """The comparisons' own tables, one under the other."""
    import pandas as pd

    parts = [cell.comparison.to_dataframe().assign(**cell.setting) for cell in cells if cell.comparison]
    by = cells[0].by
    frame = pd.concat(parts, ignore_index=True)
    return frame[[*by, *(name for name in frame.columns if name not in by)]]


def coefficients_frame(cells: Sequence[AtlasCell]) -> pd.DataFrame:
    """Coefficients of families' laws fitted to all runs, with what their fits say of them; none without in_sample."""
    import pandas as pd

    return pd.DataFrame([row for cell in cells for row in _coefficients(cell)])


def _coefficients(cell: AtlasCell) -> list[dict[str, object]]:
    return [
        {
            **cell.setting,
            "window_first": w.window[0],
            "window_last": w.window[1],
            "model": m.label,
            "named": w.verdict.best == m.name,
            "equation": c.equation,
            "feature": c.feature,
            "term": c.term,
            "value": c.value,
            **{name: getattr(c, name) for name in KNOWN},
        }
        for w in cell.windows
        for m in {m.name: m for m in w.models if m.kind == FAMILY}.values()  # each protocol's score has the same law
        if isinstance(m.model, Law | FormulaModel)
        for c in coefficients_of(m.model)
    ]
