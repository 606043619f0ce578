"""What is saved of a recording is a trajectories file with all it holds, and no recording."""

import numpy as np
import pytest

import ecodyn
from ecodyn.errors import DataWarning, OutputExistsError, UnusableDataError
from ecodyn.extraction import extract, gather
from ecodyn.extraction.recording.reading import is_recording

pytest.importorskip("torch")


def record(out, run, steps=9, observables=("signal", "gradient"), **more):
    with ecodyn.Recorder("embedding", out=out, observables=observables, **more) as recorder:
        run.run(recorder, steps)
    return out


@pytest.fixture
def whole(tmp_path, training):
    return record(tmp_path / "whole.nc", training())


def test_a_window_keeps_what_it_remembers(tmp_path, whole):
    part = ecodyn.load(whole).window(3, 7)
    part.save(tmp_path / "w.nc")
    found = gather([tmp_path / "w.nc"])
    assert found.trajectories == part
    assert found.extracted == 0
    assert "backward_velocity" in found.trajectories.to_dataset()


def test_a_derived_file_without_the_gradient_is_read(tmp_path, whole):
    run = ecodyn.load(whole)
    bare = ecodyn.Trajectories.from_dataset(run.to_dataset().drop_vars("gradient"))
    bare.save(tmp_path / "bare.nc")
    assert gather([tmp_path / "bare.nc"]).trajectories == bare


def test_an_added_curve_is_kept(tmp_path, whole):
    run = ecodyn.load(whole)
    more = ecodyn.Trajectories.from_dataset(run.to_dataset().assign(loss=(("run", "step"), run.values[:, :, 0])))
    more.save(tmp_path / "more.nc")
    assert gather([tmp_path / "more.nc"]).trajectories.curves["loss"].shape == (1, 9)


@pytest.mark.parametrize("change", [lambda run: run, lambda run: run.window(3, 7)])
def test_what_is_saved_is_no_recording(tmp_path, whole, change):
    copy = tmp_path / "copy.nc"
    change(ecodyn.load(whole)).save(copy)
    assert is_recording(whole)
    assert not is_recording(copy)
    with pytest.raises(UnusableDataError, match=r"copy\.nc is no training log"):
        extract(copy)
    with pytest.raises(OutputExistsError):
        ecodyn.Recorder("embedding", out=copy)


def test_a_finished_recording_goes_on(tmp_path, training):
    run = training()
    out = record(tmp_path / "run.nc", run, steps=5)
    with ecodyn.Recorder("embedding", out=out) as recorder:
        run.run(recorder, 4, first=5)
    assert ecodyn.load(out).steps.tolist() == list(range(9))
    assert is_recording(out)


def test_recordings_that_begin_alike_share_a_cluster(tmp_path, training):
    paths = [record(tmp_path / f"{name}.nc", training(seed)) for name, seed in (("a", 1), ("b", 0), ("c", 1))]
    found = gather(paths).trajectories
    assert found.runs.tolist() == ["a", "b", "c"]
    assert found.clusters[0] == found.clusters[2] != found.clusters[1]
    assert np.array_equal(found.clusters, extract(paths).clusters)
    assert found.observable("gradient").shape == found.shape


def test_one_under_way_shares_the_cluster_of_a_finished_one(tmp_path, training, monkeypatch):
    monkeypatch.setattr("ecodyn.extraction.recording.pending.LONGEST", 0.0)
    paths = [record(tmp_path / f"{name}.nc", training(seed)) for name, seed in (("a", 1), ("b", 0))]
    recorder = ecodyn.Recorder("embedding", out=tmp_path / "c.nc")
    training(1).run(recorder, 6)
    with pytest.warns(DataWarning, match="in progress"):
        found = gather([tmp_path / "c.nc", *paths])
    recorder.let_go()
    assert found.extracted == 1
    assert found.trajectories.runs.tolist() == ["c", "a", "b"]
    clusters = found.trajectories.clusters
    assert clusters[0] == clusters[1] != clusters[2]


@pytest.mark.parametrize("shared", [True, False])
def test_what_recorders_say_of_labels_holds_for_all(tmp_path, training, shared):
    paths = [record(tmp_path / f"{seed}.nc", training(seed), labels_shared=shared) for seed in (0, 1)]
    assert gather(paths).trajectories.labels_shared is shared


def test_a_folder_is_read_entry_by_entry(tmp_path, training):
    folder = tmp_path / "runs"
    for seed in range(2):
        record(folder / f"run_{seed}.nc", training(seed))
    ecodyn.load(folder / "run_1.nc").window(2, 6).save(folder / "plain.nc")
    (folder / "notes.txt").write_text("of the second try")
    with pytest.warns(DataWarning, match=r"left out, as no trajectories files and no logs: .*notes\.txt") as said:
        found = gather([folder]).trajectories
    assert len(said) == 1
    assert found.runs.tolist() == ["plain", "run_0", "run_1"]
    assert found.lengths.tolist() == [5, 9, 9]
    with pytest.warns(DataWarning, match=r"no recordings and no logs: notes\.txt, plain\.nc; ecodyn compare"):
        assert extract(folder).runs.tolist() == ["run_0", "run_1"]


def without_mark(path):
    """A finished recording as it was written before recorders marked them."""
    import h5py

    with h5py.File(path, "a") as file:
        del file.attrs["ecodyn_recording"]


def test_recordings_without_a_mark_are_trajectories_files(whole):
    run = ecodyn.load(whole)
    without_mark(whole)
    assert gather([whole]).trajectories == run
    assert gather([whole.parent]).trajectories == run
    with pytest.raises(UnusableDataError, match="trajectories files alone: there is nothing to extract"):
        extract(whole.parent)


def test_trajectories_files_beside_logs_are_named(tmp_path, whole):
    without_mark(whole)
    frames = np.random.default_rng(0).standard_normal((4, 7, 4))
    np.savez(tmp_path / "log.npz", frames=frames, steps=np.arange(4), p=7, dim=4)
    with pytest.warns(DataWarning, match=r"left out, as no recordings and no logs: whole\.nc; ecodyn compare"):
        assert extract(tmp_path).n_runs == 1
    with pytest.warns(DataWarning, match="not all parts have gradient"):
        assert gather([tmp_path]).trajectories.runs.tolist() == ["log", "whole"]
