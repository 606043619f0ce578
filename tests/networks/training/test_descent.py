"""Gradient descent of one batch: what is seen at each step, and what is kept of it."""

from contextlib import nullcontext, suppress

import numpy as np
import pytest
import torch

from ecodyn.networks.deep_linear import DeepLinear
from ecodyn.networks.modular_addition import MLP, PlantCircles, Transformer, spectrum
from ecodyn.networks.training import Schedule, descend, descent, train_batch
from ecodyn.runtime.processes import one_torch_thread

CPU = torch.device("cpu")
NETWORKS = [
    pytest.param(MLP(p=7, dim=3, width=4), id="mlp"),
    pytest.param(Transformer(p=7, dim=4, heads=2, width=4, train_fraction=0.8), id="transformer"),
    pytest.param(DeepLinear(modes=3, scale=0.3), id="deep_linear"),
]


def drawn(network, seeds=(0, 1)):
    return network.draw(seeds, torch.float64, CPU)


def same(a, b):
    """Two records, bit for bit."""
    np.testing.assert_array_equal(a.steps, b.steps)
    np.testing.assert_array_equal(a.diverged, b.diverged)
    for mine, other in ((a.observables, b.observables), (a.curves, b.curves)):
        assert mine.keys() == other.keys()
        for name in mine:
            np.testing.assert_array_equal(mine[name], other[name], err_msg=name)
    if a.embedding is None:
        assert b.embedding is None
    else:
        np.testing.assert_array_equal(a.embedding, b.embedding)


@pytest.mark.parametrize("network", NETWORKS)
def test_every_step_is_yielded_from_the_initialisation_on(network):
    batch, start = drawn(network), drawn(network).parameters.detach()
    steps = []
    with torch.no_grad():
        for step in descend(batch, network, 4):
            if step == 0:
                np.testing.assert_array_equal(batch.parameters, start)
            steps.append(step)
    assert steps == [0, 1, 2, 3, 4]
    assert not torch.equal(batch.parameters, start)


def test_gradient_descent_is_gradient_descent():
    """θ(t+1) = θ(t) − η ∂L/∂θ, with the gradients that are shown beside θ(t)."""
    network = DeepLinear(modes=3, scale=0.3, learning_rate=0.05)
    batch, before = drawn(network), None
    with torch.no_grad():
        for _ in descend(batch, network, 5):
            if before is not None:
                torch.testing.assert_close(batch.parameters.detach(), before, rtol=1e-14, atol=1e-15)
            assert batch.parameters.grad is not None
            before = batch.parameters.detach() - 0.05 * batch.parameters.grad


def test_the_first_step_of_adamw_shrinks_and_moves_by_the_rate():
    """θ(1) = (1 − ηλ) θ(0) − η g/(|g| + ε): the moments, corrected for their start, are g and g²."""
    network = MLP(p=7, dim=3, width=4, learning_rate=0.1, weight_decay=0.3)
    batch, expected = drawn(network), None
    with torch.no_grad():
        for _ in descend(batch, network, 1):
            if expected is None:
                g = batch.parameters.grad
                expected = (1 - 0.1 * 0.3) * batch.parameters.detach() - 0.1 * g / (g.abs() + 1e-8)
    torch.testing.assert_close(batch.parameters.detach(), expected, rtol=1e-12, atol=1e-14)


def test_what_is_kept_is_what_was_there_at_the_step():
    network = MLP(p=7, dim=3, width=4)
    kept, rows = np.array([0, 2, 5]), []

    def visit(step, batch):
        if step in kept:
            rows.append((spectrum(batch.tensors["embedding"]), spectrum(batch.gradients["embedding"])))

    record = train_batch(network, [3, 4], kept, visit=visit)
    np.testing.assert_array_equal(record.steps, kept)
    np.testing.assert_array_equal(record.diverged, [-1, -1])
    for row, (signal, gradient) in enumerate(rows):
        np.testing.assert_array_equal(record.observables["signal"][:, row], signal[:, 1:])
        np.testing.assert_array_equal(record.observables["gradient"][:, row], gradient[:, 1:])
        np.testing.assert_array_equal(record.curves["dc"][:, row], signal[:, 0])


@pytest.mark.parametrize("network", NETWORKS)
def test_shapes(network):
    record = train_batch(network, [3, 4], Schedule(2, 3).steps(9))
    S, T, K = 2, 6, 3
    assert next(iter(record.observables)) == "signal"
    assert {array.shape for array in record.observables.values()} == {(S, T, K)}
    assert {array.shape for array in record.curves.values()} == {(S, T)}
    assert all(array.dtype == np.float64 for array in (record.observables | record.curves).values())
    if isinstance(network, DeepLinear):
        assert record.embedding is None
    else:
        assert record.embedding.shape == (S, network.p, network.dim)


@pytest.mark.parametrize("steps", [descent.ROWS_HELD - 2, descent.ROWS_HELD - 1, descent.ROWS_HELD, 130])
def test_how_many_rows_are_fetched_together_changes_nothing(monkeypatch, steps):
    network = DeepLinear(modes=2, scale=0.3)
    together = train_batch(network, [0, 1], np.arange(steps + 1))
    monkeypatch.setattr(descent, "ROWS_HELD", 1)
    same(together, train_batch(network, [0, 1], np.arange(steps + 1)))


def test_every_step_is_visited_and_said_also_those_that_are_not_kept():
    said, visited = [], []
    network = DeepLinear(modes=2)
    train_batch(network, [0], np.array([0, 5]), progress=said.append, visit=lambda step, batch: visited.append(step))
    assert said == visited == [0, 1, 2, 3, 4, 5]


def test_divergence_is_dated_by_the_first_kept_step_at_which_it_shows():
    network = DeepLinear(modes=2, scale=1.0, learning_rate=10.0)
    every = train_batch(network, [0, 1], np.arange(61))
    assert (every.diverged > 0).all()
    for row, step in enumerate(every.diverged):
        finite = np.isfinite(every.observables["signal"][row]).all(1) & np.isfinite(every.curves["train_loss"][row])
        np.testing.assert_array_equal(finite, np.arange(61) < step)
    kept = Schedule(every=7).steps(60)
    thinned = train_batch(network, [0, 1], kept)
    np.testing.assert_array_equal(thinned.diverged, kept[np.searchsorted(kept, every.diverged)])


def test_a_batch_that_has_diverged_altogether_stops():
    reached = []
    network = DeepLinear(modes=2, scale=1.0, learning_rate=10.0)
    train_batch(network, [0, 1], np.arange(100_001), progress=reached.append)
    assert reached[-1] < 2 * descent.ROWS_HELD


def test_global_state_is_untouched():
    threads, state = torch.get_num_threads(), torch.random.get_rng_state()
    torch.set_num_threads(2)
    legacy = np.random.get_state()[1].copy()  # noqa: NPY002, the global one must stay as it is
    try:
        train_batch(MLP(p=5, dim=2, width=4), [0], np.arange(3))
        assert torch.get_num_threads() == 2
        with suppress(KeyboardInterrupt), one_torch_thread():
            assert torch.get_num_threads() == 1
            raise KeyboardInterrupt
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(threads)
    assert torch.is_grad_enabled()
    torch.testing.assert_close(torch.random.get_rng_state(), state, rtol=0, atol=0)
    np.testing.assert_array_equal(np.random.get_state()[1], legacy)  # noqa: NPY002


@pytest.mark.parametrize("network", NETWORKS)
def test_seeds_reproduce_and_differ(network):
    a, b = (train_batch(network, [4, 9], np.arange(4)) for _ in range(2))
    same(a, b)
    assert (a.observables["signal"][0, 0] != a.observables["signal"][1, 0]).all()
    assert (a.observables["signal"][:, 0] != a.observables["signal"][:, -1]).all()


def denormals_count():
    """Whether a number too small for a normal exponent is told from zero in this thread."""
    return bool((torch.full((1,), 1e-40) * 1).any())


@pytest.mark.parametrize(("dtype", "count"), [("float32", False), ("float64", True)])
def test_denormals_are_zero_while_float32_trains_and_then_as_before(dtype, count):
    seen = []
    network = MLP(p=7, dim=3, width=4)
    train_batch(network, [0], np.arange(3), dtype=dtype, visit=lambda *_: seen.append(denormals_count()))
    assert seen == [count] * 3
    assert denormals_count()


def test_flushing_that_was_on_stays_on():
    with descent.denormals_flushed():
        with descent.denormals_flushed():
            pass
        assert not denormals_count()
        with pytest.raises(RuntimeError, match="within"), descent.denormals_flushed():
            raise RuntimeError("within")
        assert not denormals_count()
    assert denormals_count()


def test_what_is_flushed_is_nothing_that_a_training_keeps(monkeypatch):
    """Two planted circles, whose logits soon are far apart."""
    network, kept = MLP(p=23, dim=32, width=64, interventions=(PlantCircles(1, 2, 1.0),)), np.array([0, 60, 120])
    flushed = train_batch(network, [0], kept, dtype="float32")
    smallest = []

    def visit(_step, batch):
        sizes = torch.cat([memory.abs() for memory in batch._memory])
        smallest.append(float(sizes[sizes > 0].min()))

    monkeypatch.setattr(descent, "denormals_flushed", lambda *, wanted: nullcontext())
    same(train_batch(network, [0], kept, dtype="float32", visit=visit), flushed)
    assert min(smallest) < torch.finfo(torch.float32).tiny  # or there was nothing to flush


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"measured": ("signal", "train_loss")}, "deep_linear says that it measures signal, train_loss, and its batch"),
        ({"features": np.arange(3)}, "deep_linear has 3 features, and its batch the signals of 2"),
    ],
)
def test_a_network_whose_batch_is_not_what_its_settings_say_is_refused(monkeypatch, change, said):
    for name, value in change.items():
        monkeypatch.setattr(DeepLinear, name, value)
    with pytest.raises(ValueError, match=said):
        train_batch(DeepLinear(modes=2), [0], np.arange(2))
