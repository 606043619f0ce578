"""The chance that fresh runs would name the same family."""

import json
from dataclasses import replace

import numpy as np
import pytest
from made_losses import LOG_MARGIN, decided, model, named, null, tied, undecided

from ecodyn.comparison import repeats
from ecodyn.comparison.ranking import Rule
from ecodyn.comparison.repeats import chance_to_repeat
from ecodyn.comparison.verdict import Verdict, decide
from ecodyn.runtime.json_values import plain_json

RULE = Rule(folds=16, margin=LOG_MARGIN)


@pytest.fixture(autouse=True)
def few_draws(monkeypatch):
    monkeypatch.setattr(repeats, "DRAWS", 60)


def test_what_is_far_ahead_of_all_is_named_again():
    assert chance_to_repeat(decided(), named("linear"), RULE) > 0.95


def test_who_is_not_named_is_not_named_again():
    assert chance_to_repeat(decided(), named("sindy"), RULE) == 0.0


def test_it_falls_as_the_difference_shrinks_to_the_margin():
    def chance(above):
        entries = [model("linear", seed=1, size=0.05), model("sindy", above=-above, seed=2, size=0.05, library_size=14)]
        return chance_to_repeat([*entries, null()], named("linear"), RULE)

    chances = [chance(above * LOG_MARGIN) for above in (0.0, 0.7, 1.0, 2.0)]
    assert sorted(chances, reverse=True) == chances
    assert chances[0] > 0.9
    assert chances[-1] < 0.05


def test_it_falls_with_the_scatter():
    def chance(size):
        entries = [model("linear", seed=1, size=size), model("sindy", above=0.5, seed=2, size=size, library_size=14)]
        return chance_to_repeat([*entries, null()], named("linear"), RULE)

    assert chance(0.05) > chance(0.6)


@pytest.mark.parametrize("of", [decided, tied, undecided])
def test_order_of_runs_changes_nothing(of):
    order = np.random.default_rng(3).permutation(16)
    turned = [replace(c, losses=c.losses[order], skills=c.skills[order]) for c in of()]
    assert chance_to_repeat(of(), named("linear"), RULE) == chance_to_repeat(turned, named("linear"), RULE)


def test_folds_that_share_runs_make_it_smaller():
    entries = [model("linear", seed=1, size=0.2), model("sindy", above=0.3, seed=2, size=0.2, library_size=14), null()]
    alone = chance_to_repeat(entries, named("linear"), replace(RULE, folds=None))
    assert chance_to_repeat(entries, named("linear"), RULE) <= alone


@pytest.mark.parametrize(("chance", "said"), [(0.62, "about 60%"), (0.99, "over 95%"), (0.01, "under 5%")])
def test_a_verdict_says_it_and_a_report_keeps_it(chance, said):
    verdict = decide(decided()).with_chance(chance)
    assert verdict.statement.endswith(
        f"The chance that 16 fresh runs would name it again is {said}, counted cautiously."
    )
    document = json.loads(json.dumps(plain_json(verdict.to_json())))
    assert document["chance_to_repeat"] == chance
    assert Verdict.from_json(document) == verdict


def test_it_is_no_more_than_the_share_of_fresh_runs_that_name_it_again_where_the_law_of_losses_is_known():
    # Losses of independent runs: what each population is told, beside how many name it.
    rng = np.random.default_rng(5)
    told, named_first = [], []
    rule = Rule(margin=LOG_MARGIN)
    for _ in range(12):
        losses = -3.0 + 0.15 * rng.normal(size=(12, 2)) + [0.0, 0.1]
        pair = zip((model("linear", runs=12), model("sindy", runs=12, library_size=14)), losses.T, strict=True)
        entries = [*(replace(c, losses=of) for c, of in pair), null(runs=12)]
        best = decide(entries).best
        named_first.append(best == named("linear"))
        if best == named("linear"):
            told.append(chance_to_repeat(entries, best, rule))
    assert 0.3 < np.mean(told) <= np.mean(named_first)


def test_who_is_just_ahead_was_so_by_luck_and_who_is_far_ahead_was_not():
    z = np.array([0.5, repeats.NAMED + 0.01, 2.5, 3.0, 4.0, 8.0])
    luck = repeats._luck(z)
    assert luck[0] == repeats.CAUTION
    assert luck[1] == pytest.approx(z[1])  # nothing of it is left
    assert (np.diff(luck[1:]) < 0).all()
    assert luck[-1] == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("mean", [0.5, 1.0, 2.0])
def test_it_is_the_mean_that_makes_the_difference_likely_among_those_that_are_looked_at(mean):
    """E[z | z > c] = μ + φ(c − μ)/(1 − Φ(c − μ)), by draws."""
    draws = np.random.default_rng(0).normal(mean, 1.0, 400_000)
    z = draws[draws > repeats.NAMED].mean()
    assert z - repeats._luck(np.array([z]))[0] == pytest.approx(mean, abs=0.03)
