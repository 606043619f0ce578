"""Laws of several equations: what their names mean, what has no unit, and exact derivatives."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecodyn.estimation.samples import Samples
from ecodyn.estimation.shooting_batches import normal_equations
from ecodyn.estimation.shooting_equations import Trial
from ecodyn.formulas.hidden_law import HiddenLaw
from ecodyn.formulas.hidden_objective import HiddenObjective, beginnings, with_channels
from ecodyn.formulas.hidden_statement import equations_of, hidden_statement_of, system_text
from ecodyn.formulas.hidden_units import held_by_unit
from ecodyn.formulas.tokens import FormulaError
from ecodyn.formulas.transforms import Coordinates
from ecodyn.trajectories import Trajectories

CONSUMERS = "x' = x*(c*r - m); r' = s - d*r - q*r*sum(x)"
TWO_KINDS = "x' = x*(c*r - m) - c*h; r' = s - d*r - q*r*sum(x); h' = a*x - d*h"


@pytest.mark.parametrize(
    ("text", "shared", "each", "said"),
    [
        ("r' = -d*r", ("r",), (), "an equation of the signal, x' = "),
        ("x' = r - a*x; -d*r", ("r",), (), "got the part '-d*r'"),
        ("x' = r - a*x; r' = -d*r; r' = d*r", ("r",), (), "one equation a variable, got two of 'r'"),
        ("x' = r - a*x; r' = -d*r", (), (), "got 'r' as neither"),
        ("x' = r - a*x; r' = -d*r", ("r",), ("r",), "got 'r' as both"),
        ("x' = r - a*x; r' = -d*r", ("r", "u"), (), "got none of 'u'"),
        ("x' = b - a*x; r' = -d*r", ("r",), (), "a hidden variable in the equation of x"),
        ("x' = t - a*x; t' = -d*t", ("t",), (), "a name of its own for a hidden variable, got 't'"),
        ("x' = r - a*x + r_start; r' = -d*r", ("r",), (), "it is the starting value of r"),
        ("x' = r - x; r' = -r", ("r",), (), "a parameter to be estimated"),
    ],
)
def test_what_can_not_be_meant_is_refused_in_a_sentence(text, shared, each, said):
    with pytest.raises(FormulaError, match="expected") as refused:
        hidden_statement_of(text, shared, each)
    assert said in str(refused.value)


def test_a_single_feature_in_a_shared_equation_is_shown_with_a_caret():
    with pytest.raises(FormulaError, match=r"expected mean\(\.\.\.\) or sum") as refused:
        hidden_statement_of("x' = x*(r - m); r' = s - q*r*x", ("r",))
    shown, caret = str(refused.value).splitlines()[-2:]
    assert shown[caret.index("^")] == "x"
    assert shown.index("x") == caret.index("^")


@given(st.permutations(["x", "r", "h"]))
def test_a_text_is_its_equations_in_any_order(order):
    equations = equations_of(TWO_KINDS)
    text = system_text({name: equations[name] for name in order})
    one, other = (hidden_statement_of(t, ("r",), ("h",)) for t in (TWO_KINDS, text))
    assert set(one.parameters) == set(other.parameters)
    assert equations_of(other.text) == equations_of(one.text) == equations


@settings(max_examples=20)
@given(
    st.lists(st.floats(0.2, 2.0), min_size=6, max_size=6),
    st.floats(0.3, 3.0),
    st.floats(0.2, 2.0),
)
def test_what_is_held_is_what_the_unit_of_a_hidden_variable_changes(values, factor, start):
    """r → λr with c/λ, s·λ and λ·r_start has the same signals, and these are the parameters that may be held."""
    statement = hidden_statement_of(CONSUMERS, ("r",))
    assert held_by_unit(statement, {}) == {"r_start": 1.0}
    assert held_by_unit(hidden_statement_of(CONSUMERS, ("r",), free=True), {}) == {"c": 1.0}
    law = HiddenLaw(statement, (), None, (1.0, 1.0))
    moved = dict(zip(statement.parameters, values, strict=True))
    moved |= {"c": moved["c"] / factor, "s": moved["s"] * factor, "r_start": moved["r_start"] * factor}
    x = np.array([[[0.5, start], [1.5, start]]])
    one = law.bind(np.array([values])).rhs(x, np.zeros(1))
    other = law.bind(np.array([list(moved.values())])).rhs(x * [1.0, factor], np.zeros(1))
    np.testing.assert_allclose(other, one * [1.0, factor], rtol=1e-10, atol=1e-12)


def test_a_unit_that_the_equations_fix_holds_nothing():
    for text in (
        "x' = x*(r - m); r' = s - d*r - q*r*sum(x)",
        "x' = x*(g*r/(1 + r) - m); r' = s - d*r",
        "x' = x*(c*exp(-r) - m); r' = s - d*r",
    ):
        assert held_by_unit(hidden_statement_of(text, ("r",)), {}) == {}


@pytest.mark.parametrize(("free", "signals"), [(False, False), (True, True)])
def test_gradients_by_parameters_and_starting_values_are_exact(free, signals):
    rng = np.random.default_rng(0)
    t = np.arange(7.0)
    runs = Trajectories(np.exp(-0.05 * t)[:, None] * (1 + rng.random((2, 1, 2))), t)
    statement = hidden_statement_of(TWO_KINDS, ("r",), ("h",), free=free)
    samples = with_channels(Samples.of(runs, "signal"), np.array([1.0, 2.0]))
    size = len(statement.parameters)
    coordinates = Coordinates(((0.0, np.inf),) * size, tuple(0.1 + rng.random(size)))
    law = HiddenLaw(statement, (), coordinates, tuple(samples.scales.ravel().tolist()), samples.time_scale)
    starts = 0.5 + rng.random((2, HiddenObjective.private(law, 2, signals=signals)))
    segments = beginnings(samples, 6, 0.7, smoothed=False)
    objective = HiddenObjective(law, samples, segments, starts, signals=signals)
    parameters = -2 + 0.3 * rng.normal(size=size)

    def cost(of_parameters, of_starts):
        return normal_equations([Trial(objective, parameters + of_parameters, starts + of_starts)])[0].cost

    found = normal_equations([Trial(objective, parameters, starts)])[0]
    assert np.isfinite(found.cost)
    for place, step in enumerate(1e-6 * np.eye(size)):
        slope = (cost(step, 0.0) - cost(-step, 0.0)) / 4e-6
        assert found.gradients.sum(axis=0)[place] == pytest.approx(slope, rel=1e-6, abs=1e-7)
    for place in np.ndindex(starts.shape if found.starts is not None else ()):
        if found.starts is None:
            break
        step = np.zeros(starts.shape)
        step[place] = 1e-6
        slope = (cost(0.0, step) - cost(0.0, -step)) / 4e-6
        assert found.starts.gradient[place] == pytest.approx(slope, rel=1e-6, abs=1e-7)
