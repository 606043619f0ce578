"""Of killed workers: each item is done or given up exactly once, and only what kills its worker is given up."""

import time
import warnings
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecodyn.errors import LostWorkError
from ecodyn.runtime import pools
from ecodyn.runtime.processes import each_with, outcomes


class Pools:
    """Executors whose items end in a drawn order; some kill their worker each time, others the first time only."""

    def __init__(self, random, deadly, unlucky):
        self.random, self.deadly, self.unlucky = random, deadly, set(unlucky)
        self.sizes, self.begun, self.pending, self.broken = [], [], {}, False

    @contextmanager
    def opened(self, size):
        self.sizes.append(size)
        self.pending, self.broken = {}, False
        yield self
        assert not self.pending

    def submit(self, function, item):
        assert len(self.pending) < self.sizes[-1], "more at once than there are workers"
        if self.broken:
            raise BrokenProcessPool
        self.begun.append(item)
        future = Future()
        self.pending[future] = (function, item)
        return future

    def wait(self, waiting, **_):
        assert set(waiting) == set(self.pending)
        future = self.random.choice(list(self.pending))
        function, item = self.pending[future]
        if item in self.deadly | self.unlucky:
            self.unlucky.discard(item)
            self.broken = True
            ended, self.pending = set(self.pending), {}
            for one in ended:
                one.set_exception(BrokenProcessPool())
            return ended, set()
        del self.pending[future]
        future.set_result(function(item))
        return {future}, set()


numbers = st.frozensets(st.integers(0, 11))


@given(st.integers(0, 12), st.integers(2, 4), numbers, numbers, st.randoms(use_true_random=False))
def test_only_what_kills_its_worker_is_given_up(count, processes, deadly, unlucky, random):
    fake = Pools(random, deadly, unlucky)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pools, "wait", fake.wait)
        found = list(pools.in_pools(fake.opened, lambda i: i * i, range(count), processes, None, 1.0))
    assert sorted(index for index, _ in found) == list(range(count))
    lost = {index for index, result in found if isinstance(result, LostWorkError)}
    there = set(range(count))
    assert deadly & there <= lost <= (deadly | unlucky) & there
    assert lost == deadly & there or len((deadly | unlucky) & there) > 1  # one death alone is forgiven
    assert all(result == index**2 for index, result in found if index not in lost)
    assert max((fake.begun.count(i) for i in range(count)), default=0) <= 2
    assert max(fake.sizes, default=0) <= min(processes, max(count, 1))


def test_an_error_is_an_outcome():
    def third(item):
        if item == 2:
            raise ValueError("odd")
        return item

    found = dict(outcomes(third, range(4), 1))
    assert [found[0], found[1], found[3]] == [0, 1, 3]
    assert str(found[2]) == "odd"
    results = each_with(lambda item, _: third(item), range(4), None, 1, ordered=True)
    assert [next(results), next(results)] == [0, 1]
    with pytest.raises(ValueError, match="odd"):
        next(results)


def grown(megabytes):
    """So much is kept for good by this worker, which is given the time to be looked at."""
    KEPT.append(b"1" * (megabytes * 10**6))
    time.sleep(1.2 if megabytes else 0.0)  # loky looks at each worker once a second
    return megabytes


KEPT = []


@pytest.mark.timeout(100)
@pytest.mark.parametrize("pool", [pools.new_workers, pools.kept_workers])
def test_workers_that_grow_are_replaced_without_a_word(pool):
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # of which the thread that replaces them would die
        items = [0, 0, 400, 400, 0, 0]
        assert dict(pools.in_pools(pool, grown, items, 2, None, 1.0)) == dict(enumerate(items))


def test_an_item_half_submitted_leaves_no_traceback_when_its_pool_is_ended():
    """As an interrupt leaves it: its number is in the queue, and what is to be done is not."""
    with pools.new_workers(1) as pool:
        assert pool.submit(abs, -1).result() == 1
        pool._work_ids.put(10**6)  # pytest would say so if the thread that takes it died of it
