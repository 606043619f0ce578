"""Profiles of parameters: parabolas where a law is linear in them, open where the data don't tell them."""

import numpy as np
import pytest

from ecodyn.errors import DataWarning, UnusableDataError
from ecodyn.families.formula import Formula
from ecodyn.trajectories import Trajectories

STEPS = np.arange(25.0)


def decays(runs=5, noise=0.01, level=0.0):
    rng = np.random.default_rng(0)
    starts = rng.uniform(1, 2, (runs, 1, 2))
    clean = level + starts * np.exp(-0.1 * STEPS[:, None])
    return Trajectories(clean + noise * rng.normal(size=clean.shape), STEPS)


def test_the_profile_of_a_well_told_parameter_is_the_interval_over_runs():
    data = decays()
    law = Formula("-a*x", positive=["a"]).fit(data)
    profile = law.profile("a", data)
    d = law.model_.diagnostics
    np.testing.assert_allclose([profile.low, profile.high], [d.low[0, 0], d.high[0, 0]], rtol=0.01)
    assert profile.told
    assert profile.t.min() == 0
    assert (np.diff(profile.values) > 0).all()


@pytest.mark.slow
def test_a_parameter_that_another_makes_up_for_is_open():
    data = decays()
    with pytest.warns(DataWarning, match="a and c can't be told"):
        profile = Formula("-a*c*x", positive="all").profile("a", data)
    assert not profile.told
    assert "do not bound it from below and above" in profile.sentence
    product = profile.values * profile.parameters["c"]
    np.testing.assert_allclose(product, product[0], rtol=1e-3)


def test_what_has_no_profile_is_a_sentence():
    law = Formula("-a*x")
    with pytest.raises(ValueError, match="parameters a, got 'b'"):
        law.profile("b", decays())
    with pytest.raises(UnusableDataError, match="at least 2 independent runs"):
        law.profile("a", decays(runs=1))
