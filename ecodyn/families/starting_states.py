"""Starting states as users have them: by name, arrays, tables and what has labels, trajectories' first steps."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from ecodyn.arrays import Array
from ecodyn.errors import DataWarning, UnusableDataError
from ecodyn.trajectories import Trajectories
from ecodyn.trajectories.labelled_arrays import FEATURE_DIMENSIONS
from ecodyn.trajectories.labels import Label
from ecodyn.trajectories.parts import some
from ecodyn.trajectories.state import history_of
from ecodyn.trajectories.values import float64

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

__all__ = ["StartLike", "starting_states"]

StartLike: TypeAlias = "ArrayLike | Mapping[Label, ArrayLike] | Trajectories | pd.Series | pd.DataFrame | xr.DataArray"


def starting_states(
    x0: StartLike, features: Sequence[Label], channels: Sequence[str], *, any_labels: bool = False
) -> Array:
    """States (batch, feature, channel) in the order of a law's features.

    Parameters
    ----------
    x0 : array or tensor (feature,), (batch, feature) or (batch, feature, channel); or what has labels
        A mapping has a number for each feature, or as many as there are states. A Series or a row of a DataFrame is a
        state, a DataArray has a dimension of features; of trajectories, the first complete step of each run is taken.
    features, channels : the law's
    any_labels : whether other labels of the same number do as well, since the law is the same for every feature

    Raises
    ------
    ValueError
        The shape is another, or the labels are.
    """
    if isinstance(x0, Trajectories):
        if history := history_of(channels):
            raise ValueError(
                f"expected states {','.join(channels)} to start from, of which the first step of a run has no delayed "
                f"signals, got trajectories; give runs.state({','.join(channels)!r})[:, {history}] with its steps"
            )
        matched = x0.since_complete().aligned(features, any_labels=any_labels)
        return np.asarray(matched.state(",".join(channels))[:, 0])
    labels = _labels(x0)
    plain: Any = x0 if labels is None else _ordered(x0, labels, features, any_labels)
    start = float64(plain, "x0")
    if len(channels) == 1 and start.ndim <= 2:
        start = np.atleast_2d(start)[..., None]
    if start.ndim == 2:
        start = start[None]
    expected = (len(features), len(channels))
    if start.ndim != 3 or start.shape[1:] != expected:
        state = ",".join(channels)
        raise ValueError(
            f"expected starting states of shape (batch, {expected[0]} features, {expected[1]} channels: {state}), got "
            f"{start.shape}; a state is made by Trajectories.state({state!r})"
        )
    return start


def _labels(x0: Any) -> list[Label] | None:
    """Labels of the features, where x0 has any."""
    if isinstance(x0, Mapping):
        return list(x0)
    if hasattr(x0, "dims") and hasattr(x0, "coords"):
        dim = _feature_dimension(x0)
        return x0[dim].values.tolist() if dim in x0.coords else None
    names: Any = getattr(x0, "columns", getattr(x0, "index", None)) if hasattr(x0, "iloc") else None
    plain = names is None or type(names).__name__ == "RangeIndex"  # pandas counts where nothing was named
    return None if plain else list(names)


def _feature_dimension(array: Any) -> Any:
    named = [dim for dim in array.dims if str(dim).lower() in FEATURE_DIMENSIONS]
    if len(named) != 1 and array.ndim != 1:
        raise UnusableDataError(
            f"expected starting states with a dimension named feature, got {', '.join(map(str, array.dims))}; rename it"
        )
    return named[0] if named else array.dims[0]


def _ordered(x0: Any, labels: list[Label], features: Sequence[Label], any_labels: bool) -> Any:
    """The same with features last (of an array) and in the law's order."""
    if isinstance(x0, Mapping):
        x0 = np.stack(np.broadcast_arrays(*(float64(number, f"x0[{name!r}]") for name, number in x0.items())), axis=-1)
    elif hasattr(x0, "dims"):
        dim = _feature_dimension(x0)
        x0 = x0.transpose(*(d for d in x0.dims if d != dim), dim).values
    elif hasattr(x0, "to_numpy"):
        x0 = x0.to_numpy()
    if set(labels) == set(features):
        return np.asarray(x0)[..., [labels.index(label) for label in features]]
    if any_labels and len(labels) == len(features):
        warnings.warn(
            f"x0 has the features {some(labels)}, the law was fitted to {some(features)}: it is the same for all "
            "features, so each starts from its own state, in this order",
            DataWarning,
            stacklevel=5,
        )
        return x0
    raise ValueError(f"expected starting states of the features {some(features)}, got {some(labels)}; rename them")
