"""The trajectories file: fields <-> xarray dataset <-> netCDF4, and fields <-> CSV.

Fields are the keyword arguments of `Trajectories`; what they have to satisfy is checked
there and only there. Here it is checked that a file is what it claims to be.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ecodyn.errors import UnusableDataError
from ecodyn.runtime.files import first_bytes, write_whole

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["SCHEMA", "pack", "read_csv", "read_netcdf", "unpack", "write_csv", "write_netcdf"]

SCHEMA = 1
DIMENSIONS = ("run", "step", "feature")
EXPECTED = {
    "signal": DIMENSIONS,
    "dc": ("run", "step"),
    "time": ("run", "step"),
    "cluster": ("run",),
    "length": ("run",),
    "embedding": ("run", "token", "dimension"),
    "backward_velocity": DIMENSIONS,
}
OPTIONAL = ("dc", "cluster", "embedding", "backward_velocity")
COMPRESSION = {"zlib": True, "complevel": 4, "shuffle": True}
HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"
NETCDF3_SIGNATURE = b"CDF"
ZLIB_LIMIT = 1032  # zlib shrinks nothing further than 1032 : 1, so a larger claim is not backed by the file
METADATA_MARK = "# ecodyn: "

Fields = dict[str, Any]


# ---------------------------------------------------------------------------------------------- datasets


def pack(fields: Mapping[str, Any]) -> xr.Dataset:
    """Put checked fields into a dataset with the names and dimensions of the trajectories file."""
    import xarray as xr

    variables: Fields = {"signal": (DIMENSIONS, fields["values"])}
    variables |= {name: (DIMENSIONS, array) for name, array in fields["observables"].items()}
    variables |= {name: ("run", array, {"ecodyn_setting": 1}) for name, array in fields["settings"].items()}
    variables |= {name: (("run", "step"), array) for name, array in fields["curves"].items()}
    variables |= {name: (EXPECTED[name], fields[name]) for name in OPTIONAL if fields[name] is not None}
    if np.any(fields["length"] < fields["values"].shape[1]):
        variables["length"] = ("run", fields["length"])
    step = fields["steps"]
    if step.ndim == 2:
        variables["time"] = (("run", "step"), step)
        step = np.arange(step.shape[1])  # an index only: the times differ from run to run
    coordinates = {"step": step, "feature": fields["features"], "run": fields["runs"]}
    return xr.Dataset(variables, coordinates, _attributes(fields))


def _attributes(fields: Mapping[str, Any]) -> Fields:
    return {
        "ecodyn_schema": SCHEMA,
        "labels_shared": int(fields["labels_shared"]),  # netCDF attributes know no booleans
        "provenance": json.dumps(fields["provenance"]),
    }


def unpack(ds: xr.Dataset) -> Fields:
    """Take the fields out of a dataset; the inverse of `pack`."""
    ds = ds if "run" in ds.dims else ds.expand_dims("run")
    _check_dataset(ds)
    kinds: dict[str, Fields] = {"observables": {}, "curves": {}, "settings": {}}
    for name in map(str, ds.data_vars):
        for kind, dims in zip(kinds, (DIMENSIONS, DIMENSIONS[:2], DIMENSIONS[:1]), strict=True):
            if set(ds[name].dims) == set(dims) and name not in EXPECTED:
                kinds[kind][name] = _array(ds, name, dims)
    return {
        "values": _array(ds, "signal", DIMENSIONS),
        "steps": _steps(ds),
        "features": ds["feature"].values if "feature" in ds.coords else None,
        "runs": ds["run"].values if "run" in ds.coords else None,
        "labels_shared": bool(ds.attrs.get("labels_shared", 0)),
        "provenance": _provenance(ds.attrs.get("provenance", "{}")),
        **kinds,
        **{name: _array(ds, name, EXPECTED[name]) for name in OPTIONAL if name in ds},
    }


def _array(ds: xr.Dataset, name: str, dims: tuple[str, ...]) -> np.ndarray:
    return np.asarray(ds[name].transpose(*dims).values)


def _check_dataset(ds: xr.Dataset) -> None:
    schema = int(ds.attrs.get("ecodyn_schema", SCHEMA))
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


def _provenance(text: str) -> Fields:
    try:
        provenance = json.loads(text)
    except ValueError as error:
        raise UnusableDataError(f"the provenance is not JSON ({error}); write the file again") from error
    return provenance if isinstance(provenance, dict) else {"note": provenance}


# ------------------------------------------------------------------------------------------------ netCDF


def write_netcdf(fields: Mapping[str, Any], path: Path, *, force: bool = False) -> None:
    """Write fields as netCDF4, compressed without loss, with a checksum of all they hold."""
    ds = pack(fields)
    ds.attrs["ecodyn_checksum"] = _checksum(ds)
    encoding = {name: COMPRESSION for name, variable in ds.data_vars.items() if variable.dtype.kind in "if"}
    with write_whole(path, force=force) as temporary:
        ds.to_netcdf(temporary, engine="h5netcdf", format="NETCDF4", encoding=encoding)


def read_netcdf(path: Path) -> xr.Dataset:
    """Read a netCDF4 file into memory, and refuse it if it is truncated, altered or something else."""
    _check_start(path)
    try:
        ds = _read_whole(path)
    except (ImportError, UnusableDataError):
        raise
    except Exception as error:  # the HDF5 layers raise anything from OSError to KeyError on a damaged file
        raise UnusableDataError(
            f"{path} is damaged or truncated ({type(error).__name__}: {error}); copy or write it again"
        ) from error
    stored = ds.attrs.pop("ecodyn_checksum", None)
    if stored is not None and stored != _checksum(ds):
        raise UnusableDataError(
            f"{path} does not match the checksum stored in it: it was damaged, or edited without ecodyn; "
            "restore it, or delete the attribute ecodyn_checksum if the change was meant"
        )
    return ds


def _read_whole(path: Path) -> xr.Dataset:
    import xarray as xr

    with xr.open_dataset(path, engine="h5netcdf", decode_times=False) as ds:
        if ds.nbytes > ZLIB_LIMIT * path.stat().st_size:
            raise UnusableDataError(
                f"{path} has {path.stat().st_size} bytes and claims {ds.nbytes:.3g} bytes of data, more than "
                "compression allows; it is truncated or made up: write it again"
            )
        return ds.load()


def _check_start(path: Path) -> None:
    start = _start(path)
    if start.startswith(NETCDF3_SIGNATURE):
        raise UnusableDataError(f"{path} is a netCDF3 file, expected netCDF4; convert it with nccopy -k nc4")
    if not start.startswith(HDF5_SIGNATURE):
        raise UnusableDataError(
            f"{path} is not a netCDF4 file: it starts with {start[:16]!r}; check where it came from"
        )


def _start(path: Path) -> bytes:
    if path.is_dir():
        raise UnusableDataError(f"{path} is a folder, expected a trajectories file; name a file inside it")
    if not path.exists():
        raise FileNotFoundError(f"there is no file {path}")
    return first_bytes(path, "a trajectories file")


def _checksum(ds: xr.Dataset) -> str:
    """SHA-256 of every variable (name, dimensions, values) and of the attributes, however they are stored."""
    digest = hashlib.sha256()
    for name in sorted(map(str, ds.variables)):
        digest.update(f"{name}{ds[name].dims}{ds[name].shape}".encode())
        digest.update(_canonical_bytes(ds[name].values))
    for name in ("ecodyn_schema", "labels_shared", "provenance"):
        digest.update(f"{name}={ds.attrs[name]}".encode() if name in ds.attrs else b"")
    return f"sha256:{digest.hexdigest()}"


def _canonical_bytes(array: np.ndarray) -> bytes:
    if array.dtype.kind not in "biuf":
        return json.dumps(array.astype(str).tolist()).encode()
    numbers = np.array(array, dtype="<f8")
    numbers[np.isnan(numbers)] = np.nan  # one bit pattern for all of them
    return numbers.tobytes()


# --------------------------------------------------------------------------------------------------- CSV


def write_csv(fields: Mapping[str, Any], path: Path, *, force: bool = False) -> None:
    """Write times and signal as columns step, run and one per feature; numbers as short as they read back."""
    _check_csv_labels(fields)
    left_out = [*fields["observables"], *fields["curves"], *fields["settings"]]
    left_out += [name for name in ("dc", "embedding", "backward_velocity") if fields[name] is not None]
    if left_out:
        warnings.warn(f"a CSV file holds the signal only; left out: {', '.join(left_out)}", stacklevel=4)
    metadata = {"labels_shared": fields["labels_shared"], "provenance": fields["provenance"]}
    if fields["cluster"] is not None:
        metadata["cluster"] = fields["cluster"].tolist()
    with (
        write_whole(path, force=force) as temporary,
        temporary.open("w", encoding="utf-8", newline="") as file,
    ):
        file.write(f"{METADATA_MARK}{json.dumps(metadata)}\n")
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["step", "run", *fields["features"]])
        writer.writerows(_csv_rows(fields))


def _check_csv_labels(fields: Mapping[str, Any]) -> None:
    taken = {"step", "run"} & set(map(str, fields["features"]))
    if taken:
        raise ValueError(f"a CSV file can't have a feature named {taken.pop()}; rename it or save as .nc")


def _csv_rows(fields: Mapping[str, Any]) -> Iterable[list[Any]]:
    for r, run in enumerate(fields["runs"]):
        steps = fields["steps"] if fields["steps"].ndim == 1 else fields["steps"][r]
        for t in range(fields["length"][r]):
            yield [_number(steps[t]), run, *map(repr, fields["values"][r, t].tolist())]


def _number(step: float) -> str:
    return str(int(step)) if step == int(step) else repr(float(step))


def read_csv(path: Path) -> Fields:
    """Read columns step, one per feature and an optional run; lines that start with # are comments."""
    _start(path)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = list(file)
    except UnicodeDecodeError as error:
        raise UnusableDataError(f"{path} is not a text file in UTF-8 ({error}); save it as CSV in UTF-8") from error
    comments = [line.rstrip() for line in lines if line.startswith("#")]
    rows = _parse(path, [line for line in lines if not line.startswith("#")])
    header = [name.strip() for name in rows[0]]
    _check_header(path, header)
    fields = _split_runs(header, _numbers(path, header, rows[1:]))
    fields |= {"labels_shared": any(not _is_number(name) for name in header if name not in ("step", "run"))}
    return fields | _csv_metadata(comments)


def _parse(path: Path, lines: list[str]) -> list[list[str]]:
    try:
        rows = [row for row in csv.reader(io.StringIO("".join(lines), newline="")) if row]
    except csv.Error as error:
        raise UnusableDataError(f"{path} can't be read as CSV: {error}; save it again as CSV") from error
    if len(rows) < 2:
        raise UnusableDataError(f"{path} has no data: expected a line of column names and a line for each step")
    for number, row in enumerate(rows):
        if len(row) != len(rows[0]):
            raise UnusableDataError(
                f"{path}: data line {number} has {len(row)} cells, expected {len(rows[0])} as the line of "
                "column names; it may be truncated: complete or delete it"
            )
    return rows


def _check_header(path: Path, header: list[str]) -> None:
    found = ", ".join(header)
    if "step" not in header:
        raise UnusableDataError(
            f"{path} has no column named step, only {found}; name the time column step, and separate columns by commas"
        )
    if len(set(header)) < len(header):
        raise UnusableDataError(f"{path} has two columns of the same name in {found}; rename one")
    if not set(header) - {"step", "run"}:
        raise UnusableDataError(f"{path} has no feature columns, only {found}; add one column for each feature")


def _numbers(path: Path, header: list[str], rows: list[list[str]]) -> tuple[list[str], np.ndarray]:
    """Return the run label and the numbers (step first, then the features) of each line."""
    order = [header.index("step"), *(i for i, name in enumerate(header) if name not in ("step", "run"))]
    labels = [row[header.index("run")].strip() if "run" in header else "0" for row in rows]
    try:
        return labels, np.array([[float(row[i]) for i in order] for row in rows])
    except ValueError as error:
        raise UnusableDataError(_first_text(path, header, rows, order)) from error


def _first_text(path: Path, header: list[str], rows: list[list[str]], order: list[int]) -> str:
    number, column = next((n, i) for n, row in enumerate(rows, 1) for i in order if not _is_number(row[i]))
    cell = rows[number - 1][column]
    advice = "delete the line or fill the gap"
    if header[column] == "step":
        advice = "times must be numbers: turn dates or text into, say, days since the start"
    return f"{path}: data line {number}, column {header[column]}: expected a number, got {cell!r}; {advice}"


def _split_runs(header: list[str], parsed: tuple[list[str], np.ndarray]) -> Fields:
    labels, numbers = np.array(parsed[0]), parsed[1]
    runs = list(dict.fromkeys(parsed[0]))
    parts = [numbers[labels == run] for run in runs]
    return {
        "values": [part[:, 1:] for part in parts],
        "steps": [part[:, 0] for part in parts],
        "features": _whole_numbers([name for name in header if name not in ("step", "run")]),
        "runs": _whole_numbers(runs),
    }


def _csv_metadata(comments: list[str]) -> Fields:
    for line in comments:
        if line.startswith(METADATA_MARK):
            try:
                return {key: value for key, value in json.loads(line[len(METADATA_MARK) :]).items() if key in _KEPT}
            except (ValueError, AttributeError) as error:
                raise UnusableDataError(f"the comment line {line[:60]!r} is damaged ({error}); delete it") from error
    return {"provenance": {"comments": [line.lstrip("# ") for line in comments]}} if comments else {}


_KEPT = ("labels_shared", "provenance", "cluster")


def _whole_numbers(names: list[str]) -> list[Any]:
    """Labels as integers if all of them are written as such ("007" is a name), else as they are."""
    if all(name.lstrip("-").isdecimal() and str(int(name)) == name for name in names):
        return [int(name) for name in names]
    return names


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
