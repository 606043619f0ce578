"""Logs -> trajectories: several runs, what is refused, what is repaired, and where numbers come from."""

import hashlib
import sys

import numpy as np
import pytest

from ecodyn.errors import DataWarning, UnusableDataError
from ecodyn.extraction import IncompleteExtractionError, Request, extract, inspect_logs
from ecodyn.logs import LogOptions
from ecodyn.observables import Fourier
from ecodyn.observables.pull import pull


def frames(seed, steps=12, p=7, d=4):
    return np.random.default_rng(seed).normal(size=(steps, p, d))


def stack(path, array, steps=None):
    np.savez(path, frames=array, steps=np.arange(len(array)) if steps is None else steps, p=array.shape[1])
    return path


def spectrum(array):
    return np.linalg.norm(np.fft.rfft(array, axis=1), axis=2)


def test_runs_of_different_length_are_padded(tmp_path):
    arrays = frames(0), frames(1, steps=9)
    data = extract([stack(tmp_path / f"{i}.npz", a) for i, a in enumerate(arrays)])
    assert data.lengths.tolist() == [12, 9]
    assert np.isnan(data.values[1, 9:]).all()
    for run, array in enumerate(arrays):
        np.testing.assert_allclose(data.values[run, : len(array)], spectrum(array)[:, 1:], rtol=1e-12)
        np.testing.assert_allclose(data.dc[run, : len(array)], spectrum(array)[:, 0], rtol=1e-12)


@pytest.mark.parametrize(("asked", "worth", "expected"), [(None, 1, 3), (None, 10**9, 1), (2, 10**9, 2), (1, 1, 1)])
def test_processes_are_begun_where_there_is_enough_to_read_for_them(tmp_path, monkeypatch, asked, worth, expected):
    module, asked_for = sys.modules["ecodyn.extraction.extract"], []
    work = module.outcomes
    monkeypatch.setattr("joblib.cpu_count", lambda: 3)
    monkeypatch.setattr(module, "WORTH_PROCESSES", worth)
    monkeypatch.setattr(module, "outcomes", lambda f, items, jobs: asked_for.append(jobs) or work(f, items, 1))
    paths = [stack(tmp_path / f"{seed}.npz", frames(seed)) for seed in range(3)]
    assert extract(paths, jobs=asked).n_runs == 3
    assert asked_for == [expected]


@pytest.mark.parametrize(("p", "other"), [(7, 11), (7, 6)])
def test_different_p_is_refused(tmp_path, p, other):
    paths = [stack(tmp_path / f"{q}.npz", frames(0, p=q, d=4)) for q in (p, other)]
    with pytest.raises(UnusableDataError, match=rf"(?s){p}\.npz.*{other}\.npz"):
        extract(paths, Request(token_axis=0))


def test_runs_from_one_first_frame_share_a_cluster(tmp_path):
    arrays = [frames(seed) for seed in range(3)]
    arrays[2][0] = arrays[0][0]
    clusters = extract([stack(tmp_path / f"{i}.npz", a) for i, a in enumerate(arrays)]).clusters
    assert clusters[0] == clusters[2] != clusters[1]


def test_empty_folder_is_refused(tmp_path):
    with pytest.raises(UnusableDataError, match="empty folder"):
        extract(tmp_path)


@pytest.mark.parametrize(("p", "d"), [(8, 4), (2, 7), (7, 4), (7, 5)])
def test_p_is_asked_for_where_it_can_not_be_told(tmp_path, p, d):
    array = frames(0, p=p, d=d)
    path = tmp_path / "a.npz"
    np.savez(path, frames=array, steps=np.arange(len(array)))
    with pytest.raises(UnusableDataError, match="--p P"):
        extract(path)
    if p % 2:
        data = extract(path, Request(p=p))
    else:
        with pytest.warns(DataWarning, match="alternation"):
            data = extract(path, Request(p=p))
    np.testing.assert_allclose(data.values[0], spectrum(array)[:, 1:], rtol=1e-12)


def test_what_needs_frames_and_gradients_is_of_both_at_one_step(tmp_path, monkeypatch):
    monkeypatch.setattr("ecodyn.logs.frames.CHUNK_BYTES", 1000)  # several chunks, of four frames
    embedding, gradient, path = frames(0), frames(1), tmp_path / "both.npz"
    np.savez(path, frames=embedding, gradients=gradient, steps=np.arange(12), p=7)
    data = extract(path, Request(observables=("gradient", "pull")), options=LogOptions(key="frames"))
    circles = Fourier(7)
    of_frames, of_gradients = circles.components(embedding).copy(), circles.components(gradient)
    np.testing.assert_allclose(data.observable("pull")[0], pull(of_frames, of_gradients)[:, 1:], rtol=1e-12)
    alone = extract(path, Request(observables=("pull",), every=3), options=LogOptions(key="frames"))
    np.testing.assert_array_equal(alone.observable("pull"), data.observable("pull")[:, ::3])
    assert "gradient" not in alone.observables


def test_what_is_not_finite_is_refused_or_cut(tmp_path):
    array = frames(0)
    array[8, 2, 1] = np.nan
    path = stack(tmp_path / "a.npz", array)
    with pytest.raises(UnusableDataError, match="row 8"):
        extract(path)
    with pytest.warns(DataWarning, match="the 8 rows before it were kept"):
        assert extract(path, Request(repair=True)).n_steps == 8


def test_missing_frames_are_remarked_upon(tmp_path):
    steps = np.delete(np.arange(0, 65, 5), 6)
    with pytest.warns(DataWarning, match="1 frames are missing"):
        extract(stack(tmp_path / "a.npz", frames(0), steps))


def test_provenance_has_the_checksum(tmp_path):
    path = stack(tmp_path / "a.npz", frames(0))
    ((source,),) = extract(path).provenance["sources"].values()
    assert source["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("checksums", [None, False])
def test_provenance_has_the_checksum_of_the_rows_read(tmp_path, checksums):
    path = stack(tmp_path / "a.npz", frames(0))
    ((source,),) = extract(path, Request(every=5, checksums=checksums)).provenance["sources"].values()
    assert source["sha256_of_rows_read"] == hashlib.sha256(frames(0)[::5].tobytes()).hexdigest()
    assert "sha256" not in source


def test_no_checksum_is_none(tmp_path):
    path = stack(tmp_path / "a.npz", frames(0))
    ((source,),) = extract(path, Request(checksums=False)).provenance["sources"].values()
    assert source == {"path": str(path), "bytes": path.stat().st_size}


def test_two_processes_give_the_same(tmp_path):
    paths = [stack(tmp_path / f"{i}.npz", frames(i)) for i in range(3)]
    one, two = extract(paths), extract(paths, jobs=2)
    np.testing.assert_array_equal(one.values, two.values)
    assert one.provenance == two.provenance


def test_inspection_writes_nothing_and_tells_the_command(tmp_path):
    path = tmp_path / "a.npy"
    np.save(path, frames(0))
    (facts,) = inspect_logs(path, Request(p=7), options=LogOptions(interval=5))
    assert list(tmp_path.iterdir()) == [path]
    assert (facts["p"], facts["d"], facts["last_step"], facts["late_rows"]) == (7, 4, 55, "none")
    assert facts["command"].startswith(f"ecodyn extract {path}")
    assert "--repair" not in facts["command"]


def test_one_bad_run_leaves_the_others(tmp_path):
    arrays = [frames(seed) for seed in range(3)]
    arrays[1][4] = np.inf
    paths = [stack(tmp_path / f"{i}.npz", a) for i, a in enumerate(arrays)]
    with pytest.raises(IncompleteExtractionError, match=r"1\.npz") as caught:
        extract(paths)
    assert caught.value.finished.n_runs == 2


@pytest.mark.parametrize("name", ["circularity", "pull", "phase_spread"])
def test_values_of_features_have_no_shape(tmp_path, name):
    np.savez(tmp_path / "a.npz", values=np.ones((5, 3)), steps=np.arange(5))
    with pytest.raises(UnusableDataError, match=f"holds values of features, expected matrices for {name}"):
        extract(tmp_path / "a.npz", Request(observables=("signal", name)))


def test_values_of_features_may_have_gradients_beside_them(tmp_path):
    values, gradients = np.random.default_rng(0).random((2, 5, 3))
    np.savez(tmp_path / "a.npz", values=values, gradients=gradients, steps=np.arange(5))
    runs = extract(tmp_path / "a.npz", Request(observables=("gradient", "share")), options=LogOptions(key="values"))
    np.testing.assert_array_equal(runs.values[0], values)
    np.testing.assert_array_equal(runs.observable("gradient")[0], gradients)
    np.testing.assert_allclose(runs.observable("share")[0].sum(axis=1), 1, rtol=1e-12)


def test_a_projection_over_neither_axis_is_refused_at_once():
    with pytest.raises(ValueError, match="tokens or dimensions, got 'rows'"):
        Request(directions=np.ones((2, 7)), over="rows")
