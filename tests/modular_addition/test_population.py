import multiprocessing
import os
import signal
import subprocess
import sys

import numpy as np
import pytest

import ecodyn
from ecodyn.modular_addition import (
    IncompleteError,
    Interrupted,
    Schedule,
    population,
    train,
    train_population,
)


def test_runs_are_the_single_trainings():
    both = train_population(7, 4, [5, 2], 6, keep=Schedule(2, 3), command="ecodyn train ...")
    run = train(7, 4, 2, 6, keep=Schedule(2, 3))
    assert both.values.shape == (2, 5, 3)
    np.testing.assert_array_equal(both.runs, [5, 2])
    np.testing.assert_array_equal(both.features, [1, 2, 3])
    np.testing.assert_array_equal(both.values[1], run.signal)
    np.testing.assert_array_equal(both.observables["gradient"][1], run.gradient)
    np.testing.assert_array_equal(both.dc[1], run.dc)


def test_a_run_does_not_depend_on_the_others_or_on_the_processes():
    seen = {}
    alone = train_population(7, 4, [2], 50)
    among = train_population(7, 4, [0, 1, 2], 50, jobs=2, progress=seen.__setitem__)
    np.testing.assert_array_equal(alone.values[0], among.values[2])
    np.testing.assert_array_equal(among.runs, [0, 1, 2])
    assert seen == {0: 50, 1: 50, 2: 50}


def test_provenance_says_how_to_do_it_again():
    said = train_population(7, 4, range(2), 3, weight_decay=0.1, keep=Schedule(1, 2), command="again").provenance
    assert said["command"] == "again"
    assert said["versions"]["ecodyn"] == ecodyn.__version__
    assert {"torch", "numpy"} <= said["versions"].keys()
    assert said["seeds"] == [0, 1]
    assert (said["p"], said["dim"], said["width"], said["steps"]) == (7, 4, 100, 3)
    assert (said["optimiser"], said["learning_rate"], said["weight_decay"]) == ("AdamW", 0.01, 0.1)
    assert (said["train_fraction"], said["dtype"], said["device"]) == (0.8, "float64", "cpu")
    assert said["schedule"] == {"dense": 1, "every": 2}


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ({"seeds": []}, "at least one run"),
        ({"seeds": [1, 2, 1]}, "given more than once: 1"),
        ({"seeds": [0, -1]}, "seed must be"),
        ({"jobs": 0}, "jobs .* at least 1"),
        ({"p": 6}, "odd prime"),
        ({"device": "cuda:99"}, "torch sees"),
    ],
)
def test_bad_settings_are_refused_before_any_work(bad, said):
    def progress(*_):
        raise AssertionError("work was begun")

    with pytest.raises(ValueError, match=said):
        train_population(**{"p": 5, "dim": 2, "seeds": [0, 1], "steps": 2, "progress": progress} | bad)


def test_an_interrupt_keeps_the_finished_seeds():
    def progress(seed, step):
        if (seed, step) == (3, 2):
            raise KeyboardInterrupt

    with pytest.raises(Interrupted) as caught:
        train_population(7, 4, [1, 2, 3, 4], 5, progress=progress)
    assert caught.value.missing == [3, 4]
    finished = caught.value.finished
    np.testing.assert_array_equal(finished.runs, [1, 2])
    assert finished.provenance["seeds"] == [1, 2]
    np.testing.assert_array_equal(finished.values[0], train(7, 4, 1, 5).signal)


def test_an_interrupt_before_the_first_seed_is_finished():
    def progress(*_):
        raise KeyboardInterrupt

    with pytest.raises(Interrupted) as caught:
        train_population(7, 4, [1, 2], 5, progress=progress)
    assert caught.value.finished is None
    assert caught.value.missing == [1, 2]


@pytest.fixture
def quick_looks(monkeypatch):
    monkeypatch.setattr(population, "POLL_SECONDS", 0.02)


@pytest.mark.usefixtures("quick_looks")
def test_an_interrupt_keeps_what_the_workers_finished():
    def progress(seed, step):
        if seed == 2 and step > 20:  # it was begun when 0 or 1 had finished
            raise KeyboardInterrupt

    before = set(multiprocessing.active_children())  # other tests' idle workers may still be about
    with pytest.raises(Interrupted) as caught:
        train_population(5, 2, [0, 1, 2], 800, width=4, jobs=2, progress=progress)
    assert set(caught.value.finished.runs) <= {0, 1}
    assert 2 in caught.value.missing
    assert set(multiprocessing.active_children()) <= before


@pytest.mark.usefixtures("quick_looks")
def test_a_killed_worker_costs_only_what_was_under_way():
    before = set(multiprocessing.active_children())

    def progress(seed, step):
        if seed == 2 and step > 20:
            for worker in set(multiprocessing.active_children()) - before:
                os.kill(worker.pid, signal.SIGKILL)

    with pytest.raises(IncompleteError, match=r"seeds not trained: .*2.*terminated") as caught:
        train_population(5, 2, [0, 1, 2], 800, width=4, jobs=2, progress=progress)
    assert set(caught.value.finished.runs) | caught.value.failures.keys() == {0, 1, 2}


def test_divergence_is_reported_with_its_reason():
    with pytest.raises(IncompleteError, match=r"0, 1: seed 0: .*no longer finite") as caught:
        train_population(5, 2, [0, 1], 9, learning_rate=1e300)
    assert caught.value.finished is None
    assert set(caught.value.failures) == {0, 1}


def test_importing_the_folder_does_not_load_torch():
    code = "import sys, ecodyn.modular_addition as m; assert 'train' in dir(m) and 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
