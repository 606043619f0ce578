"""`ecodyn fit`: what it prints and writes, and the parameters that it takes by name."""

import json

import numpy as np
from command_line import FAMILY, run

import ecodyn


def test_fit_of_a_neural_map_is_wrong_usage(circles):
    result = run("fit", circles, "--family", "neural_ode", "--dynamics", "map")
    assert result.exit_code == 2
    assert "neural_ode" in result.stderr


def test_time_is_dynamics(circles):
    asked = [["--dynamics", "map"], ["--time", "map"], ["--dynamics", "map", "--time", "map"], []]
    fits = [json.loads(run("fit", circles, *FAMILY, *flags, "--json").stdout) for flags in asked]
    assert [fit["dynamics"] for fit in fits] == ["map", "map", "map", "flow"]
    assert fits[0]["coefficients"] == fits[1]["coefficients"] == fits[2]["coefficients"]


def test_fit_prints_its_model_as_json(circles):
    document = json.loads(run("fit", circles, *FAMILY, "--json").stdout)
    assert document["family"] == "linear"
    assert len(document["coefficients"][0]) == len(document["terms"]) == 3
    assert len(document["diagnostics"]["variance_inflation"][0]) == 3
    (equilibrium,) = document["equilibria"]["equilibria"]
    b, a, c = document["coefficients"][0]
    np.testing.assert_allclose(equilibrium["state"], -b / (a + c))


def test_fit_says_where_the_law_stands_still(circles):
    result = run("fit", circles, *FAMILY)
    assert "VIF" in result.stderr
    assert "1 equilibrium from" in result.stderr


def test_fit_takes_parameters_by_name(circles):
    assert run("fit", circles, *FAMILY, "--set", "refine=false", "--set", "ridge=1e-3").exit_code == 0
    assert run("fit", circles, *FAMILY, "--set", "shooting__refine=false").exit_code == 0
    result = run("fit", circles, *FAMILY, "--set", "colour=blue")
    assert result.exit_code == 2
    assert "colour" in result.stderr
    assert "ridge" in result.stderr


def test_equations_that_nobody_reads_are_not_printed(tmp_path):
    """A full law of 150 features has 22 650 coefficients; how to have them is said instead."""
    times = np.arange(8.0)
    start = np.random.default_rng(3).uniform(1, 3, (4, 1, 150))
    ecodyn.Trajectories(start * np.exp(-0.1 * times)[:, None], times, labels_shared=True).save(tmp_path / "wide.nc")
    result = run("fit", tmp_path / "wide.nc", "--family", "linear", "--coupling", "full", "--set", "refine=false")
    assert result.exit_code == 0
    assert result.stdout == ""
    assert "coefficients aren't printed: --json" in " ".join(result.stderr.split())
    assert "more" in result.stderr


def test_one_law_for_named_features_is_said_unless_it_is_asked_for(tmp_path):
    times = np.arange(12.0)
    (tmp_path / "table.csv").write_text(
        "step,aphid,moth\n" + "".join(f"{t},{2 * 0.9**t},{3 * 0.8**t}\n" for t in times)
    )
    asked = ["fit", tmp_path / "table.csv", "--family", "linear"]
    assert "one law for all features" in run(*asked).stderr
    assert "one law for all features" not in run(*asked, "--coupling", "exchangeable").stderr
    assert "one law for all features" not in run(*asked, "--coupling", "full").stderr
