"""``--constraint`` of fit and compare: what it asks for is held, said and refused in sentences."""

import json

import numpy as np
import pytest
from command_line import run

from ecodyn import Trajectories

MATCHED = ("--coupling", "full", "--set", "refine=false")  # quick


@pytest.fixture(scope="module")
def relaxing(tmp_path_factory):
    """Runs of two features that relax to zero, coupled as a symmetric matrix has it, with noise."""
    rng, times = np.random.default_rng(0), np.linspace(0, 3, 13)
    modes = np.exp(-np.outer(times, [0.5, 1.5]))[None] * rng.normal(size=(4, 1, 2))
    x = np.stack([modes[..., 0] + modes[..., 1], modes[..., 0] - modes[..., 1]], axis=-1)
    path = tmp_path_factory.mktemp("data") / "relaxing.nc"
    x = x + 0.02 * rng.normal(size=x.shape)
    Trajectories(x, times, features=["u", "v"], labels_shared=True).save(path)
    return path


def test_fits_hold_it(relaxing):
    result = run("fit", relaxing, *MATCHED, "--constraint", "A symmetric", "--constraint", "b = 0", "--json")
    assert result.exit_code == 0, result.stderr
    law = json.loads(result.stdout)
    rows = np.array(law["coefficients"])
    assert rows[0, 2] == rows[1, 1]
    assert not rows[:, 0].any()
    assert law["provenance"]["parameters"]["constraints"] == ["A symmetric", "b = 0"]
    assert law["diagnostics"]["constraints"]["active"] == ["A symmetric", "b = 0"]


def test_the_table_says_what_is_active(relaxing):
    result = run("fit", relaxing, *MATCHED, "--constraint", "A symmetric")
    assert "constraints active, to which intervals keep: A symmetric" in " ".join(result.stderr.split())


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--coupling", "full", "--constraint", "A symetric"], "got 'symetric'"),
        (["--family", "neural_ode", "--constraint", "stable"], "neural_ode is none"),
        (["--family", "auto", "--constraint", "stable"], "--family auto chooses all but the data itself"),
        (["--formula", "a*x", "--constraint", "a < 0"], "formula is none"),
    ],
)
def test_what_is_wrong_is_a_usage_error(relaxing, options, said):
    result = run("fit", relaxing, *options)
    assert result.exit_code == 2
    assert said in " ".join(result.stderr.replace("│", " ").split())


def test_comparisons_have_laws_under_them_beside_those_without(relaxing):
    options = ["--family", "linear", "--protocol", "forecast", "--jobs", "1", "--json"]
    result = run("compare", relaxing, *options, "--constraint", "A symmetric")
    assert result.exit_code == 0, result.stderr
    report = json.loads(result.stdout)
    names = {(m["coupling"], m["variant"]) for m in report["models"] if m["family"] == "linear"}
    assert ("full", "constraints=['A symmetric']") in names
    assert ("full", "") in names
    assert not any(variant for coupling, variant in names if coupling != "full")
    assert "linear/independent, linear/exchangeable" in " ".join(result.stderr.split())


def test_a_comparison_with_no_such_coefficients_is_refused(relaxing):
    result = run("compare", relaxing, "--family", "linear", "--coupling", "independent", "--constraint", "A symmetric")
    assert result.exit_code == 2
    assert "no family that is compared has such coefficients" in " ".join(result.stderr.replace("│", " ").split())
