"""Temporary folders of a process that was killed go with the next one; those in use stay."""

import subprocess
import sys
import tempfile
import time

import pytest

from ecodyn.runtime.temporary import OWNER, temporary_folder

pytest.importorskip("fcntl")
HOLD = "import time; from ecodyn.runtime.temporary import temporary_folder\nwith temporary_folder(): time.sleep(300)"


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.fixture
def holder(place):
    """Another process that holds a folder, and the folder."""
    child = subprocess.Popen([sys.executable, "-c", HOLD], env={"TMPDIR": str(place), "PYTHONPATH": ":".join(sys.path)})
    deadline = time.monotonic() + 120
    while not (found := list(place.glob(f"*/{OWNER}"))):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    yield child, found[0].parent
    child.kill()
    child.wait()


def test_it_is_gone_afterwards_also_if_the_block_fails(place):
    def fail():
        with temporary_folder() as folder:
            assert folder.parent == place
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert not list(place.iterdir())


def test_those_in_use_stay_and_those_of_the_killed_go(place, holder):
    child, folder = holder
    with temporary_folder():
        assert folder.exists()
    child.kill()
    child.wait()
    assert folder.exists()
    with temporary_folder():
        assert not folder.exists()


def test_what_has_no_owner_is_somebody_elses(place):
    (place / "ecodyn-notes").mkdir()
    (place / "ecodyn-link").symlink_to(place / "ecodyn-notes")
    with temporary_folder():
        pass
    assert {p.name for p in place.iterdir()} == {"ecodyn-notes", "ecodyn-link"}


def test_two_in_one_process(place):
    with temporary_folder() as outer, temporary_folder() as inner:
        assert outer != inner
        assert outer.exists()
