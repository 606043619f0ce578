"""`ecodyn fit --set`: parameters by name, several numbers with commas, and what is of the wrong type ends in 2."""

import json

import pytest
from command_line import FAMILY, run

from ecodyn.cli.arguments import parameter


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.25,1", (0.25, 1)),
        ("0.5,", (0.5,)),
        ("1,2,3", (1, 2, 3)),
        ("0.5", 0.5),
        ("signal,velocity", "signal,velocity"),
        ("1,x", "1,x"),
        (",", ","),
        ("1,,2", "1,,2"),
        ("true", True),
        ("none", None),
    ],
)
def test_numbers_with_commas_are_a_tuple(text, value):
    name, read = parameter(f"option={text}", "--set")
    assert (name, read, type(read)) == ("option", value, type(value))


def test_stages_are_set(circles):
    result = run("fit", circles, *FAMILY, "--set", "stages=0.25,1", "--json")
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["provenance"]["parameters"]["shooting"]["stages"] == [0.25, 1]
    one = json.loads(run("fit", circles, *FAMILY, "--set", "stages=0.5,", "--json").stdout)
    assert one["provenance"]["parameters"]["shooting"]["stages"] == [0.5]


@pytest.mark.parametrize(
    ("family", "setting", "said"),
    [
        ("linear", "stages=0.5", "stages is a tuple of shares of the window in (0, 1]"),
        ("linear", "stages=0.5,x", "got '0.5,x'"),
        ("linear", "shooting__stages=none", "got None"),
        ("linear", "intervals=many", "intervals is a whole number of at least 1, got 'many'"),
        ("linear", "intervals=2.5", "got 2.5"),
        ("linear", "estimate_starts=maybe", "estimate_starts is 'auto', True or False, got 'maybe'"),
        ("linear", "ridge=true", "ridge is 'auto' or a number of at least 0, got True"),
        ("linear", "method=3", "method of matching is 'integral' or 'derivative', got 3"),
        ("linear", "matching=derivative", "matching is a Matching(...), or None for the default one, got 'derivative'"),
        ("linear", "per_feature=yes", "per_feature is True or False, got 'yes'"),
        ("linear", "state=5", "expected a state as text"),
        ("linear", "coupling=5", "got 5"),
        ("linear", "dynamics=none", "got None"),
        ("lotka_volterra", "self_interaction=maybe", "self_interaction is True or False, got 'maybe'"),
        ("sindy", "thresholds=many", "thresholds is a number of them"),
        ("sindy", "degree=cubic", "degree is a whole number of at least 0, got 'cubic'"),
        ("sindy", "max_terms=1.5", "max_terms is a whole number of at least 1, got 1.5"),
        ("sindy", "optimizer=STLSQ", "optimizer is one of PySINDy's optimisers"),
        ("neural_ode", "hidden=wide", "hidden is a whole number of at least 1, got 'wide'"),
        ("neural_ode", "random_state=x", "random_state is a whole number of at least 0, got 'x'"),
        ("neural_ode", "rollout_share=whole", "rollout_share is a share of the window in (0, 1], got 'whole'"),
    ],
)
def test_a_parameter_of_the_wrong_type_ends_in_2_with_a_sentence(circles, family, setting, said):
    result = run("fit", circles, "--family", family, "--set", setting)
    assert result.exit_code == 2, result.exception
    assert said in result.stderr
    assert isinstance(result.exception, SystemExit)
    assert result.stdout == ""


def test_an_option_of_what_is_no_configuration_ends_in_2(circles):
    result = run("fit", circles, *FAMILY, "--set", "shooting=long", "--set", "stages=0.5,")
    assert result.exit_code == 2, result.exception
    assert "shooting is a Shooting(...), or None for the default one, got 'long'" in result.stderr
