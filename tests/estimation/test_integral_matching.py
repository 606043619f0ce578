import numpy as np
import pytest

from ecodyn.equations.forms import linear_library, lotka_volterra_library, polynomial_library
from ecodyn.equations.library import Library
from ecodyn.errors import UnusableDataError
from ecodyn.estimation import MatchedIntegrals, Samples, match
from ecodyn.trajectories import Trajectories

SIGNAL = ("signal",)
RIDGE = 1e-14  # as good as none


def fitted(library, data, *, per_feature=False, ridge=RIDGE, **options):
    """Coefficients in original units, and the regression."""
    samples = Samples.of(data)
    matched = MatchedIntegrals.combine(match(library, samples, per_feature=per_feature, **options))
    return library.rescale(matched.solve(ridge), samples.scales, samples.time_scale), matched


def rollouts(solve, f, starts, times):
    return Trajectories(np.array([solve(lambda t, x: f(x), x0, times) for x0 in starts]), times)


TIMES = {
    "even": np.linspace(0, 12, 241),
    "offset": 1e4 + np.linspace(0, 12, 241),
    "irregular": np.cumsum(np.random.default_rng(0).uniform(0.02, 0.08, 241)),
}


@pytest.mark.parametrize("times", TIMES)
@pytest.mark.parametrize("scale", [1.0, 100.0, 1e-3])
@pytest.mark.parametrize("offset", [0.0, 3.0, -20.0])
def test_recovers_an_exchangeable_linear_law(solve, times, scale, offset):
    a, c = -0.5, 0.3
    shift = offset * scale
    starts = scale * np.random.default_rng(1).uniform(-2, 2, (4, 3)) + shift
    data = rollouts(solve, lambda x: a * (x - shift) + c * (x - shift).mean(), starts, TIMES[times])
    theta, _ = fitted(linear_library("exchangeable", SIGNAL, range(3)), data)
    np.testing.assert_allclose(theta, [[-(a + c) * shift, a, c]], rtol=2e-5, atol=2e-5 * scale)


@pytest.mark.parametrize("times", TIMES)
@pytest.mark.parametrize("scale", [1.0, 100.0, 1e-3])
def test_recovers_lotka_volterra(solve, times, scale):
    r, a, c = 0.8, -0.5, -0.3
    starts = scale * np.random.default_rng(2).uniform(0.1, 2, (4, 3))
    data = rollouts(solve, lambda x: x * (r + (a * x + c * x.mean()) / scale), starts, TIMES[times])
    theta, _ = fitted(lotka_volterra_library("exchangeable", SIGNAL, range(3)), data)
    np.testing.assert_allclose(theta * [1, scale, scale], [[r, a, c]], rtol=1e-4)


def test_recovers_a_full_matrix(solve):
    A = np.array([[-0.3, 1.0, 0.0], [-1.0, -0.2, 0.4], [0.1, 0.0, -0.5]])
    b = np.array([0.3, -0.2, 0.5])
    starts = np.random.default_rng(3).uniform(-2, 2, (5, 3))
    data = rollouts(solve, lambda x: b + A @ x, starts, TIMES["even"])
    theta, matched = fitted(linear_library("full", SIGNAL, range(3)), data, per_feature=True)
    assert matched.factors.shape == (1, 7, 7)  # one design, three targets
    np.testing.assert_allclose(theta, np.column_stack([b, A]), atol=1e-5)


@pytest.mark.parametrize("scale", [1.0, 100.0, 1e-3])
def test_recovers_a_cubic_for_each_feature(solve, scale):
    theta = np.array([[0.1, 0.5, 0.0, -0.4], [0.0, -0.3, 0.2, -0.1]])
    powers = np.arange(4)
    starts = scale * np.random.default_rng(4).uniform(-1.5, 1.5, (6, 2))
    data = rollouts(
        solve, lambda x: scale * (theta * (x[:, None] / scale) ** powers).sum(axis=1), starts, TIMES["even"] / 4
    )
    found, matched = fitted(polynomial_library("independent", SIGNAL, range(2)), data, per_feature=True)
    assert len(matched.factors) == 2
    np.testing.assert_allclose(found * scale ** (powers - 1.0), theta, atol=2e-4)


def test_integrals_and_derivatives_agree_on_smooth_data(competing_runs):
    data = competing_runs(steps=401)
    library = lotka_volterra_library("exchangeable", SIGNAL, range(4))
    integral, _ = fitted(library, data)
    derivative, _ = fitted(library, data, method="derivative")
    np.testing.assert_allclose(derivative, integral, rtol=5e-3)
    np.testing.assert_allclose(integral, [[0.15, -0.08, -0.05]], rtol=1e-3)


def test_integrals_are_far_less_noisy_than_derivatives(linear_runs):
    truth = np.array([[0.02, -0.06, 0.02]])
    library = linear_library("exchangeable", SIGNAL, range(4))
    errors = {"integral": [], "derivative": []}
    for seed in range(5):
        data = linear_runs(seed=seed, noise=0.02, steps=81)
        for method, found in errors.items():
            found.append(np.abs(fitted(library, data, method=method)[0] - truth).max())
    assert np.mean(errors["integral"]) < 0.6 * np.mean(errors["derivative"])


# ---------------------------------------------------------------------- the compressed regression


def stacked(library, samples, per_feature):
    """The rows of the derivative regression, uncompressed: (row, term) and (row, target)."""
    rows, targets = [], []
    for r, n in enumerate(samples.lengths):
        x, t = samples.states[r, :n], samples.times[r, :n]
        values = np.broadcast_to(library.values(x), (*x.shape[:2], len(library)))
        rows.append(values)
        targets.append(np.gradient(x[..., 0], t, axis=0, edge_order=2))
    theta, y = np.concatenate(rows), np.concatenate(targets)
    return (theta, y) if per_feature else (theta.reshape(1, -1, len(library)), y.reshape(1, -1))


@pytest.mark.parametrize(
    ("coupling", "per_feature"),
    [("independent", False), ("independent", True), ("exchangeable", False), ("full", True)],
)
def test_combined_parts_are_one_big_regression(linear_runs, coupling, per_feature):
    samples = Samples.of(linear_runs(noise=0.05))
    library = linear_library(coupling, SIGNAL, range(4))
    parts = match(library, samples, per_feature=per_feature, method="derivative")
    matched = MatchedIntegrals.combine(parts)
    theta, y = stacked(library, samples, per_feature)
    if not per_feature:
        expected = np.linalg.lstsq(theta[0], y[0], rcond=None)[0][None]
    else:
        expected = np.stack([np.linalg.lstsq(theta[:, k], y[:, k], rcond=None)[0] for k in range(4)])
    np.testing.assert_allclose(matched.solve(0.0), expected, rtol=1e-9, atol=1e-11)
    assert matched.rows == sum(p.rows for p in parts)
    pairwise = MatchedIntegrals.combine([MatchedIntegrals.combine(parts[:2]), *parts[2:]])
    np.testing.assert_allclose(pairwise.solve(0.0), expected, rtol=1e-9, atol=1e-11)


@pytest.fixture
def regression(competing_runs):
    samples = Samples.of(competing_runs(noise=0.02))
    library = polynomial_library("exchangeable", SIGNAL, range(4))
    matched = MatchedIntegrals.combine(match(library, samples, per_feature=False, method="derivative"))
    theta, y = stacked(library, samples, per_feature=False)
    return library, samples, matched, theta[0], y[0]


def test_a_subset_is_the_regression_on_those_terms(regression):
    _, _, matched, theta, y = regression
    terms = np.array([1, 2, 4])
    expected = np.linalg.lstsq(theta[:, terms], y, rcond=None)[0]
    np.testing.assert_allclose(matched.subset(terms).solve(0.0)[0], expected, rtol=1e-8)


@pytest.mark.parametrize("ridge", [1e-8, 1e-3, 10.0])
def test_ridge_is_on_normalised_columns(regression, ridge):
    _, _, matched, theta, y = regression
    norms = np.linalg.norm(theta, axis=0)
    A = theta / norms
    expected = np.linalg.solve(A.T @ A + ridge * np.eye(A.shape[1]), A.T @ y) / norms
    np.testing.assert_allclose(matched.norms[0], norms, rtol=1e-10)
    np.testing.assert_allclose(matched.solve(ridge)[0], expected, rtol=1e-6, atol=1e-8 * np.abs(expected).max())


def test_a_mask_leaves_the_other_coefficients_at_zero(regression):
    _, _, matched, theta, y = regression
    mask = np.zeros((1, matched.n_terms), dtype=bool)
    mask[0, [1, 3]] = True
    found = matched.solve(0.0, mask)
    assert (found[~mask] == 0).all()
    np.testing.assert_allclose(found[mask], np.linalg.lstsq(theta[:, [1, 3]], y, rcond=None)[0], rtol=1e-8)
    np.testing.assert_array_equal(matched.solve(0.0, np.zeros_like(mask)), 0.0)


def test_each_equation_may_have_a_mask_of_its_own(linear_runs):
    samples = Samples.of(linear_runs(noise=0.05))
    library = linear_library("full", SIGNAL, range(4))
    matched = MatchedIntegrals.combine(match(library, samples, per_feature=True, method="derivative"))
    mask = np.random.default_rng(0).random((4, 5)) < 0.6
    theta, y = stacked(library, samples, per_feature=True)
    found = matched.solve(0.0, mask)
    assert (found[~mask] == 0).all()
    for k in range(4):
        expected = np.linalg.lstsq(theta[:, k][:, mask[k]], y[:, k], rcond=None)[0]
        np.testing.assert_allclose(found[k, mask[k]], expected, rtol=1e-8, atol=1e-10)


def test_singular_values_and_normal_equations(regression):
    _, _, matched, theta, y = regression
    A = theta / np.linalg.norm(theta, axis=0)
    np.testing.assert_allclose(matched.singular_values()[0], np.linalg.svd(A, compute_uv=False), rtol=1e-6, atol=1e-12)
    np.testing.assert_allclose(matched.hessian(), theta.T @ theta, rtol=1e-9)
    at = np.random.default_rng(0).standard_normal((1, theta.shape[1]))
    np.testing.assert_allclose(matched.gradient(at), theta.T @ (theta @ at[0] - y), rtol=1e-9)


@pytest.mark.parametrize("ridge", [1e-10, 1e-6, 1e-3])
@pytest.mark.parametrize("features", [6, 12])  # 28 and 91 terms: solved by two different ways
def test_more_terms_than_rows(ridge, features):
    rng = np.random.default_rng(0)
    t = np.arange(14.0)
    curves = 1 + 0.3 * np.sin(t[:, None] * rng.uniform(0.1, 0.9, features) + rng.uniform(0, 6, features))
    samples = Samples.of(Trajectories(curves[None], t))
    library = polynomial_library("full", SIGNAL, range(features))
    matched = MatchedIntegrals.combine(match(library, samples, per_feature=True, method="derivative"))
    assert matched.rows < matched.n_terms
    found = matched.solve(ridge)
    theta, y = stacked(library, samples, per_feature=True)
    for k in range(features):
        norms = np.linalg.norm(theta[:, k], axis=0)
        A = theta[:, k] / norms
        dual = A.T @ np.linalg.solve(A @ A.T + ridge * np.eye(len(A)), y[:, k])
        np.testing.assert_allclose(found[k] * norms, dual, rtol=1e-4, atol=1e-4 * np.abs(dual).max())


def test_many_columns_and_many_rows():
    rng = np.random.default_rng(1)
    t = np.arange(200.0)
    curves = rng.uniform(0.5, 1.5, (2, 200, 11))
    samples = Samples.of(Trajectories(curves, t))
    library = polynomial_library("full", SIGNAL, range(11))  # 78 terms
    matched = MatchedIntegrals.combine(match(library, samples, per_feature=True, method="derivative"))
    theta, y = stacked(library, samples, per_feature=True)
    norms = np.linalg.norm(theta[:, 0], axis=0)
    A = np.vstack([theta[:, 0] / norms, 0.1 * np.eye(len(library))])
    expected = np.linalg.lstsq(A, np.vstack([y, np.zeros((len(library), 11))]), rcond=None)[0].T
    np.testing.assert_allclose(matched.solve(0.01) * norms, expected, rtol=1e-7, atol=1e-9 * np.abs(expected).max())


def test_a_term_that_vanishes_on_the_data_has_coefficient_zero():
    t = np.arange(30.0)
    x = np.stack([np.zeros(30), np.exp(-0.1 * t)], axis=1)[None]
    with pytest.warns(UserWarning, match="zero throughout"):
        data = Trajectories(x, t)
    theta, _ = fitted(linear_library("full", SIGNAL, range(2)), data, per_feature=True)
    assert theta[0] == pytest.approx(0, abs=1e-12)
    assert theta[1] == pytest.approx([0, 0, -0.1], abs=1e-6)


@pytest.mark.parametrize(("coupling", "width"), [("independent", 2), ("exchangeable", 3)])
def test_shared_coefficients_have_a_row_for_every_feature(solve, coupling, width):
    """Three samples of six features are twelve increments of one shared law: more than enough for it."""
    a, c, b = -0.6, 0.5 * (width > 2), 0.2
    starts = np.random.default_rng(0).uniform(0, 3, (1, 6))
    data = rollouts(solve, lambda x: b + a * x + c * x.mean(), starts, np.array([0.0, 0.2, 0.4]))
    theta, matched = fitted(linear_library(coupling, SIGNAL, range(6)), data)
    assert matched.rows == 12
    np.testing.assert_allclose(theta, [[b, a, c][:width]], rtol=1e-2)


def test_two_samples_are_enough_to_match():
    data = Trajectories(np.array([[[1.0], [2.0]]]), [0.0, 1.0])
    theta, matched = fitted(linear_library("independent", SIGNAL, [1]), data, ridge=1e-6)
    assert np.isfinite(theta).all()
    assert matched.rows == 1


# ---------------------------------------------------------------------- memory


def test_a_library_too_large_is_refused_before_it_is_allocated(monkeypatch, competing_runs):
    def allocate(*_):
        raise AssertionError("the candidate matrix was allocated")

    samples = Samples.of(competing_runs())
    library = polynomial_library("full", SIGNAL, range(4))
    monkeypatch.setattr(Library, "values", allocate)
    monkeypatch.setattr("ecodyn.estimation.integral_matching.MEMORY_SHARE", 1e-9)
    with pytest.raises(UnusableDataError, match=r"15 terms and would take .* GiB for 41 samples.*exchangeable"):
        match(library, samples, per_feature=True)


def test_a_regression_is_remembered_and_not_confused(competing_runs):
    data = competing_runs()
    samples = Samples.of(data)
    library = lotka_volterra_library("exchangeable", SIGNAL, range(4))
    first = match(library, samples, per_feature=False)
    again = match(library, Samples.of(competing_runs()), per_feature=False)
    assert all(a is b for a, b in zip(first, again, strict=True))
    for other in (
        match(library, samples, per_feature=True),
        match(library, samples, per_feature=False, method="derivative"),
        match(library, samples, per_feature=False, span=2),
        match(linear_library("exchangeable", SIGNAL, range(4)), samples, per_feature=False),
        match(library, Samples.of(competing_runs(seed=1)), per_feature=False),
    ):
        assert not any(np.array_equal(a.factors, b.factors) for a, b in zip(first, other, strict=True))
