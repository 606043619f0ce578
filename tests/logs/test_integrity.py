"""What goes wrong in logs, and is found."""

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecodyn.errors import UnusableDataError
from ecodyn.logs.integrity import Watch, aliasing_period, is_late, last_wins, ranges, step_remarks


@given(st.lists(st.integers(0, 2), min_size=1, max_size=20), st.integers(1, 7))
def test_repeated_frames_are_seen_in_any_chunks(values, chunk):
    frames = np.repeat(np.array(values, float), 12).reshape(-1, 3, 4)
    frames[:, 0] = 0  # what is glanced at is no evidence
    watch = Watch()
    for first in range(0, len(frames), chunk):
        watch.see(np.arange(first, min(first + chunk, len(frames))), frames[first : first + chunk])
    assert watch.identical == [i for i in range(1, len(values)) if values[i] == values[i - 1]]
    assert watch.first == hashlib.sha256(frames[0].tobytes()).hexdigest()


@given(st.integers(2, 20), st.integers(4, 100), st.booleans())
def test_period_of_spared_rows_is_found(period, last, ended):
    spared = [r for r in range(1, last + 1) if r % period == 0 or (ended and r == last)]
    expected = period if period < last else last if ended else period if period == last else None
    assert aliasing_period(np.array(spared, int), last, ended=ended) == expected


@pytest.mark.parametrize("identical", [[], [3], [5, 10, 20], [5, 10, 11, 20], [1, 2, 3, 4, 5, 20], list(range(1, 21))])
def test_repeated_frames_elsewhere_are_not_aliasing(identical):
    assert aliasing_period(np.array(identical, int), 20) is None


def test_rows_before_a_dump_and_the_last_are_in_time():
    assert is_late(np.arange(8.0), 3, 7).tolist() == [False, True, True, False, True, True, False, False]


@pytest.mark.parametrize(
    ("steps", "kept"),
    [([0, 1, 2], [0, 1, 2]), ([0, 1, 1, 2], [0, 2, 3]), ([0, 10, 20, 10, 20, 30], [0, 3, 4, 5]), ([], []), ([5], [0])],
)
def test_last_row_of_a_step_wins(steps, kept):
    assert last_wins(np.array(steps, float)).tolist() == kept


@given(st.lists(st.integers(0, 9), max_size=12))
def test_steps_kept_ascend_or_are_refused(steps):
    steps = np.array(steps, float)
    if (np.diff(steps) < 0).sum() > 3:
        with pytest.raises(UnusableDataError, match="sort"):
            last_wins(steps)
    else:
        kept = last_wins(steps)
        assert (np.diff(steps[kept]) > 0).all()
        assert not len(steps) or kept[-1] == len(steps) - 1


def test_missing_step_is_refused():
    with pytest.raises(UnusableDataError, match="row 1"):
        last_wins(np.array([0, np.nan, 2]))


@pytest.mark.parametrize(
    ("steps", "remarks"),
    [
        ([0, 5, 10, 15, 20], []),
        ([0, 1, 6, 11, 16], ["the first interval is 1 steps, most others 5"]),
        ([0, 5, 10, 25, 30, 35, 40], ["2 frames are missing of one every 5 steps: between 10 to 25"]),
        ([0, 1, 10, 100, 1000], []),
        ([0, 1], []),
    ],
)
def test_uneven_steps_are_remarked_upon(steps, remarks):
    found = list(step_remarks(np.array(steps, float)))
    assert len(found) == len(remarks)
    assert all(text.startswith(remark) for text, remark in zip(found, remarks, strict=True))


def test_rows_are_written_as_ranges():
    rows = np.array([1, 2, 3, 5, 7, 8, 10, 12, 14])
    assert ranges(rows) == "1-3, 5, 7-8, 10, 12, 14"
    assert ranges(rows, 2) == "1-3, 5, ..., 14"
    assert ranges(rows[:0]) == "none"
