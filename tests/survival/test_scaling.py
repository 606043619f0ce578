import json

import numpy as np
import pytest

from ecodyn.errors import UnusableDataError
from ecodyn.runtime.json_values import plain_json
from ecodyn.survival import Survivors, scaled_runs
from ecodyn.trajectories import Trajectories

TIMES = np.arange(0.0, 41.0)
THETA = 0.1, -0.06, -0.05
FACTORS = 0.5, 1.0, 1.5


@pytest.fixture(scope="module")
def runs(solve):
    """Six starts of five features under one linear law, the third scaled at the start by each factor."""
    b, a, c = THETA
    rng = np.random.default_rng(4)
    starts = rng.uniform(1, 2, (6, 5))
    values = []
    for factor in FACTORS:
        for start in starts * [1, 1, factor, 1, 1]:
            values.append(solve(lambda t, x: b + a * x + c * x.mean(), start, TIMES))
    factor = np.repeat(FACTORS, len(starts))
    seeds = np.tile(np.arange(len(starts)), len(FACTORS))
    settings = {"scale_frequency_factor": factor, "seed": seeds}
    return Trajectories(np.array(values), TIMES, features=range(1, 6), cluster=seeds, settings=settings)


def judged(runs):
    return Survivors(runs.values[:, -1] > np.median(runs.values[:, -1]), "told", np.full(runs.n_runs, 40.0))


def test_the_law_of_the_unscaled_runs_is_asked(runs):
    (told,) = scaled_runs(runs, judged(runs))
    assert told.fates.feature == 3
    assert told.response.steps[0] == 0
    assert told.response.steps[-1] == 40
    assert told.response.fitted == pytest.approx(THETA[2], rel=1e-3)
    np.testing.assert_allclose(told.response.predicted.mean, told.response.observed.mean, atol=1e-4)
    assert np.sign(told.response.observed.mean[:, -1]).tolist() == [1, -1]  # competition: against the scaled one's
    stated = json.loads(json.dumps(plain_json(told.to_json())))
    assert stated["feature"] == 3
    assert stated["response"]["factors"] == [0.5, 1.5]


def test_without_laws_there_are_fates(runs):
    (told,) = scaled_runs(runs, judged(runs), law=False)
    assert told.response is None
    assert "response" not in told.to_json()
    assert told.fates.factors.tolist() == list(FACTORS)


def test_runs_that_nothing_was_done_to_have_nothing_to_tell(runs, fated):
    plain = runs.select(scale_frequency_factor=1.0)
    assert scaled_runs(plain, judged(plain)) == []
    assert scaled_runs(fated(), judged(fated())) == []


def test_without_the_first_step_it_cannot_be_told_what_was_scaled(runs):
    later = runs.window(5, 40)
    with pytest.raises(UnusableDataError, match=r"differ in one feature at their first step.*keep the first step"):
        scaled_runs(later, judged(later))
