"""Trajectories files of netCDF4, with a checksum of all they hold."""

from __future__ import annotations

import errno
import hashlib
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np

from ecodyn.errors import UnusableDataError
from ecodyn.runtime.files import damaged, write_whole
from ecodyn.runtime.processes import physical_memory
from ecodyn.trajectories.dataset import Fields, pack
from ecodyn.trajectories.hdf5_contents import check_contents, check_readable
from ecodyn.trajectories.paths import beginning

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["CHECKSUM", "check_start", "opened_dataset", "read_netcdf", "write_dataset", "write_netcdf"]

CHECKSUM = "ecodyn_checksum"  # the attribute of a file with the checksum of all it holds
COMPRESSION = {"zlib": True, "complevel": 4, "shuffle": True}  # what netCDF4-python compresses with by default
IN_MEMORY = 1 << 29  # bytes of data whose file is made in memory first, where it is smaller
HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"  # netCDF4's
NETCDF3_SIGNATURE = b"CDF"  # of the older kind, which is told so
ZLIB_LIMIT = 1032  # zlib shrinks nothing further than 1032 : 1, so a larger claim is not backed by the file


def write_netcdf(fields: Fields, path: Path, *, force: bool = False) -> None:
    """Write fields as netCDF4, compressed without loss, with a checksum of all they hold."""
    write_dataset(pack(fields), path, force=force)


def write_dataset(ds: xr.Dataset, path: Path, *, force: bool = False) -> None:
    """The same of a dataset that holds packed fields, and attributes of its writer's own."""
    ds.attrs[CHECKSUM] = _checksum(ds)
    encoding = {name: COMPRESSION for name, variable in ds.data_vars.items() if variable.dtype.kind in "if"}
    with write_whole(path, force=force) as temporary:
        # HDF5 may end the process where a disk is full in the middle of a file: it meets none in memory.
        if ds.nbytes <= IN_MEMORY:
            temporary.write_bytes(ds.to_netcdf(None, engine="h5netcdf", format="NETCDF4", encoding=encoding))
            return
        if ds.nbytes > (free := shutil.disk_usage(temporary.parent).free):
            raise OSError(errno.ENOSPC, f"{ds.nbytes:.3g} bytes are to be written where {free:.3g} are free")
        ds.to_netcdf(temporary, engine="h5netcdf", format="NETCDF4", encoding=encoding)


def read_netcdf(path: Path) -> xr.Dataset:
    """Read a netCDF4 file into memory, and refuse it if it is truncated, altered or something else."""
    check_start(path)
    try:
        ds = _read_whole(path)
    except (ImportError, UnusableDataError):
        raise
    except Exception as error:  # the HDF5 layers raise anything from OSError to KeyError on a damaged file
        raise damaged(path, error) from error
    stored = ds.attrs.pop(CHECKSUM, None)
    if stored is not None and stored != _checksum(ds):
        raise UnusableDataError(
            f"{path} does not match the checksum stored in it: it was damaged, or edited without ecodyn; "
            "restore it, or delete the attribute ecodyn_checksum if the change was meant"
        )
    return ds


@contextmanager
def opened_dataset(source: Path | IO[bytes], path: object, *, values: bool = False) -> Iterator[xr.Dataset]:
    """The dataset of a file, or of its bytes, its values unread; all of them lie in that file, which is ``path``.

    Whether all its ``values`` are about to be read: they are tried first, as its list of contents always is.
    """
    import xarray as xr

    if isinstance(source, Path):
        check_readable(source, values=values)
    check_contents(source, path)
    if not isinstance(source, Path):
        source.seek(0)
    with xr.open_dataset(source, engine="h5netcdf", decode_times=False) as ds:
        yield ds


def _read_whole(path: Path) -> xr.Dataset:
    with opened_dataset(path, path, values=True) as ds:
        if ds.nbytes > ZLIB_LIMIT * path.stat().st_size:
            raise UnusableDataError(
                f"{path} has {path.stat().st_size} bytes and claims {ds.nbytes:.3g} bytes of data, more than "
                "compression allows; it is truncated or made up: write it again"
            )
        if ds.nbytes > (memory := physical_memory()):
            raise UnusableDataError(
                f"{path} holds {ds.nbytes:.3g} bytes of data, more than the {memory:.3g} of memory that this machine "
                "has; read the part that is needed: ecodyn.load(path, lazy=True)"
            )
        return ds.load()


def check_start(path: Path) -> None:
    """Refuse a file that does not begin as netCDF4 does, and say what it is."""
    start = beginning(path)
    if start.startswith(NETCDF3_SIGNATURE):
        raise UnusableDataError(f"{path} is a netCDF3 file, expected netCDF4; convert it with nccopy -k nc4")
    if not start.startswith(HDF5_SIGNATURE):
        raise UnusableDataError(
            f"{path} is not a netCDF4 file: it starts with {start[:16]!r}; check where it came from"
        )


def _checksum(ds: xr.Dataset) -> str:
    """SHA-256 of every variable (name, dimensions, values) and of the attributes, however they are stored."""
    digest = hashlib.sha256()
    for name in sorted(map(str, ds.variables)):
        digest.update(_encoded(f"{name}{ds[name].dims}{ds[name].shape}"))
        digest.update(_canonical_bytes(ds[name].values))
    for name in ("ecodyn_schema", "labels_shared", "provenance"):
        digest.update(_encoded(f"{name}={ds.attrs[name]}") if name in ds.attrs else b"")
    return f"sha256:{digest.hexdigest()}"


def _encoded(text: str) -> bytes:
    """As UTF-8; what is none in a damaged file is written out, and so differs from what was written."""
    return text.encode(errors="backslashreplace")


def _canonical_bytes(array: np.ndarray) -> bytes:
    if array.dtype.kind not in "biuf":
        return json.dumps(array.astype(str).tolist()).encode()
    numbers = np.array(array, dtype="<f8")
    numbers[np.isnan(numbers)] = np.nan  # one bit pattern for all of them
    return numbers.tobytes()
