"""Which law is linear is told by its terms, not by its family's name."""

from dataclasses import replace

import numpy as np
import pytest

from ecodyn import Linear, LotkaVolterra, Shooting, Trajectories
from ecodyn.equations.forms import polynomial_library
from ecodyn.survival import law_response

FACTOR = "scale_frequency_factor"


@pytest.fixture
def scaled():
    """Two starts, each with its first feature as it is and raised by a fifth, that relax linearly together."""
    starts = np.array([[1.0, 1.4, 0.8], [1.2, 1.4, 0.8], [0.9, 0.7, 1.3], [1.08, 0.7, 1.3]])
    a, c = -0.06, -0.05
    t = np.arange(21.0)[:, None]
    mean = starts.mean(axis=1)[:, None, None]
    signal = (starts[:, None] - mean) * np.exp(a * t) + mean * np.exp((a + c) * t)
    settings = {FACTOR: [1.0, 1.2, 1.0, 1.2]}
    return Trajectories(signal, t[:, 0], cluster=[0, 0, 1, 1], settings=settings)


def law_of(runs, family, **more):
    plain = runs.select(**{FACTOR: 1.0})
    return family("exchangeable", shooting=Shooting(refine=False), **more).fit(plain).model_


def test_the_same_equation_under_another_name_has_the_same_implied_coupling(scaled):
    law = law_of(scaled, Linear)
    law = replace(
        law, coefficients=np.array([[{"1": 0.0, "x": -0.06, "mean_x": -0.05}[n] for n in law.library.names()]])
    )
    own, renamed = (law_response(scaled, model) for model in (law, replace(law, family="relaxation")))
    assert renamed.fitted == own.fitted == -0.05
    np.testing.assert_array_equal(renamed.implied.mean, own.implied.mean)
    np.testing.assert_allclose(own.implied.mean[:, 1:], -0.05, rtol=1e-9)


def test_a_larger_library_without_other_coefficients_is_linear(scaled):
    law = law_of(scaled, Linear)
    library = polynomial_library("exchangeable", law.channels, law.features)
    coefficients = np.array([[{"x": -0.06, "mean_x": -0.05}.get(name, 0.0) for name in library.names()]])
    selected = replace(law, family="sindy", library=library, coefficients=coefficients)
    assert law_response(scaled, selected).fitted == -0.05
    cubic = replace(selected, coefficients=coefficients + 1e-3)
    assert law_response(scaled, cubic).implied is None


def test_a_law_with_other_terms_is_not(scaled):
    law = law_of(scaled, LotkaVolterra)
    assert law_response(scaled, replace(law, family="linear")).implied is None
