"""``--example NAME`` is the file of that name, in every command that reads trajectories."""

import json
import os
import subprocess
import sys

import pytest
from command_line import run

import ecodyn
from ecodyn.runtime import example_files

NAME = "hare_lynx"
FAMILY = ["--family", "lotka_volterra", "--coupling", "full"]
READING = ["compare", "fit", "inspect", "merge", "survival"]  # whose arguments are the data


def refused(result, code=2):
    assert result.exit_code == code, result.output
    return " ".join(result.stderr.replace("│", " ").split())


@pytest.fixture(scope="module")
def path():
    return ecodyn.examples()[NAME].path


@pytest.fixture(scope="module")
def law(tmp_path_factory, path):
    law = tmp_path_factory.mktemp("law") / "law.json"
    assert run("fit", path, *FAMILY, "-o", law).exit_code == 0
    return law


@pytest.mark.parametrize(
    "arguments",
    [
        ["fit", *FAMILY],
        ["compare", "--family", "linear", "--coupling", "full", "--protocol", "forecast", "--jobs", "1"],
        ["survival", "--no-laws", "--early", "1901", "--rule", "twice_mean"],
    ],
    ids=lambda arguments: arguments[0],
)
def test_an_example_is_its_file(arguments, path):
    by_path, by_name = run(*arguments, path), run(*arguments, "--example", NAME)
    assert by_name.stdout == by_path.stdout
    assert by_name.exit_code == by_path.exit_code


def test_inspect_says_what_it_is_and_what_is_next(path):
    result = run("inspect", "--example", NAME, "--json")
    assert str(ecodyn.examples()[NAME]) in result.stderr
    by_name, by_path = json.loads(result.stdout), json.loads(run("inspect", path, "--json").stdout)
    assert by_name.pop("command") == f"ecodyn compare --example {NAME} -o report"
    assert by_name.items() <= by_path.items()


def test_rollouts_start_from_an_example(law, path):
    by_path, by_name = run("simulate", law, "--from", path), run("simulate", law, "--example", NAME)
    assert by_name.exit_code == 0
    assert by_name.stdout == by_path.stdout


def test_an_example_is_merged(path, tmp_path):
    assert run("merge", "--example", NAME, "-o", tmp_path / "all").exit_code == 0
    assert ecodyn.load(tmp_path / "all").values.tolist() == ecodyn.load(path).values.tolist()


@pytest.mark.parametrize("command", READING)
def test_an_example_is_all_the_data(command, path, tmp_path):
    further = ["-o", str(tmp_path / "all")] if command == "merge" else []
    assert f"--example {NAME} is all the data" in refused(run(command, path, "--example", NAME, *further))
    assert "or --example with one of circles, hare_lynx" in refused(run(command, *further))
    assert "one of circles, hare_lynx, got 'iris'" in refused(run(command, "--example", "iris", *further))


def test_rollouts_start_from_one_thing(law, path):
    assert f"--example {NAME} is all the data" in refused(run("simulate", law, "--from", path, "--example", NAME))
    assert "or --example with one of circles, hare_lynx" in refused(run("simulate", law))


def test_an_altered_example_ends_in_3(path, tmp_path, monkeypatch):
    (tmp_path / "SHA256SUMS").write_text((path.parent / "SHA256SUMS").read_text())
    (tmp_path / path.name).write_text(path.read_text().replace("47.2", "47.3"))
    monkeypatch.setattr(example_files, "WITHIN", tmp_path)
    assert "was altered" in refused(run("inspect", "--example", NAME), 3)


@pytest.mark.parametrize("command", READING)
def test_shells_complete_the_names(command):
    words = f"ecodyn {command} --example "
    asked = {"_ECODYN_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": "3"}
    done = subprocess.run(
        [sys.executable, "-c", "import sys; sys.argv = ['ecodyn']; from ecodyn.cli import main; main()"],
        env={**os.environ, **asked},
        capture_output=True,
        text=True,
    )
    assert done.stdout.split() == list(ecodyn.examples()), done.stderr
