"""One damaged log among good ones costs only itself."""

import numpy as np
import pytest

import ecodyn
from ecodyn.errors import UnusableDataError
from ecodyn.extraction import IncompleteExtractionError

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
    with pytest.raises(IncompleteExtractionError, match=r"1 runs could not be extracted: .*run_2\.npz") as error:
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
