"""`--step-pattern` says which number in the names of checkpoints is the step."""

import json

import numpy as np
import pytest
from safetensors.numpy import save_file
from typer.testing import CliRunner

import ecodyn
from ecodyn.cli import app


def run(*arguments):
    return CliRunner().invoke(app, [str(a) for a in arguments])


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    (tmp_path / "run").mkdir()
    for i in range(12):
        save_file({"embedding": rng.standard_normal((7, 4))}, tmp_path / "run" / f"model_{i}_{50 * i}.safetensors")
    return tmp_path / "run"


@pytest.mark.parametrize(("pattern", "every"), [("model_{step}_*.safetensors", 1), ("model_*_{step}", 50)])
def test_both_readings_can_be_asked_for(folder, tmp_path, pattern, every):
    refused = run("extract", folder, "-o", tmp_path / "runs.nc", "--jobs", 1)
    assert refused.exit_code == 3
    assert "--step-pattern" in refused.stderr
    asked = ["--step-pattern", pattern, "--p", 7, "--token-axis", 0, "--jobs", 1]
    assert run("extract", folder, "-o", tmp_path / "runs.nc", *asked).exit_code == 0
    written = ecodyn.load(tmp_path / "runs.nc")
    np.testing.assert_array_equal(written.steps, every * np.arange(12))
    assert written.provenance["options"]["step_pattern"] == pattern
    (facts,) = json.loads(run("inspect", folder, "--step-pattern", pattern, "--json").stdout)
    assert f"--step-pattern '{pattern}'" in facts["command"]


def test_a_pattern_without_a_step_is_a_usage_error(folder, tmp_path):
    refused = run("extract", folder, "-o", tmp_path / "runs.nc", "--step-pattern", "model_*")
    assert refused.exit_code == 2
    assert "{step}" in refused.stderr
