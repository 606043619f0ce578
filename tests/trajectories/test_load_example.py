"""Data that come with the package, as trajectories."""

from pathlib import Path

import pytest

import ecodyn

DATA = Path(__file__).parents[2] / "data"


@pytest.mark.parametrize("name", ecodyn.examples())
def test_an_example_is_its_file(name):
    assert ecodyn.load_example(name) == ecodyn.load(DATA / ecodyn.examples()[name].file)


def test_changing_what_is_listed_changes_no_list():
    ecodyn.examples().clear()
    assert ecodyn.examples()
    assert ecodyn.load_example("hare_lynx").features.tolist() == ["hare", "lynx"]


def test_an_unknown_example_is_refused():
    with pytest.raises(ValueError, match="one of circles, hare_lynx, got 'iris'"):
        ecodyn.load_example("iris")
