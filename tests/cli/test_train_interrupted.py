"""`ecodyn train` that is interrupted or killed: what is finished is kept, and resumed it ends in the same numbers."""

import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest
from command_line import in_background, run, same_arrays

import ecodyn

BATCHES = 32
LONG = ["--p", 7, "--dim", 3, "--width", 4, "--seeds", f"0:{BATCHES}", "--steps", 120, "--batch", 1]
needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs Linux's /proc")


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    """What the long command writes if nothing happens to it."""
    out = tmp_path_factory.mktemp("whole") / "whole.nc"
    assert run("train", *LONG, "--jobs", 1, "-o", out).exit_code == 0
    return ecodyn.load(out)


def parents():
    """The parent of each process that is alive; zombies are not."""
    found = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = stat.read_text().rpartition(")")[2].split()[:2]
        except OSError:
            continue  # it has ended in the meantime
        if state not in "ZX":
            found[int(stat.parent.name)] = int(parent)
    return found


def offspring(process):
    """Children of a process, and theirs."""
    of, found, new = parents(), set(), {process}
    while new:
        new = {child for child, parent in of.items() if parent in new} - found
        found |= new
    return found


def still_there(processes, seconds):
    """Those of some processes that don't end within a time."""
    deadline = time.monotonic() + seconds
    while (alive := processes & parents().keys()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return alive


def long_training(out, *flags):
    return in_background("train", *LONG, *flags, "-o", out)


def wait_for(child, partial, batches):
    """Until so many batches are finished."""
    deadline = time.monotonic() + 90
    while len(list(partial.glob("batch_*"))) < batches:
        assert child.poll() is None, child.communicate()[1]
        assert time.monotonic() < deadline, "no batch was finished in time"
        time.sleep(0.002)


@needs_proc
@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.slow
def test_train_interrupted_and_resumed_is_the_training(tmp_path, uninterrupted, jobs):
    """Ctrl-C, which a terminal sends to the command and its workers alike."""
    out, partial = tmp_path / "x.nc", tmp_path / "x.nc.partial"
    with long_training(out, "--jobs", jobs) as child:
        wait_for(child, partial, 3)
        workers = offspring(child.pid)
        os.killpg(child.pid, signal.SIGINT)
        _, stderr = child.communicate(timeout=60)
        assert not still_there(workers, 5)
    assert child.returncode == 130, stderr
    finished = len(list(partial.glob("batch_*")))
    assert f"interrupted with {BATCHES - finished} runs to go; what is finished is kept in {partial}" in stderr
    assert "the same command with --resume goes on" in stderr
    assert list(tmp_path.iterdir()) == [partial]
    refused = run("train", *LONG, "--jobs", 1, "-o", out)
    assert refused.exit_code == 2
    assert f"holds {finished} of {BATCHES} batches" in refused.stderr
    assert run("train", *LONG, "--jobs", 1, "--resume", "-o", out).exit_code == 0
    same_arrays(ecodyn.load(out), uninterrupted)
    assert list(tmp_path.iterdir()) == [out]
    assert "Traceback" not in stderr


@needs_proc
@pytest.mark.slow
def test_train_killed_again_and_again_ends_in_the_same_numbers(tmp_path, uninterrupted):
    """SIGKILL, at moments drawn anew: some batches into the work, and somewhere within one."""
    out, partial = tmp_path / "x.nc", tmp_path / "x.nc.partial"
    rng, finished, orphans = np.random.default_rng(23), 0, set()
    for jobs in (1, 1, 2):
        with long_training(out, "--resume", "--jobs", jobs) as child:
            wait_for(child, partial, finished + int(rng.integers(0, 5)))
            time.sleep(rng.uniform(0, 0.05))  # about a batch
            workers = offspring(child.pid)
            child.kill()
            assert child.wait() == -signal.SIGKILL
            orphans |= still_there(workers, 3)
        assert set(tmp_path.iterdir()) <= {partial}
        now = len(list(partial.glob("batch_*")))
        assert finished <= now < BATCHES
        finished = now
    assert finished
    assert run("train", *LONG, "--jobs", 1, "--resume", "-o", out).exit_code == 0
    same_arrays(ecodyn.load(out), uninterrupted)
    assert list(tmp_path.iterdir()) == [out]
    assert not orphans
