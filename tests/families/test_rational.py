"""Rational laws: known ones are selected and found to six digits, and polynomial ones come out polynomial."""

import numpy as np
import pytest

from ecodyn import UnusableDataError, load_model
from ecodyn.equations.forms import polynomial_library
from ecodyn.estimation import Samples
from ecodyn.estimation.implicit_selection import RationalLaw, holds, implicit_candidates
from ecodyn.families import family
from ecodyn.families.rational import Rational
from ecodyn.trajectories import Trajectories

LAWS = {
    "michaelis_menten": (
        "independent",
        lambda x: 1.5 * x / (0.5 + x) - 0.6 * x,
        0.05,
        {"p1": 2.4, "p2": -1.2, "q1": 2.0},
    ),
    "hill": (
        "independent",
        lambda x: 0.1 + 2 * x**2 / (1 + x**2) - x,
        0.05,
        {"p0": 0.1, "p1": -1.0, "p2": 2.1, "p3": -1.0, "q2": 1.0},
    ),
    "logistic": ("independent", lambda x: x * (1 - x / 2), 0.1, {"p1": 1.0, "p2": -0.5}),
    "holling": (
        "exchangeable",
        lambda x: 2 * x / (0.5 + x + x.mean(axis=1, keepdims=True)) - 0.8 * x,
        0.05,
        {"p1": 3.2, "p2": -1.6, "p5": -1.6, "q1": 2.0, "q3": 2.0},
    ),
}
T = np.linspace(0.0, 8.0, 81)


def runs_of(name, runs=8, noise=0.0, seed=0):
    _, slope, low, _ = LAWS[name]
    rng = np.random.default_rng(seed)
    x = rng.uniform(low, 3.0, (runs, 4))
    out, h = [x], (T[1] - T[0]) / 20
    for _ in range(20 * (len(T) - 1)):
        a = slope(x)
        b = slope(x + h / 2 * a)
        c = slope(x + h / 2 * b)
        x = x + h / 6 * (a + 2 * b + 2 * c + slope(x + h * c))
        out.append(x)
    x = np.stack(out[::20], axis=1)
    return Trajectories(x + noise * x.std() * rng.standard_normal(x.shape), T)


def small(name, **options):
    return family("rational")(LAWS[name][0], **{"degree": 2, "denominator_degree": 1, **options})


@pytest.fixture(scope="module")
def uptake():
    return small("michaelis_menten").fit(runs_of("michaelis_menten", runs=4)).model_


@pytest.mark.slow
def test_saturating_uptake_is_found_and_comes_back_from_a_file(uptake, tmp_path):
    assert uptake.formula == "(p1*x + p2*x**2)/(1 + q1*x)"
    assert dict(uptake.parameters) == pytest.approx(LAWS["michaelis_menten"][3], rel=1e-6)
    uptake.save(tmp_path / "law.json")
    back = load_model(tmp_path / "law.json")
    assert (back.family, back.lines()) == ("rational", uptake.lines())
    x = np.full((1, 4, 1), 1.3)
    assert np.array_equal(back.rhs(x, np.zeros(1)), uptake.rhs(x, np.zeros(1)))


@pytest.mark.slow
@pytest.mark.parametrize("name", LAWS)
def test_clean_data_tell_the_law_to_six_digits(name):
    law = Rational(LAWS[name][0]).fit(runs_of(name)).model_
    assert dict(law.parameters) == pytest.approx(LAWS[name][3], rel=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["michaelis_menten", "hill", "logistic"])
def test_noise_of_a_hundredth_leaves_the_terms(name):
    right = 0
    for seed in range(3):
        law = Rational(LAWS[name][0]).fit(runs_of(name, noise=0.01, seed=seed)).model_
        right += law.parameters.keys() == LAWS[name][3].keys()
    assert right >= 2


@pytest.mark.slow
def test_a_polynomial_law_without_means_is_one_under_a_coupling_that_has_them(tmp_path):
    data = runs_of("logistic", runs=4)
    law = Rational("exchangeable", degree=2, denominator_degree=1).fit(data).model_
    assert (law.coupling, law.formula) == ("exchangeable", "p1*x + p2*x**2")
    law.save(tmp_path / "law.json")
    assert load_model(tmp_path / "law.json").lines() == law.lines()


def test_implicit_selection_proposes_the_law_whatever_the_unit():
    data = runs_of("michaelis_menten", runs=4)
    found = []
    for factor in (1.0, 1000.0):
        moved = Trajectories(factor * data.values, 5.0 * data.times)
        top, bottom = (polynomial_library("independent", ["signal"], range(4), degree) for degree in (2, 1))
        found.append(implicit_candidates(top, bottom, Samples.of(moved))[0].support.tolist())
    assert found[0] == found[1] == [False, True, True, True, True]


def test_denominators_that_vanish_near_the_data_are_refused():
    samples = Samples.of(runs_of("logistic", runs=4))
    bottom = polynomial_library("independent", ["signal"], range(4), 1)
    middle = float(samples.states.mean())
    laws = [RationalLaw(np.ones(2), np.array(b), 0) for b in ([1.0, 1.0], [-middle, 1.0], [1.0, 0.0], [0.0, 1.0])]
    assert holds(bottom, samples, laws)[:3] == [True, False, True]


def test_means_at_which_a_map_is_rational_are_found():
    x = [np.random.default_rng(3).uniform(0.1, 2.5, (5, 3))]
    for _ in range(20):
        x.append(1.8 * x[-1] / (1 + 0.5 * x[-1]))  # Beverton and Holt
    law = small("michaelis_menten", dynamics="map").fit(Trajectories(np.stack(x, axis=1), np.arange(21.0))).model_
    assert law.step == 1.0
    assert dict(law.parameters) == pytest.approx({"p1": 0.8, "p2": -0.5, "q1": 0.5}, rel=1e-6)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"coupling": "full"}, "independent, exchangeable, got 'full'"),
        ({"degree": -1}, "degree is a whole number of at least 0"),
        ({"denominator_degree": 1.5}, "denominator_degree is a whole number"),
        ({"state": "signal,velocity"}, "of the signal alone"),
    ],
)
def test_what_has_no_rational_law_is_told(options, said):
    with pytest.raises((ValueError, UnusableDataError), match=said):
        Rational(**{"coupling": "independent", **options}).fit(runs_of("logistic", runs=2))
