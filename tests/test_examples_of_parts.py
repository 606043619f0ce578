"""Examples in modules whose classes public ones derive from or return, which the test of docstrings does not open."""

import doctest
import importlib

import pytest

MODULES = [
    "ecodyn.families.predictor",
    "ecodyn.families.printing",
    "ecodyn.rollouts.skill",
    "ecodyn.trajectories.sequence",
]


@pytest.mark.parametrize("module", MODULES)
def test_examples_are_true(module):
    results = doctest.testmod(
        importlib.import_module(module), optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    )
    assert results.attempted
    assert not results.failed
