"""Laws of monomials are rolled out by compiled loops, and by NumPy where these can't hold them: nobody is to notice."""

from dataclasses import fields, replace

import numpy as np
import pytest

from ecodyn import Linear, LotkaVolterra
from ecodyn.equations.right_hand_side import BoundLibrary
from ecodyn.families.law import Law
from ecodyn.families.model import FittedModel

TIMES = np.linspace(0.0, 40.0, 60)


@pytest.fixture
def without_loops(monkeypatch):
    """Forbid compiled loops from here on."""

    def forbid():
        monkeypatch.setattr(BoundLibrary, "taped", lambda self, x: None)

    return forbid


@pytest.mark.parametrize("state", ["signal", "signal,gradient@start", "signal,gradient"])
@pytest.mark.parametrize("coupling", ["independent", "exchangeable", "full"])
@pytest.mark.parametrize("limits", [{}, {"bound": 1.2}, {"max_evaluations": 60}, {"rtol": 1e-4}], ids=str)
def test_both_ways_give_one_rollout(competing_runs, without_loops, state, coupling, limits):
    """With a small budget they go on by implicit steps."""
    data = competing_runs(runs=4, noise=0.01)
    law = LotkaVolterra(coupling, state=state).fit_model(data)
    compiled = law.simulate(data, TIMES, **limits)
    without_loops()
    by_numpy = law.simulate(data, TIMES, **limits)
    assert compiled.status == by_numpy.status
    np.testing.assert_array_equal(np.isnan(compiled.values), np.isnan(by_numpy.values))
    np.testing.assert_allclose(compiled.values, by_numpy.values, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("steps", [[0.0, 1.0, np.inf], [0.0, 1.0, np.nan, 2.0], [[0.0, np.nan], [0.0, 1.0]]])
def test_times_that_are_not_finite(competing_runs, without_loops, steps):
    data = competing_runs(runs=2)
    law = Linear().fit(data).model_
    compiled = law.simulate(data.values[:, 0], steps)
    without_loops()
    by_numpy = law.simulate(data.values[:, 0], steps)
    assert compiled.status == by_numpy.status
    np.testing.assert_allclose(compiled.values, by_numpy.values, rtol=1e-6)


def test_a_law_with_a_right_hand_side_of_its_own_is_rolled_out_by_that(competing_runs):
    class Steady(Law):
        def rhs(self, x, t):
            return np.ones_like(x)

    data = competing_runs(runs=2)
    law = Linear().fit(data).model_
    own = Steady(**{field.name: getattr(law, field.name) for field in fields(law) if field.init})
    signal = own.simulate(np.zeros(data.n_features), [0.0, 1.0]).signal
    np.testing.assert_allclose(signal[0, 1], 1.0)


def test_a_model_that_knows_nothing_of_loops_is_rolled_out():
    assert FittedModel.taped(object(), np.ones((1, 1, 1))) is None


def test_a_huge_budget_is_one(competing_runs):
    law = Linear().fit(competing_runs(runs=2)).model_
    rollout = law.simulate(np.ones(4), [0.0, 1.0], max_evaluations=10**30)
    assert rollout.ok.all()


def test_a_clock_that_a_file_has_too_wide_is_refused(competing_runs):
    law = Linear("exchangeable").fit_model(competing_runs(runs=3), clock=True)
    wide = replace(law, drive=replace(law.drive, values=np.tile(law.drive.values, 3)))
    with pytest.raises(ValueError, match="values from outside"):
        wide.simulate(np.ones(4), [0.0, 1.0])
