"""`ecodyn fit`: what it prints and writes, and the parameters that it takes by name."""

import json

import numpy as np
from command_line import FAMILY, run


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
