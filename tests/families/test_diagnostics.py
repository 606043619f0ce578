import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import t

from ecodyn import Linear, LotkaVolterra, SINDy, load_model
from ecodyn.errors import UnusableDataError
from ecodyn.families import Matching, Shooting
from ecodyn.families.conditioning import condition_number, effective_rank
from ecodyn.families.run_spread import spread_over_runs
from ecodyn.stability.equilibria import find_equilibria
from ecodyn.trajectories import Trajectories

open_inputs = settings(max_examples=25, deadline=None, derandomize=True, database=None)

THETA = np.array([[0.02, -0.06, 0.02]])  # of linear_runs


@pytest.mark.parametrize("refine", [False, True])
@pytest.mark.slow
def test_intervals_over_runs_cover_the_truth(refine):
    """About 95 % of the intervals of noisy fits hold the coefficients that the data were made with."""
    b, a = 0.05, -0.08
    times = np.arange(25.0)
    hits = []
    for seed in range(120):
        rng = np.random.default_rng(seed)
        starts = rng.uniform(0.2, 2.5, (10, 1, 3))
        values = -b / a + (starts + b / a) * np.exp(a * times)[:, None] + 0.01 * rng.standard_normal((10, 25, 3))
        law = (
            Linear("independent", shooting=Shooting(refine=refine, stages=(1.0,)))
            .fit(Trajectories(values, times))
            .model_
        )
        low, high = law.diagnostics.low[0], law.diagnostics.high[0]
        hits.append((low < [b, a]) & ([b, a] < high))
    assert 0.88 <= np.mean(hits) <= 0.99, np.mean(hits, axis=0)


@given(st.integers(3, 9), st.integers(0, 10**6))
@open_inputs
def test_intervals_are_at_least_those_of_leaving_runs_out(runs, seed):
    """Of least squares what the gradients and Hessians say of a run left out is what a fit without it finds."""
    rng = np.random.default_rng(seed)
    x, y = rng.standard_normal((runs, 6, 2)), rng.standard_normal((runs, 6))

    def fitted(kept):
        return np.linalg.lstsq(x[kept].reshape(-1, 2), y[kept].ravel(), rcond=None)[0]

    theta = fitted(np.arange(runs))
    hessians = x.swapaxes(1, 2) @ x
    gradients = np.einsum("rnp,rn->rp", x, x @ theta - y)
    changes = np.array([fitted(np.delete(np.arange(runs), r)) - theta for r in range(runs)])
    jackknife = t.ppf(0.975, runs - 1) * np.sqrt((runs - 1) / runs * np.sum(changes**2, axis=0))
    half_width = spread_over_runs(theta, hessians, gradients).half_width
    assert (half_width >= jackknife * (1 - 1e-9)).all()


def test_spread_of_a_mean_is_the_t_interval():
    """One coefficient that is a mean over runs: interval, halves and spread are those of elementary statistics."""
    from scipy.stats import t, ttest_1samp

    y = np.random.default_rng(0).standard_normal(12) + 5
    theta = np.array([y.mean()])
    found = spread_over_runs(theta, np.ones((12, 1, 1)), (theta - y)[:, None])
    interval = ttest_1samp(y, 0).confidence_interval(0.95)
    error = y.std(ddof=1) / np.sqrt(12)
    assert found.half_width[0] == pytest.approx((interval.high - interval.low) / 2)
    assert found.half_width[0] == pytest.approx(t.ppf(0.975, 11) * error)
    assert found.first[0] == pytest.approx(y[::2].mean())
    assert found.second[0] == pytest.approx(y[1::2].mean())
    assert found.halves[0] == pytest.approx(abs(y[::2].mean() - y[1::2].mean()) / (2 * error))
    assert found.run_spread[0] == pytest.approx(y.std(ddof=1) / y.mean())


@pytest.mark.parametrize("runs", [1, 2, 3, 4])
def test_what_few_runs_cannot_tell_is_nan(linear_runs, runs):
    diagnostics = Linear().fit(linear_runs(runs=runs, noise=0.01)).model_.diagnostics
    assert np.isnan(diagnostics.low).all() == (runs < 2)
    assert np.isnan(diagnostics.halves).all() == (runs < 4)
    assert diagnostics.identified.shape == (1, 3)


def test_halves_agree_where_one_law_made_all_runs(linear_runs):
    flagged = [~Linear().fit(linear_runs(runs=8, seed=s, noise=0.01)).model_.diagnostics.identified for s in range(12)]
    assert np.mean(flagged) < 0.2


@pytest.mark.parametrize("refine", [False, True])
def test_halves_flag_a_coefficient_that_differs_between_them(linear_runs, refine):
    even, odd = (linear_runs((0.0, a, 0.0), runs=6, seed=1, noise=0.001) for a in (-0.06, -0.05))
    values = np.stack([even.values, odd.values], axis=1).reshape(12, 41, 4)
    diagnostics = (
        Linear("independent", shooting=Shooting(refine=refine))
        .fit(Trajectories(values, np.arange(41.0)))
        .model_.diagnostics
    )
    assert diagnostics.halves[0, 1] > 2
    assert not diagnostics.identified[0, 1]
    assert diagnostics.run_spread[0, 1] > 0.05


def test_a_full_matrix_made_of_noise_is_not_identified():
    rng = np.random.default_rng(0)
    values = 1 + 0.1 * rng.standard_normal((6, 60, 5))
    diagnostics = Linear("full").fit(Trajectories(values, np.arange(60.0))).model_.diagnostics
    assert diagnostics.halves_correlation < 0.5
    assert not diagnostics.identified.any()


def test_a_full_matrix_that_all_runs_share_correlates(solve):
    A = np.array([[-0.06, 0.2, 0.0], [-0.2, -0.04, 0.08], [0.02, 0.0, -0.1]])
    times, rng = np.arange(61.0), np.random.default_rng(0)
    values = np.array([solve(lambda t, x: A @ x, rng.uniform(-2, 2, 3), times) for _ in range(6)])
    values += 0.01 * rng.standard_normal(values.shape)
    diagnostics = Linear("full").fit(Trajectories(values, times)).model_.diagnostics
    assert diagnostics.halves_correlation > 0.95
    assert diagnostics.identified.mean() > 0.5


def test_collinear_terms_show_in_condition_number_and_rank(linear_runs):
    """Where all features are alike, x and its mean are one term and the split between them means nothing."""
    data = linear_runs(runs=6)
    alike = np.repeat(data.values[:, :, :1], 4, axis=2)
    alike = alike + 1e-9 * np.arange(4)  # not identical, which would be warned about
    diagnostics = Linear(matching=Matching(ridge=1e-6)).fit(Trajectories(alike, data.times[0])).model_.diagnostics
    clean = Linear().fit(data).model_.diagnostics
    assert diagnostics.condition_number > 1e6 * clean.condition_number
    assert diagnostics.effective_rank < clean.effective_rank
    assert np.isfinite(diagnostics.low[0, 0])


def test_condition_number_and_effective_rank_of_known_spectra():
    assert condition_number(np.array([10.0, 5.0, 2.0])) == 5
    assert condition_number(np.array([1.0, 0.0])) == np.inf
    assert effective_rank(np.ones(7)) == pytest.approx(7)
    assert effective_rank(np.array([3.0, 0.0, 0.0])) == pytest.approx(1)
    assert 1 < effective_rank(np.array([1.0, 0.1, 0.01])) < 2


def test_scale_of_the_data_leaves_conditioning_and_halves_as_they_are(linear_runs):
    data = linear_runs(noise=0.01)
    one, other = (
        LotkaVolterra().fit(Trajectories(s * data.values, data.times[0] * s)).model_.diagnostics for s in (1.0, 256.0)
    )
    assert other.condition_number == pytest.approx(one.condition_number, rel=1e-9)
    assert other.effective_rank == pytest.approx(one.effective_rank, rel=1e-9)
    np.testing.assert_allclose(other.halves, one.halves, rtol=1e-6)


def test_intervals_hold_their_coefficients_in_original_units(linear_runs):
    data = linear_runs(noise=0.01)
    for scale in (1.0, 1000.0):
        law = Linear().fit(Trajectories(scale * data.values, data.times[0])).model_
        assert (law.diagnostics.low < law.coefficients).all()
        assert (law.coefficients < law.diagnostics.high).all()
        truth = THETA * [scale, 1, 1]
        assert (np.abs(law.coefficients - truth) < 3 * (law.diagnostics.high - law.diagnostics.low)).all()


def test_rows_terms_and_status_are_told(linear_runs):
    refined = Linear().fit(linear_runs()).model_.diagnostics
    matched = Linear(shooting=Shooting(refine=False)).fit(linear_runs()).model_.diagnostics
    assert (refined.refined, refined.converged, refined.status) == (True, True, "converged")
    assert (matched.refined, matched.converged, matched.status) == (False, False, "integral matching only")
    assert refined.rows > 0
    assert refined.seconds > 0


def test_a_full_law_with_fewer_terms_than_features_has_no_matrix_to_compare():
    times = np.arange(31.0)
    starts = np.random.default_rng(0).uniform(1, 2, (6, 1, 4))
    data = Trajectories(starts + 0.1 * times[:, None], times)
    diagnostics = SINDy("full", thresholds=[0.5]).fit(data).model_.diagnostics
    assert diagnostics.halves_correlation is None


def test_the_matrix_is_compared_whatever_else_the_law_has(solve, competing_runs):
    """Traits between the columns, no self-interaction, a quadratic library: the off-diagonal is still found."""
    times, rng = np.arange(41.0), np.random.default_rng(0)
    A = np.array([[0.0, -0.1, 0.05], [0.1, 0.0, -0.08], [-0.06, 0.07, 0.0]])
    values = np.array([solve(lambda t, x: x * (A @ x), rng.uniform(0.5, 1.5, 3), times) for _ in range(8)])
    trait = rng.uniform(0.5, 1.5, (8, 1, 3)) * np.ones((1, 41, 1)) * (1 + 1e-3 * times[:, None])
    data = Trajectories(values, times, observables={"gradient": trait})
    for law in (LotkaVolterra("full"), LotkaVolterra("full", self_interaction=False)):
        assert law.fit(data).model_.diagnostics.halves_correlation > 0.99
    with_trait = LotkaVolterra("full", "signal,gradient@start").fit(data).model_.diagnostics
    assert with_trait.halves_correlation > 0.8


def test_two_features_are_too_few_to_correlate(linear_runs):
    diagnostics = Linear("full").fit(linear_runs(runs=6, features=2, noise=0.01)).model_.diagnostics
    assert diagnostics.halves_correlation is None


def test_runs_of_one_cluster_count_once(linear_runs):
    """Six runs four times over say no more than the six."""
    six = linear_runs(runs=6, noise=0.01)
    again = Trajectories(np.repeat(six.values, 4, axis=0), six.steps, cluster=np.repeat(np.arange(6), 4))
    once, often = (Linear().fit_model(data).diagnostics for data in (six, again))
    np.testing.assert_allclose(often.high - often.low, once.high - once.low, rtol=1e-2)
    np.testing.assert_allclose(often.halves, once.halves, rtol=5e-2, atol=5e-2)


# ---------------------------------------------------------------------- in the model file


@pytest.mark.parametrize("runs", [1, 6])
@pytest.mark.parametrize(
    "law", [Linear(), Linear("full", shooting=Shooting(refine=False)), LotkaVolterra("independent")]
)
def test_a_model_file_keeps_them(tmp_path, linear_runs, law, runs):
    """NaN where there is one run, infinity where terms are dependent: all comes back as it was."""
    model = law.fit_model(linear_runs(runs=runs, noise=0.01))
    inflation = model.diagnostics.variance_inflation.copy()
    inflation[0, 0] = np.inf
    kept = replace(model.diagnostics, variance_inflation=inflation, condition_number=np.inf)
    replace(model, diagnostics=kept).save(tmp_path / "law.json")
    loaded = load_model(tmp_path / "law.json").diagnostics
    for name, value in vars(kept).items():
        np.testing.assert_equal(getattr(loaded, name), value)
        assert type(getattr(loaded, name)) is type(value), name


def test_a_model_file_without_them_is_still_a_model(tmp_path, linear_runs):
    model = Linear().fit_model(linear_runs())
    document = model.to_json()
    del document["diagnostics"]
    (tmp_path / "old.json").write_text(json.dumps(document))
    loaded = load_model(tmp_path / "old.json")
    assert loaded.diagnostics is None
    np.testing.assert_array_equal(loaded.coefficients, model.coefficients)
    assert len(find_equilibria(loaded)) == len(find_equilibria(model))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda d: d.pop("halves"),
        lambda d: d.update(low=[[0.0]]),
        lambda d: d.update(variance_inflation="many"),
        lambda d: d.update(condition_number=None),
        lambda d: d.update(chosen=[1, 2]),
    ],
)
def test_spoilt_diagnostics_are_refused_with_a_sentence(tmp_path, linear_runs, spoil):
    document = Linear().fit_model(linear_runs()).to_json()
    spoil(document["diagnostics"])
    (tmp_path / "law.json").write_text(json.dumps(document))
    with pytest.raises(UnusableDataError, match="save the model again"):
        load_model(tmp_path / "law.json")
