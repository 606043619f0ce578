"""What is at a URL is read as a local file is, and no more of it than is needed."""

import builtins
from pathlib import Path

import fsspec
import numpy as np
import pytest
from trajectory_examples import waves

import ecodyn
from ecodyn import UnusableDataError
from ecodyn.extraction import extract, gather
from ecodyn.runtime import remote_copies
from ecodyn.runtime.remote import UrlPath, is_url, place
from ecodyn.trajectories.collection import writing


@pytest.fixture
def memory(tmp_path):
    """Puts a local file or folder into memory, and gives its URL."""
    system = fsspec.filesystem("memory")

    def put(path):
        system.put(str(path), f"/{tmp_path.name}/{path.name}", recursive=True)
        return f"memory://{tmp_path.name}/{path.name}"

    yield put
    system.rm(f"/{tmp_path.name}", recursive=True)


@pytest.fixture
def fetched(monkeypatch):
    """The names of what was fetched whole, in order."""
    names, own = [], UrlPath.fetched

    def noted(self, folder):
        names.append(self.name)
        return own(self, folder)

    monkeypatch.setattr(UrlPath, "fetched", noted)
    return names


@pytest.fixture
def ranges(monkeypatch):
    """The numbers of bytes that were read of files that were not fetched."""
    sizes, own = [], UrlPath.open

    def noted(self):
        file = own(self)
        read, readinto = file.read, file.readinto
        file.read = lambda *args: (data := read(*args), sizes.append(len(data)))[0]
        file.readinto = lambda buffer: (got := readinto(buffer), sizes.append(got))[0]
        return file

    monkeypatch.setattr(UrlPath, "open", noted)
    return sizes


@pytest.fixture
def parts(tmp_path, monkeypatch):
    """A collection of six runs in three files."""
    monkeypatch.setattr(writing, "PACKED_BYTES", 1)
    runs = waves(R=6)
    writing.write_collection([runs[n : n + 2]._data for n in (0, 2, 4)], runs._data, tmp_path / "all")
    return runs, tmp_path / "all"


def test_urls_are_told_from_paths():
    for path in ("runs.nc", "C:/runs.nc", "/data/a:b/runs.nc", Path("a/b")):
        assert not is_url(path)
        assert place(path) == Path(path)
    for url in ("s3://bucket/a.nc", "hf://datasets/me/it/a.nc", "memory://a/b.nc"):
        assert str(place(url)) == url
        assert str(place(Path(url))) == url  # as a command line gives it
    assert place("file:///tmp/a.nc") == place(Path("file:///tmp/a.nc")) == Path("/tmp/a.nc")


def test_a_file_at_a_url_is_read(tmp_path, memory):
    runs = waves()
    for name in ("runs.nc", "runs.csv"):
        runs.save(tmp_path / name)
        url = memory(tmp_path / name)
        assert ecodyn.load(url) == ecodyn.load(tmp_path / name)
        assert ecodyn.load(Path(url)) == ecodyn.load(f"file://{tmp_path / name}")
        assert ecodyn.as_trajectories(url) == gather([url]).trajectories == ecodyn.load(tmp_path / name)


def test_of_a_collection_at_a_url_only_the_files_of_the_runs_are_fetched(parts, memory, fetched):
    runs, folder = parts
    url = memory(folder)
    later = ecodyn.load(url, lazy=True)
    assert later.shape == runs.shape
    assert fetched == ["index.json"]
    assert later.runs_of([3]) == runs[[3]]
    assert fetched == ["index.json", "part_00001.nc"]
    assert ecodyn.load(url) == runs
    copies = [copy for name, (copy, _) in remote_copies._COPIES.items() if name.startswith(f"{url}/part")]
    assert len(copies) == 1  # one file of it lies here at a time


def test_of_one_large_file_at_a_url_only_the_ranges_of_the_runs_are_read(tmp_path, memory, fetched, ranges):
    rng = np.random.default_rng(0)
    runs = ecodyn.Trajectories(rng.random((40, 200, 30)), np.arange(200))
    runs.save(tmp_path / "runs.nc")
    later = ecodyn.load(memory(tmp_path / "runs.nc"), lazy=True)
    assert later.runs_of([7]) == runs[[7]]
    assert fetched == []
    assert 0 < sum(ranges) < 0.5 * (tmp_path / "runs.nc").stat().st_size  # the chunks of one in forty runs


def test_a_changed_file_at_a_url_is_found(parts, memory):
    _, folder = parts
    file = folder / "part_00001.nc"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 0xFF
    file.write_bytes(bytes(content))
    url = memory(folder)
    later = ecodyn.load(url, lazy=True)
    with pytest.raises(UnusableDataError, match=r"memory://.*part_00001\.nc does not match the checksum"):
        later.load()
    file.unlink()
    fsspec.filesystem("memory").rm(url.removeprefix("memory:/") + "/part_00001.nc")
    with pytest.raises(UnusableDataError, match="lacks its file"):
        ecodyn.load(url)


def test_a_file_that_changes_at_its_url_is_fetched_again(tmp_path, memory):
    waves().save(tmp_path / "runs.nc")
    assert ecodyn.load(memory(tmp_path / "runs.nc")).n_runs == 3
    waves(R=2).save(tmp_path / "runs.nc", force=True)
    assert ecodyn.load(memory(tmp_path / "runs.nc")).n_runs == 2


def test_logs_at_a_url_are_extracted_and_named_by_it(tmp_path, memory):
    frames = np.random.default_rng(0).normal(size=(4, 5, 3))
    np.savez(tmp_path / "run.npz", embeddings=frames, steps=np.arange(4) * 10, p=5)
    url = memory(tmp_path / "run.npz")
    runs, at_home = extract(url), extract(tmp_path / "run.npz")
    assert np.array_equal(runs.values, at_home.values)
    (sources,) = runs.provenance["sources"].values()
    (own,) = at_home.provenance["sources"].values()
    assert {**sources[0], "version": None} == {"path": url, "bytes": own[0]["bytes"], "version": None}


def test_what_is_not_there_or_damaged_is_said_of_the_url(tmp_path, memory):
    with pytest.raises(FileNotFoundError, match=r"no file or folder memory://none/run\.nc"):
        ecodyn.load("memory://none/run.nc")
    with pytest.raises(FileNotFoundError, match=r"no file or folder memory://none/run\.nc"):
        ecodyn.load("memory://none/run.nc", lazy=True)
    (tmp_path / "bad.nc").write_bytes(b"\x89HDF\r\n\x1a\n and nothing else")
    url = memory(tmp_path / "bad.nc")
    for lazy in (False, True):
        with pytest.raises(UnusableDataError, match=f"{url} is damaged"):
            ecodyn.load(url, lazy=lazy)
    with pytest.raises(ValueError, match="a URL that fsspec knows"):
        ecodyn.load("gopher://old/run.nc")


def test_a_package_that_is_missing_is_named(monkeypatch):
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name.split(".")[0] == "s3fs":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ModuleNotFoundError, match=r"needs the package s3fs; .*pip install s3fs"):
        ecodyn.load("s3://bucket/run.nc")
