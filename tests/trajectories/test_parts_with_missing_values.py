"""Laws of parts of runs with missing values: cuts commute, files give them back, no other run or feature is asked."""

import warnings

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import ecodyn
from ecodyn import Trajectories, UnusableDataError
from ecodyn.errors import DataWarning
from ecodyn.trajectories.velocity import STEPS

R, T, K = 2, 8, 3
SIGNAL = np.random.default_rng(0).random((R, T, K)) + 1
TIMES = np.cumsum(np.random.default_rng(1).random((R, T)) + 0.5, axis=1)
pytestmark = pytest.mark.filterwarnings("ignore:.*(are missing|ends in):ecodyn.DataWarning")

masks = arrays(bool, (R, T, K)).filter(lambda m: not m.all(axis=1).any())
windows = st.tuples(st.floats(0, 9), st.floats(0, 9)).map(sorted)
features = st.lists(st.sampled_from([1, 2, 3]), min_size=1, max_size=K, unique=True)
cuts = {
    "window": lambda t: lambda runs: runs.window(TIMES[:, 2].min(), TIMES[:, t].max()),
    "every": lambda t: lambda runs: runs.every(1 + t // 3),
    "head": lambda t: lambda runs: runs.head(np.minimum(runs.lengths, t).tolist()),
    "features": lambda t: lambda runs: runs.select(features=[[1, 3], [2], [3, 2]][t % 3]),
    "run": lambda t: lambda runs: runs.select(runs=[t % R]),
    "complete": lambda t: lambda runs: runs.complete(),
    "since_complete": lambda t: lambda runs: runs.since_complete(),
}


def holed(mask, signal=SIGNAL, times=TIMES):
    return Trajectories(signal, times, missing=mask)


def lacking_from_the_fifth_step():
    mask = np.zeros((R, T, K), dtype=bool)
    mask[0, 4:, 1] = True
    return holed(mask, times=np.arange(float(T)))


def part_or_none(make):
    """None where nothing is left."""
    try:
        return make()
    except UnusableDataError:
        return None


def test_a_window_is_not_refused_for_another_run_or_feature():
    runs = lacking_from_the_fifth_step()
    late = runs.window(4, 7)
    assert late.select(features=[1, 3]) == runs.select(features=[1, 3]).window(4, 7)
    assert late.select(runs=1) == runs.select(runs=1).window(4, 7)
    assert not late.select(runs=1).lacks_values
    for ask in (late.complete, late.since_complete, late.state):
        with pytest.raises(UnusableDataError, match="runs 0 have none"):
            ask()
    assert late.warnings  # what looks odd can be said of a part that lacks a series


@given(masks, windows, features)
def test_windows_and_selected_features_commute(mask, window, chosen):
    runs = holed(mask)
    first = part_or_none(lambda: runs.window(*window).select(features=chosen))
    assert first == part_or_none(lambda: runs.select(features=chosen).window(*window))


@given(masks, st.sampled_from(range(R)), st.sampled_from(range(K)))
def test_a_velocity_is_that_of_the_features_own_values(mask, r, k):
    runs = holed(mask)
    velocity = runs.observable("velocity")
    there = np.flatnonzero(~mask[r, :, k])
    for i, t in enumerate(there[1:], start=1):
        before = there[max(i - STEPS, 0)]
        assert velocity[r, t, k] == (SIGNAL[r, t, k] - SIGNAL[r, before, k]) / (TIMES[r, t] - TIMES[r, before])
    assert np.isnan(velocity[runs.missing]).all()


@given(masks, st.lists(st.tuples(st.sampled_from(sorted(cuts)), st.integers(1, T - 1)), min_size=1, max_size=3))
@settings(max_examples=60)  # each writes two files
@pytest.mark.slow
def test_files_give_parts_back(tmp_path_factory, mask, chosen):
    part = holed(mask)
    try:
        for name, t in chosen:
            part = cuts[name](t)(part)
    except UnusableDataError:
        assume(False)
    folder = tmp_path_factory.mktemp("parts")
    if (part.missing.sum(axis=1) == part.lengths[:, None]).any():
        with pytest.raises(UnusableDataError, match="is missing throughout in run"):
            part.save(folder / "part.nc")
        return
    part.save(folder / "part.nc")
    assert ecodyn.load(folder / "part.nc") == part
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*signal only; left out: backward_velocity")
        part.save(folder / "part.csv")
    again, alone = ecodyn.load(folder / "part.csv"), part.to_dataset()
    assert again == Trajectories.from_dataset(alone.drop_vars("backward_velocity", errors="ignore"))


def test_a_noted_mask_leaves_no_remark(tmp_path):
    runs = lacking_from_the_fifth_step()
    runs.save(tmp_path / "runs.csv")
    with pytest.warns(DataWarning) as said:
        again = ecodyn.load(tmp_path / "runs.csv")
    assert again == runs
    assert again.provenance == {}
    assert not any("kept as NaN" in str(w.message) for w in said)
    assert Trajectories.from_dataframe(runs.to_dataframe("long")) == runs


@pytest.mark.parametrize("dtype", [np.int64, np.uint8, np.bool_])
def test_masked_whole_numbers_and_booleans_are_missing_where_they_are_masked(dtype):
    values = np.array([[[0, 1], [1, 0], [1, 1], [0, 0]]]).astype(dtype)
    mask = np.zeros(values.shape, dtype=bool)
    mask[0, 1, 0] = mask[0, 2, 1] = True
    runs = Trajectories(np.ma.array(values, mask=mask), np.arange(4))
    assert np.array_equal(runs.missing, mask)
    assert np.array_equal(runs.values[~mask], values[~mask].astype(float))
    assert Trajectories([np.ma.array(values[0], mask=mask[0])], np.arange(4)) == runs


def test_the_advice_to_state_a_mask_is_given_where_it_helps():
    def broken(number):
        return np.where(np.arange(T)[:, None] == 3, number, SIGNAL)

    with pytest.raises(UnusableDataError, match=r"missing=np\.isnan\(values\)") as told:
        Trajectories(broken(np.nan), TIMES)
    assert Trajectories(broken(np.nan), TIMES, missing=np.isnan(broken(np.nan))).lacks_values
    with pytest.raises(UnusableDataError, match=r"missing=~np\.isfinite\(values\)"):
        Trajectories(broken(np.inf), TIMES)
    assert Trajectories(broken(np.inf), TIMES, missing=~np.isfinite(broken(np.inf))).lacks_values
    for beside in ({"observables": {"gradient": broken(np.nan)}}, {"curves": {"loss": broken(np.nan)[:, :, 0]}}):
        with pytest.raises(UnusableDataError, match=r"leave (gradient|loss) or the run out") as told:
            Trajectories(SIGNAL, TIMES, **beside)
        assert "missing=" not in str(told.value)
