"""The benchmarks of the law of the circles, against numbers that are known: exponents, regressions, candidates."""

import importlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

import ecodyn
from ecodyn import Trajectories

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture
def script(monkeypatch):
    """A benchmark's module by name."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module


@dataclass
class Known:
    """A setting whose coefficients are powers of the settings."""

    row: np.ndarray
    values: np.ndarray


def known(share_settings, exponents, noise=0.0):
    """All settings of the benchmark, two coefficients each, θ = 3 Π (setting / the study's)^exponent."""
    rng = np.random.default_rng(0)
    fits = []
    for setting in share_settings.SETTINGS:
        row = share_settings.Fitted(setting, None, None, 0.0).row
        fits.append(Known(row, 3 * np.exp(row[1:] @ exponents + noise * rng.standard_normal(exponents.shape[1]))))
    return fits


def test_exponents_are_those_of_coefficients_that_are_powers_of_settings(script):
    share_settings = script("share_settings")
    exponents = np.array([[0.5, 0.0], [-1.0, 2.0], [1.0, 0.0], [1.0, 0.3]])  # of dim, p, weight decay, learning rate
    found, reach = share_settings.exponents(known(share_settings, exponents))
    np.testing.assert_allclose(found, [[np.log(3)] * 2, *exponents], atol=1e-12)
    assert reach.max() < 1e-11
    noisy, reach = share_settings.exponents(known(share_settings, exponents, 0.1))
    assert (np.abs(noisy[1:] - exponents) < 2 * reach[1:]).all()
    assert (reach > 0.01).all()


def test_a_setting_that_no_training_varies_has_no_exponent(script):
    share_settings = script("share_settings")
    exponents = np.array([[0.5], [0.0], [1.0], [1.0]])
    fits = [f for f in known(share_settings, exponents, 0.1) if f.row[2] == 0]  # p is the study's
    found, reach = share_settings.exponents(fits)
    assert np.isinf(reach[2]).all()
    np.testing.assert_allclose(found[2], 0, atol=1e-12)
    assert np.isfinite(reach[[1, 3, 4]]).all()


def linear_runs(count):
    """Trainings whose courses are linear in what is known at the first step, and in their means."""
    rng, steps = np.random.default_rng(count), np.arange(0, 50, 10)
    first, pull = rng.random((2, count, 6)) + 0.5
    rate = 0.3 * pull - 0.1 * first.mean(axis=1, keepdims=True)
    values = first[:, None] + 0.01 * steps[:, None] * rate[:, None]
    return Trajectories(values, steps, observables={"pull": np.broadcast_to(pull[:, None], values.shape)})


def test_a_regression_predicts_courses_that_are_linear_in_the_first_state_and_its_means(script):
    ceiling = script("law_ceiling")
    data, fresh = linear_runs(24), linear_runs(12)
    signals = ceiling.predicted(ceiling.regressions()["linear"](), data, fresh, "signal,pull")
    assert ceiling.skills(signals, fresh).min() > 0.99
    without = ceiling.predicted(ceiling.regressions()["linear"](), data, fresh, "signal")
    assert ceiling.skills(without, fresh).mean() < 0.9
    np.testing.assert_allclose(ceiling.skills(fresh.values, fresh), 1.0)


def test_every_candidate_is_a_formula_of_at_most_ten_coefficients(script):
    laws = script("formula_candidates").candidates()
    assert len({law.title for law in laws}) == len(laws)
    for law in laws:
        assert 3 <= len(law.estimator().statement.parameters) <= 10, law.title


def test_a_lag_of_no_time_is_the_law_that_it_relaxes_to(script):
    candidates = script("formula_candidates")
    law, lagging = candidates.with_traits("pull"), candidates.with_traits("pull", velocity=True)
    assert lagging.text == f"r*({law.text} - velocity)"
    assert lagging.state == "signal,velocity,pull@start"
    assert isinstance(lagging.estimator(), ecodyn.Formula)
