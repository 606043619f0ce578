"""Populations: what a run is called and comes with, what is said of it, and that it is itself in any company."""

import json

import numpy as np
import pytest
import torch
from network_grids import cells

import ecodyn
from ecodyn.networks.deep_linear import DeepLinear
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
    spectrum,
)
from ecodyn.networks.training import (
    Schedule,
    grid,
    network_settings,
    train,
    train_batch,
)

TRANSFORMER = Transformer(p=7, dim=4, heads=2, width=4, train_fraction=0.8, learning_rate=0.01)


def spectra(embedding):
    """DC and the features of embeddings (..., token, dimension)."""
    both = spectrum(torch.tensor(embedding)).numpy()
    return both[..., 0], both[..., 1:]


# ---------------------------------------------------------------------------------------------- what is in it


def test_a_population_is_its_single_trainings(tiny):
    both = train(tiny, [5, 2], 6, keep=Schedule(2, 3), batch=1)
    assert both.shape == (2, 5, 3)
    np.testing.assert_array_equal(both.runs, [5, 2])
    np.testing.assert_array_equal(both.features, [1, 2, 3])
    np.testing.assert_array_equal(both.steps, [0, 1, 2, 5, 6])
    assert both.n_clusters == 2
    assert not both.labels_shared
    assert both.settings.keys() == {"dim"}
    np.testing.assert_array_equal(both.settings["dim"], [3, 3])
    assert both.curves.keys() == {"train_loss", "train_accuracy", "test_loss", "test_accuracy"}
    for row, seed in enumerate([5, 2]):
        record = train_batch(tiny, [seed], Schedule(2, 3).steps(6))
        assert both.observables.keys() == record.observables.keys() == {"signal", "gradient"}
        np.testing.assert_array_equal(both.values[row], record.observables["signal"][0])
        np.testing.assert_array_equal(both.observables["gradient"][row], record.observables["gradient"][0])
        np.testing.assert_array_equal(both.dc[row], record.curves["dc"][0])
        np.testing.assert_array_equal(both.embedding[row], record.embedding[0])
        for name, curve in both.curves.items():
            np.testing.assert_array_equal(curve[row], record.curves[name][0])


@pytest.mark.parametrize("network", [MLP(p=7, dim=3, width=4), TRANSFORMER], ids=["mlp", "transformer"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_the_embedding_is_the_one_whose_spectrum_is_the_last_signal(network, dtype):
    runs = train(network, [1, 2], 7, keep=Schedule(every=5), dtype=dtype)
    dc, signal = spectra(runs.embedding)
    np.testing.assert_allclose(signal, runs.values[:, -1], rtol=1e-13)
    np.testing.assert_allclose(dc, runs.dc[:, -1], rtol=1e-13)


def test_without_a_test_set_there_are_no_test_curves():
    runs = train(MLP(p=5, dim=2, width=4, test=False), [0], 2)
    assert runs.curves.keys() == {"train_loss", "train_accuracy"}
    np.testing.assert_array_equal(runs.values, train(MLP(p=5, dim=2, width=4), [0], 2).values)


def test_a_deep_linear_population_shares_its_labels():
    runs = train(DeepLinear(modes=3), [4, 1], 5)
    assert runs.labels_shared
    assert runs.observables.keys() == {"signal", "gradient", "singular_values"}
    assert runs.curves.keys() == {"train_loss"}
    assert runs.embedding is None
    assert runs.dc is None
    assert runs.settings == {}
    assert runs.n_clusters == 2


def test_a_grid_numbers_its_runs_and_says_what_varies():
    networks = cells(
        dim=[2, 3], interventions=[(ScaleFrequency(k=1, factor=f), FixedDataset(seed=9)) for f in (0.5, 2.0)]
    )
    runs = train(networks, [5, 3], 4)
    np.testing.assert_array_equal(runs.runs, np.arange(8))
    assert list(runs.settings) == ["dim", "scale_frequency_factor", "seed"]
    np.testing.assert_array_equal(runs.settings["dim"], [2, 2, 2, 2, 3, 3, 3, 3])
    np.testing.assert_array_equal(runs.settings["scale_frequency_factor"], [0.5, 0.5, 2, 2] * 2)
    np.testing.assert_array_equal(runs.settings["seed"], [5, 3] * 4)
    assert runs.embedding.shape == (8, 5, 3)
    for row, dim in enumerate(runs.settings["dim"]):
        assert np.isfinite(runs.embedding[row, :, :dim]).all()
        assert np.isnan(runs.embedding[row, :, dim:]).all()
        _, signal = spectra(runs.embedding[row, :, :dim])
        np.testing.assert_allclose(signal, runs.values[row, -1], rtol=1e-13)
    for cell, network in enumerate(networks):  # each is the run of that network alone
        alone = train(network, [5, 3], 4)
        np.testing.assert_array_equal(runs.values[2 * cell : 2 * cell + 2], alone.values)


def test_networks_of_two_kinds_can_share_a_file():
    runs = train([MLP(p=5, dim=2, width=4), Transformer(p=5, dim=2, heads=1, width=4)], [0], 2)
    assert runs.settings["network"].tolist() == ["mlp", "transformer"]
    assert runs.settings["heads"].tolist() == ["none", "1"]


@pytest.mark.parametrize(
    ("networks", "clusters"),
    [
        pytest.param(cells(), [0, 1], id="seeds"),
        pytest.param(cells(dim=[2, 3]), [0, 1, 2, 3], id="dim"),
        pytest.param(cells(weight_decay=[0.1, 0.5]), [0, 1, 0, 1], id="weight_decay"),
        pytest.param(cells(interventions=[(), (FixedDataset(),)]), [0, 1, 0, 1], id="fixed_dataset"),
        pytest.param(cells(interventions=[(FixedEmbedding(4),)]), [0, 0], id="fixed_embedding"),
        pytest.param(cells(dim=[2, 3], interventions=[(FixedEmbedding(4),)]), [0, 0, 2, 2], id="fixed_embedding dim"),
        pytest.param(cells(interventions=[(FixedLayers(),)]), [0, 1], id="fixed_layers"),
        pytest.param(cells(interventions=[(), (FixedLayers(),)]), [0, 1, 2, 3], id="with and without fixed_layers"),
        pytest.param(cells(interventions=[(FixedLayers(4), PlantCircles())]), [0, 1], id="plant_circles"),
        pytest.param(cells(width=[4, 6]), [0, 1, 2, 3], id="width"),
        pytest.param(cells(width=[4, 6], interventions=[(FixedLayers(),)]), [0, 1, 0, 1], id="fixed_layers width"),
        pytest.param(
            grid(Transformer, {"p": [5], "dim": [2], "heads": [1], "width": [4, 6]}),
            [0, 1, 0, 1],
            id="transformer width",
        ),
        pytest.param(
            grid(Transformer, {"p": [5], "dim": [2], "width": [4], "heads": [1, 2]}), [0, 1, 0, 1], id="heads"
        ),
    ],
)
def test_runs_share_a_cluster_where_they_begin_with_the_same_representations(networks, clusters):
    runs = train(networks, [1, 2], 1)
    starts = [network.draw_one(seed)["embedding"] for network in networks for seed in (1, 2)]
    for a in range(runs.n_runs):
        for b in range(a):
            alike = torch.equal(starts[a], starts[b])
            assert alike == (runs.clusters[a] == runs.clusters[b]) == (clusters[a] == clusters[b]), (a, b)


@pytest.mark.parametrize("intervention", [ScaleFrequency(k=1, factor=2.0), KeepFrequencies(k=(1, 2))])
def test_a_start_that_was_changed_is_no_independent_one(intervention):
    runs = train(cells(interventions=[(), (intervention,)]), [1, 2], 1)
    np.testing.assert_array_equal(runs.clusters, [0, 1, 0, 1])
    assert not runs.labels_shared


def test_runs_of_one_start_share_their_labels():
    fixed = cells(interventions=[(FixedEmbedding(4),)])
    assert train(fixed, [1, 2], 1).labels_shared
    assert not train(cells(dim=[2, 3], interventions=[(FixedEmbedding(4),)]), [1, 2], 1).labels_shared
    assert not train(fixed, [1], 1).labels_shared  # there is nothing that it could share them with


@pytest.mark.parametrize(
    "networks",
    [
        pytest.param(cells(), id="one"),
        pytest.param(cells(dim=[2, 3], interventions=[(), (ScaleFrequency(k=2, factor=0.5),)]), id="grid"),
        pytest.param(cells(interventions=[(FixedEmbedding(4),), (FixedLayers(1), PlantCircles())]), id="clusters"),
        pytest.param([TRANSFORMER], id="transformer"),
        pytest.param([DeepLinear(modes=3)], id="deep_linear"),
    ],
)
def test_save_and_load_is_the_identity(tmp_path, networks, recwarn):
    runs = train(networks, [1, 2], 5, command="ecodyn train ...")
    runs.save(tmp_path / "runs.nc")
    assert ecodyn.load(tmp_path / "runs.nc") == runs
    assert not recwarn.list


# ------------------------------------------------------------------------------------------------ provenance


def test_provenance_says_what_was_done():
    network = MLP(p=7, dim=4, width=4, weight_decay=0.1)
    said = train(network, range(2), 3, keep=Schedule(1, 2), command="again").provenance
    assert said["command"] == "again"
    assert said["versions"]["ecodyn"] == ecodyn.__version__
    assert {"torch", "numpy", "python"} <= said["versions"].keys()
    assert said["seeds"] == [0, 1]
    assert (said["network"], said["p"], said["dim"], said["width"], said["steps"]) == ("mlp", 7, 4, 4, 3)
    assert (said["optimiser"], said["learning_rate"], said["weight_decay"]) == ("adamw", 0.01, 0.1)
    assert (said["train_fraction"], said["dtype"], said["device"]) == (0.8, "float64", "cpu")
    assert said["schedule"] == {"dense": 1, "every": 2}


def stated(table):
    """The network that provenance describes."""
    settings = dict(table)
    kind = network_settings(settings.pop("network"))
    if "interventions" in settings:
        settings["interventions"] = tuple(
            INTERVENTIONS[one["name"]](
                **{k: tuple(v) if isinstance(v, list) else v for k, v in one.items() if k != "name"}
            )
            for one in settings["interventions"]
        )
    return kind(**settings)


@pytest.mark.filterwarnings("ignore::ecodyn.errors.DataWarning")  # of what is kept out, 10¹⁵ below the rest
@pytest.mark.parametrize(
    "networks",
    [
        pytest.param([MLP(p=5, dim=2, width=4, optimiser="sgd", momentum=0.5)], id="sgd"),
        pytest.param([MLP(p=7, dim=2, width=4, interventions=(FixedLayers(3), KeepFrequencies((1, 3))))], id="kept"),
        pytest.param(cells(dim=[2, 3], interventions=[(), (FrozenEmbedding(),)]), id="grid"),
        pytest.param([DeepLinear(modes=2, depth=3, start="balanced")], id="deep_linear"),
    ],
)
def test_provenance_is_enough_to_do_it_again(networks):
    runs = train(networks, [3, 8], 6, keep=Schedule(2, 2), dtype="float32")
    said = json.loads(json.dumps(runs.provenance))
    assert said == runs.provenance
    shared = {name: said[name] for name in networks[0].described() if name in said}
    again = [stated(table) for table in said.get("networks", [shared])]
    assert again == networks
    assert train(again, said["seeds"], said["steps"], keep=Schedule(**said["schedule"]), dtype=said["dtype"]) == runs


# -------------------------------------------------------------------- a run is itself, whoever is trained beside it


@pytest.mark.parametrize("network", [MLP(p=7, dim=4, width=4), TRANSFORMER], ids=["mlp", "transformer"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_run_depends_on_others_by_rounding_only(arrays, network, dtype):
    """Fifty steps: within a thousand units in the last place of an array's largest number.

    A batch's size decides in which order products of matrices are summed, which is a few units in the last place a
    step, and the steps add up; a number that leaked from one network to another would be of the numbers' own size.
    """
    tolerance = 1000 * np.finfo(dtype).eps
    among = arrays(train(network, range(6), 50, batch=1, dtype=dtype))
    for seeds, batch in (((0, 1, 2, 3, 4, 5), 4), ((2, 5), 2), ((5, 0, 4), 3)):
        others = arrays(train(network, seeds, 50, batch=batch, dtype=dtype))
        for name in others.keys() - {"times"}:
            expected = among[name][list(seeds)]
            np.testing.assert_allclose(
                others[name], expected, rtol=0, atol=tolerance * np.abs(expected).max(), err_msg=name
            )


def test_alone_and_among_others_in_batches_of_one_is_the_same(tiny):
    among = train(tiny, [0, 1, 2], 20, batch=1)
    np.testing.assert_array_equal(train(tiny, [2], 20).values[0], among.values[2])


def test_progress_adds_up(tiny):
    said = []
    train([tiny, MLP(p=7, dim=4, width=4)], range(5), 60, batch=2, progress=lambda *at: said.append(at))
    batches = [2, 2, 1] * 2  # runs side by side; each step of a batch is said once, the start is no news
    done = np.cumsum(np.repeat(batches, 60)).tolist()
    numbers = np.repeat(range(1, 7), 60)
    assert said == [(n, 2 * 5 * 60, f"{i} of 6 batches begun") for n, i in zip(done, numbers, strict=True)]
