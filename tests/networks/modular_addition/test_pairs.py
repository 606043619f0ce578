import numpy as np
import pytest

from ecodyn.networks.modular_addition import MLP, FixedDataset, split_pairs
from ecodyn.networks.modular_addition.pairs import tokens


@pytest.mark.parametrize("seed", [0, 5])
def test_split_is_the_studys_own(seed, study):
    train, rest = split_pairs(23, seed)
    np.testing.assert_array_equal(train, study[seed]["train_id"])
    np.testing.assert_array_equal(rest, study[seed]["test_id"])


@pytest.mark.parametrize(("p", "fraction", "trained"), [(11, 0.8, 96), (7, 0.3, 14), (3, 0.5, 4)])
def test_split_is_that_after_the_global_seed(p, fraction, trained):
    state = np.random.get_state()  # noqa: NPY002
    np.random.seed(3)  # noqa: NPY002
    expected = np.random.choice(p * p, trained, replace=False)  # noqa: NPY002
    np.random.set_state(state)  # noqa: NPY002
    train, rest = split_pairs(p, 3, fraction)
    np.testing.assert_array_equal(train, expected)
    np.testing.assert_array_equal(np.sort(np.concatenate([train, rest])), np.arange(p * p))
    assert (np.diff(rest) > 0).all()


def test_global_random_state_is_untouched():
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    split_pairs(7, 0)
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


@pytest.mark.parametrize("p", [3, 23])
def test_tokens_walk_the_grid_row_by_row(p):
    a, b, label = tokens(np.arange(p * p), p)
    np.testing.assert_array_equal(a + p * b, np.arange(p * p))
    np.testing.assert_array_equal(label, (a + b) % p)
    assert a.max() == b.max() == p - 1


def test_a_network_splits_by_its_own_seeds_in_ascending_order():
    for interventions, drawn_by in ((), (4, 2)), ((FixedDataset(9),), (9, 9)):
        train, test = MLP(p=7, train_fraction=0.6, interventions=interventions).split([4, 2])
        for row, seed in enumerate(drawn_by):
            chosen, rest = split_pairs(7, seed, 0.6)
            np.testing.assert_array_equal(train[row], np.sort(chosen))
            np.testing.assert_array_equal(test[row], rest)
