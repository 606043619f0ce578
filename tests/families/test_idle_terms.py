"""Terms that rollouts can do without, in SINDy's fits under noise."""

import numpy as np
import pytest

from ecodyn import SINDy, Trajectories
from ecodyn.families import Shooting


def noisy_logistic(runs, noise=0.05, seed=0):
    rng = np.random.default_rng(seed)
    t = np.linspace(0.0, 8.0, 60)
    x = 1 / (1 + rng.uniform(0.2, 20, (runs, 1, 2)) * np.exp(-t[:, None]))
    return Trajectories(x * (1 + noise * rng.standard_normal(x.shape)), t)


@pytest.mark.parametrize("seed", range(3))
def test_logistic_growth_is_left_under_noise(seed):
    data = noisy_logistic(10, seed=seed)
    law = SINDy("independent").fit(data).model_
    assert law.selected_terms() == {"x", "x**2"}
    np.testing.assert_allclose(law.coefficients, [[1.0, -1.0]], atol=0.05)


def test_fewer_terms_never_more():
    data = noisy_logistic(8, seed=5)
    kept = [SINDy("independent", eliminate=e).fit(data).model_.selected_terms() for e in (True, False)]
    assert kept[0] <= kept[1]


def test_few_runs_keep_what_the_threshold_kept():
    data = noisy_logistic(3, seed=1)
    one, other = (SINDy("independent", eliminate=e).fit(data).model_ for e in (True, False))
    assert one.selected_terms() == other.selected_terms()
    # Both end where a step gains no more than a 10⁻⁵th of the squares, from either side.
    np.testing.assert_allclose(one.coefficients, other.coefficients, atol=1e-3)


def test_one_stage_or_none_eliminates_nothing():
    data = noisy_logistic(8, seed=5)
    for shooting in (Shooting(stages=(1.0,)), Shooting(refine=False)):
        one, other = (
            SINDy("independent", eliminate=e, shooting=shooting).fit(data).model_.coefficients for e in (True, False)
        )
        assert one.tolist() == other.tolist()


def test_thresholds_that_were_given_are_meant():
    law = SINDy("independent", thresholds=[0.0]).fit(noisy_logistic(8)).model_
    assert law.selected_terms() == {"1", "x", "x**2", "x**3"}


def test_what_is_no_flag_is_refused():
    with pytest.raises(ValueError, match="eliminate is True or False"):
        SINDy(eliminate="yes").fit(noisy_logistic(4))
