"""Integrals of terms with inputs: exact in the inputs, and for parabolas on each side of a jump."""

import numpy as np
import pytest
from scipy.integrate import quad

from ecodyn import Input
from ecodyn.equations.forms import polynomial_library
from ecodyn.estimation.input_quadrature import integrals_with_inputs
from ecodyn.estimation.quadrature import span_integrals

TIMES = np.sort(np.concatenate([[0.0, 5.0], np.random.default_rng(0).uniform(0, 5, 28)]))
STARTS, SPAN = np.array([0, 3, 9, 17]), 10


def exact(function, breaks):
    points = [b for b in breaks if TIMES[0] < b < TIMES[-1]]
    each = [quad(function, TIMES[s], TIMES[s + SPAN], points=points or None, epsabs=1e-13)[0] for s in STARTS]
    return np.array(each)


@pytest.mark.parametrize(
    "curve",
    [
        Input("lr", [0, 1.33, 3.2], [1.0, -2.0, 0.5], "steps"),
        Input("lr", [0, TIMES[12], 3.2], [1.0, -2.0, 0.5], "steps"),  # one at a sample
        Input("lr", [-1, 1.33, 3.2, 6], [1.0, -2.0, 0.5, 3.0], "linear"),
    ],
)
def test_inputs_times_a_parabola_are_exact(curve):
    """x is a parabola on each side of a jump, as ẋ jumps there; terms of degree one in x are then exact."""
    jumps = curve.breaks if curve.kind == "steps" else []

    def x_at(t):
        return 1.0 + 0.3 * t - 0.2 * t**2 + sum(0.7 * max(t - b, 0.0) for b in jumps)

    x = np.array([x_at(t) for t in TIMES])[:, None, None]
    library = polynomial_library("independent", ["signal"], [1], 3, ["lr"])
    found = integrals_with_inputs(library, x, np.zeros((len(TIMES), 0)), TIMES, (curve,), STARTS, SPAN)
    for k, name in enumerate(library.names()):
        own = library.own[library.terms[k][0]][0]
        power = library.environment[library.terms[k][1]][0]
        if own <= 1:
            wanted = exact(lambda t, own=own, power=power: x_at(t) ** own * curve(t) ** power, curve.breaks)
            np.testing.assert_allclose(found[:, 0, k], wanted, atol=1e-10, err_msg=name)


def test_without_breaks_it_is_simpsons_rule():
    library = polynomial_library("independent", ["signal"], [1, 2], 2, ["lr"])
    x = np.random.default_rng(1).random((len(TIMES), 2, 1))
    held = Input("lr", [0], [1.0], "steps")
    found = integrals_with_inputs(library, x, np.zeros((len(TIMES), 0)), TIMES, (held,), STARTS, SPAN)
    plain = span_integrals(library.values(x, np.ones((len(TIMES), 1))), TIMES, STARTS, SPAN)
    np.testing.assert_allclose(found, plain, rtol=1e-10)
