"""Which support is preferred, whose a selection is, and how many coefficients it may have."""

import numpy as np
import pytest

from ecodyn import SINDy
from ecodyn.comparison import compare
from ecodyn.families import Shooting
from ecodyn.families.model_name import ModelName
from ecodyn.families.selection import TIE, by_preference
from ecodyn.systems import SYSTEMS, simulate

SIZES = np.array([14, 6, 3])


def shares(seed, rollouts=12, level=0.01, scatter=0.3):
    """Unexplained shares of three supports (threshold, rollout), of one level and independent scatter."""
    logs = np.random.default_rng(seed).normal(np.log(level), scatter, (3, rollouts))
    logs -= logs.mean(axis=1, keepdims=True) - np.log(level)
    return np.exp(logs)


@pytest.mark.parametrize("seed", range(5))
def test_of_supports_that_validate_alike_the_smallest_is_first(seed):
    """Their mean logs are equal, their means differ by chance: none is a standard error from the best."""
    assert by_preference(shares(seed), SIZES)[0] == 2


@pytest.mark.parametrize("seed", range(5))
def test_one_that_is_surely_worse_is_not(seed):
    unexplained = shares(seed, scatter=0.02)
    unexplained[2] *= 1.2
    assert by_preference(unexplained, SIZES)[0] == 1


def test_no_doubt_is_worth_more_than_a_tie_of_skill():
    """A support may be within a standard error only because all are erratic; its mean must be near the best's too."""
    unexplained = np.tile([0.01, 0.5], (3, 6))
    unexplained[2, ::4] += 20 * TIE
    first = by_preference(unexplained, SIZES)[0]
    assert unexplained[first].mean() <= unexplained.mean(axis=1).min() + TIE


def test_empty_supports_come_last_and_every_one_comes_once():
    order = by_preference(shares(0), np.array([14, 6, 0]))
    assert sorted(order) == [0, 1, 2]
    assert order[-1] == 2


def test_one_rollout_is_no_standard_error():
    assert sorted(by_preference(np.array([[0.1], [0.2], [0.3]]), SIZES)) == [0, 1, 2]
    assert by_preference(np.array([[0.1], [0.2], [0.3]]), SIZES)[0] == 0


@pytest.mark.slow
def test_a_selection_of_a_full_laws_own_terms_is_that_law():
    """Hares and lynxes: what SINDy keeps are terms of Lotka-Volterra's equations, and the two are one model."""
    data = simulate(SYSTEMS["predator_prey"], runs=8, seed=1)
    found = compare(data, ["lotka_volterra", SINDy], ["full"], protocols=["unseen_runs"])
    assert found.verdict.best == ModelName("lotka_volterra", "full")
    assert found.verdict.same_model == ((ModelName("lotka_volterra", "full"), ModelName("sindy", "full")),)


# ------------------------------------------------------------------------------------------- laws of bounded size


@pytest.fixture(scope="module")
def runs(competing_runs):
    """Competition seen through noise, so that large supports validate best."""
    return competing_runs(noise=0.02)


@pytest.mark.parametrize(("state", "most"), [("signal", 2), ("signal,gradient", 3)])
def test_a_law_has_at_most_so_many_coefficients_in_all_its_equations(runs, state, most):
    free, bound = (
        SINDy(state=state, degree=2, max_terms=n, shooting=Shooting(refine=False)).fit_model(runs) for n in (None, most)
    )
    assert 0 < bound.n_coefficients <= most < free.n_coefficients


def test_a_bound_that_nothing_exceeds_changes_nothing(runs):
    free, bound = (SINDy(max_terms=most, thresholds=8).fit_model(runs) for most in (None, 14))
    assert free.selected_terms() == bound.selected_terms()
    np.testing.assert_array_equal(free.coefficients, bound.coefficients)


def test_a_path_without_a_small_law_is_refused(runs):
    with pytest.raises(ValueError, match="at most max_terms=1 coefficients, got 14 and more"):
        SINDy(max_terms=1, thresholds=[1e-12]).fit(runs)
