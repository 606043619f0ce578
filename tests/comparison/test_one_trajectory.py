"""What `best_law` makes of one trajectory: exact laws of exact data, the same in any unit, and some of noise too."""

import functools
import re

import numpy as np
import pytest
from typer.testing import CliRunner

import ecodyn
from ecodyn.cli import app
from ecodyn.families.law import Law
from ecodyn.rollouts.integration import integrate
from ecodyn.rollouts.skill import skill_of

TIMES = np.linspace(0.0, 8.0, 51)


def solved(rhs, start, times=TIMES):
    rollout = integrate(lambda x, _: np.stack(rhs(*x.T), axis=-1), [start], times, rtol=1e-10, max_evaluations=200_000)
    assert rollout.ok.all()
    return rollout.values[0]


def logistic(x):
    return (1.2 * x - 0.4 * x**2,)


def predator_prey(x, y):
    return 1.1 * x - 0.4 * x * y, 0.1 * x * y - 0.4 * y


def oscillator(x, v):
    return v, -2.0 * x - 0.3 * v


def lorenz(x, y, z):
    return 10 * (y - x), x * (28 - z) - y, x * y - 8 / 3 * z


LAWS = {
    "logistic": (logistic, [0.2], TIMES, {("1", "x_1"): 1.2, ("1", "x_1**2"): -0.4}),
    "predator_prey": (
        predator_prey,
        [8.0, 3.0],
        2 * TIMES,
        {("1", "x_1"): 1.1, ("1", "x_1*x_2"): -0.4, ("2", "x_1*x_2"): 0.1, ("2", "x_2"): -0.4},
    ),
    "oscillator": (oscillator, [1.0, 0.5], TIMES, {("1", "x_2"): 1.0, ("2", "x_1"): -2.0, ("2", "x_2"): -0.3}),
    "lorenz": (
        lorenz,
        [-5.0, -4.0, 24.0],
        TIMES / 8,
        {
            ("1", "x_1"): -10.0,
            ("1", "x_2"): 10.0,
            ("2", "x_1"): 28.0,
            ("2", "x_2"): -1.0,
            ("2", "x_1*x_3"): -1.0,
            ("3", "x_1*x_2"): 1.0,
            ("3", "x_3"): -8 / 3,
        },
    ),
}


def coefficients(law: Law):
    """Coefficients by feature and by the term as a product of all features' variables."""
    found = {}
    for feature, row in enumerate(law.coefficients):
        for term in np.flatnonzero(row):
            label = law.features[feature]
            name = law.library.monomial(term, feature) if law.coupling == "full" else law.library.names(label)[term]
            found[str(label), name] = float(row[term])
    return found


FORMS = {
    "logistic": ("lotka_volterra", "independent"),
    "predator_prey": ("lotka_volterra", "full"),
    "oscillator": ("linear", "full"),
    "lorenz": ("sindy", "full"),
}


@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.slow) if n == "lorenz" else n for n in LAWS])
def test_a_clean_trajectory_gives_its_law_exactly_in_the_simplest_family_that_holds_it(name):
    rhs, start, times, truth = LAWS[name]
    degree = {"predator_prey": 2, "oscillator": 2, "logistic": 3}.get(name)  # for speed; lorenz has the default
    found = ecodyn.best_law(solved(rhs, start, times), times, degree=degree, resamples=20)
    recovered = coefficients(found.model)
    assert set(recovered) == set(truth)
    for term, value in truth.items():
        assert recovered[term] == pytest.approx(value, rel=1e-4)
    assert (found.model.family, found.model.coupling) == FORMS[name]
    assert all(found.inclusion[term] == 1.0 for term in truth)
    assert found.candidates[0].unexplained < 1e-9
    assert "100 %" in found.confident


def noisy(share, seed=0):
    rhs, start, times, _ = LAWS["predator_prey"]
    x = solved(rhs, start, times)
    size = np.sqrt(np.mean((x - x[0]) ** 2, axis=0))
    return x + share * size * np.random.default_rng(seed).standard_normal(x.shape), times


@functools.cache
def found_in(share):
    return ecodyn.best_law(*noisy(share), degree=2, resamples=50)


def test_units_of_features_and_time_leave_the_terms_and_move_the_coefficients():
    x, times = noisy(0.02)
    units, hours = np.array([1e3, 0.02]), 60.0
    one = coefficients(found_in(0.02).model)
    other = coefficients(ecodyn.best_law(x * units, times * hours + 7.0, degree=2, resamples=1).model)
    assert set(one) == set(other)
    for (feature, term), value in one.items():
        powers = re.findall(r"x_(\d)(?:\*\*(\d))?", term)
        unit = np.prod([units[int(k) - 1] ** int(power or 1) for k, power in powers])
        factor = units[int(feature) - 1] / hours / unit
        assert other[feature, term] == pytest.approx(factor * value, rel=1e-5)


def test_a_law_of_noisy_data_holds_on_another_start():
    x, times = noisy(0.02)
    found = found_in(0.02)
    truth = solved(predator_prey, [5.0, 1.5], times)
    rollout = found.model.simulate(truth[0], times)
    assert rollout.ok.all()
    assert skill_of(truth, rollout.signal[0], times) > 0.99
    spread = np.sqrt(np.mean((x - solved(predator_prey, [8.0, 3.0], times)) ** 2, axis=0))
    np.testing.assert_allclose(list(found.noise.values()), spread, rtol=0.1)


def test_true_terms_are_in_more_of_the_resampled_laws_than_absent_ones():
    found = found_in(0.05)
    truth = set(LAWS["predator_prey"][3])
    assert all(0.0 <= share <= 1.0 for share in found.inclusion.values())
    absent = [share for term, share in found.inclusion.items() if term not in truth]
    assert absent
    assert min(found.inclusion[term] for term in truth) > max(absent)
    assert sum(c.chosen for c in found.candidates) <= 1.0 + 1e-12
    assert str(found).endswith(found.confident)
    assert len(found.to_dataframe()) == len(found.candidates)


def test_several_trajectories_are_one_law():
    runs = [solved(oscillator, start) for start in ([1.0, 0.0], [-0.5, 1.0])]
    found = ecodyn.best_law(ecodyn.Trajectories(runs, TIMES, ["x", "v"], labels_shared=True), degree=1, resamples=5)
    assert coefficients(found.model)["v", "x_x"] == pytest.approx(-2.0, rel=1e-5)
    assert "trajectories'" in found.confident


def test_bad_input_gets_a_sentence():
    x = solved(oscillator, [1.0, 0.5])
    with pytest.raises(ecodyn.UnusableDataError, match=r"at least 20 samples a run .* got 10 in the shortest"):
        ecodyn.best_law(x[:10], TIMES[:10])
    with (
        pytest.warns(ecodyn.DataWarning, match="constant throughout"),
        pytest.raises(ecodyn.UnusableDataError, match="features that move, got 2 constant: leave it out"),
    ):
        ecodyn.best_law(np.column_stack([x[:, 0], np.ones(len(x))]), TIMES)
    with pytest.raises(ecodyn.UnusableDataError, match="the same in every run, got 2 runs of 2 features without names"):
        ecodyn.best_law(ecodyn.Trajectories([x, x], TIMES))
    with pytest.raises(ValueError, match="resamples"):
        ecodyn.best_law(x, TIMES, resamples=0)
    with pytest.raises(ValueError, match="degree"):
        ecodyn.best_law(x, TIMES, degree=0)


def test_the_command_line_writes_a_law_that_simulate_takes(tmp_path):
    x = solved(oscillator, [1.0, 0.5])
    data, law, out = (str(tmp_path / name) for name in ("runs.csv", "law.json", "out.csv"))
    x = x[::2]
    ecodyn.Trajectories([x], TIMES[::2], ["x", "v"], labels_shared=True).save(data)
    done = CliRunner().invoke(app, ["fit", data, "--family", "auto", "-o", law])
    assert done.exit_code == 0, done.output
    assert "a linear law (full) was chosen in 100 %" in " ".join(done.output.split())
    assert CliRunner().invoke(app, ["simulate", law, "--from", data, "-o", out]).exit_code == 0
    rolled = ecodyn.load(out)
    np.testing.assert_allclose(rolled.values[0], x, atol=1e-4)
    refused = CliRunner().invoke(app, ["fit", data, "--family", "auto", "--coupling", "full"])
    assert refused.exit_code == 2
    assert "leave it out or name a family" in " ".join(refused.output.replace("│", " ").split())


def competition(x, y):
    return 0.5 * x * (1 - (x + 0.6 * y) / 50), 0.4 * y * (1 - (0.7 * x + y) / 50)


@pytest.mark.parametrize("seed", range(4))
def test_exact_laws_at_uneven_times(seed):
    """Four runs of 25 samples at random times, some of them a tenth of the whole apart."""
    rng = np.random.default_rng(seed)
    times = [np.r_[0.0, np.sort(rng.uniform(0.2, 40, 24))] for _ in range(4)]
    runs = [solved(competition, rng.uniform(2, 30, 2), t) for t in times]
    best = ecodyn.best_law(runs, times, resamples=5).candidates[0]
    assert (best.family, best.coupling, best.n_terms) == ("lotka_volterra", "full", 6)
    assert best.unexplained < 1e-9
