"""The examples in docstrings of the modules that public names come from are true."""

import doctest
import sys

import pytest

import ecodyn
import ecodyn.report
import ecodyn.survival
import ecodyn.systems
import ecodyn.training

PACKAGES = (ecodyn, ecodyn.report, ecodyn.survival, ecodyn.training, ecodyn.systems)


def home(package, name):
    """The module that defines a public name; a constant is at home where its package says that it is."""
    thing = getattr(package, name)
    return getattr(thing, "__module__", None) or getattr(package, "_HOME", {}).get(name, package.__name__)


MODULES = sorted({home(package, name) for package in PACKAGES for name in package.__all__})
MODULES = [module for module in MODULES if module.startswith("ecodyn")]


@pytest.mark.parametrize("module", MODULES)
def test_examples_are_true(module):
    results = doctest.testmod(sys.modules[module], optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    assert not results.failed
