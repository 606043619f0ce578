"""Trajectories files of netCDF4: load after save is the identity, and a damaged file is refused."""

import warnings
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from trajectory_examples import curve_names, finite, open_inputs, quietly, rich, signals, waves

from ecodyn.errors import DataWarning, OutputExistsError, UnusableDataError
from ecodyn.trajectories import Trajectories, load, netcdf


@open_inputs
@given(signals())
def test_load_after_save_is_the_identity_netcdf(tmp_path_factory, arguments):
    path = tmp_path_factory.mktemp("laws") / "a.nc"
    trajectories = quietly(**arguments)
    trajectories.save(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        assert load(path) == trajectories


def test_everything_survives_a_file(tmp_path):
    rich().save(tmp_path / "a.nc")
    again = load(tmp_path / "a.nc")
    assert again == rich()
    assert again.provenance == {"p": 59, "lr": 0.01, "seeds": [0, 1]}
    assert again.settings["kind"].tolist() == ["x", "y", "x"]
    assert again.clusters.tolist() == [0, 0, 1]
    assert set(again.curves) == {"train_loss", "test_accuracy"}
    assert np.array_equal(again.embedding, rich().embedding, equal_nan=True)


@open_inputs
@given(signals(), st.data())
def test_curves_and_embeddings_of_any_numbers_survive_a_file(tmp_path_factory, arguments, data):
    path = tmp_path_factory.mktemp("laws") / "a.nc"
    of_run = [st.lists(finite, min_size=len(part), max_size=len(part)) for part in arguments["values"]]
    widths = data.draw(st.lists(st.integers(1, 4), min_size=len(of_run), max_size=len(of_run)))
    curves = {name: [data.draw(numbers) for numbers in of_run] for name in data.draw(st.sets(curve_names, max_size=2))}
    embedding = [np.array(data.draw(st.lists(finite, min_size=3 * n, max_size=3 * n))).reshape(3, n) for n in widths]
    trajectories = quietly(**arguments, curves=curves, embedding=embedding)
    trajectories.save(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        assert load(path) == trajectories


@pytest.fixture
def saved(tmp_path):
    waves(T=200).save(tmp_path / "a.nc")
    return tmp_path / "a.nc"


def test_file_existing_is_refused_without_force(saved):
    with pytest.raises(OutputExistsError):
        waves().save(saved)
    waves().save(saved, force=True)
    assert load(saved) == waves()


@pytest.mark.parametrize("kept", [0, 4, 100, 2000, -1000, -1])
def test_file_truncated(saved, kept):
    saved.write_bytes(saved.read_bytes()[:kept])
    with pytest.raises(UnusableDataError, match=r"a\.nc"):
        load(saved)


# h5netcdf's File complains when it is collected without having been opened
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_file_with_a_flipped_bit_is_never_taken_for_other_data(saved):
    content = saved.read_bytes()
    original = load(saved)
    noticed = 0
    for place in range(0, len(content), len(content) // 40):
        damaged = bytearray(content)
        damaged[place] ^= 0x10
        saved.write_bytes(damaged)
        try:
            assert load(saved) == original  # the bit was in unused space
        except UnusableDataError:
            noticed += 1
    assert noticed > 20


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(b"step,a\n0,1\n", "not a netCDF4"), (b"CDF\x01" + bytes(99), "netCDF3")],
)
def test_file_that_is_no_netcdf4(tmp_path, content, sentence):
    (tmp_path / "a.nc").write_bytes(content)
    with pytest.raises(UnusableDataError, match=sentence):
        load(tmp_path / "a.nc")


def test_file_that_claims_more_than_it_holds(tmp_path):
    import h5netcdf

    with h5netcdf.File(tmp_path / "a.nc", "w") as file:
        file.dimensions = {"run": 1000, "step": 10**6, "feature": 1000}
        file.create_variable("signal", ("run", "step", "feature"), "f8", chunks=(1, 1000, 1000))
        file.create_variable("time", ("run", "step"), "f8", chunks=(1, 1000))
    with pytest.raises(UnusableDataError, match="truncated or made up"):
        load(tmp_path / "a.nc")


@pytest.mark.parametrize("in_memory", [0, netcdf.IN_MEMORY], ids=["in the file", "in memory"])
def test_save_that_is_interrupted_keeps_the_old_file(saved, monkeypatch, in_memory):
    import xarray as xr

    def interrupted(ds, path, **kwargs):
        if path is not None:
            Path(path).write_text("half")
        raise KeyboardInterrupt

    monkeypatch.setattr(netcdf, "IN_MEMORY", in_memory)
    monkeypatch.setattr(xr.Dataset, "to_netcdf", interrupted)
    before = saved.read_bytes()
    with pytest.raises(KeyboardInterrupt):
        waves().save(saved, force=True)
    assert saved.read_bytes() == before
    assert [path.name for path in saved.parent.iterdir()] == ["a.nc"]


SECRET = np.arange(36.0).reshape(3, 6, 2)  # values of another file, of the same shape as the signal


def _outside(file, path):
    file.create_dataset("signal", shape=SECRET.shape, dtype="f8", external=[(str(path), 0, SECRET.nbytes)])


def _virtual(file, path):
    layout = h5py.VirtualLayout(shape=SECRET.shape, dtype="f8")
    layout[:] = h5py.VirtualSource(str(path.with_suffix(".h5")), "x", shape=SECRET.shape)
    file.create_virtual_dataset("signal", layout)


def _link(file, path):
    file["signal"] = h5py.ExternalLink(str(path.with_suffix(".h5")), "/x")


def _link_to_a_link(file, path):
    file["further/in"] = h5py.ExternalLink(str(path.with_suffix(".h5")), "/x")
    file["signal"] = h5py.SoftLink("/further/in")


@pytest.mark.parametrize("way", [_outside, _virtual, _link, _link_to_a_link])
def test_no_other_file_is_read_for_one(way, tmp_path):
    """HDF5 has four ways to keep a variable in another file, which any path of this machine may be."""
    secret, path = tmp_path / "secret.bin", tmp_path / "a.nc"
    secret.write_bytes(SECRET.tobytes())
    with h5py.File(secret.with_suffix(".h5"), "w") as file:
        file["x"] = SECRET
    Trajectories(SECRET + 1, range(6)).save(path)
    with h5py.File(path, "a") as file:
        del file.attrs["ecodyn_checksum"], file["signal"]
        way(file, secret)
        assert np.array_equal(file["signal"], SECRET)  # HDF5 follows it
        for place, name in enumerate(("run", "step", "feature")):
            file["signal"].dims[place].attach_scale(file[name])
    for read in (load, lambda path: load(path, lazy=True)):
        with pytest.raises(UnusableDataError, match=r"a\.nc: .*expected all data in the file itself"):
            read(path)
