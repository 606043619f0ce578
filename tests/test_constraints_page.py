"""What `docs/constraints.md` says is so: its example runs, and what its table has are constraints."""

import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ecodyn.cli import app
from ecodyn.families.constraint_text import parse

PAGE = (Path(__file__).parents[1] / "docs" / "constraints.md").read_text()
BLOCKS = re.findall(r"```(python)?\n(.*?)```", PAGE, re.DOTALL)
PYTHON = [code for language, code in BLOCKS if language]
COMMANDS = [line for language, code in BLOCKS if not language for line in code.splitlines()]
ROWS = [line.split(" | ")[0] for line in PAGE.split("## What a constraint may say")[1].split("\n\n")[1].splitlines()]
TEXTS = [text for cell in ROWS[2:] for text in re.findall(r"`([^`]+)`", cell)]


@pytest.mark.parametrize("text", TEXTS)
def test_the_table_has_constraints(text):
    parse(text)


def test_the_page_has_a_table_and_commands():
    assert len(TEXTS) > 15
    assert len(COMMANDS) == 3


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::ecodyn.errors.DataWarning")
def test_the_example_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for code in PYTHON:
        exec(code, {})
    assert "constraints active" in capsys.readouterr().out
    result = CliRunner().invoke(app, shlex.split(COMMANDS[-1])[1:])
    assert result.exit_code == 0, result.stderr
    assert "A symmetric, A[oak,ash] >= -0.3; squares of rollouts" in " ".join(result.stderr.split())


def test_every_flag_on_the_page_is_one_of_the_commands():
    known = " ".join(CliRunner().invoke(app, [name, "--help"]).output for name in ("fit", "compare"))
    assert not [flag for flag in set(re.findall(r"--[a-z]+", PAGE)) if flag not in known]
