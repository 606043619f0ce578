"""What help says of the commands, and that it stays light."""

import subprocess
import sys

import pytest
from command_line import help_of, run


def test_help_names_every_command():
    result = run("--help")
    assert result.exit_code == 0
    for command in ("train", "inspect", "fit", "compare", "simulate"):
        assert command in result.output
        assert run(command, "--help").exit_code == 0


def test_help_states_defaults_in_brackets_which_are_no_markup():
    text = help_of("train")
    for default in ("59", "128", "100", "0.8", "adamw", "0.01", "0.5", "0", "what cache or memory holds"):
        assert f"[default: {default}]" in text


@pytest.mark.parametrize("command", ["fit", "compare"])
def test_time_is_a_hidden_name_of_dynamics(command, circles):
    text = help_of(command)
    assert "--dynamics" in text
    assert "[default: flow]" in text
    assert "--time" not in text.replace("--time-column", "")
    refused = run(command, circles, "--dynamics", "flow", "--time", "map")
    assert refused.exit_code == 2
    assert "leave it out" in " ".join(refused.stderr.replace("│", " ").split())


@pytest.mark.parametrize("command", ["train", "extract", "inspect", "fit", "compare", "simulate", "survival"])
def test_help_loads_nothing_heavy(command):
    program = (
        "import sys; from typer.testing import CliRunner; from ecodyn.cli import app; "
        f"assert CliRunner().invoke(app, ['{command}', '--help']).exit_code == 0; "
        "print(*[m for m in ('torch', 'sklearn', 'pysindy', 'xarray', 'scipy', 'numpy') if m in sys.modules])"
    )
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert loaded.stdout.split() == []
