"""A list of runs is a list of samples: scikit-learn's cross-validation, searches and pipelines take families."""

import numpy as np
import pytest
import sklearn
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.model_selection import GridSearchCV, GroupKFold, KFold, LeaveOneOut, cross_val_score, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from ecodyn import Linear, LotkaVolterra, Matching, Shooting, SINDy, Trajectories

QUICK = Shooting(refine=False)


def logistic(starts, steps):
    """ẋ = 0.3 x − 0.1 x²."""
    starts = np.asarray(starts, dtype=float)
    return 3.0 / (1.0 + (3.0 / starts - 1.0) * np.exp(-0.3 * np.asarray(steps))[:, None])


def runs(lengths=(25,) * 6, noise=0.02):
    rng = np.random.default_rng(3)
    clean = [logistic(rng.uniform(0.3, 2, 2), np.arange(n)) for n in lengths]
    return [x + noise * rng.standard_normal(x.shape) for x in clean]


EQUAL = runs()
FORMS = {
    "list": EQUAL,
    "unequal": runs((25, 20, 30, 15, 28, 22)),
    "array": np.stack(EQUAL),
    "trajectories": Trajectories(np.stack(EQUAL), np.arange(25)),
    "unequal trajectories": Trajectories(runs((25, 20, 30, 15, 28, 22)), np.arange(30)),
}


def by_hand(estimator, data, splitter):
    return [
        sklearn.clone(estimator).fit([data[i] for i in train]).score([data[i] for i in test])
        for train, test in splitter.split(data)
    ]


@pytest.mark.parametrize("form", FORMS)
def test_cross_validation_is_over_runs(form):
    estimator = Linear("independent", shooting=QUICK)
    found = cross_val_score(estimator, FORMS[form], cv=3)
    expected = by_hand(estimator, FORMS["unequal" if form.startswith("unequal") else "list"], KFold(3))
    np.testing.assert_allclose(found, expected, rtol=1e-9)
    assert len(set(found)) == 3


@pytest.mark.parametrize("form", FORMS)
def test_single_runs_can_be_held_out(form):
    assert cross_val_score(Linear("independent", shooting=QUICK), FORMS[form], cv=LeaveOneOut()).shape == (6,)


def test_the_right_family_wins():
    scores = {
        family: cross_val_score(family("independent", shooting=QUICK), EQUAL, cv=3).mean()
        for family in (Linear, LotkaVolterra)
    }
    assert 1 - scores[LotkaVolterra] < (1 - scores[Linear]) / 10


def test_trajectories_keep_their_times_and_clusters():
    """Steps of 10: scored at 0, 1, 2, … the same law would look bad."""
    values = np.stack([logistic(s, np.arange(25)) for s in ((0.3, 0.5), (0.4, 2), (1, 2), (0.6, 0.8))])
    data = Trajectories(values, np.arange(25) * 10.0, cluster=[0, 0, 1, 1])
    found = cross_validate(
        LotkaVolterra("independent", shooting=QUICK),
        data,
        groups=data.clusters,
        cv=GroupKFold(2),
        return_indices=True,
    )
    assert found["test_score"].min() > 0.999
    assert sorted(map(tuple, found["indices"]["test"])) == [(0, 1), (2, 3)]


def test_times_go_by_metadata_routing():
    times = [np.arange(25) * 10.0] * 6
    with sklearn.config_context(enable_metadata_routing=True):
        estimator = LotkaVolterra("independent", shooting=QUICK).set_fit_request(t=True).set_score_request(t=True)
        found = cross_val_score(estimator, EQUAL, cv=3, params={"t": times})
    expected = cross_val_score(LotkaVolterra("independent", shooting=QUICK), EQUAL, cv=3)
    np.testing.assert_allclose(found, expected, rtol=1e-6)  # time's unit does not matter


@pytest.mark.parametrize("form", FORMS)
def test_grid_search_finds_the_ridge_that_predicts(form):
    search = GridSearchCV(
        LotkaVolterra("independent", shooting=QUICK), {"matching__ridge": [1e-6, 1e3]}, cv=3, error_score="raise"
    )
    search.fit(FORMS[form])
    assert search.best_params_ == {"matching__ridge": 1e-6}
    assert search.best_estimator_.matching == Matching(ridge=1e-6)
    assert search.score(FORMS[form]) == search.best_estimator_.score(FORMS[form])
    assert search.predict(EQUAL[0]).shape == EQUAL[0].shape


def test_grid_search_finds_the_degree():
    grid = {"degree": [1, 2], "thresholds": [[1e-2]]}
    search = GridSearchCV(SINDy("independent", shooting=QUICK), grid, cv=2, error_score="raise").fit(EQUAL)
    assert search.best_params_["degree"] == 2


def scaled(data):
    return [x / 3.0 for x in data]


@pytest.mark.parametrize("form", ["list", "unequal"])
def test_a_pipeline_transforms_runs(form):
    """In other units the same law: skill has none."""
    pipeline = make_pipeline(FunctionTransformer(scaled), LotkaVolterra("independent", shooting=QUICK))
    found = cross_val_score(pipeline, FORMS[form], cv=3)
    expected = cross_val_score(pipeline[-1], FORMS[form], cv=3)
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    fitted = pipeline.fit(FORMS[form])
    plain = LotkaVolterra("independent", shooting=QUICK).fit(FORMS[form])
    np.testing.assert_allclose(fitted[-1].model_.coefficients, plain.model_.coefficients * [[1.0, 3.0]], rtol=1e-5)


class RunScaler(TransformerMixin, BaseEstimator):
    """Divides by the root mean square of the runs it is fitted to."""

    def fit(self, X, y=None):
        self.scale_ = float(np.sqrt(np.mean(np.concatenate([x.ravel() for x in X]) ** 2)))
        return self

    def transform(self, X):
        return [x / self.scale_ for x in X]


def test_a_scaler_of_ones_own_is_fitted_to_the_training_runs():
    pipeline = make_pipeline(RunScaler(), LotkaVolterra("independent", shooting=QUICK))
    found = cross_validate(pipeline, EQUAL, cv=3, return_estimator=True)
    np.testing.assert_allclose(found["test_score"], cross_val_score(pipeline[-1], EQUAL, cv=3), rtol=1e-6)
    assert len({p[0].scale_ for p in found["estimator"]}) == 3


def test_a_search_goes_through_a_pipeline():
    pipeline = make_pipeline(FunctionTransformer(scaled), LotkaVolterra("independent", shooting=QUICK))
    search = GridSearchCV(pipeline, {"lotkavolterra__matching__ridge": [1e-6, 1e3]}, cv=3).fit(EQUAL)
    assert search.best_params_ == {"lotkavolterra__matching__ridge": 1e-6}
