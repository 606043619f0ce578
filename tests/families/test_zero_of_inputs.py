"""The zero and the unit of an input say nothing: of a·u + c, fits find the same laws, in its coordinates.

So for laws whose terms are closed under a shift of the input: linear ones, Lotka-Volterra's and polynomials of which
nothing was removed, under every coupling.
"""

import warnings

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import ecodyn
from ecodyn import Input, Linear, LotkaVolterra, SINDy, Trajectories
from ecodyn.equations.forms import lotka_volterra_library, polynomial_library
from ecodyn.estimation import Centred, Samples

STEPS = np.linspace(0.0, 6.0, 19)
UNITS = st.tuples(st.floats(-4.0, 4.0), st.sampled_from([-1.0, 1.0])).map(lambda drawn: drawn[1] * 10.0 ** drawn[0])
ZEROS = st.floats(-30.0, 30.0)  # the input goes from 0.2 to 1
QUICK = settings(
    max_examples=1,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],  # a failure says enough as it is: making it small would take minutes of fits
    suppress_health_check=[HealthCheck.too_slow],
)
MANY = settings(QUICK, max_examples=6)


def growth(x, u):
    """ẋ = x(1 − 0.5 x − 0.6 y + 0.3 u) and ẏ = y(0.5 x − 0.4 + 0.2 u)."""
    x, y = x
    return np.array([x * (1 - 0.5 * x - 0.6 * y + 0.3 * u), y * (0.5 * x - 0.4 + 0.2 * u)])


def noisy_runs(curves):
    """Runs with noise, so that least squares have something to weigh."""
    rng, values, h = np.random.default_rng(2), [], (STEPS[1] - STEPS[0]) / 10
    for curve in curves:
        x = rng.uniform(0.3, 1.5, 2)
        of_run = [x]
        for t in np.arange(1, 10 * len(STEPS) - 9) * h:
            u = float(curve(t - h / 2))
            x = x + h * growth(x + h / 2 * growth(x, u), u)
            of_run.append(x)
        values.append(of_run[::10])
    return np.array(values) * (1 + 0.01 * rng.standard_normal((len(curves), len(STEPS), 2)))


CURVES = [Input("u", [0, 1.3 + 0.4 * r, 3.9], [1.0, 0.2, 0.7 + 0.1 * r], "steps") for r in range(3)]
VALUES = noisy_runs(CURVES)


def data(unit=1.0, zero=0.0):
    moved = [Input("u", c.times, unit * (c.values + zero), c.kind) for c in CURVES]
    return Trajectories(VALUES, STEPS, ["prey", "hunter"], labels_shared=True, inputs={"u": moved})


def all_terms(coupling):
    return SINDy(coupling, degree=2, thresholds=(0.0,))


CLOSED = {f"linear/{c}": Linear(c) for c in ("independent", "exchangeable", "full")}
CLOSED |= {f"lotka_volterra/{c}": LotkaVolterra(c) for c in ("independent", "exchangeable", "full")}
CLOSED |= {f"all terms/{c}": all_terms(c) for c in ("independent", "exchangeable", "full")}
CLOSED |= {
    "linear map/full": Linear("full", dynamics="map"),
    "linear with a ridge/full": Linear("full").set_params(ridge=1e-3),
    "lotka_volterra with a ridge/exchangeable": LotkaVolterra("exchangeable").set_params(ridge=1e-3),
    "linear with a constraint/full": Linear("full", constraints=["A symmetric"]),
}
SOME = ["linear/full", "lotka_volterra/exchangeable"]


def fitted(family, unit=1.0, zero=0.0):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ecodyn.DataWarning)
        runs = data(unit, zero)
        law = family.fit(runs)
        return law.model_, law.simulate(VALUES[:, 0], STEPS, inputs=runs).signal, law.score(runs)


@pytest.fixture(scope="module")
def laws():
    class Laws(dict):
        def __missing__(self, name):
            self[name] = fitted(CLOSED[name])
            return self[name]

    return Laws()


def assert_same_law(laws, name, unit, zero):
    """Rollouts and skills to within 1e-6, and coefficients that say the same of the input."""
    law, rollouts, skill = laws[name]
    moved, again, score = fitted(CLOSED[name], unit, zero)
    np.testing.assert_allclose(again, rollouts, atol=1e-6)
    assert abs(score - skill) <= 1e-6
    back = as_of(moved, unit, zero)
    np.testing.assert_allclose(back, law.coefficients, rtol=1e-5, atol=1e-6 * np.abs(law.coefficients).max())


def as_of(moved, unit, zero):
    """Coefficients of terms in u, from those of the same law in unit·(u + zero): in each, binomials of its power."""
    places = {}
    for k, (own, e) in enumerate(moved.library.terms):
        places[own, moved.library.environment[e]] = k
    found = np.zeros_like(moved.coefficients)
    for (own, powers), k in places.items():
        expanded = np.poly1d([unit, unit * zero]) ** powers[-1]  # highest power first
        for power, share in enumerate(np.atleast_1d(expanded.coeffs)[::-1]):
            found[:, places[own, (*powers[:-1], power)]] += share * moved.coefficients[:, k]
    return found


@pytest.mark.parametrize("name", SOME)
@QUICK
@given(unit=UNITS, zero=ZEROS)
def test_zero_and_unit_of_an_input_say_nothing(laws, name, unit, zero):
    assert_same_law(laws, name, unit, zero)


@pytest.mark.slow
@pytest.mark.parametrize("name", CLOSED)
@MANY
@given(unit=UNITS, zero=ZEROS)
def test_zero_and_unit_of_an_input_say_nothing_to_any_closed_law(laws, name, unit, zero):
    assert_same_law(laws, name, unit, zero)


@pytest.mark.parametrize("name", ["lotka_volterra/independent"])
def test_an_input_may_be_a_thousand_times_as_far_off_as_it_goes(laws, name):
    assert_same_law(laws, name, 1.0, 1000.0)


def test_a_law_that_lacks_what_a_shift_needs_keeps_the_inputs_zero():
    """x·u without x is another law of u + 1; what is closed in the signals alone is centred in these alone."""
    samples = Samples.of(data(), own_units=True, inputs=["u"])
    library = polynomial_library("independent", ["signal"], ["prey", "hunter"], 2, ["u"])
    assert library.names() == ["1", "x", "x**2", "u", "x*u", "u**2"]
    centred, mask = Centred.of(samples, library, 2), np.ones((2, 6), dtype=bool)
    found = centred.within(mask)
    assert (found.signals, found.inputs) == (True, True)
    mask[0, 3] = False  # x·u needs u where x is shifted, and u² where u is
    assert centred.within(mask) is None
    mask[:, 4:] = False
    mask[0, 3] = True
    mask[0, 0] = False  # u without 1, and so x
    assert centred.within(mask) is None
    mask[0, [1, 2]] = False
    assert centred.within(mask).signals
    assert not centred.within(mask).inputs
    growth_terms = Centred.of(samples, lotka_volterra_library("full", ["signal"], ["prey", "hunter"], ["u"]), 2)
    assert (growth_terms.signals, growth_terms.inputs) == (False, True)


@pytest.mark.parametrize("zero", [0.0, 1000.0, -3e4])
def test_a_straight_stretch_of_many_knots_has_no_kinks_about_any_zero(zero):
    t = np.linspace(0.0, 6.0, 61)
    curve = Input("u", t, np.interp(t, [0, 2, 6], [0.0, 1.0, 0.3]) + zero, "linear")
    np.testing.assert_allclose(curve.breaks, [2.0])
