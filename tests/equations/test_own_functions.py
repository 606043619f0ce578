"""Functions of one's own in a library: exact derivatives, units, and what has no value."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecodyn.equations.callable_function import CallableFunction, qualified_name
from ecodyn.equations.forms import polynomial_library
from ecodyn.equations.own_functions import BEYOND
from ecodyn.equations.pruning import without_unused
from ecodyn.equations.right_hand_side import BoundLibrary
from ecodyn.formulas.library_terms import TermBuilder

TERMS = {
    "independent": ["sin(x)", "x/(1 + x)", "exp(-x**2)"],
    "exchangeable": ["sin(x)", "x*exp(-mean(sin(x)))", "mean(x*exp(x))", "x/(1 + mean(x**5))"],
    "full": ["sin(x)", "x/(1 + x_a)", "cos(x_b)", "x*x_c/(1 + x**2)"],
}


def library_of(coupling, terms=None):
    builder = TermBuilder(polynomial_library(coupling, ["signal"], ["a", "b", "c"], 2))
    for text in TERMS[coupling] if terms is None else terms:
        builder.formula(text)
    return builder.library()


def law_of(library, seed=0, drive=None):
    groups = 3 if library.coupling == "full" else 1
    return BoundLibrary(library, np.random.default_rng(seed).normal(size=(groups, len(library))), drive)


states = st.integers(0, 2**32 - 1).map(lambda seed: np.random.default_rng(seed).uniform(0.3, 1.5, (2, 3, 1)))


@pytest.mark.parametrize("coupling", TERMS)
@settings(max_examples=12)
@given(x=states)
def test_jacobians_are_the_derivatives(coupling, x):
    law, step, t = law_of(library_of(coupling)), 1e-6, np.zeros(2)
    moved = [step * unit[:, None] for unit in np.eye(3)]
    columns = [(law.rhs(x + m, t) - law.rhs(x - m, t))[..., 0] / (2 * step) for m in moved]
    assert np.allclose(law.jacobian(x[..., 0], t), np.stack(columns, axis=-1), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("coupling", ["independent", "exchangeable"])
@settings(max_examples=12)
@given(x=states)
def test_features_that_trade_places_trade_derivatives(coupling, x):
    law, order = law_of(library_of(coupling)), [2, 0, 1]
    assert np.allclose(law(x)[:, order], law(x[:, order]), rtol=1e-12)


@pytest.mark.parametrize("coupling", TERMS)
@settings(max_examples=12)
@given(x=states, power=st.integers(-8, 8))
def test_functions_have_the_values_of_the_data_in_any_unit(coupling, x, power):
    library, scales = library_of(coupling), np.array([2.0**power])
    scaled = library.in_units(scales)
    law = law_of(scaled)
    original = library.rescale(law.coefficients, scales, 4.0)
    assert np.allclose(law(x) * scales / 4.0, BoundLibrary(library, original)(x * scales), rtol=1e-9)
    assert scaled.in_units(1.0 / scales) == library


def test_a_term_without_a_value_ends_laws_that_have_it_and_no_others():
    library = library_of("independent", ["log(x)"])
    x = np.array([[[-1.0], [2.0], [3.0]]])
    without = BoundLibrary(library, np.array([[1.0, 0.5, 0.0, 0.0]]))
    assert np.allclose(without(x)[0, :, 0], 1.0 + 0.5 * x[0, :, 0])
    assert np.isfinite(without.jacobian(x[..., 0], np.zeros(1))).all()
    assert np.abs(BoundLibrary(library, np.array([[0.0, 0.0, 0.0, 1.0]]))(x)).max() == BEYOND


@pytest.mark.parametrize("coupling", TERMS)
def test_functions_that_no_term_has_are_left_out(coupling):
    library = library_of(coupling)
    kept = [0, len(library) - 1]
    small = without_unused(library.subset(kept))
    assert len(small.functions) == 1
    x = np.full((1, 3, 1), 0.7)
    assert np.array_equal(small.values(x), library.subset(kept).values(x))
    assert small.names() == [library.names()[k] for k in kept]


X = np.linspace(0.1, 2.0, 40)[:, None]


@pytest.mark.parametrize(
    ("function", "derivative", "way"),
    [(np.sin, np.cos, "given"), (np.exp, None, "complex"), (np.abs, None, "differences"), (np.hypot, None, "complex")],
)
def test_derivatives_are_had_in_the_best_way_there_is(function, derivative, way):
    x = X if function is not np.hypot else np.concatenate([X, X[::-1] + 0.3], axis=1)
    label = f"f({', '.join(f'v{i}' for i in range(x.shape[1]))})"
    found = CallableFunction(function, derivative, label, tuple(range(x.shape[1])))
    if function is np.hypot:
        way = "differences"  # it takes no complex numbers
    found = found.checked(x)
    assert found.way == way
    moved = np.eye(x.shape[1]) * 1e-6
    for slope, m in zip(found.slopes(x), moved, strict=True):
        assert np.allclose(slope, (found.values(x + m) - found.values(x - m)) / 2e-6, rtol=1e-6)


def test_a_wrong_derivative_is_refused_with_numbers():
    with pytest.raises(ValueError, match=r"the derivative of f\(v0\), got another: by its argument 1, at 0.1, it is"):
        CallableFunction(np.sin, np.sin, "f(v0)", (0,)).checked(X)


def test_only_functions_that_an_import_finds_have_a_name():
    assert qualified_name(np.tanh, "tanh") == "numpy:tanh"
    for function in (lambda x: x, X.sum):
        with pytest.raises(ValueError, match="define it at the top of a module"):
            qualified_name(function, "f")


# Python's own functions by way of a module that is no part of it: what that imports, and what it gives another name.
REACHED = [
    "ecodyn.runtime.files:os.abort",
    "ecodyn.runtime.files:os.path.exists",
    "ecodyn.runtime.files:contextmanager",
]


@pytest.mark.parametrize(
    "name", ["os:system", "builtins:eval", "no_such_module:f", "numpy:no_such", "subprocess:run", *REACHED]
)
def test_a_file_calls_nothing_that_is_not_there_or_is_pythons_own(name):
    with pytest.raises(ValueError, match="the term"):
        CallableFunction.from_json({"callable": name, "label": "f(v0)", "variables": [0], "way": "complex"})
