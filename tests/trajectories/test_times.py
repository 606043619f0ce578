"""Times increase strictly in every run; whatever else they are is refused, however uneven they are is not."""

import numpy as np
import pytest

from ecodyn.errors import DataWarning, UnusableDataError
from ecodyn.trajectories import Trajectories, load


def build(steps, T=5):
    return Trajectories(np.random.default_rng(0).random((2, T, 3)), steps)


@pytest.mark.parametrize(
    ("steps", "sentence"),
    [
        ([0, 2, 1, 3, 4], r"goes back at index 2 \(from 2 to 1\)"),
        ([0, 1, 1, 3, 4], "repeats at index 2"),
        ([0, 1, np.nan, 3, 4], "index 2 is nan"),
        ([0, 1, np.inf, 3, 4], "index 2 is inf"),
        (np.arange(4), r"shape \(4,\), expected \(5,\)"),
        (np.arange("2020-01-01", "2020-01-06", dtype="datetime64[D]"), "dates.*times must be numbers"),
        (["a", "b", "c", "d", "e"], "text.*times must be numbers"),
        ([np.arange(5)], "times for 1 runs, values has 2"),
        ([np.arange(5), np.arange(4)], r"steps\[1\]"),
    ],
    ids=["unsorted", "duplicate", "nan", "inf", "wrong length", "dates", "text", "few lists", "short list"],
)
def test_time_refused(steps, sentence):
    with pytest.raises(UnusableDataError, match=sentence):
        build(steps)


def test_time_of_one_run_only_is_checked_too():
    with pytest.raises(UnusableDataError, match="time of run 1 goes back"):
        build([np.arange(5), [0, 1, 2, 9, 3]])


def test_time_without_steps_is_refused():
    with pytest.raises(UnusableDataError, match=r"0 step\(s\)"):
        build([], T=0)


@pytest.mark.parametrize("T", [1, 2])
def test_time_of_one_or_two_steps_is_fine(T, tmp_path):
    short = build(np.arange(T), T)
    assert short.n_steps == T
    short.save(tmp_path / "a.nc")
    assert load(tmp_path / "a.nc") == short


def test_time_irregular_is_fine():
    build([0, 1, 3, 4, 10])
    build(np.unique(np.geomspace(1, 1e6, 50)), T=50)  # logarithmic spacing has no gap
    build([*range(10), *range(60, 1000, 50)], T=29)  # coarser from some step on


def test_time_gap_is_warned_about():
    with pytest.warns(DataWarning, match="gap in the times of run 0, 4 to 500"):
        trajectories = build([0, 1, 2, 3, 4, 500, 501, 502], T=8)
    assert len(trajectories.warnings) == 1
