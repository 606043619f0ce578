"""What `docs/collections.md` says is so: its example runs, and its commands and index are as it lists them."""

import json
import re
import shlex
from pathlib import Path

import numpy as np
import typer

import ecodyn
from ecodyn.cli.commands import app

PAGE = (Path(__file__).parents[1] / "docs" / "collections.md").read_text()
BLOCKS = re.findall(r"```(python)?\n(.*?)```", PAGE, re.DOTALL)


def collection(folder):
    rng = np.random.default_rng(0)
    runs = ecodyn.Trajectories(rng.random((20, 11, 2)), np.arange(11) * 100, settings={"dim": [128] * 19 + [64]})
    runs.save(folder / "part_1.nc")
    ecodyn.merge([folder / "part_1.nc"], folder / "all")
    return runs


def test_the_example_runs_as_the_page_says(tmp_path, monkeypatch, capsys):
    runs = collection(tmp_path)
    monkeypatch.chdir(tmp_path)
    (code,) = (text for language, text in BLOCKS if language)
    held = {}
    exec(compile(code, "docs/collections.md", "exec"), held)
    assert held["runs"] == runs.select(dim=128).window(60, 1000).every(5)
    assert held["few"].runs.tolist() == [0, 17, 4]
    assert float(capsys.readouterr().out) == held["runs"].values.mean()


def test_its_commands_have_the_options_that_it_names():
    commands = typer.main.get_command(app).commands
    lines = [line for language, text in BLOCKS if not language for line in text.splitlines() if "ecodyn " in line]
    assert len(lines) >= 9
    for line in lines:
        name, *words = shlex.split(re.search(r"ecodyn ([^'#]*)", line)[1])
        known = {option for parameter in commands[name].params for option in parameter.opts}
        assert {word for word in words if word.startswith("-")} <= known, line


def test_the_index_has_the_entries_that_the_page_lists(tmp_path):
    collection(tmp_path)
    entries = json.loads((tmp_path / "all" / "index.json").read_text())
    section = PAGE.split("## index.json")[1]
    assert set(entries) == set(re.findall(r"`(\w+)`", section)) - {"name", "bytes", "sha256"}
    assert set(entries["files"][0]) == {"name", "runs", "bytes", "sha256"}
