"""Folders of recordings are extracted and inspected as logs are, finished or not."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

import ecodyn
from ecodyn.cli.commands import app
from ecodyn.errors import DataWarning, UnusableDataError
from ecodyn.extraction import Request, extract, inspect_logs
from ecodyn.extraction.recording.journal import journal_of
from ecodyn.extraction.recording.reading import is_recording

pytest.importorskip("torch")

NAMES = ("signal", "gradient", "circularity")


@pytest.fixture
def folder(tmp_path, training):
    """Three finished recordings, of the seeds 0, 0 and 1, and of the last one more observables."""
    for name, seed, more in (("a", 0, ()), ("b", 0, ()), ("c", 1, ("phase_spread",))):
        run = training(seed)
        out = tmp_path / "runs" / f"{name}.nc"
        with ecodyn.Recorder(
            "embedding", every=2, out=out, observables=(*NAMES, *more), settings={"seed": seed}, notes={"task": "sum"}
        ) as recorder:
            run.run(recorder, 11 + 2 * seed)
    return tmp_path / "runs"


def test_a_folder_is_what_its_files_are(folder):
    with pytest.warns(DataWarning, match="phase_spread: measured of some runs only"):
        runs = extract(folder)
    files = [ecodyn.load(folder / f"{name}.nc") for name in "abc"]
    assert runs.runs.tolist() == ["a", "b", "c"]
    assert runs.lengths.tolist() == [6, 6, 7]
    assert tuple(runs.observables) == NAMES
    for row, file in enumerate(files):
        for name in NAMES:
            np.testing.assert_array_equal(runs.observable(name)[row, : file.n_steps], file.observable(name)[0])
        np.testing.assert_array_equal(runs.dc[row, : file.n_steps], file.dc[0])
    assert runs.settings["seed"].tolist() == [0, 0, 1]
    assert runs.settings["dim"].tolist() == [4, 4, 4]
    assert runs.clusters[0] == runs.clusters[1] != runs.clusters[2]  # a and b begin alike
    assert (runs.provenance["task"], runs.provenance["p"]) == ("sum", 7)
    assert runs.provenance["command"] is None


def test_what_is_asked_for_is_taken_of_what_was_recorded(folder):
    runs = extract([folder / "a.nc", folder / "c.nc"], Request(observables=("share", "circularity"), every=2))
    whole = ecodyn.load(folder / "a.nc")
    np.testing.assert_array_equal(runs.observable("circularity")[0, :3], whole.observable("circularity")[0, ::2])
    np.testing.assert_allclose(runs.observable("share")[0, :3].sum(axis=1), 1)


def test_what_was_not_recorded_can_not_be_had(folder):
    with pytest.raises(UnusableDataError, match=r"a\.nc holds values of features, expected matrices for pull"):
        extract(folder, Request(observables=("pull",)))


def test_files_of_several_runs_are_no_recordings(folder, quiet):
    extract(folder).save(folder / "together.nc")
    assert not is_recording(folder / "together.nc")
    assert extract(folder).runs.tolist() == ["a", "b", "c"]


@pytest.mark.parametrize("name", ["b.nc", "z.nc.recording"])
def test_a_damaged_one_is_named(folder, name):
    path = folder / name
    whole = bytearray(path.read_bytes() if path.exists() else b"nonsense")
    whole[len(whole) // 2 :] = b"x"
    path.write_bytes(whole)
    with pytest.raises(UnusableDataError, match=name):
        extract([folder / "a.nc", path])


def test_unequal_recordings_are_refused(folder, training):
    with ecodyn.Recorder("embedding", out=folder / "d.nc", observables=NAMES) as recorder:
        training(2, p=5).run(recorder, 3)
    with pytest.raises(UnusableDataError, match=r"same features.*a\.nc.*d\.nc"):
        extract(folder)


@pytest.fixture
def under_way(folder, training, monkeypatch):
    """And one whose training goes on, and whose rows don't wait."""
    monkeypatch.setattr("ecodyn.extraction.recording.pending.LONGEST", 0.0)
    recorder = ecodyn.Recorder("embedding", every=2, out=folder / "d.nc", observables=NAMES)
    training(3).run(recorder, 4)
    yield folder / "d.nc"
    recorder.let_go()


@pytest.mark.parametrize("path", ["d.nc", "d.nc.recording"])
def test_one_under_way_is_read_by_either_name(under_way, path):
    with pytest.warns(DataWarning, match="in progress"):
        runs = extract(under_way.with_name(path))
    assert runs.steps.tolist() == [0, 2]
    (facts,) = inspect_logs(under_way.with_name(path))
    assert (facts["frames"], facts["last_step"], facts["p"], facts["d"]) == ([2, 3], 2, 7, 4)
    assert facts["observables"] == list(NAMES)


def test_inspect_tells_what_there_is_so_far(under_way):
    runner = CliRunner()
    found = runner.invoke(app, ["inspect", str(under_way.parent), "--json"])
    assert found.exit_code == 0
    facts = json.loads(found.stdout)
    assert [fact["run"] for fact in facts] == ["a", "b", "c", "d"]
    assert ["in progress" in str(fact["wrong"]) for fact in facts] == [False, False, False, True]
    table = runner.invoke(app, ["inspect", str(under_way.parent)], env={"COLUMNS": "200"}).stderr
    assert "finished" in table
    assert "in progress" in table
    alone = runner.invoke(app, ["inspect", str(under_way)], env={"COLUMNS": "200"})
    assert alone.exit_code == 0
    assert "in progress" in alone.stderr


def test_the_command_puts_a_folder_together(folder, tmp_path):
    found = CliRunner().invoke(app, ["extract", str(folder), "-o", str(tmp_path / "all.nc"), "--jobs", "1"])
    assert found.exit_code == 0
    assert ecodyn.load(tmp_path / "all.nc").n_runs == 3


def test_other_logs_of_a_folder_are_read_beside(folder, training):
    """And refused where they can't be in one file with the recordings."""
    run = training(4)
    np.savez(folder / "e.npz", frames=np.array([run.weight, run.weight]), steps=[0, 1])
    with pytest.raises(UnusableDataError, match=r"same features.*a\.nc.*e\.npz"):
        extract(folder, Request(p=7, observables=("signal",)))


def test_one_row_is_enough(folder, training):
    with ecodyn.Recorder("embedding", out=folder / "one" / "run.nc") as recorder:
        training().run(recorder, 1)
    assert extract(folder / "one").shape == (1, 1, 3)
    assert not journal_of(folder / "one" / "run.nc").exists()
