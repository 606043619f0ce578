"""Signals, kills at random moments, two at a time, pipes that close, no terminal: run as a user would run it."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import pytest
from drill_server import in_session, patience

from ecodyn.runtime.kept_values import kept_files

LONG = [
    "compare",
    "runs.nc",
    "--family",
    "linear",
    "--family",
    "lotka_volterra",
    "--coupling",
    "exchangeable,independent",
]
TRAIN = ["train", "--p", 23, "--dim", 16, "--seeds", "0:6", "--steps", 400, "--batch", 1, "-o", "out.nc"]
SIGNALS = {"SIGINT": 130, "SIGTERM": 143, "SIGHUP": 129}
GONE = 2.0  # seconds within which workers have to be gone, on a machine that has nothing else to do
WAIT = 240  # seconds that something may take to begin

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs Linux's /proc")


@contextmanager
def begun(folder, arguments, **more):
    """The command in a session of its own; nothing of it is left afterwards, whatever a test does."""
    temporary = folder / "temporary"
    temporary.mkdir(exist_ok=True)
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "TMPDIR": str(temporary), "COLUMNS": "120"}
    child = subprocess.Popen(
        [sys.executable, "-m", "ecodyn", *map(str, arguments)],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
        env=environment,
        preexec_fn=lambda: [signal.signal(s, signal.SIG_DFL) for s in (signal.SIGINT, signal.SIGHUP)],
        **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **more},
    )
    try:
        yield child
    finally:
        for process in {child.pid, *in_session(child.pid)}:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        child.wait()
        for stream in (child.stdout, child.stderr):
            if stream is not None:
                stream.close()


def wait_for(child, what):
    """Until something is there."""
    deadline = time.monotonic() + WAIT
    while not what():
        assert child.poll() is None, child.communicate()
        assert time.monotonic() < deadline, "it did not begin in time"
        time.sleep(0.01)


def tasks(folder, count):
    return lambda: len(kept_files(folder / "report" / "tasks")) >= count


def batches(folder, count):
    return lambda: len(list(folder.glob("out.nc.partial/batch_*"))) >= count


def gone(session):
    """Seconds until no process of a session is left."""
    since = time.monotonic()
    while in_session(session) and time.monotonic() < since + 20 * patience():
        time.sleep(0.02)
    return time.monotonic() - since


@pytest.fixture
def folder(tmp_path, material):
    path = tmp_path / "folder"
    path.mkdir()
    material.runs(path)
    return path


def no_leftovers(folder):
    left = [p.name for p in (folder / "temporary").iterdir() if not p.name.startswith("torchinductor_")]
    assert not left, left
    assert not [p for p in folder.rglob(".*") if p.name != ".lock"]


WORK = {"compare": (LONG, tasks), "train": (TRAIN, batches)}


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("name", SIGNALS)
@pytest.mark.parametrize("work", WORK)
def test_a_signal(work, name, jobs, folder, tried):
    """Finished tasks are kept, processes are gone within two seconds, the code is the shell's."""
    arguments, progress = WORK[work]
    out = ["-o", "report"] if work == "compare" else []
    with begun(folder, [*arguments, *out, "--jobs", jobs]) as child:
        wait_for(child, progress(folder, 1))
        child.send_signal(getattr(signal, name))
        _, stderr = child.communicate(timeout=60 * patience())
        took = gone(child.pid)
    assert child.returncode == SIGNALS[name], stderr
    assert "Traceback" not in stderr, stderr
    assert took < GONE * patience()
    assert progress(folder, 1)() or (folder / "out.nc").exists()
    no_leftovers(folder)
    tried("survived")


@pytest.mark.parametrize("work", WORK)
def test_kills_at_random_moments(work, folder, tried):
    """SIGKILL again and again; what was finished is found again, and what was left is cleared away by the next."""
    arguments, progress = WORK[work]
    command = [*arguments, "--jobs", 2, "--resume", *(["-o", "report"] if work == "compare" else [])]
    rng = np.random.default_rng(23)
    for before in range(2):
        with begun(folder, command) as child:
            wait_for(child, progress(folder, before + 1))
            time.sleep(rng.uniform(0, 0.5))
            child.kill()
            child.wait()
            assert gone(child.pid) < (GONE + 1) * patience(), "workers outlive a killed parent"
        assert not (folder / "out.nc").exists()
        assert not (folder / "report" / "report.json").exists()
    with begun(folder, command) as child:
        _, stderr = child.communicate(timeout=WAIT)
    assert child.returncode == 0, stderr
    no_leftovers(folder)
    tried("survived")


def test_a_killed_worker_costs_nothing(folder, tried):
    with begun(folder, [*LONG, "-o", "report", "--jobs", 2]) as child:
        wait_for(child, tasks(folder, 1))
        workers = [p for p in in_session(child.pid) if b"Loky" in Path(f"/proc/{p}/cmdline").read_bytes()]
        os.kill(workers[0], signal.SIGKILL)
        _, stderr = child.communicate(timeout=WAIT)
    assert child.returncode == 0, stderr
    report = json.loads((folder / "report" / "report.json").read_text())
    assert {m["family"] for m in report["models"]} >= {"linear", "lotka_volterra"}
    no_leftovers(folder)
    tried("survived")


def test_two_into_one_folder(folder, tried):
    with begun(folder, [*LONG, "-o", "report", "--jobs", 1]) as first:
        wait_for(first, tasks(folder, 1))
        with begun(folder, [*LONG, "-o", "report", "--jobs", 1]) as second:
            _, stderr = second.communicate(timeout=WAIT)
            assert second.returncode == 2, stderr
            assert f"process {first.pid}" in stderr
        assert first.poll() is None
    tried("refused")


def test_two_into_one_file(folder, tried):
    """The one that is finished later is refused, and says so; the file is one of them, whole."""
    command = ["fit", "runs.nc", "-o", "law.json"]
    with begun(folder, command) as first, begun(folder, command) as second:
        ended = [child.communicate(timeout=WAIT) for child in (first, second)]
    codes = sorted([first.returncode, second.returncode])
    assert codes in ([0, 0], [0, 2]), ended  # one may be done before the other looks
    assert codes == [0, 2], "the later one replaced the first without --force"
    json.loads((folder / "law.json").read_text())
    tried("refused")


@pytest.mark.parametrize("jobs", [64, 1000])
def test_more_jobs_than_the_machine_has(jobs, folder, tried):
    """Cut down to the cores, and said."""
    with begun(folder, [*LONG, "-o", "report", "--jobs", jobs]) as child:
        wait_for(child, tasks(folder, 1))
        most = 0
        while child.poll() is None:
            most = max(most, len(in_session(child.pid)))
            time.sleep(0.05)
        _, stderr = child.communicate()
    assert child.returncode == 0, stderr
    assert most <= 2 * (os.cpu_count() or 1) + 2, most
    assert "--jobs" in stderr or "cores" in stderr, stderr
    tried("survived")


def test_a_closed_pipe(folder, tried):
    """Who reads only the first line is content with it."""
    reading, writing = os.pipe()
    os.close(reading)
    with begun(folder, ["fit", "runs.nc", "--json"], stdout=writing) as child:
        os.close(writing)
        _, stderr = child.communicate(timeout=WAIT)
    assert child.returncode == 0, stderr
    assert "Traceback" not in stderr
    assert "BrokenPipe" not in stderr
    tried("survived")


def test_a_full_disk_behind_stdout(folder, tried):
    with Path("/dev/full").open("w") as full, begun(folder, ["fit", "runs.nc", "--json"], stdout=full) as child:
        _, stderr = child.communicate(timeout=WAIT)
    assert child.returncode not in (0, 1), stderr
    assert "Traceback" not in stderr
    assert "No space left" in stderr
    tried("refused")


@pytest.mark.parametrize("closed", ["stderr", "stdout", "stdin"])
def test_a_closed_stream(closed, folder, tried):
    """What is meant for stderr never comes to stdout, which is JSON."""
    number = {"stdin": 0, "stdout": 1, "stderr": 2}[closed]
    (folder / "gaps.csv").write_text("step,a,b\n0,1,2\n1,,3\n2,2,4\n3,3,5\n4,2,6\n")  # has a warning
    program = (
        f"import os, sys; os.close({number}); os.execv(sys.executable, [sys.executable, '-m', 'ecodyn', *sys.argv[1:]])"
    )
    child = subprocess.run(
        [sys.executable, "-c", program, "fit", "gaps.csv", "--json", "--coupling", "independent"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=WAIT,
    )
    assert child.returncode == 0, child.stderr
    assert "Traceback" not in child.stderr
    if closed != "stdout":
        json.loads(child.stdout)
    tried("survived")


def test_no_terminal(folder, tried):
    """No bars, colours or frames of a terminal where there is none."""
    with begun(folder, [*LONG[:4], "--coupling", "independent", "--jobs", 1, "-o", "report"]) as child:
        stdout, stderr = child.communicate(timeout=WAIT)
    assert child.returncode == 0
    assert "\x1b" not in stdout + stderr
    assert "\r" not in stdout + stderr
    tried("survived")


def test_temporary_folders_of_killed_processes_are_cleared_away(folder, tried):
    """Those of processes that live are not."""
    with begun(folder, [*LONG, "-o", "report", "--jobs", 2]) as child:
        wait_for(child, lambda: any((folder / "temporary").glob("ecodyn-*/.owner")))
        (mine,) = (folder / "temporary").glob("ecodyn-*")
        child.send_signal(signal.SIGSTOP)  # alive for as long as the other takes
        with begun(folder, [*LONG[:4], "--coupling", "independent", "-o", "other", "--jobs", 2]) as other:
            other.communicate(timeout=WAIT)
        assert mine.exists()
        child.kill()
        child.wait()
    assert mine.exists()
    with begun(folder, [*LONG[:4], "--coupling", "independent", "-o", "third", "--jobs", 2]) as third:
        third.communicate(timeout=WAIT)
    assert third.returncode == 0
    assert not mine.exists()
    tried("survived")
