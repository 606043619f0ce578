"""The examples in the docstrings of tables are true."""

import doctest
import importlib
import pkgutil

import pytest

import ecodyn.tables

MODULES = [f"ecodyn.tables.{module.name}" for module in pkgutil.iter_modules(ecodyn.tables.__path__)]


@pytest.mark.parametrize("module", ["ecodyn.tables", "ecodyn.trajectories.tabular", *MODULES])
def test_examples_are_true(module):
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    assert not doctest.testmod(importlib.import_module(module), optionflags=flags).failed


def test_every_public_callable_of_tables_has_an_example():
    for name in ("TableOptions", "interpret", "read_table"):
        assert ">>>" in getattr(ecodyn.tables, name).__doc__
