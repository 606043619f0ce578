"""A file is whole or absent, whatever happens while it is written."""

import errno
import hashlib
import os

import pytest

from ecodyn.errors import FullDiskError, OutputExistsError, UnusableDataError
from ecodyn.runtime.files import check_regular, first_bytes, sha256, unfinished, write_whole


def test_what_was_written_is_there_and_nothing_else(tmp_path):
    with write_whole(tmp_path / "a.csv") as temporary:
        assert temporary.parent == tmp_path
        assert temporary.suffix == ".csv"
        assert temporary.name.startswith(".")
        temporary.write_text("new")
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]
    assert (tmp_path / "a.csv").read_text() == "new"


def write_half(path, failure, **kwargs):
    with write_whole(path, **kwargs) as temporary:
        temporary.write_text("half")
        if failure is not None:
            raise failure


@pytest.mark.parametrize("failure", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_failed_write_leaves_nothing(tmp_path, failure):
    with pytest.raises(failure):
        write_half(tmp_path / "a.nc", failure)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("failure", [OSError, KeyboardInterrupt])
def test_failed_write_keeps_the_old_file(tmp_path, failure):
    target = tmp_path / "a.nc"
    target.write_text("old")
    with pytest.raises(failure):
        write_half(target, failure, force=True)
    assert [path.name for path in tmp_path.iterdir()] == ["a.nc"]
    assert target.read_text() == "old"


def test_failed_rename_leaves_nothing(tmp_path, monkeypatch):
    def full(descriptor):
        raise OSError("no space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no space"), write_whole(tmp_path / "a.nc") as temporary:
        temporary.write_text("whole")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["report.json", "x" * 200 + ".npz", "no_suffix", "two.dots.nc"])
def test_what_is_being_written_is_found(tmp_path, name):
    (tmp_path / ".hidden.json").touch()  # somebody's own
    with write_whole(tmp_path / name) as temporary:
        temporary.write_text("half")
        assert unfinished(tmp_path) == [temporary]
    assert unfinished(tmp_path) == []


def test_existing_output_is_refused_before_any_work(tmp_path):
    (tmp_path / "a.nc").write_text("old")
    started = False
    with pytest.raises(OutputExistsError, match="--force"), write_whole(tmp_path / "a.nc"):
        started = True
    assert not started


def test_force_replaces(tmp_path):
    (tmp_path / "a.nc").write_text("old")
    with write_whole(tmp_path / "a.nc", force=True) as temporary:
        temporary.write_text("new")
    assert (tmp_path / "a.nc").read_text() == "new"


def test_second_of_two_writers_is_refused(tmp_path):
    target = tmp_path / "a.nc"

    def two_writers():
        with write_whole(target) as slow:
            slow.write_text("slow")
            write_half(target, None)  # starts later and is done first

    with pytest.raises(OutputExistsError):
        two_writers()
    assert target.read_text() == "half"
    assert len(list(tmp_path.iterdir())) == 1


def test_output_that_is_a_symbolic_link_is_refused(tmp_path):
    (tmp_path / "real.nc").write_text("old")
    (tmp_path / "link.nc").symlink_to(tmp_path / "real.nc")
    with pytest.raises(OutputExistsError, match=r"symbolic link to .*real\.nc"):
        write_whole(tmp_path / "link.nc", force=True).__enter__()
    (tmp_path / "real.nc").unlink()
    with pytest.raises(OutputExistsError, match="symbolic link"):  # pointing nowhere
        write_whole(tmp_path / "link.nc").__enter__()


def test_output_under_a_linked_folder_works(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with write_whole(tmp_path / "link" / "a.nc") as temporary:
        temporary.write_text("new")
    assert (tmp_path / "real" / "a.nc").read_text() == "new"


def test_output_that_is_a_folder_is_refused(tmp_path):
    (tmp_path / "a.nc").mkdir()
    with pytest.raises(OutputExistsError, match="is a folder"):
        write_whole(tmp_path / "a.nc", force=True).__enter__()


def test_missing_folder_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="create it first"):
        write_whole(tmp_path / "none" / "a.nc").__enter__()


def test_read_only_folder_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # permissions do not bind an administrator
    with pytest.raises(PermissionError, match="read-only"):
        write_whole(tmp_path / "a.nc").__enter__()


def test_sha256_is_that_of_the_bytes(tmp_path):
    content = bytes(range(256)) * 5000
    (tmp_path / "a").write_bytes(content)
    assert sha256(tmp_path / "a") == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize(
    ("content", "said"), [(b"", "is empty, expected a log"), (b"version https://git-lfs.", "pull")]
)
def test_files_without_data_are_refused(tmp_path, content, said):
    (tmp_path / "a.npy").write_bytes(content)
    with pytest.raises(UnusableDataError, match=said):
        first_bytes(tmp_path / "a.npy", "a log")


def test_first_bytes_begin_the_file(tmp_path):
    (tmp_path / "a.npy").write_bytes(bytes(range(100)))
    assert first_bytes(tmp_path / "a.npy", "a log")[:8] == bytes(range(8))


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        OSError(errno.EFBIG, "File too large"),
        RuntimeError("Can't decrement id ref count (file write failed: errno = 28, error message = 'No space left')"),
        ValueError("I/O error: No space left on device (os error 28)"),
    ],
    ids=["space", "quota", "as HDF5 says it", "as safetensors says it"],
)
def test_a_full_disk_is_one_error_whoever_notices(tmp_path, error):
    with pytest.raises(FullDiskError, match="make room, or choose another place"):
        write_half(tmp_path / "a.nc", error)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("umask", [0o022, 0o077, 0o002])
def test_permissions_are_those_of_the_umask(tmp_path, umask):
    """Also of what a library made its owner's alone."""
    before = os.umask(umask)
    try:
        with write_whole(tmp_path / "weights.safetensors") as temporary:
            os.close(os.open(temporary, os.O_CREAT | os.O_WRONLY, 0o600))
    finally:
        os.umask(before)
    assert (tmp_path / "weights.safetensors").stat().st_mode & 0o777 == 0o666 & ~umask


@pytest.mark.parametrize("name", ["a" * 250 + ".json", "é" * 120 + ".json"])
def test_a_name_as_long_as_names_may_be(tmp_path, name):
    with write_whole(tmp_path / name) as temporary:
        temporary.write_text("new")
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_pipe_is_no_file(tmp_path):
    os.mkfifo(tmp_path / "a.nc")
    (tmp_path / "zero.nc").symlink_to("/dev/zero")
    for name in ("a.nc", "zero.nc"):
        with pytest.raises(UnusableDataError, match="a pipe or a device"):
            check_regular(tmp_path / name)
    check_regular(tmp_path)
    check_regular(tmp_path / "nothing")
