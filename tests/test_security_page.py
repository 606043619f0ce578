"""SECURITY.md names the tests that hold its sentences, and each is there and is run."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
NAMED = re.findall(r"\[(tests/[\w/]+\.py)::(\w+)\]", (ROOT / "SECURITY.md").read_text())


@pytest.mark.parametrize(("file", "name"), NAMED)
def test_a_test_that_is_named_is_there(file, name):
    functions = {n.name for n in ast.parse((ROOT / file).read_text()).body if isinstance(n, ast.FunctionDef)}
    assert name in functions


def test_each_sentence_on_strangers_files_has_one():
    rows = re.findall(r"^\| (?!what|---).*$", (ROOT / "SECURITY.md").read_text(), re.MULTILINE)
    assert rows
    assert [row for row in rows if "[tests/" not in row] == []
