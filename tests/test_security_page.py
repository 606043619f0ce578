"""SECURITY.md names the tests that hold its sentences, and each is there and is run."""

import ast
import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

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


def test_least_versions_lie_above_known_weaknesses():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = [*project["dependencies"], *(one for extra in project["optional-dependencies"].values() for one in extra)]
    held = [requirement for requirement in map(Requirement, asked) if requirement.specifier]
    least = {requirement.name: min(Version(one.version) for one in requirement.specifier) for requirement in held}
    safe = dict(re.findall(r"^\* ([\w-]+) ([\d.]+): .*CVE-", (ROOT / "SECURITY.md").read_text(), re.MULTILINE))
    assert len(safe) >= 6
    for name, version in safe.items():
        assert least[name] >= Version(version), name
