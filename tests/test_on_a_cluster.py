"""On a Dask cluster of two processes all numbers are those of this process, also where a worker is killed at random.

Where the scheduler is stopped and started, or the command is killed, training and comparing go on with what is kept;
extraction and survival, which keep nothing, have the same numbers when they are asked again.
"""

import os
import random
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from timeless import without_times

import ecodyn
from ecodyn.extraction.incomplete import IncompleteExtractionError
from ecodyn.networks.modular_addition import MLP
from ecodyn.networks.training import IncompleteTrainingError, train
from ecodyn.runtime.json_values import plain_json
from ecodyn.runtime.places import clusters
from ecodyn.runtime.processes import each_with
from ecodyn.survival import analyse
from ecodyn.systems import SYSTEMS, simulate

pytestmark = pytest.mark.slow

TINY = MLP(p=7, dim=3, width=4)


@pytest.fixture(scope="module")
def client():
    """Two workers, begun as --cluster local:2 begins them, however many cores there are."""
    with clusters._local(2) as made:
        yield made


def compared(folder, progress, **options):
    result = comparison(progress, **options)
    assert not result.failures
    return without_times(plain_json(result.to_json()))


def comparison(progress, **options):
    data = simulate(SYSTEMS["linear_exchangeable_5"], runs=5, samples=11)
    quick = {"linear": {"refine": False}}
    return ecodyn.compare(
        data,
        ["linear"],
        ["independent", "exchangeable"],
        folds=2,
        jobs=2,
        surrogates=19,
        resamples=20,
        parameters=quick,
        progress=progress,
        **options,
    )


def survived(folder, progress):
    rng = np.random.default_rng(3)
    starts = rng.uniform(60, 90, (4, 6))
    rates = np.where(starts >= np.sort(starts, axis=1)[:, [-3]], 0.002, 0.06)
    steps = np.arange(41.0)
    runs = ecodyn.Trajectories(starts[:, None] * np.exp(-rates[:, None] * steps[:, None]), steps)
    analysis = analyse(runs, progress=progress)
    assert len(analysis.laws) == 2
    return plain_json(analysis.to_json())


def extracted(folder, progress):
    paths = []
    for seed in range(4):
        paths.append(folder / f"{seed}.npz")
        frames = np.random.default_rng(seed).standard_normal((12, 7, 4))
        np.savez(paths[-1], steps=np.arange(12), frames=frames)
    runs = ecodyn.extract(paths, p=7, key="frames", progress=progress)
    return [runs.values.tolist(), runs.dc.tolist(), plain_json(runs.provenance)]


def trained(folder, progress):
    runs = train([TINY, MLP(p=7, dim=2, width=4)], range(3), 60, batch=2, jobs=2, progress=progress)
    return [runs.values.tolist(), {name: curve.tolist() for name, curve in runs.curves.items()}]


def killer(client, seed):
    """A progress that kills one of the workers, both drawn, the first time or a few times later."""
    draw = random.Random(seed)
    left = [draw.randrange(2)]

    def progress(*_):
        if left and left[0] == 0:
            left.clear()
            pids = client.run(os.getpid)
            os.kill(draw.choice(sorted(pids.values())), signal.SIGKILL)
        elif left:
            left[0] -= 1

    return progress, left


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("work", [compared, survived, extracted, trained])
def test_numbers_are_those_of_this_process(client, work, tmp_path):
    here = work(tmp_path, None)
    with ecodyn.on_cluster(client):
        assert work(tmp_path, None) == here
        progress, left = killer(client, seed=work.__name__)
        assert work(tmp_path, progress) == here
    assert not left, "no worker was killed"


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def dask(*arguments):
    """A scheduler or a worker of a cluster, in a process of its own."""
    command = [sys.executable, "-m", f"distributed.cli.dask_{arguments[0]}", *map(str, arguments[1:])]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def scheduler_and_worker(port):
    scheduler = dask("scheduler", "--host", "127.0.0.1", "--port", port, "--no-dashboard")
    return scheduler, dask("worker", f"tcp://127.0.0.1:{port}", "--nthreads", 1, "--no-nanny", "--no-dashboard")


@contextmanager
def tcp_cluster():
    """The address of a scheduler with a worker, each a process of its own, and how to kill the scheduler."""
    port = free_port()
    started = scheduler_and_worker(port)
    try:
        yield f"tcp://127.0.0.1:{port}", started[0].kill
    finally:
        for process in started:
            process.kill()
            process.wait()


@contextmanager
def impatient():
    """No half minute for a scheduler that is gone to come back, but time for one that is there on a busy machine."""
    import dask.config  # `dask` is the function above
    import distributed  # noqa: F401 - brings its own settings, which are to be there again afterwards

    with dask.config.set({"distributed.comm.timeouts.connect": "8s"}):
        yield


def test_a_scheduler_that_is_stopped_and_started_costs_what_was_under_way(tmp_path):
    options = {"networks": TINY, "seeds": range(4), "steps": 600, "batch": 1, "folder": tmp_path}
    lost = r"the connection to the scheduler at tcp://.* was lost"
    with (
        tcp_cluster() as (address, kill),
        impatient(),
        pytest.raises(IncompleteTrainingError, match=lost) as error,
        ecodyn.on_cluster(address),
    ):
        train(**options, progress=lambda *_: kill())
    assert error.value.resumable
    assert error.value.finished.n_runs + len(error.value.failures) == 4
    with tcp_cluster() as (address, _), ecodyn.on_cluster(address):
        runs = train(**options, resume=True)
    assert runs == train(TINY, range(4), 600, batch=1)


@pytest.mark.filterwarnings("ignore::ecodyn.DataWarning")
@pytest.mark.parametrize("finished", [9, 14], ids=["under way", "before random halves and surrogates"])
def test_a_comparison_whose_scheduler_is_gone_says_so_and_goes_on(tmp_path, finished):
    said = []

    def stop(done, total, what):
        assert total == 14
        if done == finished:
            kill()

    with tcp_cluster() as (address, kill), impatient(), ecodyn.on_cluster(address):
        result = comparison(stop, keep=tmp_path)
    assert result.failures
    assert all(f"the connection to the scheduler at {address} was lost" in failure for failure in result.failures)
    with tcp_cluster() as (address, _), ecodyn.on_cluster(address):
        resumed = compared(tmp_path, None, keep=tmp_path, on_kept=said.append)
    assert int(said[0].split()[0]) >= finished
    assert resumed == compared(tmp_path, None)


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("work", [survived, extracted])
def test_what_keeps_nothing_says_that_the_scheduler_is_gone_and_is_as_before_when_asked_again(tmp_path, work):
    said = "the connection to the scheduler at .* was lost|no scheduler answers at"
    with (
        tcp_cluster() as (address, kill),
        impatient(),
        pytest.raises((ecodyn.LostWorkError, IncompleteExtractionError, ValueError), match=said),
        ecodyn.on_cluster(address),
    ):
        work(tmp_path, lambda *_: kill())
    with tcp_cluster() as (address, _), ecodyn.on_cluster(address):
        assert work(tmp_path, None) == work(tmp_path, None)


# The stand-in leaves its jobs' pipes to the garbage collector.
@pytest.mark.filterwarnings("ignore:subprocess .* is still running:ResourceWarning")
@pytest.mark.filterwarnings("ignore:unclosed file <_io.FileIO:ResourceWarning")
def test_jobs_of_a_queue_are_submitted_and_cancelled(tmp_path):
    """dask-jobqueue's own stand-in for a queue: it runs each job's script."""

    def weighed(item, data):  # in a function, so that workers are sent all of it
        return os.getpid(), item * data.sum()

    (tmp_path / "queue.yaml").write_text("local: {cores: 1, memory: 1GB, log-directory: null}\njobs: 1\n")
    with ecodyn.on_cluster(tmp_path / "queue.yaml"):
        found = list(each_with(weighed, range(5), np.arange(4.0), 1, ordered=True))
    assert [result for _, result in found] == [0.0, 6.0, 12.0, 18.0, 24.0]
    (worker,) = {pid for pid, _ in found}
    assert worker != os.getpid()
    patience = time.monotonic() + 30
    while running(worker) and time.monotonic() < patience:
        time.sleep(0.1)
    assert not running(worker)


def descendants(pid):
    listed = subprocess.run(["ps", "-e", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    parents = dict(map(int, line.split()) for line in listed.splitlines())
    found = {pid}
    while more := {p for p, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {pid}


@pytest.mark.skipif(sys.platform != "linux", reason="processes are listed by ps")
def test_a_command_that_is_killed_leaves_no_worker_and_goes_on(tmp_path):
    arguments = ["--network", "mlp", "--p", "7", "--dim", "3", "--width", "4", "--seeds", "0:4", "--steps", "1000"]
    arguments += ["--batch", "1", "-o", "runs.nc"]
    command = [sys.executable, "-m", "ecodyn.cli", "train", *arguments]
    partial = tmp_path / "runs.nc.partial"
    begun = subprocess.Popen([*command, "--cluster", "local:2"], cwd=tmp_path, stderr=subprocess.DEVNULL)
    try:
        while begun.poll() is None and not list(partial.glob("batch_*.safetensors")):
            time.sleep(0.02)
        workers = descendants(begun.pid)
    finally:
        begun.kill()
        begun.wait()
    assert workers
    patience = time.monotonic() + 60
    while alive := {pid for pid in workers if running(pid)}:
        assert time.monotonic() < patience, f"{len(alive)} processes are left"
        time.sleep(0.1)
    subprocess.run([*command, "--jobs", "1", "--resume"], cwd=tmp_path, check=True, stderr=subprocess.DEVNULL)
    runs, whole = ecodyn.load(tmp_path / "runs.nc"), train(TINY, range(4), 1000, batch=1)
    np.testing.assert_array_equal(runs.values, whole.values)


@pytest.mark.filterwarnings("ignore::ecodyn.DataWarning")
def test_a_comparison_that_is_killed_goes_on_with_the_cluster_that_is_left(tmp_path):
    """The client is killed; its scheduler and worker, which others keep, are there for the same command again."""
    simulate(SYSTEMS["linear_exchangeable_5"], runs=6, samples=21).save(tmp_path / "runs.nc")
    tasks = tmp_path / "report" / "tasks"
    asked = ["runs.nc", "--family", "linear", "--family", "lotka_volterra", "--folds", "3", "-o", "report"]
    with tcp_cluster() as (address, _):
        command = [sys.executable, "-m", "ecodyn.cli", "compare", *asked, "--cluster", address]
        begun = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while begun.poll() is None and not list(tasks.glob("[!.]*.npz")):  # not one that is being written
            time.sleep(0.02)
        begun.kill()
        assert begun.wait() == -signal.SIGKILL, "it was finished before it could be killed"
        again = subprocess.run([*command, "--resume"], cwd=tmp_path, capture_output=True, text=True, check=True)
    kept, _, there, *_ = again.stderr.split()
    assert 0 < int(kept) < int(there)
    here = ecodyn.compare(tmp_path / "runs.nc", ["linear", "lotka_volterra"], folds=3)
    resumed = ecodyn.Comparison.load(tmp_path / "report" / "report.json")
    assert scored(resumed) == scored(here)


def scored(result):
    """Of each window and protocol the models with their skills run by run, and the verdict."""
    document = without_times(plain_json(result.to_json()))
    return document["windows"]


def running(pid):
    """Whether there is such a process, and one that has not ended."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"
