import itertools

import pytest

from ecodyn.networks.deep_linear import DeepLinear
from ecodyn.networks.modular_addition import MLP, FrozenEmbedding, ScaleFrequency, Transformer
from ecodyn.networks.training import grid, train
from ecodyn.networks.training.grids import varied_settings


def test_a_grid_is_every_combination_with_the_last_setting_fastest():
    chosen = {"dim": [2, 4], "weight_decay": [0.1, 0.5, 1.0]}
    networks = grid(MLP, chosen)
    pairs = [(network.dim, network.weight_decay) for network in networks]
    assert pairs == list(itertools.product(*chosen.values()))


def test_what_is_not_named_has_its_default():
    assert grid(MLP, {}) == [MLP()]
    assert grid(Transformer, {"dim": [8]}) == [Transformer(dim=8)]


@pytest.mark.parametrize(
    ("kind", "settings", "said"),
    [
        (MLP, {"heads": [2]}, "mlp has no setting heads; it has .*dim.*"),
        (DeepLinear, {"p": [7], "depth": [2], "dim": [3]}, "deep_linear has no setting p, dim; it has .*depth"),
        (MLP, {"dim": [4, 0]}, "dim must be a whole number of at least 1, got 0"),
        (MLP, {"name": ["mlp"]}, "no setting name"),
    ],
)
def test_what_the_network_can_not_have_is_refused(kind, settings, said):
    with pytest.raises(ValueError, match=said):
        grid(kind, settings)


def test_a_grid_without_a_value_has_nothing_to_train():
    with pytest.raises(ValueError, match="at least one"):
        train(grid(MLP, {"dim": []}), [0], 2)


def test_varied_are_the_settings_that_differ_and_no_others():
    assert varied_settings([MLP()]) == {}
    networks = grid(MLP, {"dim": [2, 4], "width": [8], "weight_decay": [0.1, 0.5]})
    assert varied_settings(networks) == {"dim": [2, 2, 4, 4], "weight_decay": [0.1, 0.5, 0.1, 0.5]}


def test_parameters_of_interventions_vary_under_names_of_their_own():
    plain, strong, frozen = (), (ScaleFrequency(k=2, factor=3.0),), (FrozenEmbedding(),)
    networks = grid(MLP, {"interventions": [plain, strong, frozen]})
    assert varied_settings(networks) == {
        "scale_frequency_k": ["none", 2, "none"],
        "scale_frequency_factor": ["none", 3.0, "none"],
        "frozen_embedding": ["none", "none", True],
    }
