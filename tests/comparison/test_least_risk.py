"""Of laws that follow one trajectory alike, the one that agrees with the others from other starts."""

import numpy as np

from ecodyn.comparison.automatic.monomials import Terms
from ecodyn.comparison.automatic.other_starts import of_least_risk
from ecodyn.comparison.automatic.problem import Problem
from ecodyn.comparison.automatic.refinement import Refined

TIMES = np.linspace(0.0, 1.0, 51)
DECAY = np.exp(-TIMES)[:, None]


def law(*coefficients, left=1e-4):
    row = np.array([coefficients])
    return Refined(row, row != 0, starts=DECAY[:1], cost=left, squares=np.array([left]), ok=True)


def chosen(*laws):
    problem = Problem(Terms(1, 3), [(DECAY, DECAY, TIMES)], np.array([0.4]))
    ordered = sorted(laws, key=problem.value)
    values = np.array([[problem.value(each) for each in ordered]])
    return ordered[of_least_risk(problem, ordered, 1, values)[0]]


def test_a_law_that_runs_away_gives_way_to_those_that_agree():
    away = law(0.0, -1.0, 0.0, 500.0, left=0.8e-4)
    near = [law(0.0, -1.0, 0.01, 0.0), law(0.0, -1.01, 0.0, 0.0)]
    assert chosen(away, *near) is not away
    assert chosen(away) is away


def test_where_laws_agree_the_criterion_decides():
    better, worse = law(0.0, -1.0, 0.0, 0.0), law(0.0, -1.0, 1e-5, 0.0)
    assert chosen(worse, better) is better


def test_a_law_far_worse_than_the_best_has_no_say():
    best = law(0.0, -1.0, 0.0, 0.0)
    others = [law(0.0, -3.0, 0.0, 0.0, left=1e-2), law(0.0, -3.1, 0.0, 0.0, left=1e-2)]
    assert chosen(best, *others) is best


def test_resamples_go_by_the_same_rule():
    """A law is chosen in the resamples whose criteria are those of the data, and in others by theirs."""
    away = law(0.0, -1.0, 0.0, 500.0, left=0.8e-4)
    laws = [away, law(0.0, -1.0, 0.01, 0.0), law(0.0, -1.01, 0.0, 0.0)]
    problem = Problem(Terms(1, 3), [(DECAY, DECAY, TIMES)], np.array([0.4]))
    ordered = sorted(laws, key=problem.value)
    values = np.array([problem.value(each) for each in ordered])
    clearly = np.where([each is away for each in ordered], -1e3, 1e3)
    found = of_least_risk(problem, ordered, 1, np.array([values, values, clearly]))
    assert found[0] == found[1] != ordered.index(away)
    assert found[2] == ordered.index(away)
