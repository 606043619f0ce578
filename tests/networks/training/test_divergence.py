"""A training that diverges costs the others nothing."""

import numpy as np
import pytest
from network_grids import cells

from ecodyn.networks.deep_linear import DeepLinear
from ecodyn.networks.modular_addition import (
    MLP,
)
from ecodyn.networks.modular_addition.mlp import MLPBatch
from ecodyn.networks.training import (
    IncompleteTrainingError,
    Schedule,
    train,
)


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
