"""What `best_law` does about data that are unusual in size, unit, number or shape."""

import contextlib
import re
import warnings

import numpy as np
import pytest
from scipy.optimize import minimize
from typer.testing import CliRunner

import ecodyn
from ecodyn.cli import app
from ecodyn.comparison.automatic.monomials import Terms
from ecodyn.comparison.automatic.preparation import degree_for
from ecodyn.rollouts.integration import integrate
from ecodyn.statistics.smoothing import smoothed

LORENZ_TERMS = {(0, "x_1"), (0, "x_2"), (1, "x_1"), (1, "x_2"), (1, "x_1*x_3"), (2, "x_1*x_2"), (2, "x_3")}


def lorenz_slopes(x, _):
    a, b, c = x.T
    return np.stack([10 * (b - a), a * (28 - c) - b, a * b - 8 / 3 * c], axis=-1)


def lorenz():
    times = np.linspace(0.0, 5.0, 501)
    return integrate(lorenz_slopes, [[-8.0, 7.0, 27.0]], times, rtol=1e-10, max_evaluations=200_000).values[0], times


def test_smoothing_is_the_same_in_any_unit_of_time():
    times = np.linspace(0.0, 6.0, 61)
    x = np.column_stack([np.sin(times), np.cos(2 * times)]) + 0.05 * np.random.default_rng(0).standard_normal((61, 2))
    expected = smoothed(x, times)
    for unit in (1e-4, 1 / 6, 3600.0):
        np.testing.assert_allclose(smoothed(x, unit * times + 7 * unit), expected, atol=1e-6)


def test_smoothing_leaves_fast_clean_data_as_they_are():
    x, times = lorenz()
    apart = np.sqrt(np.mean((smoothed(x, times) - x) ** 2, axis=0) / np.mean((x - x[0]) ** 2, axis=0))
    assert apart.max() < 1e-3


@pytest.mark.slow
def test_a_long_clean_chaotic_trajectory_gives_its_law():
    law = ecodyn.best_law(*lorenz(), resamples=5).model
    found = {(f, law.library.monomial(t, f)) for f, row in enumerate(law.coefficients) for t in np.flatnonzero(row)}
    assert found == LORENZ_TERMS


@pytest.mark.slow
def test_noisy_chaotic_trajectories_give_their_law():
    """Over whole runs of some Lyapunov times rollouts lead nowhere from a little way off; over parts they do."""
    times, rng = np.arange(0.0, 5.0, 0.01), np.random.default_rng(1)
    starts = [rng.uniform([-15, -15, 10], [15, 15, 40]) for _ in range(8)]
    clean = integrate(lorenz_slopes, starts[:2], times, rtol=1e-10, max_evaluations=200_000).values
    noisy = [x + 0.2 * rng.standard_normal(x.shape) for x in clean]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ecodyn.DataWarning)  # that it was sought over parts
        law = ecodyn.best_law(noisy, times, resamples=5).model
    found = {(f, law.library.monomial(t, f)) for f, row in enumerate(law.coefficients) for t in np.flatnonzero(row)}
    assert found == LORENZ_TERMS


TIMES = np.linspace(0.0, 8.0, 33)
CIRCLE = np.column_stack([np.sin(TIMES), np.cos(TIMES)])
DECAY = np.exp(-TIMES)[:, None]
ABOUT_LITTLE = r"no polynomial law of degree <= 1 follows the data: the best leaves \d+ % .*a list of arrays"


def test_a_law_that_explains_little_says_so_first_and_warns():
    x = DECAY + 0.6 * np.random.default_rng(1).standard_normal(DECAY.shape)
    with pytest.warns(ecodyn.DataWarning, match=ABOUT_LITTLE) as warned:
        found = ecodyn.best_law(x, TIMES, degree=1, resamples=2)
    assert len(warned) == 1
    assert found.candidates[0].unexplained > 0.1
    assert found.confident.startswith(f"it leaves {found.candidates[0].unexplained:.2g} of the movement")
    (percent,) = re.findall(r"leaves (\d+) % of", str(warned[0].message))
    assert int(percent) == round(100 * found.candidates[0].unexplained)


def test_a_law_of_clean_data_neither_warns_nor_begins_with_what_is_left():
    found = ecodyn.best_law(DECAY, TIMES, degree=1, resamples=2)  # a warning would be an error
    assert found.confident.startswith("of 2 resamples")


@pytest.mark.parametrize("features", range(1, 17))
def test_default_libraries_and_laws_are_bounded_and_the_largest_that_are(features):
    degree = degree_for(features, None)
    wanted = 5 if features == 1 else 3

    def fits(d):
        terms = len(Terms(features, d))
        return terms <= 100 and features * terms <= 300

    assert fits(degree)
    assert degree == wanted or not fits(degree + 1)


def test_a_degree_is_kept_or_lowered_with_both_numbers():
    assert degree_for(2, 4) == 4
    with pytest.warns(ecodyn.DataWarning, match=r"the degree is 2 instead of 50: of 6 features"):
        assert degree_for(6, 50) == 2
    x = np.random.default_rng(0).standard_normal((40, 17)).cumsum(axis=0)
    with pytest.raises(ecodyn.UnusableDataError, match=r"at most 16 features.* got 17"):
        ecodyn.best_law(x, 1.0)


def test_long_runs_are_searched_on_some_samples_and_refitted_on_all():
    times = np.linspace(0.0, 8.0, 1001)
    x = np.exp(-times)[:, None] + 0.02 * np.random.default_rng(0).standard_normal((1001, 1))
    with pytest.warns(ecodyn.DataWarning, match="of 1001 samples of the longest run, one in 2 was") as warned:
        found = ecodyn.best_law(x, times, degree=1, resamples=2)
    assert len(warned) == 1
    rate = found.model.coefficients[found.model.coefficients != 0]
    # The least squares of all samples, with the start estimated as well.
    best = minimize(lambda p: np.sum((p[0] * np.exp(p[1] * times) - x[:, 0]) ** 2), [1.0, -1.0], tol=1e-12)
    assert rate == pytest.approx([best.x[1]], rel=1e-3)
    assert found.noise["1"] ** 2 == pytest.approx(best.fun / 1001, rel=1e-4)


def test_a_feature_that_moves_only_between_runs_is_refused():
    runs = [np.column_stack([DECAY, np.full(len(TIMES), level)]) for level in (1.0, 2.0)]
    with (
        pytest.warns(ecodyn.DataWarning, match="constant throughout"),
        pytest.raises(ecodyn.UnusableDataError, match="move within runs, got 'b' constant in each run and different"),
    ):
        ecodyn.best_law(ecodyn.Trajectories(runs, TIMES, ["a", "b"], labels_shared=True))


def test_data_that_no_term_goes_with_are_refused():
    with pytest.raises(ecodyn.UnusableDataError, match="degree 1"):
        ecodyn.best_law(np.resize([1.0, -1.0], (24, 1)), 1.0, degree=1)


@pytest.mark.parametrize("size", [1e-60, 1e60])
def test_extreme_units_leave_the_law(size):
    one, other = (ecodyn.best_law(s * DECAY, TIMES, degree=2, resamples=1).model.coefficients for s in (1.0, size))
    assert other[other != 0] == pytest.approx(one[one != 0], rel=1e-9)
    assert other[other != 0] == pytest.approx([-1.0], rel=1e-4)


@pytest.mark.parametrize("size", [1e-320, 1e-150, 1e150, 1.7e308])
def test_units_in_which_no_law_can_be_written_are_refused(size):
    with pytest.raises(ecodyn.UnusableDataError, match=r"expected units .* by their own size"):
        ecodyn.best_law(size * CIRCLE, TIMES, degree=2)


def test_a_feature_far_from_its_origin_is_said_to_be():
    with pytest.warns(ecodyn.DataWarning, match=r"move by little \(1 by .*subtract an origin"):
        ecodyn.best_law(DECAY + 1e6, TIMES, degree=1, resamples=1)


def test_laws_that_overflow_in_the_search_warn_of_nothing():
    x = np.random.default_rng(1).standard_normal((22, 2)).cumsum(axis=0)
    with warnings.catch_warnings(record=True) as warned, contextlib.suppress(ecodyn.UnusableDataError):
        warnings.simplefilter("always")
        ecodyn.best_law(x, 0.01, degree=5, resamples=2)
    assert {w.category for w in warned} <= {ecodyn.DataWarning}


def test_a_seed_is_refused_before_the_search():
    with pytest.raises(ValueError, match="seed is a whole number of at least 0, got -1"):
        ecodyn.best_law(np.empty((0, 1)), seed=-1)


@pytest.mark.parametrize("given", [("--coupling", "exchangeable"), ("--state", "signal")])
def test_the_command_line_refuses_defaults_that_are_given_before_it_reads(given, tmp_path):
    refused = CliRunner().invoke(app, ["fit", str(tmp_path / "no_such_file.csv"), "--family", "auto", *given])
    text = " ".join(refused.output.replace("│", " ").split())
    assert refused.exit_code == 2
    assert f"got {given[0]}; leave it out or name a family" in text


def test_candidates_after_the_chosen_law_are_in_the_order_of_their_criterion():
    found = ecodyn.best_law(CIRCLE, TIMES, degree=1, resamples=2)
    criteria = [c.criterion for c in found.candidates[1:]]
    assert criteria == sorted(criteria)
    assert np.isfinite([c.unexplained for c in found.candidates]).all()


def test_features_may_be_named():
    found = ecodyn.best_law(CIRCLE, TIMES, feature_names=["up", "along"], degree=1, resamples=2)
    assert found.model.features == ("up", "along")
