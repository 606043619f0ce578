"""Would a further budget change the verdict?"""

import json

import numpy as np
import pytest

import ecodyn
from ecodyn import Linear, LotkaVolterra, NeuralODE, SINDy, Trajectories
from ecodyn.comparison.budget import FACTOR
from ecodyn.comparison.result import Comparison
from ecodyn.runtime.json_values import plain_json


@pytest.fixture(scope="module")
def decays():
    rng = np.random.default_rng(0)
    t = np.linspace(0.0, 2.0, 41)
    values = rng.uniform(1.0, 2.0, (6, 1, 2)) * np.exp(-t)[:, None]
    return Trajectories(values + 0.01 * rng.normal(size=values.shape), t)


@pytest.fixture(scope="module")
def checked(decays):
    return ecodyn.compare(
        decays, ["linear", "lotka_volterra"], ["independent"], protocols=["unseen_runs"], check_budget=True
    )


def test_fits_at_their_optimum_gain_nothing(checked):
    budget = checked.windows[0].budget
    assert budget.factor == FACTOR
    assert len(budget.gains) == 2
    assert checked.verdict.best in budget.gains
    assert all(abs(gain) < 1e-3 for gain in budget.gains.values())
    assert not budget.changed
    assert (budget.status, budget.best) == (checked.verdict.status, checked.verdict.best)
    assert "nothing changes" in budget.sentence


def test_a_fit_cut_short_moves(decays):
    cut = LotkaVolterra(coupling="independent", shooting=ecodyn.Shooting(max_iterations=1, stages=(1.0,)))
    result = ecodyn.compare(decays, [cut], protocols=["unseen_runs"], check_budget=True)
    (gain,) = result.windows[0].budget.gains.values()  # of runs that it was not fitted to: it may be a loss
    assert abs(gain) > 1e-3


def test_it_is_not_asked_by_default(decays):
    result = ecodyn.compare(decays, ["linear"], ["independent"], protocols=["unseen_runs"])
    assert result.windows[0].budget is None


def test_reports_keep_it(checked, tmp_path):
    checked.save(tmp_path / "report.json")
    assert Comparison.load(tmp_path / "report.json").windows[0].budget == checked.windows[0].budget
    assert json.dumps(plain_json(checked.to_json()["windows"][0]["budget"]))


@pytest.mark.parametrize("estimator", [Linear(), LotkaVolterra(), SINDy(), NeuralODE()])
def test_a_budget_multiplies_iterations_and_nothing_else(estimator):
    before, after = estimator.get_params(), estimator.with_budget(4).get_params()
    flat = {k: v for k, v in after.items() if not hasattr(v, "get_params")}
    changed = {k for k, v in flat.items() if k != "shooting" and v != before[k]}
    assert changed
    assert all(flat[k] == 4 * before[k] for k in changed)
    assert estimator.get_params().keys() == after.keys()


def test_a_fit_says_how_far_it_is_from_its_optimum(decays):
    done = LotkaVolterra(coupling="independent").fit(decays).model_.diagnostics
    cut = LotkaVolterra(coupling="independent", shooting=ecodyn.Shooting(max_iterations=1, stages=(1.0,)))
    assert 0 <= done.optimality < 1e-3
    assert cut.fit(decays).model_.diagnostics.optimality > done.optimality
    assert np.isnan(Linear(shooting=ecodyn.Shooting(refine=False)).fit(decays).model_.diagnostics.optimality)
