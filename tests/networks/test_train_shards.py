"""Shares of a training: disjoint, together the whole, and put together they are what one training would have been."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ecodyn
from ecodyn.runtime.shares import Share
from ecodyn.training import MLP, DeepLinear, FixedEmbedding, grid, train


@given(st.lists(st.integers(), min_size=1, unique=True), st.data())
@settings(max_examples=30, deadline=None, derandomize=True, database=None)
def test_shares_are_disjoint_and_together_all_in_order(items, data):
    of = data.draw(st.integers(1, len(items)))
    shares = [Share(part, of).taken(items) for part in range(1, of + 1)]
    assert [item for share in shares for item in share] == items
    sizes = [len(share) for share in shares]
    assert max(sizes) - min(sizes) <= 1
    assert min(sizes) >= 1


@pytest.mark.parametrize("wrong", [(0, 3), (4, 3), (1.5, 3)])
def test_shares_that_there_are_not_are_refused(wrong):
    with pytest.raises(ValueError, match="I from 1 to N"):
        Share(*wrong)


def test_more_shares_than_seeds_are_refused_before_any_work():
    with pytest.raises(ValueError, match="at most as many shares as there is work, 2, got 3"):
        train(DeepLinear(modes=3), seeds=[0, 1], steps=5, shard=(1, 3))


def shards(networks, seeds, n, folder, **more):
    paths = [folder / f"part_{part}.nc" for part in range(1, n + 1)]
    for part, path in enumerate(paths, 1):
        train(networks, seeds, 4, shard=(part, n), **more).save(path)
    return ecodyn.merge(paths, folder / "all")


def same_but_for_rounding(merged, whole):
    """Networks side by side are others in each share: sums are rounded in another order."""
    rows = [merged.runs.tolist().index(label) for label in whole.runs.tolist()]
    assert sorted(rows) == list(range(len(merged)))
    assert np.allclose(merged.values[rows], whole.values, rtol=1e-9, atol=1e-12)
    assert merged.labels_shared == whole.labels_shared
    a, b = (np.asarray(labels) for labels in (merged.clusters[rows], whole.clusters))
    assert ((a[:, None] == a) == (b[:, None] == b)).all()
    for name, values in whole.settings.items():
        assert merged.settings[name][rows].tolist() == values.tolist()


def test_shares_put_together_are_the_whole_training(tmp_path):
    merged = shards(DeepLinear(modes=3), range(5), 2, tmp_path)
    whole = train(DeepLinear(modes=3), range(5), 4)
    assert merged.runs.tolist() == [0, 1, 2, 3, 4]
    assert [part.n_runs for part in merged.shards(runs=2)] == [2, 2, 1]
    same_but_for_rounding(merged.load(), whole)
    assert [part["shard"]["part"] for part in merged.provenance["parts"]] == [1, 2]
    assert merged.provenance["steps"] == whole.provenance["steps"]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::ecodyn.DataWarning")
def test_shares_of_a_grid_know_which_runs_begin_alike_in_other_shares(tmp_path):
    """A fixed embedding begins alike under every seed, and so in every share."""
    networks = grid(MLP, {"p": [5], "dim": [4], "width": [6], "interventions": [(), FixedEmbedding(seed=3)]})
    merged = shards(networks, [3, 8, 9], 3, tmp_path).load()
    whole = train(networks, [3, 8, 9], 4)
    assert whole.n_clusters < whole.n_runs  # it is asked for
    same_but_for_rounding(merged, whole)


def test_shares_of_different_trainings_are_not_taken_for_one(tmp_path):
    paths = []
    for part, steps in ((1, 4), (2, 5)):
        path = tmp_path / f"part_{part}.nc"
        train(DeepLinear(modes=3), range(4), steps, shard=(part, 2)).save(path)
        paths.append(path)
    from ecodyn.extraction.pieces import known_of, piece_of_file

    pieces = [piece_of_file(ecodyn.load(path), path) for path in paths]
    assert not known_of(pieces).labels_shared
    assert known_of([piece_of_file(ecodyn.load(paths[0]), paths[0])] * 2).labels_shared


def test_a_training_without_shares_says_nothing_of_them():
    assert "shard" not in train(DeepLinear(modes=3), seeds=[0, 1], steps=2).provenance
