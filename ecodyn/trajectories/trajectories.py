"""Trajectories x[run, step, feature]: validated once, here, and immutable from then on."""

from __future__ import annotations

import operator
import os
import warnings
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ecodyn.errors import DataWarning, UnusableDataError
from ecodyn.trajectories.checks import Checked, check
from ecodyn.trajectories.csv_file import write_csv
from ecodyn.trajectories.dataset import fields_of, pack, unpack
from ecodyn.trajectories.display import html_table, sentence
from ecodyn.trajectories.labels import Label
from ecodyn.trajectories.netcdf import write_netcdf
from ecodyn.trajectories.parts import (
    some,
    take_features,
    take_runs,
    take_steps,
    tidied,
    where_labels,
    where_setting,
)
from ecodyn.trajectories.paths import suffix_of
from ecodyn.trajectories.tabular import Tabular
from ecodyn.trajectories.values import Numbers

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["Trajectories"]


class Trajectories(Tabular):
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

    Examples
    --------
    >>> import numpy as np
    >>> steps = np.arange(0, 50, 10)
    >>> decay = np.exp(-0.1 * steps)[:, None] * [1.0, 2.0]
    >>> Trajectories([decay, decay[:3] + 1], [steps, steps[:3]], features=["hare", "lynx"])
    Trajectories: 2 runs × 3 to 5 steps (0 to 40) × 2 features; observables signal; labels not shared
    """

    def __init__(
        self,
        values: Numbers,
        steps: Numbers,
        features: Iterable[Label] | None = None,
        runs: Iterable[Label] | None = None,
        labels_shared: bool = False,
        provenance: Mapping[str, Any] | None = None,
        *,
        observables: Mapping[str, Numbers] | None = None,
        curves: Mapping[str, Numbers] | None = None,
        dc: Numbers | None = None,
        embedding: Numbers | None = None,
        cluster: Iterable[Label] | None = None,
        settings: Mapping[str, Iterable[Label | float]] | None = None,
        backward_velocity: Numbers | None = None,
    ) -> None:
        data = check(
            values=values,
            steps=steps,
            features=features,
            runs=runs,
            labels_shared=labels_shared,
            provenance=provenance or {},
            observables=observables or {},
            curves=curves or {},
            dc=dc,
            embedding=embedding,
            cluster=cluster,
            settings=settings or {},
            velocity=backward_velocity,
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

    # ------------------------------------------------------------------------------------------ parts of them

    def window(self, start: float, stop: float) -> Trajectories:
        """Keep the steps with start ≤ t ≤ stop: values of t, both ends included.

        The signal's velocity is remembered from the steps that are cut away.

        Raises
        ------
        UnusableDataError
            A run has no step in the window.

        Examples
        --------
        >>> import numpy as np
        >>> runs = Trajectories(np.random.default_rng(0).random((3, 11, 2)), np.arange(0, 110, 10))
        >>> runs.window(20, 60).steps
        array([20., 30., 40., 50., 60.])
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

    def select(
        self,
        runs: Label | Iterable[Label] | None = None,
        features: Label | Iterable[Label] | None = None,
        **settings: Label | float | Iterable[Label | float],
    ) -> Trajectories:
        """Keep runs and features by label, in the order asked for, and runs by setting.

        A label or a list of labels must all exist; a `range` stands for those of its labels that do.
        ``select(dim=128)`` keeps the runs whose setting dim is 128, ``select(dim=[32, 64])`` those of either.

        Raises
        ------
        UnusableDataError
            A label or setting is not there, or nothing is left.

        Examples
        --------
        >>> import numpy as np
        >>> runs = Trajectories(np.random.default_rng(0).random((3, 11, 2)), np.arange(0, 110, 10))
        >>> chosen = runs.select(runs=[2, 0], features=2)
        >>> chosen.shape, chosen.runs.tolist()
        ((2, 11, 1), [2, 0])
        """
        data = self._data
        for name, wanted in settings.items():
            data = take_runs(data, where_setting(data, name, wanted))
        if runs is not None:
            data = take_runs(data, where_labels(data.runs, runs, "runs"))
        if features is not None:
            data = take_features(data, where_labels(data.features, features, "features"))
        return self._derived(data)

    def aligned(self, features: Iterable[Label], *, any_labels: bool = False) -> Trajectories:
        """Put the features in the order of these labels, such as a law's, which have to be exactly those there are.

        With `any_labels`, other labels of the same number are taken as they are: for a law that is the same for every
        feature.

        Raises
        ------
        UnusableDataError
            The labels, or with `any_labels` their number, are others.
        """
        wanted, present = np.asarray(list(features)).tolist(), self.features.tolist()
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
        return pack(fields_of(self._data))

    @classmethod
    def from_dataset(cls, ds: xr.Dataset) -> Trajectories:
        """Build trajectories from an xarray dataset with dimensions run, step and feature.

        Raises
        ------
        UnusableDataError
            There is no variable signal, the schema is newer than this version, or the data break a rule.
        """
        new = cls(**unpack(ds))
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
        write = {".nc": write_netcdf, ".csv": write_csv}[suffix_of(target)]
        write(fields_of(self._data), target, force=force)

    # ------------------------------------------------------------------------------------ comparison, display

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Trajectories):
            return NotImplemented
        a, b = (t._data.arrays() for t in (self, other))
        plain = self.labels_shared == other.labels_shared and self.provenance == other.provenance
        return plain and a.keys() == b.keys() and all(_same(a[name], b[name]) for name in a)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return sentence(self)

    def _repr_html_(self) -> str:
        return html_table(self)


def _same(a: np.ndarray, b: np.ndarray) -> bool:
    floats = a.dtype.kind == "f" and b.dtype.kind == "f"
    return np.array_equal(a, b, equal_nan=floats)
