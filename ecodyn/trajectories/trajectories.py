"""Trajectories x[run, step, feature]: validated once, here, and immutable from then on."""

from __future__ import annotations

import copy
import functools
import html
import operator
import os
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ecodyn.errors import DataWarning, UnusableDataError
from ecodyn.runtime.files import check_output
from ecodyn.trajectories import storage as trajectory_files
from ecodyn.trajectories.checks import Checked, check, findings
from ecodyn.trajectories.parts import (
    share_times,
    some,
    take_features,
    take_runs,
    take_steps,
    tidied,
    velocity_of,
    where_labels,
    where_setting,
)
from ecodyn.trajectories.state import VELOCITY, is_trait, observable_of, parse_state
from ecodyn.trajectories.velocity import completed

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["Trajectories", "as_trajectories", "check_target", "load"]


class Trajectories:
    """Time series x[run, step, feature] with their times, labels and provenance.

    Parameters
    ----------
    values : array (run, step, feature), or a list of (step, feature) arrays
        The signal. Runs of unequal length are padded by NaN at the end; NaN anywhere else is refused.
    steps : array (step,) or (run, step), or a list of (step,) arrays
        Times in optimiser steps, strictly increasing, not necessarily uniform.
    features, runs : labels, whole numbers or names
        Default 1..K and 0..R-1.
    labels_shared : bool
        Whether feature k means the same in every run: the same initialisation, or species with names.
    provenance : mapping
        Where the data come from; anything that JSON can hold.
    observables : mapping of name to an array shaped as `values`
        What else was measured of the features, such as "gradient".
    curves : mapping of name to an array (run, step), or to a list of (step,) arrays
        What was measured of a whole network rather than of a feature, such as "train_loss" or "test_accuracy".
    dc : array (run, step)
        The spectrum at frequency 0, where a survivor rule needs it.
    embedding : array (run, token, dimension), or a list of (token, dimension) arrays
        The embedding at the last step of each training. Embeddings of fewer dimensions than the widest are
        padded by NaN at the end of the last axis; NaN anywhere else is refused.
    cluster : labels (run,)
        Runs that share an initialisation share a label. Default: each run its own.
    settings : mapping of name to (run,)
        Settings that differ between runs, such as ``{"dim": [32, 128]}``.
    backward_velocity : array shaped as `values`, or a list of (step, feature) arrays
        The signal's mean change over the stored steps before, in signal per step, where those are no longer in
        `values`: a window's file has it. NaN at the first step of a run that none was stored before. Default: what the
        steps that are there tell.

    Raises
    ------
    UnusableDataError
        The data break one of these rules; the message names the place and what to do.

    Warns
    -----
    DataWarning
        Features that are zero, constant, equal or over 10¹² apart in size, a gap in time; see `warnings`.
    """

    _data: Checked

    def __init__(
        self,
        values: Any,
        steps: Any,
        features: Sequence[Any] | np.ndarray | None = None,
        runs: Sequence[Any] | np.ndarray | None = None,
        labels_shared: bool = False,
        provenance: Mapping[str, Any] | None = None,
        *,
        observables: Mapping[str, Any] | None = None,
        curves: Mapping[str, Any] | None = None,
        dc: Any = None,
        embedding: Any = None,
        cluster: Sequence[Any] | np.ndarray | None = None,
        settings: Mapping[str, Any] | None = None,
        backward_velocity: Any = None,
    ) -> None:
        data = check(
            values,
            steps,
            features,
            runs,
            labels_shared,
            provenance,
            observables or {},
            curves or {},
            dc,
            embedding,
            cluster,
            settings or {},
            backward_velocity,
        )
        if data.lengths.max() < data.times.shape[1]:  # padding that all runs share holds nothing
            data = take_steps(data, [np.arange(length) for length in data.lengths])
        self._data = tidied(data)
        if self.warnings:
            warnings.warn("; ".join(self.warnings), DataWarning, stacklevel=2)

    @classmethod
    def _derived(cls, data: Checked) -> Trajectories:
        """Wrap what comes of checked data without checking or warning again."""
        new = cls.__new__(cls)
        new._data = data
        return new

    # ------------------------------------------------------------------------------------------ what is in it

    @property
    def values(self) -> np.ndarray:
        """The signal (run, step, feature), NaN at padding."""
        return self._data.observables["signal"]

    @property
    def observables(self) -> dict[str, np.ndarray]:
        """All observables by name, "signal" first, each (run, step, feature)."""
        return dict(self._data.observables)

    @property
    def times(self) -> np.ndarray:
        """Times (run, step), NaN at padding."""
        return self._data.times

    @property
    def shares_times(self) -> bool:
        """Whether all runs have the same times, as far as each goes."""
        return share_times(self.times, self.lengths)

    @property
    def steps(self) -> np.ndarray:
        """The times (step,) that all runs share, those of the longest run.

        Raises
        ------
        UnusableDataError
            The times differ from run to run.
        """
        if not self.shares_times:
            raise UnusableDataError(
                "the times differ from run to run, so there is no one steps array; use times (run, step), "
                "or select runs that share theirs"
            )
        return self.times[np.argmax(self.lengths)]

    @property
    def lengths(self) -> np.ndarray:
        """Steps of each run (run,), without padding."""
        return self._data.lengths

    @property
    def features(self) -> np.ndarray:
        """Labels (feature,)."""
        return self._data.features

    @property
    def runs(self) -> np.ndarray:
        """Labels (run,)."""
        return self._data.runs

    @property
    def clusters(self) -> np.ndarray:
        """Labels (run,), equal for runs that share an initialisation."""
        return self._data.clusters

    @property
    def n_clusters(self) -> int:
        """Number of different clusters: the R that folds and tests count."""
        return len(np.unique(self.clusters))

    @property
    def settings(self) -> dict[str, np.ndarray]:
        """Settings that differ between runs, each (run,)."""
        return dict(self._data.settings)

    @property
    def dc(self) -> np.ndarray | None:
        """The spectrum at frequency 0 (run, step), if the data have it."""
        return self._data.curves.get("dc")

    @property
    def curves(self) -> dict[str, np.ndarray]:
        """What was measured of the whole network by name, each (run, step), NaN at padding; `dc` has its own place."""
        return {name: array for name, array in self._data.curves.items() if name != "dc"}

    @property
    def embedding(self) -> np.ndarray | None:
        """The embeddings at the end of each training (run, token, dimension), if the data have them.

        NaN after the last dimension of a run that has fewer than the widest. A window leaves them as they are.
        """
        return self._data.embedding

    @property
    def provenance(self) -> dict[str, Any]:
        """Where the data come from (a copy)."""
        return copy.deepcopy(self._data.provenance)

    @property
    def labels_shared(self) -> bool:
        """Whether feature k means the same in every run."""
        return self._data.labels_shared

    @property
    def shape(self) -> tuple[int, int, int]:
        """(runs, steps of the longest run, features)."""
        R, T, K = self.values.shape
        return R, T, K

    @property
    def n_runs(self) -> int:
        """R."""
        return self.shape[0]

    @property
    def n_steps(self) -> int:
        """T, of the longest run."""
        return self.shape[1]

    @property
    def n_features(self) -> int:
        """K."""
        return self.shape[2]

    @functools.cached_property
    def warnings(self) -> tuple[str, ...]:
        """Sentences on what looks odd in the data."""
        return findings(self._data)

    # ------------------------------------------------------------------------------------- what is made of it

    def state(self, channels: str = "signal") -> np.ndarray:
        """Return the state (run, step, feature, channel) that a right-hand side sees.

        "signal" is one channel. "signal,gradient" adds an observable, "signal,gradient@start" a trait: the
        observable at the first step, held constant. "signal,velocity" adds the signal's mean change per step over
        the 3 stored steps before each step, also where a window has cut them away; at the first step of a file it
        is that over the 3 steps after (see `knows_before`). NaN at padding.

        Raises
        ------
        ValueError
            The channels are not known (see `parse_state`), or the data lack one of the observables.
        """
        return np.stack([self._channel(name) for name in parse_state(channels)], axis=-1)

    def _channel(self, name: str) -> np.ndarray:
        array = self.observable(observable_of(name))
        return np.where(np.isnan(self.values), np.nan, array[:, :1]) if is_trait(name) else array

    def observable(self, name: str) -> np.ndarray:
        """An observable (run, step, feature) as a state has it: one of the data's, or "velocity", the signal's own.

        Raises
        ------
        UnusableDataError
            The data lack it.
        """
        if name == VELOCITY:
            return completed(velocity_of(self._data), self.values, self.times, self.lengths)
        if name not in self._data.observables:
            raise UnusableDataError(
                f"the state needs {name}, the data have {', '.join(self._data.observables)}; "
                "use those, or extract the observable from the logs"
            )
        return self._data.observables[name]

    @property
    def knows_before(self) -> np.ndarray:
        """Whether a step before the first one of each run (run,), cut away by a window, tells the velocity there."""
        return ~np.isnan(velocity_of(self._data)[:, 0]).any(axis=1)

    def window(self, start: float, stop: float) -> Trajectories:
        """Keep the steps with start ≤ t ≤ stop: values of t, both ends included.

        The signal's velocity is remembered from the steps that are cut away.

        Raises
        ------
        UnusableDataError
            A run has no step in the window.
        """
        picks = [np.flatnonzero((times >= start) & (times <= stop)) for times in self.times]
        for run, times, pick in zip(self.runs, self.times, picks, strict=True):
            if len(pick) == 0:
                raise UnusableDataError(
                    f"run {run} has no step in the window {start:g}:{stop:g}, its steps go from "
                    f"{np.nanmin(times):g} to {np.nanmax(times):g}; choose a window within, or leave it out"
                )
        return self._derived(take_steps(self._data, picks))

    def head(self, counts: Sequence[int]) -> Trajectories:
        """Keep the first `counts[r]` stored steps of run r."""
        if len(counts) != self.n_runs or not all(0 < n <= held for n, held in zip(counts, self.lengths, strict=True)):
            raise ValueError(f"expected between 1 and {self.lengths.tolist()} steps of the runs, got {list(counts)}")
        return self._derived(take_steps(self._data, [np.arange(n) for n in counts]))

    def every(self, n: int) -> Trajectories:
        """Keep each n-th stored step of each run, the first included."""
        if operator.index(n) < 1:
            raise ValueError(f"expected every(n) with n of at least 1, got {n}; 1 keeps all steps")
        return self._derived(take_steps(self._data, [np.arange(0, length, n) for length in self.lengths]))

    def thinned(self, most: int) -> Trajectories:
        """Keep at most so many of the stored steps of each run, evenly, the first and the last among them."""
        if operator.index(most) < 2:
            raise ValueError(f"expected thinned(most) with most of at least 2, got {most}; both ends are kept")
        picks = [np.unique(np.linspace(0, n - 1, min(n, most)).round().astype(int)) for n in self.lengths]
        return self._derived(take_steps(self._data, picks))

    def select(self, runs: Any = None, features: Any = None, **settings: Any) -> Trajectories:
        """Keep runs and features by label, in the order asked for, and runs by setting.

        A label or a list of labels must all exist; a `range` stands for those of its labels that do.
        ``select(dim=128)`` keeps the runs whose setting dim is 128, ``select(dim=[32, 64])`` those of either.

        Raises
        ------
        UnusableDataError
            A label or setting is not there, or nothing is left.
        """
        data = self._data
        for name, wanted in settings.items():
            data = take_runs(data, where_setting(data, name, wanted))
        if runs is not None:
            data = take_runs(data, where_labels(data.runs, runs, "runs"))
        if features is not None:
            data = take_features(data, where_labels(data.features, features, "features"))
        return self._derived(data)

    def aligned(self, features: Sequence[Any] | np.ndarray, *, any_labels: bool = False) -> Trajectories:
        """Put the features in the order of these labels, such as a law's, which have to be exactly those there are.

        With `any_labels`, other labels of the same number are taken as they are: for a law that is the same for every
        feature.

        Raises
        ------
        UnusableDataError
            The labels, or with `any_labels` their number, are others.
        """
        wanted, present = np.asarray(features).tolist(), self.features.tolist()
        if set(wanted) == set(present):
            return self.select(features=wanted)
        if any_labels and len(wanted) == len(present):
            return self
        missing, further = [x for x in wanted if x not in present], [x for x in present if x not in wanted]
        wrong = [f"{what} {some(labels)}" for what, labels in (("without", missing), ("with", further)) if labels]
        raise UnusableDataError(
            f"expected the {len(wanted)} features {some(wanted)}, got {len(present)}, {' and '.join(wrong)}; "
            "rename or select the features"
        )

    # ------------------------------------------------------------------------------------------------- files

    def to_dataset(self) -> xr.Dataset:
        """Return an xarray dataset with the names and dimensions of the trajectories file."""
        return trajectory_files.pack(self._fields())

    @classmethod
    def from_dataset(cls, ds: xr.Dataset) -> Trajectories:
        """Build trajectories from an xarray dataset with dimensions run, step and feature.

        Raises
        ------
        UnusableDataError
            There is no variable signal, the schema is newer than this version, or the data break a rule.
        """
        new = cls(**trajectory_files.unpack(ds))
        if "length" in ds and not np.array_equal(ds["length"].values, new.lengths):
            raise UnusableDataError(
                f"length says {ds['length'].values.tolist()}, signal has {new.lengths.tolist()} steps before "
                "its padding by NaN; correct the one that is wrong"
            )
        return new

    def save(self, path: str | os.PathLike[str], *, force: bool = False) -> None:
        """Write to `path`: netCDF4 if it ends in .nc, else .csv, which holds times and signal only.

        Raises
        ------
        OutputExistsError
            The file exists and `force` is false.
        ValueError
            The suffix is another.
        """
        target = Path(path)
        write = {".nc": trajectory_files.write_netcdf, ".csv": trajectory_files.write_csv}[_suffix(target)]
        write(self._fields(), target, force=force)

    def _fields(self) -> dict[str, Any]:
        default_cluster = np.array_equal(self.clusters, np.arange(self.n_runs))
        return {
            "values": self.values,
            "observables": {name: a for name, a in self._data.observables.items() if name != "signal"},
            "steps": self.steps if self.shares_times else self.times,
            "length": self.lengths,
            "features": self.features,
            "runs": self.runs,
            "cluster": None if default_cluster else self.clusters,
            "settings": self._data.settings,
            "curves": self.curves,
            "dc": self.dc,
            "embedding": self.embedding,
            "backward_velocity": self._data.velocity,
            "labels_shared": self.labels_shared,
            "provenance": self._data.provenance,
        }

    # ----------------------------------------------------------------------------------------------- display

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Trajectories):
            return NotImplemented
        a, b = (t._data.arrays() for t in (self, other))
        plain = self.labels_shared == other.labels_shared and self.provenance == other.provenance
        return plain and a.keys() == b.keys() and all(_same(a[name], b[name]) for name in a)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Trajectories: {self._size()}; " + "; ".join(f"{k} {v}" for k, v in self._description().items())

    def _size(self) -> str:
        R, T, K = self.shape
        least = self.lengths.min()
        span = f"{np.nanmin(self.times):g} to {np.nanmax(self.times):g}"
        count = f"{T} step{'s' * (T > 1)}" if least == T else f"{least} to {T} steps"
        return f"{R} run{'s' * (R > 1)} × {count} ({span}) × {K} feature{'s' * (K > 1)}"

    def _description(self) -> dict[str, str]:
        rows = {
            "observables": ", ".join(self._data.observables),
            "labels": "shared" if self.labels_shared else "not shared",
        }
        if self.curves:
            rows["curves"] = ", ".join(self.curves)
        if self.embedding is not None:
            rows["embedding"] = f"{self.embedding.shape[1]} tokens × {self.embedding.shape[2]} dimensions"
        if self.n_clusters < self.n_runs:
            rows["clusters"] = str(self.n_clusters)
        if self.settings:
            rows["settings"] = ", ".join(self.settings)
        if self._data.velocity is not None:
            rows["velocity"] = "from before steps were left out"
        return rows | ({"warnings": str(len(self.warnings))} if self.warnings else {})

    def _repr_html_(self) -> str:
        rows = {"size": self._size(), **self._description()}
        rows["features"] = some(self.features)
        rows["runs"] = some(self.runs)
        rows |= {"warnings": "; ".join(self.warnings)} if self.warnings else {}
        cells = "".join(f"<tr><th>{html.escape(k)}</th><td>{html.escape(v)}</td></tr>" for k, v in rows.items())
        return f"<table><caption>Trajectories</caption>{cells}</table>"


def load(path: str | os.PathLike[str]) -> Trajectories:
    """Read a trajectories file, netCDF4 (.nc) or CSV (.csv), that this or another program wrote.

    A CSV file has a column step, one column for each feature and an optional column run; columns that are
    names and not numbers count as shared labels.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    UnusableDataError
        The file is truncated, altered or of another kind, or its data break a rule of `Trajectories`.
    """
    source = Path(path)
    suffix = _suffix(source)
    try:
        if suffix == ".csv":
            return Trajectories(**trajectory_files.read_csv(source))
        return Trajectories.from_dataset(trajectory_files.read_netcdf(source))
    except UnusableDataError as error:
        raise error if str(source) in str(error) else UnusableDataError(f"{source}: {error}") from error


def check_target(path: str | os.PathLike[str], *, force: bool = False) -> None:
    """Raise what `Trajectories.save` would, before the work whose result is to be saved."""
    _suffix(Path(path))
    check_output(path, force=force)


def as_trajectories(X: Any, t: Any = None) -> Trajectories:
    """Return X as `Trajectories`: X itself, or built from a (step, feature) array or table or a list of them.

    `t` holds the times, one (step,) array for all or a list of them; default 0, 1, ..., T-1. The column
    names of a table (a pandas DataFrame) become the features; names that are text count as shared labels.

    Raises
    ------
    ValueError
        `t` is given beside Trajectories, which carry their times.
    UnusableDataError
        The data break a rule of `Trajectories`.
    """
    if isinstance(X, Trajectories):
        if t is not None:
            raise ValueError("Trajectories carry their own times, got t as well; leave t out")
        return X
    parts = X if _is_list_of_runs(X) else [X]
    columns = _columns(parts)
    arrays = [np.asarray(part) for part in parts] if columns is not None else list(parts)
    shared = columns is not None and any(isinstance(name, str) for name in columns)
    return Trajectories(arrays, _default_times(arrays, t), columns, labels_shared=shared)


def _suffix(path: Path) -> str:
    suffix = path.suffix.lower()
    if suffix not in (".nc", ".csv"):
        raise ValueError(f"expected a trajectories file ending in .nc (netCDF4) or .csv, got {path}; rename it")
    return suffix


def _is_list_of_runs(X: Any) -> bool:
    """Whether X holds several runs; a nested list of numbers is one array."""
    if isinstance(X, (list, tuple)):
        return len(X) > 0 and np.ndim(X[0]) >= 2
    return np.ndim(X) == 3


def _columns(parts: Sequence[Any]) -> list[Any] | None:
    """Return the column names that all tables share, or None for arrays."""
    named = [list(part.columns) for part in parts if hasattr(part, "columns")]
    if not named:
        return None
    if any(columns != named[0] for columns in named):
        raise UnusableDataError(
            "the tables have different columns; bring them all to the same columns in the same order"
        )
    if "step" in named[0]:
        raise UnusableDataError("the table has a column step, which is no feature; pass it as t and drop it from X")
    return named[0]


def _default_times(arrays: Sequence[Any], t: Any) -> Any:
    if t is None:
        return np.arange(max(_length(array) for array in arrays))
    return list(t) if not isinstance(t, (list, tuple)) and np.ndim(t) == 2 else t


def _length(array: Any) -> int:
    """First dimension of anything; what has none is refused later, with a sentence."""
    shape = getattr(array, "shape", None) or (len(array) if hasattr(array, "__len__") else 0,)
    return int(shape[0])


def _same(a: np.ndarray, b: np.ndarray) -> bool:
    floats = a.dtype.kind == "f" and b.dtype.kind == "f"
    return np.array_equal(a, b, equal_nan=floats)
