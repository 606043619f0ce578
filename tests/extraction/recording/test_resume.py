"""A training that goes on goes on with its recording, from wherever it resumes."""

import copy

import numpy as np
import pytest

import ecodyn
from ecodyn.errors import DataWarning, OutputExistsError
from ecodyn.extraction.recording.journal import journal_of, read_journal

torch = pytest.importorskip("torch")


def checkpoint(run):
    return copy.deepcopy({"model": run.model.state_dict(), "optimizer": run.optimizer.state_dict()})


def restore(run, kept):
    run.model.load_state_dict(kept["model"])
    run.optimizer.load_state_dict(kept["optimizer"])


@pytest.fixture
def whole(tmp_path, training):
    """A training of 20 steps that nothing interrupted."""
    run = training()
    with ecodyn.Recorder("embedding", every=2, out=tmp_path / "whole.nc") as recorder:
        run.run(recorder, 21)
    return ecodyn.load(tmp_path / "whole.nc")


def interrupted(tmp_path, training, *, steps, at):
    """A training that fails before step `steps`, and its checkpoint of step `at`."""
    run, out, kept = training(), tmp_path / "run.nc", []

    def fail():
        with ecodyn.Recorder("embedding", every=2, out=out) as recorder:
            for step in range(steps):
                if step == at:
                    kept.append(checkpoint(run))
                run.run(recorder, 1)
            raise RuntimeError("out of memory")

    with pytest.raises(RuntimeError, match="out of memory"):
        fail()
    return out, kept[0]


@pytest.mark.parametrize("at", [4, 5, 9, 12])
def test_it_is_as_if_it_had_not_been_interrupted(tmp_path, training, whole, at):
    out, kept = interrupted(tmp_path, training, steps=13, at=at)
    assert not out.exists()
    run = training(7)
    restore(run, kept)
    dropped = 7 - -(-at // 2)
    recorder = ecodyn.Recorder("embedding", every=2, out=out)
    with pytest.warns(DataWarning, match=f"goes on from step {at}: {dropped} rows from there on were dropped"):
        run.run(recorder, 1, first=at)
    run.run(recorder, 20 - at)
    recorder.close()
    data = ecodyn.load(out)
    np.testing.assert_array_equal(data.steps, whole.steps)
    for name in whole.observables:
        np.testing.assert_allclose(data.observable(name), whole.observable(name), rtol=1e-10)
    remarks = " ".join(data.provenance["remarks"])
    assert f"goes on from step {at}" in remarks
    assert "the training was resumed" in remarks
    assert not journal_of(out).exists()


def test_it_has_to_be_said_from_where(tmp_path, training):
    out, _ = interrupted(tmp_path, training, steps=7, at=4)
    run = training()
    with pytest.raises(ValueError, match=r"steps 0 to 6 already; .*step=N"):
        run.run(ecodyn.Recorder("embedding", every=2, out=out), 1)
    assert len(read_journal(journal_of(out)).rows) == 4


def test_begun_anew_after_a_kill_all_is_overwritten(tmp_path, training, whole):
    out, _ = interrupted(tmp_path, training, steps=13, at=4)
    recorder = ecodyn.Recorder("embedding", every=2, out=out)
    run = training()
    with pytest.warns(DataWarning, match="7 rows from there on were dropped"):
        run.run(recorder, 1, first=0)
    run.run(recorder, 20)
    recorder.close()
    np.testing.assert_array_equal(ecodyn.load(out).values, whole.values)


def test_a_finished_one_is_extended(tmp_path, training, whole):
    run, out = training(), tmp_path / "run.nc"
    with ecodyn.Recorder("embedding", every=2, out=out) as recorder:
        run.run(recorder, 11)
    with ecodyn.Recorder("embedding", every=2, out=out) as recorder:
        run.run(recorder, 10, first=11)
    data = ecodyn.load(out)
    assert [d.name for d in tmp_path.iterdir() if d.name.startswith("run")] == ["run.nc"]
    np.testing.assert_array_equal(data.steps, whole.steps)
    for name in whole.observables:
        np.testing.assert_array_equal(data.observable(name), whole.observable(name))
    np.testing.assert_array_equal(data.dc, whole.dc)


def test_a_finished_one_is_not_replaced_unless_it_is_said(tmp_path, training):
    out, run = tmp_path / "run.nc", training()
    with ecodyn.Recorder("embedding", out=out) as recorder:
        run.run(recorder, 3)
    before = out.read_bytes()
    with pytest.raises(OutputExistsError, match="finished recording of steps 0 to 2"):
        run.run(ecodyn.Recorder("embedding", out=out), 1, first=0)
    assert out.read_bytes() == before
    with ecodyn.Recorder("embedding", out=out, force=True) as recorder:
        run.run(recorder, 2)
    assert ecodyn.load(out).steps.tolist() == [0, 1]


@pytest.mark.parametrize("change", [{"every": 3}, {"observables": ["signal"]}, {"tokens": (0, 5)}])
def test_another_recording_is_not_gone_on_with(tmp_path, training, change):
    out, _ = interrupted(tmp_path, training, steps=7, at=4)
    run = training()
    recorder = ecodyn.Recorder("embedding", **{"every": 2, "out": out, **change})
    with pytest.raises(ValueError, match=r"something else .* there, .* now"):
        run.run(recorder, 1, first=4)
    assert len(read_journal(journal_of(out)).rows) == 4


def test_steps_that_go_back_within_a_training_overwrite(tmp_path, training):
    run = training()
    recorder = ecodyn.Recorder("embedding", out=tmp_path / "run.nc")
    run.run(recorder, 6)
    run.run(recorder, 1, first=3)
    run.run(recorder, 1)
    with pytest.warns(DataWarning, match="went back to 3: 3 rows from there on were overwritten"):
        recorder.close()
    data = ecodyn.load(tmp_path / "run.nc")
    assert data.steps.tolist() == [0, 1, 2, 3, 4]
    assert any("went back to 3" in remark for remark in data.provenance["remarks"])


def test_a_default_recording_goes_on_with_what_it_had(tmp_path, training):
    """Resumed with no gradient at the first call, rows with gradients go on once there are some."""
    out, _ = interrupted(tmp_path, training, steps=4, at=2)
    run = training()
    recorder = ecodyn.Recorder("embedding", every=2, out=out)
    with pytest.warns(DataWarning, match="no gradient at step 4"):
        recorder.step(run.model, 4)
    run.run(recorder, 2)
    recorder.close()
    data = ecodyn.load(out)
    assert list(data.observables) == ["signal", "gradient"]
    assert data.steps.tolist() == [0, 2, 6]
