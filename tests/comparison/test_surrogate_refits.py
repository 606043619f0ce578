"""Whether tests against surrogates find a coupling that is there, and none that is not."""

import json

import numpy as np
import pytest

from ecodyn import Linear, compare
from ecodyn.comparison.contenders import contenders
from ecodyn.comparison.request import Request
from ecodyn.comparison.surrogate_refits import unseen_score
from ecodyn.comparison.surrogates import shuffle_runs
from ecodyn.errors import DataWarning
from ecodyn.families import Shooting
from ecodyn.families.model_name import FAMILY
from ecodyn.systems import SYSTEMS, simulate
from ecodyn.trajectories import Trajectories

COUNT = 19
UNSEEN = ["unseen_runs"]
TWO_FOLDS = Request(protocols=["unseen_runs"], folds=2)
MATCHED = {"linear": {"refine": False}, "lotka_volterra": {"refine": False}}


def found(data, family, coupling="exchangeable", **more):
    """The tests of one family, by kind, and the comparison."""
    options = {"protocols": UNSEEN, "folds": 2, "parameters": MATCHED, "surrogates": COUNT, **more}
    result = compare(data, [family], [coupling], **options)
    return {t.kind: t for t in result.windows[0].surrogates}, result


@pytest.fixture(scope="module")
def coupled():
    """Linear units that feel their mean, from starts whose means differ."""
    return found(simulate(SYSTEMS["linear_exchangeable_5"], runs=6, samples=31), "linear")


def test_a_coupling_is_not_in_shuffled_runs(coupled):
    test = coupled[0]["run_shuffled"]
    assert test.p_value == 1 / (1 + COUNT)
    assert test.better
    assert test.skill > 0.999
    assert test.skills.max() < test.skill
    assert not test.failed


def test_a_law_uses_more_than_trend_and_smoothness(coupled):
    test = coupled[0]["phase_randomised"]
    assert test.p_value == 1 / (1 + COUNT)
    assert "surrogates" not in coupled[1].verdict.statement


@pytest.mark.slow
def test_independent_features_run_together_by_chance():
    """Without coupling data and shuffled runs are exchangeable: the p-value is uniform over its twentieths."""
    (law,) = [m for m in contenders([Linear(shooting=Shooting(refine=False))], None, "signal") if m.kind == FAMILY]
    p_values = []
    for seed in range(10):
        data = simulate(SYSTEMS["logistic"], runs=5, samples=11, seed=seed, noise=0.02)
        rng = np.random.default_rng(seed)
        shuffled = [unseen_score(shuffle_runs(data, rng), law, TWO_FOLDS).loss_per_run.mean() for _ in range(COUNT)]
        loss = unseen_score(data, law, TWO_FOLDS).loss_per_run.mean()
        p_values.append((1 + np.sum(shuffled <= loss)) / (1 + COUNT))
    # Of 10, more than 3 at 5 % would have a chance of 0.001; a mean aside from 1/2 by more than 0.3 one of 0.001.
    assert sum(p <= 0.05 for p in p_values) <= 3
    assert abs(np.mean(p_values) - 0.5) < 0.3


def test_the_data_are_scored_as_compare_scores_them(coupled):
    tests, result = coupled
    score = result.score("linear", "exchangeable", kind="family")
    (law,) = [m for m in contenders([Linear(shooting=Shooting(refine=False))], None, "signal") if m.kind == FAMILY]
    again = unseen_score(simulate(SYSTEMS["linear_exchangeable_5"], runs=6, samples=31), law, TWO_FOLDS)
    assert tests["run_shuffled"].loss == score.loss_per_run.mean() == again.loss_per_run.mean()


def test_the_verdict_says_when_surrogates_do_as_well():
    data = simulate(SYSTEMS["logistic"], runs=6, samples=21, seed=1, noise=0.02)
    tests, result = found(data, "lotka_volterra")
    assert not tests["run_shuffled"].better
    assert result.verdict.statement.endswith("is not shown.")
    assert "no better on the data than on run-shuffled surrogates" in result.verdict.statement
    report = result.to_json()
    assert json.loads(json.dumps(report, allow_nan=False)) == report
    assert report["settings"]["surrogates"] == COUNT
    listed = {t["kind"]: t for t in report["windows"][0]["surrogates"]}
    assert listed["run_shuffled"]["p_value"] == tests["run_shuffled"].p_value
    assert len(listed["phase_randomised"]["losses"]) == COUNT


def test_a_law_of_single_features_is_not_tested_on_what_it_does_not_see():
    data = simulate(SYSTEMS["logistic"], runs=5, samples=21)
    with pytest.warns(DataWarning, match=r"linear/independent \(refine=False\) sees one feature"):
        assert found(data, "linear", "independent")[0].keys() == {"phase_randomised"}


@pytest.mark.slow
def test_results_do_not_depend_on_jobs():
    data = simulate(SYSTEMS["logistic"], runs=5, samples=11, noise=0.01)
    one, two = (found(data, "linear", jobs=jobs)[0] for jobs in (1, 2))
    for kind, test in one.items():
        np.testing.assert_array_equal(test.losses, two[kind].losses)


def test_a_surrogate_that_cannot_be_fitted_weakens_the_claim():
    class Fragile(Linear):
        name = "fragile"

        def fit_model(self, trajectories, *, clock=False):
            if "surrogate" in trajectories.provenance:
                raise ValueError("not this one")
            return super().fit_model(trajectories, clock=clock)

    data = simulate(SYSTEMS["linear_exchangeable_5"], runs=5, samples=11)
    tests, _ = found(data, Fragile(shooting=Shooting(refine=False)), parameters=None)
    for test in tests.values():
        assert test.failed == COUNT
        assert test.p_value == 1.0


def test_uneven_steps_leave_one_kind_and_a_note():
    steps = np.array([0.0, 1, 2, 3, 4, 6, 8, 10, 14, 18, 25])
    even = simulate(SYSTEMS["linear_exchangeable_5"], runs=5, samples=26)
    data = Trajectories(even.values[:, steps.astype(int)], steps)
    with pytest.warns(DataWarning, match="evenly spaced"):
        tests, _ = found(data, "linear")
    assert tests.keys() == {"run_shuffled"}


@pytest.mark.parametrize(
    ("options", "message"),
    [({"surrogates": 5}, "at least 19"), ({"surrogates": 19, "protocols": ["in_sample"]}, "add unseen_runs")],
)
def test_surrogates_nothing_could_follow_from_are_refused(options, message):
    data = simulate(SYSTEMS["logistic"], runs=5, samples=11)
    with pytest.raises(ValueError, match=message):
        compare(data, ["linear"], **options)
