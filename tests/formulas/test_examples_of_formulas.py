"""The examples in the docstrings of formulas, and of the families that are written as such, are true."""

import doctest
import importlib
import pkgutil

import pytest

import ecodyn.formulas
from ecodyn.families import FURTHER, family

MODULES = [
    *(f"ecodyn.formulas.{module.name}" for module in pkgutil.iter_modules(ecodyn.formulas.__path__)),
    *(family(name).__module__ for name in FURTHER),
    "ecodyn.families.formula_model",
    "ecodyn.families.profile_likelihood",
]


@pytest.mark.parametrize("module", MODULES)
def test_examples_are_true(module):
    results = doctest.testmod(importlib.import_module(module), optionflags=doctest.NORMALIZE_WHITESPACE)
    assert not results.failed
