"""Phases of systems whose change points are known, and what must not move them."""

import math
import warnings
from itertools import pairwise

import numpy as np
import pytest

from ecodyn import Linear, Trajectories, compare, find_phases
from ecodyn.comparison.phases import Phase, Phases, label_of_change
from ecodyn.errors import DataWarning, UnusableDataError
from ecodyn.families import Shooting

UP, DOWN, SAME = 0.3, -0.3, 0.01


def staged(knots, mean, spread, *, runs=8, features=12, steps=151, noise=0.0, seed=0, times=None, vary=0.02):
    """Runs whose log mean and log spread over features are piecewise linear in time, with the given values at knots.

    Runs differ by a factor each, and in which feature is where in the spread.
    """
    rng = np.random.default_rng(seed)
    times = np.linspace(0, knots[-1], steps) if times is None else times
    level, width = (np.exp(np.interp(times, knots, values)) for values in (mean, spread))
    place = rng.normal(size=(runs, 1, features))
    place = (place - place.mean(axis=2, keepdims=True)) / place.std(axis=2, keepdims=True)
    factor = np.exp(vary * rng.normal(size=(runs, 1, 1)))
    values = factor * (level[:, None] + width[:, None] * place)
    return Trajectories(values + noise * rng.normal(size=values.shape), times)


def three_phases(**more):
    """Growth until 60, competition until 210, decay until 300."""
    return staged([0, 60, 210, 300], [3.0, 4.0, 3.2, 2.0], [1.0, 1.4, 2.6, 1.4], **more)


def near(found, expected, within):
    return len(found) == len(expected) and all(abs(a - b) <= within for a, b in zip(found, expected, strict=True))


# --------------------------------------------------------------------------------------------------- what is found


@pytest.mark.parametrize("noise", [0.0, 0.3])
def test_known_change_points_are_found_and_named(noise):
    found = find_phases(three_phases(noise=noise))
    assert near(found.boundaries, [60, 210], within=2 if noise == 0 else 6)
    assert [p.label for p in found.phases] == ["growth", "competition", "decay"]
    assert found.stable
    assert found.notes == []
    assert found.windows[0][0] == 0
    assert found.windows[-1][1] == 300
    assert all(a[1] == b[0] for a, b in pairwise(found.windows))


def test_changes_of_a_phase_are_those_of_the_aggregate():
    first = find_phases(three_phases(vary=0.0)).phases[0]
    assert first.mean_change == pytest.approx(1.0, abs=0.02)
    assert first.spread_change == pytest.approx(0.4, abs=0.02)


def test_exponential_growth_then_decay():
    found = find_phases(staged([0, 100, 300], [0.0, 2.0, -1.0], [-2.0, 0.0, -3.0]))
    assert near(found.boundaries, [100], within=2)
    assert [p.label for p in found.phases] == ["growth", "decay"]


def test_one_exponential_is_one_phase():
    found = find_phases(staged([0, 300], [3.0, 0.0], [1.0, -2.0], vary=0.2))
    assert found.windows == [(0.0, 300.0)]
    assert found.phases[0].label == "decay"
    assert found.stable
    assert found.boundaries == ()


@pytest.mark.parametrize("seed", range(3))
def test_noise_about_a_level_is_one_phase_of_rest(seed):
    values = 10.0 + np.random.default_rng(seed).normal(size=(8, 150, 12))
    found = find_phases(Trajectories(values, np.arange(150.0)))
    assert [p.label for p in found.phases] == ["rest"]


def test_one_feature_has_a_level_and_no_spread():
    times = np.linspace(0, 300, 151)
    level = np.exp(np.interp(times, [0, 100, 300], [0.0, 2.0, -1.0]))
    found = find_phases(Trajectories(np.linspace(0.9, 1.1, 8)[:, None, None] * level[:, None], times))
    assert [p.label for p in found.phases] == ["growth", "decay"]
    assert all(math.isnan(p.spread_change) for p in found.phases)
    assert "spread" not in str(found)


@pytest.mark.parametrize(
    ("mean", "spread", "label"),
    [
        (UP, UP, "growth"),
        (UP, DOWN, "growth"),
        (UP, math.nan, "growth"),
        (SAME, UP, "separation"),
        (SAME, SAME, "rest"),
        (SAME, math.nan, "rest"),
        (SAME, DOWN, "convergence"),
        (DOWN, UP, "competition"),
        (DOWN, SAME, "competition"),
        (DOWN, DOWN, "decay"),
        (DOWN, math.nan, "decay"),
    ],
)
def test_the_rule_of_names(mean, spread, label):
    assert label_of_change(mean, spread) == label


# ------------------------------------------------------------------------------------------- what must not move them


def test_units_of_the_signal_change_nothing():
    data = three_phases(noise=0.2)
    scaled = Trajectories(1e3 * data.values, data.steps)
    assert find_phases(scaled).fold_boundaries == find_phases(data).fold_boundaries


def test_units_and_origin_of_time_move_the_boundaries_with_it():
    data = three_phases(noise=0.2)
    moved = find_phases(Trajectories(data.values, 1000 + 8 * data.steps))
    assert moved.boundaries == tuple(1000 + 8 * b for b in find_phases(data).boundaries)


def test_order_of_features_and_runs_changes_nothing():
    data = three_phases(noise=0.2)
    rng = np.random.default_rng(5)
    shuffled = np.stack([rng.permutation(run, axis=1) for run in data.values])[rng.permutation(8)]
    one, two = find_phases(data), find_phases(Trajectories(shuffled, data.steps))
    assert one.windows == two.windows
    assert sorted(one.fold_boundaries) == sorted(two.fold_boundaries)


def test_when_the_steps_are_stored_hardly_matters():
    dense_early = np.unique(np.r_[np.arange(0, 80.0), np.arange(80, 300.1, 4)])
    assert near(find_phases(three_phases(times=dense_early)).boundaries, [60, 210], within=5)


def test_boundaries_without_a_fold_know_nothing_of_it():
    data = three_phases(noise=0.2)
    other = data.values.copy()
    other[3] = staged([0, 300], [3.0, 0.0], [1.0, -2.0], runs=1).values[0]
    found, changed = find_phases(data), find_phases(Trajectories(other, data.steps))
    assert changed.fold_boundaries[3] == found.fold_boundaries[3]
    assert changed.fold_boundaries != found.fold_boundaries


# ----------------------------------------------------------------------------------------------- what is said of them


def test_folds_that_disagree_are_unstable():
    early, late = (staged([0, b, 300], [3.0, 4.0, 2.0], [1.0, 2.0, 0.0], runs=3).values for b in (60, 180))
    found = find_phases(Trajectories(np.concatenate([early, late[:2]]), np.linspace(0, 300, 151)))
    assert not found.stable
    assert "unstable" in found.notes[0]
    assert found.to_json()["stable"] is False


def test_a_boundary_off_the_tolerance_is_unstable():
    phases = tuple(Phase(w, "decay", -1.0, -1.0) for w in ((0.0, 50.0), (50.0, 100.0)))
    assert Phases(phases, ((50.0,), (52.0,)), tolerance=2.0).stable
    assert not Phases(phases, ((50.0,), (52.5,)), tolerance=2.0).stable
    assert not Phases(phases, ((50.0,), ()), tolerance=2.0).stable


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (lambda: three_phases(runs=3), "at least 4 independent runs, got 3"),
        (lambda: three_phases(steps=8), "at least 10 steps"),
        (lambda: Trajectories(-three_phases().values, np.linspace(0, 300, 151)), "positive"),
    ],
)
def test_what_has_no_phases_is_refused_in_a_sentence(data, word):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        runs = data()
    with pytest.raises(UnusableDataError, match=word):
        find_phases(runs)


# ------------------------------------------------------------------------------------------------------- comparisons


@pytest.fixture(scope="module")
def compared():
    data = three_phases(vary=0.1)
    families = [Linear(coupling="exchangeable", shooting=Shooting(refine=False))]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        return data, compare(data, families, protocols=["unseen_runs"], phases="auto", folds=2)


def test_compare_judges_each_phase(compared):
    data, found = compared
    phases = find_phases(data, folds=2)
    assert found.phases == phases
    assert [w.window for w in found.windows] == phases.windows
    report = found.to_json()
    assert [w["phase"] for w in report["windows"]] == [p.label for p in phases.phases]
    assert report["phases"]["fold_boundaries"] == [list(b) for b in phases.fold_boundaries]


def test_phases_or_windows():
    with pytest.raises(ValueError, match="got both"):
        compare(three_phases(), ["linear"], phases="auto", windows=[(0, 60)])
    with pytest.raises(ValueError, match="'auto'"):
        compare(three_phases(), ["linear"], phases="three")
