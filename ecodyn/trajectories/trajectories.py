"""Trajectories x[run, step, feature]: validated once, here, and immutable from then on."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ecodyn.arrays import Bools
from ecodyn.errors import DataWarning, UnusableDataError
from ecodyn.trajectories.checks import check
from ecodyn.trajectories.csv_file import write_csv
from ecodyn.trajectories.dataset import fields_of, pack, unpack
from ecodyn.trajectories.display import html_table, sentence
from ecodyn.trajectories.driven import Driven
from ecodyn.trajectories.inputs import InputLike
from ecodyn.trajectories.joining import joined
from ecodyn.trajectories.labels import Label
from ecodyn.trajectories.missing import refuse_never_measured
from ecodyn.trajectories.netcdf import write_netcdf
from ecodyn.trajectories.parts import take_steps, tidied
from ecodyn.trajectories.paths import suffix_of
from ecodyn.trajectories.selection import Selectable
from ecodyn.trajectories.sequence import RunSequence
from ecodyn.trajectories.tabular import Tabular
from ecodyn.trajectories.values import Numbers

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["Trajectories"]


class Trajectories(Selectable, RunSequence, Driven, Tabular):
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
    missing : booleans shaped as `values`, or a list of (step, feature) arrays
        True where a value within a run is missing, such as ``np.isnan(values)``; masked arrays say it
        themselves. Steps that lack a value are left out of fits, and the values out of scores. Default: none, and NaN
        within a run is refused.
    inputs : mapping of name to an `Input`, to one for each run, or to a mapping of them by run
        Curves that are known as functions of time, such as a schedule; see `with_inputs`.

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
        provenance: Mapping[str, object] | None = None,
        *,
        observables: Mapping[str, Numbers] | None = None,
        curves: Mapping[str, Numbers] | None = None,
        dc: Numbers | None = None,
        embedding: Numbers | None = None,
        cluster: Iterable[Label] | None = None,
        settings: Mapping[str, Iterable[Label | float]] | None = None,
        backward_velocity: Numbers | None = None,
        missing: Bools | Sequence[Bools] | None = None,
        inputs: Mapping[str, InputLike] | None = None,
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
            missing=missing,
            inputs=inputs or {},
        )
        if data.lengths.max() < data.times.shape[1]:  # padding that all runs share holds nothing
            data = take_steps(data, [np.arange(length) for length in data.lengths])
        self._data = tidied(data)
        if self.warnings:
            warnings.warn("; ".join(self.warnings), DataWarning, stacklevel=2)

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

    @classmethod
    def concat(cls, parts: Iterable[Trajectories], keys: Sequence[Label] | None = None) -> Trajectories:
        """Put the runs of several trajectories one after the other, features matched by label.

        Runs of different parts are never of one cluster. Run labels that repeat are numbered anew, the old ones kept as
        the setting ``source_run``; `keys`, one a part, names them instead, as "key/label" or, of a single run, "key".
        What not all parts have is left out, which is said.

        Raises
        ------
        UnusableDataError
            The parts have other features, or belong to networks of another p.

        Examples
        --------
        >>> import numpy as np
        >>> day, night = (Trajectories(np.random.default_rng(s).random((1, 5, 2)), range(5)) for s in (0, 1))
        >>> Trajectories.concat([day, night], keys=["day", "night"]).runs.tolist()
        ['day', 'night']
        """
        return cls(**joined([part._data for part in parts], keys))

    def save(self, path: str | os.PathLike[str], *, force: bool = False) -> None:
        """Write to `path`: netCDF4 if it ends in .nc, else .csv, which holds times and signal only.

        Raises
        ------
        OutputExistsError
            The file exists and `force` is false.
        UnusableDataError
            A part lacks a feature of a run throughout, which no file can have.
        ValueError
            The suffix is another.
        """
        target = Path(path)
        refuse_never_measured(self.missing, self.lengths, self.runs, self.features)
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
