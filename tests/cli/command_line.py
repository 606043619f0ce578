"""Commands run in this process, and what tests of several of them ask of what they write."""

import numpy as np
from typer.testing import CliRunner

from ecodyn.cli import app

FAMILY = ["--family", "linear", "--coupling", "exchangeable"]


def run(*arguments):
    return CliRunner().invoke(app, [str(a) for a in arguments])


def same_arrays(runs, others):
    """The same numbers and labels, bit for bit; the command that made them may differ."""
    assert runs.runs.tolist() == others.runs.tolist()
    assert runs.observables.keys() == others.observables.keys()
    assert runs.curves.keys() == others.curves.keys()
    pairs = {
        "times": (runs.times, others.times),
        "dc": (runs.dc, others.dc),
        "embedding": (runs.embedding, others.embedding),
    }
    pairs |= {name: (array, others.observables[name]) for name, array in runs.observables.items()}
    pairs |= {name: (array, others.curves[name]) for name, array in runs.curves.items()}
    for name, (a, b) in pairs.items():
        np.testing.assert_array_equal(a, b, err_msg=name)


def help_of(command):
    """What a command's help says, without its frame."""
    return " ".join(run(command, "--help").output.replace("│", " ").split())
