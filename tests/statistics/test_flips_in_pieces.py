"""Sign flips are drawn in pieces: the same numbers as all at once, in memory that does not grow with the runs."""

import tracemalloc

import numpy as np
import pytest

from ecodyn.statistics import confidence_set as module
from ecodyn.statistics.confidence_set import EXACT_RUNS, confidence_set, p_above


def all_at_once(runs, seed, flips):
    signs = np.random.default_rng(seed).choice([-1.0, 1.0], size=(flips, runs))
    signs[0] = 1.0
    return signs


@pytest.mark.parametrize("size", [1, 7, 64, 1000])
def test_what_is_drawn_does_not_depend_on_the_pieces(size):
    pieces = list(module._signs(23, seed=5, flips=300, size=size))
    assert max(len(piece) for piece in pieces) == min(size, 300)
    np.testing.assert_array_equal(np.concatenate(pieces), all_at_once(23, 5, 300))


def test_enumerated_flips_do_not_depend_on_the_pieces_either():
    whole = np.concatenate(list(module._signs(6, seed=0, flips=20_000, size=32)))
    np.testing.assert_array_equal(np.concatenate(list(module._signs(6, seed=0, flips=20_000, size=5))), whole)
    assert len(np.unique(whole, axis=0)) == 2**5


def test_kept_signs_are_those_drawn(monkeypatch):
    """Of many runs signs are kept, a bit each; the first test draws them, the next reads them."""
    monkeypatch.setattr(module, "MOST_SIGNS", 1000)
    module._packed.cache_clear()
    for _ in range(2):
        np.testing.assert_array_equal(np.concatenate(list(module._signs(53, 2, 90, 11))), all_at_once(53, 2, 90))
    assert module._packed.cache_info().hits == 1
    module._packed.cache_clear()


def test_p_values_do_not_depend_on_the_pieces(monkeypatch):
    rng = np.random.default_rng(1)
    runs = EXACT_RUNS + 40
    losses = rng.normal([0.0, 0.1, 0.2, 0.5], size=(runs, 4))
    differences = losses[:, 0] - losses[:, 1]
    whole = confidence_set(losses, flips=2000), p_above(differences, 0.0, flips=2000)
    monkeypatch.setattr(module, "MOST_SIGNS", 50 * runs)
    parts = confidence_set(losses, flips=2000), p_above(differences, 0.0, flips=2000)
    np.testing.assert_allclose(parts[0].p_values, whole[0].p_values, rtol=1e-12)
    assert parts[1] == pytest.approx(whole[1], rel=1e-12)
    module._packed.cache_clear()


def test_memory_is_bounded():
    """20 000 × 900 signs in double precision would be 144 MB, and as much on the way."""
    differences = np.random.default_rng(0).normal(size=900) - 0.02
    tracemalloc.start()
    p = p_above(differences, 0.0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    module._packed.cache_clear()
    assert 0.0 < p < 1.0
    assert peak < 120e6
