"""Ends of profiles: where the data tell none there is none, and only the data and law of the fit have one."""

import warnings

import numpy as np
import pytest

from ecodyn.errors import DataWarning, UnusableDataError
from ecodyn.families.formula import Formula

LOGISTIC = "r*x*(1 - x/K)"


def noisy(rate, runs=4, seed=0):
    """Solutions of a logistic law that ends at 2, with noise."""
    starts = np.linspace(0.1, 0.5, runs)
    clean = [2 / (1 + (2 / s - 1) * np.exp(-rate * np.arange(40.0)[:, None])) for s in starts]
    rng = np.random.default_rng(seed)
    return [run + rng.normal(0, 0.01, run.shape) for run in clean]


def fitted(formula, data, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)  # that parameters can hardly be told
        return Formula(formula, **options).fit(data)


@pytest.fixture(scope="module")
def data():
    return noisy(0.2)


@pytest.fixture(scope="module")
def law(data):
    return fitted(LOGISTIC, data, positive="all")


@pytest.mark.slow
def test_a_part_that_the_data_do_not_need_is_open_on_both_sides(data):
    """No rollout that dies on a long step is an end, and a positive parameter ends at 0."""
    profile = fitted("r*x*(1 - x/K) + c*x*exp(-x/h)", data, positive="all").profile("c", data)
    assert profile.sides == ("open", "open")
    assert (profile.low, profile.high, profile.told) == (0.0, np.inf, False)
    assert np.isfinite(profile.t).all()
    assert "do not bound it from below and above" in profile.sentence


@pytest.mark.slow
def test_an_open_end_is_the_bound_and_ends_the_search(data):
    profile = fitted("r*x*(1 - x/K) - c*x**3", data, bounds={"c": (0.0, 4.0)}).profile("c", data)
    assert profile.sides == ("open", "told")
    assert profile.low == 0
    assert 0 < profile.high < 4
    assert (profile.values < profile.estimate).sum() <= 8
    upper = profile.t[profile.values >= profile.estimate]
    past = int(np.flatnonzero(upper > profile.limit)[0])
    assert upper[past] - upper[past - 1] <= 1.5 * profile.limit  # near enough for a line between them


def test_where_rollouts_diverge_is_no_end_of_an_interval():
    """Rollouts of ẋ = −a√x end where they come to 0; two runs that disagree on a tell it less well than that."""
    runs = [(1 - a / 2 * np.arange(18.0)[:, None]) ** 2 for a in (0.1, 0.11)]
    profile = fitted("-a*sqrt(x)", runs, positive="all").profile("a", runs)
    assert profile.sides[1] == "diverging"
    assert not profile.told
    assert profile.high == np.inf
    assert profile.t[-1] == np.inf
    assert 2 / 18 < profile.values[-1] < 0.13
    assert f"rollouts diverge beyond {profile.values[-1]:.4g} above" in profile.sentence


def test_a_law_of_one_parameter_has_the_t_interval_over_runs():
    """With one parameter held none is free, and its rollouts are measured all the same."""
    data = noisy(0.2)
    law = fitted("a*x*(1 - x/2)", data, positive="all")
    profile, d = law.profile("a", data), law.model_.diagnostics
    half = (d.high[0, 0] - d.low[0, 0]) / 2
    np.testing.assert_allclose([profile.low, profile.high], [d.low[0, 0], d.high[0, 0]], atol=0.1 * half, rtol=0)


def test_the_data_and_the_formula_are_those_of_the_fit(data, law):
    assert law.profile("K", data).told
    with pytest.raises(UnusableDataError, match="expected the data that the law was fitted to"):
        law.profile("K", [3 * run for run in data])
    with pytest.raises(UnusableDataError, match="got other ones, of 3 runs"):
        law.profile("K", data[:3])
    with pytest.raises(UnusableDataError, match="got other ones"):
        law.profile("K", data, t=2 * np.arange(40.0))
    with pytest.raises(ValueError, match=r"expected a fit of 'a\*x \+ K', got one of"):
        fitted(LOGISTIC, data, positive="all").set_params(formula="a*x + K").profile("K", data)
