"""Written families take no inputs, whatever these and their parameters are called, and say so before any fit."""

import numpy as np
import pytest

from ecodyn import Input, Trajectories
from ecodyn.errors import DataWarning, UnusableDataError
from ecodyn.families import family

STEPS = np.arange(12.0)
VALUES = np.exp(-0.1 * STEPS)[None, :, None] * [1.0, 2.0]
NAMES = ["gompertz", "replicator", "share"]


def estimator(name):
    kind = family(name)
    return kind(kind.couplings[0])


@pytest.mark.parametrize("name", NAMES)
def test_an_input_called_as_a_parameter_leaves_it_one(name):
    written = estimator(name)
    parameter = written.statement.parameters[0]
    with pytest.warns(DataWarning, match="nothing shows what it does"):
        still = Trajectories(VALUES, STEPS, inputs={parameter: Input(parameter, [0], [0.3], "steps")})
    written.check(still)
    assert written.statement_for(still).parameters == written.statement.parameters
    assert any(f"the input {parameter} has one value" in note for note in written.notes(still))


@pytest.mark.parametrize("name", [*NAMES, "hill", "power_law", "consumer_resource", "linear_hidden"])
def test_inputs_that_vary_are_refused_by_the_check_and_by_nothing_else(name):
    written = estimator(name)
    varying = Trajectories(VALUES, STEPS, inputs={"lr": Input("lr", [0, 5], [0.3, 0.1], "steps")})
    with pytest.raises(UnusableDataError, match=f"{name} has no terms in any, got lr, which vary"):
        written.check(varying)
    assert written.statement_for(varying).parameters == written.statement.parameters
    written.notes(varying)
