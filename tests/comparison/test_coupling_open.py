"""Where one family stands alone, but under several couplings."""

from dataclasses import replace

import numpy as np
import pytest
from made_losses import LOG_MARGIN, model, named, null, renamed

from ecodyn.comparison.candidate import DECIDED, TIED, UNDECIDED
from ecodyn.comparison.ranking import Rule
from ecodyn.comparison.repeats import chance_to_repeat
from ecodyn.comparison.verdict import decide

RULE = Rule(margin=LOG_MARGIN)


def contest(simple="sindy", other="sindy", **more):
    """A simple model that leaves more by its mean, though not surely, and one that leaves less; a third is far off."""
    return [
        model(simple, "independent", 0.35, seed=1, size=1.2, library_size=4, selects=True),
        model(other, "full", 0.0, seed=2, library_size=20, selects=True, **more),
        model("lotka_volterra", "full", 2.5, seed=3, library_size=6),
        null(4.0),
    ]


def test_the_family_is_named_and_the_coupling_left_open():
    verdict = decide(contest())
    assert verdict.status == TIED
    assert verdict.best == named("sindy", "full")
    assert set(verdict.tied) == {named("sindy", "full"), named("sindy", "independent")}
    assert verdict.runs_needed > 16
    assert "with which coupling is undecided" in verdict.statement
    assert f"about {verdict.runs_needed} runs would settle it" in verdict.statement
    assert not verdict.coupling_identified


def test_of_two_families_none_is_named():
    verdict = decide(contest(simple="linear"))
    assert verdict.status == UNDECIDED
    assert verdict.best is None


@pytest.mark.parametrize("part", [{"dynamics": "map"}, {"state": "signal,velocity"}, {"variant": "degree=2"}])
def test_what_differs_in_more_than_its_coupling_is_no_one_family(part):
    first, *others = contest()
    assert decide([renamed(first, **part), *others]).status == UNDECIDED


def test_no_coupling_is_identified_while_another_may_do():
    candidates = contest()
    candidates[1] = renamed(candidates[1], coupling="exchangeable")
    clock = model("sindy", "exchangeable", 3.0, seed=4, kind="clock")
    verdict = decide([*candidates, clock])
    assert verdict.best == named("sindy", "exchangeable")
    assert not verdict.coupling_identified


def test_it_repeats_where_the_family_is_named_whatever_its_coupling():
    assert chance_to_repeat(contest(), named("sindy", "full"), RULE) > 0.9


def test_a_decided_verdict_repeats_only_where_its_coupling_does():
    decided, *others = contest()
    decided = replace(decided, losses=decided.losses + 1.0)  # far behind now: the other is decided
    assert decide([decided, *others]).status == DECIDED
    near = chance_to_repeat([replace(decided, losses=decided.losses - 0.7), *others], named("sindy", "full"), RULE)
    assert near <= chance_to_repeat([decided, *others], named("sindy", "full"), RULE)


def test_order_of_candidates_changes_nothing():
    candidates = contest()
    orders = [np.random.default_rng(seed).permutation(len(candidates)) for seed in range(4)]
    verdicts = {decide([candidates[i] for i in order]).statement for order in orders}
    assert len(verdicts) == 1
