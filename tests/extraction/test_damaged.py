"""One damaged log among good ones costs only itself."""

import numpy as np
import pytest

import ecodyn
from ecodyn.errors import DataWarning, UnusableDataError
from ecodyn.extraction import IncompleteExtractionError, gather
from ecodyn.extraction.gathering import data_of

P = 7


@pytest.fixture
def logs(tmp_path):
    """Four logs, in a folder."""
    rng = np.random.default_rng(0)
    for run in range(4):
        frames = rng.standard_normal((6, P, 3)).cumsum(axis=0)
        np.savez(tmp_path / f"run_{run}.npz", embeddings=frames, steps=np.arange(6), p=P)
    return tmp_path


def cut(path):
    path.write_bytes(path.read_bytes()[:200])


@pytest.mark.parametrize("given", ["the folder", "its files"])
@pytest.mark.parametrize("damage", [cut, lambda path: path.write_bytes(b"")], ids=["cut off", "empty"])
def test_the_others_are_extracted(given, damage, logs):
    whole = ecodyn.extract(logs)
    damage(logs / "run_2.npz")
    paths = logs if given == "the folder" else sorted(logs.iterdir())
    with pytest.raises(IncompleteExtractionError, match=r"1 run could not be extracted: .*run_2\.npz") as error:
        ecodyn.extract(paths)
    kept = error.value.finished
    assert kept.runs.tolist() == ["run_0", "run_1", "run_3"]
    np.testing.assert_array_equal(kept.values, whole.select(runs=["run_0", "run_1", "run_3"]).values)


def test_where_none_is_whole_there_is_the_first_ones_error(logs):
    for path in logs.iterdir():
        cut(path)
    with pytest.raises(UnusableDataError, match="truncated or damaged") as error:
        ecodyn.extract(logs)
    assert not isinstance(error.value, IncompleteExtractionError)


def test_shares_count_logs_and_need_all(logs):
    cut(logs / "run_2.npz")
    with pytest.raises(UnusableDataError, match="truncated or damaged"):
        ecodyn.extract(logs, shard=(1, 2))


def nan(path):
    """One that opens, and that no signal can be taken of."""
    with np.load(path) as kept:
        parts = dict(kept)
    parts["embeddings"][2] = np.nan
    np.savez(path, **parts)


@pytest.mark.parametrize("damage", [cut, nan], ids=["can't be opened", "can't be extracted"])
@pytest.mark.parametrize("given", ["the folder", "its files"])
def test_whatever_takes_logs_goes_on_without_one(given, damage, logs):
    whole = ecodyn.extract(logs).select(runs=["run_0", "run_1", "run_3"])
    damage(logs / "run_2.npz")
    found = gather([logs] if given == "the folder" else sorted(logs.iterdir()))
    assert found.trajectories.runs.tolist() == ["run_0", "run_1", "run_3"]
    assert found.extracted == 3
    np.testing.assert_array_equal(found.trajectories.values, whole.values)
    (sentence,) = found.lacking
    assert "run_2.npz" in sentence


@pytest.mark.parametrize("damage", [cut, nan], ids=["can't be opened", "can't be extracted"])
def test_trajectories_files_beside_it_are_in_their_places(damage, logs):
    ecodyn.extract(logs / "run_0.npz").save(logs / "a.nc")
    damage(logs / "run_1.npz")
    found = gather([logs / name for name in ("run_1.npz", "run_3.npz", "a.nc", "run_2.npz")])
    assert found.trajectories.runs.tolist() == ["run_3", "run_0", "run_2"]
    alone = gather([logs / "a.nc", logs / "run_2.npz"]).trajectories
    np.testing.assert_array_equal(found.trajectories.select(runs=["run_0", "run_2"]).values, alone.values)


def test_a_file_of_trajectories_is_enough_to_go_on(logs):
    ecodyn.extract(logs / "run_0.npz").save(logs / "a.nc")
    cut(logs / "run_1.npz")
    found = gather([logs / "run_1.npz", logs / "a.nc"])
    assert (found.trajectories.n_runs, found.extracted, len(found.lacking)) == (1, 0, 1)


def test_comparing_says_what_it_goes_on_without(logs):
    cut(logs / "run_2.npz")
    with pytest.warns(DataWarning, match=r"left out, as they can't be used: .*run_2\.npz"):
        kept = data_of(logs)
    assert kept.n_runs == 3


def test_with_no_whole_log_there_is_nothing_to_compare(logs):
    for path in logs.iterdir():
        cut(path)
    with pytest.raises(UnusableDataError, match="truncated or damaged"):
        gather([logs])
