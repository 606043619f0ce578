"""One netCDF file whose runs are read when they are used: the parts of it that hold them, and no others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ecodyn.arrays import Integers
from ecodyn.errors import UnusableDataError
from ecodyn.runtime.files import damaged
from ecodyn.runtime.remote import UrlPath, named
from ecodyn.trajectories.checks import Checked
from ecodyn.trajectories.collection.assembly import assembled, checked
from ecodyn.trajectories.collection.facts import Facts, Times, placeholders
from ecodyn.trajectories.dataset import unpack
from ecodyn.trajectories.input_variables import INPUT, PREFIX
from ecodyn.trajectories.labels import checked_labels, checked_setting, plain_provenance
from ecodyn.trajectories.netcdf import CHECKSUM, check_start, opened_dataset, read_netcdf
from ecodyn.trajectories.parts import take_runs

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["OneFile", "whole_file"]


class OneFile:
    """The runs of a trajectories file.

    Parameters
    ----------
    path
        Of the file.
    facts
        What is known of its runs, by an index; default what it says itself.
    """

    def __init__(self, path: Path | UrlPath, facts: Facts | None = None) -> None:
        self.path = path
        if isinstance(path, Path):
            check_start(path)
        self.facts = facts or self._own_facts()

    def _own_facts(self) -> Facts:
        with self._opened() as ds:
            return _facts(ds)

    @contextmanager
    def _opened(self) -> Iterator[xr.Dataset]:
        """The dataset, its values unread; what is damaged is refused."""
        try:
            with (
                nullcontext(self.path) if isinstance(self.path, Path) else self.path.open() as source,
                opened_dataset(source, self.path) as ds,
            ):
                yield ds if "run" in ds.dims else ds.expand_dims("run")
        except (ImportError, FileNotFoundError):
            raise
        except UnusableDataError as error:
            raise error if str(self.path) in str(error) else type(error)(f"{self.path}: {error}") from error
        except Exception as error:  # the HDF5 layers raise anything from OSError to KeyError on a damaged file
            raise damaged(self.path, error) from error

    @property
    def files(self) -> tuple[Path | UrlPath, ...]:
        """The file itself."""
        return (self.path,)

    def problems(self) -> list[str]:
        """What is wrong with the file, read whole to compare its checksum: a sentence, or none."""
        try:
            with named(self.path) as copy:
                whole_file(copy)
        except UnusableDataError as error:
            return [str(error)]
        return []

    def read(self, positions: Sequence[int]) -> Checked:
        """The runs at these positions, in this order."""
        wanted = np.asarray(positions, dtype=np.intp)
        ordered = np.unique(wanted)
        with self._opened() as ds:
            data = assembled([self._part(ds, first, last) for first, last in _blocks(ordered)])
        back = np.searchsorted(ordered, wanted).tolist()
        return data if back == list(range(len(ordered))) else take_runs(data, back)

    def _part(self, ds: xr.Dataset, first: int, last: int) -> Checked:
        known, rows = self.facts, slice(first, last)
        steps = known.longest if known.times is None else int(known.times.lengths[rows].max())
        part = ds.isel(run=rows, step=slice(0, steps)).load()
        arguments = unpack(part)
        said, labels = arguments["runs"], known.outline.runs[rows]
        arguments["runs"], arguments["cluster"] = labels if said is None else said, known.outline.clusters[rows]
        data = replace(checked(arguments), remarks=())
        if _names(data) != _names(known.outline) or data.runs.tolist() != labels.tolist():
            raise UnusableDataError(
                f"{self.path} has other runs, features or names than was said of it; write the collection again with "
                "ecodyn merge"
            )
        if known.times is not None:
            _check_lengths(known.times.lengths[rows], data.lengths)
        return data


def whole_file(path: Path) -> Checked:
    """All runs of a file, its checksum compared, without a word on what looks odd in one file of many."""
    ds = read_netcdf(path)
    try:
        data = checked(unpack(ds))
    except UnusableDataError as error:
        raise UnusableDataError(f"{path}: {error}") from error
    if "length" in ds:
        _check_lengths(ds["length"].values, data.lengths)
    return data


def _names(data: Checked) -> tuple[object, ...]:
    """All names that are the same in all parts."""
    beside = {*data.curves}, {*data.settings}, {*data.inputs}, data.embedding is None
    return data.features.tolist(), {*data.observables}, *beside


def _check_lengths(said: Integers, found: Integers) -> None:
    if not np.array_equal(said, found):
        raise UnusableDataError(
            f"length says {said.tolist()}, signal has {found.tolist()} steps before its padding by NaN; correct the "
            "one that is wrong"
        )


def _blocks(ordered: Integers) -> list[tuple[int, int]]:
    """Neighbouring positions, as the first and one after the last."""
    cuts = np.flatnonzero(np.diff(ordered) > 1) + 1
    return [(int(part[0]), int(part[-1]) + 1) for part in np.split(ordered, cuts)]


def _facts(ds: xr.Dataset) -> Facts:
    """What a file says of its runs, without a single one of their steps."""
    R = ds.sizes["run"]
    inputs = {name: ds[name].attrs[INPUT] for name in map(str, ds.data_vars) if INPUT in ds[name].attrs}
    bare = ds.drop_vars(list(inputs))
    bare = bare.isel({dim: slice(0, 0) for dim in ("step", "token", "dimension") if dim in bare.dims}).load()
    said = unpack(bare)
    features, runs, clusters = said["features"], said["runs"], said.get("cluster")
    curves = dict.fromkeys(said["curves"], np.empty((R, 0))) | ({} if "dc" not in said else {"dc": np.empty((R, 0))})
    K = ds.sizes["feature"]
    return Facts(
        outline=Checked(
            observables=dict.fromkeys(["signal", *said["observables"]], np.empty((R, 0, K))),
            times=np.empty((R, 0)),
            lengths=np.zeros(R, dtype=np.intp),
            features=checked_labels(range(1, K + 1) if features is None else features, K, "features"),
            runs=checked_labels(range(R) if runs is None else runs, R, "runs"),
            clusters=checked_labels(range(R) if clusters is None else clusters, R, "cluster", unique=False),
            settings={name: checked_setting(values, R, name) for name, values in said["settings"].items()},
            curves=curves,
            embedding=np.empty((R, 1, 0)) if "embedding" in ds else None,
            labels_shared=said["labels_shared"],
            provenance=plain_provenance(said["provenance"]),
            inputs={
                name.removeprefix(PREFIX): placeholders(name.removeprefix(PREFIX), kind, R)
                for name, kind in inputs.items()
                if kind != "time"
            },
        ),
        longest=ds.sizes["step"],
        lacks_values="missing" in ds,
        times=_times(ds),
    )


def _times(ds: xr.Dataset) -> Times | None:
    """Steps of each run; a file of another program may pad runs and not say so."""
    if "length" in ds:
        lengths = np.asarray(ds["length"].values, dtype=np.intp)
    elif CHECKSUM in ds.attrs:
        lengths = np.full(ds.sizes["run"], ds.sizes["step"], dtype=np.intp)
    else:
        return None
    if "time" in ds:
        return Times(lengths, None, None)
    return Times.shared(lengths, np.asarray(ds["step"].values, dtype=np.float64))
