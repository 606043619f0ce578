"""Tables whose rows or columns are named as something that they are not read as: lying on their side."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ecodyn.errors import UnusableDataError
from ecodyn.tables.names import FEATURE_NAMES, RUN_NAMES, STEP_NAMES, TIME_NAMES, VALUE_NAME, listed, normal

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["check_axes"]

OF_A_STEP = re.compile(r"(step|iteration|time|epoch|generation|day)_\d+")  # a column that holds one step
FEWEST_STEPS = 2  # such columns that make a table of them: a single one may be called so by chance


def check_axes(frame: pd.DataFrame, where: str) -> None:
    """Refuse a frame whose columns are runs or steps, by the name of their axis, or by their own beside features.

    Raises
    ------
    UnusableDataError
        It is one; the sentence says how to turn it.
    """
    _check_name(frame, where)
    texts = [str(column).strip() for column in frame.columns]
    names = [*texts, *(str(level).strip() for level in frame.index.names if level is not None)]
    steps = [text for text in texts if OF_A_STEP.fullmatch(normal(text))]
    features = [text for text in names if normal(text) in FEATURE_NAMES]
    known = {normal(text) for text in names}
    if features and len(steps) >= FEWEST_STEPS and not known & {VALUE_NAME, *STEP_NAMES, *TIME_NAMES}:
        raise UnusableDataError(
            f"{where} has a {features[0]} in each row and a column for each step ({listed(steps, 3)}), expected a row "
            f"for each step; turn it with frame.set_index({features[0]!r}).T and a column step, or, of several runs, "
            "frame.melt(..., var_name='step') with steps as numbers"
        )


def _check_name(frame: pd.DataFrame, where: str) -> None:
    """Refuse columns whose axis is called as runs or steps are."""
    name = frame.columns.name
    own = normal("" if name is None else name)
    if own not in (*RUN_NAMES, *STEP_NAMES, *TIME_NAMES):
        return
    rows = {normal(level) for level in frame.index.names if level is not None}
    stacked = "frame.stack().rename('value').reset_index()"
    kind, todo = ("run", stacked) if own in RUN_NAMES else ("step", stacked if rows & {*RUN_NAMES} else "frame.T")
    raise UnusableDataError(
        f"{where} has an axis of columns called {name}, so that each column is a {kind}, expected columns that are "
        f"features; turn it with {todo}; or, if the columns are features, frame.rename_axis(columns=None)"
    )
