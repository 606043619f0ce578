"""Maps that see signals of steps before: known truths, the history that a rollout starts with, and what is refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm

import ecodyn
from ecodyn.equations.forms import lotka_volterra_library, polynomial_library
from ecodyn.equations.right_hand_side import BoundLibrary
from ecodyn.errors import UnusableDataError
from ecodyn.families import family, load_model
from ecodyn.trajectories import Trajectories, parse_state
from ecodyn.trajectories.state import fitted, moving, shifts

DELAYED = "signal,signal@-1"
STEP = 0.5
PROPAGATOR = expm(STEP * np.array([[0.0, 1.0], [-1.0, -0.1]]))
# Of Cayley and Hamilton: x(t + h) = tr(E) x(t) − det(E) x(t − h), of which the level 2 is the fixed point.
TRACE, DETERMINANT = np.trace(PROPAGATOR), np.linalg.det(PROPAGATOR)
OSCILLATOR = {"1": 2 * (1 - TRACE + DETERMINANT) / STEP, "x": (TRACE - 1) / STEP, "lag1": -DETERMINANT / STEP}


def oscillators(runs=4, steps=41, seed=0, **options):
    """Damped oscillators around 2, of which the position is measured: each needs its velocity, or a step before."""
    states = np.empty((runs, steps, 3, 2))
    states[:, 0] = np.random.default_rng(seed).normal(size=(runs, 3, 2))
    for n in range(1, steps):
        states[:, n] = states[:, n - 1] @ PROPAGATOR.T
    return Trajectories(states[..., 0] + 2.0, STEP * np.arange(steps), ["a", "b", "c"], **options)


def delayed_logistic(runs=4, steps=40, seed=1):
    """x(t + 1) = x(t) + x(t)(0.5 − 0.4 x(t − 1)) (Hutchinson's equation, stepped), from random pasts."""
    x = np.empty((runs, steps, 2))
    x[:, :2] = np.random.default_rng(seed).uniform(0.3, 1.5, (runs, 2, 2))
    for n in range(1, steps - 1):
        x[:, n + 1] = x[:, n] + x[:, n] * (0.5 - 0.4 * x[:, n - 1])
    return Trajectories(x, np.arange(steps))


def apart(data):
    """Runs to fit to, and one to score."""
    return data.select(runs=data.runs[:-1]), data.select(runs=data.runs[-1:])


def coefficients(law):
    return {name: column for name, column in zip(law.library.names(), law.coefficients.T, strict=True) if column.any()}


@pytest.mark.parametrize(
    ("coupling", "shared"),
    [("independent", False), ("full", True)],
)
def test_an_oscillator_seen_in_one_coordinate_is_found_from_a_step_before(coupling, shared):
    training, unseen = apart(oscillators(labels_shared=shared))
    law = ecodyn.Linear(coupling, DELAYED, dynamics="map").fit(training)
    plain = ecodyn.Linear(coupling, dynamics="map").fit(training)
    assert law.score(unseen) > 1 - 1e-9
    assert plain.score(unseen) < 0.9
    if coupling == "full":
        for row, (own, feature) in enumerate([("x_a", "a"), ("x_b", "b"), ("x_c", "c")]):
            found = {name: column[row] for name, column in coefficients(law.model_).items()}
            truth = {"1": OSCILLATOR["1"], own: OSCILLATOR["x"], f"lag1_{feature}": OSCILLATOR["lag1"]}
            assert {name: found[name] for name in truth} == pytest.approx(truth, abs=1e-8)
    else:
        found = coefficients(law.model_)
        for name, value in OSCILLATOR.items():
            np.testing.assert_allclose(found[name], value, atol=1e-8)


@pytest.mark.parametrize(
    ("law", "found"),
    [
        (ecodyn.LotkaVolterra("independent", DELAYED, dynamics="map"), {"x": 0.5, "x*lag1": -0.4}),
        (ecodyn.SINDy("independent", DELAYED, dynamics="map"), {"x": 0.5, "x*lag1": -0.4}),
    ],
)
def test_the_delayed_logistic_map_is_found(law, found):
    training, unseen = apart(delayed_logistic())
    law.fit(training)
    large = {name: c[0] for name, c in coefficients(law.model_).items() if abs(c[0]) > 1e-9}
    assert large == pytest.approx(found, abs=1e-8)
    assert law.score(unseen) > 1 - 1e-9
    assert law.model_.lines() == ["x(t + 1) - x(t) = 0.5*x - 0.4*x*lag1"] or isinstance(law, ecodyn.LotkaVolterra)


def test_a_formula_calls_delayed_signals_by_their_lag(tmp_path):
    training, unseen = apart(delayed_logistic())
    law = ecodyn.Formula("x*(r - a*lag1)", state=DELAYED, dynamics="map").fit(training)
    assert law.model_.parameters == pytest.approx({"r": 0.5, "a": 0.4}, abs=1e-8)
    assert law.score(unseen) > 1 - 1e-9
    law.model_.save(tmp_path / "law.json")
    start, steps = unseen.state(DELAYED)[:, 1], unseen.steps[1:]
    again = load_model(tmp_path / "law.json").simulate(start, steps)
    np.testing.assert_array_equal(again.values, law.model_.simulate(start, steps).values)


def test_a_rollout_starts_from_data_and_goes_on_from_its_own_past():
    data = delayed_logistic()
    law = ecodyn.Formula("x*(r - a*lag1 - b*lag2)", state="signal,signal@-1,signal@-2", dynamics="map").fit(data).model_
    start = data.state(law.state)[:, 2]
    np.testing.assert_array_equal(start[..., 2], data.values[:, 0])
    rollout = law.simulate(start, data.steps[2:]).values
    for lag in (1, 2):
        np.testing.assert_allclose(rollout[:, lag:, :, lag], rollout[:, :-lag, :, 0], rtol=1e-12)


def test_what_is_scored_of_a_law_begins_after_its_history():
    training, unseen = apart(delayed_logistic())
    law = ecodyn.LotkaVolterra("independent", DELAYED, dynamics="map").fit(training)
    assert law.warm_up_steps == law.model_.warm_up == 1
    moved = unseen.values.copy()
    moved[:, 2:] = 1.0  # what comes after the start has no say in the rollout
    pasts = [Trajectories(values, unseen.steps).state(DELAYED)[:, 1] for values in (moved, unseen.values)]
    rollouts = [law.simulate(past, unseen.steps[1:]) for past in pasts]
    np.testing.assert_array_equal(rollouts[0].values, rollouts[1].values)
    assert law.score(unseen.head([2 + 5])) > 1 - 1e-9


@pytest.mark.parametrize("library", [polynomial_library, lotka_volterra_library])
@pytest.mark.parametrize("coupling", ["independent", "exchangeable", "full"])
def test_linearised_increments_are_those_of_differences(library, coupling):
    channels = parse_state("signal,signal@-1,signal@-2")
    made = library(coupling, channels, ["a", "b", "c"])
    rng = np.random.default_rng(3)
    rows = 3 if coupling == "full" else 1
    law = BoundLibrary(made, rng.normal(size=(rows, len(made))), step=0.25)
    x, direction = rng.uniform(0.5, 1.5, (2, 3, 3)), rng.normal(size=(2, 3, 3, 1))
    times, size = np.zeros(2), 1e-6
    moved = size * direction[..., 0].swapaxes(1, 2)
    differences = (law.rhs(x + moved, times) - law.rhs(x - moved, times)) / (2 * size)
    found = law.sensitivity(x, times).jacobian_times(direction)[..., 0].swapaxes(1, 2)
    np.testing.assert_allclose(found, differences, atol=1e-7)


@settings(max_examples=25)
@given(st.integers(0, 6), st.booleans(), st.randoms())
def test_delays_in_any_order_are_one_shift(longest, trait, shuffled):
    beside = [f"signal@-{k}" for k in range(1, longest + 1)] + ["gradient@start"] * trait
    shuffled.shuffle(beside)
    channels = parse_state(",".join(["signal", *beside]))
    assert fitted(channels) == (0,)
    assert len(moving(channels)) == 1 + longest
    for channel, later in shifts(channels):
        ago = int(channels[channel].removeprefix("signal@-"))
        assert channels[later] == (f"signal@-{ago - 1}" if ago > 1 else "signal")
    assert len(shifts(channels)) == longest


def test_models_are_compared_from_the_same_step_on():
    data = oscillators(runs=5, steps=21)
    seen, plain = ecodyn.Linear("independent", DELAYED, dynamics="map"), ecodyn.Linear("independent")
    result = ecodyn.compare(data, families=[plain, seen], protocols=["unseen_runs"], folds=2)
    assert result.verdict.best.state == DELAYED
    assert result.settings["warm_up"] == 1
    assert "history of delayed signals" in result.verdict.statement
    assert "hidden" not in result.verdict.statement
    skills = {str(m.name): m.skill for m in result.models}
    assert skills["linear/independent (signal,signal@-1; map)"] > 1 - 1e-9 > 0.9 > skills["linear/independent"]


def test_known_inputs_go_with_delays():
    rng = np.random.default_rng(5)
    pushed = np.where(np.arange(41) < 20, 0.0, 1.0)
    x = np.empty((4, 41, 1))
    x[:, :2] = rng.normal(size=(4, 2, 1))
    for n in range(1, 40):
        x[:, n + 1] = x[:, n] - 0.5 * x[:, n] + 0.3 * x[:, n - 1] + 0.2 * pushed[n]
    runs = Trajectories(x, np.arange(41)).with_inputs(u=([0, 20], [0.0, 1.0]), kind="steps")
    training, unseen = apart(runs)
    law = ecodyn.Linear("independent", DELAYED, dynamics="map").fit(training)
    found = {name: float(c[0]) for name, c in coefficients(law.model_).items()}
    assert {k: found[k] for k in ("x", "lag1", "u")} == pytest.approx({"x": -0.5, "lag1": 0.3, "u": 0.2}, abs=1e-8)
    assert law.score(unseen) > 1 - 1e-9


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("signal,signal@-2", "none left out, such as 'signal,signal@-1,signal@-2'"),
        ("signal,signal@-1,signal@-3", "none left out"),
        ("signal,signal@-0", "none left out"),
        ("signal,gradient@-1", "delays of the signal"),
        ("signal,velocity,signal@-1", "leave one out"),
        ("signal,signal@-1,signal@-1", "twice"),
    ],
)
def test_a_state_that_can_not_be_shifted_is_refused(state, said):
    with pytest.raises(ValueError, match=said):
        ecodyn.Linear(state=state, dynamics="map").fit(oscillators())


@pytest.mark.parametrize("name", ["linear", "lotka_volterra", "sindy", "neural_ode", "linear_hidden", "share"])
def test_flows_of_delayed_signals_are_refused(name):
    with pytest.raises(ValueError, match=r"dynamics='map'|signal alone"):
        family(name)(state=DELAYED).fit(oscillators())


def test_what_has_no_history_is_refused():
    data = oscillators()
    law = ecodyn.Linear("independent", DELAYED, dynamics="map").fit(data)
    with pytest.raises(ValueError, match="no delayed signals"):
        law.simulate(data, data.steps)
    with pytest.raises(UnusableDataError, match="history"):
        law.score(data.head([1] * data.n_runs))
    with pytest.raises(UnusableDataError, match=r"at least 3 steps .* beside the 1 "):
        ecodyn.Linear("independent", DELAYED, dynamics="map").fit(data.head([3] * data.n_runs))
    with pytest.raises(ValueError, match="delayed signals"):
        law.model_.to_pysindy()
    with pytest.raises(ValueError, match="delayed signals"):
        ecodyn.flow_of_map(law.model_)
