"""What a release is made of says one thing: one version, all files, and a README that a package index can show."""

import re
import tomllib
from pathlib import Path

import ecodyn

ROOT = Path(__file__).parents[1]
BUILD = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]
FOR_DEVELOPERS = {".gitignore", ".pre-commit-config.yaml"}
ADDED = {"PKG-INFO", "pyproject.toml"}  # by hatchling, which puts .gitignore in too


def readme_of_the_index():
    hook = BUILD["metadata"]["hooks"]["fancy-pypi-readme"]
    text = "".join((ROOT / fragment["path"]).read_text() for fragment in hook["fragments"])
    for change in hook["substitutions"]:
        text = re.sub(change["pattern"], change["replacement"], text)
    return text


def test_one_version():
    newest = re.search(r"^## (\S+) \((.*)\)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    cited = re.search(r"^version: (\S+)$", (ROOT / "CITATION.cff").read_text(), re.MULTILINE)
    assert newest[1] == cited[1] == ecodyn.__version__
    assert re.fullmatch(r"unreleased|\d{4}-\d\d-\d\d", newest[2])


def test_versions_go_down():
    found = re.findall(r"^## (\d+)\.(\d+)\.(\d+) ", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    versions = [tuple(map(int, version)) for version in found]
    assert versions == sorted(set(versions), reverse=True)


def test_an_index_shows_no_link_that_leads_nowhere():
    text = readme_of_the_index()
    targets = re.findall(r"\]\(([^)]*)\)", text)
    assert [target for target in targets if not target.startswith("https:")] == []
    assert "![" not in text
    written = re.findall(r"(?<!!)\[[^\]]*\]\(([^)#]*)", (ROOT / "README.md").read_text())
    assert [target for target in written if target not in text] == []  # each page is named


def test_all_that_is_no_habit_of_developers_is_in_the_source_distribution():
    included = {path.strip("/") for path in BUILD["build"]["targets"]["sdist"]["include"]}
    assert [path for path in included if not (ROOT / path).exists()] == []
    files = {path.name for path in ROOT.iterdir() if path.is_file() and path.name != ".git"}
    assert files - FOR_DEVELOPERS - ADDED <= included
    for test in (ROOT / "tests").rglob("*.py"):
        for folder in re.findall(r'parents\[\d\] / "([\w.]+)"', test.read_text()):
            assert folder in {*included, *(p.name for p in (ROOT / "tests").iterdir()), *ADDED}, test
