"""scikit-learn's own checks of an estimator."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from ecodyn import SINDy
from ecodyn.families import Linear, LotkaVolterra, NeuralODE, Shooting

ESTIMATORS = [
    Linear(shooting=Shooting(stages=(1.0,))),
    LotkaVolterra(shooting=Shooting(refine=False)),
    SINDy(degree=2, thresholds=3, shooting=Shooting(stages=(1.0,))),  # of degree 3 a fit to noise takes thrice as long
    NeuralODE(hidden=4, matching_steps=5, rollout_steps=2),
]

# What the checks ask that an equation family does not promise: estimator -> check -> why. Nothing, at present.
EXPECTED_FAILURES: dict[str, dict[str, str]] = {}


def expected_failures(estimator):
    return EXPECTED_FAILURES.get(type(estimator).__name__, {})


@pytest.mark.filterwarnings("ignore::ecodyn.errors.DataWarning")
@parametrize_with_checks(ESTIMATORS, expected_failed_checks=expected_failures)
def test_estimator_checks(estimator, check):
    check(estimator)
