"""Implicit steps that end at a jump of an input see slopes of before it, also where the jump is a stored step."""

import numpy as np
import pytest

from ecodyn import Input
from ecodyn.equations.known_inputs import KnownInputs
from ecodyn.rollouts.stiff_marching import march_stiff


@pytest.mark.parametrize("jump", [2.0, np.nextafter(2.0, 0.0), 1.7])
def test_what_a_stiff_law_has_reached_by_a_stored_jump_is_that_of_before(jump):
    known, rate = KnownInputs.of([(Input("u", [0.0, jump], [0.0, 1.0], "steps"),)]), 200.0
    times = np.arange(5.0)[None]

    def rhs(x, t):
        return -rate * (x - known(t)[:, :, None])

    path = march_stiff(
        rhs,
        lambda x, t: np.full((len(x), 1, 1), -rate),
        np.zeros((1, 1, 1)),
        times,
        substeps=4,
        cuts=known.cuts(times),
    )
    found = np.array([x[0, 0, 0] for _, x, alive in path if alive.all()])
    # From 0 towards u: nothing moves before the jump, and a whole step after it all is settled.
    settled = jump < 1.9
    np.testing.assert_allclose(found[:2], 0.0, atol=1e-12)
    np.testing.assert_allclose(found[2], 1.0 if settled else 0.0, atol=1e-3)
    np.testing.assert_allclose(found[3:], 1.0, atol=1e-3)
