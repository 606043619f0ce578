import json

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ecodyn.networks.modular_addition import MLP, FixedDataset, initialise, mlp, spectrum
from ecodyn.networks.training import train
from ecodyn.networks.training.descent import train_batch

STUDY_STEPS, STUDY_LOG = 400, 50
SMALL = MLP(p=13, dim=8, width=16)


def step_of_row(rows):
    """The step that a row of the study's logged embeddings shows.

    Row r is meant to hold the parameters after r updates, but is a view that the next update still writes to.
    Spared are the rows before a parameter dump (every ``log`` steps), which moves the parameters elsewhere,
    and the last row, after which there is no update.
    """
    right = (rows % STUDY_LOG == 0) | (rows == STUDY_STEPS)
    return np.where(right, rows, rows + 1)


def relative_difference(found, expected):
    return np.abs(found - expected).max() / np.abs(expected).max()


# ------------------------------------------------------------------------------------- the study's own trainings


@pytest.fixture(scope="module", params=["alone", "together"])
def repeated(request, history):
    """The study's trainings, trained here: by seed the embeddings and their gradients, the record and its row."""
    network = MLP(p=23, dim=8, test=False)
    runs = {}
    for seeds in [[0], [5]] if request.param == "alone" else [[0, 5]]:
        trained = history(network, seeds, STUDY_STEPS)
        for row, seed in enumerate(seeds):
            arrays = (of["embedding"][:, row] for of in (trained.parameters, trained.gradients))
            runs[seed] = (*arrays, trained.record, row)
    return runs


@pytest.mark.parametrize("seed", [0, 5])
def test_training_is_the_studys_own(seed, study, repeated):
    logged, (embeddings, gradients, _, _) = study[seed], repeated[seed]
    for step, gradient in zip(logged["gradient_steps"], logged["gradients"], strict=True):
        assert relative_difference(gradients[step], gradient) < 1e-8
    for step, embedding in zip(step_of_row(logged["rows"]), logged["first_embeds"], strict=True):
        assert relative_difference(embeddings[step], embedding) < 1e-8


@pytest.mark.parametrize("seed", [0, 5])
def test_spectra_are_those_of_the_studys_frames(seed, study, repeated):
    logged, (_, _, record, row) = study[seed], repeated[seed]
    embeddings = spectrum(torch.from_numpy(logged["first_embeds"])).numpy()
    shown = step_of_row(logged["rows"])
    np.testing.assert_allclose(record.observables["signal"][row, shown], embeddings[:, 1:], rtol=1e-8)
    np.testing.assert_allclose(record.curves["dc"][row, shown], embeddings[:, 0], rtol=1e-8)
    gradients = spectrum(torch.from_numpy(logged["gradients"])).numpy()
    found = record.observables["gradient"][row, logged["gradient_steps"]]
    np.testing.assert_allclose(found, gradients[:, 1:], rtol=1e-8)


# ------------------------------------------------------------------------------------------------- against torch


@st.composite
def networks(draw):
    """A network, its seeds, and how many pairs of each are to make a block."""
    network = MLP(
        p=draw(st.sampled_from([3, 5, 7, 11, 13])),
        dim=draw(st.integers(1, 9)),
        width=draw(st.integers(1, 12)),
        train_fraction=draw(st.floats(0.15, 0.95)),
    )
    seeds = draw(st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=3, unique=True))
    return network, seeds, draw(st.integers(1, 170))


def batch_in_blocks(network, seeds, rows, dtype=torch.float64):
    """A batch that goes through the pairs by about so many at a time, after one backward pass."""
    with pytest.MonkeyPatch.context() as patch, torch.no_grad():
        patch.setattr(mlp, "CACHE_BYTES", (rows + 0.5) * len(seeds) * network.width * dtype.itemsize)
        batch = network.draw(seeds, dtype, torch.device("cpu"))
        batch.backward(measure=True)
    return batch


def check_gradients(network, seeds, batch, plain, tolerance):
    for row, seed in enumerate(seeds):
        reference = plain(network, seed, batch.parameters.dtype)
        reference.loss(reference.train).backward()
        for name, parameter in reference.module.named_parameters():
            difference = relative_difference(batch.gradients[name][row].numpy(), parameter.grad.numpy())
            assert difference < tolerance, name


@given(networks())
@settings(max_examples=40, deadline=None, derandomize=True)
def test_gradients_and_curves_are_torchs(plain, drawn):
    network, seeds, rows = drawn
    batch = batch_in_blocks(network, seeds, rows)
    check_gradients(network, seeds, batch, plain, 1e-12)
    curves = batch.curves()
    for row, seed in enumerate(seeds):
        reference = plain(network, seed)
        for part in ("train", "test"):
            pairs = getattr(reference, part)
            assert curves[f"{part}_loss"][row].item() == pytest.approx(reference.loss(pairs).item(), rel=1e-12)
            assert curves[f"{part}_accuracy"][row].item() == pytest.approx(reference.accuracy(pairs), rel=1e-12)


@given(networks())
@settings(max_examples=20, deadline=None, derandomize=True)
def test_single_precision_gradients_are_torchs(plain, drawn):
    network, seeds, rows = drawn
    batch = batch_in_blocks(network, seeds, rows, torch.float32)
    # Half a unit in the last place is 6e-8; sums over up to 160 pairs of either sign, through three layers.
    check_gradients(network, seeds, batch, plain, 1e-5)


def test_blocks_of_unequal_length_make_the_same_gradients(plain):
    network, seeds = MLP(p=7, dim=3, width=5), [1, 2]
    batch = batch_in_blocks(network, seeds, 10)
    lengths = [block.rows.stop - block.rows.start for block in batch._train]
    assert len(lengths) > 2
    assert len(set(lengths)) == 2
    assert sum(lengths) == 39
    check_gradients(network, seeds, batch, plain, 1e-12)


def test_gradient_is_the_slope_of_the_loss(history, plain):
    network = MLP(p=5, dim=2, width=6)
    start = history(network, [0], 1)
    reference = plain(network, 0)
    embedding, gradient = (of["embedding"][0, 0] for of in (start.parameters, start.gradients))

    def loss(moved):
        with torch.no_grad():
            reference.module.embedding.copy_(torch.from_numpy(moved))
            return reference.loss(reference.train).item()

    direction = np.random.default_rng(0).normal(size=(5, 2))
    slope = (loss(embedding + 1e-5 * direction) - loss(embedding - 1e-5 * direction)) / 2e-5
    assert slope == pytest.approx((gradient * direction).sum(), rel=1e-7)


OPTIMISERS = {
    "adamw": (
        MLP(p=11, dim=5, width=9),
        lambda parameters: torch.optim.AdamW(parameters, lr=0.01, weight_decay=0.5, foreach=False),
    ),
    "adamw with another beta2": (
        MLP(p=11, dim=5, width=9, learning_rate=0.003, weight_decay=1.0, beta2=0.98),
        lambda parameters: torch.optim.AdamW(parameters, lr=0.003, weight_decay=1.0, betas=(0.9, 0.98), foreach=False),
    ),
    "adam": (
        MLP(p=11, dim=5, width=9, optimiser="adam", weight_decay=1e-3),
        lambda parameters: torch.optim.Adam(parameters, lr=0.01, weight_decay=1e-3, foreach=False),
    ),
    "sgd": (
        MLP(p=11, dim=5, width=9, optimiser="sgd", learning_rate=0.1, weight_decay=0.0),
        lambda parameters: torch.optim.SGD(parameters, lr=0.1, foreach=False),
    ),
    "sgd with momentum": (
        MLP(p=11, dim=5, width=9, optimiser="sgd", learning_rate=0.1, weight_decay=1e-3, momentum=0.9),
        lambda parameters: torch.optim.SGD(parameters, lr=0.1, weight_decay=1e-3, momentum=0.9, foreach=False),
    ),
}


@pytest.mark.parametrize("name", OPTIMISERS)
def test_updates_are_those_of_torchs_optimiser(name, history, plain):
    network, optimiser = OPTIMISERS[name]
    trained = history(network, [1, 4], 30)
    for row, seed in enumerate([1, 4]):
        reference = plain(network, seed)
        for step, expected in enumerate(reference.descend(optimiser(reference.module.parameters()), 30)):
            for part, array in expected.items():
                assert relative_difference(trained.parameters[part][step, row], array) < 1e-11, (step, part)


# ---------------------------------------------------------------------------------------- batches and precision


@pytest.mark.parametrize("network", [SMALL, MLP(p=23, dim=8, width=40)])
def test_a_batch_is_its_networks_trained_alone(network, history):
    seeds = [5, 1, 3, 2]
    together = history(network, seeds, 200)
    for row, seed in enumerate(seeds):
        alone = history(network, [seed], 200)
        for name, array in alone.parameters.items():
            # Products of other shapes round otherwise, which 200 steps amplify: 4e-13 was measured.
            assert relative_difference(together.parameters[name][:, row], array[:, 0]) < 1e-11, name
        for kept, kept_alone in (
            (together.record.observables, alone.record.observables),
            (together.record.curves, alone.record.curves),
        ):
            assert kept.keys() == kept_alone.keys()
            for name, array in kept_alone.items():
                np.testing.assert_allclose(kept[name][row], array[0], rtol=1e-10, err_msg=name)


def test_permuting_the_seeds_permutes_the_results():
    seeds, order = np.array([5, 1, 3, 2]), [2, 0, 3, 1]
    kept = np.arange(0, 201, 20)
    there, here = train_batch(SMALL, seeds.tolist(), kept), train_batch(SMALL, seeds[order].tolist(), kept)
    for name, array in there.observables.items():
        np.testing.assert_allclose(here.observables[name], array[order], rtol=1e-10, err_msg=name)
    for name, array in there.curves.items():
        np.testing.assert_allclose(here.curves[name], array[order], rtol=1e-10, err_msg=name)
    np.testing.assert_allclose(here.embedding, there.embedding[order], rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("value", [float("nan"), 1e300])
def test_a_network_that_blows_up_leaves_the_others_as_they_are(value):
    def spoil(step, batch):
        if step == 3:
            batch.tensors["second.weight"][1] = value

    kept = np.arange(21)
    whole, spoilt = train_batch(SMALL, [5, 1, 3], kept), train_batch(SMALL, [5, 1, 3], kept, visit=spoil)
    assert (spoilt.diverged[[0, 2]] == -1).all()
    assert 4 <= spoilt.diverged[1] <= 5
    for name in whole.observables:
        np.testing.assert_array_equal(spoilt.observables[name][[0, 2]], whole.observables[name][[0, 2]])
    for name in whole.curves:
        np.testing.assert_array_equal(spoilt.curves[name][[0, 2]], whole.curves[name][[0, 2]])
    np.testing.assert_array_equal(spoilt.embedding[[0, 2]], whole.embedding[[0, 2]])


def test_single_precision_starts_from_the_same_network(history):
    network = MLP(p=23, dim=8, width=40)
    double, single = history(network, [0, 1], 50), history(network, [0, 1], 50, dtype="float32")
    for name, array in double.parameters.items():
        np.testing.assert_array_equal(single.parameters[name][0], array[0].astype(np.float32))
    found, expected = single.record.observables["signal"], double.record.observables["signal"]
    np.testing.assert_allclose(found[:, 0], expected[:, 0], rtol=1e-6)
    # Adam's division by the gradient's own size makes 1e-7 of a tiny gradient 1e-5 of a parameter: 7e-7 was measured.
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    assert not np.array_equal(found, expected)


# ------------------------------------------------------------------------------------------------- what is kept


def test_starts_at_the_initialisation():
    record = train_batch(MLP(p=7, dim=4), [2, 8], np.arange(4))
    for row, seed in enumerate([2, 8]):
        expected = spectrum(initialise(7, 4, seed).embedding.detach()).numpy()
        np.testing.assert_allclose(record.observables["signal"][row, 0], expected[1:], rtol=1e-13)
        assert record.curves["dc"][row, 0] == pytest.approx(expected[0], rel=1e-13)


def test_features_and_names_of_what_is_kept():
    record = train_batch(SMALL, [0], np.arange(2))
    np.testing.assert_array_equal(SMALL.features, np.arange(1, 7))
    assert SMALL.labels is None
    assert list(record.observables) == ["signal", "gradient"]
    assert set(record.curves) == {"dc", "train_loss", "train_accuracy", "test_loss", "test_accuracy"}
    assert record.observables["signal"].shape == record.observables["gradient"].shape == (1, 2, 6)


def test_without_the_test_pairs_the_training_is_the_same():
    kept = np.arange(31)
    whole, short = train_batch(SMALL, [0, 1], kept), train_batch(MLP(p=13, dim=8, width=16, test=False), [0, 1], kept)
    assert set(whole.curves) - set(short.curves) == {"test_loss", "test_accuracy"}
    for name, array in short.curves.items():
        np.testing.assert_array_equal(array, whole.curves[name])
    for name, array in short.observables.items():
        np.testing.assert_array_equal(array, whole.observables[name])


def test_gradient_of_the_last_step_is_at_its_own_parameters():
    short, long = (train_batch(SMALL, [0], np.arange(steps + 1)).observables for steps in (5, 6))
    for name in ("signal", "gradient"):
        np.testing.assert_array_equal(short[name], long[name][:, :6])
    assert not np.allclose(long["gradient"][:, 5], long["gradient"][:, 6])


def test_what_is_kept_does_not_depend_on_which_other_steps_are():
    every, kept = train_batch(SMALL, [0, 1], np.arange(91)), np.r_[0:70, 75, 90]  # more rows than are held at a time
    some = train_batch(SMALL, [0, 1], kept)
    np.testing.assert_array_equal(some.steps, kept)
    for name, array in (some.observables | some.curves).items():
        np.testing.assert_array_equal(array, (every.observables | every.curves)[name][:, kept], err_msg=name)
    np.testing.assert_array_equal(some.embedding, every.embedding)
    np.testing.assert_array_equal(spectrum(torch.from_numpy(some.embedding))[:, 1:], some.observables["signal"][:, -1])


def test_seeds_reproduce_and_differ():
    first, again = (train_batch(SMALL, [1, 2], np.arange(11)).observables for _ in range(2))
    for name, array in first.items():
        np.testing.assert_array_equal(array, again[name])
        assert not np.allclose(array[0], array[1])


def test_the_split_is_only_the_split():
    kept = np.arange(3)
    own = train_batch(SMALL, [1], kept).observables
    other = train_batch(MLP(p=13, dim=8, width=16, interventions=(FixedDataset(2),)), [1], kept).observables
    np.testing.assert_array_equal(own["signal"][:, 0], other["signal"][:, 0])
    assert not np.allclose(own["gradient"][:, 0], other["gradient"][:, 0])


def test_it_learns():
    curves = train_batch(SMALL, [0, 1], np.array([0, 300])).curves
    assert (curves["train_loss"][:, 1] < 0.05 * curves["train_loss"][:, 0]).all()
    assert (curves["train_accuracy"][:, 1] > 0.99).all()


def test_global_state_is_untouched():
    def state():
        numbers = torch.random.get_rng_state().tolist(), np.random.get_state()[1].tolist()  # noqa: NPY002
        return *numbers, torch.get_num_threads(), torch.get_default_dtype(), torch.is_grad_enabled()

    threads = torch.get_num_threads()
    torch.set_num_threads(2)  # not what a training uses
    try:
        before = state()
        train(MLP(p=7, dim=4), [0, 1], 2)
        assert state() == before
    finally:
        torch.set_num_threads(threads)


# ----------------------------------------------------------------------------------------------------- settings


def test_defaults_are_the_studys():
    said = MLP().described()
    assert (said["network"], said["p"], said["dim"], said["width"], said["train_fraction"]) == (
        "mlp",
        59,
        128,
        100,
        0.8,
    )
    assert (said["optimiser"], said["learning_rate"], said["weight_decay"], said["beta2"]) == (
        "adamw",
        0.01,
        0.5,
        0.999,
    )


def test_described_is_json_and_says_it_all():
    network = MLP(p=7, optimiser="sgd", momentum=0.9, test=False)
    said = json.loads(json.dumps(network.described()))
    assert said.pop("network") == "mlp"
    assert MLP(**said | {"interventions": ()}) == network


def test_described_is_json_for_settings_that_numpy_counted():
    json.dumps([MLP(p=7, dim=dim).described() for dim in np.arange(16, 48, 16)])


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ({"p": 2}, "p must be a whole number of at least 3"),
        ({"p": 58}, r"p must be an odd prime, got 58 = 2 × 29"),
        ({"p": 9}, r"p must be an odd prime, got 9 = 3 × 3"),
        ({"p": 7.0}, "p must be a whole number"),
        ({"p": True}, "p must be a whole number"),
        ({"dim": 0}, "dim must be a whole number of at least 1"),
        ({"width": 0}, "width must be a whole number of at least 1"),
        ({"learning_rate": 0.0}, "learning_rate must be finite and positive"),
        ({"learning_rate": float("nan")}, "learning_rate must be finite"),
        ({"learning_rate": "0.1"}, "learning_rate must be a number, got '0.1'"),
        ({"weight_decay": -0.1}, "weight_decay must be finite and not negative"),
        ({"weight_decay": float("inf")}, "weight_decay must be finite"),
        ({"train_fraction": 0.0}, "train_fraction must leave at least one of the 25 pairs"),
        ({"train_fraction": 1.0}, "train_fraction must leave at least one"),
        ({"train_fraction": float("nan")}, "train_fraction must leave at least one"),
        ({"p": 3, "train_fraction": 0.1}, "at least one of the 9 pairs"),
        ({"optimiser": "lion"}, "optimiser must be one of adamw, adam, sgd, got 'lion'"),
        ({"momentum": 0.9}, "momentum belongs to the optimiser sgd, got 0.9 with adamw"),
        ({"momentum": 0.9, "optimiser": "adam"}, "momentum belongs to the optimiser sgd, got 0.9 with adam"),
        ({"momentum": 1.0, "optimiser": "sgd"}, "momentum must be below 1, got 1.0"),
        ({"momentum": -0.1, "optimiser": "sgd"}, "momentum must be finite and not negative"),
        ({"beta2": 1.0}, "beta2 must be at least 0 and below 1, got 1.0"),
        ({"beta2": -0.1}, "beta2 must be at least 0 and below 1"),
        ({"beta2": float("nan")}, "beta2 must be at least 0 and below 1"),
    ],
)
def test_bad_settings_are_refused(bad, said):
    with pytest.raises(ValueError, match=said):
        MLP(**{"p": 5, "dim": 2} | bad)
