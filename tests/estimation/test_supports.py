"""Supports along a path: what bisection leaves out, and PySINDy's own optimisers."""

import numpy as np
import pytest

from ecodyn.equations.forms import polynomial_library
from ecodyn.equations.library import EXCHANGEABLE, INDEPENDENT
from ecodyn.estimation import Samples, Supports, match
from ecodyn.estimation.integral_matching import MatchedIntegrals
from ecodyn.systems import SYSTEMS, simulate


def matched(coupling, own_coefficients):
    data = simulate(SYSTEMS["competition"], runs=4, seed=2)
    samples = Samples.of(data)
    library = polynomial_library(coupling, ("signal",), data.features.tolist())
    return MatchedIntegrals.combine(match(library, samples, per_feature=own_coefficients))


@pytest.mark.parametrize(("coupling", "own"), [(EXCHANGEABLE, False), (INDEPENDENT, True)])
def test_along_a_path_they_are_what_each_threshold_gives(coupling, own):
    """Bisection takes thresholds between two of one support for granted."""
    regression = matched(coupling, own)
    path = np.geomspace(1e-5, 1.0, 40)
    fresh = Supports(regression, 1e-6)
    assert all(
        np.array_equal(support, fresh.at(t))
        for support, t in zip(Supports(regression, 1e-6).along(path), path.tolist(), strict=True)
    )


@pytest.mark.parametrize("threshold", [1e-4, 1e-2, 0.3])
def test_pysindys_stlsq_keeps_the_same(threshold):
    from pysindy.optimizers import STLSQ

    regression = matched(EXCHANGEABLE, False)
    theirs = Supports(regression, 1e-6, STLSQ(alpha=1e-6, unbias=False))
    assert np.array_equal(theirs.at(threshold), Supports(regression, 1e-6).at(threshold))
