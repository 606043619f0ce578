from dataclasses import replace

import numpy as np
import pytest

from ecodyn import Linear, LotkaVolterra
from ecodyn.families import Matching, Shooting
from ecodyn.families.matrix_logarithm import flow_of_map, map_of_flow

CASES = [("independent", False), ("independent", True), ("exchangeable", False), ("full", False)]
every_form = pytest.mark.parametrize(("coupling", "per_feature"), CASES)
STARTS = np.random.default_rng(5).uniform(-2.0, 2.0, (3, 4))
TIGHT = {"rtol": 1e-12, "bound": np.inf}


@pytest.fixture(scope="module")
def flows(linear_runs):
    """A linear flow of each form, with coefficients drawn by a seed, decaying and turning."""
    data = linear_runs()
    fitted = {case: Linear(case[0], per_feature=case[1]).fit_model(data) for case in CASES}

    def make(case, seed):
        law, rng = fitted[case], np.random.default_rng(seed)
        coefficients = rng.uniform(-0.1, 0.1, law.coefficients.shape)
        return replace(law, coefficients=coefficients)

    return make


@every_form
@pytest.mark.parametrize("h", [0.5, 1.0, 3.0])
@pytest.mark.parametrize("seed", range(2))
def test_the_map_of_a_flow_is_the_flow_at_the_grid(flows, coupling, per_feature, seed, h):
    flow = flows((coupling, per_feature), seed)
    times = h * np.arange(8.0)
    expected = flow.simulate(STARTS, times, **TIGHT).values
    found = map_of_flow(flow, h).simulate(STARTS, times, **TIGHT).values
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-10 * np.abs(expected).max())


@every_form
@pytest.mark.parametrize("h", [0.5, 1.0, 3.0])
@pytest.mark.parametrize("seed", range(2))
def test_there_and_back_is_the_identity(flows, coupling, per_feature, seed, h):
    flow = flows((coupling, per_feature), seed)
    back = flow_of_map(map_of_flow(flow, h))
    assert back.step is None
    np.testing.assert_allclose(back.coefficients, flow.coefficients, atol=1e-12)
    law = replace(flow, step=h)
    again = map_of_flow(flow_of_map(law), h)
    assert again.step == h
    np.testing.assert_allclose(again.coefficients, law.coefficients, atol=1e-12)


def test_traits_come_along(competing_runs):
    law = Linear("exchangeable", "signal,gradient@start", dynamics="map").fit_model(competing_runs())
    data = competing_runs(seed=1)
    start = data.state(law.state)[:, 0]
    expected = law.simulate(start, data.times, **TIGHT).values
    found = flow_of_map(law).simulate(start, data.times, **TIGHT).values
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-10 * np.abs(expected).max())


def test_equal_fits_of_map_and_flow_are_each_other(linear_runs):
    """Fitted to exact solutions, the map is that of the fitted flow: the two fits are one."""
    data = linear_runs()
    options = {"matching": Matching(ridge=0.0), "shooting": Shooting(refine=True)}
    flow, law = (Linear("exchangeable", dynamics=dynamics, **options).fit_model(data) for dynamics in ("flow", "map"))
    np.testing.assert_allclose(flow_of_map(law).coefficients, flow.coefficients, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("rate", [-1.0, -1.5])
def test_a_map_that_turns_over_has_no_flow(flows, rate):
    flow = flows(("independent", False), 0)
    law = replace(flow, step=1.0, coefficients=np.array([[0.1, rate]]))
    with pytest.raises(ValueError, match=r"logarithm to be real; got .*keep the map"):
        flow_of_map(law)


def test_what_has_no_matrix_is_refused(flows, linear_runs, competing_runs):
    flow = flows(("exchangeable", False), 0)
    with pytest.raises(ValueError, match="got a flow"):
        flow_of_map(flow)
    with pytest.raises(ValueError, match="got a map"):
        map_of_flow(replace(flow, step=1.0), 1.0)
    with pytest.raises(ValueError, match="positive step"):
        map_of_flow(flow, 0.0)
    with pytest.raises(ValueError, match="degree one"):
        map_of_flow(LotkaVolterra().fit_model(competing_runs()), 1.0)
    with pytest.raises(ValueError, match="without a clock"):
        map_of_flow(Linear().fit_model(linear_runs(), clock=True), 1.0)
    with pytest.raises(ValueError, match="as with a velocity"):
        map_of_flow(Linear(state="signal,velocity").fit_model(linear_runs().window(4.0, 40.0)), 1.0)
