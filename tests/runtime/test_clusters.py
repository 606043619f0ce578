"""How a cluster is named: a text, a file for dask-jobqueue, and what is refused, in a sentence."""

import subprocess
import sys

import dask
import joblib
import pytest

import ecodyn
from ecodyn.runtime.places import clusters
from ecodyn.runtime.places.queued_clusters import QueuedCluster
from ecodyn.runtime.processes import workers

SLURM = """
slurm:
  queue: cpu
  cores: 4
  memory: 8GB
  walltime: "02:00:00"
  job-extra-directives: ["--nice=100"]
jobs: 3
"""


def written(folder, text):
    path = folder / "cluster.yaml"
    path.write_text(text)
    return path


def entered(cluster):
    with ecodyn.on_cluster(cluster):
        return workers(1)


@pytest.mark.parametrize(
    ("cluster", "said"),
    [
        ("local", "a cluster is local:N, tcp://host:port or a .yaml file"),
        ("slurm", "a cluster is local:N, tcp://host:port or a .yaml file"),
        ("local:0", "local:N is a cluster of N processes on this machine, at least 1; got 'local:0'"),
        ("local:two", "got 'local:two'"),
        ("local:-1", "got 'local:-1'"),
        (3, "a cluster is a text or a client of distributed, got int"),
    ],
)
def test_what_is_no_cluster_is_refused(cluster, said):
    with pytest.raises(ValueError, match=said):
        entered(cluster)


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(FileNotFoundError, match="absent"):
        entered(tmp_path / "absent.yaml")


def test_nobody_at_an_address_is_told():
    with (
        dask.config.set({"distributed.comm.timeouts.connect": "0.2s"}),
        pytest.raises(ValueError, match=r"no scheduler answers at tcp://127\.0\.0\.1:9 .*start one: dask scheduler"),
    ):
        entered("tcp://127.0.0.1:9")


def test_without_dask_it_is_said_what_to_install(monkeypatch):
    monkeypatch.setattr(clusters.importlib.util, "find_spec", lambda _: None)
    for cluster in ("local:1", "tcp://there:8786", "slurm.yaml"):
        with pytest.raises(ModuleNotFoundError, match=r"pip install \"ecodyn-toolkit\[scale\]\""):
            entered(cluster)


def test_a_local_cluster_is_not_begun_before_there_is_something_to_do(monkeypatch):
    monkeypatch.setattr(clusters, "_local", lambda _: pytest.fail("begun"))
    assert entered("local:1") == 1


def test_more_processes_than_cores_are_said_and_not_begun():
    with pytest.warns(UserWarning, match=f"local:1000: there are {joblib.cpu_count()} cores"):
        assert entered("local:1000") == joblib.cpu_count()


def test_a_slurm_file_says_how_large_the_cluster_is_and_what_each_job_asks_for(tmp_path):
    queued = QueuedCluster.read(written(tmp_path, SLURM))
    assert (queued.cluster.__name__, queued.jobs, queued.processes, queued.size) == ("SLURMCluster", 3, 4, 12)
    of_jobs = {name: value for name, value in queued.settings.items() if name != "scheduler_options"}
    job = queued.cluster.job_cls("tcp://here:1", name="w", **of_jobs)
    script = job.job_script()
    for part in ("#SBATCH -p cpu", "-t 02:00:00", "--nice=100", "--nworkers 4", "--nthreads 1"):
        assert part in script


@pytest.mark.parametrize("kind", ["slurm", "pbs", "sge", "lsf", "moab", "oar"])
def test_schedulers_as_dask_jobqueue_knows_them(tmp_path, kind):
    text = f"jobqueue:\n  {kind}:\n    cores: 2\n    memory: 1GB\nadapt: {{minimum_jobs: 0, maximum_jobs: 5}}\n"
    queued = QueuedCluster.read(written(tmp_path, text))
    assert (queued.jobs, queued.fewest, queued.most, queued.size) == (None, 0, 5, 10)
    assert queued.cluster.__name__.lower() == f"{kind}cluster"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "expected settings by name, such as 'slurm:', got NoneType"),
        ("- 1\n", "got list"),
        ("slurm: [", "is no YAML"),
        ("jobs: 3\n", "expected one of .*slurm.* got jobs"),
        ("slurm: {cores: 1, memory: 1GB}\npbs: {cores: 1, memory: 1GB}\njobs: 1\n", "expected one of .*got slurm, pbs"),
        ("slurm: {cores: 1, memory: 1GB}\njobs: 1\nworkers: 4\n", "got slurm, jobs, workers"),
        ("slurm: 3\njobs: 1\n", "expected settings under slurm, such as 'cores: 8', got 3"),
        ("slurm: {cores: 1, memory: 1GB, qeue: cpu}\njobs: 1\n", "slurm has no qeue; there are .*queue"),
        ("slurm: {cores: 1}\njobs: 1\n", "expected cores and memory of a job under slurm, got no memory"),
        ("slurm: {cores: many, memory: 1GB}\njobs: 1\n", "cores of slurm is a number, at least 1; got 'many'"),
        ("slurm: {cores: 1, memory: 1GB}\n", "expected one of 'jobs: N' and 'adapt:', got both or none"),
        ("slurm: {cores: 1, memory: 1GB}\njobs: 0\n", "jobs is a number, at least 1; got 0"),
        ("slurm: {cores: 1, memory: 1GB}\njobs: true\n", "jobs is a number, at least 1; got True"),
        ("slurm: {cores: 1, memory: 1GB}\nadapt: 4\n", "adapt has minimum_jobs and maximum_jobs, got 4"),
        (
            "slurm: {cores: 1, memory: 1GB}\nadapt: {minimum_jobs: 4, maximum_jobs: 2}\n",
            "expected minimum_jobs of at most maximum_jobs, got 4 and 2",
        ),
    ],
)
def test_what_a_file_can_not_say(tmp_path, text, said):
    with pytest.raises(ecodyn.UnusableDataError, match=said) as caught:
        entered(written(tmp_path, text))
    assert str(caught.value).startswith(str(tmp_path / "cluster.yaml"))


def test_what_asks_a_queue_leaves_ctrl_c_as_it_was():
    """The import of dask-jobqueue makes it sys.exit()."""
    code = """if True:
        import signal
        from ecodyn.runtime.places.queued_clusters import _kinds
        before = signal.signal(signal.SIGINT, lambda *_: None)
        mine = signal.getsignal(signal.SIGINT)
        assert "slurm" in _kinds()
        assert signal.getsignal(signal.SIGINT) is mine"""
    subprocess.run([sys.executable, "-c", code], check=True)
