"""Trajectories out of what users have in their hands: arrays, tensors, tables, files, and lists of them."""

from __future__ import annotations

import numbers
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import numpy as np

from ecodyn.arrays import Array
from ecodyn.errors import UnusableDataError
from ecodyn.tables import TableOptions, interpret
from ecodyn.tables.names import listed
from ecodyn.trajectories.collection.collection import Collection
from ecodyn.trajectories.containers import refuse_containers
from ecodyn.trajectories.labelled_arrays import array_fields, dataset_fields
from ecodyn.trajectories.loading import load
from ecodyn.trajectories.tabular import fields_and_columns
from ecodyn.trajectories.times import spaced, times_or_spacing
from ecodyn.trajectories.trajectories import Trajectories
from ecodyn.trajectories.values import Numbers, float64

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

__all__ = ["DataLike", "as_trajectories", "is_labelled", "is_one_array"]


Labelled: TypeAlias = "pd.DataFrame | xr.DataArray | xr.Dataset"
One: TypeAlias = "Trajectories | Collection | str | os.PathLike[str] | Labelled"
ByLabel: TypeAlias = "Mapping[str, One | Numbers] | Mapping[int, One | Numbers]"
DataLike: TypeAlias = "One | Numbers | Sequence[One] | ByLabel"  # what `as_trajectories` takes


def as_trajectories(X: DataLike, t: Numbers | float | None = None) -> Trajectories:
    """Return X as `Trajectories`, whatever holds it.

    Times come from exactly one place: an index, a coordinate, a column, or `t`; where there is none, steps are counted
    from 0. Names are kept as labels: features with names (text) count as the same in all runs.

    Parameters
    ----------
    X : one of
        * Trajectories, a Collection, or the path of a trajectories file or a collection;
        * an array or tensor (step, feature) of one run or (run, step, feature) of several;
        * a pandas DataFrame, wide or long: see `Trajectories.from_dataframe`;
        * an xarray DataArray with dimensions named step, feature and run, or a Dataset with a variable ``signal``, a
          single variable, or a variable a feature;
        * a list of any of these, its runs one after the other; or a dict, whose keys name the runs.
    t : array (step,), a list of them (one a run), or one number, the spacing of the steps
        Times of data that carry none.

    Raises
    ------
    ValueError
        `t` is given beside data that carry their times.
    UnusableDataError
        The data break a rule of `Trajectories`, or can be read in more than one way.

    Examples
    --------
    >>> as_trajectories([[1.0, 2.0], [1.5, 1.8], [2.0, 1.7]], t=[0, 10, 20])
    Trajectories: 1 run × 3 steps (0 to 20) × 2 features; observables signal; labels not shared
    >>> import pandas as pd
    >>> pelts = pd.DataFrame({"year": [1900, 1901, 1902], "hare": [30, 47.2, 70.2], "lynx": [4, 6.1, 9.8]})
    >>> as_trajectories(pelts.set_index("year").rename_axis("step"))
    Trajectories: 1 run × 3 steps (1900 to 1902) × 2 features; observables signal; labels shared
    """
    t = times_or_spacing(t)
    if isinstance(X, Trajectories):
        _refuse_times(t, "Trajectories carry their own")
        return X
    if isinstance(X, Collection):
        _refuse_times(t, "a collection's runs carry their own")
        return X.load()
    if isinstance(X, str | os.PathLike):
        _refuse_times(t, f"the file {X} has its own")
        return load(X)
    if hasattr(X, "data_vars"):
        return Trajectories(**dataset_fields(cast("xr.Dataset", X), t))
    if is_labelled(X):
        return _from_table(X, t) if hasattr(X, "columns") else Trajectories(**array_fields(cast("xr.DataArray", X), t))
    if isinstance(X, Mapping) and not hasattr(X, "toarray"):  # SciPy's dictionaries of keys are sparse arrays
        return _from_mapping(X, t)
    refuse_containers(X)
    if isinstance(X, list | tuple) and any(_stands_alone(part) for part in X):
        return _from_parts(X, t)
    parts: Sequence[Any] = cast(Sequence[Any], X) if _is_list_of_runs(X) else [X]
    return Trajectories(list(parts), _default_times(parts, t))


def is_labelled(X: object) -> bool:
    """Whether X is a table or an array of pandas, polars or xarray, with names of its own."""
    return hasattr(X, "columns") or (hasattr(X, "dims") and hasattr(X, "coords"))


def is_one_array(X: object) -> bool:
    """Whether X is one run without times of its own: an array (step, feature), or a table of nothing but features."""
    if hasattr(X, "iloc"):
        frame = cast("pd.DataFrame", X)
        columns = interpret(frame, count_rows=True).columns
        bare = columns.time is None and columns.run is None and columns.feature is None and not columns.aside
        return bare and not bool(frame.isna().to_numpy().any())
    if _stands_alone(X) or hasattr(X, "data_vars") or np.ma.is_masked(X):
        return False
    if isinstance(X, Mapping) and not hasattr(X, "toarray"):
        return False
    return not (isinstance(X, list | tuple) and any(map(_stands_alone, X))) and not _is_list_of_runs(X)


def _stands_alone(part: object) -> bool:
    return isinstance(part, Trajectories | Collection | str | os.PathLike) or is_labelled(part)


def _refuse_times(t: object, who: str) -> None:
    if t is not None:
        raise ValueError(f"{who} times, got t as well; leave t out")


# ------------------------------------------------------------------------------------------------ one of a kind


def _from_table(frame: Any, t: Any) -> Trajectories:
    if not hasattr(frame, "iloc") and hasattr(frame, "to_pandas"):  # polars
        frame = frame.to_pandas()
    arguments, columns = fields_and_columns(frame, TableOptions(), count_rows=True)
    if t is None:
        return Trajectories(**arguments)
    if columns.time is not None:
        raise ValueError(f"the table has times, its {columns.time}, got t as well; leave t out")
    # Steps that lack a value are left out by now: their rows, counted within each run, say which times are kept.
    rows = cast("list[Array]", arguments["steps"])
    counts = [len(frame)] if columns.run is None else _rows_of_runs(frame, columns.run)
    arguments["steps"] = [times[own.astype(int)] for times, own in zip(_times_of_rows(t, counts), rows, strict=True)]
    return Trajectories(**arguments)


def _rows_of_runs(frame: Any, run: str) -> list[int]:
    """Rows of each run, in the order in which the runs come."""
    return frame.reset_index().groupby(run, sort=False).size().tolist()


def _times_of_rows(t: Any, counts: list[int]) -> list[Array]:
    """The times of all rows of each run."""
    if isinstance(t, numbers.Real):
        return [spaced(float(t), count) for count in counts]
    several = isinstance(t, list | tuple) and len(t) > 0 and np.ndim(t[0]) > 0
    each = [float64(times, "t") for times in (t if several else [t] * len(counts))]
    lengths = [times.shape for times in each]
    if lengths != [(count,) for count in counts]:
        raise UnusableDataError(f"expected t with a time for each row, {counts} rows in the runs, got shapes {lengths}")
    return each


def _from_parts(parts: Sequence[Any], t: Any) -> Trajectories:
    """Runs of several tables, arrays with names, files or trajectories."""
    listed = isinstance(t, list | tuple) and len(t) > 0 and np.ndim(t[0]) > 0
    if listed and len(t) != len(parts):
        raise ValueError(f"expected times for each of the {len(parts)} parts, got {len(t)}")
    each = [as_trajectories(part, own) for part, own in zip(parts, t if listed else [t] * len(parts), strict=True)]
    if any(one.n_runs > 1 for one in each):
        return Trajectories.concat(each)
    files = [Path(part).stem for part in parts if isinstance(part, str | os.PathLike)]
    named = len(set(files)) == len(parts)
    given = [one.runs[0].item() for one in each]
    labels = files if named else range(len(parts)) if len(set(given)) < len(given) else None
    return Trajectories.concat(each, keys=labels)


def _from_mapping(X: Mapping[Any, Any], t: Any) -> Trajectories:
    """Runs by their labels."""
    keys, parts = list(X), list(X.values())
    if not parts:
        raise UnusableDataError("expected runs by their labels, got an empty dict")
    refuse_containers(parts)
    if flat := [key for key, part in X.items() if not _stands_alone(part) and np.ndim(part) < 2]:
        raise UnusableDataError(
            f"expected a dict of runs, each a table or an array (step, feature), got one dimension or none at "
            f"{flat[0]!r}; if its entries are the columns of a table, pass pandas.DataFrame(X)"
        )
    if isinstance(t, Mapping):
        if {*t} != {*keys}:
            raise ValueError(f"expected times for each of the runs {listed(keys)}, got those of {listed(t)}")
        t = [t[key] for key in keys]
    several = isinstance(t, list | tuple) and len(t) > 0 and np.ndim(t[0]) > 0
    if several and len(t) != len(parts):
        raise ValueError(f"expected times for each of the {len(parts)} runs, got {len(t)}")
    each = [as_trajectories(part, own) for part, own in zip(parts, t if several else [t] * len(parts), strict=True)]
    return Trajectories.concat(each, keys=[key if isinstance(key, int) else str(key) for key in keys])


# ------------------------------------------------------------------------------------------------ arrays, times


def _is_list_of_runs(X: Any) -> bool:
    """Whether X holds several runs; a nested list of numbers is one array."""
    if isinstance(X, (list, tuple)):
        return len(X) > 0 and np.ndim(X[0]) >= 2
    return np.ndim(X) == 3


def _default_times(arrays: Sequence[Any], t: Any) -> Any:
    longest = max(_length(array) for array in arrays)
    if t is None:
        return np.arange(longest)
    if isinstance(t, numbers.Real):
        return spaced(float(t), longest)
    lengths = {_length(array) for array in arrays}
    one = np.ndim(t[0]) == 0 if isinstance(t, list | tuple) and len(t) else np.ndim(t) == 1
    if len(lengths) > 1 and one:
        raise UnusableDataError(
            f"expected the times of each run, for they differ in length ({min(lengths)} to {max(lengths)} steps), got "
            "one array for all: give a list of them, t=[t0, t1, ...]"
        )
    if isinstance(t, list | tuple):
        return t
    times = float64(t, "t")
    return list(times) if times.ndim == 2 else times


def _length(array: Any) -> int:
    """First dimension of anything; what has none is refused later, with a sentence."""
    shape = getattr(array, "shape", None) or (len(array) if hasattr(array, "__len__") else 0,)
    return int(shape[0])
