"""Registries: names cost nothing until they are asked for, and unknown ones are refused with those there are."""

import sys

import pytest

from ecodyn.runtime.registry import EntryPointError, Registry


def numbers_only(name, thing):
    if not isinstance(thing, int | float):
        raise TypeError(f"{name} is no number")


def constants(**more):
    return Registry("constant", "ecodyn.tests.constants", {"pi": "math:pi", "wrong": "no_such_module:x"} | more)


def test_what_is_built_in_is_loaded_when_it_is_asked_for():
    registry = constants()
    assert list(registry) == ["pi", "wrong"]
    assert registry["pi"] == pytest.approx(3.14159265, abs=1e-8)
    with pytest.raises(ModuleNotFoundError):
        registry["wrong"]


def test_a_later_one_takes_the_place_of_an_earlier():
    registry = constants()
    registry.register("pi", 3)
    registry.register("e", 2.7)
    assert (registry["pi"], registry["e"], list(registry)) == (3, 2.7, ["pi", "wrong", "e"])


def test_an_unknown_name_is_refused_with_those_there_are():
    with pytest.raises(ValueError, match=r"unknown constant 'tau'; there are pi, wrong"):
        constants().named("tau")
    with pytest.raises(KeyError):
        constants()["tau"]


def test_what_is_none_of_the_sort_is_refused():
    registry = Registry("constant", "ecodyn.tests.constants", {}, numbers_only)
    with pytest.raises(TypeError, match="word is no number"):
        registry.register("word", "three")


def test_another_distribution_adds_to_it(tmp_path, monkeypatch):
    folder = tmp_path / "constants-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: constants\nVersion: 1.0\n")
    (folder / "entry_points.txt").write_text("[ecodyn.tests.constants]\ntau = of_another:TAU\nbad = of_another:BAD\n")
    (tmp_path / "of_another.py").write_text("TAU = 6.28\nBAD = 'six'\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    registry = Registry("constant", "ecodyn.tests.constants", {"pi": "math:pi"}, numbers_only)
    assert list(registry) == ["pi", "bad", "tau"]
    assert registry.named("tau") == 6.28
    with pytest.raises(TypeError, match="bad is no number"):
        registry["bad"]


def test_a_broken_distribution_is_named_and_stops_no_other(tmp_path, monkeypatch):
    folder = tmp_path / "constants-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: constants\nVersion: 1.0\n")
    lines = ["absent = no_such_module:X", *(f"{n} = broken_or_not:{n.upper()}" for n in ("bad", "pi", "tau"))]
    (folder / "entry_points.txt").write_text("[ecodyn.tests.constants]\n" + "\n".join(lines))
    (tmp_path / "broken_or_not.py").write_text("TAU = 6.28\nBAD = 'six'\nPI = 3\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    registry = Registry("constant", "ecodyn.tests.constants", {"pi": "math:pi"}, numbers_only)
    assert [name for name, _ in registry.usable()] == ["pi", "tau"]
    assert registry.named("pi") > 3
    absent, bad, taken = registry.problems()
    assert "'absent' of constants 1.0 (entry point no_such_module:X in ecodyn.tests.constants)" in absent
    assert "No module named 'no_such_module'" in absent
    assert "bad is no number" in bad
    assert "another constant of that name" in taken
    for name in ("absent", "bad", "bad"):
        with pytest.raises(EntryPointError, match="of constants"):
            registry.named(name)
