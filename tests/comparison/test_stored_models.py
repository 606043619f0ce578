"""Fitted models in report.json come back as they were, of whatever type, where a model file holds them whole."""

import json
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from registries import keep_as_it_is

import ecodyn
from ecodyn import Comparison
from ecodyn.comparison.model_score import ModelScore
from ecodyn.families import MODELS, Linear, NeuralODE, Shooting

PROJECT = Path(__file__).parents[1] / "data" / "other_distribution"
SMALL = {"neural_ode": {"hidden": 3, "means": 1, "matching_steps": 5, "rollout_steps": 1, "intervals": 3}}


@pytest.fixture
def kinds(monkeypatch):
    """The registry of kinds of models; as it was before once a test is over."""
    keep_as_it_is(MODELS, monkeypatch)
    return MODELS


@pytest.fixture
def drift(monkeypatch):
    """A family whose models are of a type of their own."""
    monkeypatch.syspath_prepend(str(PROJECT))
    from one_of_each import drift

    return drift


@pytest.fixture
def compared(competing_runs):
    def compare(*families, **more):
        return ecodyn.compare(
            competing_runs(runs=3, steps=21),
            list(families),
            ["independent"],
            protocols=["unseen_runs", "in_sample"],
            **more,
        )

    return compare


def saved(result, path):
    result.save(path)
    return Comparison.load(path)


def test_a_model_of_a_type_of_its_own_comes_back(compared, drift, kinds, competing_runs, tmp_path):
    kinds.register("constant", drift.Constant)
    result = compared(drift.Drift, Linear)
    again = saved(result, tmp_path / "report.json")
    assert again.to_json() == result.to_json()
    for protocol in ("unseen_runs", "in_sample"):
        mine, theirs = (r.score("drift", "independent", protocol=protocol).model for r in (result, again))
        assert theirs == mine
        assert type(theirs) is drift.Constant
    data = competing_runs(runs=3, steps=21)
    rollouts = [model.simulate(data.values[:, 0], data.times).values for model in (mine, theirs)]
    np.testing.assert_array_equal(*rollouts)


def test_where_its_kind_is_not_known_it_is_kept_and_said_why(compared, drift, tmp_path):
    result = compared(drift.Drift, Linear)
    again = saved(result, tmp_path / "report.json")
    score = again.score("drift", "independent")
    assert score.model is None
    assert "unknown kind of model 'constant'" in score.unread.reason
    assert score.unread.content == result.score("drift", "independent").to_json()["model"]
    again.save(tmp_path / "again.json")
    assert (tmp_path / "again.json").read_text() == (tmp_path / "report.json").read_text()
    assert again.score("linear", "independent").model is not None


def test_one_that_refuses_its_own_content_costs_nothing_else(compared, drift, kinds, tmp_path):
    class Picky(drift.Constant):
        kind = "picky"

        @classmethod
        def from_json(cls, document, path):
            raise RuntimeError("not today")

    class Own(drift.Drift):
        name = "own"

        def fit_model(self, trajectories, *, clock=False):
            return Picky(**vars(super().fit_model(trajectories)))

    kinds.register("picky", Picky)
    score = saved(compared(Own, Linear), tmp_path / "report.json").score("own", "independent")
    assert score.model is None
    assert score.unread.reason == "RuntimeError: not today"


@pytest.mark.usefixtures("quiet")  # its training is cut short
def test_a_network_is_left_out_since_its_weights_are_elsewhere(compared, tmp_path):
    result = compared(NeuralODE(coupling="independent", **SMALL["neural_ode"]), Linear, folds=2)
    mine = next(m for m in result.models if m.family == "neural_ode" and m.protocol == "in_sample")
    assert mine.model is not None
    assert not mine.model.self_contained
    assert not {"law", "model"} & set(mine.to_json())
    again = saved(result, tmp_path / "report.json")
    theirs = next(m for m in again.models if m.name == mine.name and m.protocol == "in_sample")
    assert (theirs.model, theirs.unread) == (None, None)
    assert again.to_json() == result.to_json()


def test_laws_stay_where_they_were(compared):
    record = compared(Linear(coupling="independent", shooting=Shooting(refine=False))).models[0].to_json()
    assert "law" in record
    assert "model" not in record
    assert [c["term"] for c in record["coefficients"]] == ["1", "x"]


def test_every_field_of_a_score_is_in_its_record_and_comes_back(compared):
    """Derived from the fields: one that is added is stored without another line."""
    result = compared(Linear)
    score = result.models[0]
    record = json.loads(json.dumps(result.to_json()))["models"][0]
    back = ModelScore.from_json(record)
    for field in fields(ModelScore):
        mine, theirs = getattr(score, field.name), getattr(back, field.name)
        if field.name == "model":
            assert theirs.to_json() == mine.to_json()
        else:
            np.testing.assert_equal(theirs, mine, err_msg=field.name)


def test_a_report_without_the_number_of_fits_beside_the_budget_is_read(compared):
    """As schema 2 had it at first."""
    record = json.loads(json.dumps(compared(Linear).to_json()))["models"][0]
    del record["fits"]
    assert ModelScore.from_json(record).fits == record["budget"]["fits"]
