"""One command from logs to a verdict; what was extracted stays beside the report."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

import ecodyn
from ecodyn.cli import app

P, D, T = 7, 6, 30
ASKED = ["--family", "linear", "--coupling", "exchangeable", "--protocol", "unseen_runs", "--jobs", 1]


def run(*arguments):
    return CliRunner().invoke(app, [str(a) for a in arguments])


@pytest.fixture
def logs(tmp_path):
    """Six trainings whose circles decay, each frequency at its own rate; p is not stated in them."""
    angle = 2 * np.pi * np.arange(P)[:, None] * np.arange(1, 4) / P
    circles = np.stack([np.cos(angle), np.sin(angle)], axis=2).reshape(P, D)
    rng = np.random.default_rng(0)
    for seed in range(6):
        sizes = np.repeat(rng.uniform(1, 3, 3), 2) * np.exp(-0.1 * np.arange(T))[:, None]
        np.savez(tmp_path / f"seed_{seed}.npz", frames=circles * sizes[:, None], steps=np.arange(T))
    return sorted(tmp_path.glob("seed_*.npz"))


def test_the_verdict_is_that_of_extracted_trajectories_and_these_are_kept(logs, tmp_path):
    flags = ["--p", P, "--token-axis", 0]
    done = run("compare", *logs, *flags, *ASKED, "-o", tmp_path / "report")
    assert done.exit_code == 0, done.stderr
    kept = tmp_path / "report" / "trajectories.nc"
    assert str(kept) in done.stderr.replace("\n", "")
    again = run("compare", kept, *ASKED)
    assert again.exit_code == 0
    assert again.stdout == done.stdout
    report = json.loads((tmp_path / "report" / "report.json").read_text())
    assert report["data"]["request"]["p"] == P
    assert ecodyn.load(kept).n_runs == 6


def test_without_a_folder_it_is_said_that_nothing_is_kept(logs):
    done = run("compare", *logs, "--p", P, "--token-axis", 0, *ASKED)
    assert done.exit_code == 0
    assert "extracted 6 runs" in done.stderr


@pytest.mark.parametrize("command", [["compare", *ASKED], ["fit", "--family", "linear"]], ids=["compare", "fit"])
def test_a_log_that_is_cut_off_costs_only_itself(command, logs):
    """What is said of the others stands; the exit code says that not all is in it."""
    recorded = [log.with_name(f"known_{log.name}") for log in logs]
    for log, copy in zip(logs, recorded, strict=True):
        np.savez(copy, embeddings=np.load(log)["frames"], steps=np.arange(T), p=P)
    recorded[2].write_bytes(recorded[2].read_bytes()[:300])
    done = run(*command[:1], *recorded, *command[1:])
    assert done.exit_code == 5
    assert "a log of these can't be used, without which this goes on: " in " ".join(done.stderr.split())
    assert recorded[2].name in "".join(done.stderr.split())
    without = run(*command[:1], *recorded[:2], *recorded[3:], *command[1:])
    assert without.exit_code == 0
    assert done.stdout == without.stdout != ""


def test_what_is_open_is_asked_for_with_flags_that_the_command_has(logs, tmp_path):
    refused = run("compare", *logs, *ASKED, "-o", tmp_path / "report")
    assert refused.exit_code == 3
    assert "--p" in refused.stderr
    assert not (tmp_path / "report" / "trajectories.nc").exists()
    other = run("fit", *logs)
    assert other.exit_code == 3
    assert "'ecodyn extract'" in " ".join(other.stderr.split())


def test_an_earlier_extraction_is_not_replaced_unasked(logs, tmp_path):
    kept = tmp_path / "report" / "trajectories.nc"
    kept.parent.mkdir()
    kept.write_text("mine")
    refused = run("compare", *logs, "--p", P, "--token-axis", 0, *ASKED, "-o", kept.parent)
    assert refused.exit_code == 2
    assert kept.read_text() == "mine"


def test_several_files_of_either_kind(logs, tmp_path):
    written = tmp_path / "first.nc"
    assert run("extract", *logs[:3], "--p", P, "--token-axis", 0, "-o", written, "--jobs", 1).exit_code == 0
    done = run("compare", written, *logs[3:], "--p", P, "--token-axis", 0, *ASKED, "--json")
    assert done.exit_code == 0, done.stderr
    whole = run("compare", *logs, "--p", P, "--token-axis", 0, *ASKED, "--json")
    skills = [json.loads(out.stdout)["models"][0]["skill"] for out in (done, whole)]
    assert skills[0] == pytest.approx(skills[1], rel=1e-12)
