"""Arrays in containers of every kind: read as they are meant, or refused with what to pass instead."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import ecodyn
from ecodyn import Trajectories, as_trajectories
from ecodyn.errors import DataWarning, UnusableDataError
from ecodyn.trajectories.paths import RECORDING_SUFFIX

T = 6
TIMES = np.arange(T) * 100.0


def values(*shape):
    return np.random.default_rng(0).random(shape)


def frame(seed=0):
    data = np.random.default_rng(seed).random((T, 2))
    return pd.DataFrame(data, columns=["hare", "lynx"], index=pd.Index(TIMES, name="step"))


# ------------------------------------------------------------------------------------------------ times of arrays


@pytest.mark.parametrize("name", ["time", "iteration", "epoch", "t", "global_step"])
def test_a_coordinate_along_the_steps_has_their_times(name):
    array = xr.DataArray(values(T, 2), dims=("step", "feature"), coords={name: ("step", TIMES)})
    np.testing.assert_array_equal(as_trajectories(array).times[0], TIMES)
    with pytest.raises(ValueError, match=f"coordinate {name}"):
        as_trajectories(array, 0.5)


@pytest.mark.parametrize("dims", [("run", "step"), ("step", "run")])
def test_times_of_each_run(dims):
    times = np.stack([TIMES, TIMES + 1])
    coordinate = (dims, times if dims[0] == "run" else times.T)
    array = xr.DataArray(values(2, T, 3), dims=("run", "step", "feature"), coords={"time": coordinate})
    np.testing.assert_array_equal(as_trajectories(array).times, times)


def test_several_coordinates_that_may_be_the_time():
    array = xr.DataArray(values(T, 2), dims=("step", "feature"))
    array = array.assign_coords(time=("step", TIMES), epoch=("step", TIMES / 50))
    with pytest.raises(UnusableDataError, match="several coordinates"):
        as_trajectories(array)


@pytest.mark.parametrize("step", ["step", "time"])
def test_the_coordinate_of_the_dimension_comes_first(step):
    other = "step" if step == "time" else "time"
    array = xr.DataArray(values(T, 2), dims=(step, "feature"), coords={step: TIMES, other: (step, TIMES / 50)})
    with pytest.warns(DataWarning, match=f"left out, beside it: {other}|the coordinate {other} is left out"):
        np.testing.assert_array_equal(as_trajectories(array).times[0], TIMES)


def test_a_variable_of_times_is_no_feature():
    ds = xr.Dataset({"hare": ("step", values(T)), "lynx": ("step", 1 - values(T)), "time": ("step", TIMES)})
    runs = as_trajectories(ds)
    assert runs.features.tolist() == ["hare", "lynx"]
    np.testing.assert_array_equal(runs.times[0], TIMES)


# ---------------------------------------------------------------------------------------------------- containers


@pytest.mark.parametrize("as_given", [lambda s: s, lambda s: [s, s, s], lambda s: [frame(), s]])
def test_series_are_no_tables(as_given):
    with pytest.raises(UnusableDataError, match="to_frame"):
        as_trajectories(as_given(frame()["hare"]))


def test_a_dict_names_its_runs():
    runs = as_trajectories({"a": frame(0), "b": frame(1)})
    assert runs.runs.tolist() == ["a", "b"]
    np.testing.assert_array_equal(runs.values, [frame(0), frame(1)])
    np.testing.assert_array_equal(runs.times[0], TIMES)


def test_a_dict_of_arrays_and_their_times():
    parts = {3: values(T, 2), 5: values(T - 2, 2)}
    runs = as_trajectories(parts, {3: TIMES, 5: TIMES[2:]})
    assert runs.runs.tolist() == [3, 5]
    np.testing.assert_array_equal(runs.values[1, : T - 2], parts[5])
    np.testing.assert_array_equal(runs.times[1, : T - 2], TIMES[2:])
    with pytest.raises(ValueError, match="times for each"):
        as_trajectories(parts, {3: TIMES})


@pytest.mark.parametrize("X", [{}, {"a": 1}, {"hare": [1.0, 2.0], "lynx": [2.0, 3.0]}])
def test_a_dict_of_no_runs(X):
    with pytest.raises(UnusableDataError, match=r"expected a dict of runs|got an empty dict"):
        as_trajectories(X)


def groups():
    return pd.concat([frame(0), frame(1)], keys=["a", "b"], names=["run"]).groupby("run")


@pytest.mark.parametrize(
    ("make", "todo"),
    [
        (groups, r"for _, group in X\]"),
        (lambda: list(groups()), r"for _, group in X\]"),
        (lambda: (part for part in [frame(0)]), r"list\(X\)"),
        (lambda: {"a": frame()}.values(), r"list\(X\)"),
        (lambda: np.array([values(T, 2), values(3, 2), None], dtype=object)[:2], r"list\(X\)"),
    ],
    ids=["groups", "pairs", "generator", "view", "objects"],
)
def test_other_containers_are_refused_with_what_to_pass(make, todo):
    with pytest.raises(UnusableDataError, match=todo):
        as_trajectories(make())


def test_sparse_tensors():
    torch = pytest.importorskip("torch")
    dense = torch.tensor(values(T, 2))
    with pytest.raises(UnusableDataError, match=r"to_dense\(\)"):
        as_trajectories(dense.to_sparse())
    np.testing.assert_array_equal(as_trajectories(dense).values[0], dense.numpy())


# --------------------------------------------------------------------------------------------------------- times


@pytest.mark.parametrize("X", [values(T, 2), values(2, T, 2), [values(T, 2)]])
def test_a_spacing_in_an_array_of_no_dimension(X):
    np.testing.assert_array_equal(as_trajectories(X, np.array(0.1)).times, as_trajectories(X, 0.1).times)


@pytest.mark.parametrize("t", [True, np.True_, np.array(True)])
def test_true_is_no_spacing(t):
    with pytest.raises(ValueError, match="spacing of the steps"):
        as_trajectories(values(T, 2), t)


def test_steps_that_doubles_do_not_tell_apart():
    steps = np.arange(T, dtype=np.uint64) + np.uint64(2**60)
    with pytest.raises(UnusableDataError, match=r"each whole number above 2\^53"):
        Trajectories(values(1, T, 2), steps)
    Trajectories(values(1, T, 2), steps - steps[0])


# --------------------------------------------------------------------------------------------------------- files


@pytest.mark.parametrize(
    ("name", "todo"), [("x.xlsx", "save the sheet as CSV"), ("x.csv.gz", "decompress"), ("x.txt", "rename it")]
)
def test_files_of_other_kinds(tmp_path, name, todo):
    (tmp_path / name).write_bytes(b"something")
    with pytest.raises(UnusableDataError, match=rf"\.tsv \.jsonl \.parquet.*{todo}"):
        ecodyn.load(tmp_path / name)


def test_folders(tmp_path):
    with pytest.raises(UnusableDataError, match="ecodyn extract"):
        ecodyn.load(tmp_path)
    with pytest.raises(FileNotFoundError):
        ecodyn.load(tmp_path / "none")


def test_a_file_that_is_being_recorded(tmp_path):
    path = tmp_path / "seed_0.nc"
    journal = tmp_path / (path.name + RECORDING_SUFFIX)
    journal.write_bytes(b"")
    with pytest.raises(FileNotFoundError, match=r"being recorded.*ecodyn\.extract"):
        ecodyn.load(path)
    with pytest.raises(UnusableDataError, match=r"ecodyn\.extract"):
        ecodyn.load(journal)
    as_trajectories(values(T, 2)).save(path)
    assert ecodyn.load(path).n_steps == T
