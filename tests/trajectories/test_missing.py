"""Missing values are stated by a mask, kept through cuts and files, and never guessed."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import ecodyn
from ecodyn import Trajectories, UnusableDataError
from ecodyn.errors import DataWarning

R, T, K = 3, 8, 2
SIGNAL = np.random.default_rng(0).random((R, T, K)) + 1
TIMES = np.cumsum(np.random.default_rng(1).random(T) + 0.5)
pytestmark = pytest.mark.filterwarnings("ignore:.*are missing:ecodyn.DataWarning")

masks = arrays(bool, (R, T, K)).filter(lambda m: not m.all(axis=1).any() and (~m.any(axis=2)).any(axis=1).all())


def with_mask(mask, **more):
    return Trajectories(SIGNAL, TIMES, missing=mask, **more)


def holed(*places):
    mask = np.zeros((R, T, K), dtype=bool)
    for place in places:
        mask[place] = True
    return mask


def test_a_hole_without_a_mask_is_refused_with_the_argument_that_states_it():
    holed = np.where(np.arange(T)[:, None] == 3, np.nan, SIGNAL)
    with pytest.raises(UnusableDataError, match=r"missing=np\.isnan\(values\)"):
        Trajectories(holed, TIMES)


@pytest.mark.filterwarnings("ignore:.*ends in:ecodyn.DataWarning")
@given(masks)
def test_the_mask_is_what_was_stated_within_each_run(mask):
    runs = with_mask(mask)
    for r, n in enumerate(runs.lengths):
        assert np.array_equal(runs.missing[r, :n], mask[r, :n])
        assert mask[r, n:].all()  # a run ends with its last value
    assert np.array_equal(np.isnan(runs.values), runs.missing | np.isnan(runs.times)[..., None])


@pytest.mark.filterwarnings("ignore:.*ends in:ecodyn.DataWarning")
@given(masks)
def test_masked_arrays_state_their_mask(mask):
    assert Trajectories(np.ma.MaskedArray(SIGNAL, mask), TIMES) == with_mask(mask)
    listed = [np.ma.MaskedArray(x, m) for x, m in zip(SIGNAL, mask, strict=True)]
    assert Trajectories(listed, TIMES) == with_mask(mask)


@pytest.mark.filterwarnings("ignore:.*ends in:ecodyn.DataWarning")
@given(masks)
def test_complete_steps_are_those_with_every_value(mask):
    whole = with_mask(mask).complete()
    assert not whole.lacks_values
    for r, n in enumerate(whole.lengths):
        rows = ~mask[r].any(axis=1)
        assert np.array_equal(whole.values[r, :n], SIGNAL[r, rows])
        assert np.array_equal(whole.times[r, :n], TIMES[rows])


@pytest.mark.filterwarnings("ignore:.*ends in:ecodyn.DataWarning")
@given(masks, st.sampled_from(["signal", "signal,velocity", "signal,gradient", "signal,gradient@start"]))
def test_a_state_is_that_of_the_complete_steps_at_their_places(mask, channels):
    runs = with_mask(mask, observables={"gradient": SIGNAL + 1})
    single = runs.complete().lengths < 2
    if "velocity" in channels and not runs.complete().knows_before[single].all():
        with pytest.raises(UnusableDataError, match="tell a velocity"):
            runs.state(channels)
        return
    state, packed = runs.state(channels), runs.complete().state(channels)
    for r in range(R):
        rows = np.flatnonzero(~np.isnan(state[r, :, 0, 0]))
        assert np.array_equal(rows, np.flatnonzero(~mask[r].any(axis=1)))
        assert np.array_equal(state[r, rows], packed[r, : len(rows)])


@pytest.mark.filterwarnings("ignore:.*ends in:ecodyn.DataWarning")
@given(mask=masks)
@settings(max_examples=25)  # each writes a file
def test_files_and_datasets_keep_the_mask(tmp_path_factory, mask):
    path = tmp_path_factory.mktemp("masked") / "runs.nc"
    runs = with_mask(mask)
    runs.save(path)
    assert ecodyn.load(path) == runs
    assert Trajectories.from_dataset(runs.to_dataset()) == runs


@pytest.mark.filterwarnings("ignore:.*ends in:ecodyn.DataWarning")
@given(masks)
@example(holed((0, slice(1, 7), 0)))  # a run without a complete step in the window
@example(holed((0, slice(1, T))))  # one that ends before it
def test_parts_keep_their_part_of_the_mask(mask):
    runs, expected = with_mask(mask), mask[[2, 0], 1:7][:, :, [1]]
    if expected.all(axis=(1, 2)).any() or mask[:, 1:7].all(axis=(1, 2)).any():
        ended = mask[:, 1:].all(axis=(1, 2)).any()  # a run ends with its last value: that one has no step there at all
        sentence = "has no step in the window" if ended else "every one is missing of runs"
        with pytest.raises(UnusableDataError, match=sentence):
            runs.window(TIMES[1], TIMES[6]).select(runs=[2, 0], features=[2])
        return
    part = runs.window(TIMES[1], TIMES[6]).select(runs=[2, 0], features=[2])
    for r, n in enumerate(part.lengths):
        assert np.array_equal(part.missing[r, :n], expected[r, :n])
        assert expected[r, n:].all()


def test_what_is_missing_is_said_with_counts():
    mask = np.zeros((R, T, K), dtype=bool)
    mask[0, 2, 1] = mask[1, 2:4, 0] = True
    with pytest.warns(DataWarning, match=r"3 of 48 values are missing \(the 3 incomplete steps"):
        with_mask(mask)


@pytest.mark.parametrize(
    ("mask", "sentence"),
    [
        (np.zeros((R, T, K)), "booleans"),
        (np.zeros((R, T, K + 1), dtype=bool), "shape"),
        (np.zeros((R - 1, T, K), dtype=bool), "has 2 runs"),
        (np.arange(K) == np.zeros((R, T, 1)), "feature 1 is missing throughout in run 0"),
    ],
)
def test_masks_that_do_not_fit_are_refused(mask, sentence):
    with pytest.raises(UnusableDataError, match=sentence):
        with_mask(mask)


def test_a_run_without_a_complete_step_is_named():
    mask = np.zeros((R, T, K), dtype=bool)
    mask[1, ::2, 0] = mask[1, 1::2, 1] = True
    with pytest.raises(UnusableDataError, match="runs 1 have none"):
        with_mask(mask).complete()
