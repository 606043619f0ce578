import dataclasses

import numpy as np
import pytest

from ecodyn.networks.modular_addition import MLP, initialise, spectrum
from ecodyn.networks.training import design
from ecodyn.reproduction.cache import TrainingCache
from ecodyn.reproduction.trainings import planned


def test_trainings_are_made_once(tmp_path, tiny):
    cache = TrainingCache(tmp_path, tiny)
    first = cache.only("plain")
    made = (tmp_path / "plain.nc").stat().st_mtime_ns
    again = TrainingCache(tmp_path, tiny).only("plain")
    np.testing.assert_array_equal(again.values, first.values)
    assert (tmp_path / "plain.nc").stat().st_mtime_ns == made
    assert not list(tmp_path.glob("*.partial"))


def test_trainings_of_other_settings_are_refused(tmp_path, tiny):
    TrainingCache(tmp_path, tiny).only("plain")
    with pytest.raises(ValueError, match="trainings of other settings"):
        TrainingCache(tmp_path, dataclasses.replace(tiny, plain=2)).only("plain")


def test_files_of_embeddings_are_joined_a_cluster_each(tmp_path, tiny):
    cache = TrainingCache(tmp_path, tiny)
    runs, parts = cache.joined("scaled"), list(cache.get("scaled").values())
    np.testing.assert_array_equal(runs.values, np.concatenate([part.values for part in parts]))
    assert runs.clusters.tolist() == [n for n, part in enumerate(parts) for _ in range(part.n_runs)]
    for c in np.unique(runs.clusters):
        plain = runs.values[(runs.clusters == c) & (runs.settings["scale_frequency_factor"] == 1), 0]
        np.testing.assert_array_equal(plain, plain[:1].repeat(len(plain), axis=0))
    assert len(np.unique(cache.joined("from_embeddings").settings["seed"])) == tiny.embeddings * tiny.trainings


def test_snapshots_are_taken_once_and_of_one_plan(tmp_path, tiny, monkeypatch):
    network = MLP(p=tiny.p, dim=tiny.dim, width=tiny.width)
    taken = TrainingCache(tmp_path, tiny).snapshots("kept", network, 0, [0, 3])
    monkeypatch.setattr("ecodyn.reproduction.cache.take_snapshots", None)
    again = TrainingCache(tmp_path, tiny).snapshots("kept", network, 0, [0, 3])
    np.testing.assert_array_equal(again.embeddings, taken.embeddings)
    assert not list(tmp_path.glob("*.partial"))
    with pytest.raises(ValueError, match="trainings of other settings"):
        TrainingCache(tmp_path, tiny).snapshots("kept", network, 0, [0, 4])


def test_what_can_not_be_done_is_said_before_anything_is_trained(tmp_path, tiny, monkeypatch):
    cache = TrainingCache(tmp_path, tiny)
    cache.only("frozen")
    other = TrainingCache(tmp_path, dataclasses.replace(tiny, frozen_seeds=1))
    with pytest.raises(ValueError, match="trainings of other settings"):
        other.expect(["plain", "frozen"])
    monkeypatch.setattr(design, "physical_memory", lambda: 1000)
    with pytest.raises(ValueError, match="this machine has"):
        cache.expect(["plain", "frozen"])
    assert [p.name for p in tmp_path.glob("*.nc")] == ["frozen.nc"]


def test_a_run_of_it_alone_has_the_same_numbers(tmp_path, tiny):
    """What is trained side by side does not enter: the scaled runs with factor 1 are unscaled trainings."""
    scaled = TrainingCache(tmp_path, tiny).joined("scaled").select(scale_frequency_factor=1.0)
    for run, cluster in zip(scaled.values[:, 0], scaled.clusters, strict=True):
        embedding = initialise(tiny.p, tiny.dim, int(cluster), width=tiny.width).embedding.detach()
        np.testing.assert_allclose(run, spectrum(embedding).numpy()[1:], rtol=1e-5)  # trained in float32


def test_progress_counts_all_that_is_ahead(tmp_path, tiny):
    seen = []
    cache = TrainingCache(tmp_path, tiny, progress=lambda done, total, what: seen.append((done, total, what)))
    names = ["plain", "by_decay"]
    cache.expect(names)
    for name in names:
        cache.get(name)
    total = sum(t.run_steps for t in planned(names, tiny).values())
    assert {t for _, t, _ in seen} == {total}
    assert [d for d, _, _ in seen] == sorted(d for d, _, _ in seen)
    assert seen[-1][0] == total
