"""What `docs/law_of_the_circles.md` names is there: its laws parse, options of its commands and observables exist."""

import re
import shlex
from pathlib import Path

import pytest
import typer

import ecodyn
from ecodyn.cli import app
from ecodyn.networks.modular_addition import MLP, Transformer

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "law_of_the_circles.md").read_text()
COMMANDS = re.search(r"```\n(.*?)```", PAGE.split("## Commands")[1], re.DOTALL)[1].splitlines()
LAWS = re.findall(r"^    ẋᵢ = (.*)$", PAGE, re.MULTILINE)


def in_ascii(law):
    """As the grammar of formulas has it."""
    law = law.split(",  ")[0].replace("−", "-").replace("·", "*").replace("rᵢ", "response")
    law = re.sub(r"xᵢⁿ|xⁿ", "x**n", law).replace("xᵢ", "x")
    return re.sub(r"\b([age]) (?=[xe])", r"\1*", law).replace(") response", ")*response").replace("g x", "g*x")


@pytest.mark.parametrize("law", LAWS)
def test_its_laws_are_formulas(law):
    parameters = ecodyn.Formula(in_ascii(law), state="signal,response@start").statement.parameters
    assert set(parameters) - set("cTe") == set("bagnk")


@pytest.mark.parametrize("command", COMMANDS)
def test_its_commands_have_the_options_that_it_names(command):
    words = shlex.split(command)
    given = {word for word in words if word.startswith("-")}
    if words[0] == "python":
        script = (ROOT / words[1]).read_text()
        assert all(f'"{option}"' in script for option in given)
        return
    known = typer.main.get_command(app).commands[words[1]].params
    assert given <= {option for param in known for option in param.opts}


def test_its_observables_are_those_that_networks_keep():
    names = re.findall(r"^\| (`.*?) \|", PAGE.split("## What networks keep")[1], re.MULTILINE)
    named = tuple(name for cell in names for name in re.findall(r"`(\w+)`", cell))
    assert set(MLP.responses) <= set(named)
    assert MLP(observables=named).measured[2 : 2 + len(named)] == named
    assert set(MLP.responses) - set(Transformer.responses) == {"first_layer"}
