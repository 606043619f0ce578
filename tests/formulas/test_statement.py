"""What names of a formula stand for, and which coupling that makes."""

import pytest

from ecodyn.formulas.statement import check_labels, known_among, statement_of


@pytest.mark.parametrize(
    ("formula", "state", "parameters", "coupling"),
    [
        ("b - a*x", "signal", ("b", "a"), "independent"),
        ("b - a*x + c*mean(x)", "signal", ("b", "a", "c"), "exchangeable"),
        ("a*sum(x**n)", "signal", ("a", "n"), "exchangeable"),
        ("r*x - c*x*x_hare", "signal", ("r", "c"), "full"),
        ("r*x - c*mean(x*x_hare)", "signal", ("r", "c"), "full"),
        ("a*gradient - b*x*t", "signal,gradient@start", ("a", "b"), "independent"),
        ("-k*x - c*velocity", "signal,velocity", ("k", "c"), "independent"),
        ("a*gradient", "signal", ("gradient", "a"), "independent"),
    ],
)
def test_names(formula, state, parameters, coupling):
    statement = statement_of(formula, state)
    assert sorted(statement.parameters) == sorted(parameters)
    assert statement.coupling == coupling


def test_means_inside_means_come_first():
    statement = statement_of("a*mean((x - mean(x))**2) + b*mean(x) + c*x_7")
    names = [getattr(part, "name", None) or part.function for part in statement.environment]
    assert names == ["x_7", "mean", "mean"]
    assert statement.environment[1].arguments[0].name == "x"


@pytest.mark.parametrize(
    ("formula", "state", "sentence"),
    [
        ("a*signal", "signal", "expected x, a feature's own signal"),
        ("a*velocity", "signal", "signal,velocity"),
        ("a*mean_x", "signal", r"mean\(...\)"),
        ("a*x", "signal,gradient", "gradient@start"),
        ("x*(1 - x)", "signal", "parameter to be estimated"),
        ("+".join(f"a{i}" for i in range(31)), "signal", "at most 30 parameters, got 31"),
    ],
)
def test_what_can_not_be_meant_is_a_sentence(formula, state, sentence):
    with pytest.raises(ValueError, match=sentence):
        statement_of(formula, state)


def test_features_and_observables_are_not_taken_for_parameters():
    pairs = {
        "x_har*a": r"hare, lynx, got x_har \(did you mean hare\?\)",
        "a*x*lynx": "write x_lynx for its signal",
        "a*pull": "add pull@start to the state",
    }
    for formula, sentence in pairs.items():
        with pytest.raises(ValueError, match=sentence):
            check_labels(statement_of(formula), ["hare", "lynx"], ["pull"], shared=True)
    with pytest.raises(ValueError, match="labels_shared=True"):
        check_labels(statement_of("a*x_hare"), ["hare", "lynx"], [], shared=False)
    check_labels(statement_of("a*x_7"), [7, 11], [], shared=True)


def test_unknown_parameters_come_with_what_may_be_meant():
    with pytest.raises(ValueError, match=r"rate, K, got 'rat', which is not in the formula \(did you mean rate\?\)"):
        known_among(["rat"], statement_of("rate*x*(1 - x/K)"), "starts")
    with pytest.raises(ValueError, match="'x', which is no parameter"):
        known_among(["x"], statement_of("rate*x"), "starts")
