"""Whoever reads a command's output may leave: the work goes on, and nothing is said of it."""

import subprocess
import sys

import pytest

PROGRAM = """
import os, sys
from rich.console import Console
from ecodyn.runtime.streams import outlive_readers
outlive_readers()
print("first", file=sys.{stream}, flush=True)
sys.stdin.readline()  # by now nobody reads any more
for _ in range(20):
    print("x" * 10_000, file=sys.{stream})
Console(file=sys.{stream}).print("a table")
os.write(sys.{stream}.fileno(), b"what a library writes by itself")
open("finished", "w").close()
"""


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_work_outlives_its_reader(stream, tmp_path):
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(stream=stream)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
    ) as child:
        pipe = getattr(child, stream)
        assert pipe.readline() == "first\n"
        pipe.close()
        child.stdin.write("\n")
        child.stdin.close()
        other = child.stderr if stream == "stdout" else child.stdout
        assert other.read() == ""
    assert child.returncode == 0
    assert (tmp_path / "finished").exists()


def test_a_full_disk_is_still_an_error(tmp_path):
    program = (
        "import sys; from ecodyn.runtime.streams import outlive_readers; outlive_readers(); print('x', flush=True)"
    )
    with open("/dev/full", "w") as full:  # noqa: PTH123 - a device
        child = subprocess.run([sys.executable, "-c", program], stdout=full, stderr=subprocess.PIPE, text=True)
    assert child.returncode != 0
    assert "No space left" in child.stderr
