"""Each branch of the rule, from losses that were made for it, and what holds in all of them."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_losses import (
    BRANCHES,
    RUNS,
    all_diverged,
    decided,
    hopeless,
    model,
    named,
    null,
    renamed,
    tied,
    too_few,
    undecided,
)

from ecodyn.comparison.verdict import decide
from ecodyn.trajectories.independence import FEWEST_RUNS

open_inputs = settings(max_examples=15, deadline=None, derandomize=True, database=None)


def test_one_clearly_lowest_is_decided():
    verdict = decide(decided())
    assert verdict.status == "decided"
    assert verdict.best == named("linear")
    assert verdict.tied == verdict.undecided_against == ()
    assert verdict.runs_needed is None
    assert verdict.members == {named("linear")}
    assert verdict.p_value < 0.05
    assert verdict.runs == RUNS


def test_within_the_margin_is_tied_and_the_simplest_is_best():
    verdict = decide(tied())
    assert verdict.status == "tied"
    assert verdict.best == named("linear")  # though sindy's mean loss is lower
    assert sorted(d.family for d in verdict.tied) == ["linear", "sindy"]
    assert "10%" in verdict.statement


@pytest.mark.parametrize(
    ("simple", "other"),
    [
        # library before selection, then coupling, then family
        (("sindy", "exchangeable", 2), ("linear", "independent", 3)),
        (("sindy", "independent", 3), ("linear", "exchangeable", 3)),
        (("lotka_volterra", "exchangeable", 3), ("linear", "full", 3)),
        (("linear", "exchangeable", 3), ("lotka_volterra", "exchangeable", 3)),
        (("neural_ode", "exchangeable", 3), ("a_users_own", "exchangeable", 3)),
        (("a_users_own", "exchangeable", 3), ("b_users_own", "exchangeable", 3)),
    ],
)
def test_simplest_goes_by_library_then_coupling_then_family(simple, other):
    entries = [
        model(family, coupling, above, seed=seed, size=0.01, library_size=size)
        for (family, coupling, size), above, seed in ((simple, 0.01, 1), (other, 0.0, 2))
    ]
    for order in (entries, entries[::-1]):
        verdict = decide([*order, null()])
        assert verdict.status == "tied"
        assert verdict.best == named(*simple[:2])


def test_not_beating_a_null_is_no_family():
    verdict = decide(hopeless())
    assert verdict.status == "no_family"
    assert verdict.best is None
    assert verdict.runs_needed is None
    assert not verdict.coupling_identified
    assert "no family describes" in verdict.statement
    assert "the null model persistence leaves no more" in verdict.statement


def test_what_too_few_runs_cannot_tell_from_a_null_is_said_with_how_many_would():
    """As good as the null in one of five runs, better by far in four: no flip of signs is as rare as 5 %."""
    family = model("linear", above=-10.0, runs=FEWEST_RUNS)
    alike = null(above=0.0, seed=None, runs=FEWEST_RUNS)
    alike.losses[0] = family.losses[0]
    verdict = decide([family, alike])
    assert verdict.status == "no_family"
    assert verdict.runs_needed == FEWEST_RUNS + 1
    assert "can't tell it from the null model persistence" in verdict.statement
    assert f"about {FEWEST_RUNS + 1} runs would settle it" in verdict.statement


def test_every_null_must_be_beaten():
    assert decide([*decided(), null(above=2.0, name="mean_curve")]).status == "decided"
    assert decide([*decided(), null(above=-0.5, name="mean_curve")]).status == "no_family"


@pytest.mark.parametrize("kind", ["ceiling", "clock"])
def test_neither_ceiling_nor_clock_stands_in_the_way(kind):
    better = model("linear", above=-2.0, seed=7, kind=kind)
    verdict = decide([*decided(), better])
    assert verdict.status == "decided"
    assert verdict.best == named("linear")


def test_fewer_than_five_runs_are_undecided():
    verdict = decide(too_few())
    assert verdict.status == "undecided"
    assert verdict.best is None
    assert verdict.runs_needed == FEWEST_RUNS
    assert decide([model("linear", seed=1, runs=5), null(runs=5)]).status == "decided"


@pytest.mark.parametrize("runs", [1, 2])
def test_one_and_two_runs_are_undecided(runs):
    size = 0.0 if runs == 1 else 0.02
    rows = [model("linear", runs=runs), model("sindy", above=1.0, runs=runs, library_size=14)]
    verdict = decide([*rows, null(runs=runs, seed=1 if size else None)])
    assert verdict.status == "undecided"
    assert verdict.runs == runs


def test_of_many_that_it_is_open_between_the_least_are_named():
    """Seven scatter so much that none can be left out; all of them are in the verdict, five in its sentence."""
    pairs = itertools.product(("linear", "lotka_volterra", "sindy", "neural_ode"), ("independent", "exchangeable"))
    rows = [model(f, c, 0.03 * i, seed=i, size=1.5, runs=8) for i, (f, c) in enumerate(pairs, 1)][:7]
    verdict = decide([*rows, null(above=9.0, runs=8)])
    assert verdict.status == "undecided"
    assert len(verdict.undecided_against) == 7
    left = {str(row.name): 1 - np.mean(row.skills) for row in rows}
    first = verdict.statement.partition("undecided between ")[2]
    places = [first.find(f"{name} (") for name in sorted(left, key=left.get)[:5]]
    assert places == sorted(places)
    assert min(places) == 0
    assert f" and 2 others (up to {max(left.values()):.1%}); " in first


def test_where_all_diverged_there_is_no_family():
    verdict = decide(all_diverged())
    assert verdict.status == "no_family"
    assert verdict.best is None
    assert verdict.diverged == {named("linear"): RUNS, named("lotka_volterra"): RUNS}
    assert "linear/exchangeable (16 diverged)" in verdict.statement


def test_without_candidates_there_is_no_family():
    assert decide([]).status == "no_family"


def test_without_a_run_that_changes_nothing_is_decided():
    entries = [model("linear", runs=0), null(runs=RUNS)]
    entries[1] = reordered(entries[1], np.arange(0))
    verdict = decide(entries)
    assert (verdict.status, verdict.best, verdict.runs) == ("undecided", None, 0)
    assert "nothing to explain" in verdict.statement


def test_a_diverged_run_is_lost_and_not_the_comparison():
    # Ahead by far on all runs but one, where it counts as the worst: still decidedly the best.
    verdict = decide([*decided(), model("sindy", "full", -2.0, seed=8, library_size=30, diverged=1)])
    assert (verdict.status, verdict.best) == ("decided", named("sindy", "full"))
    assert verdict.diverged == {named("sindy", "full"): 1}
    assert "geometric mean over runs" in verdict.statement
    assert "counted as the worst score: sindy/full (1 diverged)." in verdict.statement


def test_diverged_runs_are_held_against_a_family():
    # Equal where it finishes, and simpler: five lost runs of sixteen and it is out.
    rival = model("lotka_volterra", "independent", 0.0, seed=8, library_size=2, diverged=5)
    verdict = decide([*decided(), rival])
    assert (verdict.status, verdict.best) == ("decided", named("linear"))
    assert rival.name not in verdict.members
    assert verdict.diverged == {rival.name: 5}


@pytest.mark.parametrize("diverged", [1, 16])
def test_a_network_that_diverged_is_no_measure_of_others(diverged):
    verdict = decide([*decided(), model("neural_ode", above=0.5, seed=8, library_size=900, diverged=diverged)])
    assert verdict.best == named("linear")
    assert verdict.share_of_neural_ode is None


@pytest.mark.parametrize("branch", BRANCHES)
@pytest.mark.parametrize("seed", range(4))
def test_order_of_runs_and_candidates_changes_nothing(branch, seed):
    entries = BRANCHES[branch]()
    expected = decide(entries)
    rng = np.random.default_rng(seed)
    runs = rng.permutation(len(entries[0].losses))
    order = rng.permutation(len(entries))
    shuffled = decide([reordered(entries[i], runs) for i in order])
    assert shuffled.to_json() == expected.to_json()
    assert shuffled.members == expected.members
    assert shuffled.p_values == expected.p_values


def reordered(c, runs):
    return replace(c, losses=c.losses[runs], skills=c.skills[runs])


@given(
    seed=st.integers(0, 2**32 - 1),
    runs=st.sampled_from([5, 8, 20]),
    size=st.sampled_from([0.01, 0.1, 0.5]),
    spread=st.floats(0, 0.5),
)
@open_inputs
def test_whatever_the_losses_order_changes_nothing(seed, runs, size, spread):
    rng = np.random.default_rng(seed)
    families = itertools.product(["linear", "lotka_volterra", "sindy", "neural_ode"], ["independent", "exchangeable"])
    entries = [
        model(f, c, spread * rng.random(), seed=int(rng.integers(1000)), size=size, runs=runs, library_size=2 + i)
        for i, (f, c) in enumerate(families)
    ]
    entries.append(null(above=1.0, runs=runs))
    expected = decide(entries)
    rows = rng.permutation(runs)
    shuffled = decide([reordered(entries[i], rows) for i in rng.permutation(len(entries))])
    assert shuffled.to_json() == expected.to_json()
    consistent(expected)


def consistent(verdict):
    """What holds in every branch."""
    assert (verdict.best is None) == (verdict.status in ("undecided", "no_family"))
    assert bool(verdict.tied) == (verdict.status == "tied")
    assert verdict.best is None or verdict.status == "decided" or verdict.best in verdict.tied
    assert verdict.runs_needed is None or verdict.status == "undecided"
    assert not verdict.coupling_identified or verdict.best is not None
    assert "cause" not in verdict.statement.lower()


def test_a_model_entered_twice_ties_with_itself():
    for entries in (decided(), undecided()):
        first = entries[0]
        again = renamed(first, family="linear_again")
        before, after = decide(entries), decide([*entries, again])
        assert after.status == ("tied" if before.status == "decided" else before.status)
        assert after.p_values[first.name] == after.p_values[again.name]
        assert (first.name in after.members) == (again.name in after.members)
    verdict = decide([*decided(), renamed(decided()[0], family="linear_again")])
    assert verdict.best == named("linear")
    assert verdict.tied == (named("linear"), named("linear_again"))


@pytest.mark.parametrize("branch", BRANCHES)
def test_what_holds_in_every_branch(branch):
    verdict = decide(BRANCHES[branch](), folds=8, where="On trainings not seen, steps 60 to 1000")
    consistent(verdict)
    assert verdict.statement.startswith("On trainings not seen, steps 60 to 1000")
    assert str(verdict) == verdict.statement


def test_nothing_is_said_of_a_best_that_is_not_named():
    neural = model("neural_ode", above=0.02, seed=6, size=0.3, library_size=869)
    verdict = decide([*undecided(), neural])
    assert verdict.status == "undecided"
    assert verdict.best is None
    assert verdict.share_of_neural_ode is None
    assert verdict.runs_needed is None or verdict.runs_needed > RUNS
