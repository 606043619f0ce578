"""Which runs begin alike: initialisations are equal exactly where they are the same draw."""

import itertools
from dataclasses import replace

import pytest
import torch
from intervened import PLAIN, P, under

from ecodyn.networks.modular_addition import (
    FixedDataset,
    FixedEmbedding,
    FixedLayers,
    FrozenEmbedding,
    KeepFrequencies,
    PlantCircles,
    ScaleFrequency,
    Transformer,
)

CHOOSE_SEEDS = ("fixed_embedding", "fixed_layers", "fixed_dataset")


def drawn(network, seed):
    """The embedding's draw, before it is changed."""
    choices = tuple(i for i in network.interventions if i.name in CHOOSE_SEEDS)
    return replace(network, interventions=choices).draw_one(seed)["embedding"]


def check_keys(runs):
    """Of each two of some (network, seed): the keys are equal exactly when the embeddings are the same draw."""
    for (one, i), (other, j) in itertools.combinations(runs, 2):
        one_drawn, other_drawn = drawn(one, i), drawn(other, j)
        same = one_drawn.shape == other_drawn.shape and torch.allclose(one_drawn, other_drawn, rtol=1e-12, atol=0)
        assert (one.initialisation(i) == other.initialisation(j)) == same, (one, i, other, j)
        assert not same or hash(one.initialisation(i)) == hash(other.initialisation(j))


def test_initialisations_are_equal_when_the_embedding_is_the_same_draw():
    networks = [
        PLAIN,
        under(learning_rate=0.1, weight_decay=0.0, optimiser="sgd", train_fraction=0.5),
        under(FixedEmbedding(1)),
        under(FixedLayers(0)),
        under(FixedLayers(1), FixedDataset(2)),
        under(FixedDataset(0)),
        under(FrozenEmbedding()),
        under(ScaleFrequency(3, 0.9)),
        under(ScaleFrequency(3, 1.1)),
        under(FixedEmbedding(1), KeepFrequencies((2, 5))),
        replace(PLAIN, p=11),
        replace(PLAIN, dim=9),
        replace(PLAIN, width=17),
    ]
    check_keys([(network, seed) for network in networks for seed in (0, 1)])


def test_planted_circles_begin_alike_for_one_seed_whatever_else_is_fixed():
    fixed = (FixedLayers(0), FixedDataset(0))
    networks = [under(*others, PlantCircles(1, 2, ratio)) for others in ((), *zip(fixed)) for ratio in (0.5, 1.0)]
    for (one, i), (other, j) in itertools.combinations(itertools.product(networks, (0, 1)), 2):
        assert (one.initialisation(i) == other.initialisation(j)) == (i == j)


def test_planted_circles_are_not_the_embedding_that_they_replace():
    assert under(PlantCircles(1, 2)).initialisation(0) != PLAIN.initialisation(0)


def test_initialisations_are_equal_when_the_width_comes_after_the_draw():
    check_keys([(under(FixedLayers(0), width=width), 1) for width in (16, 17)])


@pytest.mark.parametrize("change", [{"width": 32}, {"interventions": (FixedLayers(0),)}])
def test_initialisations_of_transformers_are_equal_when_the_embedding_is_the_same_draw(change):
    network = Transformer(p=P, dim=8, width=16, heads=2)
    check_keys([(network, 1), (replace(network, **change), 1)])
