"""`ecodyn extract` and `ecodyn inspect` on logs: what they write and say, and how they end."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from safetensors.numpy import save_file
from typer.testing import CliRunner

import ecodyn
from ecodyn.cli import app


def run(*arguments):
    return CliRunner().invoke(app, [str(a) for a in arguments])


def walk(seed, rows=40, p=7, d=4):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((p, d)) + np.cumsum(0.05 * rng.standard_normal((rows, p, d)), axis=0)


@pytest.fixture
def checkpoints(tmp_path):
    """Six folders of checkpoints, a file every ten steps."""
    for seed in range(6):
        folder = tmp_path / "runs" / f"seed_{seed}"
        folder.mkdir(parents=True)
        for i, embedding in enumerate(walk(seed)):
            save_file({"embedding": embedding}, folder / f"step_{10 * i}.safetensors", {"p": "7"})
    return tmp_path / "runs"


def test_from_checkpoints_to_a_verdict(checkpoints, tmp_path):
    out = tmp_path / "mine.nc"
    result = run("extract", *sorted(checkpoints.iterdir()), "-o", out, "--note", "learning_rate=0.01", "--jobs", 2)
    assert result.exit_code == 0, result.stderr
    runs = ecodyn.load(out)
    assert runs.shape == (6, 40, 3)
    expected = np.linalg.norm(np.fft.fft(walk(2), axis=1), axis=-1)
    np.testing.assert_allclose(runs.select(runs=["seed_2"]).values[0], expected[:, 1:4], rtol=1e-10)
    np.testing.assert_array_equal(runs.steps, np.arange(0, 400, 10))
    assert runs.provenance["learning_rate"] == 0.01
    compared = run(
        "compare", out, "--family", "linear", "--coupling", "exchangeable", "--protocol", "unseen_runs", "--jobs", 1
    )
    assert compared.exit_code == 0, compared.stderr
    assert "On trainings not seen" in compared.stdout


def test_a_folder_of_runs_is_its_runs(checkpoints, tmp_path):
    one, many = tmp_path / "one.nc", tmp_path / "many.nc"
    assert run("extract", checkpoints, "-o", one, "--jobs", 1).exit_code == 0
    assert run("extract", *sorted(checkpoints.iterdir()), "-o", many, "--jobs", 1).exit_code == 0
    np.testing.assert_array_equal(ecodyn.load(one).values, ecodyn.load(many).values)


def test_inspect_names_the_command_that_extracts(checkpoints, tmp_path):
    before = sorted(tmp_path.rglob("*"))
    (facts,) = json.loads(run("inspect", checkpoints / "seed_0", "--json").stdout)
    assert (facts["format"], facts["p"], facts["d"], facts["frames"]) == ("checkpoints", 7, 4, [40, 7, 4])
    assert "nothing found" in run("inspect", checkpoints / "seed_0").stderr
    assert sorted(tmp_path.rglob("*")) == before
    words = facts["command"].split()
    assert words[:2] == ["ecodyn", "extract"]
    words[words.index("runs.nc")] = str(tmp_path / "runs.nc")
    assert run(*words[1:]).exit_code == 0


def test_inspect_repeats_what_it_was_told(tmp_path):
    np.save(tmp_path / "stack.npy", walk(0, p=6))
    (facts,) = json.loads(run("inspect", tmp_path / "stack.npy", "--interval", 5, "--p", 6, "--json").stdout)
    assert "--interval 5.0 --p 6" in facts["command"]
    words = facts["command"].split()
    words[words.index("runs.nc")] = str(tmp_path / "runs.nc")
    assert run(*words[1:]).exit_code == 0
    assert ecodyn.load(tmp_path / "runs.nc").steps[-1] == 195


def test_values_are_those_of_every_request(checkpoints, tmp_path):
    seed = checkpoints / "seed_0"
    np.save(tmp_path / "directions.npy", np.eye(7)[:2])
    for name, flags, expected in (
        ("a", ["--every", 4], np.linalg.norm(np.fft.fft(walk(0), axis=1), axis=-1)[::4, 1:4]),
        ("b", ["--project", tmp_path / "directions.npy"], np.linalg.norm(walk(0)[:, :2], axis=-1)),
        ("c", ["--observable", "singular_values"], np.linalg.svd(walk(0), compute_uv=False)),
        ("d", ["--tokens", "0:5"], np.linalg.norm(np.fft.fft(walk(0)[:, :5], axis=1), axis=-1)[:, 1:3]),
    ):
        out = tmp_path / f"{name}.nc"
        result = run("extract", seed, "-o", out, "--jobs", 1, *flags)
        assert result.exit_code == 0, result.stderr
        np.testing.assert_allclose(ecodyn.load(out).values[0], expected, rtol=1e-10)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["nowhere"], 2, "there is no file"),
        (["{empty}"], 3, "empty folder"),
        (["{seed}", "--key", "weight"], 3, "embedding (7, 4)"),
        (["{seed}", "--p", "5"], 3, "expected p = 5"),
        (["{seed}", "--observable", "beauty"], 2, "unknown observables beauty"),
        (["{seed}", "--observable", "gradient"], 3, "has no gradients"),
        (["{seed}", "--tokens", "all"], 2, "FIRST:END"),
        (["{seed}", "{stack}"], 3, "same features"),
    ],
)
def test_refusals_say_what_to_do_and_write_nothing(checkpoints, tmp_path, arguments, code, said):
    places = {"empty": tmp_path / "empty", "seed": checkpoints / "seed_0", "stack": tmp_path / "stack.npz"}
    places["empty"].mkdir()
    np.savez(places["stack"], embeddings=walk(9, p=11), steps=np.arange(40), p=11)
    result = run("extract", *(a.format(**places) for a in arguments), "-o", tmp_path / "out.nc", "--jobs", 1)
    assert result.exit_code == code
    assert said in " ".join(result.stderr.split())
    assert not (tmp_path / "out.nc").exists()


def test_an_existing_output_is_refused_before_the_work(checkpoints, tmp_path):
    out = tmp_path / "out.nc"
    out.write_bytes(b"mine")
    assert run("extract", checkpoints, "-o", out).exit_code == 2
    assert out.read_bytes() == b"mine"
    assert run("extract", checkpoints, "-o", out, "--force", "--jobs", 1).exit_code == 0


def test_what_could_be_extracted_is_kept(checkpoints, tmp_path):
    (checkpoints / "seed_3" / "step_50.safetensors").write_bytes(b"broken")
    save_file({"embedding": np.full((7, 4), np.nan)}, checkpoints / "seed_4" / "step_50.safetensors")
    (checkpoints / "seed_3" / "step_50.safetensors").unlink()
    out = tmp_path / "out.nc"
    result = run("extract", checkpoints, "-o", out, "--jobs", 1)
    assert result.exit_code == 5
    assert "not finite" in result.stderr
    assert ecodyn.load(out).runs.tolist() == [f"seed_{s}" for s in (0, 1, 2, 3, 5)]
    mended = run("extract", checkpoints, "-o", out, "--force", "--repair", "--jobs", 1)
    assert mended.exit_code == 0
    assert ecodyn.load(out).lengths.tolist() == [40, 40, 40, 39, 5, 40]


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
def test_a_killed_extraction_leaves_nothing_under_the_final_name(tmp_path):
    stack = tmp_path / "stack.npy"
    rows = np.lib.format.open_memmap(stack, "w+", np.float64, (20_000, 59, 128))  # sparse: zeros, read quickly
    rows.flush()
    out = tmp_path / "out.nc"
    command = [sys.executable, "-m", "ecodyn.cli", "extract", stack, "--interval", "1", "-o", out, "--jobs", "1"]
    child = subprocess.Popen([str(c) for c in command], stderr=subprocess.DEVNULL)
    time.sleep(1.0)
    child.send_signal(signal.SIGKILL)
    child.wait(timeout=30)
    if child.returncode == -signal.SIGKILL:
        assert not out.exists()
