"""The examples in docstrings of the modules that public names come from are true, and every public callable has one."""

import doctest
import functools
import inspect
import re
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


def with_package(module):
    """A module and the package it is in, whose docstrings may both have examples of what is in the module."""
    return {module, module.rpartition(".")[0] or module}


MODULES = sorted({m for package in PACKAGES for name in package.__all__ for m in with_package(home(package, name))})
MODULES = [module for module in MODULES if module.startswith("ecodyn")]

CALLABLES = [
    (package, name)
    for package in PACKAGES
    for name in package.__all__
    if callable(thing := getattr(package, name)) and not (isinstance(thing, type) and issubclass(thing, BaseException))
]


@pytest.mark.parametrize("module", MODULES)
def test_examples_are_true(module):
    results = doctest.testmod(sys.modules[module], optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    assert not results.failed


def examples(documented):
    """The source of the examples in something's own docstring."""
    text = vars(documented).get("__doc__") if isinstance(documented, type) else getattr(documented, "__doc__", None)
    return "".join(example.source for example in doctest.DocTestParser().get_examples(text or ""))


def members(cls):
    """The methods and properties that a class itself defines; a value's docstring is that of its own class."""
    defined = [getattr(member, "__func__", member) for member in vars(cls).values()]
    return [m for m in defined if inspect.isfunction(m) or isinstance(m, property | functools.cached_property)]


def returned(function):
    """The name of the class that a function says it returns, such as ``Rollout``; None where it does not say."""
    annotation = getattr(function, "__annotations__", {}).get("return")
    return annotation if isinstance(annotation, str) else getattr(annotation, "__name__", None)


def named_in(name, source):
    return re.search(rf"\b{re.escape(name)}\b", source) is not None


def explained():
    """Names of the classes that public functions, and methods of public classes, return in their own examples."""
    things = [getattr(package, name) for package, name in CALLABLES]
    functions = things + [member for thing in things if isinstance(thing, type) for member in members(thing)]
    return {returned(function) for function in functions if inspect.isfunction(function) and shown(function)}


def shown(thing):
    """Whether a function or a class has an example of its own, or near it one that names it.

    Near are the docstrings of a class's methods, of the module, of its package and of the class that a function
    returns.
    """
    module = thing.__module__
    result = getattr(sys.modules[module], returned(thing) or "", None)
    near = [sys.modules[m] for m in with_package(module)] + [result] * isinstance(result, type)
    own = [thing, *(members(thing) if isinstance(thing, type) else [])]
    return any(map(examples, own)) or any(named_in(thing.__name__, examples(place)) for place in near)


@pytest.mark.parametrize(("package", "name"), CALLABLES, ids=[f"{p.__name__}.{n}" for p, n in CALLABLES])
def test_every_public_callable_has_an_example(package, name):
    """Its own, or one near it that names it; a result's may be that of the public function that returns it."""
    thing = getattr(package, name)
    assert shown(thing) or name in explained(), f"{package.__name__}.{name} has no example; write one in its docstring"
