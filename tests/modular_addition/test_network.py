import numpy as np
import pytest
import torch

from ecodyn.modular_addition import Network, initialise, split_pairs
from ecodyn.modular_addition.network import tokens


def test_logits_are_the_equation():
    network = initialise(5, 3, seed=1, width=4)
    a, b = torch.tensor([0, 4, 2]), torch.tensor([1, 1, 3])
    silu, layers = torch.nn.functional.silu, (network.first, network.second, network.output)
    hidden = torch.cat([network.embedding[a], network.embedding[b]], dim=1)
    for layer in layers[:2]:
        hidden = silu(layer(hidden))
    torch.testing.assert_close(network(a, b), layers[2](hidden), rtol=1e-13, atol=1e-13)


def test_draws_are_those_after_the_global_seed():
    with torch.random.fork_rng(devices=[]):
        torch.random.manual_seed(7)
        expected = Network(11, 4)
    for name, drawn in initialise(11, 4, seed=7).state_dict().items():
        assert torch.equal(drawn, expected.state_dict()[name]), name


def test_split_is_that_after_the_global_seed():
    state = np.random.get_state()  # noqa: NPY002
    np.random.seed(3)  # noqa: NPY002
    expected = np.random.choice(121, 96, replace=False)  # noqa: NPY002
    np.random.set_state(state)  # noqa: NPY002
    train, rest = split_pairs(11, 3)
    np.testing.assert_array_equal(train, expected)
    np.testing.assert_array_equal(np.sort(np.concatenate([train, rest])), np.arange(121))


def test_global_random_state_is_untouched():
    before, numpy_before = torch.random.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    initialise(7, 2, seed=0)
    split_pairs(7, 0)
    assert torch.equal(torch.random.get_rng_state(), before)
    np.testing.assert_array_equal(np.random.get_state()[1], numpy_before)  # noqa: NPY002


@pytest.mark.parametrize("p", [3, 23])
def test_tokens_walk_the_grid_row_by_row(p):
    a, b, label = tokens(np.arange(p * p), p)
    np.testing.assert_array_equal(a + p * b, np.arange(p * p))
    np.testing.assert_array_equal(label, (a + b) % p)
    assert a.max() == b.max() == p - 1
