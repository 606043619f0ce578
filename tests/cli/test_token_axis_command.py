"""`ecodyn extract` asks which axis has the tokens, `ecodyn inspect` shows the readings, and its commands run."""

import json
import shlex

import numpy as np
import pytest
from safetensors.numpy import save_file
from typer.testing import CliRunner

import ecodyn
from ecodyn.cli import app

P, D = 11, 16


def run(*arguments):
    return CliRunner().invoke(app, [str(a) for a in arguments])


@pytest.fixture
def log(tmp_path):
    """(d, p + 1) embeddings of one growing circle; "=" is the last token."""
    a, folder = np.arange(P), tmp_path / "a run"
    folder.mkdir()
    rng = np.random.default_rng(0)
    plane = rng.standard_normal((2, D))
    for step in range(3):
        E = 0.01 * rng.standard_normal((P + 1, D))
        E[:P] += (step + 1) * np.stack([np.cos(6 * np.pi * a / P), np.sin(6 * np.pi * a / P)], axis=1) @ plane
        save_file({"embed.W_E": np.ascontiguousarray(E.T)}, folder / f"step_{step}.safetensors")
    return folder


@pytest.mark.parametrize("flags", [[], ["--p", P], ["--tokens", f"0:{P}"], ["--token-axis", 1]])
def test_extract_asks_with_the_flags_of_each_reading(log, tmp_path, flags):
    refused = run("extract", log, "-o", tmp_path / "runs.nc", "--jobs", 1, *flags)
    assert refused.exit_code == 3
    assert f"--tokens 0:{P}: {P} of the {P + 1} entries of axis 1 are the tokens" in refused.stderr
    assert not (tmp_path / "runs.nc").exists()


def test_the_commands_that_inspect_lists_run(log, tmp_path):
    shown = run("inspect", log, "--json")
    assert shown.exit_code == 0
    (facts,) = json.loads(shown.stdout)
    assert (facts["p"], facts["d"], facts["features"]) == (None, None, None)
    for n, reading in enumerate(facts["readings"]):
        words = shlex.split(reading["command"])
        words[words.index("runs.nc")] = str(tmp_path / f"{n}.nc")
        done = run(*words[1:], "--jobs", 1)
        assert done.exit_code == 0, done.stderr
        runs = ecodyn.load(tmp_path / f"{n}.nc")
        assert runs.n_features == reading["features"]
        if (reading["token_axis"], reading["p"]) == (1, P):
            assert reading["strongest"][0]["feature"] == 3
            assert runs.features[np.argmax(runs.values[0, -1])] == 3
    table = " ".join(run("inspect", log).stderr.split())
    assert "reading 6" in table
    assert "the command of the reading that is right" in table


def test_inspect_takes_a_reading(log):
    (facts,) = json.loads(run("inspect", log, "--token-axis", 1, "--tokens", f"0:{P}", "--json").stdout)
    assert (facts["p"], facts["d"], facts["readings"], facts["wrong"]) == (P, D, [], [])
    assert f"--token-axis 1 --tokens 0:{P}" in facts["command"]
