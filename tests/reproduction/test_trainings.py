import dataclasses

import numpy as np
import pytest

from ecodyn.networks.modular_addition import MLP, initialise, spectrum
from ecodyn.networks.training import design
from ecodyn.reproduction import EXPERIMENTS, SCALES, trainings
from ecodyn.reproduction.trainings import KEPT_SETS, TRAININGS, Shelf, kept_sets, planned


@pytest.mark.parametrize("scale", SCALES.values(), ids=str)
def test_every_training_of_every_scale_can_be_asked_for(scale):
    files = planned(list(TRAININGS), scale)
    assert set().union(*(e.needs for e in EXPERIMENTS.values())) <= set(TRAININGS)
    assert all(t.run_steps > 0 for t in files.values())
    assert all(len(set(map(repr, t.networks))) == len(t.networks) for t in files.values())


def test_the_full_scale_has_the_study_s_counts():
    files = planned(list(TRAININGS), SCALES["full"])
    assert len(files["by_dimension"].networks) * len(files["by_dimension"].seeds) == 113 * 50
    assert len(files["by_decay"].networks) * len(files["by_decay"].seeds) == 22 * 50
    embeddings = [t for name, t in files.items() if name.startswith("from_embedding_")]
    assert [len(t.networks) * len(t.seeds) for t in embeddings] == [50] * 10
    scaled = [t for name, t in files.items() if name.startswith("scaled_")]
    assert [len(t.networks) * len(t.seeds) for t in scaled] == [9 * 50] * 50
    assert len(files["planted"].networks) * len(files["planted"].seeds) == 16 * 100
    assert len(files["law_dimensions"].networks) * len(files["law_dimensions"].seeds) == 92 * 10


@pytest.mark.parametrize("seed", range(3))
def test_kept_frequencies_are_of_the_seed_s_own_start(tiny, seed):
    sets = kept_sets(tiny, seed)
    embedding = initialise(tiny.p, tiny.dim, seed, width=tiny.width).embedding.detach()
    signal = spectrum(embedding).numpy()[1:]
    assert sets["strongest"] == (1 + int(signal.argmax()),)
    assert set(sets["strongest"]) < set(sets["two strongest"])
    assert set(sets["one random"]) < set(sets["two random"])
    assert not set(sets["two random"]) & set(sets["two strongest"])
    assert sets == kept_sets(tiny, seed)
    assert {"all", *sets} == set(KEPT_SETS)


def test_trainings_are_made_once(tmp_path, tiny):
    shelf = Shelf(tmp_path, tiny)
    first = shelf.only("plain")
    made = (tmp_path / "plain.nc").stat().st_mtime_ns
    again = Shelf(tmp_path, tiny).only("plain")
    np.testing.assert_array_equal(again.values, first.values)
    assert (tmp_path / "plain.nc").stat().st_mtime_ns == made
    assert not list(tmp_path.glob("*.partial"))


def test_trainings_of_other_settings_are_refused(tmp_path, tiny):
    Shelf(tmp_path, tiny).only("plain")
    with pytest.raises(ValueError, match="trainings of other settings"):
        Shelf(tmp_path, dataclasses.replace(tiny, plain=2)).only("plain")


@pytest.mark.parametrize("name", ["from_embeddings", "scaled"])
def test_no_two_embeddings_share_layers(tiny, name):
    seeds = [seed for t in TRAININGS[name](tiny).values() for seed in t.seeds]
    assert len(set(seeds)) == len(seeds)


def test_files_of_embeddings_are_joined_a_cluster_each(tmp_path, tiny):
    shelf = Shelf(tmp_path, tiny)
    runs, parts = shelf.joined("scaled"), list(shelf.get("scaled").values())
    np.testing.assert_array_equal(runs.values, np.concatenate([part.values for part in parts]))
    assert runs.clusters.tolist() == [n for n, part in enumerate(parts) for _ in range(part.n_runs)]
    for c in np.unique(runs.clusters):
        plain = runs.values[(runs.clusters == c) & (runs.settings["scale_frequency_factor"] == 1), 0]
        np.testing.assert_array_equal(plain, plain[:1].repeat(len(plain), axis=0))
    assert len(np.unique(shelf.joined("from_embeddings").settings["seed"])) == tiny.embeddings * tiny.trainings


def test_snapshots_are_taken_once_and_of_one_plan(tmp_path, tiny, monkeypatch):
    network = MLP(p=tiny.p, dim=tiny.dim, width=tiny.width)
    taken = Shelf(tmp_path, tiny).snapshots("kept", network, 0, [0, 3])
    monkeypatch.setattr(trainings, "take_snapshots", None)
    again = Shelf(tmp_path, tiny).snapshots("kept", network, 0, [0, 3])
    np.testing.assert_array_equal(again.embeddings, taken.embeddings)
    assert not list(tmp_path.glob("*.partial"))
    with pytest.raises(ValueError, match="trainings of other settings"):
        Shelf(tmp_path, tiny).snapshots("kept", network, 0, [0, 4])


def test_what_can_not_be_done_is_said_before_anything_is_trained(tmp_path, tiny, monkeypatch):
    shelf = Shelf(tmp_path, tiny)
    shelf.only("frozen")
    other = Shelf(tmp_path, dataclasses.replace(tiny, frozen_seeds=1))
    with pytest.raises(ValueError, match="trainings of other settings"):
        other.expect(["plain", "frozen"])
    monkeypatch.setattr(design, "physical_memory", lambda: 1000)
    with pytest.raises(ValueError, match="this machine has"):
        shelf.expect(["plain", "frozen"])
    assert [p.name for p in tmp_path.glob("*.nc")] == ["frozen.nc"]


def test_a_run_of_it_alone_has_the_same_numbers(tmp_path, tiny):
    """What is trained side by side does not enter: the scaled runs with factor 1 are unscaled trainings."""
    scaled = Shelf(tmp_path, tiny).joined("scaled").select(scale_frequency_factor=1.0)
    for run, cluster in zip(scaled.values[:, 0], scaled.clusters, strict=True):
        embedding = initialise(tiny.p, tiny.dim, int(cluster), width=tiny.width).embedding.detach()
        np.testing.assert_allclose(run, spectrum(embedding).numpy()[1:], rtol=1e-5)  # trained in float32


def test_progress_counts_all_that_is_ahead(tmp_path, tiny):
    seen = []
    shelf = Shelf(tmp_path, tiny, progress=lambda done, total, what: seen.append((done, total, what)))
    names = ["plain", "by_decay"]
    shelf.expect(names)
    for name in names:
        shelf.get(name)
    total = sum(t.run_steps for t in planned(names, tiny).values())
    assert {t for _, t, _ in seen} == {total}
    assert [d for d, _, _ in seen] == sorted(d for d, _, _ in seen)
    assert seen[-1][0] == total
