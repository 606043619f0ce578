"""The search for a law term by term, against scores whose best law is known."""

import importlib.util
import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

PATH = Path(__file__).parents[2] / "benchmarks" / "chosen_terms.py"


@pytest.fixture(scope="module")
def chosen_terms():
    spec = importlib.util.spec_from_file_location("chosen_terms", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@settings(max_examples=50, deadline=None, derandomize=True, database=None)
@given(st.lists(st.sampled_from([0.0, 0.0002, 0.005, 0.02, 0.1]), min_size=2, max_size=8), st.integers(1, 10))
def test_where_terms_add_up_those_worth_having_are_found(chosen_terms, worths, most):
    worth = dict(zip("abcdefgh", worths, strict=False))
    way = chosen_terms.stepwise(("a",), tuple(worth), most, lambda laws: [sum(worth[t] for t in law) for law in laws])
    wanted = sorted((t for t in worth if worth[t] >= 0.005), key=lambda t: -worth[t])
    assert all(len(law) == len(set(law)) <= most for law in way)
    assert all(abs(len(a) - len(b)) == 1 for a, b in itertools.pairwise(way))
    if len(wanted) < most:  # else a poor start may have taken the place of a good term
        assert set(way[-1]) == set(wanted) or (not wanted and len(way[-1]) == 1)


def test_a_law_that_fails_is_never_chosen(chosen_terms):
    def scores(laws):
        return [-np.inf if "bad" in law else 0.1 * len(law) for law in laws]

    assert set(chosen_terms.stepwise(("a",), ("a", "b", "bad"), 9, scores)[-1]) == {"a", "b"}


def test_the_pool_has_traits_of_the_feature_itself_to_the_first_power(chosen_terms):
    state = "signal,pull@start"
    assert set(chosen_terms.first_terms(state)) <= set(chosen_terms.pool(state))
    own = {"1", "x", "x**2", "x**3", "mean_x", "x*mean_x", "x**2*mean_x", "x*mean_x**2", "x*mean_x2"}
    assert set(chosen_terms.pool("signal")) == own
    assert not any("mean_pull" in term or "pull_start**2" in term for term in chosen_terms.pool(state))


def test_a_law_of_a_familys_terms_is_that_familys(chosen_terms, linear_runs):
    from ecodyn import Linear

    data = linear_runs()
    law = chosen_terms.ChosenTerms(terms=("1", "x", "mean_x")).fit_model(data)
    expected = Linear().fit_model(data)
    assert law.library.names() == expected.library.names()
    np.testing.assert_allclose(law.coefficients, expected.coefficients, rtol=1e-6)
