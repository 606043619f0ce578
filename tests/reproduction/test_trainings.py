import pytest

from ecodyn.networks.modular_addition import initialise, spectrum
from ecodyn.reproduction import EXPERIMENTS, SCALES
from ecodyn.reproduction.trainings import KEPT_SETS, TRAININGS, kept_sets, planned


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


@pytest.mark.parametrize("name", ["from_embeddings", "scaled"])
def test_no_two_embeddings_share_layers(tiny, name):
    seeds = [seed for t in TRAININGS[name](tiny).values() for seed in t.seeds]
    assert len(set(seeds)) == len(seeds)
