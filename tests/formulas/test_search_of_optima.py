"""The search for optima: all valleys get a turn, and bounds and units that are far from the data change nothing."""

import warnings

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from ecodyn.errors import DataWarning
from ecodyn.families.configuration import Shooting
from ecodyn.families.formula import Formula
from ecodyn.families.time_origin import far_from_origin
from ecodyn.formulas.statement import statement_of
from ecodyn.formulas.transforms import Coordinates

HARVEST = "r*x*(1-x/K) - h*x**2/(c**2+x**2)"
TRUE = {"r": 0.3, "K": 5.0, "h": 0.2, "c": 0.5}
TIMES = np.arange(0.0, 60.0, 2.0)


def solutions(rate, starts, times=TIMES):
    """Exact solutions from several starts, one run each."""
    span = (times[0], times[-1])
    return [solve_ivp(rate, span, [s], t_eval=times, rtol=1e-10, atol=1e-12).y.T for s in starts]


def harvested():
    def rate(_, x):
        return TRUE["r"] * x * (1 - x / TRUE["K"]) - TRUE["h"] * x**2 / (TRUE["c"] ** 2 + x**2)

    return solutions(rate, (0.2, 0.5, 1.0, 2.0, 4.0))


def logistic():
    starts = np.linspace(0.1, 0.5, 4)
    return [2 / (1 + (2 / s - 1) * np.exp(-0.2 * np.arange(40.0)[:, None])) for s in starts]


@pytest.mark.parametrize("seed", [1, 4])
def test_a_law_of_two_optima_is_found_in_the_better_one(seed):
    """The best draws all lie in the valley without a harvest, where they leave ten thousand times as much."""
    law = Formula(HARVEST, positive="all", random_state=seed, shooting=Shooting(refine=False))
    found = law.fit(harvested(), t=TIMES).model_.parameters
    np.testing.assert_allclose([found[n] for n in TRUE], list(TRUE.values()), rtol=2e-2)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8))
def test_the_better_one_is_refined(seed):
    found = Formula(HARVEST, positive="all", random_state=seed).fit(harvested(), t=TIMES).model_
    np.testing.assert_allclose([found.parameters[n] for n in TRUE], list(TRUE.values()), rtol=1e-6)
    assert found.diagnostics.status == "converged from the best of 100 starts"


@pytest.mark.parametrize(
    ("exponent", "pure"),
    [
        ("n", {"n"}),
        ("(1 - n)", {"n"}),
        ("(2*n + m/3)", {"n", "m"}),
        ("(-n)", {"n"}),
        ("(-t/h)", set()),
        ("(n + r*t)", {"n"}),
        ("(1 - h*x)", set()),
        ("(n/m)", set()),
        ("sin(w*t)", set()),
    ],
)
def test_exponents_are_parameters_without_a_unit(exponent, pure):
    assert statement_of(f"a*x**{exponent}").exponents == pure


@pytest.mark.parametrize("unit", [1.0, 1024.0])
def test_a_half_life_in_an_exponent_goes_by_the_unit_of_time(unit):
    runs = solutions(lambda t, x: 0.05 * 2 ** (-t / 20) - 0.1 * x, (1.0, 2.0, 0.5))
    law = Formula("b*2**(-t/h) - a*x", positive="all", shooting=Shooting(refine=False))
    found = law.fit(runs, t=TIMES * unit).model_.parameters
    expected = np.array([0.05 / unit, 20 * unit, 0.1 / unit])
    np.testing.assert_allclose([found["b"], found["h"], found["a"]], expected, rtol=2e-3)


@pytest.mark.parametrize(
    ("time", "first", "far"),
    [
        ("t", 1900, True),
        ("(t - 1900)", 1900, False),
        ("(t - 1900)", 0, True),
        ("(s - t)", 1900, True),
        ("t", 0, False),
        ("t", 60, False),
        ("exp(-(t - 1900))*t", 1900, True),
    ],
)
def test_a_time_that_begins_long_before_the_data_is_told(time, first, far):
    told = far_from_origin(statement_of(f"-a*x + c*sin(w*{time} + s)"), first + TIMES)
    assert bool(told) is far
    assert not far or f"write {f'(t - {first})' if first else 't'}" in told


def test_a_fit_warns_of_such_a_time():
    law = Formula("-a*x + c*t", shooting=Shooting(refine=False))
    with pytest.warns(DataWarning, match=r"write \(t - 1900\)"):
        law.fit(logistic(), t=1900 + np.arange(40.0))


def test_wide_bounds_are_no_bounds():
    """A share of the range would be far from a bound that is far from the data."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", DataWarning)
        bounds = {"r": (0, 1e6), "K": (0, 1e6)}
        law = Formula("r*x*(1 - x/K)", bounds=bounds, shooting=Shooting(refine=False))
        found = law.fit(logistic()).model_.parameters
    np.testing.assert_allclose([found["r"], found["K"]], [0.2, 2.0], rtol=1e-3)


@pytest.mark.parametrize(
    "bounds", [(0.0, 1e12), (-1e12, 1e12), (-1e12, 0.0), (1e12, np.inf), (-np.inf, -1e12), (0.0, 1e-9)]
)
def test_what_is_at_a_bound_has_a_finite_coordinate(bounds):
    coordinates = Coordinates((bounds,), (1.0,))
    finite = [bound for bound in bounds if np.isfinite(bound)]
    near = max(2e-6 * min(1.0, bounds[1] - bounds[0]), 1e-14 * np.abs(finite).max())
    for bound in finite:
        inside = coordinates.inward(np.array([bound]))
        assert np.isfinite(inside).all()
        np.testing.assert_allclose(coordinates.outward(inside), bound, rtol=0, atol=near)
