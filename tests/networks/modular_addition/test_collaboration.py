"""Losses with only some circles kept: identities, symmetries, and the plain network's own arithmetic."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from ecodyn.networks.modular_addition import (
    MLP,
    KeepFrequencies,
    PairLosses,
    Transformer,
    all_pairs,
    kept_losses,
    ladder,
    losses_over_training,
    projection,
    split_pairs,
    take_snapshots,
)
from ecodyn.networks.training.descent import train_batch

SMALL = MLP(p=11, dim=8, width=12)
NETWORKS = [SMALL, Transformer(p=11, dim=8, width=12, heads=2, train_fraction=0.5)]
SEEDS = [0, 3]
ALL = tuple(range(1, 6))


@pytest.fixture(scope="module")
def kept():
    return take_snapshots(replace(SMALL, p=23, dim=16, width=24), SEEDS, [0, 20, 60])


def trained(network, dtype="float64"):
    """Parameters of the last of 15 steps, and the training's own record."""
    seen = {}

    def visit(_, batch):
        seen.update({name: tensor.clone() for name, tensor in batch.tensors.items()})

    return seen, train_batch(network, SEEDS, np.arange(16), dtype=dtype, visit=visit)


@pytest.mark.parametrize("network", NETWORKS, ids=lambda n: n.name)
@pytest.mark.parametrize("pairs", ["train", "test"])
@pytest.mark.parametrize(("dtype", "rounding"), [("float64", 1e-12), ("float32", 1e-5)])
def test_with_all_circles_and_dc_it_is_the_network_itself(network, pairs, dtype, rounding):
    parameters, record = trained(network, dtype)
    found = kept_losses(network, SEEDS, parameters, [ALL], pairs=pairs)
    np.testing.assert_allclose(found.loss[:, 0], record.curves[f"{pairs}_loss"][:, -1], rtol=rounding)
    np.testing.assert_allclose(found.accuracy[:, 0], record.curves[f"{pairs}_accuracy"][:, -1], rtol=1e-6)


@pytest.mark.parametrize("dc", [False, True])
@pytest.mark.parametrize("pairs", ["train", "test", "all"])
def test_each_set_is_the_plain_network_on_the_kept_part(plain, pairs, dc):
    parameters, _ = trained(SMALL)
    sets = [(), (2,), (1, 4), ALL]
    found = kept_losses(SMALL, SEEDS, parameters, sets, pairs=pairs, dc=dc)
    for row, seed in enumerate(SEEDS):
        network = plain(SMALL, seed)
        index = {"train": network.train, "test": network.test}.get(pairs)
        if index is None:
            index = tuple(torch.cat(part) for part in zip(network.train, network.test, strict=True))
        for column, kept_set in enumerate(sets):
            spectrum = torch.fft.fft(parameters["embedding"][row], dim=0)
            out = [k for k in range(11) if min(k, 11 - k) not in (*kept_set, *([0] if dc else []))]
            spectrum[out] = 0
            state = {name: tensor[row] for name, tensor in parameters.items()}
            network.module.load_state_dict(state | {"embedding": torch.fft.ifft(spectrum, dim=0).real})
            with torch.no_grad():
                np.testing.assert_allclose(found.loss[row, column], network.loss(index).item(), rtol=1e-11)
                assert found.accuracy[row, column] == pytest.approx(network.accuracy(index), rel=1e-12)


@pytest.mark.parametrize("network", NETWORKS, ids=lambda n: n.name)
@pytest.mark.parametrize("m", [2, 7])
def test_relabelling_frequencies_relabels_the_sets(network, m):
    """Token a under the name m·a: frequency k becomes k/m, and on all pairs nothing else changes."""
    p = network.p
    parameters, _ = trained(network)
    named = dict(parameters)
    order = torch.arange(p) * pow(m, -1, p) % p  # row m·a holds what was in row a
    named["embedding"] = parameters["embedding"][:, order]
    for name in ("output.weight", "output.bias", "unembedding"):
        if name in named and named[name].shape[1] == p:
            named[name] = parameters[name][:, order]
    sets = [(1,), (2, 3), (1, 4, 5)]
    divided = [k * pow(m, -1, p) % p for k in range(p)]
    moved = [tuple(min(divided[k], p - divided[k]) for k in s) for s in sets]
    before = kept_losses(network, SEEDS, parameters, sets, pairs="all")
    after = kept_losses(network, SEEDS, named, moved, pairs="all")
    np.testing.assert_allclose(after.loss, before.loss, rtol=1e-11)
    np.testing.assert_array_equal(after.accuracy, before.accuracy)


def test_order_within_a_set_and_company_do_not_matter():
    parameters, _ = trained(SMALL)
    together = kept_losses(SMALL, SEEDS, parameters, [(1, 3), (2,), (3, 1)])
    alone = kept_losses(SMALL, SEEDS[1:], {n: t[1:] for n, t in parameters.items()}, [(2,)])
    np.testing.assert_allclose(together.loss[:, 0], together.loss[:, 2], rtol=1e-13)
    np.testing.assert_allclose(together.loss[1:, 1:2], alone.loss, rtol=1e-13)
    assert not np.allclose(together.loss[:, 0], together.loss[:, 1], rtol=1e-3)


def test_without_any_circle_all_tokens_are_alike():
    """Every pair has the same logits, so that the loss on all pairs is at least that of guessing."""
    parameters, _ = trained(SMALL)
    found = kept_losses(SMALL, SEEDS, parameters, [()], pairs="all")
    assert (found.loss >= np.log(11) - 1e-12).all()
    np.testing.assert_allclose(found.accuracy, 1 / 11, rtol=1e-12)


@pytest.mark.parametrize("p", [5, 11, 23])
def test_projections_are_projections_and_sum_to_the_identity(p):
    parts = [projection(p, [k]) for k in range(1, (p + 1) // 2)] + [projection(p, [], dc=True)]
    for i, P in enumerate(parts):
        for j, Q in enumerate(parts):
            np.testing.assert_allclose(P @ Q, P if i == j else np.zeros((p, p)), atol=1e-13)
    np.testing.assert_allclose(sum(parts), np.eye(p), atol=1e-13)


def test_a_network_trained_with_few_circles_loses_nothing_by_keeping_only_them():
    network = replace(SMALL, interventions=(KeepFrequencies((2, 5)),))
    parameters, record = trained(network)
    found = kept_losses(network, SEEDS, parameters, [(2, 5), (2,)], dc=False)
    np.testing.assert_allclose(found.loss[:, 0], record.curves["test_loss"][:, -1], rtol=1e-12)
    assert not np.allclose(found.loss[:, 1], found.loss[:, 0], rtol=1e-3)


# ------------------------------------------------------------------------------------------- over training, all pairs


def test_snapshots_are_the_training(kept):
    record = train_batch(kept.network, SEEDS, kept.steps, dtype="float32")
    np.testing.assert_allclose(kept.signals, record.observables["signal"], rtol=1e-6)
    np.testing.assert_allclose(kept.embeddings[:, -1], record.embedding, rtol=1e-6)
    track = losses_over_training(kept, [(1,)], network=1)
    np.testing.assert_allclose(track.whole, record.curves["test_loss"][1], rtol=1e-5)
    assert track.seed == SEEDS[1]
    order = np.argsort(-record.observables["signal"][1, -1])
    assert kept.strongest(3, network=1) == tuple((order[:3] + 1).tolist())


def test_pairs_and_tracks_agree_with_each_set_alone(kept):
    features = [4, 1, 7]
    found = all_pairs(kept, features, step=20, network=1)
    track = losses_over_training(kept, [(1, 4), (7,)], network=1)
    assert found.loss[0, 1] == found.loss[1, 0] == pytest.approx(track.loss[1, 0], rel=1e-12)
    assert found.loss[2, 2] == pytest.approx(track.loss[1, 1], rel=1e-12)
    assert found.accuracy[0, 1] == track.accuracy[1, 0]
    assert (found.whole, found.none) == pytest.approx((track.whole[1], track.none[1]), rel=1e-12)
    assert (found.step, found.seed) == (20, SEEDS[1])


def test_permuting_the_features_permutes_the_matrices(kept):
    features, order = [4, 1, 7], [2, 0, 1]
    one, other = all_pairs(kept, features), all_pairs(kept, [features[i] for i in order])
    for name in ("loss", "accuracy", "synergy", "interaction"):
        matrix = getattr(one, name)
        np.testing.assert_allclose(getattr(other, name), matrix[np.ix_(order, order)], rtol=1e-9, atol=1e-12)
        np.testing.assert_array_equal(matrix, matrix.T)


def test_circles_that_multiply_the_loss_do_not_interact():
    """L(A) = L(∅) Π_{i in A} f_i: no interaction, and synergy is the gain by the weaker of the two."""
    f, none = np.array([0.5, 0.1, 0.9]), 4.0
    loss = none * np.outer(f, f)
    np.fill_diagonal(loss, none * f)
    pairs = PairLosses(np.arange(3), loss, loss, 0.1, none, 0, "test", 0)
    off = ~np.eye(3, dtype=bool)
    np.testing.assert_allclose(pairs.interaction[off], 0, atol=1e-12)
    np.testing.assert_allclose(pairs.synergy[off], -np.log(np.maximum.outer(f, f))[off], rtol=1e-12)
    assert np.isnan(np.diag(pairs.synergy)).all()


def test_the_studys_sets():
    assert ladder([2, 22], [2, 8, 22]) == [(2,), (8,), (22,), (2, 8), (2, 22), (2, 22, 8)]


@pytest.mark.parametrize(
    ("sets", "more", "message"),
    [
        ([(6,)], {}, "frequencies 1 to 5, got 6"),
        ([(0,)], {}, "at least 1"),
        ([(1, 1)], {}, "once in a set"),
        ([], {}, "at least one set"),
        ([(1,)], {"pairs": "both"}, "test, train, all"),
    ],
)
def test_what_can_not_be_kept_is_refused(sets, more, message):
    with pytest.raises(ValueError, match=message):
        kept_losses(SMALL, [0], SMALL.draw_one(0), sets, **more)


def test_seeds_are_those_of_the_networks(kept):
    with pytest.raises(ValueError, match="a seed for each of 2 networks, got 1"):
        kept_losses(kept.network, [0], kept.parameters[0], [(1,)])
    with pytest.raises(ValueError, match="step 7 was not kept; there are 0, 20, 60"):
        all_pairs(kept, step=7)


def test_pairs_are_those_of_the_seed():
    """The first network's parameters under two seeds: the loss on all pairs is the same, on test pairs it is not."""
    parameters = {n: torch.stack([t, t]) for n, t in SMALL.draw_one(0).items()}
    assert set(split_pairs(11, 0)[1]) != set(split_pairs(11, 3)[1])
    everywhere, test = (kept_losses(SMALL, SEEDS, parameters, [(1, 2)], pairs=pairs).loss for pairs in ("all", "test"))
    assert everywhere[0] == everywhere[1]
    assert test[0] != test[1]
