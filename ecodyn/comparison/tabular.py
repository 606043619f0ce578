"""A comparison's scores as pandas and xarray have them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ecodyn.comparison.model_score import ModelScore
from ecodyn.comparison.window_result import WindowResult

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

__all__ = ["dataframe_of", "dataset_of"]

NUMBERS = (
    "skill_median",
    "log_skill",
    "diverged",
    "left_out",
    "survivor_auc",
    "survivor_overlap",
    "order_crossing",
    "one_step_r2",
    "n_coefficients",
    "library_size",
    "candidates",
    "in_confidence_set",
    "p_value",
    "fit_seconds",
    "optimality",
)


def dataframe_of(windows: Sequence[WindowResult]) -> pd.DataFrame:
    """A row for every model under every protocol over every window."""
    import pandas as pd

    return pd.DataFrame([_row(m) for w in windows for m in w.models])


def _row(m: ModelScore) -> dict[str, object]:
    return {
        "window_first": m.window[0],
        "window_last": m.window[1],
        "protocol": m.protocol,
        "model": m.label,
        **m.name.to_json(),
        **_numbers(m),
        "mean_loss": m.mean_loss,
        "equations": m.equations,
    }


def _numbers(m: ModelScore) -> dict[str, float]:
    interval = m.skill_interval
    skill = {"skill": interval.mean, "skill_low": interval.low, "skill_high": interval.high}
    return {**skill, **{name: getattr(m, name) for name in NUMBERS}}


def dataset_of(windows: Sequence[WindowResult]) -> xr.Dataset:
    """Variables (window, protocol, model), and ``skill_per_run`` with the run as a further dimension.

    Runs are numbered by their position in the data. What a model has not, since the protocol is not for it, is NaN.
    """
    import xarray as xr

    models = [m for w in windows for m in w.models]
    labels = list(dict.fromkeys(m.label for m in models))
    protocols = list(dict.fromkeys(m.protocol for m in models))
    shape = (len(windows), len(protocols), len(labels))
    runs = max((len(m.skill_per_run) for m in models), default=0)
    names = list(_numbers(models[0])) if models else []
    arrays = {name: np.full(shape, np.nan) for name in names}
    per_run = np.full((*shape, runs), np.nan)
    for position, window in enumerate(windows):
        for m in window.models:
            place = position, protocols.index(m.protocol), labels.index(m.label)
            for name, value in _numbers(m).items():
                arrays[name][place] = value
            per_run[place][: len(m.skill_per_run)] = m.skill_per_run
    dimensions = ("window", "protocol", "model")
    return xr.Dataset(
        {name: (dimensions, array) for name, array in arrays.items()}
        | {"skill_per_run": ((*dimensions, "run"), per_run)},
        coords={
            "protocol": protocols,
            "model": labels,
            "run": np.arange(runs),
            "window_first": ("window", [w.window[0] for w in windows]),
            "window_last": ("window", [w.window[1] for w in windows]),
        },
    )
