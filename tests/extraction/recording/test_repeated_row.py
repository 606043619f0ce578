"""The state after the last update may be recorded twice: in the loop, and by `close`."""

import warnings

import numpy as np
import pytest

import ecodyn
from ecodyn.errors import DataWarning

torch = pytest.importorskip("torch")


def recorded_behind_the_updates(recorder, run, steps):
    recorder.step(run.model, step=0)
    for now in range(1, steps + 1):
        run.backward()
        run.optimizer.step()
        recorder.step(run.model, step=now)


@pytest.mark.parametrize("waiting", [True, False])
def test_the_last_state_over_again_is_no_step_back(tmp_path, training, monkeypatch, waiting):
    if not waiting:
        monkeypatch.setattr("ecodyn.extraction.recording.pending.LONGEST", 0.0)
    run, recorder = training(), ecodyn.Recorder("embedding", out=tmp_path / "run.nc", observables=["signal"])
    recorded_behind_the_updates(recorder, run, 5)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        recorder.close(run.model, step=5)
    found = ecodyn.load(tmp_path / "run.nc")
    assert found.steps.tolist() == [0, 1, 2, 3, 4, 5]
    assert found.provenance["remarks"] == []


@pytest.mark.parametrize("step", [4, 5])
def test_another_state_at_a_step_that_was_recorded_is_one(tmp_path, training, of_numpy, step):
    run, recorder = training(), ecodyn.Recorder("embedding", out=tmp_path / "run.nc", observables=["signal"])
    recorded_behind_the_updates(recorder, run, 5)
    run.backward()
    run.optimizer.step()
    with pytest.warns(DataWarning, match=f"went back to {step}: {6 - step} rows"):
        recorder.close(run.model, step=step)
    found = ecodyn.load(tmp_path / "run.nc")
    assert found.steps.tolist() == list(range(step + 1))
    np.testing.assert_allclose(found.values[0, -1], of_numpy(run.weight)[1:], rtol=1e-12)
