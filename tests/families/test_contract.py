"""What every registered family owes its users, whatever its equations."""

import dataclasses
import functools
import re

import numpy as np
import pytest
import sympy
from sklearn.base import clone

from ecodyn.errors import OutputExistsError
from ecodyn.families import REGISTRY, family, load_model
from ecodyn.families.law import Law
from ecodyn.families.side_by_side import simulate_all
from ecodyn.trajectories import Trajectories

STATES = ("signal", "signal,gradient@start", "signal,gradient", "signal,velocity")
# Enough to be a fit; families registered from elsewhere run with their defaults.
FAST = {
    "sindy": {"thresholds": 4},
    "neural_ode": {
        "hidden": 4,
        "means": 1,
        "starts": 1,
        "matching_steps": 15,
        "rollout_steps": 4,
        "intervals": 6,
        "prior": 1e-4,
    },
}
CASES = [(name, coupling) for name in REGISTRY for coupling in family(name).couplings]
LAWS = [case for case in CASES if case[0] != "neural_ode"]
SYMMETRIC = [case for case in CASES if case[1] != "full"]
every_case = pytest.mark.parametrize(("name", "coupling"), CASES)
every_law = pytest.mark.parametrize(("name", "coupling"), LAWS)
every_state = pytest.mark.parametrize("state", STATES)


def estimator(name, coupling, state="signal", **more):
    fast = FAST.get(name, {})
    if name == "sindy" and state != "signal":
        fast = {**fast, "degree": 2}  # of degree 3 in two channels and their means there are dozens of terms
    return family(name)(coupling, state, **{**fast, **more})


@pytest.fixture(scope="module")
def fitted(competing_runs):
    """Models by family, coupling and state, each fitted once."""
    data = competing_runs(steps=31)

    @functools.cache
    def fit(name, coupling, state="signal", clock=False):
        return estimator(name, coupling, state).fit_model(data, clock=clock)

    fit.data = data
    return fit


def rolled(model, data):
    return model.simulate(data.state(model.state)[:, 0], data.times)


def same(actual, expected, tolerance):
    assert actual.status == expected.status
    scale = np.nanmax(np.abs(expected.values))
    np.testing.assert_allclose(actual.values, expected.values, rtol=0, atol=tolerance * scale)


# ---------------------------------------------------------------------- fitting


@every_case
@pytest.mark.usefixtures("quiet")  # a network's training is cut short
def test_fit_returns_itself_with_a_frozen_model(competing_runs, name, coupling):
    law = estimator(name, coupling)
    assert law.fit(competing_runs(steps=21)) is law
    assert law.n_features_in_ == 4
    assert (law.model_.family, law.model_.coupling) == (name, coupling)
    assert law.model_.n_coefficients <= law.model_.library_size
    with pytest.raises(dataclasses.FrozenInstanceError):
        law.model_.amplitude = 0.0


@every_case
@every_state
def test_rollouts_have_a_status_and_the_shape_asked_for(fitted, name, coupling, state):
    model, data = fitted(name, coupling, state), fitted.data
    rollout = rolled(model, data)
    channels = len(state.split(","))
    assert rollout.values.shape == (*data.shape, channels)
    assert len(rollout.status) == data.n_runs
    assert np.isfinite(rollout.values[rollout.ok]).all()
    np.testing.assert_array_equal(rollout.values[:, 0], data.state(state)[:, 0])
    if state.endswith("@start"):  # traits stand still
        np.testing.assert_array_equal(
            rollout.values[rollout.ok, :, :, 1:], np.repeat(rollout.values[rollout.ok, :1, :, 1:], 31, 1)
        )


@every_case
def test_a_fit_explains_the_data_it_was_made_on(fitted, name, coupling):
    rollout = rolled(fitted(name, coupling), fitted.data)
    assert rollout.ok.all()
    truth = fitted.data.values
    error = np.mean((rollout.signal - truth) ** 2) / np.mean((truth - truth[:, :1]) ** 2)
    assert error < (0.6 if name == "neural_ode" else 0.1), error


@every_case
def test_clone_and_parameters(name, coupling):
    law = estimator(name, coupling, STATES[1])
    copy = clone(law)
    assert copy is not law
    assert copy.get_params() == law.get_params()
    assert not hasattr(copy, "model_")
    assert copy.set_params(state="signal").state == "signal"
    assert law.state == STATES[1]
    assert name.replace("_", "") in repr(law).lower()
    assert "<" in law._repr_html_()


@every_case
@pytest.mark.usefixtures("quiet")
def test_refitting_leaves_the_older_model_as_it_was(competing_runs, name, coupling):
    first, second = competing_runs(steps=21), competing_runs(steps=21, seed=1)
    law = estimator(name, coupling).fit(first)
    model = law.model_
    before = rolled(model, first)
    law.fit(second)
    assert law.model_ is not model
    after = rolled(model, first)
    np.testing.assert_array_equal(after.values, before.values)


@every_case
@pytest.mark.usefixtures("quiet")
def test_the_data_are_left_as_they_were(competing_runs, name, coupling):
    data = competing_runs(steps=21)
    array = data.values[0].copy()
    untouched = array.copy()
    estimator(name, coupling).fit([array, array[:15] * 1.1])
    np.testing.assert_array_equal(array, untouched)
    estimator(name, coupling).fit(data)
    assert data == competing_runs(steps=21)


@every_case
def test_many_training_sets_are_fitted_as_one_by_one(competing_runs, name, coupling):
    sets = [competing_runs(steps=21, seed=seed) for seed in (0, 1)]
    for model, training in zip(estimator(name, coupling).fit_models(sets), sets, strict=True):
        same(rolled(model, training), rolled(estimator(name, coupling).fit_model(training), training), 1e-4)


@every_case
def test_rolled_out_together_is_as_each_alone(competing_runs, name, coupling):
    """To the last digit: what a fold scores must not depend on the folds beside it."""
    sets = [competing_runs(steps=21, seed=seed) for seed in (0, 1, 2)]
    models = estimator(name, coupling).fit_models(sets)
    starts = [data.state(models[0].state)[: 1 + n, 0] for n, data in enumerate(sets)]
    times = [data.times[: 1 + n, : 21 - 4 * n] for n, data in enumerate(sets)]
    for model, x0, t, together in zip(models, starts, times, simulate_all(models, starts, times), strict=True):
        alone = simulate_all([model], [x0], [t])[0]
        np.testing.assert_array_equal(together.values, alone.values)
        assert together.status == alone.status
        same(together, model.simulate(x0, t), 1e-7)


@every_case
def test_provenance_says_how_it_was_made(fitted, name, coupling):
    provenance = fitted(name, coupling).provenance
    assert provenance["estimator"] == family(name).__name__
    assert provenance["parameters"]["coupling"] == coupling
    assert provenance["window"] == [0.0, 30.0]
    assert provenance["runs"] == [0, 1, 2, 3, 4]


# ---------------------------------------------------------------------- starting states


@every_case
def test_starting_states_may_be_given_plainly(fitted, name, coupling):
    model, x0 = fitted(name, coupling), fitted.data.values[0, 0]
    one = model.simulate(x0, np.arange(5.0))
    for given in (x0.tolist(), x0[None], x0[None, :, None]):
        np.testing.assert_array_equal(model.simulate(given, np.arange(5.0)).values, one.values)


@every_case
def test_starting_states_of_the_wrong_shape_are_refused(fitted, name, coupling):
    for wrong in (np.ones(3), np.ones((2, 5)), np.ones((4, 2, 1)), np.ones((1, 4, 2)), 1.0):
        with pytest.raises(ValueError, match=r"expected starting states of shape .*4 features, 1 channels"):
            fitted(name, coupling).simulate(wrong, np.arange(5.0))


@every_case
def test_a_start_far_from_the_data_ends_with_a_status(fitted, name, coupling):
    starts = np.array([np.full(4, 1e9), np.full(4, -1e9), np.full(4, np.nan), np.zeros(4)])
    rollout = fitted(name, coupling).simulate(starts, np.linspace(0, 300, 7), max_evaluations=3000)
    assert rollout.status[2].startswith("not finite")
    assert all(s == "ok" or " at t=" in s for s in rollout.status)


# ---------------------------------------------------------------------- files


@every_case
@every_state
def test_saved_and_loaded_it_rolls_out_identically(tmp_path, fitted, name, coupling, state):
    model = fitted(name, coupling, state)
    model.save(tmp_path / "model.json")
    loaded = load_model(tmp_path / "model.json")
    assert type(loaded) is type(model)
    np.testing.assert_array_equal(rolled(loaded, fitted.data).values, rolled(model, fitted.data).values)
    for attribute in ("family", "coupling", "channels", "features", "amplitude", "n_coefficients", "library_size"):
        assert getattr(loaded, attribute) == getattr(model, attribute)
    assert [str(e) for e in loaded.equations()] == [str(e) for e in model.equations()]
    assert loaded.to_latex() == model.to_latex()
    assert loaded.provenance == dict(model.provenance)


@every_state
@pytest.mark.parametrize("name", REGISTRY)
def test_a_clock_saved_and_loaded_rolls_out_identically(tmp_path, fitted, name, state):
    model = fitted(name, "exchangeable", state, clock=True)
    assert model.drive is not None
    model.save(tmp_path / "clock.json")
    loaded = load_model(tmp_path / "clock.json")
    rollout = rolled(model, fitted.data)
    assert rollout.ok.any()
    np.testing.assert_array_equal(rolled(loaded, fitted.data).values, rollout.values)


@every_case
def test_an_existing_model_file_is_not_written_over(tmp_path, fitted, name, coupling):
    path = tmp_path / "model.json"
    fitted(name, coupling).save(path)
    written = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    with pytest.raises(OutputExistsError):
        fitted(name, "independent", STATES[1]).save(path)
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == written
    fitted(name, "independent", STATES[1]).save(path, force=True)
    assert load_model(path).state == STATES[1]


# ---------------------------------------------------------------------- printing


def meaning(symbol, x, channels, features):
    """Value of a printed symbol at states (batch, feature, channel), read from its name alone."""
    letters = {("x" if c == "signal" else c.replace("@", "_")): i for i, c in enumerate(channels)}
    if symbol in letters:
        return x[..., letters[symbol]]
    if symbol.startswith("mean_"):
        product = 1.0
        for letter, power in re.findall(rf"({'|'.join(letters)})(\d*)", symbol.removeprefix("mean_")):
            product = product * x[..., letters[letter]] ** int(power or 1)
        return product.mean(axis=1, keepdims=True) + 0 * x[..., 0]
    letter, _, label = symbol.rpartition("_")
    return x[:, [[str(f) for f in features].index(label)], letters[letter]] + 0 * x[..., 0]


@every_law
@every_state
def test_what_is_printed_is_what_is_simulated(fitted, name, coupling, state):
    model = fitted(name, coupling, state)
    x = np.random.default_rng(0).uniform(-0.5, 1.5, (7, 4, len(model.channels)))
    slopes = model.rhs(x, np.zeros(7))
    equations = model.equations()
    groups = 4 if coupling == "full" else 1
    moving = [c for c, channel in enumerate(model.channels) if not channel.endswith("@start")]
    assert len(equations) == groups * len(moving)
    for place, equation in enumerate(equations):
        channel, i = moving[place // groups], place % groups
        expected = slopes[..., channel]
        symbols = sorted(equation.rhs.free_symbols, key=str)
        values = [meaning(s.name, x, model.channels, model.features) for s in symbols]
        if coupling == "full":
            values = [v[:, i] for v in values]
        found = sympy.lambdify(symbols, equation.rhs, "numpy")(*values)
        wanted = expected[:, i] if coupling == "full" else expected
        np.testing.assert_allclose(
            np.broadcast_to(found, wanted.shape), wanted, rtol=0, atol=1e-12 * np.abs(expected).max()
        )


@pytest.mark.parametrize("coupling", ["independent", "full"])
@pytest.mark.parametrize("name", dict(LAWS))
def test_each_feature_of_a_per_feature_law_is_printed(linear_runs, name, coupling):
    data = linear_runs(steps=31, labels_shared=True, features=3)
    model = estimator(name, coupling).fit_model(data)
    equations = model.equations()
    assert [str(e.lhs) for e in equations] == [f"Derivative(x_{k}, t)" for k in (1, 2, 3)]
    x = np.random.default_rng(0).uniform(0.5, 1.5, (1, 3, 1))
    values = {sympy.Symbol(f"x_{k}"): x[0, k - 1, 0] for k in (1, 2, 3)}
    for equation, expected in zip(equations, model.rhs(x, np.zeros(1))[0, :, 0], strict=True):
        assert float(equation.rhs.subs(values)) == pytest.approx(expected, rel=1e-10)


@every_case
@every_state
def test_latex_and_equations_are_not_empty(fitted, name, coupling, state):
    model = fitted(name, coupling, state)
    assert r"\dot{" in model.to_latex()
    assert all(isinstance(e, sympy.Eq) for e in model.equations())


# ---------------------------------------------------------------------- laws of the fits


@pytest.mark.parametrize(("name", "coupling"), SYMMETRIC)
def test_permuting_features_permutes_the_rollouts(competing_runs, fitted, name, coupling):
    order = [2, 0, 3, 1]
    permuted = competing_runs(steps=31, permute=order)
    rollout = rolled(estimator(name, coupling).fit_model(permuted), permuted)
    expected = rolled(fitted(name, coupling), fitted.data)
    expected = dataclasses.replace(expected, values=expected.values[:, :, order])
    same(rollout, expected, 1e-4 if name == "neural_ode" else 1e-9)


@every_case
@pytest.mark.parametrize(("signal", "time"), [(100.0, 7.0), (1e-3, 0.01)])
def test_other_units_are_the_same_fit(fitted, name, coupling, signal, time):
    data = fitted.data
    other = Trajectories(signal * data.values, time * data.times[0])
    rollout = rolled(estimator(name, coupling).fit_model(other), other)
    expected = rolled(fitted(name, coupling), data)
    expected = dataclasses.replace(expected, values=signal * expected.values)
    same(rollout, expected, 2e-3)


@pytest.mark.parametrize("name", REGISTRY)
def test_a_clock_is_its_family_where_the_mean_is_the_same_in_all_runs(competing_runs, name):
    """Runs that are permutations of one another share the mean curve, so nothing is lost by driving with it."""
    one = competing_runs(runs=1, steps=31)
    orders = [np.roll(np.arange(4), k) for k in range(4)]
    data = Trajectories(np.concatenate([one.values[:, :, order] for order in orders]), one.times[0])
    law = estimator(name, "exchangeable")
    driven, coupled = (rolled(law.fit_model(data, clock=clock), data) for clock in (True, False))
    assert driven.ok.all()
    same(driven, coupled, 0.2 if name == "neural_ode" else 1e-3)


@pytest.mark.parametrize(
    ("name", "coupling", "truth", "unexplained"),
    [
        ("linear", "exchangeable", "linear_runs", 1e-6),
        ("linear", "full", "linear_runs", 1e-3),
        ("lotka_volterra", "exchangeable", "competing_runs", 1e-6),
        ("lotka_volterra", "full", "competing_runs", 1e-3),
        ("sindy", "exchangeable", "competing_runs", 1e-3),
        ("sindy", "full", "competing_runs", 0.05),
    ],
)
def test_families_that_contain_the_truth_predict_unseen_runs(request, name, coupling, truth, unexplained):
    make = request.getfixturevalue(truth)
    unseen = make(runs=3, seed=99)
    rollout = rolled(estimator(name, coupling).fit_model(make(runs=8)), unseen)
    assert rollout.ok.all()
    error = np.mean((rollout.signal - unseen.values) ** 2)
    assert error < unexplained * np.mean((unseen.values - unseen.values[:, :1]) ** 2)


def test_loaded_laws_are_laws(fitted):
    assert isinstance(fitted("linear", "full"), Law)
    A = fitted("linear", "full").interactions()
    np.testing.assert_array_equal(A, fitted("linear", "full").coefficients[:, 1:])
    with pytest.raises(ValueError, match="full linear or lotka_volterra"):
        fitted("linear", "exchangeable").interactions()


def test_a_network_is_saved_whole_or_refused(tmp_path, linear_runs):
    """Its weights stand beside it: neither file may be replaced unasked, nor written without the other."""
    model = estimator("neural_ode", "exchangeable").fit_model(linear_runs(steps=31))
    path = tmp_path / "law.json"
    path.with_suffix(".safetensors").write_bytes(b"somebody's")
    with pytest.raises(FileExistsError):
        model.save(path)
    assert [p.name for p in tmp_path.iterdir()] == ["law.safetensors"]
    model.save(path, force=True)
    path.with_suffix(".safetensors").unlink()
    with pytest.raises(FileExistsError):
        model.save(path)
    assert [p.name for p in tmp_path.iterdir()] == ["law.json"]
    with pytest.raises(ValueError, match="json"):
        model.save(tmp_path / "law.safetensors")
