"""A rollout starts from the same state, whatever holds it; labels are matched."""

import numpy as np
import pandas as pd
import pytest
import torch
import xarray as xr

import ecodyn
from ecodyn import DataWarning, Trajectories

NAMES = ["hare", "lynx", "owl"]
STEPS = np.arange(0.0, 30.0, 2.0)
SIGNAL = np.exp(-np.array([0.1, 0.2, 0.05]) * np.arange(40.0)[:, None]) * [1.0, 2.0, 3.0]
RUNS = Trajectories([SIGNAL, SIGNAL * 1.5], np.arange(40.0), NAMES, labels_shared=True)
START = np.array([3.0, 1.0, 2.0])

STARTS = {
    "list": START.tolist(),
    "mapping": dict(zip(NAMES, START.tolist(), strict=True)),
    "mapping in another order": {"owl": START[2], "hare": START[0], "lynx": START[1]},
    "tensor": torch.tensor(START, requires_grad=True),
    "Series": pd.Series(START, index=NAMES),
    "Series in another order": pd.Series(START, index=NAMES)[["owl", "hare", "lynx"]],
    "Series without labels": pd.Series(START),
    "DataFrame": pd.DataFrame([START], columns=NAMES),
    "DataFrame in another order": pd.DataFrame([START], columns=NAMES)[["lynx", "owl", "hare"]],
    "DataArray": xr.DataArray(START, dims="species", coords={"species": NAMES}),
    "DataArray in another order": xr.DataArray([START], dims=("run", "feature"), coords={"feature": NAMES})[:, ::-1],
    "Trajectories": Trajectories([[START, START + 1]], [0, 1], NAMES),
    "Trajectories in another order": Trajectories([[START, START + 1]], [0, 1], NAMES).select(features=NAMES[::-1]),
}


@pytest.fixture(scope="module", params=["independent", "exchangeable"])
def law(request):
    return ecodyn.Linear(request.param, per_feature=request.param == "independent").fit(RUNS)


@pytest.mark.parametrize("name", STARTS)
def test_every_container_of_a_state_is_that_state(law, name):
    expected = law.model_.simulate(START, STEPS)
    assert np.array_equal(law.model_.simulate(STARTS[name], STEPS).values, expected.values)


@pytest.mark.parametrize("name", ["DataArray", "DataArray in another order", "Trajectories"])
def test_predictions_take_them_too(law, name):
    assert np.array_equal(np.squeeze(law.predict(STARTS[name], STEPS)), law.predict(START, STEPS))


def test_a_mapping_may_have_several_states_and_one_number_for_all_of_them(law):
    several = law.model_.simulate({"hare": [3.0, 4.0], "lynx": 1.0, "owl": [2.0, 0.5]}, STEPS)
    assert np.array_equal(several.values, law.model_.simulate([[3.0, 1.0, 2.0], [4.0, 1.0, 0.5]], STEPS).values)
    with pytest.raises(ValueError, match="expected starting states of the features hare, lynx, owl, got hare, lynx"):
        law.model_.simulate({"hare": 3.0, "lynx": 1.0}, STEPS)
    with pytest.raises(ValueError, match=r"x0\['owl'\]"):
        law.model_.simulate({"hare": 3.0, "lynx": 1.0, "owl": "many"}, STEPS)


def test_of_trajectories_every_run_starts_where_it_does(law):
    assert np.array_equal(law.model_.simulate(RUNS, STEPS).values[:, 0, :, 0], RUNS.values[:, 0])


def test_other_labels_are_refused_where_each_feature_has_its_own_law():
    law = ecodyn.Linear("independent", per_feature=True).fit(RUNS).model_
    for other in (pd.Series(START, index=["a", "b", "c"]), pd.Series(START[:2], index=NAMES[:2])):
        with pytest.raises(ValueError, match="expected starting states of the features hare, lynx, owl"):
            law.simulate(other, STEPS)


def test_other_labels_are_said_where_all_features_have_one_law():
    law = ecodyn.Linear("exchangeable").fit(RUNS).model_
    with pytest.warns(DataWarning, match="each starts from its own state"):
        rollout = law.simulate(pd.Series(START, index=["a", "b", "c"]), STEPS)
    assert np.array_equal(rollout.values, law.simulate(START, STEPS).values)


def test_dimensions_that_could_be_either_are_refused(law):
    with pytest.raises(ValueError, match="dimension named feature"):
        law.model_.simulate(xr.DataArray([START], dims=("a", "b")), STEPS)
