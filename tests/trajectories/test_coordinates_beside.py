"""xarray's arrays with coordinates named as the dimensions of trajectories, beside dimensions of other names."""

import warnings

import numpy as np
import pytest

from ecodyn import DataWarning, as_trajectories

xr = pytest.importorskip("xarray")

VALUES = np.random.default_rng(0).uniform(1, 2, (2, 4, 3))
STEPS = [0, 10, 20, 30]


def array(dims=("run", "time", "species"), values=VALUES, **coordinates):
    return xr.DataArray(values, dims=dims, coords=coordinates)


def read(of, sentence):
    """What it comes to, with one warning of that kind and no other."""
    with pytest.warns(DataWarning, match=sentence) as said:
        runs = as_trajectories(of)
    assert len(said) == 1
    assert said[0].filename == __file__
    return runs


def test_steps_of_a_time_dimension_without_values_are_its_times():
    runs = read(array(step=("time", STEPS)), "time has no coordinate of its own: its coordinate step is taken")
    assert runs.steps.tolist() == STEPS
    assert np.array_equal(runs.values, VALUES)


def test_times_of_the_dimension_itself_come_first():
    runs = read(array(step=("time", STEPS), time=[1, 2, 3, 4]), "time is taken as the step: the coordinate step is le")
    assert runs.steps.tolist() == [1, 2, 3, 4]
    assert np.array_equal(runs.values, VALUES)


def test_a_step_of_the_whole_array_is_left_out():
    assert read(array(step=5), "the coordinate step is left out").steps.tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize(("dim", "role", "labels"), [("seed", "run", ["a", "b"]), ("species", "feature", list("xyz"))])
def test_labels_beside_a_dimension_of_another_name_are_its_labels(dim, role, labels):
    dims = tuple("seed" if d == "run" else d for d in ("run", "time", "species"))
    runs = read(array(dims, **{role: (dim, labels)}), f"{dim} has no coordinate of its own: its coordinate {role}")
    assert (runs.runs if role == "run" else runs.features).tolist() == labels
    assert np.array_equal(runs.values, VALUES)


def test_labels_along_another_dimension_are_left_out():
    one = array(("time", "species"), VALUES[0], run=("time", list("abcd")))
    runs = read(one, "there is no dimension run: the coordinate run along time is left out")
    assert runs.runs.tolist() == [0]
    assert np.array_equal(runs.values, VALUES[:1])


def test_a_dataset_of_a_variable_a_feature_is_read_alike():
    one = array(("run", "time"), VALUES[:, :, 0], step=("time", STEPS))
    runs = read(xr.Dataset({"hare": one, "lynx": one + 1}), "its coordinate step is taken")
    assert runs.steps.tolist() == STEPS
    assert runs.features.tolist() == ["hare", "lynx"]


def test_nothing_is_said_where_no_coordinate_stands_in_the_way():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert as_trajectories(array(time=STEPS, species=list("xyz"))).features.tolist() == ["x", "y", "z"]
        assert as_trajectories(array(("time", "site"), VALUES[0], run=7, time=STEPS)).runs.tolist() == [7]
