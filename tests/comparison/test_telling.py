"""Which models and runs tell why a verdict is what it is."""

from dataclasses import replace

import numpy as np
import pytest

import ecodyn
from ecodyn.comparison.telling import BEST, TYPICAL, WORST, families_standing, left_in, telling_models, telling_runs
from ecodyn.comparison.verdict import TIED, UNDECIDED
from ecodyn.families.model_name import FAMILY, NULL


@pytest.fixture(scope="module")
def window():
    """Six decays that differ in how far a constant rate is off."""
    rng = np.random.default_rng(0)
    times, starts = np.arange(20.0), rng.uniform(1, 3, (6, 1, 4))
    values = starts * np.exp(-rng.uniform(0.05, 0.15, (6, 1, 1)) * times[:, None])
    families = ["linear", "lotka_volterra"]
    quick = {family: {"refine": False} for family in families}
    runs = ecodyn.Trajectories(values, times)
    return ecodyn.compare(runs, families, ["independent", "exchangeable"], parameters=quick, folds=3).windows[0]


def test_the_runs_are_the_median_and_both_ends(window):
    first = telling_models(window, "unseen_runs")[0]
    left = np.array([left_in(first, run) for run in window.truth])
    found = telling_runs(window, "unseen_runs")
    assert left[found[BEST]] == left.min()
    assert left[found[WORST]] == left.max()
    assert (left < left[found[TYPICAL]]).sum() == (len(left) - 1) // 2


def test_a_rollout_that_ended_early_is_the_worst_and_one_of_nothing_is_none(window):
    first = telling_models(window, "unseen_runs")[0]
    best = telling_runs(window, "unseen_runs")[BEST]
    skills = first.skill_per_run.copy()
    skills[best] = np.nan
    lost = replace(first, skill_per_run=skills)
    still = replace(window, models=[lost if m is first else m for m in window.models])
    assert best not in telling_runs(still, "unseen_runs").values()
    path = window.drawn["unseen_runs", first.name]
    ended = {**path, best: (path[best][0], np.full_like(path[best][1], np.nan))}
    lost_there = replace(still, drawn={**window.drawn, ("unseen_runs", first.name): ended})
    assert telling_runs(lost_there, "unseen_runs")[WORST] == best


def test_of_two_runs_two_are_shown(window):
    few = replace(window, truth={run: window.truth[run] for run in (0, 1)})
    found = telling_runs(few, "unseen_runs")
    assert sorted(found.values()) == [0, 1]
    assert telling_runs(replace(window, drawn={}), "unseen_runs") == {}


def test_what_is_named_comes_first_and_all_nulls_last(window):
    families = [m for m in window.of("unseen_runs") if m.kind == FAMILY]
    last = families[-1].name
    verdict = replace(window.verdict, best=last, tied=(), undecided_against=())
    named = replace(window, verdicts={**window.verdicts, "unseen_runs": verdict})
    shown = telling_models(named, "unseen_runs")
    assert shown[0].name == last
    assert [m for m in shown if m.kind == NULL] == [m for m in window.of("unseen_runs") if m.kind == NULL]


@pytest.mark.parametrize("status", [TIED, UNDECIDED])
def test_families_that_stand_are_there_once_the_simplest_first(window, status):
    names = tuple(m.name for m in reversed([m for m in window.of("unseen_runs") if m.kind == FAMILY]))
    said = {"tied": names, "best": names[0]} if status == TIED else {"undecided_against": names, "best": None}
    verdict = replace(window.verdict, **{"tied": (), "undecided_against": (), **said}, status=status)
    standing = families_standing(replace(window, verdicts={"unseen_runs": verdict}), verdict)
    assert {m.name for m in standing} == set(names)
    sizes = [m.library_size for m in standing]
    assert sizes == sorted(sizes)
