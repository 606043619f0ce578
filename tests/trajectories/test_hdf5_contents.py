"""A file that refers to another one is refused, whichever way it does; one that does not is read."""

import os
import signal
import sys

import h5py
import numpy as np
import pytest

import ecodyn
from ecodyn.errors import UnusableDataError
from ecodyn.trajectories.hdf5_contents import check_contents, check_readable


@pytest.fixture
def path(tmp_path):
    ecodyn.Trajectories(np.random.default_rng(0).random((2, 5, 3)), np.arange(5)).save(tmp_path / "runs.nc")
    with h5py.File(tmp_path / "other.h5", "w") as other:
        other["signal"] = np.ones((2, 5, 3))
    return tmp_path / "runs.nc"


def by_link(file):
    file["beside"] = h5py.ExternalLink("other.h5", "/signal")


def by_link_further_in(file):
    file.create_group("group")["beside"] = h5py.ExternalLink("other.h5", "/signal")


def by_bytes(file):
    file.create_dataset("beside", (10,), "u1", external=[("other.h5", 0, 10)])


def by_view(file):
    layout = h5py.VirtualLayout((2, 5, 3), "f8")
    layout[...] = h5py.VirtualSource("other.h5", "signal", (2, 5, 3))
    file.create_virtual_dataset("beside", layout)


@pytest.mark.parametrize("refer", [by_link, by_link_further_in, by_bytes, by_view])
@pytest.mark.parametrize("lazy", [False, True])
def test_no_other_file_is_read(refer, lazy, path):
    with h5py.File(path, "r+") as file:
        refer(file)
    with pytest.raises(UnusableDataError, match=r"beside is .*other\.h5, expected all data in the file itself"):
        ecodyn.load(path, lazy=lazy)


def test_links_within_the_file_are_its_own(path):
    with h5py.File(path, "r+") as file:
        file["again"] = h5py.SoftLink("/signal")
    check_contents(path, path)


def flip_a_bit(path):
    """Of the size that the last text in the file's heap has: HDF5 2.0 looks for what comes after it for ever."""
    data = bytearray(path.read_bytes())
    at = data.index(b"GCOL") + 16
    while True:
        following = at + 16 + -(-int.from_bytes(data[at + 8 : at + 16], "little") // 8) * 8
        if data[following : following + 2] == b"\0\0":
            break
        at = following
    data[at + 8] ^= 0x80
    path.write_bytes(data)


@pytest.mark.skipif(sys.platform != "linux", reason="tried where processes can be copied")
@pytest.mark.parametrize("lazy", [False, True])
def test_a_flipped_bit_that_hdf5_never_ends_with(lazy, path, monkeypatch):
    monkeypatch.setattr("ecodyn.trajectories.hdf5_contents.LOOKED_AT", 1)
    flip_a_bit(path)
    with pytest.raises(UnusableDataError, match=r"runs\.nc is damaged: HDF5 does not come to an end with"):
        ecodyn.load(path, lazy=lazy)


@pytest.mark.skipif(sys.platform != "linux", reason="tried where processes can be copied")
@pytest.mark.parametrize("values", [False, True])
def test_a_crash_is_the_copys_alone(values, path, monkeypatch):
    def crash(*_):
        signal.raise_signal(signal.SIGSEGV)

    if values:
        monkeypatch.setattr("h5py.Dataset.__getitem__", crash)
    else:
        monkeypatch.setattr("h5py.Dataset.attrs", property(crash))
    with pytest.raises(UnusableDataError, match="HDF5 crashes on what it lists; copy or write it again"):
        check_readable(path, values=values)
    if values:
        check_readable(path, values=False)


def test_a_file_is_tried_once_until_it_is_written_again(path, monkeypatch):
    tried = []
    monkeypatch.setattr("ecodyn.trajectories.hdf5_contents.killed_by", lambda *_: tried.append(1))
    runs = ecodyn.load(path, lazy=True)
    assert [part.n_runs for part in runs.shards(runs=1)] == [1, 1]  # each reads its part
    assert len(tried) == 1
    os.utime(path, (1, 1))
    ecodyn.load(path, lazy=True)
    assert len(tried) == 2
