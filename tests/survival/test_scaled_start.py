"""Scaling one feature: responses of systems whose coupling is known, and what may not matter to an interval."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ecodyn import Linear, LotkaVolterra, Trajectories
from ecodyn.errors import UnusableDataError
from ecodyn.families import Shooting
from ecodyn.survival import law_response, perturbation
from ecodyn.survival.pairs import scaled_features

FACTORS = (0.5, 1.0, 1.5)
TIMES = np.arange(0.0, 41.0, 2.0)
SOLVED = 1e-7  # signals are of order one, and a rollout solves each to a relative 1e-8 a step
STARTS, FEATURES, SCALED = 6, 5, 2  # labels of features are 1..5, so that the scaled one is called 3


def flow(x, theta, times):
    """ẋ = b + a x + c x̄ from states (run, feature), solved by hand: the mean and the deviations from it part."""
    b, a, c = theta
    mean, t = x.mean(axis=1)[:, None, None], times[None, :, None]
    growth = np.exp((a + c) * t)
    return (x[:, None] - mean) * np.exp(a * t) + mean * growth + b * (growth - 1) / (a + c)


def scaled_runs(theta, *, copies=1, noise=0.0, seed=0, **more):
    """Trainings of every start under every factor; ``copies`` of each pair under other seeds, in the same cluster."""
    rng = np.random.default_rng(seed)
    start = rng.uniform(1.0, 2.0, (STARTS, FEATURES))
    values, factor, cluster, seeds = [], [], [], []
    for f in FACTORS:
        for copy in range(copies):
            x = start.copy()
            x[:, SCALED] *= f
            values.append(flow(x, theta, TIMES))
            factor += [f] * STARTS
            cluster += list(range(STARTS))
            seeds += [copy] * STARTS
    together = np.concatenate(values)
    if noise:
        each = np.random.default_rng(seed + 1).normal(0, noise, (len(FACTORS), 1, STARTS, 1, FEATURES))
        together = together + np.broadcast_to(each, (len(FACTORS), copies, STARTS, 1, FEATURES)).reshape(
            len(together), 1, FEATURES
        )
    settings = {"scale_frequency_factor": factor, "seed": seeds} | more
    return Trajectories(together, TIMES, features=range(1, FEATURES + 1), cluster=cluster, settings=settings)


def fates(runs, seed=0):
    """Any alive, the same for copies of a training."""
    key = zip(runs.settings["scale_frequency_factor"].tolist(), runs.clusters.tolist(), strict=True)
    return np.array([np.random.default_rng([seed, int(2 * f), c]).random(FEATURES) < 0.5 for f, c in key])


def law_of(runs, **more):
    return Linear(shooting=Shooting(refine=False), **more).fit(runs.select(scale_frequency_factor=1.0)).model_


def exactly(theta, runs):
    """The law ẋ = b + a x + c x̄ itself."""
    return replace(law_of(runs), coefficients=np.array([theta]))


def tables(found):
    names = ("mean", "low", "high")
    return {
        (field, name): getattr(value, name)
        for field, value in vars(found).items()
        if hasattr(value, "low")
        for name in names
    }


@pytest.mark.parametrize("c", [-0.05, 0.03])
def test_the_true_law_answers_and_its_coupling_is_the_implied_one(c):
    theta = (0.1, -0.06, c)
    runs = scaled_runs(theta)
    found = law_response(runs, exactly(theta, runs), feature=3)
    assert (found.fitted, found.diverged) == (c, 0)
    np.testing.assert_allclose(found.predicted.mean, found.observed.mean, atol=SOLVED)
    np.testing.assert_allclose(found.excess.mean, 0, atol=SOLVED)
    for of in (found.implied.mean, found.implied.low, found.implied.high):  # all pairs agree
        np.testing.assert_allclose(of[:, 1:], c, rtol=1e-9)
        assert np.isnan(of[:, 0]).all()
    signs = np.sign(found.observed.mean[:, 1:] * found.start.mean[:, None])
    np.testing.assert_array_equal(signs, np.sign(c))


def test_the_response_is_the_docstrings():
    """o(t) = (o(0) − δ̄) e^(at) + δ̄ e^((a+c)t), here with o(0) = 0 and δ̄ = Δ/K; to first order c t Δ/K."""
    b, a, c = 0.1, -0.06, -0.05
    found = law_response(scaled_runs((b, a, c)), law_of(scaled_runs((b, a, c))), feature=3)
    share = found.start.mean[:, None] / FEATURES
    expected = share * (np.exp((a + c) * found.steps) - np.exp(a * found.steps))
    np.testing.assert_allclose(found.observed.mean, expected, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(found.observed.mean[:, 1], c * TIMES[1] * share[:, 0], rtol=0.2)


def test_a_window_that_begins_later_starts_from_what_is_there():
    runs = scaled_runs((0.1, -0.06, -0.05))
    law = exactly((0.1, -0.06, -0.05), runs)
    later = law_response(runs.window(10, 40), law, feature=3, steps=[10, 30])
    whole = law_response(runs, law, feature=3, steps=[10, 30])
    np.testing.assert_allclose(later.observed.mean, whole.observed.mean, rtol=1e-12)
    np.testing.assert_allclose(later.excess.mean[:, 0], 0, atol=1e-14)
    np.testing.assert_allclose(later.implied.mean[:, 1], -0.05, rtol=1e-9)
    np.testing.assert_array_equal(later.steps, [10, 30])


def test_uncoupled_features_do_not_answer():
    runs = scaled_runs((0.1, -0.06, 1e-300))
    found = perturbation(runs, fates(runs), feature=3)
    np.testing.assert_allclose(found.others_change.mean, 0, atol=1e-13)
    response = law_response(runs, law_of(runs, coupling="independent"), feature=3)
    np.testing.assert_allclose(response.predicted.mean, 0, atol=SOLVED)
    assert response.implied is None
    assert response.fitted is None
    np.testing.assert_allclose(found.own_change.mean[:, 0], response_start(response), rtol=1e-12)


def response_start(response):
    """Δ of all factors, that of the plain runs being zero."""
    return np.insert(response.start.mean, 1, 0.0)


def test_copies_within_a_cluster_make_nothing_surer():
    one, three = (scaled_runs((0.1, -0.06, -0.05), copies=n, noise=0.02) for n in (1, 3))
    for single, many in (
        (perturbation(one, fates(one), 3), perturbation(three, fates(three), 3)),
        (law_response(one, law_of(one), 3), law_response(three, law_of(one), 3)),
    ):
        for key, expected in tables(single).items():
            np.testing.assert_allclose(tables(many)[key], expected, rtol=1e-9, atol=1e-12, err_msg=str(key))
    independent = perturbation(three, fates(three), 3, independent=np.arange(three.n_runs))
    clustered = perturbation(three, fates(three), 3)
    width = [np.max(f.others_change.high - f.others_change.low) for f in (independent, clustered)]
    assert width[0] < width[1]


def test_order_of_runs_and_of_the_others_does_not_matter():
    runs = scaled_runs((0.1, -0.06, -0.05), noise=0.02)
    alive, rng = fates(runs), np.random.default_rng(3)
    order, features = rng.permutation(runs.n_runs), [3, 1, 5, 2, 4]
    moved = runs.select(runs=runs.runs[order].tolist(), features=features)
    found, other = perturbation(runs, alive, 3), perturbation(moved, alive[order][:, np.array(features) - 1], 3)
    places = [found.others.tolist().index(k) for k in other.others.tolist()]
    for key, expected in tables(found).items():
        wanted = expected[:, places] if key[0].startswith("each") else expected
        np.testing.assert_allclose(tables(other)[key], wanted, rtol=1e-10, atol=1e-13, err_msg=str(key))


def test_shares_and_numbers_are_those_of_alive():
    runs = scaled_runs((0.1, -0.06, -0.05))
    alive = fates(runs)
    found = perturbation(runs, alive, 3)
    for row, factor in enumerate(FACTORS):
        own = alive[runs.settings["scale_frequency_factor"] == factor]
        assert found.own_survival.mean[row] == pytest.approx(own[:, SCALED].mean())
        assert found.survivors.mean[row] == pytest.approx(own.sum(axis=1).mean())
    np.testing.assert_allclose(
        found.survivors.mean, found.own_survival.mean + (FEATURES - 1) * found.others_survival.mean, rtol=1e-12
    )
    np.testing.assert_allclose(found.each_change.mean.mean(axis=1), found.others_change.mean[:, -1], atol=1e-13)
    plain = [table[1] for (name, _), table in tables(found).items() if name.endswith("_change")]
    assert all((row == 0).all() for row in plain)
    np.testing.assert_array_equal(found.others, [1, 2, 4, 5])
    assert found.n_clusters == STARTS


def test_any_law_can_be_asked():
    runs = scaled_runs((0.1, -0.06, -0.05))
    law = LotkaVolterra().fit(runs.select(scale_frequency_factor=1.0)).model_
    found = law_response(runs, law, feature=3, steps=[20])
    assert found.implied is None
    np.testing.assert_array_equal(np.sign(found.predicted.mean[:, 0]), [1, -1])


def test_which_feature_is_told_by_the_settings():
    runs = scaled_runs((0.1, -0.06, -0.05), scale_frequency_k=[3] * STARTS * len(FACTORS))
    assert perturbation(runs, fates(runs)).feature == 3
    with pytest.raises(ValueError, match=r"expected a scaled feature, \[3\], got 2"):
        perturbation(runs, fates(runs), 2)


def test_the_scaled_feature_is_the_one_by_which_starts_differ():
    runs = scaled_runs((0.1, -0.06, -0.05))
    alive = fates(runs)
    assert scaled_features(runs) == [SCALED + 1]
    assert perturbation(runs, alive).feature == SCALED + 1
    named = scaled_runs((0.1, -0.06, -0.05), scale_frequency_k=[4] * runs.n_runs)
    assert scaled_features(named) == [4]  # what the file says goes first
    assert scaled_features(runs.select(scale_frequency_factor=1.0)) == []


def test_factors_are_numbers():
    runs = scaled_runs((0.1, -0.06, -0.05), scale_frequency_factor=["none", "2"] * 9)
    with pytest.raises(UnusableDataError, match="expected a number as scale_frequency_factor"):
        perturbation(runs, fates(scaled_runs((0.1, -0.06, -0.05))), 3)


def test_what_can_not_be_paired_is_refused():
    runs = scaled_runs((0.1, -0.06, -0.05))
    alive = fates(runs)
    with pytest.raises(ValueError, match="expected one scaled feature, got none"):
        perturbation(runs.window(2, 40), alive)  # by then the others have moved too
    with pytest.raises(ValueError, match="alive as booleans"):
        perturbation(runs, alive.astype(float), 3)
    with pytest.raises(ValueError, match=r"expected a feature among .*got 9"):
        perturbation(runs, alive, 9)
    with pytest.raises(ValueError, match="step 3 is not stored"):
        law_response(runs, law_of(runs), 3, steps=[3])
    without = runs.select(runs=[r for r in runs.runs.tolist() if r != STARTS + 1])
    with pytest.raises(UnusableDataError, match="has no unscaled training of the same start"):
        perturbation(without, fates(without), 3)
    plain = runs.select(scale_frequency_factor=1.0)
    with pytest.raises(UnusableDataError, match="a factor other than 1, got none"):
        law_response(plain, law_of(runs), 3)
    other = Trajectories(runs.values, runs.steps)
    with pytest.raises(UnusableDataError, match="scale_frequency_factor of each run, got no settings"):
        perturbation(other, alive, 3)
