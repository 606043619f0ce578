"""The benchmark of schedules: what a law is fitted to, and in which time."""

import importlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from ecodyn import Trajectories

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture
def schedules(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module("schedules")


@pytest.fixture
def runs(schedules):
    """Four seeds under each schedule, with rates that are constant, fall once, and fall twice."""
    names, seeds = np.repeat(schedules.SCHEDULES, 4), np.tile(np.arange(4), 3)
    values = np.random.default_rng(0).random((12, 4, 2))
    data = Trajectories(
        values, [0, 100, 500, 1000], settings={"learning_rate_schedule": names.tolist(), "seed": seeds.tolist()}
    )
    knots = [([0], [0.01]), ([0, 300], [0.01, 0.001]), ([0, 200, 600], [0.01, 0.005, 0.001])]
    return data.with_inputs(lr=[knots[i] for i in np.repeat(range(3), 4)], kind="steps")


def test_training_time_is_the_sum_of_the_rates(schedules, runs):
    times = schedules.in_training_time(runs).times
    np.testing.assert_allclose(times[0], [0, 100, 500, 1000])
    np.testing.assert_allclose(times[4], [0, 100, 300 + 0.1 * 200, 300 + 0.1 * 700])
    np.testing.assert_allclose(times[8], [0, 100, 200 + 0.5 * 300, 200 + 0.5 * 400 + 0.1 * 400])


@dataclass
class Seen:
    """A law that remembers what it was fitted to, and forecasts nothing."""

    n_coefficients = 1

    def __init__(self):
        self.training = []

    def fit_models(self, training):
        self.training += training
        return [self] * len(training)


def test_a_training_is_scored_by_laws_that_saw_neither_its_schedule_nor_its_seed(monkeypatch, schedules, runs):
    seen, scored = Seen(), []

    def score(model, law, data):
        scored.append(data)
        return np.array(data.settings["seed"].tolist(), dtype=float)

    monkeypatch.setattr(schedules, "scored", score)
    others = {target: [name for name in schedules.SCHEDULES if name != target] for target in schedules.SCHEDULES}
    skills, _ = schedules.on_others(schedules.Law("any", "any", seen, "input"), runs, others)
    assert {name: values.tolist() for name, values in skills.items()} == {name: [0, 1, 2, 3] for name in others}
    assert len(scored) == len(seen.training) == 6
    for training, test in zip(seen.training, scored, strict=True):
        for name in ("learning_rate_schedule", "seed"):
            assert not set(training.settings[name].tolist()) & set(test.settings[name].tolist())
        assert (training.n_runs, test.n_runs) == (4, 2)
