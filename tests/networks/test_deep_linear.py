import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from ecodyn.networks.deep_linear import DeepLinear
from ecodyn.networks.training.descent import train_batch

BALANCED = DeepLinear(modes=5, start="balanced", scale=0.05, learning_rate=0.02)
SEEDS = [4, 0, 7]


def layers_of(network, seeds, steps):
    """All layers at the last step, (S, layer, n, n)."""
    last = []
    train_batch(network, seeds, np.array([0, steps]), visit=lambda _, batch: last.append(batch))
    return np.stack([layer.numpy() for layer in last[-1].tensors.values()], axis=1)


def mode_map(network, start, steps):
    """Strength of each mode by the discrete map of a balanced start, (S, step, n).

    All layers have mode strength α = a^(1/L) and bases that meet; then gradient descent moves each within these bases:
    α(t+1) = α + η α^(L−1) (s − α^L).
    """
    s, eta, L = network.teacher()[1], network.learning_rate, network.depth
    alpha = [start ** (1 / L)]
    for _ in range(steps):
        alpha.append(alpha[-1] + eta * alpha[-1] ** (L - 1) * (s - alpha[-1] ** L))
    return np.stack(alpha, axis=1) ** L


@pytest.mark.parametrize("start", ["small", "balanced"])
def test_depth_one_is_linear(start):
    network = replace(BALANCED, depth=1, start=start, scale=1.0)
    signal = train_batch(network, SEEDS, np.arange(201)).observables["signal"]
    s, eta = network.teacher()[1], network.learning_rate
    np.testing.assert_allclose(signal[:, 1:], signal[:, :-1] + eta * (s - signal[:, :-1]), rtol=0, atol=1e-12)


@pytest.mark.parametrize("depth", [1, 2, 3, 4])
def test_a_balanced_start_follows_the_map_of_its_modes(depth):
    network, steps = replace(BALANCED, depth=depth, scale=0.2), 300
    signal = train_batch(network, SEEDS, np.arange(steps + 1)).observables["signal"]
    np.testing.assert_allclose(signal, mode_map(network, signal[:, 0], steps), rtol=1e-12)


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_a_balanced_start_follows_the_stated_law_to_first_order(depth, solve):
    """ȧ = L η a^(2−2/L) (s − a): half the rate in twice the steps is half as far from it."""
    deviations = []
    for eta, steps in ((0.01, 400), (0.005, 800)):
        network = replace(BALANCED, depth=depth, scale=0.2, learning_rate=eta)
        s, power, times = network.teacher()[1], 2 - 2 / depth, np.arange(steps + 1.0)
        signal = train_batch(network, [3], np.arange(steps + 1)).observables["signal"][0]
        law = solve(lambda _, a, eta=eta, s=s, power=power: depth * eta * a**power * (s - a), signal[0], times)
        deviations.append(np.abs(signal - law).max(axis=0))
    assert (deviations[0] < 0.02).all()  # of strengths 2 to 0.5
    np.testing.assert_allclose(deviations[0] / deviations[1], 2, rtol=0.1)


def test_depth_two_is_logistic_to_first_order():
    deviations = []
    for eta, steps in ((0.01, 400), (0.005, 800)):
        network = replace(BALANCED, learning_rate=eta)
        signal = train_batch(network, [3], np.arange(steps + 1)).observables["signal"][0]
        s, t = network.teacher()[1], np.arange(steps + 1)[:, None]
        logistic = s / (1 + (s / signal[0] - 1) * np.exp(-2 * eta * s * t))
        deviations.append(np.abs(signal - logistic).max(axis=0))
    np.testing.assert_allclose(deviations[0] / deviations[1], 2, rtol=0.1)


@pytest.mark.parametrize("depth", [2, 3, 4])
def test_balance_is_kept(depth):
    network = replace(BALANCED, depth=depth)
    for steps in (1, 200):
        layers = layers_of(network, SEEDS, steps)
        for below, above in zip(layers.swapaxes(0, 1)[:-1], layers.swapaxes(0, 1)[1:], strict=True):
            np.testing.assert_allclose(above.swapaxes(1, 2) @ above, below @ below.swapaxes(1, 2), rtol=0, atol=1e-13)


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_a_balanced_start_is_aligned_and_within_its_scale(depth):
    network = replace(BALANCED, depth=depth, scale=0.05)
    record = train_batch(network, range(40), np.arange(1))
    signal, (u, _, v) = record.observables["signal"][:, 0], network.teacher()
    assert 0.025 <= signal.min() < 0.03
    assert 0.09 < signal.max() <= 0.1
    for seed in (0, 1):
        first, *others = (layer.numpy() for layer in network.draw_one(seed).values())
        product = first
        for layer in others:
            product = layer @ product
        np.testing.assert_allclose(product, (u * signal[seed]) @ v.T, rtol=0, atol=1e-15)


def test_a_small_start_has_the_stated_scale():
    network = DeepLinear(modes=40, depth=3, scale=0.02)
    for layer in network.draw_one(0).values():
        # The error of a standard deviation from 1600 numbers is 1.8 % of it.
        assert layer.std().item() == pytest.approx(0.02 / np.sqrt(40), rel=0.08)


@pytest.mark.parametrize(("depth", "steps"), [(1, 400), (2, 600), (3, 1000)])
def test_a_small_start_ends_at_the_teacher(depth, steps):
    network = DeepLinear(modes=4, depth=depth, learning_rate=0.1, scale=0.3)
    record = train_batch(network, SEEDS, np.arange(0, steps + 1, 100))
    s = network.teacher()[1]
    final = np.broadcast_to(s, (3, 4))
    np.testing.assert_allclose(record.observables["signal"][:, -1], final, rtol=1e-6)
    np.testing.assert_allclose(record.observables["singular_values"][:, -1], final, rtol=1e-6)
    assert (record.curves["train_loss"][:, -1] < 1e-10).all()
    assert (record.curves["train_loss"][:, 0] > 1).all()


def test_stronger_modes_are_learned_first():
    network = DeepLinear(modes=4, learning_rate=0.05, scale=1e-4, start="balanced", strongest=4.0, weakest=1.0)
    signal = train_batch(network, SEEDS, np.arange(601)).observables["signal"]
    half = (signal > network.teacher()[1] / 2).argmax(axis=1)
    assert (half > 0).all()
    assert (np.diff(half, axis=1) > 0).all()


@pytest.mark.parametrize("start", ["small", "balanced"])
def test_singular_values_are_those_of_the_product_descending(start):
    network = replace(BALANCED, depth=3, start=start, scale=0.5)
    record = train_batch(network, SEEDS, np.arange(0, 301, 20))
    singular = record.observables["singular_values"]
    assert (np.diff(singular, axis=2) <= 0).all()
    layers = layers_of(network, SEEDS, 300)
    expected = np.linalg.svd(layers[:, 2] @ layers[:, 1] @ layers[:, 0], compute_uv=False)
    # Each is known to rounding of the largest, whatever its own size (Weyl).
    np.testing.assert_allclose(singular[:, -1], expected, rtol=0, atol=1e-14 * expected.max())
    if start == "balanced":  # its modes are its singular vectors
        np.testing.assert_allclose(singular, -np.sort(-record.observables["signal"], axis=2), rtol=1e-10)


def test_gradient_is_that_of_the_product_in_the_teachers_modes():
    network = DeepLinear(modes=4, depth=1, start="small", scale=1.0)
    batch = network.draw([2], torch.float64, torch.device("cpu"))
    batch.backward(measure=True)
    u, s, v = network.teacher()
    observed = {name: values[0].numpy() for name, values in batch.observables().items()}
    slope = batch.gradients["layer.1"][0].numpy()
    np.testing.assert_allclose(observed["gradient"], np.diag(u.T @ slope @ v), rtol=0, atol=1e-13)
    np.testing.assert_allclose(observed["gradient"], observed["signal"] - s, rtol=0, atol=1e-13)
    W = batch.tensors["layer.1"][0].numpy()
    assert batch.curves()["train_loss"][0].item() == pytest.approx(0.5 * np.square(W - (u * s) @ v.T).sum(), rel=1e-13)


@pytest.mark.parametrize("depth", [2, 4])
def test_updates_are_those_of_torchs_optimiser(depth):
    network = DeepLinear(modes=3, depth=depth, learning_rate=0.05, momentum=0.9, weight_decay=1e-3, scale=1.0)
    u, s, v = (torch.from_numpy(part) for part in network.teacher())
    layers = [torch.nn.Parameter(layer.clone()) for layer in network.draw_one(1).values()]
    optimiser = torch.optim.SGD(layers, lr=0.05, momentum=0.9, weight_decay=1e-3, foreach=False)
    for _ in range(30):
        optimiser.zero_grad()
        (0.5 * (torch.linalg.multi_dot(layers[::-1]) - (u * s) @ v.T).square().sum()).backward()
        optimiser.step()
    expected = np.stack([layer.detach().numpy() for layer in layers])
    np.testing.assert_allclose(layers_of(network, [1], 30)[0], expected, rtol=0, atol=1e-12)


def test_a_batch_is_its_networks_trained_alone():
    network, kept = DeepLinear(modes=4, depth=3, learning_rate=0.1, scale=0.3), np.arange(0, 201, 10)
    together = train_batch(network, SEEDS, kept)
    for row, seed in enumerate(SEEDS):
        alone = train_batch(network, [seed], kept)
        for name, array in (alone.observables | alone.curves).items():
            found = (together.observables | together.curves)[name][row]
            np.testing.assert_allclose(found, array[0], rtol=1e-10, atol=1e-14, err_msg=name)


def test_all_runs_have_one_teacher():
    assert BALANCED.labels == replace(BALANCED, depth=3, scale=0.5).labels
    assert BALANCED.labels != replace(BALANCED, teacher_seed=1).labels
    np.testing.assert_array_equal(BALANCED.features, [1, 2, 3, 4, 5])
    u, s, v = BALANCED.teacher()
    np.testing.assert_allclose(u.T @ u, np.eye(5), atol=1e-14)
    np.testing.assert_allclose(v.T @ v, np.eye(5), atol=1e-14)
    np.testing.assert_allclose(s, [2.0, 1.625, 1.25, 0.875, 0.5], rtol=1e-15)
    for same, again in zip((u, s, v), replace(BALANCED, depth=4, scale=1.0).teacher(), strict=True):
        np.testing.assert_array_equal(same, again)
    assert not np.allclose(replace(BALANCED, teacher_seed=1).teacher()[0], u)
    record = train_batch(BALANCED, [0], np.arange(2))
    assert list(record.observables) == ["signal", "gradient", "singular_values"]
    assert list(record.curves) == ["train_loss"]
    assert record.embedding is None


def test_initialisations_are_equal_when_the_weights_at_the_start_are():
    networks = [
        BALANCED,
        replace(BALANCED, learning_rate=0.1, optimiser="adam"),
        replace(BALANCED, scale=0.1),
        replace(BALANCED, start="small"),
        replace(BALANCED, modes=4),
        replace(BALANCED, depth=3),
        replace(BALANCED, start="small", strongest=3.0, teacher_seed=2),
    ]
    runs = [(network, seed) for network in networks for seed in (0, 1)]
    for one, i in runs:
        for other, j in runs:
            ours, theirs = one.draw_one(i), other.draw_one(j)
            shapes = [t.shape for t in ours.values()] == [t.shape for t in theirs.values()]
            same = shapes and all(torch.equal(ours[name], theirs[name]) for name in ours)
            assert (one.initialisation(i) == other.initialisation(j)) == same


@pytest.mark.parametrize("depth", [1, 2, 3])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_run_that_diverges_leaves_the_others_as_they_are(depth, dtype):
    def spoil(_, batch):
        batch.parameters.data[1] *= 1e30  # at every step: a linear law would not blow up by itself

    network, kept = replace(BALANCED, depth=depth, momentum=0.5, learning_rate=0.1), np.arange(101)
    whole, spoilt = (train_batch(network, SEEDS, kept, dtype=dtype, visit=visit) for visit in (None, spoil))
    assert (whole.diverged == -1).all()
    assert (spoilt.diverged[[0, 2]] == -1).all()
    assert spoilt.diverged[1] >= 0
    for name, array in (whole.observables | whole.curves).items():
        found = (spoilt.observables | spoilt.curves)[name]
        np.testing.assert_array_equal(found[[0, 2]], array[[0, 2]], err_msg=name)


def test_a_rate_that_only_some_starts_survive():
    """α ↦ α + ηα(s − α²) runs off from α² > s + 2/η."""
    network = DeepLinear(modes=1, strongest=1.5, start="balanced", scale=4.0, learning_rate=0.5)
    record = train_batch(network, range(12), np.arange(41))
    start = record.observables["signal"][:, 0, 0]
    np.testing.assert_array_equal(record.diverged >= 0, start > 1.5 + 2 / 0.5)
    assert 0 < (record.diverged >= 0).sum() < 12
    survivors = record.diverged < 0
    np.testing.assert_allclose(record.observables["signal"][survivors, -1], 1.5, rtol=1e-6)


def test_described_is_json_and_says_it_all():
    said = json.loads(json.dumps(BALANCED.described()))
    assert said.pop("network") == "deep_linear"
    assert DeepLinear(**said) == BALANCED


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ({"modes": 0}, "modes must be a whole number of at least 1"),
        ({"depth": 0}, "depth must be a whole number of at least 1"),
        ({"depth": 2.0}, "depth must be a whole number"),
        ({"strongest": 0.0}, "strongest must be finite and positive"),
        ({"weakest": -1.0}, "weakest must be finite and positive"),
        ({"start": "large"}, "start must be one of small, balanced, got 'large'"),
        ({"scale": 0.0}, "scale must be finite and positive"),
        ({"teacher_seed": -1}, "seed must be a whole number of at least 0"),
        ({"learning_rate": 0.0}, "learning_rate must be finite and positive"),
        ({"momentum": 1.5}, "momentum must be below 1"),
        ({"optimiser": "rmsprop"}, "optimiser must be one of adamw, adam, sgd"),
    ],
)
def test_bad_settings_are_refused(bad, said):
    with pytest.raises(ValueError, match=said):
        DeepLinear(**bad)
