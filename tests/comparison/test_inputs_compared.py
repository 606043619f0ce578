"""Comparisons of laws with inputs: held-out runs are rolled out with their own curves."""

import numpy as np
import pytest

import ecodyn
from ecodyn import Input, Shooting, Trajectories, UnusableDataError
from ecodyn.comparison.surrogates import shuffle_runs
from ecodyn.families.linear import Linear

STEPS = np.arange(0, 30.0)


def runs_of(count):
    """ẋ = −0.1 x + u, each run with a jump of its own."""
    rng, values, curves = np.random.default_rng(0), [], []
    for r in range(count):
        at, x = 6.5 + 2 * r, rng.uniform(0, 5, 2)
        x = 5 + (x - 5) * np.exp(-0.1 * np.minimum(STEPS, at))[:, None]
        values.append(1 + (x - 1) * np.exp(-0.1 * np.maximum(STEPS - at, 0))[:, None])
        curves.append(Input("u", [0, at], [0.5, 0.1], "steps"))
    return Trajectories(np.array(values), STEPS, inputs={"u": curves})


def test_held_out_runs_are_rolled_out_with_their_own():
    """Their jumps come at other times than those of the runs that were fitted to."""
    runs, families = runs_of(4), [Linear("independent", shooting=Shooting(refine=False))]
    result = ecodyn.compare(
        runs, families, couplings=["independent"], protocols=["unseen_runs"], folds=2, jobs=1, margin=0.1
    )
    assert not result.failures
    (scored,) = (m for m in result.windows[0].models if m.family == "linear")
    assert scored.unexplained < 1e-6
    assert 1 - families[0].fit(runs.without_inputs()).score(runs.without_inputs()) > 0.05


def test_what_takes_no_inputs_is_a_failure_in_a_sentence_and_no_more():
    options = {"couplings": ["independent"], "protocols": ["unseen_runs"], "folds": 3, "jobs": 1}
    with pytest.raises(UnusableDataError, match="gompertz has no terms in any, got u, which vary"):
        ecodyn.compare(runs_of(6), ["gompertz"], **options)


def test_paths_of_runs_that_were_driven_otherwise_are_not_put_together():
    runs = runs_of(4)
    with pytest.raises(UnusableDataError, match="an input u that differs"):
        shuffle_runs(runs, np.random.default_rng(0))
    alike = runs.without_inputs().with_inputs(u=runs.inputs["u"][0])
    assert shuffle_runs(alike, np.random.default_rng(0)).inputs["u"] == alike.inputs["u"]


def test_the_search_for_the_best_law_takes_none():
    with pytest.raises(UnusableDataError, match="the search for the best law has no terms in any, got u"):
        ecodyn.best_law(runs_of(3), resamples=2)
