"""Weights of a stacking are the best there are, and its score is that of runs that had no say in them."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from known_laws import UNSEEN, system

from ecodyn import Linear, LotkaVolterra, Shooting
from ecodyn.comparison.contenders import UNSEEN_RUNS, contenders
from ecodyn.comparison.entries import entries_of
from ecodyn.comparison.execution import execute
from ecodyn.comparison.plan import plan
from ecodyn.comparison.request import Request
from ecodyn.comparison.stacking import simplex_weights, stacked

open_inputs = settings(max_examples=60, deadline=None, derandomize=True, database=None)


@given(
    models=st.integers(2, 6), rank=st.integers(1, 6), scale=st.sampled_from([1e-12, 1.0, 1e9]), seed=st.integers(0, 999)
)
@open_inputs
def test_no_point_of_the_simplex_is_better(models, rank, scale, seed):
    rng = np.random.default_rng(seed)
    root = rng.standard_normal((rank, models))
    products = scale * root.T @ root
    w = simplex_weights(products)
    assert (w >= 0).all()
    assert abs(w.sum() - 1) < 1e-12
    others = np.vstack([np.eye(models), rng.dirichlet(np.ones(models), 200)])
    values = np.einsum("ni,ij,nj->n", others, products, others)
    assert w @ products @ w <= values.min() + 1e-9 * scale * models


def entries(data, families):
    request = Request(protocols=UNSEEN)
    work = plan(data, contenders(families, None, "signal"), request)
    results = {t.index: execute(t, data) for t in work.tasks}
    return [e for e in entries_of(work, results, [UNSEEN_RUNS]) if e.score.kind == "family"]


def test_a_true_law_takes_all_the_weight_and_keeps_its_skill():
    data = system("lotka_volterra", samples=31, features=3)
    shooting = Shooting(refine=False)
    found = entries(data, [LotkaVolterra("exchangeable", shooting=shooting), Linear("exchangeable", shooting=shooting)])
    stacking = stacked(found, data)
    weights = {name.family: w for name, w in stacking.weights.items()}
    assert weights["lotka_volterra"] > 0.99
    assert stacking.skill.mean >= max(e.score.skill for e in found) - 1e-6
    assert stacking.skill.n == data.n_clusters


def test_the_same_family_twice_has_its_own_skill_whatever_the_weights():
    class Again(Linear):
        name = "linear_again"

    data = system("lotka_volterra", samples=31, features=3)
    shooting = Shooting(refine=False)
    found = entries(data, [Linear("exchangeable", shooting=shooting), Again("exchangeable", shooting=shooting)])
    stacking = stacked(found, data)
    assert abs(stacking.skill.mean - found[0].score.skill) < 1e-9
    assert stacked(found[:1], data) is None
