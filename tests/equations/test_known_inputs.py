"""Inputs of a batch: whose curve is whose, where steps are cut, and right-hand sides that they enter."""

import numpy as np
import pytest

from ecodyn import Input
from ecodyn.equations import known_inputs
from ecodyn.equations.forms import linear_library, lotka_volterra_library, polynomial_library
from ecodyn.equations.known_inputs import KnownInputs
from ecodyn.equations.right_hand_side import BoundLibrary

STEP = Input("lr", [0, 1, 2], [1.0, 0.5, 0.25], "steps")
RAMP = Input("lr", [0, 1.5, 4], [0.0, 3.0, 3.0], "linear")
OTHER = Input("lr", [-1, 0.7], [2.0, 4.0], "steps")


def test_each_member_has_its_own_curve():
    known = KnownInputs.of([(STEP,), (OTHER,), (STEP,)])
    assert len(known.curves) == 2  # those that are the same are kept once
    t = np.array([0.999, 0.7, 1.0])
    np.testing.assert_array_equal(known(t)[:, 0], [1.0, 4.0, 0.5])
    np.testing.assert_array_equal(known.take(np.array([1, 1, 0]))(t)[:, 0], [4.0, 4.0, 0.5])
    both = KnownInputs.concat([known, None, KnownInputs.of([(OTHER,)])])
    np.testing.assert_array_equal(both(np.zeros(4))[:, 0], [1.0, 2.0, 1.0, 2.0])
    assert KnownInputs.concat([None, None]) is None


@pytest.mark.parametrize("most", [0, 1000])
@pytest.mark.parametrize("alone", [True, False])
def test_a_batch_reads_curves_as_they_are(alone, most, monkeypatch):
    monkeypatch.setattr(known_inputs, "MOST_ENTRIES", most)
    times = np.linspace(-0.5, 5, 200)
    for curve in (STEP, OTHER, RAMP):
        beside = OTHER if curve.kind == "steps" else Input("lr", [0, 4], [1, 0], "linear")
        known = KnownInputs.of([(curve,)] * len(times) if alone else [*[(curve,)] * (len(times) - 1), (beside,)])
        np.testing.assert_allclose(known(times)[:-1, 0], curve(times)[:-1], atol=1e-15)


def test_intervals_are_cut_at_breaks_of_their_member():
    known = KnownInputs.of([(STEP,), (OTHER,)])
    times = np.array([[0.0, 0.5, 3.0, 4.0], [0.0, 0.5, 3.0, 3.0]])
    whole, cut, after = known.cuts(times)
    assert whole is None
    assert after is None
    np.testing.assert_array_equal(cut, [[0.5, 1.0, 2.0, 3.0], [0.5, 0.7, 3.0, 3.0]])


@pytest.mark.parametrize("coupling", ["independent", "exchangeable", "full"])
@pytest.mark.parametrize("make", [linear_library, lotka_volterra_library, polynomial_library])
def test_sensitivities_are_derivatives(make, coupling):
    """By the state and by coefficients, against differences; inputs answer to neither."""
    library = make(coupling, ["signal"], [1, 2, 3], inputs=["lr", "wd"])
    rng = np.random.default_rng(0)
    rows = 3 if coupling == "full" else 1
    coefficients = rng.standard_normal((rows, len(library)))
    known = KnownInputs.of([(STEP, Input("wd", [0, 2], [1.0, 3.0], "linear"))] * 2)
    x, t = rng.uniform(0.5, 1.5, (2, 3, 1)), np.array([0.3, 1.2])
    bound = BoundLibrary(library, coefficients, inputs=known)
    jacobian = bound.jacobian(x[..., 0], t)
    for j in range(3):
        moved = np.zeros_like(x)
        moved[:, j] = 1e-6
        difference = (bound.rhs(x + moved, t) - bound.rhs(x - moved, t))[..., 0] / 2e-6
        np.testing.assert_allclose(jacobian[:, :, j], difference, atol=1e-7)
    terms = bound.sensitivity(x, t).terms()
    slopes = np.einsum(
        "bkt,kt->bk", np.broadcast_to(terms, (2, 3, len(library))), np.broadcast_to(coefficients, (3, len(library)))
    )
    np.testing.assert_allclose(slopes, bound.rhs(x, t)[..., 0], atol=1e-12)


def test_libraries_have_an_input_once():
    assert linear_library("exchangeable", ["signal"], [1, 2], ["lr"]).names() == ["1", "x", "mean_x", "lr"]
    assert lotka_volterra_library("exchangeable", ["signal"], [1, 2], ["lr"]).names() == [
        "x",
        "x**2",
        "x*mean_x",
        "x*lr",
    ]
    assert len(polynomial_library("exchangeable", ["signal"], [1, 2])) == 14
    degrees = polynomial_library("independent", ["signal"], [1, 2], 2, ["lr"]).names()
    assert set(degrees) == {"1", "x", "lr", "x**2", "x*lr", "lr**2"}
    assert "mean_lr" not in polynomial_library("exchangeable", ["signal"], [1, 2], inputs=["lr"]).names()
