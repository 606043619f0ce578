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


def test_a_law_with_the_input_is_better_than_one_without():
    runs, families = runs_of(6), [Linear("independent", shooting=Shooting(refine=False))]
    options = {"couplings": ["independent"], "protocols": ["unseen_runs"], "folds": 3, "jobs": 1}
    driven = ecodyn.compare(runs, families, **options)
    plain = ecodyn.compare(runs.without_inputs(), families, **options)
    assert not driven.failures
    (with_it,), (without,) = ([m for m in r.windows[0].models if m.family == "linear"] for r in (driven, plain))
    assert with_it.unexplained < 1e-6 < 0.05 < without.unexplained


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
