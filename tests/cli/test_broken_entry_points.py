"""What another distribution brings is broken: asked for by name it is refused, else done without, and that is said.

A folder on the path holds a distribution all of whose entry points are broken, each in another way. Commands run in
processes that see it; several of them in one, since starting it takes longer than they do.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import ecodyn

FAULTS = {
    "missing": ("no_such_module:THING", "ModuleNotFoundError: No module named 'no_such_module'"),
    "lacking": ("of_the_wrong_type:NOTHING", "module 'of_the_wrong_type' has no attribute 'NOTHING'"),
    "wrong": ("of_the_wrong_type:THING", "'six'"),
    "raising": ("that_raises:THING", "RuntimeError: this needs a licence"),
    "exiting": ("that_exits:THING", "SystemExit: this needs a licence"),
    "unreadable": ("of_no_syntax:THING", "SyntaxError"),
}
GROUPS = {
    "families": "family",
    "references": "reference model",
    "logs": "log format",
    "observables": "observable",
    "networks": "network",
    "models": "kind of model",
    "survivor_rules": "survivor rule",
}
MODULES = {
    "of_the_wrong_type": "THING = 'six'",
    "that_raises": "raise RuntimeError('this needs a licence')",
    "that_exits": "raise SystemExit('this needs a licence')",
    "of_no_syntax": "THING = (",
}
TRIED = "import sys; sys.tried_to_import_a_broken_one = True\n"  # what a module does first
TINY = ["--p", 5, "--dim", 2, "--width", 4, "--seeds", "0:2", "--steps", 3, "--jobs", 1]
PROGRAM = """
import json, sys
from typer.testing import CliRunner
from ecodyn.cli import app

def ended(arguments):
    result = CliRunner().invoke(app, arguments)
    return {
        "code": result.exit_code,
        "stdout": result.stdout,
        "stderr": result.stderr,
        "raised": None if isinstance(result.exception, SystemExit | None) else repr(result.exception),
        "tried": hasattr(sys, "tried_to_import_a_broken_one"),
    }

print(json.dumps([ended(arguments) for arguments in json.load(sys.stdin)]))
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A folder in which the distribution lies as if installed."""
    folder = tmp_path_factory.mktemp("site")
    described = folder / "broken_things-2.1.dist-info"
    described.mkdir()
    (described / "METADATA").write_text("Metadata-Version: 2.1\nName: broken-things\nVersion: 2.1\n")
    lines = [
        f"[ecodyn.{group}]\n" + "".join(f"{n} = {value}\n" for n, (value, _) in FAULTS.items()) for group in GROUPS
    ]
    (described / "entry_points.txt").write_text("\n".join(lines))
    for name, text in MODULES.items():
        (folder / f"{name}.py").write_text(TRIED + text)
    return folder


@pytest.fixture(scope="module")
def python(site):
    """Runs Python in a process that sees the distribution."""
    paths = os.pathsep.join([str(site), str(Path(ecodyn.__file__).parents[1])])
    environment = os.environ | {"PYTHONPATH": paths, "OMP_NUM_THREADS": "1"}

    def run(*arguments, **more):
        command = [sys.executable, *map(str, arguments)]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, **more)

    return run


@pytest.fixture(scope="module")
def commands(python):
    """How commands end, one after another in one process that sees the distribution."""

    def run(*lines):
        done = python("-c", PROGRAM, input=json.dumps([[str(a) for a in line] for line in lines]))
        assert done.returncode == 0, done.stderr
        results = json.loads(done.stdout)
        assert [result["raised"] for result in results] == [None] * len(lines)
        return results

    return run


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Runs, a law, a log that is known here, and the same log beside a file that is not."""
    folder = tmp_path_factory.mktemp("files")
    rng = np.random.default_rng(0)
    signal = rng.uniform(0.5, 2, (6, 1, 3)) * np.exp(-0.1 * np.arange(12.0))[:, None]
    runs = ecodyn.Trajectories(signal, np.arange(12.0))
    runs.save(folder / "runs.nc")
    ecodyn.Linear("independent").fit_model(runs).save(folder / "law.json")
    for path in (folder / "log.npy", folder / "logs" / "log.npy"):
        path.parent.mkdir(exist_ok=True)
        np.save(path, rng.standard_normal((9, 7, 4)))
    (folder / "logs" / "notes.weird").write_text("of a format that nobody here knows")
    (folder / "log.weird").write_text("of a format that nobody here knows")
    return folder


def sentence(group, fault):
    """How one entry point of the distribution is named, and what is said of it."""
    value, why = FAULTS[fault]
    point = (
        f"the {GROUPS[group]} '{fault}' of broken-things 2.1 (entry point {value} in ecodyn.{group}) can't be used: "
    )
    return point, why


def assert_said(text, group, faults=FAULTS):
    for fault in faults:
        named, why = sentence(group, fault)
        assert named in text
        assert why in text[text.index(named) :].split("; the ")[0]


def asked_for(fault, files, folder):
    """Commands that name a broken thing, by the group that it is of."""
    law = json.loads((files / "law.json").read_text())
    (folder / f"{fault}.json").write_text(json.dumps(law | {"kind": fault}))
    out = ["-o", folder / "none.nc"]
    return [
        ("families", ["fit", files / "runs.nc", "--family", fault]),
        ("families", ["compare", files / "runs.nc", "--family", f"linear,{fault}", "--jobs", 1]),
        ("survivor_rules", ["compare", files / "runs.nc", "--family", "linear", "--survivor-rule", fault, "--jobs", 1]),
        (
            "observables",
            [
                "extract",
                files / "log.npy",
                "--interval",
                5,
                "--p",
                7,
                "--token-axis",
                0,
                "--observable",
                f"signal,{fault}",
                *out,
            ],
        ),
        ("observables", ["train", *TINY, "--set", f"observables={fault}", *out]),
        ("networks", ["train", "--network", fault, "--seeds", "0:2", "--steps", 3, *out]),
        ("models", ["simulate", folder / f"{fault}.json", "--from", files / "runs.nc"]),
    ]


@pytest.mark.slow
def test_nothing_is_loaded_until_it_is_asked_for_and_then_it_is_refused(commands, files, tmp_path):
    others = [
        ["fit", files / "runs.nc", "--family", "linear"],
        ["simulate", files / "law.json", "--from", files / "runs.nc", "-o", tmp_path / "rollout.nc"],
        [
            "extract",
            files / "log.npy",
            "--interval",
            5,
            "--p",
            7,
            "--token-axis",
            0,
            "--jobs",
            1,
            "-o",
            tmp_path / "extracted.nc",
        ],
        ["inspect", tmp_path / "extracted.nc"],
        ["train", *TINY, "-o", tmp_path / "trained.nc"],
    ]
    asked = [(group, fault, line) for fault in FAULTS for group, line in asked_for(fault, files, tmp_path)]
    results = commands(*others, *(line for _, _, line in asked))
    for result in results[: len(others)]:
        assert (result["code"], result["tried"]) == (0, False), result["stderr"]
        assert "broken-things" not in result["stderr"]
    for (group, fault, _), result in zip(asked, results[len(others) :], strict=True):
        assert result["code"] == (3 if group == "models" else 2)
        assert result["stdout"] == ""
        assert_said(result["stderr"], group, [fault])
        assert "Traceback" not in result["stderr"]
    assert results[-1]["tried"]
    assert not (tmp_path / "none.nc").exists()


def test_a_path_of_no_known_format_may_be_of_a_broken_one(commands, files):
    for result in commands(["inspect", files / "log.weird"], ["extract", files / "log.weird", "-o", files / "no.nc"]):
        assert result["code"] == 3
        assert "is no training log that is known here" in result["stderr"]
        assert_said(result["stderr"], "logs")


def test_logs_beside_what_a_broken_format_may_have_known_are_extracted_and_that_is_said(commands, files, tmp_path):
    out, options = tmp_path / "out.nc", ["--interval", 5, "--p", 7, "--token-axis", 0]
    extracted, inspected = commands(
        ["extract", files / "logs", *options, "--jobs", 1, "-o", out], ["inspect", files / "logs", *options, "--json"]
    )
    assert (extracted["code"], inspected["code"]) == (0, 0)
    for result in (extracted, inspected):
        assert_said(result["stderr"], "logs")
    assert ecodyn.load(out).shape == (1, 9, 3)
    (facts,) = json.loads(inspected["stdout"])
    assert facts["format"] == "stack"


@pytest.mark.slow
def test_a_comparison_goes_on_without_them_and_its_report_says_so(commands, files, tmp_path):
    quick = ["--coupling", "independent", "--protocol", "in_sample", "--jobs", 1]
    named, everything = commands(
        ["compare", files / "runs.nc", "--family", "linear", *quick, "--json"],
        ["compare", files / "runs.nc", *quick, "-o", tmp_path / "report"],
    )
    assert (named["code"], everything["code"]) == (0, 0)
    assert_said(named["stderr"], "references")
    assert "the family" not in named["stderr"]  # none was asked for but one that is here
    assert len(json.loads(named["stdout"])["warnings"]) == len(FAULTS)
    report = json.loads((tmp_path / "report" / "report.json").read_text())
    page = (tmp_path / "report" / "report.html").read_text()
    for group in ("families", "references"):
        assert_said(everything["stderr"], group)
        assert_said("; ".join(report["warnings"]), group)
    assert page.count("broken-things 2.1") >= len(report["warnings"]) == 2 * len(FAULTS)
    compared = {model["family"] for model in report["models"]}
    assert {"linear", "lotka_volterra", "sindy", "neural_ode"} <= compared
    assert not compared & set(FAULTS)
    assert report["failures"] == []


def test_the_command_itself_ends_in_2_without_a_traceback(python, files):
    done = python("-m", "ecodyn.cli", "fit", files / "runs.nc", "--family", "exiting")
    assert done.returncode == 2
    assert done.stdout == ""
    assert_said(done.stderr, "families", ["exiting"])
    assert "Traceback" not in done.stderr


def test_a_distribution_that_lost_its_metadata_is_still_named_by_its_entry_point(python, site, files, tmp_path):
    described = tmp_path / "nameless-1.0.dist-info"
    described.mkdir()
    (described / "entry_points.txt").write_text("[ecodyn.families]\nlost = no_such_module:THING\n")
    program = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); from ecodyn.families import family; family('lost')"
    done = python("-c", program)
    assert "the family 'lost' of an unknown distribution (entry point no_such_module:THING" in done.stderr
