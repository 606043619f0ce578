"""Interventions as text: how they are described, read from the command line, and refused."""

import json
from dataclasses import replace

import pytest
import torch
from intervened import PLAIN, under

from ecodyn.networks.modular_addition import (
    INTERVENTIONS,
    FixedDataset,
    FixedEmbedding,
    FixedLayers,
    FrozenEmbedding,
    KeepFrequencies,
    PlantCircles,
    ScaleFrequency,
    Transformer,
    parse_interventions,
)


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
