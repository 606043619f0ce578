"""Laws are asked for survivors on the same fits, folds and rollouts by which a comparison scores them."""

import warnings

import numpy as np
import pytest

import ecodyn
from ecodyn.comparison.contenders import UNSEEN_RUNS, Contender
from ecodyn.comparison.held_out import fit_folds, roll_out_folds
from ecodyn.comparison.plan import Task, folds_of
from ecodyn.survival import law_fates, survivors
from ecodyn.survival.laws import FOLDS, MOST_STEPS

WINDOW = (1.0, 40.0)


@pytest.mark.parametrize("state", ["signal", "signal,gradient@start", "signal,velocity"])
def test_a_comparison_of_the_same_law_says_the_same(traits, state):
    runs = traits()
    told = survivors(runs)
    (law,) = law_fates(runs, told, WINDOW, [state]).laws
    options = {"protocols": [UNSEEN_RUNS], "folds": FOLDS, "state": state, "survivor_rule": told.rule}
    score = ecodyn.compare(runs.window(*WINDOW).thinned(MOST_STEPS), ["linear"], ["exchangeable"], **options).score(
        "linear", "exchangeable"
    )
    assert law.crossing.mean == pytest.approx(score.order_crossing, abs=1e-12)
    assert law.diverged == score.diverged == 0
    if state != "signal":  # of a law of the signal alone a comparison does not ask it
        assert law.score.auc.mean == pytest.approx(score.survivor_auc, abs=1e-12)


def test_a_rollout_is_of_a_model_that_has_not_seen_its_run(traits):
    runs = traits(runs=4).window(*WINDOW)
    contender = Contender.of(ecodyn.Linear())
    folds = tuple(folds_of(contender, UNSEEN_RUNS, runs, None))
    task = Task(
        window=0,
        index=0,
        contender=contender,
        protocol=UNSEEN_RUNS,
        folds=folds,
        seeds=(0,),
        run_by_run=False,
        survivor_rule="two_component",
    )
    seen = []
    for held in roll_out_folds(task, fit_folds(task, runs), runs):
        (run,) = held.runs
        alone = ecodyn.Linear().fit(runs.select(runs=[r for r in runs.runs.tolist() if r != runs.runs[run]])).model_
        np.testing.assert_allclose(held.fitted.model.coefficients, alone.coefficients, rtol=1e-9)
        np.testing.assert_array_equal(held.starts[0], runs.state("signal")[run, 0])
        own = alone.simulate(held.starts, held.times)
        np.testing.assert_allclose(held.rollout.values, own.values, rtol=1e-6)
        seen.append(run)
    assert sorted(seen) == list(range(runs.n_runs))


def test_what_a_fit_warns_of_is_said_once(traits):
    """Negative values mean little to Lotka-Volterra: one sentence for all folds together, not one each."""
    runs = traits()
    lowered = ecodyn.Trajectories(runs.values - runs.window(*WINDOW).values.min() - 1e-3, runs.steps)
    negative = int((lowered.window(*WINDOW).values < 0).sum())
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        law_fates(lowered, survivors(runs), WINDOW, ["signal"], "lotka_volterra")
    about = [str(w.message) for w in said if "negative" in str(w.message)]
    assert len(about) == 1
    assert f"{negative} values are negative" in about[0]
