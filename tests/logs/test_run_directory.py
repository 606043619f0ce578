"""Run directories of the study's script: times of the rows, and rows that are late."""

from pathlib import Path

import numpy as np
import pytest

from ecodyn.errors import DataWarning, UnusableDataError
from ecodyn.extraction import Request, extract
from ecodyn.logs import LogOptions, open_logs
from ecodyn.logs.frames import ArrayFrames
from ecodyn.observables import Fourier
from ecodyn.observables.signal import signal

STUDY = Path(__file__).parents[1] / "data" / "study_p23_d8.npz"
P, D = 7, 3


def walk(steps, seed=0):
    return np.random.default_rng(seed).normal(size=(steps + 1, P, D)).cumsum(axis=0)


def written(root, frames, *, every=1, dump=10, views=True, transposed=False, without=()):
    """A run directory as the script leaves it; with `views`, a row shows the next frame unless it was spared."""
    last = len(frames) - 1
    rows = np.arange(last + 1)
    shown = np.where(views & (rows % dump != 0) & (rows != last), rows + 1, rows)
    logged = np.append(0, np.arange(1, last + 1, every))
    arrays = {
        "embeddings": frames[shown[logged]],
        "first_embeds": frames[shown[:1001]],
        "gradients": frames[:last:every],
        "train_loss": np.ones(last),
        "model_params": np.zeros((-(-last // dump), 2)),
    }
    path = root / f"dim_{D}_init_seed_0_vary_seed_0_p_{P}_id_ab"
    path.mkdir()
    for name, array in arrays.items():
        turned = array.swapaxes(1, 2) if transposed and array.ndim == 3 else array
        if name not in without:
            np.save(path / f"{name}.npy", turned)
    return path


def true_signal(frames):
    return signal(Fourier(P).components(frames))[:, 1:]


@pytest.mark.parametrize("every", [1, 5])
@pytest.mark.parametrize(("steps", "dump"), [(60, 10), (63, 10), (40, 7), (40, 50)])
def test_late_rows_are_named_and_repaired(tmp_path, every, steps, dump):
    frames = walk(steps)
    path = written(tmp_path, frames, every=every, dump=dump)
    (log,) = open_logs(path, LogOptions())
    expected = np.append(0, np.arange(1, steps + 1, every))
    np.testing.assert_array_equal(log.steps, expected)
    np.testing.assert_array_equal(log.late, (expected % dump != 0) & (expected != steps))
    with pytest.warns(DataWarning, match="late"):
        data = extract(path, Request(observables=("signal",), repair=True))
    found = np.asarray(data.steps).ravel().astype(int)
    shown = np.unique(expected + log.late)
    np.testing.assert_array_equal(found, shown)
    np.testing.assert_allclose(data.values[0], true_signal(frames[found]), rtol=1e-12)


@pytest.mark.parametrize("every", [1, 5])
def test_long_runs_show_it_in_the_first_thousand_rows(tmp_path, every):
    (log,) = open_logs(written(tmp_path, walk(1203), every=every, dump=100), LogOptions())
    expected = np.append(0, np.arange(1, 1204, every))
    np.testing.assert_array_equal(log.late, (expected % 100 != 0) & (expected != 1203))


def test_without_losses_late_rows_of_a_long_run_are_found_all_the_same(tmp_path):
    (log,) = open_logs(written(tmp_path, walk(1203), every=5, dump=100, without=["train_loss"]), LogOptions())
    np.testing.assert_array_equal(log.late[:-1], (log.steps[:-1] > 0) & (log.steps[:-1] % 100 != 0))


@pytest.mark.parametrize("every", [1, 5])
def test_copied_rows_are_not_late(tmp_path, every):
    (log,) = open_logs(written(tmp_path, walk(60), every=every, views=False), LogOptions())
    assert log.late is None


def test_interval_is_told_by_first_embeds_alone(tmp_path):
    (log,) = open_logs(written(tmp_path, walk(60), every=5, without=["train_loss"]), LogOptions())
    assert log.steps[:4].tolist() == [0, 1, 6, 11]


def test_late_rows_of_the_study_are_those(tmp_path):
    with np.load(STUDY, allow_pickle=False) as file:
        rows, logged = file["seed_0_rows"], file["seed_0_first_embeds"]
    by_row = dict(zip(rows.tolist(), logged, strict=True))
    for spared in (50, 100, 200, 350, 400):
        np.testing.assert_array_equal(by_row[spared], by_row[spared - 1])
    assert not np.array_equal(by_row[2], by_row[1])


def test_wrong_interval_is_refused(tmp_path):
    path = written(tmp_path, walk(60), every=5)
    assert open_logs(path, LogOptions(interval=5))[0].steps[2] == 6
    for wrong in (4, 1, 2.5):
        with pytest.raises(UnusableDataError, match=f"every {wrong:g} updates"):
            open_logs(path, LogOptions(interval=wrong))


def test_unknown_interval_is_asked_for(tmp_path):
    path = written(tmp_path, walk(60), every=5, without=["train_loss", "first_embeds"])
    with pytest.raises(UnusableDataError, match="--interval"):
        open_logs(path, LogOptions())
    (log,) = open_logs(path, LogOptions(interval=5))
    assert log.late is None
    assert "may be one update late" in log.remarks[0]


def test_frozen_log_is_remarked_upon_and_not_late(tmp_path):
    path = written(tmp_path, np.repeat(walk(0), 31, axis=0), without=["gradients"])
    np.save(path / "gradients.npy", np.empty((0,)))
    assert open_logs(path, LogOptions())[0].late is None
    with (
        pytest.warns(DataWarning, match="gradients.npy is empty.*all frames are identical"),
        pytest.warns(DataWarning, match="constant throughout"),
    ):
        extract(path)


def test_uneven_first_interval_is_remarked_upon(tmp_path):
    path = written(tmp_path, walk(60), every=5, views=False)
    with pytest.warns(DataWarning, match="the first interval is 1 steps, most others 5"):
        extract(path, Request(observables=("signal",)))


def test_transposed_frames_are_told_by_the_folders_name(tmp_path):
    frames = walk(20)
    path = written(tmp_path, frames, views=False, transposed=True)
    with pytest.warns(DataWarning, match="read transposed"):
        found = extract(path, Request(observables=("signal",)))
    np.testing.assert_allclose(found.values[0], true_signal(frames), rtol=1e-12)


def test_gradients_are_those_of_their_step(tmp_path):
    frames = walk(20)
    with pytest.warns(DataWarning, match="no gradient was logged at 1 of the 21"):
        data = extract(written(tmp_path, frames, views=False), Request(observables=("gradient",)))
    np.testing.assert_allclose(data.observables["gradient"][0], true_signal(frames[:20]), rtol=1e-12)


def test_first_embeds_may_be_chosen(tmp_path):
    (log,) = open_logs(written(tmp_path, walk(20), every=5), LogOptions(key="first_embeds"))
    np.testing.assert_array_equal(log.steps, np.arange(21))
    with pytest.raises(UnusableDataError, match="no frames named 'x'"):
        open_logs(log.path, LogOptions(key="x"))


@pytest.mark.parametrize("array", [np.ones(3), np.empty((0, P, D))])
def test_embeddings_that_are_no_frames_are_refused(tmp_path, array):
    np.save(tmp_path / "embeddings.npy", array)
    with pytest.raises(UnusableDataError, match="expected"):
        open_logs(tmp_path, LogOptions())


def test_frames_in_memory_are_read_as_rows():
    frames = ArrayFrames(np.arange(12.0).reshape(4, 3))
    np.testing.assert_array_equal(frames.read(np.array([0, 3])), frames.array[[0, 3]])
