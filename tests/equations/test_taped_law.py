"""Compiled loops give what NumPy gives, to rounding: derivatives, rollouts, normal equations and adaptive solutions."""

import copy
import pickle
import tracemalloc
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecodyn.equations import compiled, taped_law
from ecodyn.equations.clock_drive import Drive, Drives
from ecodyn.equations.forms import polynomial_library
from ecodyn.equations.known_inputs import KnownInputs
from ecodyn.equations.right_hand_side import BoundLibrary
from ecodyn.equations.steps import Steps
from ecodyn.equations.taped_law import TapedLaw
from ecodyn.rollouts.integration import integrate
from ecodyn.rollouts.marching import march
from ecodyn.trajectories.inputs import Input

STATES = [("signal",), ("signal", "trait@start"), ("signal", "gradient"), ("signal", "velocity")]
STATES += [("signal", "gradient", "velocity"), ("signal", "trait@start", "gradient")]
MEMBERS = 3
quickly = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@dataclass(frozen=True, eq=False)
class Case:
    law: BoundLibrary
    states: np.ndarray
    times: np.ndarray
    free: np.ndarray  # coefficients (row, term) that are not zero


@st.composite
def cases(draw, *, autonomous=False):
    """A law with random coefficients, some of them zero, for each of a few states; perhaps a clock, perhaps inputs."""
    coupling = draw(st.sampled_from(["independent", "exchangeable", "full"]))
    channels, features = draw(st.sampled_from(STATES)), draw(st.integers(1, 4))
    inputs = () if autonomous else draw(st.sampled_from([(), ("lr",), ("lr", "heat")]))
    degree = draw(st.integers(1, 3 if len(channels) * features < 6 else 2))
    library = polynomial_library(coupling, channels, range(features), degree, inputs)
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    groups = features if coupling == "full" or draw(st.booleans()) else 1
    rows = groups * len(library.fitted)
    free = rng.random((rows, len(library))) < draw(st.sampled_from([0.2, 0.7, 1.0]))
    free[0, 0] = draw(st.booleans()) or free[0, 0]  # else there may be no coefficient at all
    each = (MEMBERS,) if draw(st.booleans()) else ()
    coefficients = rng.normal(scale=0.3, size=(*each, rows, len(library))) * free
    times = np.cumsum(rng.uniform(0.05, 0.2, (MEMBERS, 6)), axis=1)
    drive = known = None
    if coupling == "exchangeable" and not autonomous and draw(st.booleans()):
        knots = np.linspace(0.0, 2.0, 5)
        curves = [Drive(knots, rng.normal(scale=0.5, size=(5, library.n_seen))) for _ in range(MEMBERS)]
        drive = curves[0] if draw(st.booleans()) else Drives(tuple(curves), (1,) * MEMBERS)
    if inputs:
        curves = [
            tuple(
                Input(name, [0.0, *np.sort(rng.uniform(0.1, 0.9, 2)), 9.0], rng.normal(size=4), kind) for name in inputs
            )
            for kind in draw(st.sampled_from([["steps"] * MEMBERS, ["linear"] * MEMBERS]))
        ]
        known = KnownInputs.of(curves)
    states = rng.normal(scale=0.5, size=(MEMBERS, features, len(channels)))
    return Case(BoundLibrary(library, coefficients, drive, known), states, times, free)


@quickly
@given(cases())
def test_derivatives(case):
    t = case.times[:, 0]
    expected = case.law.sensitivity(case.states, t).value
    np.testing.assert_allclose(case.law.rhs(case.states, t), expected, rtol=1e-12, atol=1e-13)


@quickly
@given(cases(), st.integers(1, 3))
def test_steps(case, substeps):
    """Through jumps of inputs too: steps end there, and ask for slopes of just before."""

    def slopes(x, t):
        return case.law.sensitivity(x, t).value

    cuts = None if case.law.inputs is None else case.law.inputs.cuts(case.times)
    bound = np.full(MEMBERS, 0.8)  # some die
    steps = march(slopes, case.states, case.times, substeps=substeps, bound=bound, cuts=cuts)
    expected = [(x.copy(), alive.copy()) for _, x, alive in steps]
    path, lived = case.law.path(case.states, case.times, substeps=substeps, bound=bound, cuts=cuts)
    np.testing.assert_array_equal(lived, np.sum([alive for _, alive in expected], axis=0))
    np.testing.assert_allclose(path, np.stack([x for x, _ in expected], axis=1), rtol=1e-10, atol=1e-12)


@quickly
@given(cases(), st.booleans(), st.sampled_from([0, taped_law.MOST_DIRECTIONS]))
def test_normal_equations(case, with_starts, most):
    """Products compiled or by BLAS, beside sensitivities by NumPy: Ṡ = ∂f/∂θ + (∂f/∂x) S, and those of starts."""
    law, library, rng = case.law, case.law.library, np.random.default_rng(0)
    features, channels = case.states.shape[1:]
    rows, terms = np.nonzero(case.free)
    equation, group = np.divmod(rows, library.groups(len(case.free)))
    moving, count = library.moving, len(rows) + with_starts * features
    directions = np.zeros((MEMBERS, len(moving), features, count))
    if with_starts:
        directions[:, 0, :, len(rows) :] = np.eye(features)

    def slopes(x, t):
        found = law.sensitivity(x[..., :channels], t)
        s = x[..., channels:].reshape(MEMBERS, features, len(moving), count).transpose(0, 2, 1, 3)
        moved, values = found.jacobian_times(s), np.broadcast_to(found.terms(), (MEMBERS, features, len(library)))
        for d, (e, g, k) in enumerate(zip(equation, group, terms, strict=True)):
            mine = slice(None) if library.groups(len(case.free)) == 1 else g
            moved[:, moving.index(library.fitted[e]), mine, d] += values[:, mine, k]
        return np.concatenate([found.value, moved.transpose(0, 2, 1, 3).reshape(MEMBERS, features, -1)], axis=-1)

    data, weights = rng.normal(size=(2, MEMBERS, case.times.shape[1], features, channels)) ** 2
    hessian, gradient, cost = np.zeros((MEMBERS, count, count)), np.zeros((MEMBERS, count)), np.zeros(MEMBERS)
    start = np.concatenate([case.states, directions.transpose(0, 2, 1, 3).reshape(MEMBERS, features, -1)], axis=-1)
    for i, x, alive in march(slopes, start, case.times, bound=np.full(MEMBERS, 1e6)):
        for c in library.observed:
            jacobian = x[..., channels + moving.index(c) * count :][..., :count]
            residual, w = x[..., c] - data[:, i, :, c], weights[:, i, :, c]
            hessian += np.einsum("bfp,bf,bfq->bpq", jacobian, w, jacobian)
            gradient += np.einsum("bfp,bf,bf->bp", jacobian, w, residual)
            cost += np.where(alive, (w * residual**2).sum(axis=1), np.inf)
    taped = TapedLaw(library, law.coefficients, features, law.drive, law.inputs, case.free)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(taped_law, "MOST_DIRECTIONS", most)
        steps = Steps.along(case.times, 1)
        found = taped.normal_equations(case.states, directions, steps, np.full(MEMBERS, 1e6), data, weights)
    np.testing.assert_allclose(found[2], cost, rtol=1e-9)
    lives = np.isfinite(cost)  # of the dead nothing is asked
    for got, expected in zip(found[:2], (hessian, gradient), strict=True):
        scale = max(1e-3, np.abs(expected[lives]).max(initial=0.0))
        np.testing.assert_allclose(got[lives], expected[lives], rtol=1e-9, atol=1e-9 * scale)


@quickly
@given(cases(), st.integers(1, 3))
def test_stretches(case, substeps):
    """Long work goes a few outputs at a time, so that Ctrl-C is heard and values from outside fit in memory."""
    law, bound = case.law.taped(case.states), np.full(MEMBERS, 0.8)
    cuts = None if law.inputs is None else law.inputs.cuts(case.times)
    steps = Steps.along(case.times, substeps, cuts)
    taped = TapedLaw(law.library, law.coefficients, law.features, law.drive, law.inputs, case.free)
    count, moving = int(case.free.sum()), len(law.library.moving)
    directions = np.zeros((MEMBERS, moving, law.features, count))
    data = np.ones((MEMBERS, case.times.shape[1], *case.states.shape[1:]))

    def found():
        equations = taped.normal_equations(case.states, directions, steps, bound, data, data)
        return *law.path(case.states, steps, bound), *equations

    whole = found()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(taped_law, "MOST_WORK", 1)
        parts = found()
    for one, other in zip(whole, parts, strict=True):
        np.testing.assert_array_equal(one, other)


@quickly
@given(cases(autonomous=True), st.sampled_from([0.8, 100.0]), st.sampled_from([40, 5000]))
def test_adaptive_solutions(case, bound, budget):
    """Values, how each ended and when, and the number of evaluations; in units of powers of two, traits aside."""
    move = list(case.law.library.moving)
    units = np.exp2(np.arange(len(move)))[None, None]

    def slopes(scaled, t):
        state = case.states.copy()
        state[..., move] = scaled * units
        return case.law.sensitivity(state, t).value[..., move] / units

    times = np.pad(case.times, ((0, 0), (0, 1)), constant_values=np.nan)
    options = {"bound": bound, "rtol": 1e-8, "max_evaluations": budget}
    expected = integrate(slopes, case.states[..., move] / units, times, **options)
    found = case.law.taped(case.states).integrate(case.states, times, units=units, **options)
    assert found.status == expected.status
    assert found.evaluations == expected.evaluations
    np.testing.assert_array_equal(np.isnan(found.values[..., 0]), np.isnan(expected.values[..., 0]))
    np.testing.assert_allclose(found.values[..., move], expected.values * units, rtol=1e-7, atol=1e-10)
    traits = [c for c in range(case.states.shape[-1]) if c not in move]
    there = ~np.isnan(found.values[..., 0])
    still = np.broadcast_to(case.states[:, None], found.values.shape)
    np.testing.assert_array_equal(found.values[there][..., traits], still[there][..., traits])


def test_a_start_that_is_not_finite_ends_there():
    library = polynomial_library("full", ("signal",), range(2), 2)
    law = TapedLaw(library, np.ones((2, len(library))), 2)
    start = np.array([[[np.nan], [1.0]], [[0.1], [0.1]]])
    options = {"bound": np.inf, "rtol": 1e-8, "max_evaluations": 1000}
    found = law.integrate(start, [0.0, 0.1], units=np.ones((1, 1, 1)), **options)
    assert found.status == ("not finite at t=0", "ok")
    path, lived = law.path(start, Steps.along(np.array([[0.0, 0.1]] * 2), 1), 10.0)
    assert lived.tolist() == [0, 2]
    assert not path[0].any()


def test_all_is_compiled_once():
    """Arrays that can't be written to, or lie otherwise in memory, would be new types to Numba, and take seconds."""
    library = polynomial_library("exchangeable", ("signal", "gradient"), range(3), 2)
    coefficients = np.broadcast_to(np.full((2, len(library)), 0.01), (4, 2, len(library)))
    law = BoundLibrary(library, coefficients)
    taped = TapedLaw(library, coefficients, 3, directions=np.ones((2, len(library)), dtype=bool))
    times = np.broadcast_to(np.linspace(0.0, 1.0, 3), (4, 3))
    directions = np.broadcast_to(np.zeros((2, 3, 2 * len(library))), (4, 2, 3, 2 * len(library)))
    for states in (np.ones((4, 3, 2)), np.broadcast_to(np.ones(2), (4, 3, 2)), np.ones((2, 3, 4)).T):
        law.rhs(states, times[:, 0])
        law.path(states, times, substeps=2, bound=np.broadcast_to(9.0, 4))
        data = np.broadcast_to(states[:, None], (4, 3, 3, 2))
        taped.normal_equations(states, directions, Steps.along(times, 1), np.broadcast_to(9.0, 4), data, data[..., :1])
    assert len(compiled.march.signatures) == len(compiled.derivatives.signatures) == 1


@pytest.mark.parametrize("coupling", ["independent", "exchangeable", "full"])
def test_a_copy_makes_its_tape_anew(coupling):
    """What goes to other processes is the law, not the lists that follow from it."""
    library = polynomial_library(coupling, ("signal",), range(3), 2)
    law = BoundLibrary(library, np.full((3, len(library)), 0.01))
    x, t = np.ones((2, 3, 1)), np.zeros(2)
    slopes = law.rhs(x, t)
    assert b"taped_law" not in pickle.dumps(law)
    np.testing.assert_array_equal(copy.deepcopy(law).rhs(x, t), slopes)


def test_states_of_another_shape_are_not_computed_with():
    """Compiled loops don't ask how long an array is: what NumPy refused, or broadcast, it still does."""
    rng = np.random.default_rng(0)
    shared = BoundLibrary(polynomial_library("independent", ("signal",), range(3), 2), rng.normal(size=(1, 3)))
    full = polynomial_library("full", ("signal",), range(3), 1)
    named = BoundLibrary(full, rng.normal(size=(3, len(full))))
    two = BoundLibrary(full, rng.normal(size=(2, 3, len(full))))
    for law, shape in ((shared, (1, 3, 50_000)), (named, (4, 1, 1)), (named, (1, 5, 1)), (two, (3, 3, 1))):
        with pytest.raises(ValueError):  # noqa: PT011 - NumPy's own, of shapes
            law.rhs(np.ones(shape), np.zeros(shape[0]))
    one = np.ones((1, 3, 1))
    each = np.concatenate([BoundLibrary(full, c).rhs(one, np.zeros(1)) for c in two.coefficients])
    np.testing.assert_allclose(two.rhs(one, np.zeros(1)), each)
    for t in (0.0, np.float64(0.0), [0.0], None):
        np.testing.assert_array_equal(named.rhs(one, t), named.rhs(one, np.zeros(1)))


@pytest.mark.parametrize("more", [1, 5000])
def test_a_clock_of_more_means_than_the_library_has_is_refused(more):
    library = polynomial_library("exchangeable", ("signal",), range(3), 2)
    drive = Drive(np.array([0.0, 1.0]), np.ones((2, library.n_seen + more)))
    law = BoundLibrary(library, np.full((1, len(library)), 0.1), drive)
    with pytest.raises(ValueError, match=f"expected {library.n_seen} values from outside for each of 2 states"):
        law.rhs(np.ones((2, 3, 1)), np.zeros(2))
    with pytest.raises(ValueError, match="expected 2 values from outside"):
        law.path(np.ones((2, 3, 1)), np.array([[0.0, 1.0]] * 2), substeps=1, bound=np.full(2, 9.0))


def test_inputs_of_other_members_are_refused():
    library = polynomial_library("independent", ("signal",), range(3), 1, ("lr",))
    known = KnownInputs.of([(Input("lr", [0.0], [value], "steps"),) for value in (1.0, 2.0)])
    law = BoundLibrary(library, np.full((1, len(library)), 0.1), None, known)
    with pytest.raises((ValueError, IndexError)):  # NumPy's own, of shapes
        law.rhs(np.ones((3, 3, 1)), np.zeros(3))


def test_many_features_take_no_more_memory_than_their_coefficients():
    """Lists of what derivatives need are written where they are wanted, and from the exponents that are not zero."""
    features = 200
    library = polynomial_library("full", ("signal",), range(features), 1)
    law = BoundLibrary(library, np.full((features, len(library)), 1e-3))
    tracemalloc.start()
    law.rhs(np.ones((1, features, 1)), np.zeros(1))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 20 * law.coefficients.nbytes
