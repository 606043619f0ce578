"""Hidden channels with a network: a known friction is found, where a linear law with hidden channels is wrong."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from ecodyn.errors import UnusableDataError
from ecodyn.estimation import Samples
from ecodyn.families import family, load_model
from ecodyn.families.configuration import Shooting
from ecodyn.formulas.residual_start import bounds_of_units, residual_starts
from ecodyn.trajectories import Trajectories

TRUTH = {"a": -1.0, "b": 0.2, "k": 0.0, "p1": 0.0, "q1": 0.0, "s1": -2.0, "u1": 0.6}


def friction(_, y):
    """Friction that saturates, ẍ = 0.2 − x − 0.6 tanh(2 ẋ): one unit of a network."""
    return [y[1], 0.2 - y[0] - 0.6 * np.tanh(2 * y[1])]


def rayleigh(_, y):
    return [y[1], -y[0] + 0.8 * (y[1] - y[1] ** 3 / 3)]


def seen(slope, runs, features, steps, duration, seed=0):
    """Positions (run, step, feature) from random starts."""
    t, rng = np.linspace(0.0, duration, steps), np.random.default_rng(seed)
    starts = 1.2 * rng.normal(size=(runs * features, 2))
    x = [solve_ivp(slope, (0.0, duration), y, t_eval=t, rtol=1e-10, atol=1e-12).y[0] for y in starts]
    return Trajectories(np.array(x).reshape(runs, features, steps).swapaxes(1, 2), t)


def test_starts_are_near_the_truth_and_within_bounds():
    samples, law = Samples.of(seen(friction, 3, 2, 61, 12.0)), family("residual_hidden")("independent", units=1)
    form = law.form(1)
    best, *_, linear = residual_starts(samples, form, 2, seed=0)
    grid = np.random.default_rng(1).uniform(-1, 1, (50, 2))
    truth = np.array([friction(0.0, y)[1] for y in grid])
    assert (
        np.abs(_right(best.parameters, grid) - truth).max()
        < 0.1
        < np.abs(_right(linear.parameters, grid) - truth).max()
    )
    for name, (low, high) in bounds_of_units(samples, form).items():
        assert low <= best.parameters[name] <= high
    assert best.hidden.shape == (3, 2, 1)


def _right(p, grid):
    x, v = grid.T
    return p["b"] + p["a"] * x + p["k"] * v + p["u1"] * np.tanh(p["p1"] + p["q1"] * x + p["s1"] * v)


@pytest.mark.filterwarnings("ignore::ecodyn.errors.DataWarning")  # of weights that can't be told one by one
def test_a_few_steps_are_enough_to_follow_it(tmp_path):
    data, few = seen(friction, 3, 1, 19, 7.0), Shooting(max_iterations=3, stages=(1.0,))
    law = family("residual_hidden")("independent", units=1, warm_up=4, searches=1, shooting=few)
    law.fit(data.select(runs=[0, 1]))
    assert law.score(data.select(runs=[2])) > 0.999
    law.model_.save(tmp_path / "law.json")
    rollouts = [
        model.simulate([[0.5]], [0.0, 3.0], hidden={"v": 0.1}).values
        for model in (load_model(tmp_path / "law.json"), law.model_)
    ]
    np.testing.assert_array_equal(*rollouts)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::ecodyn.errors.DataWarning")
def test_a_friction_that_saturates_is_found():
    data = seen(friction, 4, 1, 41, 12.0)
    law = family("residual_hidden")("independent", units=1, warm_up=5, searches=1).fit(data.select(runs=[0, 1, 2]))
    assert law.model_.parameters == pytest.approx(TRUTH, abs=1e-5)
    assert law.score(data.select(runs=[3])) > 1 - 1e-9


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::ecodyn.errors.DataWarning")
@pytest.mark.parametrize("coupling", ["independent", "exchangeable"])
def test_what_is_hidden_acts_nonlinearly(coupling):
    data = seen(rayleigh, 6, 2, 61, 12.0)
    training, unseen = data.select(runs=[0, 1, 2, 3]), data.select(runs=[4, 5])
    linear = family("linear_hidden")(coupling, warm_up=6, searches=1).fit(training)
    network = family("residual_hidden")(coupling, units=2, warm_up=6, searches=1).fit(training)
    assert network.score(unseen) > 0.99
    assert network.score(unseen) > linear.score(unseen) + 0.05


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"units": 0}, "units is 1 to"),
        ({"units": 7}, r"units is 1 to 6 with channels=1"),
        ({"coupling": "exchangeable", "channels": 2, "units": 4}, "units is 1 to 3"),
        ({"channels": 3}, "channels is 1 or 2"),
        ({"dynamics": "map"}, "dynamics is 'flow'"),
        ({"state": "signal,signal@-1"}, "signal"),
    ],
)
def test_what_can_not_be_fitted_is_refused(options, said):
    with pytest.raises(ValueError, match=said):
        family("residual_hidden")(**{"coupling": "independent", **options}).fit(seen(friction, 2, 1, 21, 3.0))


def test_runs_too_short_for_a_derivative_are_refused():
    with pytest.raises(UnusableDataError, match="at least 6 complete steps"):
        family("residual_hidden")("independent", warm_up=1).fit(seen(friction, 2, 1, 5, 1.0))


def test_the_units_are_those_of_the_equations():
    law = family("residual_hidden")("exchangeable", channels=2, units=2)
    names = {name for unit in law.form(2).units for name in unit} | set(law.form(2).linear)
    assert names == set(law.statement.every_parameter)
    assert law.statement.channels == ("signal", "v", "w")
