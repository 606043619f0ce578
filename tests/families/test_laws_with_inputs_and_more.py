"""Inputs beside constraints, selection, predictions and ensembles: each says of them what it says of terms."""

import numpy as np
import pytest

from ecodyn import ConstraintError, Input, Linear, LotkaVolterra, Shooting, SINDy, Trajectories, fit_ensemble
from ecodyn.errors import DataWarning
from ecodyn.families.formula import Formula

TIMES = np.arange(0.0, 20.0, 0.5)
MATCHED = Shooting(refine=False)


def driven(scale=100.0, law=-0.5, effect=0.003, runs=6):
    """ẋ = law·x + effect·u, where u is a staircase of hundreds, another in each run."""
    rng = np.random.default_rng(0)
    heights = scale * rng.uniform(0.5, 3.0, (runs, 4))
    knots = TIMES[::10]
    values, x = [], rng.uniform(0.5, 2.0, (runs, 3))
    for t in TIMES:
        values.append(x)
        level = -effect / law * heights[np.arange(runs), np.searchsorted(knots, t, side="right") - 1][:, None]
        x = level + (x - level) * np.exp(law * 0.5)
    data = Trajectories(np.stack(values, axis=1), TIMES)
    return data.with_inputs(u=[Input("u", knots, h, "steps") for h in heights])


@pytest.mark.parametrize("statement", ["u = 0.002", "u <= 0.002"])
def test_a_constraint_on_an_inputs_coefficient_is_in_the_datas_units(statement):
    data = driven()
    laws = [
        family("independent", constraints=[statement], shooting=MATCHED, **more).fit(data).model_
        for family, more in ((Linear, {}), (SINDy, {"degree": 1}))
    ]
    found = [dict(zip(m.library.names(), m.coefficients[0], strict=True)) for m in laws]
    for each in found:
        assert each["u"] == pytest.approx(0.002, rel=1e-12)
    assert found[1]["x"] == pytest.approx(found[0]["x"], rel=0.05)  # refitted, not clipped: without it is −0.5
    assert found[0]["x"] > -0.45


def test_coexistence_that_moves_with_an_input_has_no_stability_to_ask_for():
    with pytest.raises(ConstraintError, match="without inputs to be stable"):
        LotkaVolterra("independent", constraints=["stable"]).fit(driven())


def test_an_input_that_no_term_has_is_none_of_the_law():
    data = driven(effect=0.0)
    law = SINDy("independent", degree=1, shooting=MATCHED).fit(data).model_
    assert law.selected_terms() == {"x"}
    assert law.inputs == {}
    assert law.autonomous
    assert law.simulate(data.values[0, 0], TIMES).ok.all()


def test_predictions_from_runs_take_their_inputs():
    data = driven()
    family = Linear("independent", shooting=MATCHED).fit(data)
    later = family.predict(data, 5.0)
    assert np.abs(later - data.values[:, TIMES == 5.0][:, 0]).max() < 1e-3
    again = family.model_.simulate(data.values[:, 0], TIMES, inputs=data.inputs)
    assert np.abs(again.signal - data.values).max() < 1e-3


def test_a_half_in_which_an_input_stands_still_has_no_term_in_it():
    whole = driven(runs=6)
    still = [Input("u", [0.0], [200.0], "steps")] * 5 + [whole.inputs["u"][5]]
    data = Trajectories(whole.values, TIMES).with_inputs(u=still)
    laws = fit_ensemble(Linear("independent", shooting=MATCHED), data, resamples=6)
    assert {frozenset(m.inputs) for m in laws.models} == {frozenset(), frozenset({"u"})}
    found = laws.simulate(data.values[0, 0], [0.0, 1.0], inputs={"u": 200.0})
    assert np.isfinite(found.mean).all()


def test_a_hidden_law_does_not_read_a_flat_input_as_a_parameter():
    with pytest.warns(DataWarning, match="nothing shows what it does"):
        data = Trajectories(driven().values, TIMES).with_inputs(u=2.0)
    with pytest.raises(ValueError, match="takes no inputs, got u"):
        Formula("x' = r - x; r' = -d*r*u", hidden=["r"]).fit(data)


def test_a_sum_is_conserved_whatever_the_input_is():
    law = Linear("exchangeable", constraints=["sum conserved"], shooting=MATCHED).fit(driven()).model_
    found = dict(zip(law.library.names(), law.coefficients[0], strict=True))
    assert found["u"] == pytest.approx(0, abs=1e-12)
    assert found["x"] + found["mean_x"] == pytest.approx(0, abs=1e-12)
