"""What `docs/resuming.md` says is so: its options exist, its Python runs, and its table has the exit codes."""

import inspect
import re
import signal
from pathlib import Path

import pytest
from typer.testing import CliRunner

import ecodyn
from ecodyn.cli import app
from ecodyn.runtime.fingerprints import WITHOUT_A_SAY

PAGE = (Path(__file__).parents[1] / "docs" / "resuming.md").read_text()


def test_its_options_exist():
    asked = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", PAGE))
    said = CliRunner().invoke(app, ["compare", "--help"], env={"COLUMNS": "300", "TERM": "dumb", "NO_COLOR": "1"})
    assert {"--resume", "--force", "--margin"} <= asked
    assert [option for option in asked if option not in said.output] == []


def test_its_python_runs(linear_runs, tmp_path, monkeypatch):
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    data = linear_runs(runs=2, steps=20, features=2)
    monkeypatch.setattr(ecodyn, "load", lambda _: data)
    monkeypatch.chdir(tmp_path)
    exec(compile(code.replace("60, 1000", "0, 19"), "docs/resuming.md", "exec"), {})
    assert list((tmp_path / "finished").glob("*.npz"))


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="has no SIGHUP")
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_exit_codes(name):
    (row,) = [line for line in PAGE.splitlines() if line.startswith("|") and name in line]
    assert row.split("|")[-2].strip() == str(128 + getattr(signal, name))


def test_rooms_without_a_say_are_rooms_that_no_comparison_computes_with():
    package = Path(inspect.getfile(ecodyn)).parent
    assert all((package / room).is_dir() for room in WITHOUT_A_SAY)
    below = {"comparison", "families", "estimation", "formulas", "equations", "rollouts", "statistics", "trajectories"}
    assert not below & set(WITHOUT_A_SAY)
