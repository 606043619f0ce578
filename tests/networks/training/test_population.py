"""Populations: what a run is called and comes with, that it is itself in any company, and that nothing is lost."""

import json
import multiprocessing
import os
import signal

import numpy as np
import pytest
import torch

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
from ecodyn.networks.modular_addition.mlp import MLPBatch
from ecodyn.networks.training import (
    IncompleteTrainingError,
    InterruptedTraining,
    Schedule,
    grid,
    network_settings,
    train,
    train_batch,
)

TRANSFORMER = Transformer(p=7, dim=4, heads=2, width=4, train_fraction=0.8, learning_rate=0.01)


def cells(**settings):
    """A grid of tiny networks."""
    return grid(MLP, {"p": [5], "dim": [2], "width": [4]} | settings)


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


# ------------------------------------------------------------------------------------------------ bad settings


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ({"seeds": []}, "at least one run, got none"),
        ({"seeds": [1, 2, 1]}, "given more than once: 1"),
        ({"seeds": [0, -1]}, "seed must be a whole number of at least 0, got -1"),
        ({"seeds": [0.5]}, "seed must be a whole number"),
        ({"seeds": [2**32]}, "seed must be at most 4294967295, got 4294967296"),
        ({"jobs": 0}, "jobs .*at least 1, got 0"),
        ({"jobs": -2}, "jobs .*at least 1, got -2"),
        ({"batch": -1}, "batch must be a whole number of at least 1, got -1"),
        ({"batch": 0}, "batch must be a whole number of at least 1, got 0"),
        ({"steps": 0}, "steps must be a whole number of at least 1, got 0"),
        ({"steps": 1.5}, "steps must be"),
        ({"dtype": "float16"}, "dtype must be one of float64, float32, got 'float16'"),
        ({"device": "gpu"}, "device must be cpu, cuda or cuda:0, got 'gpu'"),
        ({"device": "meta"}, "device must be cpu or cuda, got 'meta'"),
        ({"device": "cuda:99"}, "'cuda:99' asked for, but torch sees .* device='cpu'"),
        ({"networks": []}, "at least one, got none"),
        ({"networks": cells(p=[5, 7])}, "got 2 and 3 of them in one grid .*one population for each"),
        ({"networks": cells(dim=[3, 3])}, "networks must differ from each other, got twice: MLP.*dim=3"),
        ({"checkpoints": "ck", "checkpoint_every": 0}, "checkpoint_every must be"),
        ({"seeds": 3}, r"seeds must be several, such as range\(16\)"),
        ({"steps": 10**13}, "this machine has .*keep fewer with Schedule"),
        ({"networks": cells(test=[True, False])}, "the same observables and curves .* and .*test_loss"),
        (
            {"networks": [MLP(p=5, dim=2, width=4), DeepLinear(modes=2)]},
            "same observables .*singular_values",
        ),
    ],
)
def test_bad_settings_are_refused_before_any_work(tmp_path, bad, said):
    begun = []
    with pytest.raises(ValueError, match=said):
        train(
            **{
                "networks": MLP(p=5, dim=2, width=4),
                "seeds": [0, 1],
                "steps": 2,
                "folder": tmp_path / "partial",
                "progress": lambda *at: begun.append(at),
            }
            | bad
        )
    assert not begun
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ({"p": 6}, "odd prime, got 6 = 2 × 3"),
        ({"p": 2}, "p must be a whole number of at least 3"),
        ({"dim": 0}, "dim must be"),
        ({"width": 1.5}, "width must be"),
        ({"train_fraction": 1}, "train_fraction must leave"),
        ({"learning_rate": 0}, "learning_rate must be finite and positive"),
        ({"learning_rate": float("nan")}, "learning_rate must be finite"),
        ({"weight_decay": -0.1}, "weight_decay must be finite and not negative"),
        ({"optimiser": "lion"}, "optimiser must be one of adamw, adam, sgd"),
        ({"momentum": 0.5}, "momentum belongs to the optimiser sgd, got 0.5 with adamw"),
        ({"optimiser": "sgd", "momentum": 1.0}, "momentum must be below 1"),
        ({"beta2": 1.0}, "beta2 must be"),
        ({"interventions": (FixedEmbedding(1), FixedEmbedding(2))}, "fixed_embedding is given 2 times"),
        ({"interventions": (ScaleFrequency(k=3),)}, "p = 5 has the frequencies 1 to 2, got 3"),
        ({"beta2": "x"}, "beta2 must be"),
        ({"train_fraction": "0.8"}, "train_fraction"),
    ],
)
def test_bad_networks_are_refused(bad, said):
    with pytest.raises(ValueError, match=said):
        MLP(**{"p": 5, "dim": 2, "width": 4} | bad)


def test_numpys_numbers_are_numbers_too():
    three = np.int64(3)
    runs = train(MLP(p=5, dim=three, width=4), np.arange(2), three, keep=Schedule(every=three))
    assert runs == train(MLP(p=5, dim=3, width=4), [0, 1], 3, keep=Schedule(every=3))


# -------------------------------------------------------------------------------------------------- divergence


def test_one_of_a_grid_that_diverges_costs_the_others_nothing():
    networks = cells(learning_rate=[0.01, 1e300, 0.02])
    with pytest.raises(IncompleteTrainingError, match="runs not trained: 2, 3: no longer finite at step") as caught:
        train(networks, [5, 6], 9)
    assert not caught.value.resumable
    assert set(caught.value.failures) == {2, 3}
    for reason in caught.value.failures.values():
        assert "no longer finite at step 1 (lower the learning rate)" in reason
    finished = caught.value.finished
    np.testing.assert_array_equal(finished.runs, [0, 1, 4, 5])
    np.testing.assert_array_equal(finished.settings["learning_rate"], [0.01, 0.01, 0.02, 0.02])
    alone = train([networks[0], networks[2]], [5, 6], 9)
    np.testing.assert_array_equal(finished.values, alone.values)
    np.testing.assert_array_equal(finished.embedding, alone.embedding)


def test_one_of_a_batch_that_is_no_longer_finite_costs_the_others_nothing(monkeypatch, tiny, arrays):
    """Seed 1 is broken at step 3: the others' numbers are those of the same batch with it whole, bit for bit."""
    seeds, kept = [0, 1, 2], Schedule(2, 4)
    whole = arrays(train(tiny, seeds, 10, keep=kept))
    backward, calls = MLPBatch.backward, []

    def broken(self, *, measure):
        calls.append(measure)
        if len(calls) == 4:
            self.tensors["embedding"][1, 0, 0] = float("nan")
        backward(self, measure=measure)

    monkeypatch.setattr(MLPBatch, "backward", broken)
    with pytest.raises(IncompleteTrainingError) as caught:
        train(tiny, seeds, 10, keep=kept)
    # Step 6 is the first kept one that can show it.
    assert caught.value.failures == {1: "no longer finite at step 6 (lower the learning rate)"}
    assert not caught.value.resumable
    finished = caught.value.finished
    np.testing.assert_array_equal(finished.runs, [0, 2])
    assert finished.provenance["seeds"] == [0, 2]
    for name, array in arrays(finished).items():
        np.testing.assert_array_equal(array, whole[name][[0, 2]], err_msg=name)


class OneTooLarge(DeepLinear):
    """Deep linear networks of which seed 1 starts a thousand times too large."""

    def draw_one(self, seed):
        return {name: layer * (1e3 if seed == 1 else 1) for name, layer in super().draw_one(seed).items()}


def test_one_of_a_batch_that_overflows_costs_the_others_nothing():
    """Its products pass 10³⁰⁸, which the singular values beside them must survive."""
    network = OneTooLarge(modes=3, scale=1.0)
    with pytest.raises(IncompleteTrainingError, match="runs not trained: 1: no longer finite at step") as caught:
        train(network, [0, 1, 2], 100)
    alone = train(network, [0, 2], 100)
    np.testing.assert_array_equal(caught.value.finished.runs, [0, 2])
    # A product of two 3 by 3 matrices is one sum whatever the batch: nothing is rounded otherwise.
    np.testing.assert_allclose(caught.value.finished.values, alone.values, rtol=1e-12)


def test_where_all_diverge_nothing_is_finished_and_no_time_lost(tmp_path):
    reached = []
    with pytest.raises(IncompleteTrainingError, match=r"runs not trained: 0, 1: no longer finite") as caught:
        train(
            MLP(p=5, dim=2, width=4, learning_rate=1e300),
            [0, 1],
            5000,
            progress=lambda done, *_: reached.append(done),
            folder=tmp_path,
        )
    assert caught.value.finished is None
    assert set(caught.value.failures) == {0, 1}
    assert not caught.value.resumable
    assert reached[-1] < 2 * 5000 / 10
    with pytest.raises(IncompleteTrainingError) as again:  # nothing is trained a second time, and nothing is new
        train(MLP(p=5, dim=2, width=4, learning_rate=1e300), [0, 1], 5000, folder=tmp_path, resume=True)
    assert again.value.failures == caught.value.failures


# --------------------------------------------------------------------------- interrupts, lost processes, resumption


def test_an_interrupt_keeps_the_finished_batches(tiny, tmp_path, interrupted_at):
    with pytest.raises(InterruptedTraining, match="interrupted; runs not finished: 3, 4") as caught:
        train(tiny, [1, 2, 3, 4], 5, batch=1, progress=interrupted_at(12), folder=tmp_path)
    assert caught.value.missing == [3, 4]
    finished = caught.value.finished
    np.testing.assert_array_equal(finished.runs, [1, 2])
    assert finished.provenance["seeds"] == [1, 2]
    np.testing.assert_array_equal(finished.values, train(tiny, [1, 2], 5, batch=1).values)


def test_an_interrupt_before_the_first_batch_is_finished(tiny, interrupted_at):
    with pytest.raises(InterruptedTraining) as caught:
        train(tiny, [1, 2], 5, progress=interrupted_at(1))
    assert caught.value.finished is None
    assert caught.value.missing == [1, 2]


def test_a_training_stopped_again_and_again_ends_in_the_same_numbers(tiny, tmp_path):
    """Ctrl-C at a step drawn anew each time, until it is done."""
    networks, rng = [tiny, MLP(p=7, dim=2, width=4)], np.random.default_rng(11)
    whole = train(networks, [0, 1, 2], 30, batch=1)
    options = {"networks": networks, "seeds": [0, 1, 2], "steps": 30, "batch": 1, "folder": tmp_path, "resume": True}
    stops, kept, runs = 0, 0, None
    while runs is None:
        until, seen = int(rng.integers(1, 80)), []

        def progress(done, of, what, until=until, seen=seen):
            seen.append(done)
            if len(seen) == until:
                raise KeyboardInterrupt

        try:
            runs = train(**options, progress=progress)
        except InterruptedTraining as stop:
            stops, finished = stops + 1, 0 if stop.finished is None else stop.finished.n_runs
            missing = len(stop.missing)
        else:
            finished, missing = 6, 0
        assert seen[0] == kept * 30 + 1  # it begins with what was done
        assert (finished, missing) == (len(list(tmp_path.glob("batch_*"))), 6 - finished)
        kept = finished
    assert stops > 1
    assert seen[-1] == 6 * 30
    assert runs == whole
    assert train(**options) == whole  # nothing is left to do


@pytest.mark.usefixtures("quick_looks")
def test_processes_change_no_number_and_an_interrupt_of_them_costs_none(tiny, tmp_path, interrupted_at):
    """Two processes, interrupted, then two others: bit for bit what one does in the same batches."""
    before = set(multiprocessing.active_children())  # other tests' idle workers may still be about
    options = {"networks": tiny, "seeds": range(6), "steps": 200, "batch": 1, "folder": tmp_path}
    with pytest.raises(InterruptedTraining) as caught:
        train(**options, jobs=2, progress=interrupted_at(3 * 200))
    assert set(multiprocessing.active_children()) <= before
    finished = caught.value.finished.runs.tolist()
    assert 0 < len(finished) < 6
    assert sorted(finished + caught.value.missing) == list(range(6))
    assert len(list(tmp_path.glob("batch_*"))) == len(finished)
    seen = []
    resumed = train(**options, jobs=2, resume=True, progress=lambda done, *_: seen.append(done))
    assert seen[0] > len(finished) * 200
    assert seen == sorted(set(seen))
    assert seen[-1] == 6 * 200
    assert resumed == train(tiny, range(6), 200, batch=1)


@pytest.mark.usefixtures("quick_looks")
def test_a_killed_worker_costs_only_what_was_not_finished(tiny, tmp_path):
    before = set(multiprocessing.active_children())

    def progress(done, total, what):
        if done > 2 * 200 and list(tmp_path.glob("batch_*")):
            for worker in set(multiprocessing.active_children()) - before:
                os.kill(worker.pid, signal.SIGKILL)

    options = {"networks": tiny, "seeds": range(6), "steps": 200, "batch": 1, "folder": tmp_path}
    with pytest.raises(IncompleteTrainingError, match=r"runs not trained: .*terminated") as caught:
        train(**options, jobs=2, progress=progress)
    assert caught.value.resumable
    finished = set(caught.value.finished.runs.tolist())
    assert finished
    assert finished | caught.value.failures.keys() == set(range(6))
    assert not finished & caught.value.failures.keys()
    assert train(**options, resume=True) == train(tiny, range(6), 200, batch=1)
