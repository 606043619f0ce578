"""Delayed signals: their names are nothing else's, and a rollout's history is of the map's own steps."""

import numpy as np
import pytest

import ecodyn
from ecodyn.equations.forms import polynomial_library
from ecodyn.errors import UnusableDataError
from ecodyn.families.own_terms import with_terms
from ecodyn.trajectories import Trajectories

DELAYED = "signal,signal@-1"


def driven(steps=24, **options):
    """x(t + 1) = 0.5 x(t) + 0.3 x(t − 1), from random pasts."""
    x = np.empty((4, steps, 2))
    x[:, :2] = np.random.default_rng(0).normal(size=(4, 2, 2))
    for n in range(1, steps - 1):
        x[:, n + 1] = 0.5 * x[:, n] + 0.3 * x[:, n - 1]
    return Trajectories(x, np.arange(steps), **options)


@pytest.mark.parametrize(
    "family",
    [
        ecodyn.Linear("independent", DELAYED, dynamics="map"),
        ecodyn.Formula("r*x + s*lag1", state=DELAYED, dynamics="map"),
    ],
)
def test_an_input_or_observable_that_is_called_like_a_delay_is_refused(family):
    data = driven()
    family.fit(data)
    named = data.with_inputs(lag1=([0, 10], [0.0, 1.0]), kind="steps")
    with pytest.raises(UnusableDataError, match="an input of that name"):
        family.fit(named)
    with pytest.raises(UnusableDataError, match="an observable of that name"):
        family.fit(driven(observables={"lag1": np.ones(data.values.shape)}))


@pytest.mark.parametrize("coupling", ["independent", "exchangeable", "full"])
def test_terms_of_ones_own_are_of_delayed_signals(coupling):
    library = polynomial_library(coupling, DELAYED.split(","), ["a", "b"], degree=1)
    names = ["sin(lag1_a)", "sin(lag1_b)"] if coupling == "full" else ["sin(lag1)"]
    for terms in (["sin(lag1)"], [lambda lag1: np.sin(lag1)]):
        found = with_terms(library, terms)
        assert len(found) == len(library) + len(names)
    assert with_terms(library, ["sin(lag1)"]).names()[-len(names) :] == names
    x = np.random.default_rng(1).normal(size=(3, 2, 2))
    values = with_terms(library, ["sin(lag1)"]).values(x)[..., -len(names) :]
    wanted = np.sin(x[:, None, :, 1]) if coupling == "full" else np.sin(x[..., 1:])
    np.testing.assert_allclose(values, wanted)


def test_a_history_of_other_steps_than_the_maps_is_refused():
    data = driven()
    law = ecodyn.Linear("independent", DELAYED, dynamics="map").fit(data)
    assert law.score(data) > 1 - 1e-9
    with pytest.raises(UnusableDataError, match="got 2 in 4 of 4 runs"):
        law.score(data.every(2))
    lacking = np.zeros(data.values.shape, dtype=bool)
    lacking[0, 1, 0] = True
    with pytest.warns(ecodyn.DataWarning), pytest.raises(UnusableDataError, match="got 2 in 1 of 4 runs"):
        law.score(driven(missing=lacking))


def test_where_a_term_of_ones_own_has_no_value_is_told_by_the_datas_step():
    values = np.abs(driven().values) + 0.5
    values[1, 7, 0] = -1.0  # which is the delayed signal of step 8
    data = Trajectories(values, np.arange(values.shape[1]))
    for term, step in (("log(x)", 7), ("log(lag1)", 8)):
        law = ecodyn.SINDy("independent", DELAYED, dynamics="map", terms=[term])
        with pytest.raises(UnusableDataError, match=f"in run 1 at step {step} "):
            law.fit(data)
