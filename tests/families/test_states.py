"""Laws of states with more channels than the signal."""

import numpy as np
import pytest

from ecodyn import Linear, LotkaVolterra, compare
from ecodyn.equations.right_hand_side import BoundLibrary
from ecodyn.errors import DataWarning, UnusableDataError
from ecodyn.trajectories import Trajectories

STIFFNESS, FRICTION = 0.04, 0.03


@pytest.fixture(scope="module")
def oscillators(solve):
    """Runs of ẍ = −kx − cẋ, with the steps before the window that a velocity is told from."""

    def make(runs=4, features=3, seed=0, step=0.25):
        rng = np.random.default_rng(seed)
        times = np.arange(0.0, 40.0 + step / 2, step)  # steps are powers of two, so that the ends are exact
        values = []
        for _ in range(runs):
            start = rng.uniform(-1, 1, 2 * features)
            path = solve(
                lambda t, y: np.concatenate([y[features:], -STIFFNESS * y[:features] - FRICTION * y[features:]]),
                start,
                times,
            )
            values.append(path[:, :features])
        return Trajectories(np.array(values), times).window(2.0, 40.0)

    return make


@pytest.mark.parametrize(
    ("coupling", "per_feature"), [("independent", False), ("independent", True), ("exchangeable", False)]
)
def test_a_damped_oscillator_is_recovered(oscillators, coupling, per_feature):
    """Up to the lag of the velocity, a step and a half of what is stored: the more is stored, the less."""
    data = oscillators(step=1 / 16)
    law = Linear(coupling, "signal,velocity", per_feature=per_feature).fit_model(data)
    names = law.library.names()
    k, c = (-law.coefficients[:, names.index(n)] for n in ("x", "velocity"))
    np.testing.assert_allclose(k, STIFFNESS, rtol=0.05)
    np.testing.assert_allclose(c, FRICTION, rtol=0.05)
    others = np.delete(law.coefficients, [names.index("x"), names.index("velocity")], axis=1)
    assert np.abs(others).max() < 0.05 * STIFFNESS


def test_the_lag_of_the_velocity_vanishes_with_the_step(oscillators):
    errors = []
    for step in (1.0, 0.25):
        law = Linear("independent", "signal,velocity").fit_model(oscillators(step=step))
        friction = -law.coefficients[0, law.library.names().index("velocity")]
        errors.append(abs(friction / FRICTION - 1))
    assert errors[1] < 0.5 * errors[0]


def test_an_oscillator_needs_the_velocity(oscillators):
    unseen = oscillators(seed=9)
    still = np.mean((unseen.values - unseen.values[:, :1]) ** 2)
    unexplained = {}
    for state in ("signal", "signal,velocity"):
        law = Linear("independent", state).fit_model(oscillators())
        rollout = law.simulate(unseen.state(state)[:, 0], unseen.times)
        assert rollout.ok.all()
        unexplained[state] = np.mean((rollout.signal - unseen.values) ** 2) / still
    assert unexplained["signal,velocity"] < 0.05 < unexplained["signal"]


@pytest.mark.parametrize("family", [Linear, LotkaVolterra])
@pytest.mark.parametrize("coupling", ["independent", "exchangeable"])
def test_a_trait_without_coefficients_changes_nothing(competing_runs, family, coupling):
    data = competing_runs(steps=21)
    plain = family(coupling).fit_model(data)
    law = family(coupling, "signal,gradient@start").fit_model(data)
    theta = np.zeros_like(law.coefficients)
    for name, value in zip(plain.library.names(), plain.coefficients[0], strict=True):
        theta[0, law.library.names().index(name)] = value
    x = data.state("signal,gradient@start")[:, 0]
    slopes = BoundLibrary(law.library, theta).rhs(x, np.zeros(len(x)))
    np.testing.assert_array_equal(slopes[..., :1], plain.rhs(x[..., :1], np.zeros(len(x))))


def test_two_channels_that_compete_are_recovered(solve):
    """ẋ = x(r + a x + b g), ġ = g(r' + a' x + b' g): each equation has its own coefficients."""
    truth = np.array([[0.10, -0.05, -0.04], [0.06, -0.02, -0.05]])
    rng, times = np.random.default_rng(0), np.arange(0.0, 41.0)
    paths = []
    for _ in range(4):
        start = rng.uniform(0.2, 2.0, (2, 3))

        def slope(t, y):
            x, g = y.reshape(2, 3)
            return np.concatenate([y * (r + a * x + b * g) for y, (r, a, b) in zip((x, g), truth, strict=True)])

        paths.append(solve(slope, start.ravel(), times).reshape(-1, 2, 3))
    paths = np.array(paths)
    data = Trajectories(paths[:, :, 0], times, observables={"gradient": paths[:, :, 1]})
    law = LotkaVolterra("independent", "signal,gradient").fit_model(data)
    assert law.library_size == 6
    names = law.library.names()
    found = [
        [law.coefficients[e, names.index(n)] for n in terms]
        for e, terms in enumerate((("x", "x**2", "x*gradient"), ("gradient", "x*gradient", "gradient**2")))
    ]
    np.testing.assert_allclose(found, truth, rtol=0.01)
    rollout = law.simulate(data.state(law.state)[:, 0], times)
    np.testing.assert_allclose(rollout.values, data.state(law.state), atol=0.01)


def test_a_velocity_told_by_what_follows_is_said_and_never_scored(competing_runs):
    data = competing_runs(steps=21)
    with pytest.warns(DataWarning, match="no stored step before"):
        Linear(state="signal,velocity").fit(data)
    with pytest.raises(UnusableDataError, match="3 stored steps later"):
        compare(data, ["linear"], ["independent"], state="signal,velocity", protocols=["unseen_runs"])
    later = data.window(3, 20)
    Linear(state="signal,velocity").fit(later)
    result = compare(later, ["linear"], ["independent"], state="signal,velocity", protocols=["unseen_runs", "forecast"])
    assert {m.protocol for m in result.models if m.state == "signal,velocity"} >= {"unseen_runs", "forecast"}


def test_a_missing_observable_is_refused_before_the_fit(linear_runs):
    with pytest.raises(UnusableDataError, match="needs banana, the data have signal"):
        Linear(state="signal,banana").fit(linear_runs())
