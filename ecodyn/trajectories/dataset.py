"""The trajectories file as an xarray dataset: fields <-> variables, coordinates and attributes.

Fields are the keyword arguments of `Trajectories` and ``length``. What they have to satisfy is checked there and only
there; here it is checked that a dataset is what it claims to be.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Literal, Required, TypeAlias, TypedDict, cast

import numpy as np

from ecodyn.arrays import Array, Bools, Integers
from ecodyn.errors import UnusableDataError
from ecodyn.runtime.foreign_json import foreign_json
from ecodyn.runtime.json_values import Json
from ecodyn.trajectories.checks import Checked
from ecodyn.trajectories.input_variables import INPUT, input_variables, inputs_of_variables
from ecodyn.trajectories.inputs import Input, InputLike
from ecodyn.trajectories.labels import Label, Labels, Setting
from ecodyn.trajectories.parts import share_times
from ecodyn.trajectories.values import DIMENSIONS, Numbers

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["SCHEMA", "Arguments", "Fields", "fields_of", "pack", "unpack"]

SCHEMA = 1  # of a trajectories file
EXPECTED = {
    "signal": DIMENSIONS,
    "dc": ("run", "step"),
    "time": ("run", "step"),
    "cluster": ("run",),
    "length": ("run",),
    "embedding": ("run", "token", "dimension"),
    "backward_velocity": DIMENSIONS,
    "missing": DIMENSIONS,
}
Optional: TypeAlias = Literal["dc", "cluster", "embedding", "backward_velocity"]
OPTIONAL: tuple[Optional, ...] = ("dc", "cluster", "embedding", "backward_velocity")


class Fields(TypedDict):
    """The keyword arguments of `Trajectories` that give checked data again, and the lengths of the runs."""

    values: Array
    observables: dict[str, Array]
    steps: Array
    length: Integers
    features: Labels
    runs: Labels
    cluster: Labels | None
    settings: dict[str, Setting]
    curves: dict[str, Array]
    dc: Array | None
    embedding: Array | None
    backward_velocity: Array | None
    missing: Bools | None
    inputs: Mapping[str, tuple[Input, ...]]
    labels_shared: bool
    provenance: dict[str, Json]


class Arguments(TypedDict, total=False):
    """The keyword arguments of `Trajectories` that a file or dataset has, unchecked."""

    values: Required[Numbers]
    steps: Required[Numbers]
    observables: dict[str, Numbers]
    features: Iterable[Label] | None
    runs: Iterable[Label] | None
    cluster: Iterable[Label] | None
    settings: dict[str, Iterable[Label | float]]
    curves: dict[str, Numbers]
    dc: Numbers | None
    embedding: Numbers | None
    backward_velocity: Numbers | None
    missing: Bools | Sequence[Bools] | None
    inputs: Mapping[str, InputLike]
    labels_shared: bool
    provenance: dict[str, Json]


def fields_of(data: Checked) -> Fields:
    """The keyword arguments of `Trajectories` that give checked data again, and the lengths of the runs."""
    shared = share_times(data.times, data.lengths)
    default_cluster = np.array_equal(data.clusters, np.arange(len(data.runs)))
    return {
        "values": data.observables["signal"],
        "observables": {name: array for name, array in data.observables.items() if name != "signal"},
        "steps": data.times[np.argmax(data.lengths)] if shared else data.times,
        "length": data.lengths,
        "features": data.features,
        "runs": data.runs,
        "cluster": None if default_cluster else data.clusters,
        "settings": data.settings,
        "curves": {name: array for name, array in data.curves.items() if name != "dc"},
        "dc": data.curves.get("dc"),
        "embedding": data.embedding,
        "backward_velocity": data.velocity,
        "missing": data.missing,
        "inputs": data.inputs,
        "labels_shared": data.labels_shared,
        "provenance": data.provenance,
    }


def pack(fields: Fields) -> xr.Dataset:
    """Put checked fields into a dataset with the names and dimensions of the trajectories file."""
    import xarray as xr

    variables: dict[str, tuple[object, ...]] = {"signal": (DIMENSIONS, fields["values"])}
    variables |= {name: (DIMENSIONS, array) for name, array in fields["observables"].items()}
    variables |= {name: ("run", array, {"ecodyn_setting": 1}) for name, array in fields["settings"].items()}
    variables |= {name: (("run", "step"), array) for name, array in fields["curves"].items()}
    variables |= {name: (EXPECTED[name], fields[name]) for name in OPTIONAL if fields[name] is not None}
    if np.any(fields["length"] < fields["values"].shape[1]):
        variables["length"] = ("run", fields["length"])
    if fields["missing"] is not None:
        variables["missing"] = (DIMENSIONS, fields["missing"].astype(np.int8))  # netCDF knows no booleans
    variables |= input_variables(fields["inputs"])
    step: np.ndarray = fields["steps"]
    if step.ndim == 2:
        variables["time"] = (("run", "step"), step)
        step = np.arange(step.shape[1])  # an index only: the times differ from run to run
    coordinates = {"step": step, "feature": fields["features"], "run": fields["runs"]}
    return xr.Dataset(variables, coordinates, _attributes(fields))


def _attributes(fields: Fields) -> dict[str, int | str]:
    return {
        "ecodyn_schema": SCHEMA,
        "labels_shared": int(fields["labels_shared"]),  # netCDF attributes know no booleans
        "provenance": json.dumps(fields["provenance"]),
    }


def unpack(ds: xr.Dataset) -> Arguments:
    """Take the fields out of a dataset; the inverse of `pack`."""
    ds = ds if "run" in ds.dims else ds.expand_dims("run")
    _check_dataset(ds)
    kinds: dict[str, dict[str, np.ndarray]] = {"observables": {}, "curves": {}, "settings": {}}
    for name in map(str, ds.data_vars):
        for kind, dims in zip(kinds, (DIMENSIONS, DIMENSIONS[:2], DIMENSIONS[:1]), strict=True):
            if set(ds[name].dims) == set(dims) and name not in EXPECTED and INPUT not in ds[name].attrs:
                kinds[kind][name] = _array(ds, name, dims)
    optional = {name: _array(ds, name, EXPECTED[name]) for name in OPTIONAL if name in ds}
    given: Arguments = {
        "values": _array(ds, "signal", DIMENSIONS),
        "steps": _steps(ds),
        "features": ds["feature"].values if "feature" in ds.coords else None,
        "runs": ds["run"].values if "run" in ds.coords else None,
        "labels_shared": _whole_attribute(ds, "labels_shared", 0) != 0,
        "provenance": _provenance(ds.attrs.get("provenance", "{}")),
        "missing": _array(ds, "missing", DIMENSIONS) != 0 if "missing" in ds else None,
        "inputs": inputs_of_variables(ds),
    }
    return cast(Arguments, {**given, **kinds, **optional})


def _array(ds: xr.Dataset, name: str, dims: tuple[str, ...]) -> np.ndarray:
    return np.asarray(ds[name].transpose(*dims).values)


def _check_dataset(ds: xr.Dataset) -> None:
    schema = _whole_attribute(ds, "ecodyn_schema", SCHEMA)
    if schema > SCHEMA:
        raise UnusableDataError(
            f"the file follows schema {schema}, this version of ecodyn reads up to {SCHEMA}; upgrade ecodyn"
        )
    if "signal" not in ds:
        present = ", ".join(map(str, ds.data_vars)) or "nothing"
        raise UnusableDataError(f"expected a variable named signal, found {present}; rename the one to be scored")
    for name, expected in EXPECTED.items():
        if name in ds and set(ds[name].dims) != set(expected):
            raise UnusableDataError(f"{name} has dimensions {ds[name].dims}, expected {expected}; rename them")
    if "step" not in ds.coords and "time" not in ds:
        raise UnusableDataError("there are no times: expected a coordinate step, or a variable time(run, step)")


def _steps(ds: xr.Dataset) -> np.ndarray:
    return _array(ds, "time", EXPECTED["time"]) if "time" in ds else np.asarray(ds["step"].values)


def _whole_attribute(ds: xr.Dataset, name: str, default: int) -> int:
    """An attribute of the file that is a whole number."""
    stated = ds.attrs.get(name, default)
    single = stated.item() if isinstance(stated, np.ndarray | np.generic) and stated.size == 1 else stated
    if not isinstance(single, int):
        raise UnusableDataError(
            f"the attribute {name} is {stated!r:.60}, expected a whole number; correct or delete it"
        )
    return single


def _provenance(text: object) -> dict[str, Json]:
    if not isinstance(text, str):
        raise UnusableDataError(f"the provenance is {text!r:.60}, expected JSON as text; correct or delete it")
    try:
        provenance = foreign_json(text)
    except ValueError as error:
        raise UnusableDataError(f"the provenance is not JSON ({error}); write the file again") from error
    return provenance if isinstance(provenance, dict) else {"note": provenance}
