"""Rollouts as xarray datasets."""

import numpy as np
import pytest

from ecodyn import Linear, Rollout, Shooting, Trajectories, integrate

STEPS = np.arange(40.0)
DECAY = np.exp(-0.1 * STEPS)[:, None] * [1.0, 2.0]
QUICK = Shooting(refine=False)


@pytest.fixture(scope="module")
def law():
    return Linear("independent", shooting=QUICK).fit(DECAY, feature_names=["hare", "lynx"]).model_


def test_a_laws_rollouts_have_its_labels(law):
    rollout = law.simulate([[1.0, 2.0], [3.0, 4.0]], [0.0, 5.0, 10.0])
    ds = rollout.to_dataset(runs=["a", "b"])
    assert dict(ds.sizes) == {"run": 2, "step": 3, "feature": 2}
    np.testing.assert_array_equal(ds.signal, rollout.signal)
    assert ds.signal.sel(run="b", step=5.0, feature="lynx").item() == rollout.signal[1, 1, 1]
    assert ds.status.values.tolist() == ["ok", "ok"]
    assert rollout.to_dataset().run.values.tolist() == [0, 1]


def test_further_channels_have_their_names():
    data = Trajectories(DECAY[None], STEPS, observables={"gradient": DECAY[None] + 1})
    law = Linear("independent", "signal,gradient@start", shooting=QUICK).fit(data).model_
    rollout = law.simulate(data.state(law.state)[:, 0], [0.0, 5.0])
    ds = rollout.to_dataset()
    np.testing.assert_array_equal(ds["gradient@start"], rollout.values[..., 1])
    assert ds.feature.values.tolist() == [1, 2]


def test_times_that_differ_are_a_variable(law):
    rollout = law.simulate([[1.0, 2.0], [3.0, 4.0]], [[0.0, 5.0, 10.0], [0.0, 1.0, np.nan]])
    ds = rollout.to_dataset()
    np.testing.assert_array_equal(ds.time, rollout.times)
    assert ds.step.values.tolist() == [0, 1, 2]


def test_one_that_ended_early_says_so():
    growing = Linear("independent", shooting=QUICK).fit(1 / DECAY).model_
    ds = growing.simulate([1.0, 1.0], [0.0, 1e3]).to_dataset()
    assert ds.status.item().startswith("diverged at t=")
    assert np.isnan(ds.signal.values[0, -1]).all()


def test_they_are_trajectories_again(law):
    rollout = law.simulate([[1.0, 2.0], [3.0, 4.0]], STEPS)
    again = Trajectories.from_dataset(rollout.to_dataset(runs=["a", "b"]))
    np.testing.assert_array_equal(again.values, rollout.signal)
    np.testing.assert_array_equal(again.times, rollout.times)
    assert again.features.tolist() == ["hare", "lynx"]
    assert again.runs.tolist() == ["a", "b"]


def test_their_table_is_trajectories_again(law):
    rollout = law.simulate([[1.0, 2.0], [3.0, 4.0]], [[0.0, 5.0, 10.0], [0.0, 1.0, np.nan]])
    again = Trajectories.from_dataframe(rollout.to_dataframe(runs=["a", "b"]))
    np.testing.assert_array_equal(again.values, rollout.signal)
    np.testing.assert_array_equal(again.times, rollout.times)
    assert again.features.tolist() == ["hare", "lynx"]
    assert again.runs.tolist() == ["a", "b"]


def test_rollouts_of_an_equation_without_names_are_counted():
    rollout = integrate(lambda x, t: -x, np.ones((1, 3, 2)), [0.0, 1.0])
    ds = rollout.to_dataset()
    assert list(ds.data_vars) == ["signal", "channel_1", "status"]
    assert ds.feature.values.tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda r: r.to_dataset(runs=["a"]), "labels of 2 runs, got 1; give one each"),
        (lambda r: r.to_dataframe(runs=["a"]), "labels of 2 runs, got 1; give one each"),
        (
            lambda r: Rollout(r.values, r.times, r.status, 0, features=("run", "lynx")).to_dataframe(),
            "a feature is called run, expected another name in a table",
        ),
        (lambda r: integrate(lambda x, t: -x, [[1.0]], [0.0, 1.0]).to_dataset(), "got an array of shape"),
        (
            lambda r: Rollout(r.values, r.times, r.status, 0, features=("hare",)).to_dataset(),
            "labels of 2 features, got 1",
        ),
    ],
)
def test_labels_that_do_not_fit_are_refused(law, make, match):
    with pytest.raises(ValueError, match=match):
        make(law.simulate([[1.0, 2.0], [3.0, 4.0]], [0.0, 1.0]))
