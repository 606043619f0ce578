import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy.parsing.sympy_parser import parse_expr

from ecodyn.equations.clock_drive import Drive
from ecodyn.equations.forms import (
    linear_library,
    lotka_volterra_factors,
    lotka_volterra_library,
    lotka_volterra_mask,
    polynomial_library,
)
from ecodyn.equations.library import COUPLINGS, EXCHANGEABLE, FULL, INDEPENDENT
from ecodyn.equations.monomials import Monomials
from ecodyn.equations.right_hand_side import BoundLibrary

open_inputs = settings(max_examples=25, deadline=None, derandomize=True, database=None)

FEATURES = (3, 5, 11, 20)
LIBRARIES = {"linear": linear_library, "lotka_volterra": lotka_volterra_library, "polynomial": polynomial_library}
STATES = {
    "signal": ("signal",),
    "trait": ("signal", "gradient@start"),
    "gradient": ("signal", "gradient"),
    "velocity": ("signal", "velocity"),
    "both": ("signal", "gradient", "size@start", "velocity"),
}
SCALES = np.array([250.0, 1e-3, 0.5, 40.0])
NOW = np.zeros(3)
every_library = pytest.mark.parametrize(
    "library",
    [
        pytest.param(make(coupling, channels, FEATURES), id=f"{name}-{coupling}-{state}")
        for name, make in LIBRARIES.items()
        for coupling in COUPLINGS
        for state, channels in STATES.items()
    ],
)


def states(library, batch=3, seed=0):
    return np.random.default_rng(seed).uniform(-1.5, 1.5, (batch, len(FEATURES), len(library.channels)))


def coefficients(library, groups, seed=1, batch=None):
    rows = groups * len(library.fitted)
    shape = (rows, len(library)) if batch is None else (batch, rows, len(library))
    return np.random.default_rng(seed).standard_normal(shape)


def groups_of(library):
    return [len(FEATURES)] if library.coupling == FULL else [1, len(FEATURES)]


@every_library
def test_bound_law_is_the_terms_times_their_coefficients(library):
    x = states(library)
    for groups in groups_of(library):
        theta = coefficients(library, groups)
        terms = np.broadcast_to(library.values(x), (*x.shape[:2], len(library)))
        by_equation = theta.reshape(len(library.fitted), groups, -1)
        expected = (terms[..., None, :] * by_equation.swapaxes(0, 1)).sum(axis=-1)
        law = BoundLibrary(library, theta)
        np.testing.assert_allclose(law(x), expected, rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(law.rhs(x, NOW)[..., list(library.fitted)], expected, rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(law.sensitivity(x, NOW).value, law.rhs(x, NOW), rtol=1e-12, atol=1e-12)
    forcing = law.sensitivity(x, NOW).terms()
    np.testing.assert_allclose(forcing, np.broadcast_to(library.values(x), forcing.shape), rtol=1e-13, atol=0)


@every_library
def test_each_member_of_a_batch_may_have_its_own_law(library):
    x = states(library)
    for groups in groups_of(library):
        theta = coefficients(library, groups, batch=3)
        expected = np.concatenate([BoundLibrary(library, theta[b])(x[b : b + 1]) for b in range(3)])
        np.testing.assert_allclose(BoundLibrary(library, theta)(x), expected, rtol=1e-12, atol=1e-13)


@every_library
def test_jacobian_is_that_of_finite_differences(library):
    x = states(library)
    move = list(library.moving)
    directions = np.random.default_rng(2).standard_normal((len(x), len(move), len(FEATURES), 3))
    h = 1e-5
    for groups in groups_of(library):
        law = BoundLibrary(library, coefficients(library, groups))
        exact = law.sensitivity(x, NOW).jacobian_times(directions)
        for d in range(3):
            shift = np.zeros_like(x)
            shift[..., move] = h * directions[..., d].swapaxes(1, 2)
            difference = (law.rhs(x + shift, NOW) - law.rhs(x - shift, NOW))[..., move] / (2 * h)
            np.testing.assert_allclose(exact[..., d].swapaxes(1, 2), difference, rtol=1e-7, atol=1e-7)


def test_jacobian_of_a_driven_law_does_not_pass_through_the_drive():
    library = polynomial_library(EXCHANGEABLE, ("signal",), FEATURES)
    x, z = states(library), np.random.default_rng(5).uniform(0, 1, library.n_variables)
    drive = Drive(np.arange(2.0), np.array([z, z]))
    law, h = BoundLibrary(library, coefficients(library, 1), drive), 1e-5
    direction = np.random.default_rng(6).standard_normal((3, len(FEATURES), 1))
    difference = (law.rhs(x + h * direction, NOW) - law.rhs(x - h * direction, NOW)) / (2 * h)
    exact = law.sensitivity(x, NOW).jacobian_times(direction[:, None])
    np.testing.assert_allclose(exact[:, 0], difference, rtol=1e-8)


@every_library
def test_traits_stand_still_and_the_signal_follows_its_velocity(library):
    x = states(library)
    slopes = BoundLibrary(library, coefficients(library, groups_of(library)[0])).rhs(x, NOW)
    for c, channel in enumerate(library.channels):
        if channel.endswith("@start"):
            assert (slopes[..., c] == 0).all()
    if "velocity" in library.channels:
        np.testing.assert_array_equal(slopes[..., 0], x[..., library.channels.index("velocity")])


@every_library
def test_lotka_volterra_equations_are_proportional_to_their_own_channel(library):
    """Set that channel to zero, and its equation vanishes: an extinct feature stays extinct."""
    if library.own[0] == (0,) * len(library.channels):
        return  # not a Lotka-Volterra library
    groups = groups_of(library)[0]
    theta = coefficients(library, groups) * lotka_volterra_mask(library, groups)
    for equation, channel in enumerate(lotka_volterra_factors(library.channels)):
        x = states(library)
        x[..., channel] = 0.0
        np.testing.assert_array_equal(BoundLibrary(library, theta)(x)[..., equation], 0.0)


@every_library
def test_driving_with_its_own_variables_changes_nothing(library):
    x = states(library)
    z = library.variables(x)
    np.testing.assert_array_equal(library.values(x, z), library.values(x))
    law = BoundLibrary(library, coefficients(library, groups_of(library)[0]))
    np.testing.assert_array_equal(law(x, z), law(x))


@every_library
def test_expressions_are_what_is_evaluated(library):
    x = states(library, batch=1)
    values = np.broadcast_to(library.values(x), (1, len(FEATURES), len(library)))
    for i, feature in enumerate(FEATURES):
        named = feature if library.coupling == FULL else None
        own, environment = library.symbols(named)
        known = dict(zip(own, x[0, i], strict=True)) | dict(zip(environment, library.variables(x)[0], strict=True))
        printed = sympy.lambdify(list(known), library.expressions(named), "numpy")(*known.values())
        np.testing.assert_allclose(np.array(printed, dtype=float), values[0, i], rtol=1e-12, atol=1e-300)


@every_library
def test_names_read_as_the_expressions(library):
    own, environment = library.symbols()
    known = {s.name: s for s in [*own, *environment]}
    read = [parse_expr(name, known) for name in library.names()]
    assert read == library.expressions()
    assert len(set(library.names())) == len(library)


@pytest.mark.parametrize("make", [linear_library, lotka_volterra_library])
def test_a_full_librarys_monomials_are_named_alike_in_every_library(make):
    """As products of all features' variables, so that a selection from one is recognised as another family's terms."""
    features = ["hare", "lynx", "grass"]
    wide = polynomial_library("full", ("signal",), features, 2)
    library = make("full", ("signal",), features)
    for feature, label in enumerate(features):
        named = {library.monomial(term, feature): library.expressions(label)[term] for term in range(len(library))}
        among = {wide.monomial(term, feature): wide.expressions(label)[term] for term in range(len(wide))}
        assert len(named) == len(library)
        assert {name: among[name] for name in named} == named


def test_moments_are_means_of_powers():
    library = polynomial_library(EXCHANGEABLE, ("signal",), FEATURES)
    x = states(library)
    _, symbols = library.symbols()
    assert [s.name for s in symbols] == ["mean_x", "mean_x2", "mean_x3"]
    np.testing.assert_allclose(
        library.variables(x), np.stack([(x[..., 0] ** q).mean(axis=1) for q in (1, 2, 3)], axis=-1), rtol=1e-13
    )


@every_library
def test_degrees_say_how_terms_scale(library):
    x = states(library)
    for channel in range(len(library.channels)):
        scaled = x.copy()
        scaled[..., channel] *= 3.0
        expected = library.values(x) * 3.0 ** library.degrees[:, channel]
        np.testing.assert_allclose(library.values(scaled), expected, rtol=1e-12)


@every_library
def test_rescaled_coefficients_are_the_same_law_in_original_units(library):
    x, theta = states(library), coefficients(library, groups_of(library)[-1])
    scales, time_scale = SCALES[: len(library.channels)], 40.0
    scaled = BoundLibrary(library, theta)(x / scales) * scales[list(library.fitted)] / time_scale
    original = BoundLibrary(library, library.rescale(theta, scales, time_scale))(x)
    atol = 1e-12 * np.abs(scaled).max(axis=(0, 1))
    assert (np.abs(original - scaled) <= 1e-11 * np.abs(scaled) + atol).all()


@every_library
def test_a_subset_has_those_terms_only(library):
    x = states(library)
    keep = np.array([len(library) - 1, 0, len(library) // 2])
    keep = np.array(sorted(set(keep.tolist()), reverse=True))
    part = library.subset(keep)
    whole = np.broadcast_to(library.values(x), (*x.shape[:2], len(library)))
    values = np.broadcast_to(part.values(x), (*x.shape[:2], len(keep)))
    np.testing.assert_array_equal(values, whole[..., keep])
    assert part.names() == [library.names()[k] for k in keep]
    assert len(part.own) <= len(keep)
    assert len(part.environment) <= len(keep)
    theta = coefficients(part, groups_of(library)[0])
    direction = np.ones((len(x), len(library.moving), len(FEATURES), 1))
    embedded = np.zeros((len(theta), len(library)))
    embedded[:, keep] = theta
    np.testing.assert_allclose(
        BoundLibrary(part, theta).sensitivity(x, NOW).jacobian_times(direction),
        BoundLibrary(library, embedded).sensitivity(x, NOW).jacobian_times(direction),
        rtol=1e-12,
        atol=1e-12,
    )


@pytest.mark.parametrize("coupling", [INDEPENDENT, EXCHANGEABLE])
@pytest.mark.parametrize("name", LIBRARIES)
@pytest.mark.parametrize("state", STATES)
def test_permuting_features_permutes_the_law(name, coupling, state):
    library = LIBRARIES[name](coupling, STATES[state], FEATURES)
    x, order = states(library), np.array([2, 0, 3, 1])
    law = BoundLibrary(library, coefficients(library, 1))
    np.testing.assert_allclose(law(x[:, order]), law(x)[:, order], rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize(
    ("make", "coupling", "channels", "features", "terms"),
    [
        (polynomial_library, EXCHANGEABLE, 1, 4, 14),
        (polynomial_library, EXCHANGEABLE, 1, 29, 14),
        (polynomial_library, INDEPENDENT, 1, 29, 4),
        (polynomial_library, INDEPENDENT, 2, 29, 10),
        (polynomial_library, FULL, 1, 29, 465),
        (linear_library, INDEPENDENT, 1, 29, 2),
        (linear_library, EXCHANGEABLE, 1, 29, 3),
        (linear_library, EXCHANGEABLE, 2, 29, 5),
        (linear_library, FULL, 1, 29, 30),
        (lotka_volterra_library, INDEPENDENT, 1, 29, 2),
        (lotka_volterra_library, EXCHANGEABLE, 1, 29, 3),
        (lotka_volterra_library, FULL, 1, 29, 30),
    ],
)
def test_number_of_terms(make, coupling, channels, features, terms):
    names = ("signal", "gradient@start")[:channels]
    assert len(make(coupling, names, range(features))) == terms


def test_the_fourteen_exchangeable_terms():
    exponents = set()
    library = polynomial_library(EXCHANGEABLE, ("signal",), FEATURES)
    for o, e in library.terms:
        exponents.add((*library.own[o], *library.environment[e]))
    expected = {
        (a, b, c, d)
        for a in range(4)
        for b in range(4)
        for c in range(2)
        for d in range(2)
        if a + b + 2 * c + 3 * d <= 3
    }
    assert exponents == expected


def test_terms_of_one_channel_do_not_repeat_under_full():
    library = polynomial_library(FULL, ("signal",), FEATURES)
    assert len(set(library.terms)) == len(library) == len(set(library.environment)) == 15


@every_library
@pytest.mark.parametrize("samples", [1, 7])
def test_nbytes_is_what_the_matrix_takes(library, samples):
    assert library.nbytes(samples) == library.values(states(library, batch=samples)).nbytes


# ---------------------------------------------------------------------- monomials

exponents = st.integers(1, 4).flatmap(
    lambda n: st.lists(st.tuples(*[st.integers(0, 4)] * n), min_size=1, max_size=12, unique=True)
)


@open_inputs
@given(exponents, st.integers(0, 2**32 - 1))
def test_monomials_and_their_gradients(powers, seed):
    variables = len(powers[0])
    x = np.random.default_rng(seed).uniform(0.5, 2.0, (3, variables)) * np.array([[1.0], [-1.0], [1.0]])
    plan = Monomials.of(tuple(powers), variables)
    direct = np.prod(x[:, None, :] ** np.array(powers), axis=-1)
    np.testing.assert_allclose(plan(x), direct, rtol=1e-12)
    closure = plan.closure(x)
    np.testing.assert_array_equal(closure[:, plan.wanted], plan(x))
    gradient, h = plan.gradient(closure), 1e-5
    for v in range(variables):
        shift = h * np.eye(variables)[v]
        difference = (plan(x + shift) - plan(x - shift)) / (2 * h)
        np.testing.assert_allclose(gradient[..., v], difference, rtol=1e-6, atol=1e-6)
        np.testing.assert_array_equal(plan.derivative(closure, v), gradient[..., v])


def test_monomials_of_many_variables_take_the_gathered_way():
    powers = [tuple(int(i == j) + int(i == k) for i in range(12)) for j in range(12) for k in range(j, 12)]
    x = np.random.default_rng(0).uniform(-2, 2, (5, 12))
    np.testing.assert_allclose(
        Monomials.of(tuple(powers), 12)(x), np.prod(x[:, None, :] ** np.array(powers), axis=-1), rtol=1e-12
    )


def test_zero_states_have_finite_gradients():
    plan = Monomials.of(((0,), (1,), (3,)), 1)
    np.testing.assert_array_equal(plan.gradient(plan.closure(np.zeros((1, 1))))[0, :, 0], [0.0, 1.0, 0.0])
