"""Results whose place is full are kept elsewhere, which is said; without a place anywhere the error stays."""

import errno
import os

import pytest
import typer

from ecodyn.cli import writing
from ecodyn.errors import FullDiskError
from ecodyn.runtime.files import write_whole


@pytest.fixture
def full(tmp_path, monkeypatch):
    """A folder that has no room, and one on another disk that has some."""
    place, other = tmp_path / "full", tmp_path / "other"
    place.mkdir()
    other.mkdir()
    monkeypatch.setattr(writing, "_elsewhere", lambda output: iter([other]))

    def save(path):
        with write_whole(path) as temporary:
            temporary.write_text("half of it")
            if path.parent == place:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            temporary.write_text("all of it")

    return place, other, save


def test_it_is_kept_elsewhere(full, capsys):
    place, other, save = full
    assert not writing.written(save, place / "law.json")
    assert not list(place.iterdir())
    (kept,) = other.glob("*/law.json")
    assert kept.read_text() == "all of it"
    assert str(kept) in capsys.readouterr().err


def test_there_is_no_room_anywhere(full, monkeypatch):
    place, _, save = full
    monkeypatch.setattr(writing, "_elsewhere", lambda output: iter(()))
    with pytest.raises(FullDiskError, match="make room"):
        writing.written(save, place / "law.json")
    assert not [p for p in place.rglob("*") if p.is_file()]


def test_other_errors_are_not_of_the_disk(tmp_path):
    def save(path):
        raise PermissionError(errno.EACCES, "no")

    with pytest.raises(PermissionError):
        writing.written(save, tmp_path / "law.json")


def test_what_is_elsewhere_ends_as_partial_work():
    writing.end_if_elsewhere(True, True)
    with pytest.raises(typer.Exit) as end:
        writing.end_if_elsewhere(True, False)
    assert end.value.exit_code == 5
