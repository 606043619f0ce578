"""Counted work, where a time can't be asserted: evaluations, rows, bytes. A change that costs more of them fails."""

from pathlib import Path

import numpy as np
import pytest

import ecodyn
from ecodyn.equations.library import Library
from ecodyn.equations.taped_law import TapedLaw
from ecodyn.estimation import integral_matching
from ecodyn.estimation.network_law import NetworkLaw
from ecodyn.extraction import Request, extract
from ecodyn.families import Linear, LotkaVolterra, NeuralODE, SINDy
from ecodyn.logs import LogOptions

IO = Path("/proc/self/io")


def folds(data):
    """All runs but one, each in turn."""
    return [data.select(runs=[r for r in data.runs if r != out]) for out in data.runs]


@pytest.fixture
def forgotten():
    """No regression is remembered from another test."""
    integral_matching._MEMORY.clear()


def test_a_batch_of_rollouts_asks_for_no_more_than_its_slowest_member(competing_runs):
    data = competing_runs(runs=6)
    law = LotkaVolterra().fit_model(data)
    times = np.linspace(0, 40, 200)
    together = law.simulate(data.values[:, 0], times)
    alone = [law.simulate(start, times) for start in data.values[:, 0]]
    assert together.evaluations == max(rollout.evaluations for rollout in alone)


@pytest.mark.parametrize("family", [Linear(), LotkaVolterra(), SINDy()], ids=lambda f: f.name)
def test_folds_build_the_library_once_for_each_run(monkeypatch, forgotten, competing_runs, family):
    data, rows = competing_runs(runs=5), []
    values = Library.values

    def counted(self, x, z=None):
        rows.append(len(x))
        return values(self, x, z)

    monkeypatch.setattr(Library, "values", counted)
    family.fit_models(folds(data))
    assert sum(rows) == data.n_runs * data.n_steps


def test_folds_shot_together_are_evaluated_as_often_as_alone_in_fewer_calls(monkeypatch, competing_runs):
    calls = []
    normal_equations = TapedLaw.normal_equations

    def counted(self, x0, directions, steps, *rest):
        calls.append(len(x0) * len(steps.lengths))
        return normal_equations(self, x0, directions, steps, *rest)

    monkeypatch.setattr(TapedLaw, "normal_equations", counted)
    training, family = folds(competing_runs(runs=5, noise=0.01)), LotkaVolterra()
    family.fit_models(training)
    together, rows = len(calls), sum(calls)
    calls.clear()
    for part in training:
        family.fit_model(part)
    assert rows == sum(calls) > 0
    assert together < 0.5 * len(calls)


def test_a_network_is_evaluated_as_often_as_its_schedule_says(monkeypatch, competing_runs):
    """Sensitivities take a network's time: at most one rollout of them a Gauss-Newton step, and one to begin with."""
    calls = []
    sensitivities = NetworkLaw.sensitivities

    def counted(self, *arguments):
        calls.append(1)
        return sensitivities(self, *arguments)

    monkeypatch.setattr(NetworkLaw, "sensitivities", counted)
    steps, intervals = 4, 10
    NeuralODE(hidden=3, starts=1, rollout_steps=steps, intervals=intervals, prior=1e-3).fit_model(competing_runs())
    short, whole = 4, 4 * intervals  # evaluations of a rollout over a tenth of the window, and over all of it
    assert 0 < len(calls) <= (steps + 1) * (short + whole)


@pytest.mark.skipif(not IO.exists(), reason="counts of bytes read come from Linux")
def test_extraction_reads_each_byte_once(tmp_path):
    """Of two logs the larger costs what it is larger by; looking for thread pools reads what this process maps."""

    def read(path, steps):
        np.save(path, np.random.default_rng(0).standard_normal((steps, 11, 2000)))
        counts = []
        for _ in range(3):  # imports read files too
            before = bytes_read()
            extract(path, Request(p=11, checksums=False), options=LogOptions(interval=1))
            counts.append(bytes_read() - before)
        return min(counts), path.stat().st_size

    small, large = read(tmp_path / "small.npy", 20), read(tmp_path / "large.npy", 60)
    assert large[0] - small[0] <= 1.1 * (large[1] - small[1])


@pytest.mark.skipif(not IO.exists(), reason="counts of bytes read come from Linux")
def test_a_trajectories_file_is_read_once(tmp_path, competing_runs):
    path = tmp_path / "runs.nc"
    competing_runs(runs=40, steps=800).save(path)
    ecodyn.load(path)
    before = bytes_read()
    ecodyn.load(path)
    assert bytes_read() - before <= 1.5 * path.stat().st_size


def bytes_read():
    """By this process so far, caches or not."""
    return int(IO.read_text().split("rchar:")[1].split()[0])
