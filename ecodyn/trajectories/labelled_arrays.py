"""xarray's arrays and datasets as users have them: dimensions by name, coordinates as times and labels."""

from __future__ import annotations

import numbers
import warnings
from collections.abc import Hashable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ecodyn.errors import DataWarning, UnusableDataError
from ecodyn.tables.names import RUN_NAMES, STEP_NAMES, TIME_NAMES, listed, normal
from ecodyn.trajectories.dataset import Arguments, unpack
from ecodyn.trajectories.labels import Label
from ecodyn.trajectories.times import spaced
from ecodyn.trajectories.values import DIMENSIONS

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["array_fields", "dataset_fields"]

RUN, STEP, FEATURE = DIMENSIONS
RUN_DIMENSIONS = {*RUN_NAMES, "runs", "sample", "samples", "member"}  # those of tables, and what xarray's users write
STEP_DIMENSIONS = {*STEP_NAMES, *TIME_NAMES, "times", "iteration", "epochs"}  # the same of times
# What is compared has many names.
FEATURE_DIMENSIONS = {"feature", "features", "frequency", "species", "variable", "mode", "k"}
CALLER = 5  # of `as_trajectories`, counted from where coordinates are looked at: warnings point to it


def array_fields(array: xr.DataArray, times: Any = None) -> Arguments:
    """The keyword arguments of `Trajectories` for an array with a dimension of steps, and of runs and features.

    `times` are those of an array without a coordinate of its steps: that of the dimension, or the one along it (and
    along the runs) that is called as times are.

    Raises
    ------
    UnusableDataError
        The names of the dimensions don't say which is which, or several coordinates may be the time.
    ValueError
        There are times twice.

    Warns
    -----
    DataWarning
        A coordinate named step, run or feature stands beside a dimension that has that role under another name.
    """
    return _fields(array, times)


def _fields(array: xr.DataArray, times: Any) -> Arguments:
    roles = _roles([(dim, size) for dim, size in zip(array.dims, array.shape, strict=True)])
    array, times = _with_own_times(array, roles, times)
    named = _renamed(array, roles)
    labels = named[FEATURE].values.tolist() if FEATURE in named.coords else None
    return {
        "values": named.values,
        "steps": _times(named, times),
        "features": labels,
        "runs": named[RUN].values.tolist() if RUN in named.coords else None,
        "labels_shared": labels is not None and any(isinstance(label, str) for label in labels),
        "settings": _settings(named),
    }


def _roles(dims: list[tuple[Hashable, int]]) -> dict[Hashable, str]:
    """Which of an array's dimensions are the runs, the steps and the features."""
    roles: dict[Hashable, str] = {}
    for dim, _ in dims:
        name = normal(str(dim))
        for role, names in ((RUN, RUN_DIMENSIONS), (STEP, STEP_DIMENSIONS), (FEATURE, FEATURE_DIMENSIONS)):
            if name in names:
                roles[dim] = role
    left = [dim for dim, _ in dims if dim not in roles]
    free = [role for role in (FEATURE, RUN) if role not in roles.values()]
    if len(left) == 1 and STEP in roles.values() and free:
        roles[left[0]] = free[0]  # the features have any name; runs, if these are there
        left = []
    if left or STEP not in roles.values() or len(set(roles.values())) < len(roles):
        sizes = ", ".join(f"{dim} ({size})" for dim, size in dims)
        raise UnusableDataError(
            f"expected dimensions named step, feature and, of several runs, run; got {sizes or 'none'}: rename them, "
            'such as X.rename(NAME="step")'
        )
    return roles


def _renamed(array: xr.DataArray, roles: Mapping[Hashable, str]) -> xr.DataArray:
    """The array with dimensions run, step and feature; warns of coordinates of these names that stand in the way."""
    notes: list[str] = []
    for dim, role in roles.items():
        if dim == role or role not in array.coords:
            continue
        if array.coords[role].dims == (dim,) and dim not in array.coords:
            array = array.swap_dims({dim: role})
            notes.append(f"the dimension {dim} has no coordinate of its own: its coordinate {role} is taken for it")
        else:
            array = array.drop_vars(role)
            notes.append(f"the dimension {dim} is taken as the {role}: the coordinate {role} is left out")
    for role in DIMENSIONS:
        if (
            role not in roles.values() and role in array.coords and array.coords[role].ndim
        ):  # a coordinate of a single value is its label
            along = ", ".join(map(str, array.coords[role].dims))
            array = array.drop_vars(role)
            notes.append(f"there is no dimension {role}: the coordinate {role} along {along} is left out")
    if notes:
        warnings.warn(f"the array: {'; '.join(notes)}", DataWarning, stacklevel=CALLER)
    named = array.rename({dim: role for dim, role in roles.items() if dim != role and dim in array.dims})
    for role in (RUN, FEATURE):
        if role not in named.dims:
            named = named.expand_dims(role)
    return named.transpose(*DIMENSIONS)


def _with_own_times(array: xr.DataArray, roles: dict[Hashable, str], times: Any) -> tuple[xr.DataArray, Any]:
    """The array without the coordinates along its steps that are called as times, and its times: these, or `times`."""
    of_role = {role: dim for dim, role in roles.items()}
    step, run = of_role[STEP], of_role.get(RUN)
    found = [
        name
        for name, coordinate in array.coords.items()
        if name not in (step, STEP) and normal(str(name)) in STEP_DIMENSIONS and step in coordinate.dims
        if {*coordinate.dims} <= {step, run}
    ]
    if not found:
        return array, times
    if step in array.coords:  # the dimension's own coordinate is the time
        text = f"the coordinate {step} is taken as the time; left out, beside it: {listed(found)}"
        warnings.warn(text, DataWarning, stacklevel=4)
        return array.drop_vars(found), times
    if len(found) > 1:
        raise UnusableDataError(
            f"the array has several coordinates that may be the time: {listed(found)}, expected one; drop the others, "
            f"such as X.drop_vars({found[1]!r})"
        )
    if times is not None:
        raise ValueError(f"the array has times as its coordinate {found[0]}, got t as well; leave t out")
    own = array.coords[found[0]]
    return array.drop_vars(found), own.transpose(*(dim for dim in (run, step) if dim in own.dims)).values


def _times(named: xr.DataArray, times: Any) -> Any:
    own = named[STEP].values if STEP in named.coords else None
    if own is not None and times is not None:
        raise ValueError("the array has times as the coordinate of its steps, got t as well; leave t out")
    if own is None:
        steps = named.sizes[STEP]
        if times is None:
            return np.arange(steps)
        return spaced(float(times), steps) if isinstance(times, numbers.Real) else times
    return own


def _settings(named: xr.DataArray) -> dict[str, Iterable[Label | float]]:
    """Coordinates along the runs that are no labels of theirs."""
    return {str(n): c.values.tolist() for n, c in named.coords.items() if n != RUN and c.dims == (RUN,)}


def _with_time_coordinates(ds: xr.Dataset) -> xr.Dataset:
    """Variables that are called as times are these where the steps have no coordinate, and not all variables are."""
    steps = {dim for dim in ds.dims if normal(str(dim)) in STEP_DIMENSIONS}
    times = [name for name, own in ds.data_vars.items() if normal(str(name)) in STEP_DIMENSIONS and {*own.dims} & steps]
    bare = not steps & {*ds.coords}
    return ds.set_coords(times) if bare and len(times) < len(ds.data_vars) else ds


def dataset_fields(ds: xr.Dataset, times: Any = None) -> Arguments:
    """The same of a dataset: of its variable signal, its only variable, or a variable a feature.

    Raises
    ------
    UnusableDataError
        The variables or the names of the dimensions don't say which is which.
    ValueError
        There are times twice.
    """
    if "signal" in ds and set(ds["signal"].dims) <= set(DIMENSIONS):
        if times is not None:
            raise ValueError("the dataset has times of its own, got t as well; leave t out")
        return unpack(ds)
    ds = _with_time_coordinates(ds)
    names = list(ds.data_vars)
    if not names:
        raise UnusableDataError("expected a dataset with a variable, got one without; it holds nothing to fit")
    if len(names) == 1 or "signal" in ds:
        return _fields(ds["signal" if "signal" in ds else names[0]], times)
    dims = {frozenset(ds[name].dims) for name in names}
    if len(dims) > 1 or any(normal(str(d)) in FEATURE_DIMENSIONS for d in ds[names[0]].dims):
        variables = ", ".join(f"{name}({', '.join(map(str, ds[name].dims))})" for name in names)
        raise UnusableDataError(
            f"expected a variable signal, a single one, or a variable for each feature with the same dimensions; got "
            f"{variables}: choose one, such as ds[NAME], or drop the others"
        )
    return _fields(ds.to_dataarray("feature"), times)
