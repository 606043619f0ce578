"""Observables of the whole network: what its layers hold of each frequency, and the logits' waves at the sum."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

import ecodyn
from ecodyn.cli import app
from ecodyn.networks.modular_addition import MLP, Transformer
from ecodyn.networks.modular_addition.responses import RESPONSES, first_layer, output_layer, response
from ecodyn.networks.modular_addition.responses.response import waves_at_sum
from ecodyn.networks.training.descent import train_batch

P, DIM, WIDTH = 7, 4, 5
SMALL = MLP(p=P, dim=DIM, width=WIDTH, observables=tuple(RESPONSES))
ATTENTION = Transformer(p=P, dim=DIM, width=WIDTH, heads=2, observables=("output_layer", "response"))
K = (P - 1) // 2

waves = st.lists(st.floats(-10, 10), min_size=K, max_size=K)


def drawn(network, seeds=(0, 1)):
    """Parameters of its networks at their start, to be written over."""
    return network.draw(list(seeds), torch.float64, torch.device("cpu")).tensors


def circle(k, radius, units, first=0):
    """A table (P, units) with one circle, in the plane of two of its units."""
    angle, table = 2 * np.pi * k * np.arange(P) / P, np.zeros((P, units))
    table[:, first], table[:, first + 1] = radius * np.cos(angle), radius * np.sin(angle)
    return torch.from_numpy(table)


@settings(max_examples=25)
@given(waves, st.floats(-5, 5))
def test_logits_that_are_waves_at_the_sum_have_their_heights_as_responses(heights, level):
    a, b, c = np.arange(P)[None, :, None], np.arange(P)[:, None, None], np.arange(P)[None, None]
    logits = level + sum(h * np.cos(2 * np.pi * k * (a + b - c) / P) for k, h in enumerate(heights, 1))
    found = waves_at_sum(torch.from_numpy(logits.reshape(1, P * P, P)))
    np.testing.assert_allclose(found[0], heights, atol=1e-12)


@pytest.mark.parametrize("network", [SMALL, ATTENTION], ids=lambda n: n.name)
def test_the_response_is_the_triple_sum_over_both_tokens_and_the_output(network):
    tensors = drawn(network)
    expected = np.zeros((2, K))
    for a, b in itertools.product(range(P), range(P)):
        one = network.logits(tensors, *(torch.full((2, 1), token) for token in (a, b)))[:, 0].numpy()
        for k, c in itertools.product(range(1, K + 1), range(P)):
            expected[:, k - 1] += 2 / P**3 * one[:, c] * np.cos(2 * np.pi * k * (a + b - c) / P)
    np.testing.assert_allclose(response(network, tensors), expected, rtol=1e-9, atol=1e-14)


@settings(max_examples=25)
@given(st.integers(1, K), st.floats(0.1, 10), st.floats(0.1, 10))
def test_a_planted_circle_is_all_that_the_output_layer_holds(k, radius, other):
    tensors = drawn(SMALL)
    tensors["output.weight"].copy_(torch.stack([circle(k, radius, WIDTH), circle(k, other, WIDTH, first=2)]))
    expected = np.zeros((2, K))
    expected[:, k - 1] = radius * P / np.sqrt(2), other * P / np.sqrt(2)  # ‖u‖ = ‖v‖ = radius · P/2
    np.testing.assert_allclose(output_layer(SMALL, tensors), expected, atol=1e-12)


@settings(max_examples=25)
@given(st.integers(1, K), st.floats(0.1, 10), st.floats(0.1, 10), st.floats(0.1, 10))
def test_the_first_layer_takes_up_a_circle_by_its_weights_for_both_tokens(k, radius, for_a, for_b):
    tensors = drawn(SMALL, [0])
    tensors["embedding"].copy_(circle(k, radius, DIM))
    weights = tensors["first.weight"].zero_()
    weights[0, 0, 0] = weights[0, 1, 1] = for_a  # U: units 0 and 1 see the circle's plane
    weights[0, 2, DIM] = weights[0, 3, DIM + 1] = for_b  # V
    expected = np.zeros((1, K))
    expected[0, k - 1] = radius * np.hypot(for_a, for_b) * P / np.sqrt(2)
    np.testing.assert_allclose(first_layer(SMALL, tensors), expected, atol=1e-10)
    tensors["embedding"].copy_(circle(k, radius, DIM, first=2))  # weights are orthogonal to this plane
    assert float(first_layer(SMALL, tensors).abs().max()) < 1e-10


@pytest.mark.parametrize("network", [SMALL, ATTENTION], ids=lambda n: n.name)
def test_what_is_kept_changes_no_training(network):
    from dataclasses import replace

    kept, steps = train_batch(network, [0, 1], np.arange(4)), np.arange(4)
    plain = train_batch(replace(network, observables=()), [0, 1], steps)
    np.testing.assert_array_equal(kept.observables["signal"], plain.observables["signal"])
    np.testing.assert_array_equal(kept.curves["test_loss"], plain.curves["test_loss"])
    assert set(kept.observables) - set(plain.observables) == set(network.observables)


def test_a_network_that_has_no_such_layer_says_which_it_has():
    with pytest.raises(ValueError, match=r"of the whole network output_layer, response; got first_layer"):
        Transformer(observables=("first_layer",))
    with pytest.raises(ValueError, match="each once"):
        MLP(observables=("response", "response"))


def test_the_command_line_keeps_them_beside_those_of_the_embedding(tmp_path):
    path = tmp_path / "runs.nc"
    size = ["--p", "5", "--dim", "4", "--width", "6", "--seeds", "0:2", "--steps", "3", "--jobs", "1"]
    done = CliRunner().invoke(app, ["train", *size, "--set", "observables=pull+response", "-o", str(path)])
    assert done.exit_code == 0, done.output
    runs = ecodyn.load(path)
    assert set(runs.observables) == {"signal", "gradient", "pull", "response"}
    assert runs.observable("response").shape == (2, 4, 2)
