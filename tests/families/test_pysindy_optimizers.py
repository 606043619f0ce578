"""PySINDy's optimisers on ecodyn's compressed regressions find what they find on all rows."""

import copy
import warnings

import numpy as np
import pysindy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp
from sklearn.base import clone
from sklearn.linear_model import Lasso
from sklearn.model_selection import GridSearchCV

from ecodyn import DataWarning, Matching, Shooting, SINDy, Trajectories, UnusableDataError
from ecodyn.estimation import MatchedIntegrals, Samples, match
from ecodyn.estimation.integral_matching import uncompressed
from ecodyn.estimation.optimizers import SEED, check_optimizer, is_constrained, needs_rows
from ecodyn.trajectories import as_trajectories

TIMES = np.arange(0, 8, 0.04)
STARTS = ([1.0, 1.0], [3.0, 1.0], [2.0, 0.5])
UNREFINED = Shooting(refine=False)
PYSINDYS = Matching(method="derivative")  # central differences at all samples


def lotka_volterra(_, x):
    return [x[0] * (1 - 0.5 * x[1]), x[1] * (-1 + 0.5 * x[0])]


RUNS = [solve_ivp(lotka_volterra, (0, 8), x0, t_eval=TIMES, rtol=1e-9, atol=1e-9).y.T for x0 in STARTS]
STLSQ = pysindy.STLSQ(threshold=0.1)

OPTIMIZERS = {
    "STLSQ": STLSQ,
    "STLSQ, strong ridge": pysindy.STLSQ(threshold=0.05, alpha=10.0, unbias=False),
    "STLSQ, normalised": pysindy.STLSQ(threshold=1.0, normalize_columns=True),
    "SR3, L0": pysindy.SR3(reg_weight_lam=0.01, max_iter=1000),
    "SR3, L1": pysindy.SR3(reg_weight_lam=0.1, regularizer="L1", max_iter=10_000),
    "SR3, weighted": pysindy.SR3(
        reg_weight_lam=np.linspace(0.01, 0.5, 12).reshape(2, 6), regularizer="weighted_l1", max_iter=10_000
    ),
    "SR3, trimmed": pysindy.SR3(reg_weight_lam=0.01, trimming_fraction=0.1, max_iter=1000),
    "SSR": pysindy.SSR(),
    "SSR, residual": pysindy.SSR(criteria="model_residual"),
    "SSR, kappa": pysindy.SSR(kappa=1e-3),
    "FROLS": pysindy.FROLS(max_iter=4),
    "FROLS, kappa": pysindy.FROLS(kappa=1e-5),
    "ensemble of libraries": pysindy.EnsembleOptimizer(copy.deepcopy(STLSQ), library_ensemble=True),
    "ensemble of rows": pysindy.EnsembleOptimizer(copy.deepcopy(STLSQ), bagging=True, n_subset=100),
    "Lasso": pysindy.WrappedOptimizer(Lasso(alpha=0.01, fit_intercept=False)),
}
ROWS = {"SR3, trimmed", "ensemble of rows", "Lasso"}


def coefficients(law, names):
    """Of all candidates, (row, term)."""
    found = np.zeros((len(law.coefficients), len(names)))
    found[:, [names.index(name) for name in law.library.names()]] = law.coefficients
    return found


def candidates(coupling="full", features=(1, 2), degree=2):
    return SINDy(coupling, degree=degree).library(["signal"], list(features)).names()


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_coefficients_are_pysindys_own(name):
    """With its regression, central differences on monomials, ``pysindy.SINDy`` and ``ecodyn.SINDy`` are the same."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        np.random.seed(SEED)  # noqa: NPY002  (PySINDy's ensembles draw from it)
        library = pysindy.PolynomialLibrary(2)
        theirs = pysindy.SINDy(copy.deepcopy(OPTIMIZERS[name]), library).fit(RUNS, t=TIMES)
        ours = SINDy("full", degree=2, optimizer=OPTIMIZERS[name], matching=PYSINDYS, shooting=UNREFINED)
        ours.fit(RUNS, t=TIMES)
    assert np.count_nonzero(theirs.coefficients()) > 0
    np.testing.assert_allclose(coefficients(ours.model_, candidates()), theirs.coefficients(), atol=1e-9)


@pytest.mark.parametrize("features", [1, 2, 3, 5])
@pytest.mark.parametrize("degree", [0, 1, 2, 3])
def test_terms_are_in_pysindys_order(features, degree):
    """So that constraints and weights written for PySINDy's library mean the same here."""
    library = pysindy.PolynomialLibrary(degree).fit(np.zeros((4, features)))
    labels = [f"x_{i + 1}" for i in range(features)]
    theirs = [n.replace("^", "**").replace(" ", "*") for n in library.get_feature_names(labels)]
    assert candidates("full", range(1, features + 1), degree) == theirs


@pytest.mark.parametrize("name", sorted(set(OPTIMIZERS) - ROWS - {"SR3, weighted"}))
@pytest.mark.parametrize(
    ("coupling", "per_feature"), [("independent", False), ("independent", True), ("exchangeable", False)]
)
def test_compression_changes_nothing(name, coupling, per_feature):
    """Of increments and under every coupling: what the optimiser finds on all rows, written out here."""
    data = as_trajectories(RUNS, TIMES)
    optimizer = OPTIMIZERS[name]
    samples = Samples.of(data)
    estimator = SINDy(coupling, degree=2, per_feature=per_feature, optimizer=optimizer, shooting=UNREFINED)
    library = estimator.library(["signal"], [1, 2])
    rows = uncompressed(library, samples, per_feature=per_feature)
    terms = samples.scales ** library.degrees[:, 0] * samples.time_scale
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        np.random.seed(SEED)  # noqa: NPY002
        expected = [
            copy.deepcopy(optimizer).fit(matrix * terms, targets * samples.scales[0]).coef_[0]
            for matrix, targets in zip(rows.matrix, rows.targets, strict=True)
        ]
        law = estimator.fit_model(data)
    np.testing.assert_allclose(coefficients(law, library.names()), expected, atol=1e-8)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), factor=st.sampled_from([0.01, 3.0, 1e4]), unit=st.sampled_from([0.1, 20.0]))
def test_thresholds_are_in_the_datas_units(seed, factor, unit):
    """What an optimiser is given does not depend on how ecodyn scales inside: [Θ | y] is in the data's own units."""
    rng = np.random.default_rng(seed)
    data = Trajectories(factor * (1 + rng.random((2, 30, 2))), unit * np.arange(30.0))
    seen = []

    class Looks(pysindy.STLSQ):
        def _reduce(self, x, y):
            seen.append((x, y))
            super()._reduce(x, y)

    estimator = SINDy("full", degree=2, optimizer=Looks(threshold=0.0), matching=PYSINDYS, shooting=UNREFINED)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        estimator.fit_model(data)
    ((x, y),) = seen
    states = data.values.reshape(-1, 2)
    np.testing.assert_allclose(x, pysindy.PolynomialLibrary(2).fit_transform(states), rtol=1e-12)
    slopes = np.concatenate([np.gradient(v, unit, axis=0, edge_order=2) for v in data.values])
    np.testing.assert_allclose(y, slopes, rtol=1e-9, atol=1e-12 * factor / unit)


def test_compressed_and_uncompressed_are_one_regression():
    samples = Samples.of(as_trajectories(RUNS, TIMES))
    for coupling, per_feature in (("independent", True), ("exchangeable", False), ("full", True)):
        library = SINDy(coupling, degree=2).library(["signal"], [1, 2])
        whole = uncompressed(library, samples, per_feature=per_feature)
        small = MatchedIntegrals.combine(match(library, samples, per_feature=per_feature))
        assert whole.rows == small.rows == whole.factors.shape[1]
        gram = whole.factors.swapaxes(1, 2) @ whole.factors
        np.testing.assert_allclose(small.factors.swapaxes(1, 2) @ small.factors, gram, rtol=1e-9, atol=1e-9)


def test_shooting_goes_on_from_an_optimizers_support():
    law = SINDy("full", degree=2, optimizer=STLSQ, shooting=Shooting(refine=True)).fit(RUNS, t=TIMES).model_
    assert law.diagnostics.refined
    assert law.selected_terms() == {"1: x_1", "1: x_1*x_2", "2: x_2", "2: x_1*x_2"}
    found = coefficients(law, candidates())
    np.testing.assert_allclose(found[0, [1, 4]], [1, -0.5], atol=1e-3)


def test_thresholds_still_set_an_optimizers_sparsity():
    """Along a path only its support is taken, as before: the same as ecodyn's own thresholding finds."""
    own = SINDy("independent", degree=2, thresholds=6, shooting=UNREFINED).fit(RUNS, t=TIMES).model_
    optimizer = pysindy.STLSQ(alpha=1e-6, unbias=False)
    theirs = SINDy("independent", degree=2, thresholds=6, optimizer=optimizer, shooting=UNREFINED).fit(RUNS, t=TIMES)
    np.testing.assert_array_equal(theirs.model_.coefficients, own.coefficients)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_an_optimizer_survives_cloning_and_is_left_alone(name):
    estimator = SINDy("full", degree=2, optimizer=OPTIMIZERS[name], shooting=UNREFINED)
    copied = clone(clone(estimator))
    assert copied.optimizer is not estimator.optimizer
    assert type(copied.optimizer) is type(estimator.optimizer)
    assert needs_rows(copied.optimizer) == needs_rows(estimator.optimizer) == (name in ROWS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        first = estimator.fit(RUNS, t=TIMES).model_
        second = copied.fit(RUNS, t=TIMES).model_
    np.testing.assert_array_equal(first.coefficients, second.coefficients)
    assert not hasattr(estimator.optimizer, "coef_")
    assert type(estimator.optimizer).__name__ in first.provenance["parameters"]["optimizer"]


def test_a_grid_search_goes_through_an_optimizers_threshold():
    grid = {"optimizer__threshold": [0.1, 10.0]}
    estimator = SINDy("full", degree=2, optimizer=STLSQ, shooting=UNREFINED)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        search = GridSearchCV(estimator, grid, cv=3).fit(as_trajectories(RUNS, TIMES))
    assert search.best_params_ == {"optimizer__threshold": 0.1}
    assert search.best_score_ > 0.99


def test_a_fit_leaves_numpys_global_state_alone():
    np.random.seed(7)  # noqa: NPY002
    expected = np.random.random(3)  # noqa: NPY002
    np.random.seed(7)  # noqa: NPY002
    ensemble = OPTIMIZERS["ensemble of rows"]
    SINDy("full", degree=2, optimizer=ensemble, shooting=UNREFINED).fit_model(as_trajectories(RUNS, TIMES))
    np.testing.assert_array_equal(np.random.random(3), expected)  # noqa: NPY002


def test_what_an_optimizer_warns_of_is_said():
    hasty = pysindy.SR3(reg_weight_lam=0.1, regularizer="L1", max_iter=1)
    estimator = SINDy("independent", degree=2, per_feature=True, optimizer=hasty, shooting=UNREFINED)
    with pytest.warns(
        DataWarning, match="sindy/independent: SR3 says: SR3 did not converge after 1 iterations"
    ) as said:
        estimator.fit(RUNS, t=TIMES)
    assert str(said[0].message).count("SR3 says") == 1  # of two features
    assert estimator.model_.warnings


class Fails(pysindy.STLSQ):
    """A subclass, with nothing to be expected of it."""

    def _reduce(self, x, y):
        if self.verbose:
            raise np.linalg.LinAlgError("Singular matrix")
        super()._reduce(x, y)
        self.coef_ = np.full_like(self.coef_, np.nan)


@pytest.mark.parametrize(
    ("verbose", "match"),
    [
        (True, r"Fails could not solve for 6 terms \(Singular matrix\)"),
        (False, "expected finite coefficients of Fails"),
    ],
)
def test_an_optimizer_that_fails_is_a_sentence(verbose, match):
    optimizer = Fails(verbose=verbose, unbias=False)
    with pytest.raises(UnusableDataError, match=match):
        SINDy("full", degree=2, optimizer=optimizer, shooting=UNREFINED).fit(RUNS, t=TIMES)


@pytest.mark.filterwarnings("ignore::ecodyn.errors.DataWarning")
def test_an_optimizer_that_keeps_nothing_gives_the_law_of_nothing():
    estimator = SINDy("full", degree=2, optimizer=pysindy.STLSQ(threshold=1e6), shooting=UNREFINED)
    law = estimator.fit(RUNS, t=TIMES).model_
    assert law.n_coefficients == 0
    np.testing.assert_array_equal(estimator.predict([1.0, 2.0], [0.0, 5.0]), [[1.0, 2.0], [1.0, 2.0]])


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"optimizer": "STLSQ"}, "optimizer is one of PySINDy's optimisers, such as"),
        ({"optimizer": pysindy.STLSQ}, "optimizer is one of PySINDy's optimisers, such as"),
        ({"optimizer": STLSQ, "max_terms": 3}, "give thresholds too, or leave it out"),
        ({"optimizer": STLSQ, "matching": Matching(ridge=1.0)}, "STLSQ's alpha; leave matching__ridge out"),
        ({"optimizer": OPTIMIZERS["ensemble of rows"], "thresholds": 3}, "leave thresholds out, and it is used as it"),
        ({"optimizer": OPTIMIZERS["SR3, trimmed"], "thresholds": 3}, "leave thresholds out, and it is used as it is"),
        ({"optimizer": OPTIMIZERS["Lasso"], "thresholds": 3}, "one of threshold, reg_weight_lam, kappa"),
    ],
)
def test_what_does_not_go_together_is_refused(options, match):
    with pytest.raises(ValueError, match=match):
        SINDy("full", **options).fit(RUNS, t=TIMES)


# ------------------------------------------------------------------------------------------------------- constraints


class Constrained:
    """Least squares under C·ξ = d, for machines without cvxpy, which PySINDy's constrained optimisers need."""

    def __init__(self, lhs, rhs):
        self.lhs, self.rhs = lhs, rhs
        self.use_constraints = True

    def get_params(self, deep=True):
        return {"lhs": self.lhs, "rhs": self.rhs}

    def fit(self, x_, y):
        terms, targets = x_.shape[1], y.shape[1]
        matrix = np.kron(np.eye(targets), x_)
        system = np.block([[matrix.T @ matrix, self.lhs.T], [self.lhs, np.zeros((len(self.lhs),) * 2)]])
        right = np.concatenate([matrix.T @ y.T.ravel(), self.rhs])
        self.coef_ = np.linalg.solve(system, right)[: terms * targets].reshape(targets, terms)
        return self


def balance(names):
    """The coefficients of x_1 in the first equation and of x_2 in the second cancel, and that of x_1·x_2 is −0.4."""
    lhs = np.zeros((2, 2 * len(names)))
    lhs[0, [names.index("x_1"), len(names) + names.index("x_2")]] = 1.0
    lhs[1, names.index("x_1*x_2")] = 1.0
    return lhs, np.array([0.0, -0.4])


def test_constraints_hold_in_the_law_and_are_not_shot_at():
    names = candidates()
    optimizer = Constrained(*balance(names))
    assert is_constrained(optimizer)
    law = SINDy("full", degree=2, optimizer=optimizer).fit(RUNS, t=TIMES).model_
    assert not law.diagnostics.refined
    found = coefficients(law, names)
    assert found[0, names.index("x_1")] == pytest.approx(-found[1, names.index("x_2")], rel=1e-9)
    assert found[0, names.index("x_1*x_2")] == pytest.approx(-0.4, rel=1e-9)
    with pytest.raises(ValueError, match="shooting would break the optimizer's constraints"):
        SINDy("full", optimizer=optimizer, shooting=Shooting(refine=True)).fit(RUNS, t=TIMES)
    with pytest.raises(ValueError, match="leave thresholds out"):
        check_optimizer(optimizer, along_path=True)


@pytest.mark.parametrize("order", ["target", "feature"])
def test_pysindys_constrained_optimizer(order):
    if not hasattr(pysindy, "ConstrainedSR3"):
        pytest.skip("PySINDy has its constrained optimisers where cvxpy is installed")
    names = candidates()
    lhs, rhs = balance(names)
    if order == "feature":
        lhs = lhs.reshape(len(lhs), 2, -1).transpose(0, 2, 1).reshape(len(lhs), -1)
    optimizer = pysindy.ConstrainedSR3(
        reg_weight_lam=0.0,
        relax_coeff_nu=1e-6,
        max_iter=5000,
        constraint_lhs=lhs,
        constraint_rhs=rhs,
        equality_constraints=True,
        constraint_order=order,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = pysindy.SINDy(copy.deepcopy(optimizer), pysindy.PolynomialLibrary(2)).fit(RUNS, t=TIMES)
        law = SINDy("full", degree=2, optimizer=optimizer, matching=PYSINDYS).fit(RUNS, t=TIMES).model_
    found = coefficients(law, names)
    np.testing.assert_allclose(found, theirs.coefficients(), atol=1e-6)
    assert found[0, names.index("x_1*x_2")] == pytest.approx(-0.4, abs=1e-6)
