"""Laws of inputs u(t): known ones are found again, with jumps between samples, and rolled out with other curves."""

import warnings

import numpy as np
import pytest
from driven_runs import runs_of, solved

from ecodyn import (
    DataWarning,
    Formula,
    Input,
    Linear,
    LotkaVolterra,
    Matching,
    NeuralODE,
    Shooting,
    SINDy,
    Trajectories,
    UnusableDataError,
    load_model,
)
from ecodyn.families.share import Share

FINE = np.linspace(0, 6, 241)
COARSE = np.linspace(0, 6, 41)
MATCHED = Shooting(refine=False)


def affine(x, u):
    return 0.2 - 0.5 * x + 0.3 * x.mean() + 0.4 * u


def competing(x, u):
    return x * (np.array([0.8, 0.6]) - np.array([[0.9, 0.2], [0.3, 0.7]]) @ x - 0.3 * u)


def mixed(x, u):
    return 0.2 - 0.5 * u * x + 0.3 * u * x.mean()


@pytest.fixture(scope="module")
def of_affine():
    return runs_of(affine, 3, FINE)


@pytest.fixture(scope="module")
def of_mixed():
    return runs_of(mixed, 3, COARSE)


@pytest.mark.parametrize("kind", ["steps", "linear"])
def test_a_linear_law_is_found_again(kind):
    law = Linear("exchangeable", shooting=MATCHED).fit(runs_of(affine, 3, FINE, kind)).model_
    assert law.library.names() == ["1", "x", "mean_x", "lr"]
    np.testing.assert_allclose(law.coefficients, [[0.2, -0.5, 0.3, 0.4]], atol=1e-6)


def test_a_full_linear_law_is_found_again(of_affine):
    law = Linear("full", shooting=MATCHED).fit(of_affine).model_
    expected = np.column_stack([np.full(3, 0.2), np.full((3, 3), 0.1) - 0.5 * np.eye(3), np.full(3, 0.4)])
    np.testing.assert_allclose(law.coefficients, expected, atol=1e-6)


def test_shooting_ends_its_steps_at_jumps(of_affine):
    """With steps over the jumps the error would be of the first order, about 10⁻²."""
    law = Linear("exchangeable", shooting=Shooting(intervals=48)).fit(of_affine.every(4)).model_
    np.testing.assert_allclose(law.coefficients, [[0.2, -0.5, 0.3, 0.4]], atol=1e-6)


@pytest.mark.parametrize("coupling", ["independent", "full"])
def test_lotka_volterra_laws_are_found_again(coupling):
    alone = np.array([[1.0, -0.8, -0.3]])

    def logistic(x, u):
        return x * (1.0 - 0.8 * x - 0.3 * u)

    runs = runs_of(logistic if coupling == "independent" else competing, 2, FINE)
    law = LotkaVolterra(coupling, shooting=MATCHED).fit(runs).model_
    full = np.array([[0.8, -0.9, -0.2, -0.3], [0.6, -0.3, -0.7, -0.3]])
    np.testing.assert_allclose(law.coefficients, alone if coupling == "independent" else full, atol=1e-6)


@pytest.mark.parametrize(
    ("coupling", "slope", "terms"),
    [
        ("independent", lambda x, u: 0.5 * x * u - x**2 + 0.1 * u**2, {"x*lr": 0.5, "x**2": -1.0, "lr**2": 0.1}),
        ("exchangeable", mixed, {"1": 0.2, "x*lr": -0.5, "mean_x*lr": 0.3}),
    ],
)
def test_sindy_selects_terms_in_inputs(coupling, slope, terms):
    law = SINDy(coupling, shooting=MATCHED, thresholds=10).fit(runs_of(slope, 2, FINE, runs=4)).model_
    found = {n: c for n, c in zip(law.library.names(), law.coefficients[0].tolist(), strict=True) if c}
    assert found == pytest.approx(terms, abs=1e-6)


def test_sindy_selects_them_under_the_full_coupling():
    runs = runs_of(lambda x, u: np.array([0.5 * u * x[1], -u * x[0]]), 2, FINE, runs=4)
    law = SINDy("full", shooting=MATCHED, thresholds=10, degree=2).fit(runs).model_
    assert law.selected_terms() == {"1: x_2*lr", "2: x_1*lr"}
    np.testing.assert_allclose(law.coefficients[law.coefficients != 0], [0.5, -1.0], atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["steps", "linear"])
def test_a_formula_is_found_again(kind):
    law = Formula("b - a*lr**n*x + c*lr*mean(x)", positive="all").fit(runs_of(mixed, 3, COARSE, kind)).model_
    assert law.parameters == pytest.approx({"b": 0.2, "a": 0.5, "n": 1.0, "c": 0.3}, abs=1e-6)


def test_a_formula_names_inputs(of_mixed):
    runs = of_mixed
    law = Formula("b - a*lr*x + c*lr*mean(x)", shooting=MATCHED).fit(runs).model_
    assert law.inputs == {"lr": "steps"}
    assert law.parameters == pytest.approx({"b": 0.2, "a": 0.5, "c": 0.3}, abs=1e-3)
    with pytest.raises(ValueError, match="outside of mean"):
        Formula("b - a*mean(lr*x)").fit(runs)
    with pytest.raises(ValueError, match="got 'lr', which is no parameter"):
        Formula("b - a*lr*x", positive=["lr"]).fit(runs)
    assert "the formula does not name the input lr, so that it has no say" in Formula("b - a*x").notes(runs)


@pytest.mark.parametrize("kind", ["steps", "linear"])
@pytest.mark.parametrize("spacing", [1.0, 0.1])  # whose multiples are rounded
def test_a_map_has_them_at_its_steps(kind, spacing):
    steps = np.arange(30.0) * spacing
    curve = Input("lr", steps[[0, 7, 18, 29]], [1.0, 0.2, 0.6, 0.5], kind)
    rng, values = np.random.default_rng(0), []
    for _ in range(3):
        x = [rng.uniform(0, 2, 2)]
        for t in steps[:-1]:
            x.append(x[-1] + spacing * (0.1 - 0.2 * x[-1] + 0.3 * curve(t)))
        values.append(x)
    runs = Trajectories(np.array(values), steps).with_inputs(lr=curve)
    law = Linear("independent", dynamics="map").fit(runs).model_
    np.testing.assert_allclose(law.coefficients, [[0.1, -0.2, 0.3]], atol=1e-9)
    np.testing.assert_allclose(law.simulate(runs, steps).signal, runs.values, atol=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("coupling", ["independent", "exchangeable", "full"])
def test_a_neural_ode_sees_them(coupling):
    runs = runs_of(lambda x, u: 0.2 - 0.5 * x + 0.4 * u, 2, COARSE)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)  # of few steps
        seen = NeuralODE(coupling, base=None, rollout_steps=5).fit(runs)
        blind = NeuralODE(coupling, base=None, rollout_steps=5).fit(runs.without_inputs())
    assert 1 - seen.score(runs) < 0.01 * (1 - blind.score(runs.without_inputs()))


@pytest.mark.parametrize(
    "family", [Linear("exchangeable", shooting=MATCHED), SINDy("independent", thresholds=5, shooting=MATCHED)]
)
def test_an_input_of_one_value_adds_no_term(family, of_affine):
    """What a constant does, the constant does."""
    plain = of_affine.without_inputs().every(6)
    with pytest.warns(DataWarning, match="the input lr is 0.5 throughout"):
        held = plain.with_inputs(lr=0.5)
    with pytest.warns(DataWarning, match="the law has no terms in it"):
        law = family.fit(held).model_
    assert not law.inputs
    np.testing.assert_array_equal(law.coefficients, family.fit(plain).model_.coefficients)


def test_a_value_for_each_run_tells_settings_apart():
    """An input that differs between runs and not in time is what a bias of each run would be."""
    times, values = FINE, []
    levels = [0.0, 1.0, 2.0]
    for level in levels:
        values.append(solved(affine, [0.5, 1.0], times, Input("lr", [0], [level], "steps")))
    runs = Trajectories(values, [times] * 3, runs=["a", "b", "c"]).with_inputs(lr=dict(zip("abc", levels, strict=True)))
    law = Linear("exchangeable", shooting=MATCHED).fit(runs).model_
    np.testing.assert_allclose(law.coefficients, [[0.2, -0.5, 0.3, 0.4]], atol=1e-6)


def test_an_input_that_does_nothing_changes_next_to_nothing():
    still = runs_of(lambda x, u: 0.2 - 0.5 * x + 0.3 * x.mean(), 3, COARSE)
    noisy = Trajectories(
        still.values + 0.01 * np.random.default_rng(1).standard_normal(still.shape), still.steps, inputs=still.inputs
    )
    driven, plain = Linear("exchangeable", shooting=MATCHED), Linear("exchangeable", shooting=MATCHED)
    skills = driven.fit(noisy).score(still), plain.fit(noisy.without_inputs()).score(still.without_inputs())
    assert abs(skills[0] - skills[1]) < 1e-3
    assert abs(driven.model_.coefficients[0, 3]) < 0.01


def test_units_of_time_and_inputs_change_nothing_else(of_affine):
    unit = 700.0
    runs = of_affine.every(6)
    curves = [curve.rescaled(1 / unit, 1 / unit) for curve in runs.inputs["lr"]]
    other = Trajectories(runs.values, runs.times * unit, inputs={"lr": curves})
    shooting = Shooting(stages=(0.5,))
    mine, theirs = (
        Linear("exchangeable", shooting=shooting).fit(each).model_.coefficients[0] for each in (runs, other)
    )
    np.testing.assert_allclose(theirs * [unit, unit, unit, unit**2], mine, rtol=1e-6)


def test_a_rollout_takes_the_curves_that_it_is_given(of_affine):
    law = Linear("exchangeable", shooting=MATCHED).fit(of_affine).model_
    step = Input("lr", [0, 1.234], [0.0, 2.0], "steps")
    truth = solved(affine, [0.5, 1.0, 1.5], FINE[::40], step)
    for given in ({"lr": step}, {"lr": ([0, 1.234], [0, 2])}):
        found = law.simulate([0.5, 1.0, 1.5], FINE[::40], inputs=given)
        assert found.ok.all()
        np.testing.assert_allclose(found.signal[0], truth, atol=1e-5)
    held = law.simulate([0.5, 1.0, 1.5], [0.0, 2000.0], inputs={"lr": 0.25}).signal[0, -1]
    np.testing.assert_allclose(held, 1.5, atol=1e-4)  # 0.2 + (0.3 - 0.5)x + 0.4/4 = 0
    np.testing.assert_array_equal(
        law.simulate(of_affine, FINE).signal, law.simulate(of_affine, FINE, inputs=of_affine).signal
    )


def test_a_pulse_between_two_steps_is_not_missed(of_affine):
    law = Linear("exchangeable", shooting=MATCHED).fit(of_affine).model_
    pulse = {"lr": ([0, 3.0, 3.001], [0, 1000, 0])}
    without, with_it = (
        law.simulate([[1.0, 1, 1]], [0, 2.9, 6], inputs=each).signal[0] for each in ({"lr": 0.0}, pulse)
    )
    np.testing.assert_allclose(with_it[1], without[1], rtol=1e-7)
    np.testing.assert_allclose(with_it[2] - without[2], 0.4 * np.exp(-0.2 * 3), rtol=1e-3)


@pytest.mark.parametrize(
    "family",
    [
        SINDy("exchangeable", thresholds=5, shooting=MATCHED),
        Formula("b - a*lr*x + c*lr*mean(x)", shooting=MATCHED),
        NeuralODE("exchangeable", matching_steps=3, rollout_steps=0),
    ],
)
def test_a_model_file_gives_the_law_back(tmp_path, family, of_mixed):
    runs = of_mixed
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)  # a network of three steps has not converged
        law = family.fit(runs).model_
    law.save(tmp_path / "law.json")
    back = load_model(tmp_path / "law.json")
    assert back.inputs == {"lr": "steps"}
    np.testing.assert_array_equal(back.simulate(runs, COARSE).signal, law.simulate(runs, COARSE).signal)
    assert "lr" in str(back.equations()[0])
    assert r"\mathrm{lr}" in back.to_latex() or "lr" in back.to_latex()
    assert law.provenance["inputs"] == {"lr": {"kind": "steps", "range": [0.3, 1.0]}}


def test_what_a_law_lacks_is_said(of_affine):
    runs = of_affine.every(6)
    law = Linear("exchangeable", shooting=MATCHED).fit(runs).model_
    with pytest.raises(ValueError, match="expected the law's inputs lr, which are functions of time, got none; give"):
        law.simulate([1.0, 1, 1], [0, 1])
    with pytest.raises(ValueError, match="got lr, wd; give"):
        law.simulate([1.0, 1, 1], [0, 1], inputs={"lr": 1.0, "wd": 2.0})
    with pytest.raises(ValueError, match="functions of time, got none"):
        law.rhs(np.ones((1, 3, 1)), np.zeros(1))
    with pytest.raises(UnusableDataError, match="expected data with the input lr, on which the law depends, got none"):
        Linear("exchangeable", shooting=MATCHED).fit(runs).score(runs.without_inputs())
    with pytest.raises(ValueError, match="got its first value at 3; add the value"):
        law.simulate([1.0, 1, 1], [0, 5], inputs={"lr": ([3, 4], [1, 2])})
    plain = Linear("exchangeable", shooting=MATCHED).fit(runs.without_inputs()).model_
    with pytest.raises(ValueError, match="expected no inputs, as the law depends on none, got lr; leave them out"):
        plain.simulate([1.0, 1, 1], [0, 1], inputs={"lr": 1.0})


def test_a_family_without_terms_in_inputs_is_not_fitted_to_them(of_affine):
    with pytest.raises(UnusableDataError, match="share has no terms in any, got lr, which vary; leave them out"):
        Share("exchangeable").fit(of_affine.every(6))
    with pytest.raises(ValueError, match="one of inputs, which time drives"):
        Linear("exchangeable", shooting=MATCHED).fit(of_affine).model_.to_pysindy()


def test_derivatives_are_matched_at_samples(of_affine):
    law = Linear("exchangeable", matching=Matching(method="derivative"), shooting=MATCHED).fit(of_affine).model_
    np.testing.assert_allclose(law.coefficients, [[0.2, -0.5, 0.3, 0.4]], atol=0.05)
