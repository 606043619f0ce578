"""A run that lacks values at its start keeps its clock; forecasts that are lost for it are named."""

import numpy as np
import pytest

import ecodyn
from ecodyn import Trajectories, UnusableDataError
from ecodyn.comparison.check import check
from ecodyn.comparison.folds import first_row, origins, steps_before
from ecodyn.comparison.request import Request
from ecodyn.survivors.survivors import alive_at_end, survivors
from ecodyn.systems import SYSTEMS, simulate

pytestmark = pytest.mark.filterwarnings("ignore:.*(are missing|lack a value at the window):ecodyn.DataWarning")
ASKED = {"families": ["linear"], "couplings": ["exchangeable"], "protocols": ["forecast"]}


@pytest.fixture(scope="module")
def runs():
    return simulate(SYSTEMS["competition"], runs=4, noise=0.01, samples=41, seed=3)


def lacking(runs, *places):
    mask = np.zeros(runs.shape, dtype=bool)
    for place in places:
        mask[place] = True
    return Trajectories(runs.values, runs.times, runs.features, runs.runs, missing=mask)


def checked(runs):
    return check(runs, Request(**ASKED)).windows[0]


@pytest.mark.parametrize("first", [1, 5, 12])
def test_a_hole_at_a_runs_start_moves_no_origin(runs, first):
    whole, part = checked(runs), checked(lacking(runs, (2, slice(first), 0)))
    assert origins(part) == origins(whole)
    for run in range(runs.n_runs):
        assert first_row(part, run, None) == (first if run == 2 else 0)
        for origin in origins(whole):
            start, own = (d.times[run, first_row(d, run, origin)] for d in (whole, part))
            assert own == start
            assert steps_before(part, run, origin) == steps_before(whole, run, origin)


def test_forecasts_start_where_they_would_without_the_hole(runs):
    a, b = (ecodyn.compare(r, **ASKED).windows[0].drawn for r in (runs, lacking(runs, (2, slice(6), 0))))
    assert a.keys() == b.keys()
    for key, drawn in a.items():
        assert sorted(b[key]) == [0, 1, 2]
        for run, (times, _) in drawn.items():
            assert np.array_equal(b[key][run][0], times)


def test_lost_forecasts_are_said_and_the_others_are_there(runs):
    with_hole = lacking(runs, (2, slice(15), 0))  # the first of the origins is at the 17th step
    with pytest.warns(ecodyn.DataWarning, match=r"1 of 4 runs have fewer than .* no forecast from there \(runs 2\)"):
        result = ecodyn.compare(with_hole, **ASKED)
    (linear,) = [m for m in result.models if m.kind == "family"]
    assert np.isfinite(linear.skill_per_run).all()


def test_a_run_without_a_complete_step_is_refused(runs):
    with pytest.raises(UnusableDataError, match="runs 1 have none"):
        ecodyn.compare(lacking(runs, (1, slice(20), 0), (1, slice(20, None), 1)), **ASKED)


def test_paths_that_are_drawn_have_no_holes(runs):
    with_holes = lacking(runs, (0, slice(3, 40, 7), 1), (1, slice(-2, None), 0), (2, slice(4), 0))
    for run, (times, values) in ecodyn.compare(with_holes, **ASKED).windows[0].truth.items():
        rows = np.searchsorted(runs.times[run], times)
        assert np.array_equal(values, runs.values[run, rows])
        assert len(times) == (~with_holes.missing[run].any(axis=1)).sum()


def test_who_is_alive_in_a_run_is_asked_of_that_run_alone():
    grouped = np.array([[88.0, 87.0, 89.0, 86.0, 88.0], [80, 79, 40, 41, 42], [71.0, 69.0, 9.0, 10.0, 11.0]])
    runs = Trajectories(np.repeat(grouped[None], 3, axis=0), [0, 500, 1000])
    gaps = lacking(runs, (0, 2, 1), (2, 0, 0), (2, 1, 1), (2, 2, 2))  # the last has no complete step
    alone = gaps.select(runs=[0, 1])
    for run in range(2):
        assert np.array_equal(alive_at_end(gaps, run), survivors(alone).alive[run])
    assert alive_at_end(gaps, 2) is None


def test_runs_that_all_begin_later_have_surrogates(runs):
    """Nothing is missing from where their rollouts start."""
    late = lacking(runs, (slice(None), slice(2), 0))
    quick = {"folds": 2, "parameters": {"linear": {"refine": False}}}
    asked = ASKED | {"protocols": ["unseen_runs"], "surrogates": 19} | quick
    (shuffled, *_) = ecodyn.compare(late, **asked).windows[0].surrogates
    assert len(shuffled.losses) == 19
    assert shuffled.failed == 0


def test_a_velocity_is_known_where_values_before_the_first_complete_step_tell_it(runs):
    late = lacking(runs, (2, slice(4), 0), (1, slice(4, 9), 0))
    assert late.knows_before.tolist() == [False] * 4  # the first value of a feature has none before it
    assert late.window(runs.times[0, 2], np.inf).knows_before.tolist() == [True, True, False, True]
    assert late.window(runs.times[0, 5], np.inf).knows_before.all()
