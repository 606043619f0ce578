"""What is asked of runs before they are read gives what the same gives of runs that are there."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from trajectory_examples import quietly, rich, waves

import ecodyn
from ecodyn import Collection, Trajectories, UnusableDataError
from ecodyn.trajectories.collection.assembly import assembled
from ecodyn.trajectories.collection.facts import Facts, Measured, outline
from ecodyn.trajectories.parts import take_runs

pytestmark = pytest.mark.filterwarnings("ignore::ecodyn.DataWarning")


class InMemory:
    """Runs that are there, read as if they were not, and nothing known of their lengths if `told` is false."""

    def __init__(self, runs, told=True):
        self._data = runs._data
        self.files, found = (), Measured()
        found.add(runs.times, runs.lengths)
        times = found.times if told else None
        self.facts = Facts(outline(self._data), runs.n_steps, runs.lacks_values, times)

    def read(self, positions):
        return take_runs(self._data, list(positions))

    def problems(self):
        return []


def driven():
    """Runs with inputs of their own, values that are missing, and lengths and times of their own."""
    rng = np.random.default_rng(4)
    lengths = [7, 9, 8, 9, 6]
    values = [rng.uniform(1, 2, (n, 3)) for n in lengths]
    missing = [rng.random((n, 3)) < 0.1 for n in lengths]
    curves = [ecodyn.Input("lr", [0, 10 + r], [0.1, 0.2 + r], "linear") for r in range(5)]
    steps = [np.arange(n) + 0.1 * r for r, n in enumerate(lengths)]
    return quietly(values, steps, missing=missing, inputs={"lr": curves}, settings={"dim": range(5)})


EXAMPLES = {
    "plain": waves(R=5, settings={"dim": [8, 16, 8, 16, 8]}, cluster=["a", "a", "b", "c", "c"]),
    "rich": rich(),
    "windowed": waves(R=5, T=30).window(30, 120),
    "of unequal length": quietly([np.arange(3.0 + n)[:, None] ** [1, 2] for n in (4, 2, 5)], range(8)),
    "driven": driven(),
}
each = pytest.mark.parametrize("runs", EXAMPLES.values(), ids=EXAMPLES)


@each
def test_what_is_known_is_that_of_the_runs(runs):
    later = Collection.of(InMemory(runs))
    assert later.runs.tolist() == runs.runs.tolist()
    assert later.features.tolist() == runs.features.tolist()
    assert later.clusters.tolist() == runs.clusters.tolist()
    assert later.lengths.tolist() == runs.lengths.tolist()
    assert {k: v.tolist() for k, v in later.settings.items()} == {k: v.tolist() for k, v in runs.settings.items()}
    assert (later.observables, later.curves) == (tuple(runs.observables), tuple(runs.curves))
    assert later.inputs == {name: curves[0].kind for name, curves in runs.inputs.items()}
    assert (later.labels_shared, later.provenance) == (runs.labels_shared, runs.provenance)
    assert (later.shape, later.n_clusters, len(later)) == (runs.shape, runs.n_clusters, len(runs))
    assert later.span == (np.nanmin(runs.times), np.nanmax(runs.times))
    same_times(later, runs)


def same_times(later, runs):
    assert later.lengths.tolist() == runs.lengths.tolist()
    assert later.shares_times == runs.shares_times
    if runs.shares_times:
        assert later.steps.tolist() == runs.steps.tolist()
    else:
        with pytest.raises(UnusableDataError, match="differ from run to run"):
            _ = later.steps


@each
def test_shards_are_all_runs_in_order(runs):
    later = Collection.of(InMemory(runs))
    assert later.load() == runs
    for size in (1, 2, len(runs)):
        parts = list(later.shards(runs=size))
        assert [part.n_runs for part in parts[:-1]] == [size] * (len(parts) - 1)
        assert parts == [runs[first : first + size] for first in range(0, len(runs), size)]
    assert [part.n_runs for part in later.shards(most_bytes=1)] == [1] * len(runs)
    assert list(later.shards()) == [runs]


@each
def test_runs_are_read_by_position(runs):
    later = Collection.of(InMemory(runs))
    assert later.runs_of([2, 0]) == runs[[2, 0]]
    assert later.runs_of(range(-1, 0)) == runs[[-1]]
    for places, sentence in (([], "positions of some"), ([9], "positions of some"), ([1, 1], "asked for twice")):
        with pytest.raises(IndexError, match=sentence):
            later.runs_of(places)


@st.composite
def some_steps(draw, runs):
    """Names and arguments of what can be done to runs, one after the other."""
    kinds = draw(st.lists(st.sampled_from(["window", "every", "runs", "features"]), min_size=1, max_size=4))
    first, last = float(runs.times[:, 0].min()), float(np.nanmax(runs.times))
    bounds = st.floats(first, last)
    steps = []
    for kind in kinds:
        if kind == "window":
            steps.append((kind, sorted([draw(bounds), draw(bounds)])))
        elif kind == "every":
            steps.append((kind, draw(st.integers(1, 4))))
        else:
            labels = (runs.runs if kind == "runs" else runs.features).tolist()
            steps.append((kind, draw(st.lists(st.sampled_from(labels), min_size=1, unique=True))))
    return steps


def done(data, steps):
    """The same to runs that are there and to those that are not; the words of what refuses it."""
    try:
        for kind, argument in steps:
            if kind == "window":
                data = data.window(*argument)
            else:
                data = data.every(argument) if kind == "every" else data.select(**{kind: argument})
        return data if not isinstance(data, Collection) else (data, data.load())
    except UnusableDataError as error:
        return str(error)


@each
@given(data=st.data(), told=st.booleans(), size=st.integers(1, 5))
@settings(max_examples=8, deadline=None, derandomize=True, database=None)
def test_parts_are_the_same_read_later_as_taken_at_once(runs, data, told, size):
    steps = data.draw(some_steps(runs))
    expected, found = done(runs, steps), done(Collection.of(InMemory(runs, told)), steps)
    if isinstance(expected, str):
        if told and runs.shares_times and not runs.lacks_values:
            assert found == expected
        return  # else a run that has no step in a window is not read, and not missed, if it is left out later
    later, read = found
    assert read == expected
    assert list(later.shards(runs=size)) == [expected[n : n + size] for n in range(0, len(expected), size)]
    same_times(later, expected)
    assert later.shape == expected.shape


def test_what_is_not_there_is_refused_in_the_same_words():
    runs = waves(R=4, settings={"dim": [8, 16, 8, 32]})
    later = Collection.of(InMemory(runs))
    assert later.select(dim=[8, 32]).load() == runs.select(dim=[8, 32])
    assert later.select(dim=8, runs=[2]).settings["dim"].tolist() == [8]
    for wrong in ({"dim": 5}, {"width": 5}, {"runs": 7}, {"features": 9}):
        messages = []
        for some in (runs, later):
            with pytest.raises(UnusableDataError) as error:
                some.select(**wrong)
            messages.append(str(error.value))
        assert messages[0] == messages[1]
    for some in (runs, later):
        with pytest.raises(ValueError, match=r"expected every\(n\)"):
            some.every(0)


def test_wrong_sizes_of_shards_are_refused_at_once():
    later = Collection.of(InMemory(waves()))
    for wrong in ({"runs": 0}, {"most_bytes": 0}, {"runs": 1, "most_bytes": 1}):
        with pytest.raises(ValueError, match="expected one of runs and most_bytes"):
            later.shards(**wrong)


def test_a_shard_takes_no_more_bytes_than_asked_for():
    runs = waves(R=40, T=50, K=6)
    sizes = [part.values.nbytes for part in Collection.of(InMemory(runs)).shards(most_bytes=20_000)]
    assert max(sizes) <= 20_000
    assert sum(sizes) == runs.values.nbytes
    assert max(sizes) > 10_000


def test_nothing_is_known_of_the_lengths_of_parts_but_by_reading_where_values_are_missing():
    runs = driven()
    part = Collection.of(InMemory(runs)).select(features=[1])
    assert part._facts.times is None
    assert part.lengths.tolist() == runs.select(features=[1]).lengths.tolist()


@each
@given(cuts=st.sets(st.integers(1, 4)))
@settings(max_examples=6, deadline=None, derandomize=True, database=None)
def test_putting_together_undoes_cutting_apart(runs, cuts):
    ends = [0, *sorted(cut for cut in cuts if cut < len(runs)), len(runs)]
    parts = [runs[first:last] for first, last in pairwise(ends)]
    assert Trajectories._derived(assembled([part._data for part in parts])) == runs
    together = Trajectories.concat(parts)
    assert together.runs.tolist() == runs.runs.tolist()
    assert together.lengths.tolist() == runs.lengths.tolist()
    assert together.settings.keys() == runs.settings.keys()
    assert all(np.array_equal(together.settings[name], values) for name, values in runs.settings.items())
    for name, array in runs.observables.items():
        assert np.array_equal(together.observables[name], array, equal_nan=True)
    assert np.array_equal(together.times, runs.times, equal_nan=True)
    assert np.array_equal(together.observable("velocity"), runs.observable("velocity"), equal_nan=True)
