import json

import numpy as np
import pytest

from ecodyn.errors import UnusableDataError
from ecodyn.runtime.json_values import plain_json
from ecodyn.survival import RULES, analyse

KEYS = {"mean", "low", "high", "n_clusters"}  # of an estimate, wherever it stands in survival.json


@pytest.fixture(scope="module")
def told(fated):
    return analyse(fated(settings={"dim": [8, 16] * 4}), laws=False)


def test_all_that_can_be_had_is_there(told):
    assert told.notes == []
    assert told.survivor_count.mean == 5
    assert told.sensitivity.rules == tuple(RULES)
    assert list(told.counts) == ["dim"]
    assert set(told.together) == {0, 1, 2, 3, 4, 20}
    assert {s.predictor for s in told.scores} == {"signal", "relative_gradient", "slope", "gradient"}
    assert len(told.curves) > len(told.scores)
    assert 0 < told.crossed.mean < 1
    assert -1 < told.kendall_tau.mean < 1


def test_numbers_are_plain_json(told):
    stated = json.loads(json.dumps(plain_json(told.to_json()), allow_nan=False))
    assert stated["survivors"]["mean"] == 5
    assert np.array(stated["alive"]["two_component"]).sum() == 40
    assert stated["counts_by"]["dim"][0]["value"] == 8
    assert set(stated["predictors"][0]["auc"]) == set(stated["rules"]["counts"][0]["survivors"]) == KEYS


def test_a_row_a_feature_of_a_run(told):
    rows = told.feature_rows()
    assert len(rows) == told.runs.n_runs * told.runs.n_features
    alive = [row.alive["two_component"] for row in rows]
    assert sum(alive) == 40
    assert [np.isnan(row.death) for row in rows] == alive
    assert [row.end for row in rows] == told.runs.values[:, -1].ravel().tolist()


def test_laws_over_the_windows_asked_for(traits):
    runs = traits(runs=4)
    windows = [(4.0, 40.0), (10.0, 40.0), (4.0, 4.0)]
    seen = []
    told = analyse(runs, windows=windows, progress=lambda n, of, what: seen.append((n, of, what)))
    assert told.survivors.counts.tolist() == [3, 4, 5, 3]
    assert [laws.window for laws in told.laws] == windows[:2]
    assert [s[:2] for s in seen] == [(0, 3), (1, 3), (2, 3)]
    assert told.notes[-1].startswith("no laws over 4:4: ")


def test_one_run_is_told_what_it_can(fated):
    told = analyse(fated(runs=1))
    assert [note.split(":")[0] for note in told.notes] == ["one independent run"]
    assert told.scores
    assert not told.laws
    assert not told.together


def test_a_missing_gradient_is_said(fated):
    told = analyse(fated(observables={}), laws=False)
    assert told.notes == ["the data have no gradient: neither it nor laws with it are tried"]


@pytest.mark.parametrize(("end", "fate", "count"), [(80.0, "all survive", 6), (5.0, "nobody survives", 0)])
def test_one_fate_for_all_is_said_and_the_rest_is_there(races, end, fate, count):
    told = analyse(races(np.full((3, 6), 80.0), np.full((3, 6), end)))
    assert any(fate in note for note in told.notes)
    assert told.survivors.counts.tolist() == [count] * 3
    assert told.sensitivity.rules == tuple(RULES)
    assert not told.scores


def test_what_can_not_be_fitted_at_a_step_leaves_the_rest(races):
    """One run alone has both fates: the logistic model of the others has nothing to tell apart, laws do."""
    rng = np.random.default_rng(0)
    start = rng.uniform(70, 90, (3, 6))
    runs = races(start, [[80, 80, 5, 5, 5, 5], [80] * 6, [80] * 6])
    told = analyse(runs)
    assert [note.split(":")[0] for note in told.notes if "logistic" in note] == [
        "no logistic model at step 0, 1, 2, 3, 4, 20"
    ]
    assert told.scores
    assert told.laws


def test_steps_are_asked_once_and_in_order(fated):
    told = analyse(fated(), early=[20, 4, 4], laws=False)
    assert list(told.together) == [4, 20]
    assert [s.step for s in told.scores if s.predictor == "signal"] == [4, 20]


def test_some_runs_with_one_fate_are_left_out_and_counted(races):
    runs = races(np.full((3, 6), 80.0), [[80, 80, 5, 5, 5, 5], [80, 5, 5, 5, 5, 5], [5] * 6])
    told = analyse(runs, laws=False)
    assert any("in 1 of 3 runs all features share a fate" in note for note in told.notes)
    assert told.scores[0].auc.n == 2


def test_what_ends_where_it_begins_is_refused(fated):
    with pytest.raises(UnusableDataError, match="expected survivors to be told after the start, run 0 ends"):
        analyse(fated(), step=0.0)
    with pytest.raises(ValueError, match="unknown survivor rule"):
        analyse(fated(), "best")
