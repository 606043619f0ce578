"""Commands run in this process, and what tests of several of them ask of what they write."""

import os
import signal
import subprocess
import sys
from contextlib import contextmanager, suppress

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


@contextmanager
def in_background(*arguments, **streams):
    """A long command in a process group of its own; whatever a test does, nothing of it is left afterwards."""
    # A shell ignores signals for what it runs in the background, and children inherit that: start from the default.
    child = subprocess.Popen(
        [sys.executable, "-m", "ecodyn.cli", *map(str, arguments)],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        preexec_fn=lambda: [signal.signal(s, signal.SIG_DFL) for s in (signal.SIGINT, signal.SIGHUP)],
        start_new_session=True,
        **streams,
    )
    try:
        yield child
    finally:
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        child.stderr.close()
