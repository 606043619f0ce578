import itertools
import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from ecodyn.networks.modular_addition import (
    INTERVENTIONS,
    MLP,
    FixedDataset,
    FixedEmbedding,
    FixedLayers,
    FrozenEmbedding,
    KeepFrequencies,
    PlantCircles,
    ScaleFrequency,
    Transformer,
    initialise,
    parse_interventions,
)
from ecodyn.networks.training.descent import train_batch

P, DIM = 13, 8
PLAIN = MLP(p=P, dim=DIM, width=16)
CHOOSE_SEEDS = ("fixed_embedding", "fixed_layers", "fixed_dataset")


def under(*interventions, **settings):
    return replace(PLAIN, interventions=interventions, **settings)


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


# ----------------------------------------------------------------------------------- which runs begin alike


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


# -------------------------------------------------------------------------------------------------- description


def test_a_list_of_frequencies_is_as_good_as_a_tuple():
    assert KeepFrequencies([1, 2]) == KeepFrequencies((1, 2))
    assert hash(KeepFrequencies([1, 2])) == hash(KeepFrequencies((1, 2)))


@pytest.mark.parametrize("order", [(FixedEmbedding(1), FixedLayers(2)), (FixedLayers(2), FixedEmbedding(1))])
def test_a_fixed_embedding_is_the_same_in_whatever_order(order):
    drawn, alone = under(*order).draw_one(0), under(FixedEmbedding(1)).draw_one(0)
    assert torch.equal(drawn["embedding"], alone["embedding"])


def test_a_parameter_is_given_once():
    with pytest.raises(ValueError, match=r"scale_frequency's k is given twice; join .* by slashes"):
        parse_interventions("scale_frequency:k=1,k=2")


def test_described_is_json_and_says_it_all():
    one_of_each = [kind() for kind in INTERVENTIONS.values()]
    assert len(one_of_each) == 7
    for intervention in [*one_of_each, ScaleFrequency(3, 0.9), KeepFrequencies((2, 5), hold=False)]:
        said = json.loads(json.dumps(intervention.described()))
        kind = INTERVENTIONS[said.pop("name")]
        assert kind(**{k: tuple(v) if isinstance(v, list) else v for k, v in said.items()}) == intervention


def test_a_networks_interventions_are_described_and_varied_by_name():
    network = under(FixedEmbedding(3), ScaleFrequency(2, 0.9), KeepFrequencies((2, 5)), FrozenEmbedding())
    said = json.loads(json.dumps(network.described()))["interventions"]
    assert [entry["name"] for entry in said] == [
        "fixed_embedding",
        "scale_frequency",
        "keep_frequencies",
        "frozen_embedding",
    ]
    varied = network.varied()
    assert varied["fixed_embedding_seed"] == 3
    assert (varied["scale_frequency_k"], varied["scale_frequency_factor"]) == (2, 0.9)
    assert (varied["keep_frequencies_k"], varied["keep_frequencies_hold"]) == ("2+5", True)
    assert varied["frozen_embedding"] is True
    assert all(isinstance(value, int | float | str) for value in varied.values())


def test_two_of_one_kind_are_varied_under_names_of_their_own():
    varied = under(ScaleFrequency(2, 0.9), ScaleFrequency(5, 1.1)).varied()
    assert (varied["scale_frequency_k"], varied["scale_frequency_factor"]) == (2, 0.9)
    assert (varied["scale_frequency_k_2"], varied["scale_frequency_factor_2"]) == (5, 1.1)


# ------------------------------------------------------------------------------------------ as the command line has it


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("frozen_embedding", [FrozenEmbedding()]),
        ("fixed_layers", [FixedLayers(0)]),
        ("fixed_layers:seed=3", [FixedLayers(3)]),
        ("fixed_embedding:seed=1/2", [FixedEmbedding(1), FixedEmbedding(2)]),
        ("scale_frequency:k=25,factor=0.9/1.1", [ScaleFrequency(25, 0.9), ScaleFrequency(25, 1.1)]),
        (
            "scale_frequency:k=3/4,factor=0.9/1.1",
            [ScaleFrequency(3, 0.9), ScaleFrequency(3, 1.1), ScaleFrequency(4, 0.9), ScaleFrequency(4, 1.1)],
        ),
        ("plant_circles:first=3,second=4,ratio=1e-2", [PlantCircles(3, 4, 0.01)]),
        ("keep_frequencies:k=2+8/22", [KeepFrequencies((2, 8)), KeepFrequencies((22,))]),
        ("keep_frequencies:k=2,hold=true/false", [KeepFrequencies((2,)), KeepFrequencies((2,), hold=False)]),
    ],
)
def test_interventions_are_read(text, expected):
    assert parse_interventions(text) == expected


@pytest.mark.parametrize("name", INTERVENTIONS)
def test_a_name_alone_is_the_default(name):
    assert parse_interventions(name) == [INTERVENTIONS[name]()]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", r"unknown intervention ''; there are fixed_embedding, .*keep_frequencies"),
        ("scale:k=2", r"unknown intervention 'scale'; there are fixed_embedding, fixed_layers, fixed_dataset"),
        (
            "scale_frequency:by=2",
            r"scale_frequency has no parameter 'by' \('by=2'\); it has k, factor, as in scale_frequ",
        ),
        ("scale_frequency:25", r"scale_frequency has no parameter '25'.*as in scale_frequency:k=25,factor=1\.0"),
        ("frozen_embedding:seed=2", r"frozen_embedding has no parameter 'seed'.*it has none, as in frozen_embedding"),
        ("keep_frequencies:n=2", r"it has k, hold, as in keep_frequencies:k=1,hold=True"),
        ("scale_frequency:k=2.5", "scale_frequency's k is a whole number, got '2.5'"),
        ("scale_frequency:k=", "scale_frequency's k is a whole number, got ''"),
        ("scale_frequency:factor=much", "scale_frequency's factor is a number, got 'much'"),
        ("keep_frequencies:k=2+x", r"keep_frequencies's k is whole numbers, as in 2\+8, got '2\+x'"),
        ("keep_frequencies:hold=yes", "keep_frequencies's hold is true or false, got 'yes'"),
        ("fixed_layers:seed=-1", "seed must be a whole number of at least 0, got -1"),
        ("fixed_embedding:seed=4294967296", "seed must be at most 4294967295"),
        ("fixed_dataset:seed=-1", "seed must be"),
        ("scale_frequency:k=0", "k must be a whole number of at least 1, got 0"),
        ("scale_frequency:factor=-1", "factor must be finite and not negative, got -1.0"),
        ("scale_frequency:factor=nan", "factor must be finite"),
        ("plant_circles:first=0", "first must be a whole number of at least 1"),
        ("plant_circles:second=0", "second must be a whole number of at least 1"),
        ("plant_circles:ratio=0", "ratio must be finite and positive, got 0.0"),
        ("plant_circles:first=2,second=2", "plant_circles plants two different frequencies, got 2 twice"),
        ("keep_frequencies:k=2+2", r"keeps at least one frequency, each named once, got \(2, 2\)"),
        ("keep_frequencies:k=0", "k must be a whole number of at least 1, got 0"),
        ("scale_frequency:k=2/0", "k must be a whole number of at least 1"),
    ],
)
def test_what_can_not_be_meant_is_refused(text, said):
    with pytest.raises(ValueError, match=said):
        parse_interventions(text)


def test_nothing_kept_is_refused():
    with pytest.raises(ValueError, match=r"keep_frequencies keeps at least one frequency, each named once, got \(\)"):
        KeepFrequencies(())


@pytest.mark.parametrize(
    ("intervention", "beyond"),
    [
        (ScaleFrequency(7, 0.9), "7"),
        (PlantCircles(1, 7), "7"),
        (PlantCircles(8, 7), "8, 7"),
        (KeepFrequencies((6, 7, 12)), "7, 12"),
    ],
)
def test_frequencies_beyond_those_of_p_are_refused(intervention, beyond):
    said = rf"{intervention.name}: p = 13 has the frequencies 1 to 6, got {beyond} \(k and p - k are the same\)"
    with pytest.raises(ValueError, match=said):
        under(intervention)
    with pytest.raises(ValueError, match=said):
        Transformer(p=13, dim=8, interventions=(intervention,))
    assert replace(PLAIN, p=29, interventions=(intervention,)).p == 29


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (FixedEmbedding(0), FixedEmbedding(1)),
        (PlantCircles(1, 2), PlantCircles(3, 4)),
        (FrozenEmbedding(), FrozenEmbedding()),
        (FixedLayers(1), FixedLayers(2)),
        (FixedDataset(1), FixedDataset(2)),
        (KeepFrequencies((1,)), KeepFrequencies((2,))),
    ],
)
def test_one_that_would_undo_another_is_refused(first, second):
    with pytest.raises(ValueError, match=f"{first.name} is given 2 times, the last would undo the others; give one"):
        under(first, ScaleFrequency(2, 0.9), second)
