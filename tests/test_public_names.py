"""What the package's root promises: the same names at run time and for type checkers, and nothing heavy before use."""

import ast
from pathlib import Path

import pytest

import ecodyn


def test_every_public_name_is_there():
    for name in ecodyn.__all__:
        assert getattr(ecodyn, name).__name__ == name
    assert set(ecodyn.__all__) <= set(dir(ecodyn))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = ecodyn.nothing


def test_type_checkers_see_what_is_loaded():
    """The imports for types and the table of what is loaded on first use name the same things, from the same places."""
    tree = ast.parse(Path(ecodyn.__file__).read_text())
    guarded = next(node for node in tree.body if isinstance(node, ast.If))
    seen = {alias.name: node.module for node in guarded.body for alias in node.names}
    assert seen == ecodyn._HOME
    assert sorted(seen) == sorted(ecodyn.__all__)


def test_what_goes_wrong_can_be_caught_by_name():
    with pytest.raises(ecodyn.UnusableDataError):
        ecodyn.Trajectories([[[float("nan")]]], [0])
    assert issubclass(ecodyn.UnusableDataError, ValueError)
    assert issubclass(ecodyn.OutputExistsError, FileExistsError)
    assert issubclass(ecodyn.DataWarning, UserWarning)
    assert issubclass(ecodyn.NothingFittedError, RuntimeError)
