"""How many coefficients a sparse law may have."""

import numpy as np
import pytest

from ecodyn import SINDy


@pytest.fixture(scope="module")
def runs(competing_runs):
    """Competition seen through noise, so that large supports validate best."""
    return competing_runs(noise=0.02)


@pytest.mark.parametrize(("state", "most"), [("signal", 2), ("signal,gradient", 3)])
def test_a_law_has_at_most_so_many_coefficients_in_all_its_equations(runs, state, most):
    free, bound = (SINDy(state=state, degree=2, max_terms=n, refine=False).fit_model(runs) for n in (None, most))
    assert 0 < bound.n_coefficients <= most < free.n_coefficients


def test_a_bound_that_nothing_exceeds_changes_nothing(runs):
    free, bound = (SINDy(max_terms=most, thresholds=8).fit_model(runs) for most in (None, 14))
    assert free.selected_terms() == bound.selected_terms()
    np.testing.assert_array_equal(free.coefficients, bound.coefficients)


def test_a_path_without_a_small_law_is_refused(runs):
    with pytest.raises(ValueError, match="at most max_terms=1 coefficients, got 14 and more"):
        SINDy(max_terms=1, thresholds=[1e-12]).fit(runs)
