"""--cluster beside --jobs, and --jobs beyond the cores there are."""

import joblib
import numpy as np
import pytest
from command_line import help_of, run

import ecodyn

COMMANDS = {
    "train": ["--seeds", "0:1", "--steps", "2", "-o", "new.nc"],
    "extract": ["log.npz", "-o", "new.nc"],
    "compare": ["runs.nc"],
    "survival": ["runs.nc"],
    "reproduce": ["-o", "folder"],
}


@pytest.mark.parametrize("command", COMMANDS)
def test_it_is_offered_and_refused_beside_jobs(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "--cluster" in help_of(command)
    for jobs in (0, 2):
        result = run(command, *COMMANDS[command], "--cluster", "local:2", "--jobs", jobs)
        assert result.exit_code == 2
        assert "leave out --jobs" in " ".join(result.stderr.replace("│", " ").split())
    result = run(command, *COMMANDS[command], "--cluster", "nowhere")
    assert result.exit_code == 2
    assert "a cluster is local:N, tcp://host:port or a .yaml file" in result.stderr
    assert not list(tmp_path.iterdir())


def test_more_jobs_than_cores_are_capped_and_it_is_said_once(tmp_path, monkeypatch):
    cores = joblib.cpu_count()
    asked = []
    monkeypatch.setattr("ecodyn.survival.analyse", lambda *_, jobs, **__: asked.append(jobs) or 1 / 0)
    path = tmp_path / "runs.nc"
    ecodyn.Trajectories(np.random.default_rng(0).random((3, 6, 2)), range(6)).save(path)
    result = run("survival", path, "--jobs", 1000)
    assert isinstance(result.exception, ZeroDivisionError)
    assert asked == [cores]
    assert result.stderr.count(f"--jobs 1000: there are {cores} cores, and as many processes are taken") == 1


def test_a_cluster_without_a_worker_ends_with_a_sentence(tmp_path, monkeypatch):
    def no_worker(*_, **__):
        raise ecodyn.LostWorkError("the cluster has had no worker for 60 s")

    monkeypatch.setattr("ecodyn.networks.training.work.outcomes", no_worker)
    result = run("train", "--seeds", "0:1", "--steps", 2, "-o", tmp_path / "new.nc", "--jobs", 1)
    assert result.exit_code == 4, result.exception
    assert "ecodyn: the cluster has had no worker" in result.stderr
    assert list(tmp_path.glob("*.nc")) == []
