"""Missing values take part neither in fits nor in scores."""

import numpy as np
import pytest

import ecodyn
from ecodyn import Trajectories
from ecodyn.comparison.scores import mean_square, noise_variance, score_rollout
from ecodyn.systems import SYSTEMS, simulate

pytestmark = pytest.mark.filterwarnings("ignore:.*are missing:ecodyn.DataWarning")
PROTOCOLS = ["unseen_runs", "forecast", "in_sample"]


@pytest.fixture(scope="module")
def runs():
    return simulate(SYSTEMS["competition"], runs=6, noise=0.01, samples=41, seed=3)


def masked(runs, mask):
    return Trajectories(runs.values, runs.times, runs.features, runs.runs, missing=mask)


def holes(runs, share=0.05, seed=0):
    mask = np.random.default_rng(seed).random(runs.shape) < share
    mask[:, 0] = False
    return mask


def test_a_fit_is_that_of_the_complete_steps(runs):
    with_gaps = masked(runs, holes(runs))
    for family in (ecodyn.Linear(), ecodyn.LotkaVolterra()):
        law, same = family.fit(with_gaps).model_, family.fit(with_gaps.complete()).model_
        assert np.array_equal(law.coefficients, same.coefficients)


@pytest.mark.slow
def test_steps_missing_as_a_whole_score_as_if_they_were_not_stored(runs):
    """Where every feature lacks a step, masking it or leaving it out of the file is the same comparison."""
    rows = holes(runs).any(axis=2)
    with_gaps = masked(runs, np.repeat(rows[:, :, None], runs.n_features, axis=2))
    kept = [~row for row in rows]
    without = Trajectories(
        [x[k] for x, k in zip(runs.values, kept, strict=True)],
        [t[k] for t, k in zip(runs.times, kept, strict=True)],
        runs.features,
        runs.runs,
    )
    asked = {"families": ["linear", "lotka_volterra"], "couplings": ["exchangeable"], "protocols": PROTOCOLS}
    a, b = ecodyn.compare(with_gaps, **asked), ecodyn.compare(without, **asked)
    assert len(a.models) == len(b.models) > 6
    for one, other in zip(a.models, b.models, strict=True):
        assert one.name == other.name
        assert one.skill == pytest.approx(other.skill, abs=1e-6)  # rollouts stop at other times: solvers' accuracy
        assert one.one_step_r2 == pytest.approx(other.one_step_r2, abs=1e-9, nan_ok=True)
    assert a.verdict.status == b.verdict.status


@pytest.mark.slow
def test_a_few_holes_change_little(runs):
    asked = {"families": ["linear", "lotka_volterra"], "couplings": ["exchangeable"], "protocols": PROTOCOLS[:1]}
    no_holes = masked(runs, np.zeros(runs.shape, dtype=bool))  # labels of masked runs are not shared
    whole, gaps = ecodyn.compare(no_holes, **asked), ecodyn.compare(masked(runs, holes(runs)), **asked)
    assert gaps.verdict.best == whole.verdict.best
    skills = np.array([[m.skill for m in c.models if m.kind == "family"] for c in (whole, gaps)])
    assert np.abs(skills[0] - skills[1]).max() < 0.02


def test_a_run_begins_at_its_first_complete_step_and_it_is_said(runs):
    mask = np.zeros(runs.shape, dtype=bool)
    mask[2, :3, 0] = True
    with pytest.warns(ecodyn.DataWarning, match=r"1 of 6 runs lack a value at the window's first step"):
        result = ecodyn.compare(masked(runs, mask), ["linear"], ["exchangeable"], protocols=["unseen_runs"])
    assert result.models[0].skill_per_run.shape == (6,)


def test_mean_squares_over_gaps_are_trapezoids_between_the_values_there_are():
    times = np.array([0.0, 1.0, 3.0, 4.0])
    difference = np.array([[1.0, 2.0], [np.nan, 3.0], [2.0, np.nan], [3.0, np.nan]])
    first = (3.0 * (1 + 4) / 2 + 1.0 * (4 + 9) / 2, 4.0)
    second = (1.0 * (4 + 9) / 2, 1.0)
    assert mean_square(difference, times) == pytest.approx((first[0] + second[0]) / (first[1] + second[1]))


def test_a_rollout_that_is_right_where_there_are_values_is_perfect():
    times = np.linspace(0, 1, 9)
    truth = np.exp(-times)[:, None] * [1.0, 2.0]
    holed = np.where(np.random.default_rng(0).random(truth.shape) < 0.2, np.nan, truth)
    holed[0] = truth[0]
    score = score_rollout(holed, truth, times)
    assert (score.skill, score.log_skill, score.curve[-1]) == (1.0, 1.0, 1.0)


def test_noise_is_told_from_complete_steps():
    times = np.arange(400.0)
    signal = np.random.default_rng(0).normal(0, 0.1, (400, 3)) + 1
    signal[::7, 0] = np.nan
    assert noise_variance(signal, times) == pytest.approx(0.01, rel=0.2)
