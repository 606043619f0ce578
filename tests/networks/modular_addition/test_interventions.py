"""Interventions: what each changes of a training, that it changes nothing else, and several together."""

import numpy as np
import pytest
import torch
from intervened import DIM, PLAIN, P, under

from ecodyn.networks.modular_addition import (
    FixedDataset,
    FixedEmbedding,
    FixedLayers,
    FrozenEmbedding,
    KeepFrequencies,
    PlantCircles,
    ScaleFrequency,
    initialise,
)
from ecodyn.networks.training.descent import train_batch


def signals(network, seeds, steps=0):
    """Signals (S, step, K) and DC (S, step)."""
    record = train_batch(network, seeds, np.arange(steps + 1))
    return record.observables["signal"], record.curves["dc"]


def equal_parts(network, seeds):
    """Which of embedding, layers and training pairs are the same in all of some runs; layers agree as a whole."""
    draws = [network.draw_one(seed) for seed in seeds]
    pairs, _ = network.split(seeds)
    same = {name: all(torch.equal(draw[name], draws[0][name]) for draw in draws) for name in draws[0]}
    embedding = same.pop("embedding")
    assert len(set(same.values())) == 1
    return {"embedding": embedding, "layers": next(iter(same.values())), "pairs": bool((pairs == pairs[0]).all())}


def circles_alone(embedding, k):
    """The part of an embedding (p, d) of some frequencies: least squares on their cosines and sines."""
    angle = 2 * np.pi * np.outer(np.arange(len(embedding)), k) / len(embedding)
    waves = np.hstack([np.cos(angle), np.sin(angle)])
    return waves @ np.linalg.lstsq(waves, embedding, rcond=None)[0]


# ---------------------------------------------------------------------------------------------- who draws what


@pytest.mark.parametrize(
    ("interventions", "same"),
    [
        ((), set()),
        ((FixedEmbedding(3),), {"embedding"}),
        ((FixedLayers(3),), {"layers", "pairs"}),
        ((FixedDataset(3),), {"pairs"}),
        ((FixedEmbedding(3), FixedDataset(4)), {"embedding", "pairs"}),
        ((FixedLayers(3), FixedEmbedding(4)), {"embedding", "layers", "pairs"}),
        ((FrozenEmbedding(),), set()),
    ],
)
def test_exactly_the_named_parts_are_equal_over_seeds(interventions, same):
    assert {part for part, equal in equal_parts(under(*interventions), [0, 1, 2]).items() if equal} == same


def test_fixed_parts_are_those_of_the_named_seed():
    own, embedding, layers, pairs = (
        network.draw_one(7)
        for network in (PLAIN, under(FixedEmbedding(3)), under(FixedLayers(3)), under(FixedDataset(3)))
    )
    of_three = initialise(P, DIM, 3, width=16).state_dict()
    assert torch.equal(embedding["embedding"], of_three["embedding"])
    for name in own.keys() - {"embedding"}:
        assert torch.equal(embedding[name], own[name])
        assert torch.equal(layers[name], of_three[name])
    for name, parameter in own.items():
        assert torch.equal(pairs[name], parameter)
    np.testing.assert_array_equal(under(FixedLayers(3)).split([7])[0], PLAIN.split([3])[0])
    np.testing.assert_array_equal(under(FixedDataset(3)).split([7])[0], PLAIN.split([3])[0])
    np.testing.assert_array_equal(under(FixedEmbedding(3)).split([7])[0], PLAIN.split([7])[0])


def test_beside_fixed_layers_the_embedding_is_the_first_draw_under_the_seed():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(7)
        expected = torch.normal(0, 1, size=(P, DIM), dtype=torch.float64)
    assert torch.equal(under(FixedLayers(3)).draw_one(7)["embedding"], expected)
    assert not torch.equal(PLAIN.draw_one(7)["embedding"], expected)


def test_a_part_fixed_to_the_runs_own_seed_changes_nothing():
    for intervention in (FixedEmbedding(3), FixedDataset(3)):
        for name, parameter in under(intervention).draw_one(3).items():
            assert torch.equal(parameter, PLAIN.draw_one(3)[name])
        np.testing.assert_array_equal(under(intervention).split([3])[0], PLAIN.split([3])[0])


def test_the_global_random_state_is_untouched():
    before, numpy_before = torch.random.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    under(FixedLayers(3), PlantCircles(1, 2), ScaleFrequency(3, 0.5), KeepFrequencies((1, 2))).draw_one(0)
    assert torch.equal(torch.random.get_rng_state(), before)
    np.testing.assert_array_equal(np.random.get_state()[1], numpy_before)  # noqa: NPY002


# ------------------------------------------------------------------------------------------- where it starts from


@pytest.mark.parametrize(("k", "factor"), [(1, 0.85), (4, 1.15), (6, 0.0), (3, 1.0)])
def test_scaling_a_frequency_is_all_that_it_does(k, factor):
    scaled = under(ScaleFrequency(k, factor))
    before, dc_before = signals(PLAIN, [0, 1])
    after, dc_after = signals(scaled, [0, 1])
    expected = before.copy()
    expected[..., k - 1] *= factor
    np.testing.assert_allclose(after, expected, rtol=1e-12, atol=1e-12 * before.max())
    np.testing.assert_allclose(dc_after, dc_before, rtol=1e-12)
    np.testing.assert_array_equal(scaled.split([0, 1])[0], PLAIN.split([0, 1])[0])
    for seed in (0, 1):
        drawn, own = scaled.draw_one(seed), PLAIN.draw_one(seed)
        for name in own.keys() - {"embedding"}:
            assert torch.equal(drawn[name], own[name])
        embedding = own["embedding"].numpy()
        expected = embedding + (factor - 1) * circles_alone(embedding, [k])
        np.testing.assert_allclose(drawn["embedding"], expected, rtol=0, atol=1e-13)


@pytest.mark.parametrize("ratio", [np.exp(-4), 0.5, 1.0])
def test_planted_circles_have_the_studys_signals(ratio):
    found, dc = signals(under(FixedLayers(0), PlantCircles(2, 5, ratio)), [0, 3])
    expected = np.full(6, 1e-6)
    expected[1], expected[4] = 80, 80 * ratio
    # Rounding is that of the circle of 80: a few 1e-15 of it, so a few 1e-7 of the floor of 1e-6.
    np.testing.assert_allclose(found, np.broadcast_to(expected, found.shape), rtol=1e-12, atol=1e-12)
    assert dc.max() < 1e-12


def test_planted_circles_are_the_studys_waves():
    seed, first, second, ratio = 7, 3, 1, 0.25
    state = np.random.get_state()  # noqa: NPY002
    np.random.seed(seed)  # noqa: NPY002
    directions = [np.random.normal(0, 1, DIM) for _ in range((P - 1) // 2)]  # noqa: NPY002
    np.random.set_state(state)  # noqa: NPY002
    strength = {first: 80, second: 80 * ratio}
    expected = sum(
        2 / P * strength.get(k, 1e-6) * np.outer(np.cos(2 * np.pi * k * np.arange(P) / P), u / np.linalg.norm(u))
        for k, u in enumerate(directions, start=1)
    )
    found = under(FixedLayers(0), PlantCircles(first, second, ratio)).draw_one(seed)["embedding"]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-13)


@pytest.mark.parametrize("hold", [True, False])
def test_kept_frequencies_are_the_embeddings_own(hold):
    embedding = PLAIN.draw_one(4)["embedding"].numpy()
    found = under(KeepFrequencies((2, 5), hold=hold)).draw_one(4)["embedding"]
    np.testing.assert_allclose(found, circles_alone(embedding, [2, 5]), rtol=0, atol=1e-13)


# ------------------------------------------------------------------------------------------------ where it stays


OPTIMISERS = [
    {"optimiser": "adamw"},
    {"optimiser": "adam", "weight_decay": 1e-3},
    {"optimiser": "sgd", "learning_rate": 0.1, "momentum": 0.9, "weight_decay": 1e-3},
]


@pytest.mark.parametrize("optimiser", OPTIMISERS, ids=lambda settings: settings["optimiser"])
def test_kept_frequencies_stay_kept_at_every_step(optimiser):
    kept = np.isin(PLAIN.features, [2, 5])
    found, dc = signals(under(KeepFrequencies((2, 5)), **optimiser), [0, 1], steps=60)
    assert (found[..., ~kept].max(axis=2) < 1e-12 * found[..., kept].min(axis=2)).all()
    assert (dc < 1e-12 * found[..., kept].min(axis=2)).all()
    assert np.abs(np.diff(found[..., kept], axis=1)).max() > 1e-3  # they do train


@pytest.mark.parametrize("optimiser", OPTIMISERS, ids=lambda settings: settings["optimiser"])
def test_frequencies_taken_out_at_the_start_only_come_back(optimiser):
    kept = np.isin(PLAIN.features, [2, 5])
    found, dc = signals(under(KeepFrequencies((2, 5), hold=False), **optimiser), [0, 1], steps=60)
    assert found[:, 0][:, ~kept].max() < 1e-12 * found[:, 0].max()
    assert dc[:, 0].max() < 1e-12 * found[:, 0].max()
    assert (found[:, -1][:, ~kept] > 1e-3).all()


def test_keeping_all_frequencies_keeps_dc_out_alone():
    found, dc = signals(under(KeepFrequencies((1, 2, 3, 4, 5, 6))), [0], steps=5)
    np.testing.assert_allclose(found[:, 0], signals(PLAIN, [0])[0][:, 0], rtol=1e-12)
    assert dc.max() < 1e-12 * found.min()


@pytest.mark.parametrize("optimiser", OPTIMISERS, ids=lambda settings: settings["optimiser"])
def test_a_frozen_embedding_does_not_move(optimiser, history, plain):
    network = under(FrozenEmbedding(), **optimiser)
    trained = history(network, [0, 1], 30)
    for step in range(31):
        np.testing.assert_array_equal(trained.parameters["embedding"][step], trained.parameters["embedding"][0])
    assert (trained.record.observables["gradient"] > 0).all()
    assert np.ptp(trained.record.observables["gradient"], axis=1).min() > 0
    for name, array in trained.parameters.items():
        assert name == "embedding" or np.abs(array[30] - array[0]).max() > 1e-4, name


def test_the_layers_beside_a_frozen_embedding_train_as_under_torch(history, plain):
    network = under(FrozenEmbedding())
    trained, reference = history(network, [2], 30), plain(network, 2)
    reference.module.embedding.requires_grad_(False)
    optimiser = torch.optim.AdamW(reference.module.parameters(), lr=0.01, weight_decay=0.5, foreach=False)
    for step, expected in enumerate(reference.descend(optimiser, 30)):
        for name, array in expected.items():
            np.testing.assert_allclose(
                trained.parameters[name][step, 0], array, rtol=0, atol=1e-11 * np.abs(array).max()
            )


@pytest.mark.parametrize("intervention", [ScaleFrequency(2, 1.0), FixedEmbedding(3), FixedDataset(3)])
def test_one_that_changes_nothing_trains_the_same(intervention):
    found, expected = (signals(network, [3], steps=20)[0] for network in (under(intervention), PLAIN))
    np.testing.assert_allclose(found, expected, rtol=1e-11)


# -------------------------------------------------------------------------------------------------- composition


def test_those_of_a_training_are_applied_in_order():
    plant, scale = PlantCircles(2, 5, 0.5), ScaleFrequency(2, 0.1)
    found = signals(under(plant, scale), [0])[0][0, 0]
    assert found[1] == pytest.approx(8, rel=1e-12)
    assert found[4] == pytest.approx(40, rel=1e-12)


@pytest.mark.parametrize(
    "order",
    [
        (ScaleFrequency(2, 0.1), PlantCircles(2, 5, 0.5)),
        (FixedEmbedding(1), PlantCircles(2, 5, 0.5)),
        (PlantCircles(2, 5, 0.5), FixedEmbedding(1)),
    ],
)
def test_what_would_be_undone_is_refused(order):
    with pytest.raises(ValueError, match="plant_circles draws the embedding anew, which undoes"):
        under(*order)


def test_several_factors_multiply():
    found = signals(under(ScaleFrequency(2, 0.5), ScaleFrequency(3, 3.0), ScaleFrequency(2, 0.5)), [0])[0]
    factors = np.array([1, 0.25, 3, 1, 1, 1])
    np.testing.assert_allclose(found, signals(PLAIN, [0])[0] * factors, rtol=1e-12)


def test_many_at_once_each_do_their_own(history):
    network = under(FixedEmbedding(3), ScaleFrequency(2, 1.15), KeepFrequencies((2, 5)), FrozenEmbedding())
    trained = history(network, [0, 1], 10)
    expected = np.zeros(6)
    own = signals(PLAIN, [3])[0][0, 0]
    expected[1], expected[4] = 1.15 * own[1], own[4]
    found = trained.record.observables["signal"]
    np.testing.assert_allclose(found, np.broadcast_to(expected, found.shape), rtol=1e-12, atol=1e-12)
    np.testing.assert_array_equal(trained.parameters["embedding"][:, 0], trained.parameters["embedding"][:, 1])
    assert not np.allclose(trained.parameters["first.weight"][0, 0], trained.parameters["first.weight"][0, 1])
