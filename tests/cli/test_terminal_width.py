"""What commands write is as wide as the terminal at most; another program gets each sentence in one line."""

import io
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from fcntl import ioctl

import numpy as np
import pytest

from ecodyn import Trajectories
from ecodyn.cli.output import answer, say

SENTENCE = "On trainings not seen " * 9 + "see a/path/that-is-left-in-one-piece-" + "x" * 60
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(("speak", "stream"), [(say, "stderr"), (answer, "stdout")])
def test_sentences_are_broken_between_words_on_a_terminal_alone(speak, stream, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    for kind in (Terminal, io.StringIO):
        written = kind()
        monkeypatch.setattr(sys, stream, written)
        speak(SENTENCE)
        lines = written.getvalue().splitlines()
        assert " ".join(lines) == SENTENCE
        assert (len(lines) > 1) == (kind is Terminal)
        assert kind is not Terminal or all(len(line) <= 60 or " " not in line for line in lines)


def on_a_terminal(width, *arguments):
    """What the screen ends with, without the bars that were wiped off, and the exit code."""
    ours, theirs = pty.openpty()
    ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, width, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
    command = [sys.executable, "-m", "ecodyn", *map(str, arguments)]
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment)
    os.close(theirs)
    written = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # how Linux says that the other end is closed
            break
        if not part:
            break
        written += part
    os.close(ours)
    text = ESCAPES.sub("", written.decode()).replace("\r\n", "\n").replace("\r", "\n")
    return [line.rstrip() for line in text.split("\n") if "━" not in line], process.wait()


@pytest.mark.slow
@pytest.mark.parametrize("width", [60, 80])
def test_a_comparison_fits_the_terminal_and_is_whole(width, tmp_path):
    rng, steps = np.random.default_rng(7), np.arange(21.0)
    rates = rng.uniform(0.05, 0.2, (6, 1, 1))
    values = rng.uniform(1, 2, (6, 1, 3)) * np.exp(-rates * steps[:, None]) + 0.01 * rng.standard_normal((6, 21, 3))
    Trajectories(np.abs(values), steps).save(tmp_path / "runs.nc")
    arguments = ["compare", tmp_path / "runs.nc", "--family", "linear", "--protocol", "unseen_runs", "--jobs", "1"]
    lines, code = on_a_terminal(width, *arguments)
    assert code == 0
    assert all(len(line) <= width or " " not in line for line in lines)
    text = "\n".join(lines)
    assert "…" not in text
    for model in ("linear/independent", "linear/exchangeable", "mean_curve"):
        assert model in text
    assert any(line.startswith("On trainings not seen") for line in lines)
