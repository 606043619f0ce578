"""Rollouts with their labels, as an xarray dataset or a table of the names that trajectories have in theirs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ecodyn.arrays import Array

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

__all__ = ["SIGNAL", "labelled", "table"]

SIGNAL = "signal"  # the first channel, by whatever name


Labels = Sequence[Any] | None


def labelled(values: Array, times: Array, status: Sequence[str], labels: tuple[Labels, Labels, Labels]) -> xr.Dataset:
    """A variable (run, step, feature) for each channel, ``status`` (run,), and ``time`` (run, step) where these differ.

    ``values`` are (batch, step, feature, channel), ``times`` (batch, step), ``labels`` those of runs, features and
    channels, None where they have none.

    Raises
    ------
    ValueError
        There are not as many labels as values.
    """
    import xarray as xr

    if values.ndim != 4:
        raise ValueError(
            f"expected values (batch, step, feature, channel), got an array of shape {values.shape}; there values and "
            "times say all there is"
        )
    batch, _, count, depth = values.shape
    runs, features, channels = (
        _checked(given, default, name)
        for given, default, name in zip(
            labels,
            (range(batch), range(1, count + 1), [SIGNAL, *(f"channel_{c}" for c in range(1, depth))]),
            ("runs", "features", "channels"),
            strict=True,
        )
    )
    variables: dict[str, Any] = {name: (("run", "step", "feature"), values[..., c]) for c, name in enumerate(channels)}
    variables["status"] = ("run", np.array(status, dtype=np.str_))
    step = times[0]
    if np.isnan(times).any() or np.any(times != times[:1]):
        variables["time"] = (("run", "step"), times)
        step = np.arange(times.shape[1])  # an index only: the times differ
    return xr.Dataset(variables, {"step": step, "feature": features, "run": runs})


def table(signal: Array, times: Array, runs: Labels, features: Labels) -> pd.DataFrame:
    """Columns step, run, and one a feature; ``signal`` is (batch, step, feature), ``times`` (batch, step).

    Raises
    ------
    ValueError
        There are not as many labels as values, or a feature would be called step or run.
    """
    import pandas as pd

    batch, _, count = signal.shape
    names = _checked(features, range(1, count + 1), "features")
    if taken := {"step", "run"} & set(names):
        raise ValueError(f"a feature is called {taken.pop()}, expected another name in a table; use to_dataset()")
    asked = ~np.isnan(times)  # of rollouts of unequal length the rest is padding
    rows = np.repeat(_checked(runs, range(batch), "runs"), asked.sum(axis=1))
    cells = pd.DataFrame(signal[asked], columns=names)
    return pd.concat([pd.DataFrame({"step": times[asked], "run": rows}), cells], axis=1)


def _checked(given: Labels, default: Sequence[Any], name: str) -> list[Any]:
    if given is None:
        return list(default)
    if len(given) != len(default):
        raise ValueError(f"expected labels of {len(default)} {name}, got {len(given)}; give one each")
    return list(given)
