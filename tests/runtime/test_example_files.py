"""Data that come with the package: those that are listed are shipped, and are what their checksums say, or refused."""

import shutil
import tomllib
from pathlib import Path

import pytest

from ecodyn.errors import UnusableDataError
from ecodyn.runtime import example_files
from ecodyn.runtime.example_files import CHECKSUMS, EXAMPLES, WITHIN, example_file

ROOT = Path(__file__).parents[2]
DATA = ROOT / "data"


@pytest.fixture
def shipped(tmp_path, monkeypatch):
    """The data within the package, as a wheel has them."""
    for file in [CHECKSUMS, *(example.file for example in EXAMPLES.values())]:
        shutil.copy(DATA / file, tmp_path)
    monkeypatch.setattr(example_files, "WITHIN", tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_clone_has_the_data_once(name):
    assert EXAMPLES[name].name == name
    assert example_file(name) == DATA / EXAMPLES[name].file
    assert EXAMPLES[name].content in str(EXAMPLES[name])
    assert EXAMPLES[name].source in str(EXAMPLES[name])


def test_a_wheel_has_what_is_listed_and_the_checksums():
    stated = tomllib.loads((ROOT / "pyproject.toml").read_text())
    put = stated["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    within = WITHIN.relative_to(ROOT)
    files = [CHECKSUMS, *(example.file for example in EXAMPLES.values())]
    assert put == {f"data/{file}": f"{within}/{file}" for file in files}


@pytest.mark.parametrize("name", EXAMPLES)
def test_what_is_within_the_package_comes_first(name, shipped):
    assert example_file(name) == shipped / EXAMPLES[name].file


@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.parametrize(
    "damage", [lambda whole: whole[:-1], lambda whole: whole + b"\n", lambda whole: whole[:99] + b"?" + whole[100:]]
)
def test_what_was_altered_is_refused(name, damage, shipped):
    file = shipped / EXAMPLES[name].file
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(UnusableDataError, match=f"{name}, was altered: .* install ecodyn-toolkit again"):
        example_file(name)


@pytest.mark.parametrize("name", EXAMPLES)
def test_what_is_missing_is_said(name, shipped):
    (shipped / EXAMPLES[name].file).unlink()
    with pytest.raises(FileNotFoundError, match="install ecodyn-toolkit again"):
        example_file(name)


@pytest.mark.parametrize("name", ["", "Circles", "circles.nc", "../data/hare_lynx"])
def test_an_unknown_name_is_answered_by_the_known_ones(name):
    with pytest.raises(ValueError, match="one of circles, hare_lynx, got") as refused:
        example_file(name)
    assert not isinstance(refused.value, UnusableDataError)  # nothing is wrong with data
