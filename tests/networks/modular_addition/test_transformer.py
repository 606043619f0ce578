import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from ecodyn.networks.modular_addition import (
    FixedEmbedding,
    FixedLayers,
    FrozenEmbedding,
    KeepFrequencies,
    PlantCircles,
    ScaleFrequency,
    Transformer,
    split_pairs,
)
from ecodyn.networks.training.descent import train_batch

SMALL = Transformer(p=11, dim=8, width=12, heads=2, train_fraction=0.5)


def logits(W, a, b, heads):
    """Of one pair and one network, head by head and token by token, as the docstring's equations have it."""
    dim = W["embedding"].shape[1]
    x = [W["embedding"][a] + W["position"][0], W["embedding"][b] + W["position"][1], W["equals"] + W["position"][2]]
    r = x[2]
    for h in range(heads):
        query = W["query"][h] @ x[2]
        scores = torch.stack([query @ (W["key"][h] @ token) for token in x]) / math.sqrt(dim / heads)
        weights = torch.softmax(scores, dim=0)
        r = r + W["attention_output"][h] @ sum(w * (W["value"][h] @ token) for w, token in zip(weights, x, strict=True))
    hidden = torch.relu(W["input.weight"] @ r + W["input.bias"])
    return W["unembedding"] @ (r + W["output.weight"] @ hidden + W["output.bias"])


def loss_and_accuracy(W, index, network):
    a, b = torch.from_numpy(index % network.p), torch.from_numpy(index // network.p)
    found = torch.stack([logits(W, i, j, network.heads) for i, j in zip(a, b, strict=True)])
    label = (a + b) % network.p
    return torch.nn.functional.cross_entropy(found, label), (found.argmax(1) == label).double().mean()


def at_start(network, seeds, dtype=torch.float64):
    """A batch with nothing at its neutral value: biases are drawn as zeros, which would hide them."""
    batch = network.draw(seeds, dtype, torch.device("cpu"))
    generator = torch.Generator().manual_seed(0)
    for name in ("input.bias", "output.bias"):
        batch.tensors[name].copy_(torch.randn(batch.tensors[name].shape, generator=generator, dtype=dtype))
    batch.backward(measure=True)
    return batch


NETWORKS = [SMALL, replace(SMALL, heads=1, width=5), replace(SMALL, heads=8, p=7, train_fraction=0.3)]


@pytest.mark.parametrize("network", NETWORKS)
def test_logits_are_the_textbooks(network):
    batch, rng = at_start(network, [3, 1]), np.random.default_rng(0)
    a, b = (torch.from_numpy(rng.integers(0, network.p, (2, 15))) for _ in range(2))
    found = network.logits(batch.tensors, a, b)
    for row in range(2):
        W = {name: tensor[row] for name, tensor in batch.tensors.items()}
        expected = torch.stack([logits(W, i, j, network.heads) for i, j in zip(a[row], b[row], strict=True)])
        torch.testing.assert_close(found[row], expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("network", NETWORKS)
def test_gradients_losses_and_accuracies_are_the_textbooks(network):
    batch = at_start(network, [3, 1])
    curves = batch.curves()
    for row, seed in enumerate([3, 1]):
        W = {name: tensor[row].clone().requires_grad_() for name, tensor in batch.tensors.items()}
        train, test = split_pairs(network.p, seed, network.train_fraction)
        for part, index in (("test", test), ("train", train)):
            loss, accuracy = loss_and_accuracy(W, index, network)
            assert curves[f"{part}_loss"][row].item() == pytest.approx(loss.item(), rel=1e-12)
            assert curves[f"{part}_accuracy"][row].item() == pytest.approx(accuracy.item(), rel=1e-12)
        loss.backward()
        for name, parameter in W.items():
            scale = parameter.grad.abs().max()
            assert (batch.gradients[name][row] - parameter.grad).abs().max() < 1e-12 * scale, name


def test_gradient_is_the_slope_of_the_loss():
    network, step = SMALL, 1e-6
    batch, rng = at_start(network, [3]), np.random.default_rng(1)
    train, _ = split_pairs(network.p, 3, network.train_fraction)
    for name, gradient in batch.gradients.items():
        direction = torch.from_numpy(rng.standard_normal(gradient[0].shape))
        moved = (
            {n: tensor[0] + (sign * step * direction if n == name else 0) for n, tensor in batch.tensors.items()}
            for sign in (1, -1)
        )
        up, down = (loss_and_accuracy(W, train, network)[0].item() for W in moved)
        # A difference of losses near 3 is off by some 1e-15, which the step makes some 1e-9; slopes are some 0.1.
        assert (up - down) / (2 * step) == pytest.approx((gradient[0] * direction).sum().item(), rel=1e-6, abs=1e-8), (
            name
        )


def test_a_batch_is_its_networks_trained_alone(history):
    seeds, steps = [5, 1, 3, 2], 60
    together = history(SMALL, seeds, steps)
    for row, seed in enumerate(seeds):
        alone = history(SMALL, [seed], steps)
        for name, array in alone.parameters.items():
            difference = np.abs(together.parameters[name][:, row] - array[:, 0]).max()
            assert difference < 1e-11 * np.abs(array).max(), name
        for name, array in (alone.record.observables | alone.record.curves).items():
            found = (together.record.observables | together.record.curves)[name][row]
            np.testing.assert_allclose(found, array[0], rtol=1e-10, err_msg=name)


def test_permuting_the_seeds_permutes_the_results():
    order, kept = [2, 0, 3, 1], np.arange(0, 61, 20)
    there, here = (train_batch(SMALL, seeds, kept) for seeds in ([5, 1, 3, 2], [3, 5, 2, 1]))
    for name, array in (there.observables | there.curves).items():
        found = (here.observables | here.curves)[name]
        np.testing.assert_allclose(found, array[order], rtol=1e-10, err_msg=name)


def test_it_learns():
    curves = train_batch(replace(SMALL, learning_rate=0.01, weight_decay=0.1), [0, 1], np.array([0, 100])).curves
    assert (curves["train_loss"][:, 1] < 0.1 * curves["train_loss"][:, 0]).all()
    assert (curves["train_accuracy"][:, 1] > 0.9).all()


def test_single_precision_starts_from_the_same_network():
    double, single = (train_batch(SMALL, [0, 1], np.arange(51), dtype=dtype) for dtype in ("float64", "float32"))
    found, expected = single.observables["signal"], double.observables["signal"]
    np.testing.assert_allclose(found[:, 0], expected[:, 0], rtol=1e-6)
    # Fifteen units in the last place were measured, 9e-7.
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    assert not np.array_equal(found, expected)


def test_weights_have_the_stated_variances():
    network = Transformer(p=113, dim=64, width=128)
    for name, tensor in network.draw_one(0).items():
        if name.endswith("bias"):
            assert not tensor.any()
            continue
        expected = 1 / math.sqrt(network.p if name == "unembedding" else network.dim)
        # The error of a standard deviation from n numbers is 1/sqrt(2n) of it.
        assert tensor.std().item() == pytest.approx(expected, rel=5 / math.sqrt(2 * tensor.numel())), name


def test_a_draw_depends_on_its_seed_alone():
    alone, among = SMALL.draw([4], torch.float64, torch.device("cpu")), at_start(SMALL, [1, 4, 2])
    assert torch.equal(alone.tensors["query"][0], among.tensors["query"][1])
    assert not torch.equal(among.tensors["query"][0], among.tensors["query"][1])
    before = torch.random.get_rng_state()
    SMALL.draw_one(0)
    assert torch.equal(torch.random.get_rng_state(), before)


# ------------------------------------------------------------------------------------------------ interventions


def test_kept_frequencies_stay_kept():
    record = train_batch(replace(SMALL, interventions=(KeepFrequencies((2, 5)),)), [0, 1], np.arange(41))
    signal, kept = record.observables["signal"], np.isin(SMALL.features, [2, 5])
    floor = 1e-12 * signal[..., kept].min()
    assert signal[..., ~kept].max() < floor
    assert record.curves["dc"].max() < floor


def test_a_frozen_embedding_does_not_move(history):
    trained = history(replace(SMALL, interventions=(FrozenEmbedding(),)), [0, 1], 20)
    for name, array in trained.parameters.items():
        moved = np.abs(array[20] - array[0]).max()
        assert moved == 0 if name == "embedding" else moved > 1e-4, name
    assert (trained.record.observables["gradient"] > 0).all()


def test_starts_are_changed_as_those_of_the_mlp():
    own = train_batch(SMALL, [3], np.arange(1)).observables["signal"][0, 0]
    scaled, planted = (
        train_batch(replace(SMALL, interventions=(i,)), [3], np.arange(1)).observables["signal"][0, 0]
        for i in (ScaleFrequency(2, 0.85), PlantCircles(1, 4, 0.5))
    )
    np.testing.assert_allclose(scaled, own * [1, 0.85, 1, 1, 1], rtol=1e-12)
    np.testing.assert_allclose(planted, [80, 1e-6, 1e-6, 40, 1e-6], rtol=1e-12, atol=1e-12)


def test_fixed_parts_are_those_of_the_named_seed():
    own, of_three = SMALL.draw_one(7), SMALL.draw_one(3)
    for intervention, fixed in ((FixedEmbedding(3), {"embedding"}), (FixedLayers(3), own.keys() - {"embedding"})):
        drawn = replace(SMALL, interventions=(intervention,)).draw_one(7)
        for name, tensor in drawn.items():
            # A transformer's embedding is the first draw in either case, so that --fix_mlp leaves it where it is.
            torch.testing.assert_close(tensor, (of_three if name in fixed else own)[name], rtol=1e-15, atol=0, msg=name)


# ----------------------------------------------------------------------------------------------------- settings


def test_described_is_json_and_says_it_all():
    said = json.loads(json.dumps(SMALL.described()))
    assert said.pop("network") == "transformer"
    assert Transformer(**said | {"interventions": ()}) == SMALL


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ({"heads": 3}, "heads must divide dim, got 3 heads and dim 8"),
        ({"heads": 16}, "heads must divide dim, got 16 heads and dim 8"),
        ({"heads": 0}, "heads must be a whole number of at least 1"),
        ({"heads": 2.0}, "heads must be a whole number"),
        ({"p": 9}, "p must be an odd prime"),
        ({"width": 0}, "width must be"),
        ({"train_fraction": 1.0}, "train_fraction must leave"),
        ({"beta2": 1.0}, "beta2 must be"),
    ],
)
def test_bad_settings_are_refused(bad, said):
    with pytest.raises(ValueError, match=said):
        Transformer(**{"p": 5, "dim": 8} | bad)
