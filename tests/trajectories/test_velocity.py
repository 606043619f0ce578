"""The velocity from before a window: a part of the data, compared, saved, and kept by whatever takes a part of them."""

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from trajectory_examples import rich

from ecodyn.errors import UnusableDataError
from ecodyn.trajectories import Trajectories, load

open_inputs = settings(max_examples=15, deadline=None, derandomize=True, database=None)
STATE = "signal,velocity"


def noise(lengths=(9, 6, 12), features=2, seed=0, **more):
    """Runs of unequal length, their times uneven and their own."""
    rng = np.random.default_rng(seed)
    values = [rng.uniform(1, 2, (T, features)) for T in lengths]
    return Trajectories(values, [np.cumsum(rng.uniform(0.5, 1.5, T)) for T in lengths], **more)


@st.composite
def windows(draw):
    """Windows of runs of unequal length, from before all runs to within them, and thinned or shortened after that."""
    lengths = draw(st.lists(st.integers(4, 9), min_size=1, max_size=3))
    whole = noise(lengths, seed=draw(st.integers(0, 99)))
    start = draw(st.floats(-1, 2))  # the third step of a run comes after 1.5 at the earliest
    part = whole.window(start, draw(st.floats(start + 4, 20)))
    return draw(
        st.sampled_from([part, part.every(2), part.thinned(2), part.head([1] * part.n_runs), part.select(features=[2])])
    )


@open_inputs
@given(windows())
def test_a_window_is_itself_after_a_file(tmp_path_factory, part):
    path = tmp_path_factory.mktemp("window") / "a.nc"
    part.save(path)
    for again in (load(path), Trajectories.from_dataset(part.to_dataset())):
        assert again == part
        np.testing.assert_array_equal(again.knows_before, part.knows_before)
        if (part.lengths > 1).all() or part.knows_before.all():
            np.testing.assert_array_equal(again.state(STATE), part.state(STATE))
        assert again.every(2) == part.every(2)
        assert again.select(runs=part.runs[:1]) == part.select(runs=part.runs[:1])


@open_inputs
@given(windows())
def test_selecting_and_windowing_commute(part):
    last = np.nanmax(part.times[:, 0])
    for run in part.runs:
        assert part.select(runs=[run]).window(-1, last) == part.window(-1, last).select(runs=[run])
    assert part.window(-1, 99) == part


def test_windows_with_different_pasts_differ():
    values = np.random.default_rng(0).uniform(1, 2, (2, 6, 2))
    other = values.copy()
    other[:, 0] += 1  # before both windows
    one, another = (Trajectories(v, np.arange(6)).window(2, 5) for v in (values, other))
    np.testing.assert_array_equal(one.values, another.values)
    assert one != another
    assert one != Trajectories(values[:, 2:], np.arange(2, 6))


def test_a_run_of_which_nothing_was_cut_away_is_as_it_was():
    whole = Trajectories(np.random.default_rng(0).random((2, 5, 2)), [np.arange(5), np.arange(5) + 10])
    cut = whole.window(2, 14)
    assert cut.knows_before.tolist() == [True, False]
    assert cut.select(runs=1) == whole.select(runs=1)
    assert whole.window(0, 99) == whole
    assert whole.head([3, 3]) == Trajectories(whole.values[:, :3], whole.times[:, :3])


def test_only_what_was_cut_carries_a_velocity(tmp_path):
    whole = noise()
    assert "backward_velocity" not in whole.to_dataset()
    assert "velocity" not in repr(whole)
    part = whole.window(2, 99)
    assert part.to_dataset()["backward_velocity"].dims == ("run", "step", "feature")
    assert "velocity from before" in repr(part)
    part.save(tmp_path / "a.nc")
    with xr.open_dataset(tmp_path / "a.nc", engine="h5netcdf") as ds:
        assert ds.attrs["ecodyn_schema"] == 1
        changed = ds.load().assign(backward_velocity=ds["backward_velocity"] + 1)
    changed.to_netcdf(tmp_path / "b.nc", engine="h5netcdf")
    with pytest.raises(UnusableDataError, match="checksum"):
        load(tmp_path / "b.nc")


def test_a_window_without_its_velocity_loads_as_files_of_earlier_versions_do(tmp_path):
    part = noise().window(2, 99)
    part.to_dataset().drop_vars("backward_velocity").to_netcdf(tmp_path / "a.nc", engine="h5netcdf")
    old = load(tmp_path / "a.nc")
    assert not old.knows_before.any()
    np.testing.assert_array_equal(old.values, part.values)
    assert old != part


def test_csv_says_that_it_leaves_the_velocity_out(tmp_path):
    with pytest.warns(UserWarning, match="left out: backward_velocity"):
        noise().window(2, 99).save(tmp_path / "a.csv")


@pytest.mark.parametrize(
    ("place", "value", "fault"),
    [
        ((0, 2, 0), np.nan, "is NaN at run 0, step index 2"),
        ((1, 7, 0), 1.0, "goes on after the end of values at run 1"),
    ],
)
def test_a_velocity_with_holes_or_without_a_signal_is_refused(place, value, fault):
    velocity = np.where(np.isnan(noise().values), np.nan, 0.5)
    velocity[place] = value
    with pytest.raises(UnusableDataError, match=fault):
        noise(backward_velocity=velocity)


def test_a_velocity_of_another_shape_is_refused():
    with pytest.raises(UnusableDataError, match="backward_velocity has shape"):
        noise(backward_velocity=np.ones((3, 12, 5)))


def test_velocity_is_the_mean_change_over_the_three_steps_before():
    whole = rich()
    x, t = whole.values[0], whole.times[0]
    velocity = whole.state("signal,velocity")[0, :, :, 1]
    np.testing.assert_array_equal(velocity[4], (x[4] - x[1]) / (t[4] - t[1]))
    np.testing.assert_array_equal(velocity[1], (x[1] - x[0]) / (t[1] - t[0]))  # one step before is all there is
    np.testing.assert_array_equal(velocity[0], (x[3] - x[0]) / (t[3] - t[0]))  # none: the three after
    assert not whole.knows_before.any()


def test_a_window_remembers_the_velocity_from_before_it():
    whole = rich()
    t = whole.times[0]
    later = whole.window(t[1], np.inf)
    assert later.knows_before.all()
    velocity = whole.state("signal,velocity")[0, :, :, 1]
    for part in (later, later.select(features=later.features[::-1]), later.every(2), later.head([2] * later.n_runs)):
        rows = np.searchsorted(t, part.times[0, : part.lengths[0]])
        expected = velocity[rows][:, :: -1 if part.features[0] != whole.features[0] else 1]
        np.testing.assert_array_equal(part.state("signal,velocity")[0, : part.lengths[0], :, 1], expected)
        picked = part.select(runs=whole.runs[:1])
        np.testing.assert_array_equal(picked.state("signal,velocity")[0, ..., 1], expected)


def test_velocity_of_a_single_step_is_refused():
    whole = rich()
    with pytest.raises(UnusableDataError, match="two steps"):
        whole.head([1] * whole.n_runs).state("signal,velocity")
