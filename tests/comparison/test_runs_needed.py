"""How many runs would settle a verdict, from losses that were made for it."""

import math
from dataclasses import replace

import numpy as np
import pytest
from made_losses import LOG_MARGIN, RUNS, model, null, undecided
from scipy.stats import t as student

from ecodyn.comparison.ranking import MOST_RUNS
from ecodyn.comparison.verdict import decide


def settles(n, simple, other, margin=LOG_MARGIN):
    """Whether n runs would settle a contest: one surely leaves less, or the simpler surely no more than the margin."""
    difference = simple.losses - other.losses
    half = student.ppf(0.95, n - 1) * difference.std(ddof=1) / math.sqrt(n)
    return half <= abs(difference.mean()) or difference.mean() + half <= margin


@pytest.mark.parametrize(("size", "above"), [(0.3, 0.05), (0.5, 0.0), (0.4, 0.15), (0.8, 0.3)])
def test_runs_needed_is_the_least_that_settles(size, above):
    # The simpler one is the worse: were it the better, it would do, and nobody need wait for more runs.
    entries = [model("lotka_volterra", seed=1, size=size), model("linear", above=above, seed=2, size=size), null()]
    verdict = decide(entries)
    assert verdict.status == "undecided"
    assert verdict.best is None
    assert sorted(d.family for d in verdict.undecided_against) == ["linear", "lotka_volterra"]
    n = verdict.runs_needed
    assert n > RUNS
    assert settles(n, entries[1], entries[0])
    assert not settles(n - 1, entries[1], entries[0])
    assert f"about {n} runs" in verdict.statement


def test_more_than_a_thousand_runs_are_not_named():
    entries = [model("lotka_volterra", seed=1, size=3.0), model("linear", above=0.08, seed=2, size=3.0), null(above=9)]
    verdict = decide(entries)
    assert verdict.status == "undecided"
    assert verdict.runs_needed is None
    assert not settles(MOST_RUNS, entries[1], entries[0])
    assert "over 1000 runs" in verdict.statement


def test_every_contest_must_be_settled():
    """With the lowest: the simpler of a pair is the one that may do."""
    neural = model("neural_ode", above=0.0, seed=5, size=0.6, library_size=900)
    linear, lotka = model("linear", above=0.15, seed=1, size=0.3), model("lotka_volterra", above=0.2, seed=2, size=0.3)
    verdict = decide([linear, lotka, neural, null()])
    assert verdict.status == "undecided"
    n = verdict.runs_needed
    assert all(settles(n, c, neural) for c in (linear, lotka))
    assert not all(settles(n - 1, c, neural) for c in (linear, lotka))


def test_four_times_as_many_runs_as_are_said_settle_it():
    """With so many it is settled if differences stay as they are, which is half of the time: four times is surely."""
    few = [model("lotka_volterra", seed=1, size=0.3), model("linear", above=0.1, seed=2, size=0.3), null()]
    runs = 4 * decide(few).runs_needed
    scatter = (few[1].losses - few[0].losses).std(ddof=1)
    outcomes = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        base = rng.normal(-3, 0.3, runs)
        worse = base + 0.1 + rng.normal(0, scatter, runs)
        pair = [
            replace(c, losses=losses, skills=1 - np.exp(losses)) for c, losses in zip(few, (base, worse), strict=False)
        ]
        outcomes.append(decide([*pair, null(runs=runs)]).status)
    assert outcomes.count("undecided") <= 4


def test_a_wider_margin_makes_ties():
    assert decide(undecided(), margin=0.5).status == "tied"
