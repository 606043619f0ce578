"""Laws of inputs in centred coordinates: signals have another zero there, inputs keep theirs."""

import warnings

import numpy as np
import pytest

import ecodyn
import ecodyn.equations.known_inputs
from ecodyn import Input, Linear, SINDy, Trajectories

STEPS = np.linspace(0, 8, 41)
CURVES = [Input("u", [0, 2.3 + r], [1.0, 0.2], "steps") for r in range(3)]
STATES = np.random.default_rng(1).uniform(0.5, 2.0, (20, 2, 1))


def noisy(zero):
    """ẋ = 0.2 − 0.5 x + 0.4 u and ẏ likewise, faster, about another zero."""
    rng, values = np.random.default_rng(0), []
    for curve in CURVES:
        at, rate = curve.breaks[0], np.array([0.5, 0.8])
        x = rng.uniform(0.2, 2, 2)
        for before in (True, False):
            rest = (0.2 + 0.4 * (1.0 if before else 0.2)) / rate
            since = np.minimum(STEPS, at) if before else np.maximum(STEPS - at, 0)
            x = rest + (x - rest) * np.exp(-rate * since[:, None])
        values.append(x + 0.01 * rng.standard_normal(x.shape) + zero)
    return Trajectories(np.array(values), STEPS, ["hare", "lynx"], labels_shared=True, inputs={"u": CURVES})


@pytest.mark.parametrize(
    "family",
    [Linear("independent"), Linear("full"), SINDy("independent", thresholds=[1e-9], degree=2, eliminate=False)],
)
def test_a_law_knows_nothing_of_the_signals_zero(family):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ecodyn.DataWarning)
        laws = {zero: family.fit(noisy(zero)).model_ for zero in (0.0, 30.0)}
    slopes = []
    for zero, law in laws.items():
        known = ecodyn.equations.known_inputs.KnownInputs.of([(CURVES[0],)] * len(STATES))
        slopes.append(law.driven(known).rhs(STATES + zero, np.linspace(0, 4, len(STATES))))
    np.testing.assert_allclose(slopes[1], slopes[0], rtol=1e-4, atol=1e-4)
