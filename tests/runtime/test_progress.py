"""The bar of work that takes long: on terminals and in notebooks, and nowhere else."""

import builtins
import importlib.util
import io

import numpy as np
import pytest
from rich.console import Console

from ecodyn import Trajectories, compare
from ecodyn.runtime.progress import progress_bar, shown


def drawn(console):
    with progress_bar("fitting", None, console) as advance:
        advance(1, 4, "linear")
        advance(4, 4, "sindy")
    return console.file.getvalue()


def test_a_terminal_has_a_bar():
    text = drawn(Console(file=io.StringIO(), force_terminal=True, width=80))
    assert "fitting: sindy" in text
    assert "━" in text


def test_a_log_has_none():
    assert "sindy" not in drawn(Console(file=io.StringIO(), force_terminal=False))


def test_a_notebook_without_widgets_has_a_line(monkeypatch, capsys):
    shell = type("ZMQInteractiveShell", (), {})()
    monkeypatch.setattr(builtins, "get_ipython", lambda: shell, raising=False)
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "ipywidgets" else found(name))
    with progress_bar("fitting", None) as advance:
        advance(1, 4, "linear")
        advance(2, None, "a name that is longer than a line of a notebook " * 3)
    lines = capsys.readouterr().err.split("\r")
    assert lines[1].startswith("fitting: 1/4 linear ")
    assert lines[2].startswith("fitting: 2 a name")
    assert {len(line.rstrip("\n")) for line in lines[1:]} == {79}
    assert lines[-1].endswith("\n")


def test_a_line_ends_where_work_does(monkeypatch, capsys):
    """What follows, an error too, begins on a line of its own."""
    shell = type("ZMQInteractiveShell", (), {})()
    monkeypatch.setattr(builtins, "get_ipython", lambda: shell, raising=False)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)

    def fail():
        with progress_bar("fitting", None) as advance:
            advance(1, 4, "linear")
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        fail()
    assert capsys.readouterr().err.endswith("\n")


def test_what_progress_stands_for():
    def own(done, total, what):
        return None

    with shown(own, "x") as progress:
        assert progress is own
    for nothing in (None, False):
        with shown(nothing, "x") as progress:
            assert progress is None
    with shown(True, "x") as progress:
        assert callable(progress)


@pytest.mark.parametrize("progress", [True, False, None])
def test_a_comparison_takes_true(progress, monkeypatch, capsys):
    """The result is the same, and on what is a terminal its models' names go by."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TTY_INTERACTIVE", "1")
    starts = np.linspace(1.0, 3.0, 18).reshape(6, 1, 3)
    decays = Trajectories(starts * np.exp(-0.1 * np.arange(30.0))[:, None], np.arange(30.0))
    found = compare(decays, ["linear"], ["independent"], protocols=["unseen_runs"], progress=progress)
    assert str(found.verdict.best) == "linear/independent"
    assert ("comparing" in capsys.readouterr().err) == (progress is True)
