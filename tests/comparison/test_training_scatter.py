"""What a mean loss owes to the runs that were fitted to."""

from dataclasses import replace

import numpy as np
import pytest
from made_losses import LOG_MARGIN, model

import ecodyn
from ecodyn import Trajectories
from ecodyn.comparison.check import check
from ecodyn.comparison.execution import execute
from ecodyn.comparison.plan import plan
from ecodyn.comparison.ranking import Rule, sharing_factor
from ecodyn.comparison.request import Request
from ecodyn.comparison.training_scatter import training_influence

RULE = Rule(folds=16, margin=LOG_MARGIN)


def no_noise(run, origin):
    return 0.0


def data_of(clusters, runs=4):
    values = np.random.default_rng(0).normal(size=(runs, 5, 2))
    return Trajectories(values, np.arange(5.0), cluster=clusters)


def test_models_that_are_alike_on_all_runs_have_none():
    found = {(r,): dict.fromkeys(range(4), 0.1) for r in range(4)}
    assert training_influence(found, data_of(None), no_noise).tolist() == [0.0] * 4


def test_what_is_worse_without_a_run_owes_it_a_smaller_loss():
    found = {(r,): dict.fromkeys(range(4), 0.15 if r == 2 else 0.1) for r in range(4)}
    moved = training_influence(found, data_of(None), no_noise)
    assert moved[2] < 0 < moved[0]
    assert moved.sum() == pytest.approx(0.0, abs=1e-12)
    assert moved[2] == pytest.approx(-0.75 * 0.75 * np.log(1.5))


def test_a_fit_that_failed_counts_as_twice_as_bad():
    failed = [{(r,): dict.fromkeys(range(4), worse if r == 2 else 0.1) for r in range(4)} for worse in (0.3, 2.0)]
    one, other = (training_influence(found, data_of(None), no_noise) for found in failed)
    assert one.tolist() == other.tolist()


def test_runs_of_a_cluster_are_one():
    found = {(0, 1): dict.fromkeys(range(4), 0.1), (2, 3): dict.fromkeys(range(4), 0.2)}
    moved = training_influence(found, data_of(["a", "a", "b", "b"]), no_noise)
    assert moved.tolist() == pytest.approx([0.25 * np.log(2.0), -0.25 * np.log(2.0)])


def test_a_pair_is_inflated_by_its_own_scatter_or_the_usual_if_that_is_larger():
    a, b = model("linear", seed=1), model("sindy", seed=2, library_size=14)
    assert RULE.inflation(a, b) == sharing_factor(16)
    still = [replace(c, training=np.zeros(16)) for c in (a, b)]
    assert RULE.inflation(*still) == sharing_factor(16)
    moved = replace(a, training=np.linspace(-1.0, 1.0, 16))
    assert RULE.inflation(moved, still[1]) > 10
    assert RULE.inflation(still[1], moved) == RULE.inflation(moved, still[1])
    assert replace(RULE, folds=None).inflation(moved, still[1]) == 1.0  # folds that share nothing


def test_each_fold_is_scored_on_all_runs_and_as_compare_scores_its_own():
    rng = np.random.default_rng(1)
    t = np.arange(40.0)
    values = rng.uniform(1, 3, (5, 1, 3)) * np.exp(-0.05 * t)[:, None] + 0.3 * np.sin(0.2 * t)[:, None]
    request = Request(families=["linear"], couplings=["exchangeable"], protocols=["unseen_runs"])
    checked = check(Trajectories(values, t), request)
    work = plan(checked.windows[0], checked.contenders, request)
    task = next(task for task in work.tasks if str(task.name) == "linear/exchangeable" and task.name.kind == "family")
    result = execute(task, work.data)
    assert set(result.on_all_runs) == {(r,) for r in range(5)}
    for score in result.scores:
        assert list(result.on_all_runs[score.run,]) == list(range(5))
        assert result.on_all_runs[score.run,][score.run] == pytest.approx(score.score.unexplained, rel=1e-3)


@pytest.mark.slow
def test_order_of_runs_changes_nothing():
    rng = np.random.default_rng(2)
    t = np.linspace(0, 5, 40)
    values = rng.uniform(0.2, 2.0, (6, 1, 2)) * np.exp(-t)[:, None] + 0.02 * rng.normal(size=(6, 40, 2))
    verdicts = [
        ecodyn.compare(Trajectories(values[order], t), ["linear"], ["independent"], protocols=["unseen_runs"]).verdict
        for order in (np.arange(6), rng.permutation(6))
    ]
    assert verdicts[0].p_value == verdicts[1].p_value
    assert verdicts[0].chance_to_repeat == verdicts[1].chance_to_repeat


def test_a_selection_that_leaps_counts_once_and_not_once_a_fold():
    """Two selections that leave 0.1 and 0.2, in half of the folds each: the variance of the two, (log 2)²/4."""
    found = {(r,): dict.fromkeys(range(4), 0.1 if r < 2 else 0.2) for r in range(4)}
    smooth = training_influence(found, data_of(None), no_noise)
    leaps = training_influence(found, data_of(None), no_noise, {(r,): r < 2 for r in range(4)})
    assert np.sum(leaps**2) == pytest.approx(np.log(2) ** 2 / 4)
    assert np.sum(smooth**2) == pytest.approx(9 / 16 * np.log(2) ** 2)  # (1 − 1/4)² (log 2 / 2)² of each


def test_one_selection_is_as_none_and_a_rare_one_counts_as_an_even_chance():
    found = {(r,): dict.fromkeys(range(4), 0.15 if r == 2 else 0.1) for r in range(4)}
    same = training_influence(found, data_of(None), no_noise, {(r,): "all" for r in range(4)})
    assert same.tolist() == training_influence(found, data_of(None), no_noise).tolist()
    rare = training_influence(found, data_of(None), no_noise, {(r,): r == 2 for r in range(4)})
    assert np.sum(rare**2) == pytest.approx(np.log(1.5) ** 2 / 4)
