"""predict, score, print and names: what scikit-learn's and PySINDy's users expect of something fitted."""

import io

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.exceptions import NotFittedError

from ecodyn import DataWarning, Linear, LotkaVolterra, SINDy, Trajectories, UnusableDataError
from ecodyn.comparison.scores import score_rollout
from ecodyn.families import NeuralODE, Shooting

STEPS = np.arange(40.0)
QUICK = Shooting(refine=False)


def decays(rate=0.1, starts=(1.0, 2.0, 4.0), steps=STEPS):
    return np.exp(-rate * np.asarray(steps))[:, None] * np.asarray(starts)


@pytest.fixture(scope="module")
def decay():
    return Linear(coupling="independent", shooting=QUICK).fit(decays())


# ---------------------------------------------------------------------------------------------------------- predict


def test_predictions_are_rollouts(decay):
    times = [0.0, 3.0, 10.0]
    expected = decay.model_.simulate([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], times).signal
    np.testing.assert_array_equal(decay.predict([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], times), expected)
    np.testing.assert_array_equal(decay.predict([1.0, 2.0, 3.0], times), expected[0])
    np.testing.assert_allclose(decay.predict([1.0, 2.0, 3.0], 10.0), expected[0, -1], rtol=1e-7)


def test_without_times_a_prediction_is_one_unit_ahead(decay):
    states = decays()
    np.testing.assert_allclose(decay.predict(states[:-1]), states[1:], rtol=1e-5)


def test_without_times_a_map_goes_one_of_its_steps():
    states = decays(steps=STEPS * 5)
    law = Linear(coupling="independent", dynamics="map", shooting=QUICK).fit(states, t=STEPS * 5)
    np.testing.assert_allclose(law.predict(states[:-1]), states[1:], atol=1e-5)  # what the ridge moves


def test_predictions_go_on_from_where_they_end(decay):
    """A flow: going 3 and then 4 is going 7."""
    x0 = np.array([[1.0, 5.0, 2.0]])
    np.testing.assert_allclose(decay.predict(decay.predict(x0, 3.0), 4.0), decay.predict(x0, 7.0), rtol=1e-6)


def test_a_rollout_that_ends_early_is_said():
    growing = Linear(coupling="independent", shooting=QUICK).fit(decays(rate=-0.1))
    with pytest.warns(DataWarning, match="1 of 2 rollouts ended early, the first diverged"):
        found = growing.predict([[1.0, 1.0, 1.0], [0.001, 0.001, 0.001]], [0.0, 110.0])
    assert np.isnan(found[0, -1]).all()
    assert np.isfinite(found[1]).all()


@pytest.mark.parametrize(
    ("x0", "t", "match"),
    [
        ([1.0, 2.0], [0.0, 1.0], "expected starting states of shape"),
        ([[1.0, np.nan, 2.0]], None, "NaN"),
        ([1.0, 2.0, 3.0], None, "Reshape your data"),
        ([1.0, 2.0, 3.0], -1.0, "a time after the start, above 0, got -1.0"),
        ([1.0, 2.0, 3.0], [1.0, 0.0], "times must increase"),
    ],
)
def test_what_cannot_be_predicted_from_is_refused(decay, x0, t, match):
    with pytest.raises(ValueError, match=match):
        decay.predict(x0, t)


def test_predictions_from_a_state_of_several_channels():
    data = Trajectories(decays()[None], STEPS, observables={"gradient": decays(0.2)[None]})
    law = Linear("independent", "signal,gradient@start", shooting=QUICK).fit(data)
    start = data.state("signal,gradient@start")[:, 0]
    expected = law.model_.simulate(start, [0.0, 7.0]).signal
    np.testing.assert_array_equal(law.predict(start, [0.0, 7.0]), expected)
    np.testing.assert_array_equal(law.predict(start[0], [0.0, 7.0]), expected[0])


# ------------------------------------------------------------------------------------------------------------ score


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), lengths=st.lists(st.integers(5, 30), min_size=1, max_size=4))
def test_a_score_is_the_comparisons(seed, lengths):
    """The mean over runs of what ``compare`` says of each rollout, −1 at worst."""
    rng = np.random.default_rng(seed)
    law = Linear(coupling="exchangeable", shooting=QUICK).fit(decays() + 0.05 * rng.standard_normal((40, 3)))
    runs = [decays(rng.uniform(-0.1, 0.2), rng.uniform(0.5, 3, 3), np.arange(n)) for n in lengths]
    expected = []
    for run in runs:
        rollout = law.simulate(run[0], np.arange(len(run), dtype=float))
        score = score_rollout(run, rollout.signal[0], np.arange(len(run), dtype=float), rollout.status[0])
        expected.append(1.0 - score.unexplained)
    assert law.score(runs) == pytest.approx(np.mean(expected), rel=1e-6, abs=1e-9)


def test_the_truth_scores_one_and_the_order_of_runs_does_not_matter(decay):
    runs = [decays(starts=s) for s in ((1, 2, 3), (4, 5, 6))]
    assert decay.score(runs) == pytest.approx(1.0, abs=1e-6)
    other = [decays(rate=0.2), *runs]
    assert decay.score(other) == pytest.approx(decay.score(other[::-1]), rel=1e-12)


def test_runs_of_one_cluster_count_once(decay):
    good, bad = decays(), decays(rate=0.3)
    each = [decay.score([good]), decay.score([bad])]
    clustered = Trajectories([good, bad, bad], STEPS, cluster=[0, 1, 1])
    assert decay.score(clustered) == pytest.approx(np.mean(each), rel=1e-12)


def test_what_diverges_counts_as_the_worst_there_is():
    growing = Linear(coupling="independent", shooting=QUICK).fit(decays(rate=-0.5, steps=np.arange(20.0)))
    run = Trajectories(decays(steps=np.arange(200.0))[None], np.arange(200.0))
    with pytest.warns(DataWarning, match="1 of 1 rollouts ended early"):
        assert growing.score(run) == -1.0


def test_runs_that_do_not_move_are_left_out(decay):
    still = np.full((40, 3), 2.0)
    with pytest.warns(DataWarning) as said:
        found = decay.score([decays(), still])
    assert "1 of 2 runs do not move and are left out of the score" in str(said[-1].message)
    assert found == pytest.approx(decay.score([decays()]), rel=1e-12)


def test_times_other_than_the_fits_kind_are_asked_for():
    """Fitted to steps of 10 and scored on arrays without times, a law would be rolled out ten times too slowly."""
    law = Linear(coupling="independent", shooting=QUICK).fit(decays(rate=0.01, steps=STEPS * 10), t=STEPS * 10)
    run = decays(rate=0.01, steps=STEPS * 10)
    with pytest.raises(ValueError, match="expected the runs' times, as the fit had times other than 0, 1, 2"):
        law.score([run])
    assert law.score([run], t=STEPS * 10) == pytest.approx(1.0, abs=1e-6)
    assert law.score(Trajectories(run[None], STEPS * 10)) == pytest.approx(1.0, abs=1e-6)


def test_a_law_of_names_scores_the_features_by_their_names():
    table = pd.DataFrame({"hare": decays()[:, 0], "lynx": decays(0.3)[:, 1]})
    law = Linear(coupling="independent", shooting=QUICK).fit(table)
    swapped = Trajectories(table.to_numpy()[None, :, ::-1], STEPS, features=["lynx", "hare"], labels_shared=True)
    assert law.score(swapped) == pytest.approx(law.score(table), rel=1e-12)
    assert law.score([table.to_numpy()]) == pytest.approx(law.score(table), rel=1e-12)  # arrays: by position
    with pytest.raises(UnusableDataError, match="expected the 2 features hare, lynx"):
        law.score(swapped.with_features(["lynx", "fox"]))
    with pytest.raises(UnusableDataError, match="expected the 2 features"):
        law.score([decays()])


@pytest.mark.parametrize("ask", [lambda e: e.predict([[1.0]]), lambda e: e.score([decays()]), lambda e: e.print()])
def test_nothing_is_said_before_a_fit(ask):
    with pytest.raises(NotFittedError):
        ask(Linear())


# -------------------------------------------------------------------------------------------------- what y is given


@pytest.mark.parametrize("y", [STEPS, STEPS.tolist(), np.arange(40) * 10])
@pytest.mark.parametrize("method", ["fit", "score"])
def test_times_in_ys_place_are_refused(decay, y, method):
    with pytest.raises(ValueError, match="got increasing numbers, as many as X has steps: times, it seems; pass them"):
        getattr(decay, method)(decays(), y)


@pytest.mark.parametrize("runs", [[decays(), decays()[:20]], Trajectories([decays(), decays()[:20]], STEPS)])
def test_times_of_each_run_in_ys_place_are_refused(runs):
    with pytest.raises(ValueError, match="times, it seems"):
        Linear().fit(runs, [STEPS, STEPS[:20]])


def test_an_array_of_times_in_ys_place_is_refused():
    with pytest.raises(ValueError, match="times, it seems"):
        Linear().fit(np.stack([decays(), decays()]), np.stack([STEPS, STEPS * 2]))


def test_pysindys_time_step_is_refused():
    with pytest.raises(ValueError, match=r"got the number 0\.1, a time step as PySINDy takes it; pass times by name"):
        Linear().fit(decays(), 0.1)


def test_any_other_y_is_said_to_be_ignored(decay):
    with pytest.warns(DataWarning, match="y is ignored"):
        found = Linear(coupling="independent", shooting=QUICK).fit(decays(), np.ones(40))
    np.testing.assert_array_equal(found.model_.coefficients, decay.model_.coefficients)


# ------------------------------------------------------------------------------------------------ names and printing


def test_features_may_be_named_as_in_pysindy():
    states = np.stack([decays()[:, 0], decays(0.3)[:, 1]], axis=1)
    law = Linear("full", shooting=QUICK).fit(states, feature_names=["hare", "lynx"])
    assert law.feature_names == ["hare", "lynx"]
    assert law.get_feature_names() == ["1", "x_hare", "x_lynx"]
    assert [str(e.lhs) for e in law.equations()] == ["Derivative(x_hare, t)", "Derivative(x_lynx, t)"]
    with pytest.raises(UnusableDataError, match="give one each"):
        Linear().fit(decays(), feature_names=["hare"])


def test_printing_names_each_feature():
    out = io.StringIO()
    law = LotkaVolterra("independent", per_feature=True, shooting=QUICK).fit(decays()[:, :2])
    law.print(precision=2, file=out)
    assert [line.split(" = ")[0] for line in out.getvalue().splitlines()] == ["(x_1)'", "(x_2)'"]


LAWS = [
    Linear(shooting=QUICK),
    Linear("full", shooting=QUICK),
    LotkaVolterra("full", shooting=QUICK),
    LotkaVolterra("independent", per_feature=True, dynamics="map", shooting=QUICK),
    SINDy(thresholds=4, shooting=QUICK),
    Linear(state="signal,velocity", shooting=QUICK),
]


@pytest.mark.parametrize("estimator", LAWS, ids=lambda e: f"{e.name}-{e.coupling}-{e.dynamics}-{e.state}")
def test_the_printed_equations_are_those_simulated(estimator):
    """Read back as expressions, the lines are the sympy equations that ``equations`` gives, which are simulated."""
    import sympy

    rng = np.random.default_rng(0)
    data = Trajectories(1 + decays()[None] + rng.normal(0, 0.1, (5, 40, 3)), STEPS).window(5, 39)
    law = estimator.fit_model(data)
    lines, equations = law.lines(precision=17), law.equations()
    assert len(lines) == len(equations)
    for line, equation in zip(lines, equations, strict=True):
        difference = sympy.sympify(line.split(" = ")[1]) - equation.rhs
        symbols = {s: 0.5 + i / 10 for i, s in enumerate(sorted(equation.rhs.free_symbols, key=str))}
        assert abs(float(difference.subs(symbols))) < 1e-12


def test_equations_can_be_rounded(decay):
    (full,), (short,) = decay.equations(), decay.equations(precision=2)
    assert str(short.rhs.as_coefficients_dict()).count("0.10") == 1
    assert float(full.rhs.subs("x", 1.0)) == pytest.approx(float(short.rhs.subs("x", 1.0)), abs=1e-2)
    for ask in (decay.equations, decay.model_.lines):
        with pytest.raises(ValueError, match="significant digits, at least 1"):
            ask(precision=0)


def test_a_short_laws_repr_is_its_equation():
    x = 3 + 2 * np.exp(-0.5 * np.arange(30.0))[:, None] * [1.0, -1.0]
    law = Linear("independent").fit(x).model_
    assert repr(law) == "linear/independent: (x)' = 1.5 - 0.5*x"
    assert law._repr_latex_() == r"$\displaystyle \begin{aligned} \dot{x} &= 1.5 - 0.5 x \end{aligned}$"


def test_a_long_laws_repr_counts_what_it_leaves_out():
    rng = np.random.default_rng(0)
    law = Linear("full", shooting=QUICK).fit(Trajectories(rng.random((8, 30, 12)), np.arange(30))).model_
    text = repr(law)
    assert text.count("more terms") == 3
    assert "… (10 more terms)" in text  # 13 a feature, 3 shown
    assert text.endswith("; and 9 more equations")
    assert len(text) < 400
    assert law._repr_latex_() is None


@pytest.mark.filterwarnings("ignore::ecodyn.errors.DataWarning")
def test_a_networks_repr_counts_its_weights():
    model = NeuralODE("independent", hidden=4, matching_steps=3, rollout_steps=0).fit(decays()).model_
    assert repr(model) == f"neural_ode/independent: (x)' = g(x), {model.n_coefficients} parameters"
