"""Interrupts, lost processes, resumption: what is finished is kept, and no number changes."""

import multiprocessing
import os
import signal

import numpy as np
import pytest

from ecodyn.networks.modular_addition import (
    MLP,
)
from ecodyn.networks.training import (
    IncompleteTrainingError,
    InterruptedTraining,
    train,
)


def test_an_interrupt_keeps_the_finished_batches(tiny, tmp_path, interrupted_at):
    with pytest.raises(InterruptedTraining, match="interrupted; runs not finished: 3, 4") as caught:
        train(tiny, [1, 2, 3, 4], 5, batch=1, progress=interrupted_at(12), folder=tmp_path)
    assert caught.value.missing == [3, 4]
    finished = caught.value.finished
    np.testing.assert_array_equal(finished.runs, [1, 2])
    assert finished.provenance["seeds"] == [1, 2]
    np.testing.assert_array_equal(finished.values, train(tiny, [1, 2], 5, batch=1).values)


def test_an_interrupt_before_the_first_batch_is_finished(tiny, interrupted_at):
    with pytest.raises(InterruptedTraining) as caught:
        train(tiny, [1, 2], 5, progress=interrupted_at(1))
    assert caught.value.finished is None
    assert caught.value.missing == [1, 2]


def test_a_training_stopped_again_and_again_ends_in_the_same_numbers(tiny, tmp_path):
    """Ctrl-C at a step drawn anew each time, until it is done."""
    networks, rng = [tiny, MLP(p=7, dim=2, width=4)], np.random.default_rng(11)
    whole = train(networks, [0, 1, 2], 30, batch=1)
    options = {"networks": networks, "seeds": [0, 1, 2], "steps": 30, "batch": 1, "folder": tmp_path, "resume": True}
    stops, kept, runs = 0, 0, None
    while runs is None:
        until, seen = int(rng.integers(1, 80)), []

        def progress(done, of, what, until=until, seen=seen):
            seen.append(done)
            if len(seen) == until:
                raise KeyboardInterrupt

        try:
            runs = train(**options, progress=progress)
        except InterruptedTraining as stop:
            stops, finished = stops + 1, 0 if stop.finished is None else stop.finished.n_runs
            missing = len(stop.missing)
        else:
            finished, missing = 6, 0
        assert seen[0] == kept * 30 + 1  # it begins with what was done
        assert (finished, missing) == (len(list(tmp_path.glob("batch_*"))), 6 - finished)
        kept = finished
    assert stops > 1
    assert seen[-1] == 6 * 30
    assert runs == whole
    assert train(**options) == whole  # nothing is left to do


@pytest.mark.usefixtures("quick_looks")
@pytest.mark.slow
def test_processes_change_no_number_and_an_interrupt_of_them_costs_none(tiny, tmp_path, interrupted_at):
    """Two processes, interrupted, then two others: bit for bit what one does in the same batches."""
    before = set(multiprocessing.active_children())  # other tests' idle workers may still be about
    options = {"networks": tiny, "seeds": range(6), "steps": 200, "batch": 1, "folder": tmp_path}
    with pytest.raises(InterruptedTraining) as caught:
        train(**options, jobs=2, progress=interrupted_at(3 * 200))
    assert set(multiprocessing.active_children()) <= before
    finished = caught.value.finished.runs.tolist()
    assert 0 < len(finished) < 6
    assert sorted(finished + caught.value.missing) == list(range(6))
    assert len(list(tmp_path.glob("batch_*"))) == len(finished)
    seen = []
    resumed = train(**options, jobs=2, resume=True, progress=lambda done, *_: seen.append(done))
    assert seen[0] > len(finished) * 200
    assert seen == sorted(set(seen))
    assert seen[-1] == 6 * 200
    assert resumed == train(tiny, range(6), 200, batch=1)


def killing(folder, times):
    """A progress that kills all workers, so many times at most, once a batch is finished."""
    before, killed = set(multiprocessing.active_children()), []

    def progress(done, total, what):
        workers = set(multiprocessing.active_children()) - before
        if workers and len(killed) < times and list(folder.glob("batch_*")):
            killed.append(workers)
            for worker in workers:
                os.kill(worker.pid, signal.SIGKILL)

    return progress, killed


@pytest.mark.usefixtures("quick_looks")
@pytest.mark.slow
def test_workers_killed_once_cost_nothing(tiny, tmp_path):
    progress, killed = killing(tmp_path, times=1)
    options = {"networks": tiny, "seeds": range(4), "steps": 200, "batch": 1}
    runs = train(**options, folder=tmp_path, jobs=2, progress=progress)
    assert killed
    assert runs == train(**options)


@pytest.mark.usefixtures("quick_looks")
@pytest.mark.slow
def test_workers_killed_each_time_cost_only_what_was_not_finished(tiny, tmp_path):
    progress, killed = killing(tmp_path, times=100)
    options = {"networks": tiny, "seeds": range(3), "steps": 200, "batch": 1, "folder": tmp_path}
    with pytest.raises(
        IncompleteTrainingError, match=r"runs not trained: .*its process was killed each time"
    ) as caught:
        train(**options, jobs=2, progress=progress)
    assert caught.value.resumable
    assert len(killed) > 1
    finished = set(caught.value.finished.runs.tolist())
    assert finished
    assert finished | caught.value.failures.keys() == set(range(3))
    assert not finished & caught.value.failures.keys()
    assert train(**options, resume=True) == train(tiny, range(3), 200, batch=1)
