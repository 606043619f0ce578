"""Fits summed over shards of runs are those of all runs at once, whatever the shards."""

import re
import tracemalloc
from dataclasses import dataclass

import numpy as np
import pytest

from ecodyn import SINDy, Trajectories
from ecodyn.errors import DataWarning, UnusableDataError
from ecodyn.estimation import many_runs as batches
from ecodyn.estimation import pieced_objective as pieces
from ecodyn.families import family as family_of
from ecodyn.families import many_runs as families
from ecodyn.families import sampled_runs

EQUAL = 1e-10  # of the largest coefficient


@dataclass(frozen=True)
class Shards:
    """Runs that are read so many at a time, as a collection's are; ``read`` lists the sizes of shards."""

    data: Trajectories
    size: int
    read: list

    @property
    def n_runs(self):
        return self.data.n_runs

    @property
    def runs(self):
        return self.data.runs

    @property
    def clusters(self):
        return self.data.clusters

    def shards(self):
        for begin in range(0, self.n_runs, self.size):
            self.read.append(min(self.size, self.n_runs - begin))
            yield self.runs_of(range(begin, min(begin + self.size, self.n_runs)))

    def runs_of(self, runs):
        return self.data.select(runs=self.data.runs[list(runs)].tolist())


def competing(runs=13, *, named=False, uneven=False, seed=0):
    """ẋᵢ = xᵢ(1 − ½xᵢ − 0.8x̄) of three features with a little noise, in pairs of one cluster."""
    rng = np.random.default_rng(seed)
    times = np.linspace(0.0, 4.0, 31)
    values = [one(rng, times) for _ in range(runs)]
    if uneven:
        values = [x[: 31 - r % 5] for r, x in enumerate(values)]
    steps = [times[: len(x)] for x in values]
    names = ["a", "b", "c"] if named else None
    cluster = [r // 2 for r in range(runs)]
    return Trajectories(values, steps, names, labels_shared=named, cluster=cluster)


def one(rng, times):
    x, out = rng.uniform(0.1, 1.5, 3), []
    for _ in times:
        out.append(x)
        for _ in range(4):
            x = x + (times[1] / 4) * x * (1 - 0.5 * x - 0.8 * x.mean())
    return np.array(out) * (1 + 0.01 * rng.standard_normal((len(times), 3)))


def in_batches(monkeypatch, data, size):
    """All fits go through so many runs at a time, and shoot few of them together."""
    monkeypatch.setattr(families, "BYTES_TOGETHER", 0)
    monkeypatch.setattr(batches, "BATCH_BYTES", size * data.values[0].nbytes)
    monkeypatch.setattr(pieces, "MOST_TOGETHER", 0)
    monkeypatch.setattr(pieces, "PIECE_ELEMENTS", 400)


def assert_alike(found, whole):
    assert found.library.names() == whole.library.names()
    size = np.abs(whole.coefficients).max()
    np.testing.assert_allclose(found.coefficients, whole.coefficients, rtol=0, atol=EQUAL * size)
    for name in ("low", "high", "run_spread"):
        a, b = getattr(found.diagnostics, name), getattr(whole.diagnostics, name)
        np.testing.assert_allclose(a, b, rtol=1e-8, atol=EQUAL * size)


@pytest.mark.parametrize("clock", [False, pytest.param(True, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", ["linear", "lotka_volterra", "sindy"])
def test_batches_give_the_numbers_of_the_whole(monkeypatch, name, clock):
    data, family = competing(), family_of(name)(coupling="exchangeable")
    whole = family.fit_model(data, clock=clock)
    for size in (1, 3, 7):
        with monkeypatch.context() as patch:
            in_batches(patch, data, size)
            assert_alike(family.fit_model(data, clock=clock), whole)


@pytest.mark.parametrize("name", ["linear", pytest.param("sindy", marks=pytest.mark.slow)])
def test_so_do_features_with_names_and_runs_of_unequal_length(monkeypatch, name):
    data, family = competing(named=True, uneven=True), family_of(name)(coupling="independent")
    whole = family.fit_model(data)
    in_batches(monkeypatch, data, 4)
    assert_alike(family.fit_model(data), whole)


@pytest.mark.parametrize("name", ["linear", "lotka_volterra", "sindy"])
def test_runs_that_are_read_later_give_the_law_of_runs_in_memory(monkeypatch, name):
    data, family = competing(), family_of(name)(coupling="exchangeable")
    whole = family.fit_model(data)
    monkeypatch.setattr(pieces, "MOST_TOGETHER", 0)
    later = Shards(data, 4, [])
    found = family.fit(later).model_
    assert_alike(found, whole)
    assert max(later.read) == 4
    assert found.amplitudes == whole.amplitudes
    for key in ("runs", "window", "range"):
        assert found.provenance[key] == whole.provenance[key]


def test_what_validation_rolls_out_is_said(monkeypatch):
    data = competing(24)
    monkeypatch.setattr(batches, "MOST_VALIDATED", 12)
    in_batches(monkeypatch, data, 5)
    assert SINDy("exchangeable").fit_model(data).diagnostics.chosen["validation_runs"] == 12


def test_runs_that_validate_do_not_hang_on_their_order(monkeypatch):
    monkeypatch.setattr(batches, "MOST_VALIDATED", 10)
    ranks = np.random.default_rng(0).permutation(100)
    chosen = batches._evenly(ranks)
    assert {0, 99} <= set(ranks[chosen].tolist())
    np.testing.assert_array_equal(np.sort(ranks[chosen]), np.sort(ranks[::-1][batches._evenly(ranks[::-1])]))


def test_a_shard_that_can_not_be_fitted_is_refused():
    data = competing(8)
    short = Trajectories([*data.values[:7], data.values[7][:2]], [*data.times[:7], data.times[7][:2]])
    with pytest.raises(UnusableDataError, match=re.escape("expected at least 3 steps")):
        SINDy("exchangeable").fit(Shards(short, 3, []))


@pytest.mark.slow
def test_a_fit_takes_the_memory_of_a_shard(monkeypatch):
    """Four times the runs in shards of one size: what is kept of each is a small part of its values."""
    family, peaks = family_of("linear")(coupling="exchangeable"), []
    times = np.linspace(0.0, 1.0, 400)
    monkeypatch.setattr(pieces, "MOST_TOGETHER", 0)
    monkeypatch.setattr(pieces, "PIECE_ELEMENTS", 2000)
    monkeypatch.setattr(batches, "MOST_VALIDATED", 16)

    class Made(Shards):
        def runs_of(self, runs):
            starts = np.array([np.random.default_rng(r).uniform(0.5, 2.0, 8) for r in runs])
            return Trajectories(starts[:, None] * np.exp(-times[:, None]), times, runs=list(runs))

    for runs in (32, 96):
        labels = Trajectories(np.ones((runs, 1, 1)) + np.arange(runs)[:, None, None], [0.0])
        tracemalloc.start()
        family.fit(Made(labels, 16, []))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    values = (96 - 32) * 400 * 8 * 8
    assert peaks[1] - peaks[0] < 0.3 * values


@pytest.mark.slow
def test_a_fit_that_needs_runs_in_memory_takes_a_stated_sample(monkeypatch):
    data, family = competing(20, named=True), family_of("linear")(coupling="full")
    later = Shards(data, 6, [])
    whole = family.fit(later).model_
    assert_alike(whole, family.fit_model(data))
    monkeypatch.setattr(sampled_runs, "MOST_LOADED", 8 * data.values[0].nbytes)
    with pytest.warns(DataWarning, match="linear needs runs in memory: it is fitted to 8 of 20, drawn with seed 0"):
        law = family.fit(later).model_
    assert len(law.provenance["runs"]) == 8


def test_times_are_the_runs_own():
    with pytest.raises(ValueError, match="expected no times beside runs that are read later"):
        family_of("linear")(coupling="exchangeable").fit(Shards(competing(4), 2, []), t=0.1)
