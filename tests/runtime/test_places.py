"""Where work is done: a Dask client or a joblib back end that is named gets it, and no other; results are the same."""

import os
import threading
import time
from pathlib import Path

import joblib
import numpy as np
import pytest
from threadpoolctl import threadpool_info

import ecodyn
from ecodyn.errors import LostWorkError
from ecodyn.runtime.processes import each_with, is_elsewhere, outcomes, workers
from ecodyn.runtime.shared_data import MAPPED_BYTES, shared_data
from ecodyn.runtime.threads import one_thread

DATA = np.arange(12.0)


def weighed(item, data):
    return item * data.sum()


def odd(item):
    if item == 1:
        raise ValueError(f"no {item}")
    return item, threading.current_thread().name, sum(pool["num_threads"] for pool in threadpool_info())


@pytest.fixture(scope="module")
def client():
    """A cluster in this process: the protocol without the seconds that processes take to start."""
    from distributed import Client

    with Client(
        processes=False, n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0", set_as_default=False
    ) as made:
        yield made


def place(name, client):
    """A block in which work goes to a place."""
    if name == "on_cluster":
        return ecodyn.on_cluster(client)
    if name == "as_current":
        return client.as_current()
    return joblib.parallel_config(backend=name, n_jobs=2)


PLACES = ["on_cluster", "as_current", "threading", "sequential"]


@pytest.mark.parametrize("name", PLACES)
@pytest.mark.parametrize("ordered", [True, False])
def test_results_are_those_without(client, name, ordered):
    here = list(each_with(weighed, range(7), DATA, 1, ordered=True))
    with place(name, client):
        assert is_elsewhere()
        there = list(each_with(weighed, range(7), DATA, 1, ordered=ordered))
        assert not list(each_with(weighed, [], DATA, 1, ordered=ordered))
    assert not is_elsewhere()
    assert (there if ordered else sorted(there)) == here


@pytest.mark.parametrize("name", PLACES)
def test_an_error_costs_its_item_and_who_works_has_one_thread(client, name):
    with place(name, client):
        found = dict(outcomes(odd, range(4), 1))
    assert sorted(found) == list(range(4))
    assert isinstance(found[1], ValueError)
    assert str(found[1]) == "no 1"
    assert {found[i][0] for i in (0, 2, 3)} == {0, 2, 3}
    assert all(found[i][2] == len(threadpool_info()) for i in (0, 2, 3))
    assert name == "sequential" or threading.current_thread().name not in {found[i][1] for i in (0, 2, 3)}


def test_the_cluster_says_how_much_is_done_at_once(client):
    assert workers(7) == 7
    with ecodyn.on_cluster(client):
        assert workers(7) == 2
    with joblib.parallel_config(backend="threading", n_jobs=3):
        assert workers(7) == 3


def test_a_client_that_merely_exists_is_left_alone(client):
    with client.as_current():
        pass
    assert not is_elsewhere()
    with joblib.parallel_config(backend="loky", n_jobs=2):
        assert not is_elsewhere()


def test_the_innermost_named_by_us_comes_first(client):
    with joblib.parallel_config(backend="threading", n_jobs=3), ecodyn.on_cluster(client):
        assert workers(1) == 2


def test_joblibs_dask_is_the_client(client):
    with client.as_current():
        dask = joblib.parallel_config(backend="dask")
    with dask:
        assert workers(1) == 2
        assert sum(each_with(weighed, range(4), DATA, 1, ordered=False)) == 6 * DATA.sum()


def test_a_task_works_where_the_command_was_given(client, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with ecodyn.on_cluster(client):
        ((_, folder),) = outcomes(lambda _: os.getcwd(), [0], 1)  # noqa: PTH109
    assert Path(folder) == tmp_path


def test_nobody_waiting_cancels_the_rest(client):
    with ecodyn.on_cluster(client):
        results = each_with(weighed, range(50), DATA, 1, ordered=False)
        next(results)
        results.close()
    patience = time.monotonic() + 10
    while client.futures and time.monotonic() < patience:  # Dask forgets in its own thread
        time.sleep(0.01)
    assert not client.futures


def test_workers_of_several_threads_are_named():
    from distributed import Client

    with (
        Client(processes=False, n_workers=1, threads_per_worker=3, dashboard_address="127.0.0.1:0") as several,
        pytest.warns(UserWarning, match=r"1 of the cluster's workers have several threads.*--nthreads 1"),
    ):
        assert list(each_with(weighed, range(5), DATA, 1, ordered=True)) == [i * DATA.sum() for i in range(5)]
    with (
        pytest.raises(ValueError, match="expected a client with a connection, got one that is closed"),
        ecodyn.on_cluster(several),
    ):
        pass


def test_a_cluster_without_workers_is_told(monkeypatch):
    from distributed import Client

    from ecodyn.runtime.places.dask_place import DaskPlace

    with (
        Client(processes=False, n_workers=0, dashboard_address="127.0.0.1:0", set_as_default=False) as empty,
        pytest.raises(LostWorkError, match=r"has had no worker for 0.1 s; start one: dask worker inproc://"),
    ):
        list(DaskPlace(empty, wait=0.1).outcomes(odd, [0]))


def test_other_versions_are_refused(client, monkeypatch):
    from ecodyn.runtime.places import dask_versions

    monkeypatch.setattr(dask_versions, "checked", {})
    monkeypatch.setattr(dask_versions, "__version__", "9.9")
    monkeypatch.setattr(client, "run", lambda *_, **__: {"tcp://there": {"ecodyn": "0.0.1"}})
    with pytest.raises(ValueError, match=r"expected ecodyn 9.9 on the worker tcp://there, got 0.0.1"):
        dask_versions.check_versions(client)


def test_what_is_shared_is_read_as_it_was_and_large_arrays_are_mapped():
    rng = np.random.default_rng(0)
    large, small = rng.random(MAPPED_BYTES // 8 + 1), rng.random(5)
    with shared_data({"large": large, "small": small, "law": lambda x: x + 1}) as data:
        read = data.read()
        assert data.read() is read
        assert len(data.arrays) == 1
        assert data.path.stat().st_size < 1.1 * large.nbytes
    assert not data.path.exists()
    np.testing.assert_array_equal(read["large"], large)
    np.testing.assert_array_equal(read["small"], small)
    assert read["small"].flags.writeable
    assert not read["large"].flags.writeable
    assert read["law"](1) == 2


def test_this_process_has_one_thread_meanwhile_and_then_as_many_as_before():
    import torch

    torch.set_num_threads(2)  # the next test has one again
    before = [pool["num_threads"] for pool in threadpool_info()]
    with one_thread():
        assert {pool["num_threads"] for pool in threadpool_info()} == {1}
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == 2
    assert [pool["num_threads"] for pool in threadpool_info()] == before
    assert all(result[2] == len(before) for _, result in outcomes(odd, [0, 2], 1))
