import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecodyn.errors import UnusableDataError
from ecodyn.survival import survivors, together
from ecodyn.survival.logistic import fit_logistic, held_out_log_odds


def drawn(seed, runs=12, features=20):
    """Fates by log odds 2u − v − 1 of two predictors."""
    rng = np.random.default_rng(seed)
    table = rng.normal(size=(runs, features, 2))
    odds = table @ [2.0, -1.0] - 1
    return table, rng.random((runs, features)) < 1 / (1 + np.exp(-odds))


def test_known_odds_are_recovered():
    table, alive = drawn(0, runs=200, features=50)
    weights = fit_logistic(table.reshape(-1, 2), alive.ravel())
    # 10 000 draws: standard errors of about 0.04, and a unit ridge that takes off less
    np.testing.assert_allclose(weights.coefficients, [2, -1], atol=0.15)
    assert weights.intercept == pytest.approx(-1, abs=0.1)


@given(st.integers(0, 50), st.floats(1e-3, 1e3), st.floats(-100, 100))
def test_odds_are_free_of_the_predictors_units(seed, scale, shift):
    table, alive = drawn(seed)
    flat = table.reshape(-1, 2)
    plain, scaled = fit_logistic(flat, alive.ravel()), fit_logistic(scale * flat + shift, alive.ravel())
    np.testing.assert_allclose(scaled.log_odds(scale * flat + shift), plain.log_odds(flat), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(scaled.standardised, plain.standardised, rtol=1e-4, atol=1e-4)


def test_held_out_odds_know_nothing_of_their_own_cluster():
    table, alive = drawn(1)
    clusters = np.repeat(np.arange(4), 3)
    own = clusters == 2
    other = np.where(own[:, None], ~alive, alive)
    before, fits = held_out_log_odds(table, alive, clusters)
    after, _ = held_out_log_odds(table, other, clusters)
    np.testing.assert_array_equal(before[own], after[own])
    assert not np.array_equal(before[~own], after[~own])
    assert len(fits) == 4


def test_two_predictors_know_more_than_one_and_noise_adds_nothing(fated):
    runs = fated(runs=12)
    found = survivors(runs)
    values = runs.values[:, 0]
    told = together(runs, found, 0.0)
    assert told.best_alone == "signal"
    assert set(told.alone) == {"signal", "gradient"}  # what needs a step before has no value at the first
    assert told.gain["signal"].low < 0 < told.gain["gradient"].low
    assert told.coefficients["signal"].low > 0
    assert told.coefficients["gradient"].low < 0 < told.coefficients["gradient"].high
    assert told.score.auc_per_run.shape == (len(values),)


def test_a_predictor_that_survivors_have_less_of_is_no_worse(fated):
    runs = fated(runs=6)
    found = survivors(runs)
    knowing = np.where(found.alive, 1.0, 2.0)[:, None] * np.ones((1, runs.n_steps, 1))
    turned = fated(runs=6, observables={"gradient": knowing})
    told = together(turned, found, 0.0)
    assert told.best_alone == "gradient"
    assert told.alone["gradient"].auc.mean == 0
    assert told.gain["gradient"].mean == pytest.approx(0, abs=1e-3)


def test_a_jackknife_of_equal_fits_has_no_width(races):
    start, end = np.array([[90.0, 88, 86, 84, 82, 80]]), np.array([[75.0, 75, 5, 5, 5, 5]])
    runs = races(np.repeat(start, 5, axis=0), np.repeat(end, 5, axis=0))
    coefficient = together(runs, survivors(runs), 0.0, ["signal"]).coefficients["signal"]
    assert coefficient.n == 5
    assert coefficient.high - coefficient.low == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(
    ("runs", "predictors", "words"),
    [
        (1, None, "at least two independent runs, one to fit the logistic model to.*got 1: train more seeds"),
        (4, ["slope"], "predictors with values at step 0, slope has none there: ask a later step"),
        (4, ["pull"], "expected a predictor that the data have.*got pull"),
    ],
)
def test_what_cannot_be_fitted_is_a_sentence(fated, runs, predictors, words):
    data = fated(runs=runs)
    with pytest.raises(UnusableDataError, match=words):
        together(data, survivors(data), 0.0, predictors)


def test_a_fold_with_one_fate_is_a_sentence(races):
    runs = races(np.full((2, 5), 80.0), [[80, 80, 5, 5, 5], [80] * 5])
    with pytest.raises(UnusableDataError, match="got one fate for all; give more runs"):
        together(runs, survivors(runs), 0.0)
