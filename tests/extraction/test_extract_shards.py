"""Shares of an extraction put together are what all logs at once would have given."""

import numpy as np
import pytest

import ecodyn
from ecodyn.extraction import extract


def logs(folder, begins):
    """A log for each of some seeds; runs of one seed begin alike."""
    for n, seed in enumerate(begins):
        rng = np.random.default_rng(seed)
        frames = np.concatenate([rng.normal(size=(1, 5, 3)), np.random.default_rng(n + 50).normal(size=(3, 5, 3))])
        np.savez(folder / f"run_{n}.npz", embeddings=frames, steps=np.arange(4) * 10, p=5)
    return [folder / f"run_{n}.npz" for n in range(len(begins))]


def test_shares_put_together_are_the_whole_extraction(tmp_path):
    paths = logs(tmp_path, [0, 1, 0, 2, 2])  # the first and the third begin alike, and are in different shares
    whole = extract(paths)
    parts = []
    for part in (1, 2):
        parts.append(tmp_path / f"part_{part}.nc")
        extract(paths, shard=(part, 2)).save(parts[-1])
    merged = ecodyn.merge(parts, tmp_path / "all").load()
    assert merged.runs.tolist() == whole.runs.tolist()
    assert np.array_equal(merged.values, whole.values)
    assert merged.clusters.tolist() == [0, 1, 0, 2, 2]
    assert merged.n_clusters == whole.n_clusters
    assert [part["shard"]["of_logs"] for part in merged.provenance["parts"]] == [5, 5]


def test_a_share_reduces_its_own_logs_only(tmp_path):
    paths = logs(tmp_path, [0, 1, 2])
    seen = []
    runs = extract(paths, shard=(3, 3), progress=lambda done, total, name: seen.append((done, total)))
    assert runs.n_runs == 1
    assert seen == [(1, 1)]
    assert list(runs.provenance["sources"]) == runs.runs.astype(str).tolist()


def test_more_shares_than_logs_are_refused(tmp_path):
    with pytest.raises(ValueError, match="at most as many shares as there is work, 2, got 3"):
        extract(logs(tmp_path, [0, 1]), shard=(1, 3))
