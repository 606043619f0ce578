import numpy as np
import pytest

from ecodyn.networks.training import Schedule, train


@pytest.mark.parametrize(
    ("schedule", "last", "kept"),
    [
        (Schedule(), 4, [0, 1, 2, 3, 4]),
        (Schedule(dense=3, every=4), 12, [0, 1, 2, 3, 7, 11, 12]),
        (Schedule(dense=10, every=5), 4, [0, 1, 2, 3, 4]),
        (Schedule(every=100), 7, [0, 7]),
    ],
)
def test_the_kept_steps_are_those_that_are_documented(schedule, last, kept):
    np.testing.assert_array_equal(schedule.steps(last), kept)


def test_both_ends_are_kept_and_steps_ascend():
    rng = np.random.default_rng(0)
    for dense, every, last in zip(
        rng.integers(0, 40, 50), rng.integers(1, 40, 50), rng.integers(1, 60, 50), strict=True
    ):
        kept = Schedule(int(dense), int(every)).steps(int(last))
        assert (kept[0], kept[-1]) == (0, last)
        assert (np.diff(kept) > 0).all()
        assert set(range(min(dense, last) + 1)) <= set(kept.tolist())


def test_a_thinned_run_is_the_same_run(tiny, arrays):
    schedule = Schedule(3, 4)
    every, some = train(tiny, [1, 2], 12), train(tiny, [1, 2], 12, keep=schedule)
    rows = schedule.steps(12)
    whole, thinned = arrays(every), arrays(some)
    assert whole.keys() == thinned.keys()
    for name in whole:
        expected = whole[name] if name == "embedding" else whole[name][:, rows]
        np.testing.assert_array_equal(thinned[name], expected, err_msg=name)


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ({"dense": -1}, "dense must be a whole number of at least 0, got -1"),
        ({"dense": 0.5}, "dense must be a whole number"),
        ({"every": 0}, "every must be a whole number of at least 1, got 0"),
        ({"every": True}, "every must be a whole number"),
    ],
)
def test_bad_schedules_are_refused(bad, said):
    with pytest.raises(ValueError, match=said):
        Schedule(**bad)


@pytest.mark.parametrize("schedule", [Schedule(), Schedule(3, 4), Schedule(10, 5), Schedule(every=100), Schedule(5, 1)])
@pytest.mark.parametrize("last", [1, 3, 4, 5, 12, 99, 100, 101])
def test_count_is_the_number_of_steps(schedule, last):
    assert schedule.count(last) == len(schedule.steps(last))
