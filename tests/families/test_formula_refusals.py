"""What is no formula, no name or no model file of one is refused in a sentence."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

import ecodyn
from ecodyn.cli.commands import app
from ecodyn.families.hill import Hill
from ecodyn.families.share import Share

X = 2 / (1 + np.array([9.0, 4.0, 2.0]) * np.exp(-0.2 * np.arange(40.0)[:, None]))


@pytest.fixture(scope="module")
def document(tmp_path_factory):
    path = tmp_path_factory.mktemp("law") / "law.json"
    ecodyn.Formula("r*x*(1 - x/K)", positive="all").fit(X).model_.save(path)
    return json.loads(path.read_text())


@pytest.mark.parametrize(
    "change",
    [
        {"parameters": {"r": 10**400, "K": 2.0}},
        {"parameters": {"r": 0.2, "K": 0.0}},
        {"family": 3},
        {"formula": ["a*x"]},
        {"drive": {"times": [60], "values": [[1]]}},
        {"drive": {"times": [0, 1], "values": [[], []]}},
        {"drive": {"times": [[0, 1]], "values": [[1], [2]]}},
    ],
)
def test_model_files_with_wrong_parts(document, change, tmp_path):
    path = tmp_path / "law.json"
    path.write_text(json.dumps(document | change))
    with pytest.raises(ecodyn.UnusableDataError, match="expected a model file"):
        ecodyn.load_model(path)


@pytest.mark.parametrize("formula", ["exp(K)*x", "sqrt(K)*x", "x/K"])
def test_parameters_with_which_a_formula_has_no_value(document, formula, tmp_path):
    value = {"exp(K)*x": 1e300, "sqrt(K)*x": -1.0, "x/K": 0.0}[formula]
    path = tmp_path / "law.json"
    changed = {"formula": formula, "parameters": {"K": value}, "diagnostics": None}
    path.write_text(json.dumps({k: v for k, v in (document | changed).items() if v is not None}))
    with pytest.raises(ecodyn.UnusableDataError, match="expected a model file"):
        ecodyn.load_model(path)


@pytest.mark.parametrize("options", [{"positive": None}, {"positive": 3}, {"positive": [1]}, {"positive": "r"}])
def test_positive_is_a_list_of_names(options):
    with pytest.raises(ValueError, match="positive is a list of parameters"):
        ecodyn.Formula("r*x", **options).fit(X)


@pytest.mark.parametrize("name", ["linear", "share", "", "two words", 3, "[/nothing]"])
def test_names_that_are_none_or_a_family_s(name):
    with pytest.raises(ValueError, match=r"^name is"):
        ecodyn.Formula("r*x", name=name).fit(X)


def test_formulas_that_are_no_text():
    with pytest.raises(ecodyn.FormulaError, match="expected a formula as text"):
        ecodyn.Formula(["r*x"]).fit(X)


def test_written_families_say_what_they_have():
    with pytest.raises(ValueError, match="couplings independent, exchangeable, got 'full'"):
        _ = Share(coupling="full").statement
    with pytest.raises(ValueError, match="holling is the type, 2 or 3, got 4"):
        _ = Hill(holling=4).statement
    with pytest.raises(ValueError, match="of the signal alone"):
        Share("independent", "signal,velocity").fit(X)


def test_two_laws_need_two_names():
    laws = [ecodyn.Formula("r*x"), ecodyn.Formula("r*x*(1 - x/K)")]
    with pytest.raises(ValueError, match=r"need a name each"):
        ecodyn.compare([X, 0.9 * X, 1.1 * X], laws)


def test_a_law_is_called_by_its_name_alone():
    found = ecodyn.compare([X, 0.9 * X, 1.1 * X], [ecodyn.Formula("r*x*(1 - x/K)", positive="all"), "linear"])
    assert "formula/independent" in {str(m.name) for m in found.models}


def test_time_in_a_formula_is_no_clock():
    law = ecodyn.Formula("c*exp(-t/9) - a*x").fit(X).model_
    with pytest.raises(ValueError, match="whose equation depends on time"):
        ecodyn.find_equilibria(law)


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "x.csv"
    rows = [f"{t},{','.join(f'{v:.6f}' for v in row)}" for t, row in enumerate(X)]
    path.write_text("step,a,b,c\n" + "\n".join(rows) + "\n")
    return str(path)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--formula", "r*x", "--positive", ""], "--positive takes names"),
        (["--formula", "r*x", "--set", "name=linear"], "is said by --formula"),
        (["--formula", "r*x", "--set", "formula=c*x"], "is said by --formula"),
    ],
)
def test_the_command_line_refuses(table, arguments, sentence, tmp_path):
    found = CliRunner().invoke(app, ["fit", table, *arguments, "-o", str(tmp_path / "law.json")])
    assert found.exit_code == 2
    assert sentence in " ".join(found.output.replace("│", " ").split())


def test_spaces_after_commas_are_none_of_a_name(table, tmp_path):
    arguments = ["--formula", "r*x*(1 - x/K)", "--positive", "r, K", "-o", str(tmp_path / "law.json")]
    assert CliRunner().invoke(app, ["fit", table, *arguments]).exit_code == 0
