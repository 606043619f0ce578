"""The trajectories file as a dataset: its documented form, older and foreign ones, and false claims."""

import json
import pickle
import warnings

import numpy as np
import pytest
from hypothesis import given
from trajectory_examples import open_inputs, quietly, rich, signals, waves

from ecodyn.errors import DataWarning, UnusableDataError
from ecodyn.trajectories import Trajectories, load


@open_inputs
@given(signals())
def test_dataset_and_pickle_are_the_identity(arguments):
    trajectories = quietly(**arguments)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        assert Trajectories.from_dataset(trajectories.to_dataset()) == trajectories
    copy = pickle.loads(pickle.dumps(trajectories))  # noqa: S301 - what worker processes do to it
    assert copy == trajectories
    assert not copy.values.flags.writeable


def test_file_has_the_documented_form(tmp_path):
    import xarray as xr

    rich().save(tmp_path / "a.nc")
    with xr.open_dataset(tmp_path / "a.nc", engine="h5netcdf") as ds:
        assert ds["signal"].dims == ("run", "step", "feature")
        assert ds["signal"].dtype == np.float64
        assert ds["signal"].encoding["zlib"]
        assert ds["gradient"].dims == ("run", "step", "feature")
        assert ds["dc"].dims == ds["time"].dims == ds["train_loss"].dims == ("run", "step")
        assert ds["embedding"].dims == ("run", "token", "dimension")
        assert ds["length"].values.tolist() == [4, 6, 5]
        assert ds["cluster"].dims == ds["dim"].dims == ("run",)
        assert ds.attrs["ecodyn_schema"] == 1
        assert ds.attrs["labels_shared"] == 1
        assert json.loads(ds.attrs["provenance"])["p"] == 59


def test_plain_file_has_no_optional_variables():
    assert list(waves().to_dataset().data_vars) == ["signal"]
    assert (waves().curves, waves().embedding, waves().dc) == ({}, None, None)


def test_file_written_before_there_were_curves_reads_as_before(tmp_path):
    old = rich().to_dataset().drop_vars(["train_loss", "test_accuracy", "embedding"])
    again = load(write(old, tmp_path / "a.nc"))
    assert (again.curves, again.embedding) == ({}, None)
    assert np.array_equal(again.dc, rich().dc, equal_nan=True)
    assert list(again.settings) == list(rich().settings)


def write(ds, path):
    ds.to_netcdf(path, engine="h5netcdf")
    return path


def test_file_without_signal(tmp_path):
    with pytest.raises(UnusableDataError, match=r"a\.nc: expected a variable named signal, found loss"):
        load(write(waves().to_dataset().rename(signal="loss"), tmp_path / "a.nc"))


def test_file_of_a_newer_schema(tmp_path):
    with pytest.raises(UnusableDataError, match=r"schema 2.*upgrade"):
        load(write(waves().to_dataset().assign_attrs(ecodyn_schema=2), tmp_path / "a.nc"))


def test_file_with_nan_before_the_end(tmp_path):
    ds = waves().to_dataset()
    ds["signal"] = ds["signal"].where(ds["step"] != 10)
    with pytest.raises(UnusableDataError, match="step index 2"):
        load(write(ds, tmp_path / "a.nc"))


def test_file_with_other_dimensions_or_lengths(tmp_path):
    with pytest.raises(UnusableDataError, match="signal has dimensions"):
        load(write(waves().to_dataset().rename(feature="species"), tmp_path / "a.nc"))
    with pytest.raises(UnusableDataError, match="length says"):
        load(write(waves().to_dataset().assign(length=("run", [3, 3, 3])), tmp_path / "b.nc"))
    with pytest.raises(UnusableDataError, match="embedding has dimensions"):
        load(write(rich().to_dataset().rename(dimension="width"), tmp_path / "c.nc"))


def test_file_of_another_program_is_read(tmp_path):
    ds = waves().to_dataset().transpose("feature", "step", "run")
    ds.attrs.clear()
    assert load(write(ds, tmp_path / "a.nc")) == waves()
    one = waves(R=1)
    assert load(write(one.to_dataset().isel(run=0, drop=True), tmp_path / "b.nc")) == one
    turned = rich().to_dataset().transpose("dimension", "feature", "step", "token", "run")
    assert load(write(turned, tmp_path / "c.nc")) == rich()
    of_one = rich().select(runs="b").to_dataset()
    assert load(write(of_one.isel(run=0), tmp_path / "d.nc")).embedding.shape == (1, 5, 4)
