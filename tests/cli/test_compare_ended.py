"""`ecodyn compare` that is interrupted, terminated, hung up or killed: what is finished is kept, for --resume."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from command_line import in_background, run

from ecodyn.cli.kept_tasks import check_folder
from ecodyn.comparison import Comparison
from ecodyn.runtime.kept_values import kept_files
from ecodyn.systems import SYSTEMS, simulate

LONG = ["--family", "linear", "--family", "lotka_volterra", "--coupling", "exchangeable,independent", "--seed", 3]
GONE = 2.0  # seconds after a signal in which workers have to be gone, on a machine that has nothing else to do


def in_time():
    """The same where processes wait for their turn: as much longer as there are more of them than cores."""
    return GONE * max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs Linux's /proc")


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "runs.nc"
    simulate(SYSTEMS["linear_exchangeable_5"], runs=8, samples=60, seed=1).save(path)
    return path


def numbers(folder):
    """What report.json says, but for the seconds that fits took."""
    report = json.loads((folder / "report.json").read_text())
    for model in report["models"]:
        del model["fit_seconds"]
        model.get("law", {}).get("diagnostics", {}).pop("seconds", None)
    return report


@pytest.fixture(scope="module")
def uninterrupted(runs, tmp_path_factory):
    """What the comparison says if nothing happens to it."""
    out = tmp_path_factory.mktemp("whole") / "report"
    assert run("compare", runs, *LONG, "--jobs", 1, "-o", out).exit_code == 0
    return numbers(out)


def workers_of(process):
    """Worker processes of a process that are alive; what keeps account of its shared memory ends with it."""
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended in the meantime
            state, parent = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
            if int(parent) == process and state not in "ZX" and b"Loky" in (folder / "cmdline").read_bytes():
                found.add(int(folder.name))
    return found


def alive(process):
    with suppress(OSError):
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    return False


def seconds_until_gone(processes, most):
    begun = time.monotonic()
    while any(map(alive, processes)) and time.monotonic() < begun + most:
        time.sleep(0.02)
    return time.monotonic() - begun


def long_comparison(runs, out, *flags):
    return in_background("compare", runs, *LONG, *flags, "-o", out, stdout=subprocess.DEVNULL)


def wait_for(child, out, tasks):
    """Until so many tasks are kept."""
    deadline = time.monotonic() + 300
    while len(kept_files(out / "tasks")) < tasks:
        assert child.poll() is None, child.communicate()[1]
        assert time.monotonic() < deadline, "too few tasks were finished in time"
        time.sleep(0.005)


@needs_proc
@pytest.mark.slow
@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_signals_end_alike_and_resumed_it_is_the_comparison(name, jobs, runs, uninterrupted, tmp_path):
    """Sent to the command alone, as kill and batch systems do."""
    out, number = tmp_path / "report", getattr(signal, name)
    with long_comparison(runs, out, "--jobs", jobs) as child:
        wait_for(child, out, 3)
        workers = workers_of(child.pid)
        assert len(workers) == (jobs if jobs > 1 else 0)
        child.send_signal(number)
        gone = seconds_until_gone(workers, 20)
        stderr = child.communicate(timeout=120)[1]
    assert child.returncode == 128 + number, stderr
    assert gone < in_time(), f"workers were there for {gone:.1f} s"
    assert "interrupted" in stderr
    assert "Traceback" not in stderr, stderr
    finished = len(kept_files(out / "tasks"))
    assert finished >= 3
    assert not list(out.rglob(".*"))  # neither a lock nor half a file
    again = run("compare", runs, *LONG, "--jobs", 1, "-o", out, "--resume")
    assert again.exit_code == 0, again.stderr
    assert int(again.stderr.split(" tasks are kept")[0].split()[-3]) >= 3
    assert numbers(out) == uninterrupted


@needs_proc
@pytest.mark.slow
def test_killed_again_and_again_it_ends_in_the_same_numbers(runs, uninterrupted, tmp_path):
    """SIGKILL, at moments drawn anew: some tasks into the work, and somewhere within one."""
    out, rng, finished = tmp_path / "report", np.random.default_rng(29), 0
    for jobs in (1, 2, 1):
        with long_comparison(runs, out, "--resume", "--jobs", jobs) as child:
            wait_for(child, out, finished + int(rng.integers(1, 3)))
            time.sleep(rng.uniform(0, 0.5))
            child.kill()
            assert child.wait() == -signal.SIGKILL
        assert not (out / "report.json").exists()
        assert len(kept_files(out / "tasks")) > finished
        finished = len(kept_files(out / "tasks"))
    again = run("compare", runs, *LONG, "--jobs", 1, "-o", out, "--resume")
    assert again.exit_code == 0, again.stderr
    assert numbers(out) == uninterrupted


@needs_proc
@pytest.mark.slow
def test_nohup_stays_nohup(runs, tmp_path):
    program = "import signal, sys; signal.signal(signal.SIGHUP, signal.SIG_IGN); from ecodyn.cli import main; main()"
    child = subprocess.Popen(
        [sys.executable, "-c", program, "compare", str(runs), "--family", "linear", "-j", "1", "-o", str(tmp_path)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        wait_for(child, tmp_path, 1)
        child.send_signal(signal.SIGHUP)
        stderr = child.communicate(timeout=300)[1]
    finally:
        child.kill()
        child.wait()
    assert child.returncode == 0, stderr


@needs_proc
@pytest.mark.slow
def test_two_at_a_time_into_one_folder(runs, tmp_path):
    """The second is refused, with whose the folder is; it is free once that one is gone, even killed."""
    out = tmp_path / "report"
    with long_comparison(runs, out, "--jobs", 1) as child:
        wait_for(child, out, 1)
        for flags in ([], ["--resume"]):
            refused = run("compare", runs, "--family", "linear", "-o", out, *flags)
            assert refused.exit_code == 2
            assert f"process {child.pid} on" in refused.stderr
            assert "--force" in refused.stderr
        child.kill()
        child.wait()
    again = run("compare", runs, "--family", "linear", "--jobs", 1, "-o", out, "--resume")
    assert again.exit_code == 0, again.stderr


# ---------------------------------------------------------------------------------------------------- without a kill

QUICK = ["--family", "linear", "--coupling", "independent", "--protocol", "in_sample", "--jobs", 1]


def test_what_a_killed_one_was_writing_is_removed(runs, tmp_path):
    """By the next that holds the folder; other hidden files are somebody's, and --force holds nothing."""
    out = tmp_path / "report"
    (out / "tasks").mkdir(parents=True)
    half = [out / f".report.{'0' * 12}.json", out / "tasks" / f".{'a' * 40}.{'1' * 12}.npz"]
    others = [out / ".gitignore", out / f".notes.{'0' * 12}.txt"]
    for path in half + others:
        path.touch()
    assert run("compare", runs, *QUICK, "-o", out, "--force").exit_code == 0
    assert all(path.exists() for path in half + others)
    assert run("compare", runs, *QUICK, "-o", out, "--resume").exit_code == 0
    assert not any(path.exists() for path in half)
    assert all(path.exists() for path in others)


def test_finished_tasks_are_neither_lost_nor_taken_unasked(circles, tmp_path, monkeypatch):
    drawn, out = [], tmp_path / "report"

    def page(result, path, **_):
        drawn.append(result)
        Path(path).write_text(f"page {len(drawn)}")

    monkeypatch.setattr(Comparison, "to_html", page)
    assert run("compare", circles, *QUICK, "-o", out).exit_code == 0
    first = (out / "report.json").read_bytes()
    for name in ("report.json", "report.html"):
        (out / name).unlink()
    refused = run("compare", circles, *QUICK, "-o", out)
    assert refused.exit_code == 2
    assert "finished tasks of a comparison; --resume goes on with them, --force begins anew" in refused.stderr
    again = run("compare", circles, *QUICK, "-o", out, "--resume")
    assert again.exit_code == 0
    assert "1 of 1 tasks are kept" in again.stderr
    assert "nothing is left to compute" in again.stderr
    assert (out / "report.json").read_bytes() == first  # the seconds too: they were taken once
    assert (out / "report.html").read_text() == "page 1"  # of the same result, which was drawn once
    check_folder(out, [], force=True)
    assert not kept_files(out / "tasks")


def test_resume_without_a_folder_is_refused(circles):
    refused = run("compare", circles, *QUICK, "--resume")
    assert refused.exit_code == 2
    assert "-o" in refused.stderr


def test_a_file_is_no_folder(circles, tmp_path):
    (tmp_path / "report").write_text("")
    refused = run("compare", circles, *QUICK, "-o", tmp_path / "report", "--resume")
    assert refused.exit_code == 2
    assert "is a file" in " ".join(refused.stderr.replace("│", " ").split())


def test_resumed_too_a_report_that_is_a_link_is_refused_before_the_work(circles, tmp_path):
    (tmp_path / "report.json").symlink_to(tmp_path / "elsewhere.json")
    refused = run("compare", circles, *QUICK, "-o", tmp_path, "--resume")
    assert refused.exit_code == 2
    assert "symbolic link" in refused.stderr
    assert "tasks are kept" not in refused.stderr
