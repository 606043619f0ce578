"""Results are kept as soon as they are there, also where they are wanted in the order of what was asked."""

import numpy as np
import pytest

from ecodyn import LostWorkError
from ecodyn.comparison import Request, kept
from ecodyn.comparison.kept import each_kept
from ecodyn.runtime.kept_values import KeptValues

ITEMS = list(range(5))


def shuffled(function, items, shared, processes, *, ordered, finished, lost=()):
    """As ``each_with`` of several workers: items finish in some order, some are lost, and are wanted in their own."""
    assert ordered
    done = {}
    for i in np.random.default_rng(processes).permutation(len(items)):
        if items[i][0] not in lost:
            done[i] = function(items[i], shared)
            finished(i, done[i])
    for i in range(len(items)):
        if i not in done:
            raise LostWorkError("gone")
        yield done[i]


@pytest.mark.parametrize("there", [(), (0,), (1, 2), (4,), ITEMS])
def test_places_come_in_order_whatever_is_found(there, tmp_path, monkeypatch):
    monkeypatch.setattr(kept, "each_with", shuffled)
    store = KeptValues(tmp_path)
    keys = [store.key(item) for item in ITEMS]
    for place in there:
        store.put(keys[place], -place)
    asked = each_kept(lambda item, shared: item + shared, ITEMS, 10, Request(kept=store, jobs=3), keys, ordered=True)
    assert list(asked) == [(i, -i if i in there else i + 10) for i in ITEMS]


def test_what_finished_beside_something_that_is_lost_is_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(kept, "each_with", lambda *a, **k: shuffled(*a, **k, lost=(1,)))
    store = KeptValues(tmp_path)
    keys = [store.key(item) for item in ITEMS]
    told = []
    with pytest.raises(LostWorkError):
        told.extend(each_kept(lambda item, _: item, ITEMS, None, Request(kept=store), keys, ordered=True))
    assert told == [(0, 0)]
    again = KeptValues(tmp_path)
    assert [again.has(key) for key in keys] == [True, False, True, True, True]


def test_a_file_where_a_folder_is_wanted_is_named(tmp_path):
    (tmp_path / "tasks").touch()
    with pytest.raises(ValueError, match="tasks is a file"):
        KeptValues(tmp_path / "tasks")
