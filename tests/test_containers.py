"""Whatever holds trajectories, the law that is fitted to them is the same."""

import numpy as np
import pandas as pd
import pytest
import torch
import xarray as xr

import ecodyn
from ecodyn import Trajectories, as_trajectories

SHIPPED = "data/circles_p59_d128.nc"
NAMES = ["hare", "lynx", "owl", "fox"]
pytestmark = pytest.mark.filterwarnings("error")


@pytest.fixture(scope="module")
def shipped():
    """A part of the shipped trajectories that is quick to fit: four runs, four frequencies, uneven times."""
    part = ecodyn.load(SHIPPED).select(runs=[0, 1, 2, 3], features=[1, 2, 3, 4]).window(60, 400)
    rows = np.unique(np.round(np.linspace(0, np.sqrt(part.n_steps - 1), 40) ** 2).astype(int))
    return Trajectories(part.values[:, rows], part.steps[rows], NAMES, labels_shared=True)


def law_of(data, t=None):
    return ecodyn.Linear().fit(data, t=t).model_


def array(runs):
    return xr.DataArray(
        runs.values, dims=("run", "step", "feature"), coords={"step": runs.steps, "feature": runs.features}
    )


def tables(runs):
    index = pd.Index(runs.steps, name="step")
    return [pd.DataFrame(x, columns=list(runs.features), index=index) for x in runs.values]


def wide(runs):
    parts = [table.reset_index().assign(run=run) for run, table in zip(runs.runs, tables(runs), strict=True)]
    return pd.concat(parts, ignore_index=True)


def long(runs):
    return wide(runs).melt(id_vars=["run", "step"], var_name="feature", value_name="value")


CONTAINERS = {
    "array, t": lambda runs: (runs.values, runs.steps),
    "list of arrays, t": lambda runs: (list(runs.values), runs.steps),
    "list of arrays, list of t": lambda runs: (list(runs.values), [runs.steps] * runs.n_runs),
    "nested lists": lambda runs: (runs.values.tolist(), runs.steps.tolist()),
    "masked array": lambda runs: (np.ma.MaskedArray(runs.values), runs.steps),
    "tensor": lambda runs: (torch.tensor(runs.values, requires_grad=True), torch.tensor(runs.steps)),
    "list of tensors": lambda runs: ([torch.tensor(x) for x in runs.values], runs.steps),
    "DataArray": lambda runs: (array(runs), None),
    "DataArray of other order and names": lambda runs: (
        array(runs).rename(step="time", run="seed", feature="species").transpose("species", "time", "seed"),
        None,
    ),
    "DataArray without times, t": lambda runs: (array(runs).drop_vars("step"), runs.steps),
    "list of DataArrays": lambda runs: (list(array(runs)), None),
    "Dataset, ecodyn's own": lambda runs: (runs.to_dataset(), None),
    "Dataset with one variable": lambda runs: (array(runs).to_dataset(name="population"), None),
    "Dataset with a variable a feature": lambda runs: (array(runs).to_dataset("feature"), None),
    "list of DataFrames indexed by step": lambda runs: (tables(runs), None),
    "list of DataFrames with a column": lambda runs: ([x.reset_index() for x in tables(runs)], None),
    "list of DataFrames, t": lambda runs: ([x.reset_index(drop=True) for x in tables(runs)], runs.steps),
    "wide DataFrame": lambda runs: (wide(runs), None),
    "DataFrame with a MultiIndex": lambda runs: (wide(runs).set_index(["run", "step"]), None),
    "long DataFrame": lambda runs: (long(runs), None),
    "long DataFrame with a MultiIndex": lambda runs: (long(runs).set_index(["run", "step", "feature"]), None),
    "list of trajectories": lambda runs: ([runs.select(runs=[r]) for r in runs.runs], None),
}


def has_names(container):
    return not container.startswith(("array", "list of arrays", "nested", "masked", "tensor", "list of tensors"))


@pytest.mark.parametrize("name", CONTAINERS)
def test_a_law_does_not_depend_on_the_container(shipped, name):
    X, t = CONTAINERS[name](shipped)
    same = shipped if has_names(name) else Trajectories(shipped.values, shipped.steps)  # names: each in its own scale
    law, expected = law_of(X, t), law_of(same)
    np.testing.assert_allclose(law.coefficients, expected.coefficients, rtol=1e-12)


@pytest.mark.parametrize("name", CONTAINERS)
def test_values_times_and_names_are_kept(shipped, name):
    X, t = CONTAINERS[name](shipped)
    read = as_trajectories(X, t)
    assert np.array_equal(read.values, shipped.values)
    assert np.array_equal(read.steps, shipped.steps)
    if has_names(name):
        assert read.features.tolist() == NAMES
        assert read.labels_shared


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.int32])
def test_tensors_of_any_type_are_read_exactly(dtype):
    whole = torch.arange(12).reshape(4, 3).to(dtype)
    assert as_trajectories(whole).values[0].tolist() == [[0, 1, 2], [3, 4, 5], [6, 7, 8], [9, 10, 11]]


def test_a_number_is_the_spacing_of_the_steps(shipped):
    even = np.arange(shipped.n_steps) * 0.2
    np.testing.assert_array_equal(as_trajectories(list(shipped.values), 0.2).steps, even)
    np.testing.assert_array_equal(as_trajectories(array(shipped).drop_vars("step"), 0.2).steps, even)
    with pytest.raises(ValueError, match="spacing of the steps"):
        as_trajectories(shipped.values, t=-1.0)


def test_times_come_from_one_place(shipped):
    """Data that carry their times refuse others, in `fit` as in `compare`."""
    for X in (shipped, array(shipped), tables(shipped)[0], wide(shipped), shipped.to_dataset()):
        with pytest.raises(ValueError, match="leave t out"):
            as_trajectories(X, shipped.steps)
        with pytest.raises(ValueError, match="leave t out"):
            ecodyn.Linear().fit(X, t=shipped.steps)
        with pytest.raises(ValueError, match="leave t out"):
            ecodyn.compare(X, ["linear"], t=shipped.steps)


def test_everything_that_takes_trajectories_takes_containers(shipped):
    frame = long(shipped)
    asked = {"families": ["linear"], "couplings": ["exchangeable"], "protocols": ["in_sample"]}
    one, other = ecodyn.compare(frame, **asked), ecodyn.compare(shipped, **asked)
    assert [m.skill for m in one.models] == [m.skill for m in other.models]
    from ecodyn.survival import analyse, survivors

    assert np.array_equal(survivors(frame).alive, survivors(shipped).alive)
    assert np.array_equal(analyse(frame, laws=False).survivors.alive, survivors(shipped).alive)


@pytest.mark.parametrize(
    ("X", "sentence"),
    [
        (xr.DataArray(np.ones((4, 3))), "dimensions named step"),
        (xr.DataArray(np.ones((4, 3)), dims=("step", "time")), "dimensions named step"),
        (xr.DataArray(np.ones((4, 3, 2)), dims=("step", "a", "b")), "dimensions named step"),
        (xr.Dataset(), "without"),
        (xr.Dataset({"a": ("step", [1.0, 2.0]), "b": (("step", "x"), [[1.0], [2.0]])}), "a variable for each feature"),
    ],
)
def test_dimensions_that_could_be_either_are_refused(X, sentence):
    with pytest.raises(ecodyn.UnusableDataError, match=sentence):
        as_trajectories(X)


def test_a_masked_array_alone_is_as_in_a_list(shipped):
    mask = np.zeros(shipped.shape[1:], dtype=bool)
    mask[[3, 7], [0, 2]] = True
    hidden = np.ma.MaskedArray(np.where(mask, -999.0, shipped.values[0]), mask)
    with pytest.warns(ecodyn.DataWarning, match="2 of 156 values are missing"):
        alone = law_of(hidden, shipped.steps)
    with pytest.warns(ecodyn.DataWarning, match="are missing"):
        listed = law_of([hidden], shipped.steps)
    assert np.array_equal(alone.coefficients, listed.coefficients)
    with pytest.warns(ecodyn.DataWarning, match="are missing"):
        assert ecodyn.Linear().fit(hidden, t=shipped.steps).score(hidden, t=shipped.steps) > 0.5


@pytest.mark.parametrize("t", [10.0, [0.0, 10.0, 20.0, 30.0, 40.0]])
def test_times_beside_a_table_are_those_of_its_rows(t):
    frame = pd.DataFrame({"x": [1, 2, np.nan, 4, 6.5], "y": [2.0, 3, 5, 6, 4]})
    with pytest.warns(ecodyn.DataWarning, match="1 steps lack a value"):
        assert as_trajectories(frame, t).steps.tolist() == [0, 10, 30, 40]
    of_runs = pd.concat([frame.assign(run=r) for r in ("a", "b")])
    with pytest.warns(ecodyn.DataWarning, match="steps lack a value"):
        assert as_trajectories(of_runs.reset_index(drop=True), t).times.tolist() == [[0, 10, 30, 40]] * 2
    with (
        pytest.warns(ecodyn.DataWarning, match="1 steps lack a value"),
        pytest.raises(ecodyn.UnusableDataError, match="a time for each row"),
    ):
        as_trajectories(frame, [0.0, 10, 20, 30])


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda frame: frame.assign(year=[1900, 1902, 1905, 1910]), "time='year'"),
        (lambda frame: frame.set_index(pd.Index([1900, 1902, 1905, 1910], name="year")), "time='year'"),
        (lambda frame: frame.assign(when=pd.date_range("2020", periods=4)), "column when of dates"),
        (lambda frame: frame.set_index(pd.DatetimeIndex(pd.date_range("2020", periods=4), name="when")), "dates"),
    ],
)
def test_rows_are_not_counted_where_something_may_be_the_time(change, sentence):
    frame = change(pd.DataFrame({"hare": [30.0, 47.2, 70.2, 77.4], "lynx": [4.0, 6.1, 9.8, 35.2]}))
    for read in (as_trajectories, ecodyn.Linear().fit):
        with pytest.raises(ecodyn.UnusableDataError, match=sentence):
            read(frame)


def test_what_is_known_of_columns_is_that_of_the_last_fit():
    rng = np.random.default_rng(0)
    first = pd.DataFrame(np.exp(-0.1 * np.arange(20.0))[:, None] * rng.uniform(1, 2, 3), columns=list("abc"))
    law = ecodyn.Linear("independent").fit(first)
    assert law.feature_names_in_.tolist() == ["a", "b", "c"]
    with pytest.raises(ValueError, match="minimum of 3"):
        law.fit(first.iloc[:2])  # too short: what was fitted stays
    assert (law.n_features_in_, law.feature_names_in_.tolist()) == (3, ["a", "b", "c"])
    law.fit(Trajectories(first.to_numpy()[None, :, :2], np.arange(20), ["x", "y"]))
    assert law.n_features_in_ == 2
    assert not hasattr(law, "feature_names_in_")
    assert law.predict(pd.DataFrame([[1.0, 2.0]], columns=["x", "y"]), t=1.0).shape == (1, 2)


def test_predictions_go_by_labels(shipped):
    law = ecodyn.Linear("full").fit(wide(shipped))
    start = pd.DataFrame(shipped.values[0, :1], columns=list(shipped.features))
    assert np.array_equal(law.predict(start[NAMES[::-1]], t=5.0), law.predict(start, t=5.0))
