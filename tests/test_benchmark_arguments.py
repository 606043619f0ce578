"""What benchmarks refuse before they begin, and what they count as named again."""

import importlib
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture
def script(monkeypatch, tmp_path):
    """A benchmark's module by name, beside a folder of its own."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    monkeypatch.chdir(tmp_path)
    before = set(sys.modules)
    yield importlib.import_module
    for name in set(sys.modules) - before:
        if getattr(sys.modules[name], "__file__", None) and BENCHMARKS in Path(sys.modules[name].__file__).parents:
            del sys.modules[name]


def refused(module, monkeypatch, capsys, *arguments):
    monkeypatch.setattr(sys, "argv", [module.__name__, *arguments])
    with pytest.raises(SystemExit) as left:
        module.main()
    assert left.value.code == 2
    assert not list(Path().iterdir())
    return capsys.readouterr().err


@pytest.mark.parametrize("count", ["1", "0", "-3"])
def test_a_scatter_takes_two_populations(script, monkeypatch, capsys, count):
    said = refused(script("training_scatter"), monkeypatch, capsys, "--populations", count)
    assert f"expected at least 2 populations, got {count}" in said


@pytest.mark.parametrize("half", ["worked_on", "held_out", "both"])
@pytest.mark.parametrize("other", [("--quick",), ("--system", "logistic")])
def test_a_half_stands_alone(script, monkeypatch, capsys, half, other):
    said = refused(script("identification"), monkeypatch, capsys, "--half", half, *other)
    assert f"expected --half or {other[0]}, got both" in said


def row(status, named=None, chance=None):
    return {"status": status, "named": named, "chance_to_repeat": chance}


def test_only_a_family_that_was_named_is_named_again(script):
    repeated = script("fresh_trainings").repeated
    nobody, linear, sindy = row("undecided"), row("decided", "linear"), row("tied", "sindy")
    assert repeated(nobody, [nobody, nobody, linear]) == (
        "nothing to name again: the shipped are undecided; 1 of 3 name a family"
    )
    assert repeated(row("decided", "linear", 0.8), [linear, nobody, sindy, linear]) == (
        "named again by 2 of 4; stated chance 0.8"
    )


@pytest.mark.parametrize("name", ["identification", "one_trajectory", "schedules", "coupling"])
def test_work_is_done_here_or_on_a_cluster(script, monkeypatch, capsys, name):
    said = refused(script(name), monkeypatch, capsys, "--jobs", "2", "--cluster", "local:2")
    assert "not allowed with argument" in said
