"""Systems that are written as text: their coefficients, their solutions, and what theory knows of some."""

import json

import numpy as np
import pytest

from ecodyn.equations.library import COUPLINGS
from ecodyn.equations.right_hand_side import BoundLibrary
from ecodyn.systems import GROUPS, LINEAR, LOTKA_VOLTERRA, NOT_POLYNOMIAL, SINDY, SYSTEMS, TUNED_ON, simulate
from ecodyn.systems.random_systems import unexplained
from ecodyn.systems.system import solve
from ecodyn.systems.written import Law, flow, units

WRITTEN = {name: SYSTEMS[name] for name in SYSTEMS if name not in TUNED_ON and not name.startswith("random_")}
every_system = pytest.mark.parametrize("system", WRITTEN.values(), ids=WRITTEN)
alone = {name: s for name, s in WRITTEN.items() if not (s.hidden or s.forced or s.delays)}
ROUGHLY = 1e-4  # relative error a step: what is asked below of solutions over the whole span does not need more


def drawn(system, runs=8):
    return np.array([system.start(np.random.default_rng([3, r])) for r in range(runs)])


def test_there_are_many_from_many_fields():
    assert len(SYSTEMS) >= 120
    assert len(WRITTEN) >= 80
    families = [s.family for s in WRITTEN.values()]
    assert all(families.count(family) >= 7 for family in (LINEAR, LOTKA_VOLTERRA, SINDY, NOT_POLYNOMIAL))
    for group, family in zip(list(GROUPS)[:4], (LINEAR, LOTKA_VOLTERRA, SINDY, NOT_POLYNOMIAL), strict=True):
        assert {WRITTEN[name].family for name in GROUPS[group] if name in WRITTEN} == {family}


@every_system
def test_says_what_it_is(system):
    assert system.coupling in COUPLINGS
    assert system.equation
    assert system.source
    assert (system.form is None) == (system.family == NOT_POLYNOMIAL)
    assert system.labels_shared == (system.coupling == "full")
    assert len(drawn(system, 1)[0]) == len(system.features) + len(system.hidden)
    told = json.loads(json.dumps(system.described()))
    assert told.get("hidden", []) == list(system.hidden)


@pytest.mark.parametrize("system", [s for s in WRITTEN.values() if s.form], ids=lambda s: s.name)
def test_true_coefficients_give_the_right_hand_side(system):
    x = np.concatenate([drawn(system), 1.3 * drawn(system) + 0.1])
    law = BoundLibrary(system.form.library(system.features), system.form.coefficients)
    rates = system(x)
    np.testing.assert_allclose(law(x[..., None])[..., 0], rates, rtol=0, atol=1e-12 * np.abs(rates).max())


@every_system
def test_runs_are_bounded_and_move_and_no_simpler_law_is_near(system):
    """Over the whole span, roughly solved; what equations with a delay do is seen in the slow test."""
    if system.delays or system.stiff:
        return
    x = solve(system, drawn(system, 4), np.linspace(0.0, system.duration, 41), ROUGHLY)
    moves = np.sqrt(np.mean((x - x[:, :1]) ** 2, axis=(0, 1)))
    assert np.isfinite(x).all()
    assert (moves > 0).all()
    if system.name in alone:
        states = x.reshape(-1, x.shape[-1])
        simpler = {LINEAR: (LOTKA_VOLTERRA,), LOTKA_VOLTERRA: (LINEAR,)}.get(system.family, (LINEAR, LOTKA_VOLTERRA))
        assert min(unexplained(system, family, states) for family in simpler) > 0.005


@pytest.mark.slow
@every_system
def test_simulates_without_oddities(system):
    data = simulate(system, runs=8, noise=0.05)  # warnings are errors here
    assert data.shape == (8, 201, len(system.features))
    assert not data.warnings
    x = simulate(system, runs=8).values
    moves = np.sqrt(np.mean((x - x[:, :1]) ** 2, axis=(1, 2)))
    assert moves.min() > 0.1 * np.median(moves)


@pytest.mark.slow
@every_system
def test_no_start_escapes(system):
    """Whatever seed a record takes: a flow may have starts from which it runs away, and none of them may be drawn."""
    if system.stiff:
        return
    x = solve(system, drawn(system, 300), np.array([0.0, system.duration / 2, system.duration]), ROUGHLY)
    assert np.isfinite(x).all()
    assert np.abs(x).max() < 30 * np.abs(x[:, 0]).max()


@pytest.mark.parametrize("name", ["chen", "lake", "daily_temperature"])
def test_seeds(name):
    one = simulate(SYSTEMS[name], runs=2, seed=7, samples=6).values
    more = simulate(SYSTEMS[name], runs=3, seed=7, samples=6).values
    np.testing.assert_allclose(more[:2], one, atol=1e-6 * np.abs(one).max())
    assert not np.allclose(simulate(SYSTEMS[name], runs=2, seed=8, samples=6).values, one)


# ---------------------------------------------------------------------------------- laws that theory knows


def energy_of_toda(x):
    a, b, p, q = x
    return (p**2 + q**2) / 2 + np.exp(a) + np.exp(b - a) + np.exp(-b)


INTEGRALS = {
    "henon_heiles": lambda x: (x[2] ** 2 + x[3] ** 2 + x[0] ** 2 + x[1] ** 2) / 2 + x[0] ** 2 * x[1] - x[1] ** 3 / 3,
    "rigid_body": lambda x: x[0] ** 2 + 2 * x[1] ** 2 + 3 * x[2] ** 2,
    "kepler": lambda x: (x[2] ** 2 + x[3] ** 2) / 2 - 1 / np.hypot(x[0], x[1]),
    "morse": lambda x: x[1] ** 2 / 2 + (1 - np.exp(-x[0])) ** 2,
    "toda": energy_of_toda,
    "hard_springs": lambda x: (
        (x[2] ** 2 + x[3] ** 2 + x[0] ** 2 + x[1] ** 2 + (x[1] - x[0]) ** 2) / 2
        + 0.2 * (x[0] ** 4 + x[1] ** 4 + (x[1] - x[0]) ** 4)
    ),
    "spring_pendulum": lambda x: (x[2] ** 2 + x[3] ** 2) / 2 + 3 * (np.hypot(x[0], x[1]) - 1) ** 2 + x[1],
    "growth_cycle": lambda x: 0.8 * x[1] - 0.6 * np.log(x[1]) + 0.7 * x[0] - 0.5 * np.log(x[0]),
    "sir": lambda x: x.sum(axis=0),
    "sis": lambda x: x.sum(axis=0),
    "seir": lambda x: x.sum(axis=0),
    "kermack_mckendrick": lambda x: x.sum(axis=0) - 0.4 / 1.2 * np.log(x[0]),
    "robertson": lambda x: x.sum(axis=0),
    "phase_oscillators": lambda x: x.mean(axis=0),
}


@pytest.mark.parametrize("name", INTEGRALS)
def test_keeps_what_it_should(name):
    system = SYSTEMS[name]
    times = np.linspace(0.0, system.duration / 4, 5)
    x = system.solve(drawn(system, 1 if system.stiff else 3), times)
    kept = INTEGRALS[name](np.moveaxis(x, -1, 0))
    np.testing.assert_allclose(kept, np.broadcast_to(kept[:, :1], kept.shape), rtol=1e-6, atol=1e-7)
    assert np.abs(x - x[:, :1]).max() > 0.01  # while it moves


@pytest.mark.parametrize(
    ("name", "state"),
    [
        ("chen", [np.sqrt(63), np.sqrt(63), 21.0]),  # ±√(b(2c − a)), 2c − a
        ("rikitake", [np.sqrt((5 + np.sqrt(41)) / 4), np.sqrt(4 / (5 + np.sqrt(41))), (5 + np.sqrt(41)) / 2]),
        ("schnakenberg", [0.8, 0.7 / 0.64]),  # a + b, b/(a + b)²
        ("selkov", [0.6, 0.6 / (0.08 + 0.36)]),
        ("lengyel_epstein", [2.0, 5.0]),  # a/5, 1 + (a/5)²
        ("chemostat", [0.25, 1.75]),  # K D/(m − D)
        ("malaria", [(1.2 * 0.9 - 0.15) / (0.9 * 1.5), (1.2 * 0.9 - 0.15) / (1.2 * 1.4)]),
        ("sirs", [0.25, 0.2, 0.5]),  # g/b, and w R = g I
        ("arms_race", [0.81 / 0.27, 0.81 / 0.27]),
        ("vegetation", [0.5 / ((1.4 + np.sqrt(0.96)) / 1.0), (1.4 + np.sqrt(0.96)) / 1.0]),
        ("lorenz_96", [8.0] * 5),
    ],
)
def test_equilibria(name, state):
    system = SYSTEMS[name]
    assert np.abs(system(np.array([state]))).max() < 1e-12 * np.abs(system(drawn(system))).max()


def test_closed_forms():
    times = np.linspace(0.0, 3.0, 7)

    def check(name, solution):
        x0 = drawn(SYSTEMS[name], 3)
        x = SYSTEMS[name].solve(x0, times)[..., 0]
        np.testing.assert_allclose(x, solution(*x0[:, :, None].swapaxes(0, 1), times), atol=1e-7)

    def driven(x, *rest):
        t, k, amplitude, w = rest[-1], 0.8, 2.0, 1.5
        steady = amplitude * k * (k * np.sin(w * t) - w * np.cos(w * t)) / (k**2 + w**2)
        return steady + (x + amplitude * k * w / (k**2 + w**2)) * np.exp(-k * t)

    def damped(x, v, t):
        w = np.sqrt(1 - 0.15**2)
        return np.exp(-0.15 * t) * (x * np.cos(w * t) + (v + 0.15 * x) / w * np.sin(w * t))

    check("daily_temperature", driven)
    check("position_only", damped)
    check("decay_chain", lambda a, b, c, t: a * np.exp(-1.2 * t))


chaotic = [s for s in WRITTEN.values() if s.lyapunov_time is not None]


def test_chaotic_runs_last_two_lyapunov_times_at_most():
    assert len(chaotic) >= 15
    assert all(s.duration <= 2 * s.lyapunov_time for s in chaotic)


@pytest.mark.slow
@pytest.mark.parametrize("system", chaotic, ids=lambda s: s.name)
def test_lyapunov_times(system):
    """Nearby states run apart at the stated rate, averaged along the attractor (Benettin et al. 1980)."""
    runs, size, laps, lap = 40, 1e-6, 12, system.lyapunov_time
    rng = np.random.default_rng(0)
    x = solve(system, drawn(system, runs), np.array([0.0, 5 * system.lyapunov_time]), 1e-6)[:, -1]
    apart = rng.standard_normal(x.shape)
    growth = []
    for _ in range(laps):
        apart *= size / np.linalg.norm(apart, axis=1, keepdims=True)
        both = solve(system, np.concatenate([x, x + apart]), np.array([0.0, lap]), 1e-8)[:, -1]
        x, apart = both[:runs], both[runs:] - both[:runs]
        growth.append(np.log(np.linalg.norm(apart, axis=1) / size).mean())
    assert np.mean(growth[2:]) == pytest.approx(1.0, rel=0.25)


def test_what_is_hidden_is_simulated_and_not_seen():
    system = SYSTEMS["seir_unseen_s"]
    data = simulate(system, runs=2, samples=6)
    whole = SYSTEMS["seir"]
    x0 = drawn(system, 2)
    times = np.linspace(0.0, 5.0, 6)
    same = whole.solve(x0[:, [2, 3, 0, 1]], times)[..., 2:]
    np.testing.assert_allclose(system.solve(x0, times)[..., :2], same, atol=1e-7)
    assert data.features.tolist() == ["I", "R"]
    assert data.provenance["hidden"] == ["S", "E"]


def test_a_thermostat_switches_within_its_band():
    system = SYSTEMS["thermostat"]
    x = system.solve(np.array([[1.0, 0.9]]), np.linspace(0.0, 3.0, 151))[0, 50:, 0]
    assert 0.7 < x.min() < 0.8
    assert 1.2 < x.max() < 1.3
    assert np.count_nonzero(np.diff(np.sign(x - 1.0))) >= 2


def test_a_driven_system_asks_for_the_time():
    system = SYSTEMS["driven_duffing"]
    assert system(np.zeros((1, 2)), 0.0).tolist() == [[0.0, 0.5]]
    with pytest.raises(ValueError, match="depends on the time t"):
        system(np.zeros((1, 2)))


# ------------------------------------------------------------------------------------------- from the text


@pytest.mark.parametrize(
    ("text", "family", "degree"),
    [
        ("x' = a*(x - y) + 1; y' = 2*x; a = 3", LINEAR, None),
        ("x' = x*(1 - y) - x**2; y' = -y", LOTKA_VOLTERRA, None),
        ("x' = x*y; y' = -x*x", SINDY, None),
        ("x' = (x + y)**3 - x; y' = x", SINDY, 3),
        ("x' = x*x/(1 + y); y' = x", NOT_POLYNOMIAL, None),
        ("x' = y; y' = -x + sin(t)", NOT_POLYNOMIAL, None),
        ("x' = -past(x, 2); y' = x", NOT_POLYNOMIAL, None),
        ("x' = g; y' = x; g = k*x*y; k = 2", SINDY, None),
    ],
)
def test_the_simplest_family_is_found(text, family, degree):
    system = flow("any", text, "any", ((0, 1), (0, 1)), 1.0)
    assert (system.family, system.degree) == (family, degree)


@pytest.mark.parametrize(
    ("text", "family", "coupling", "degree"),
    [
        ("x' = a - x; a = 2", LINEAR, "independent", None),
        ("x' = x - mean(x)", LINEAR, "exchangeable", None),
        ("x' = x*(1 - mean(x))", LOTKA_VOLTERRA, "exchangeable", None),
        ("x' = x - mean(x**2)", SINDY, "exchangeable", None),
        ("x' = x*mean(x**2) - x**4", SINDY, "exchangeable", 4),
        ("x' = tanh(x)", NOT_POLYNOMIAL, "independent", None),
    ],
)
def test_of_equal_units_too(text, family, coupling, degree):
    system = units("any", text, "any", 3, (0, 1), 1.0)
    assert (system.family, system.coupling, system.degree) == (family, coupling, degree)
    if system.form is not None:
        x = drawn(system)
        law = BoundLibrary(system.form.library(system.features), system.form.coefficients)
        np.testing.assert_allclose(law(x[..., None])[..., 0], system(x), atol=1e-13)


def test_a_law_says_its_parameters_delays_and_equation():
    law = Law.read("x' = -k*past(x, 2*tau) + f; f = sin(t); k = 0.5; tau = 1.5")
    assert law.parameters == {"k": 0.5, "tau": 1.5}
    assert (law.delays, law.forced) == ((3.0,), True)
    assert law.equation == "x' = -k*past(x, 2*tau) + f; f = sin(t)"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x' = a*x", "got none of a"),
        ("x' = x; x' = 2", 'second one of "x\'"'),
        ("x' = x; x = 2", "second one of 'x'"),
        ("x' = t; t = 2", "second one of 't'"),
        ("x' = x + f; f = y*x", "got none of y"),
    ],
)
def test_a_text_with_a_gap_or_a_double_is_refused(text, message):
    with pytest.raises(ValueError, match=message):
        Law.read(text)
