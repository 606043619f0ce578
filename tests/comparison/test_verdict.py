"""Each branch of the rule, from losses that were made for it."""

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import t as student

from ecodyn.comparison.answer import holm
from ecodyn.comparison.candidate import FEWEST_RUNS, Candidate
from ecodyn.comparison.model_score import Start
from ecodyn.comparison.ranking import MOST_RUNS
from ecodyn.comparison.verdict import MARGIN, Verdict, decide
from ecodyn.comparison.window_result import WindowResult
from ecodyn.families import REGISTRY
from ecodyn.families.model_name import ModelName
from ecodyn.statistics.confidence_set import p_above

open_inputs = settings(max_examples=15, deadline=None, derandomize=True, database=None)
RUNS = 16
LOG_MARGIN = math.log1p(MARGIN)  # in units of the losses


def noise(seed, runs=RUNS, size=0.02):
    """Scatter of mean zero and a given standard deviation."""
    values = np.random.default_rng(seed).normal(size=runs)
    return size * (values - values.mean()) / values.std(ddof=1)


def effect(runs=RUNS):
    """What all models share in a run."""
    return np.random.default_rng(99).normal(-3, 0.3, runs)


def model(family, coupling="exchangeable", above=0.0, *, seed=None, size=0.02, runs=RUNS, kind="family", **more):
    """A candidate whose loss lies ``above`` −3 on average, with scatter of its own."""
    own = noise(seed, runs, size) if seed is not None else 0.0
    losses = effect(runs) + above + own
    dynamics = None if coupling is None else more.pop("dynamics", "flow")
    return Candidate(
        name=ModelName(family, coupling, dynamics=dynamics, kind=kind),
        losses=losses,
        skills=1 - np.exp(losses),
        library_size=more.pop("library_size", 3),
        simplicity_rank=REGISTRY[family].simplicity if family in REGISTRY else 10,
        universal=family in REGISTRY and REGISTRY[family].universal,
        title=REGISTRY[family].title if family in REGISTRY else "",
        **more,
    )


def renamed(candidate, **parts):
    """The same candidate under another name."""
    return replace(candidate, name=replace(candidate.name, **parts))


def null(above=3.0, name="persistence", seed=50, **more):
    return model(name, None, above, seed=seed, kind="null", library_size=0, **more)


def named(family, coupling="exchangeable", **parts):
    return ModelName(family, coupling, **parts)


# --------------------------------------------------------------------------------------------------- the branches


def decided():
    return [
        model("linear", seed=1),
        model("lotka_volterra", above=1.0, seed=2),
        model("sindy", above=1.5, seed=3, library_size=14),
        null(),
    ]


def tied():
    return [
        model("linear", above=0.01, seed=1),
        model("lotka_volterra", above=1.0, seed=2),
        model("sindy", seed=3, library_size=14),
        null(),
    ]


def undecided():
    return [
        model("linear", seed=1, size=0.3),
        model("lotka_volterra", above=0.05, seed=2, size=0.3),
        model("sindy", above=2.0, seed=3, library_size=14),
        null(),
    ]


def hopeless():
    return [
        model("linear", above=3.0, seed=1, size=0.3),
        model("lotka_volterra", above=5.0, seed=2),
        null(),
    ]


def too_few():
    return [
        model("linear", seed=1, runs=4),
        model("lotka_volterra", above=3.0, seed=2, runs=4),
        null(above=6.0, runs=4),
    ]


def all_diverged():
    return [model("linear", seed=1, diverged=1), model("lotka_volterra", seed=2, diverged=16), null()]


def with_neural():
    return [*decided(), model("neural_ode", above=0.5, seed=4, library_size=900, over_flexible=True)]


BRANCHES = {
    "decided": decided,
    "tied": tied,
    "undecided": undecided,
    "no_family": hopeless,
    "too few": too_few,
    "all diverged": all_diverged,
    "neural": with_neural,
}


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


def test_where_all_diverged_there_is_no_family():
    verdict = decide(all_diverged())
    assert verdict.status == "no_family"
    assert verdict.best is None
    assert len(verdict.diverged) == 2
    assert "linear/exchangeable (1 diverged)" in verdict.statement


def test_without_candidates_there_is_no_family():
    assert decide([]).status == "no_family"


def test_without_a_run_that_changes_nothing_is_decided():
    entries = [model("linear", runs=0), null(runs=RUNS)]
    entries[1] = reordered(entries[1], np.arange(0))
    verdict = decide(entries)
    assert (verdict.status, verdict.best, verdict.runs) == ("undecided", None, 0)
    assert "nothing to explain" in verdict.statement


def test_one_diverged_run_of_sixteen_costs_the_title():
    entries = [*decided(), model("neural_ode", above=-0.05, seed=8, library_size=900, diverged=1)]
    verdict = decide(entries)
    assert verdict.status == "decided"
    assert verdict.best == named("linear")
    assert verdict.diverged == {named("neural_ode"): 1}
    assert "neural_ode/exchangeable (1 diverged)" in verdict.statement
    assert named("neural_ode") not in verdict.members
    assert named("neural_ode") not in verdict.p_values
    assert verdict.share_of_neural_ode is None

    near = [*decided(), model("lotka_volterra", "independent", 0.0, seed=1, library_size=2, diverged=1)]
    assert decide(near).tied == ()


@pytest.mark.parametrize(("above", "status"), [(-1.01 * LOG_MARGIN, "undecided"), (-0.99 * LOG_MARGIN, "decided")])
def test_nobody_is_named_while_a_family_that_diverged_leaves_less_nonetheless(above, status):
    # The lowest, whose scatter has mean zero, is at −3; the margin is between the two.
    verdict = decide([*decided(), model("sindy", "full", above, seed=8, library_size=30, diverged=2)])
    assert verdict.status == status
    assert (verdict.best is None) == (status == "undecided")
    assert "Not ranked, because held-out rollouts diverged: sindy/full (2 diverged)." in verdict.statement
    if status == "undecided":
        assert verdict.undecided_against == (named("linear"), named("sindy", "full"))
        assert verdict.runs_needed is None
        assert "but less is left by sindy/full (" in verdict.statement
        assert named("sindy", "full") not in verdict.members


# --------------------------------------------------------------------------------------------------- runs needed


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


# ----------------------------------------------------------------------------------------------------------- laws


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


# ----------------------------------------------------------------------------------------------- further clauses


@pytest.mark.parametrize("terms", [{"1", "x", "mean_x"}, {"1", "x"}, {"x"}])
def test_a_selection_of_none_but_another_familys_terms_is_that_family(terms):
    entries = decided()
    linear = replace(entries[0], terms=frozenset({"1", "x", "mean_x"}))
    chosen = model("sindy", seed=9, size=0.01, library_size=14, terms=frozenset(terms), selects=True)
    verdict = decide([linear, entries[1], chosen, null()])
    assert verdict.status == "decided"
    assert verdict.best == named("linear")
    assert verdict.same_model == ((named("linear"), named("sindy")),)


def test_a_sparser_selection_that_leaves_less_speaks_for_its_family():
    """What linear loses by a coefficient it doesn't need is not held against it: sindy's selection is linear."""
    linear = model("linear", above=0.3, seed=1, terms=frozenset({"1", "x", "mean_x"}))
    sparser = model("sindy", seed=2, library_size=14, terms=frozenset({"1", "x"}), selects=True)
    verdict = decide([linear, sparser, model("lotka_volterra", above=0.15, seed=3), null()])
    assert verdict.status == "decided"
    assert verdict.best == named("linear")
    assert f"{1 - sparser.skills.mean():.1%}" in verdict.statement
    assert verdict.members == {named("linear"), named("sindy")}


def test_a_selection_with_a_term_more_or_another_coupling_is_not():
    entries = decided()
    linear = replace(entries[0], terms=frozenset({"1", "x", "mean_x"}))
    more = model("sindy", seed=9, size=0.01, library_size=14, terms=frozenset({"x", "x**2"}), selects=True)
    assert decide([linear, entries[1], more, null()]).same_model == ()
    independent = renamed(replace(more, terms=frozenset({"x"})), coupling="independent")
    assert decide([linear, entries[1], independent, null()]).same_model == ()
    nothing = replace(more, terms=frozenset())
    assert decide([linear, entries[1], nothing, null()]).same_model == ()


def test_two_families_that_happen_to_share_terms_stay_two():
    terms = frozenset({"x"})
    entries = [model(f, seed=1, terms=terms) for f in ("linear", "lotka_volterra")]
    assert decide([*entries, null()]).same_model == ()


def test_folds_that_share_runs_keep_a_flexible_family_from_being_called_no_better():
    def entries(flexible):
        neural = model("neural_ode", above=-0.05, seed=2, size=0.09, library_size=900, over_flexible=flexible)
        return [model("linear", seed=1), neural, null()]

    assert decide(entries(False), folds=8).best == named("linear")
    assert decide(entries(True)).best == named("linear")  # folds that share nothing: no correction
    assert decide(entries(True), folds=8).status == "undecided"


def test_the_correction_also_keeps_a_flexible_family_in_the_set():
    def entries(flexible):
        neural = model("neural_ode", above=0.3, seed=2, size=0.5, library_size=900, over_flexible=flexible)
        return [model("linear", seed=1), neural, null()]

    assert decide(entries(False), folds=8).status == "decided"
    assert decide(entries(True), folds=8).status == "tied"  # linear will do, but the network is not excluded


# ------------------------------------------------------------------------------------------------ parsimony


def test_a_family_that_a_null_beats_is_not_named_for_being_simple():
    """It would do beside the best; but a function of time does better than it."""
    entries = [
        model("sindy", seed=1, size=0.01, library_size=14),
        model("linear", above=0.07, seed=2, size=0.01),
        null(above=0.03, name="time_only", seed=3, size=0.01),
    ]
    verdict = decide(entries)
    assert verdict.best == named("sindy")
    assert named("linear") in verdict.tied


def test_the_p_value_is_of_the_worst_comparison_that_the_name_rests_on():
    entries = [model("linear", seed=1, size=0.1), model("sindy", seed=2, size=0.1, library_size=14), null()]
    verdict = decide(entries)
    assert verdict.status == "tied"
    difference = entries[0].losses - entries[1].losses
    assert verdict.p_value == pytest.approx(p_above(difference, LOG_MARGIN))


def test_without_a_margin_equals_tie():
    twin = renamed(model("linear", seed=1), family="linear_again")
    verdict = decide([model("linear", seed=1), twin, null()], margin=0.0)
    assert verdict.status == "tied"
    assert verdict.best == named("linear")


def test_a_more_complex_family_that_is_not_excluded_does_not_stand_in_the_way():
    """The simpler is the lower, and surely not worse: that the other may be as good changes nothing."""
    verdict = decide([model("linear", seed=1), model("sindy", above=0.2, seed=2, size=0.6, library_size=14), null()])
    assert named("sindy") in verdict.members
    assert verdict.status == "tied"
    assert verdict.best == named("linear")


def test_a_simpler_family_that_is_not_excluded_does():
    """Whether it would do is open: it may be as good."""
    verdict = decide([model("sindy", seed=1, library_size=14), model("linear", above=0.2, seed=2, size=0.6), null()])
    assert named("linear") in verdict.members
    assert verdict.status == "undecided"
    assert verdict.undecided_against == (named("sindy"), named("linear"))


def test_runs_in_which_the_other_fails_don_t_widen_the_doubt():
    """Two runs of sixteen in which SINDy leaves e² times more: a t interval would be wide to both sides."""
    failing = model("sindy", seed=2, library_size=14)
    losses = failing.losses + np.where(np.arange(RUNS) < 2, 2.0, 0.0)
    verdict = decide([model("linear", seed=1), replace(failing, losses=losses), null()])
    assert verdict.best == named("linear")


def with_noise(c, noise):
    """The candidate if a share of measurement noise was taken off its losses."""
    return replace(c, gross_losses=np.log(np.exp(c.losses) + noise))


def test_where_noise_is_nearly_all_that_is_left_ratios_of_the_rest_do_not_matter():
    """e⁻³ is left without noise, 20 times that with it: a scatter of 0.5 in the former is a few percent in all."""
    entries = [model("sindy", seed=1, size=0.5, library_size=14), model("linear", above=0.1, seed=2, size=0.5), null()]
    assert decide(entries).status == "undecided"
    verdict = decide([with_noise(c, 20 * np.exp(-3.0)) for c in entries])
    assert verdict.status == "tied"
    assert verdict.best == named("linear")


def test_noise_does_not_hide_what_the_set_excludes():
    """A family that is surely worse, though by next to nothing beside the noise, is not as good."""
    entries = [model("sindy", seed=1, library_size=14), model("linear", above=0.5, seed=2), null()]
    verdict = decide([with_noise(c, 20 * np.exp(-3.0)) for c in entries])
    assert verdict.status == "decided"
    assert verdict.best == named("sindy")


def with_skills(c, skill, scatter=0.01):
    return Candidate(**{**vars(c), "skills": skill + noise(21, len(c.losses), scatter)})


@pytest.mark.parametrize(("best", "neural", "share"), [(0.6, 0.5, 1.2), (0.45, 0.5, 0.9), (0.3, 0.1001, 2.997)])
def test_share_of_neural_ode_may_exceed_one(best, neural, share):
    entries = with_neural()
    entries[0], entries[4] = with_skills(entries[0], best), with_skills(entries[4], neural)
    verdict = decide(entries)
    found = verdict.share_of_neural_ode
    assert found.mean == pytest.approx(share, rel=1e-3)
    assert found.low < found.mean < found.high
    assert "neural ODE" in verdict.statement


@pytest.mark.parametrize("neural", [0.09, 0.0, -3.0])
def test_share_of_a_neural_ode_without_skill_is_null(neural):
    entries = with_neural()
    entries[4] = with_skills(entries[4], neural)
    verdict = decide(entries)
    assert verdict.share_of_neural_ode is None
    assert verdict.to_json()["share_of_neural_ode_interval"] == [None, None]


def test_without_a_neural_ode_there_is_no_share():
    assert decide(decided()).share_of_neural_ode is None


def test_share_is_of_the_best_neural_ode():
    entries = [*with_neural(), model("neural_ode", "independent", 0.5, seed=6, library_size=800)]
    entries[0] = with_skills(entries[0], 0.6)
    entries[4], entries[5] = with_skills(entries[4], 0.4), with_skills(entries[5], 0.5)
    assert decide(entries).share_of_neural_ode.mean == pytest.approx(1.2)


@pytest.mark.parametrize(
    ("above", "size", "identified"),
    [
        (1.0, 0.1, True),
        (0.0, 0.1, False),
        (-1.0, 0.1, False),
        (0.3, 2.0, False),  # not surely
        (0.02, 0.01, False),  # surely, but within the margin
    ],
)
def test_coupling_is_identified_only_against_its_clock(above, size, identified):
    clock = model("linear", above=above, seed=10, size=size, kind="clock")
    verdict = decide([*decided(), clock])
    assert verdict.status == "decided"
    assert verdict.coupling_identified is identified
    assert ("common time-dependent drive" in verdict.statement) is not identified


def test_another_familys_clock_does_not_count():
    clock = model("sindy", above=5.0, seed=10, kind="clock", library_size=14)
    assert not decide([*decided(), clock]).coupling_identified


def test_a_map_has_its_own_clock():
    flow_clock = model("linear", above=5.0, seed=10, kind="clock")
    map_clock = model("linear", above=5.0, seed=10, kind="clock", dynamics="map")
    entries = [model("linear", seed=1, dynamics="map"), *decided()[1:]]
    assert not decide([*entries, flow_clock]).coupling_identified
    verdict = decide([*entries, map_clock])
    assert verdict.coupling_identified
    assert verdict.best == named("linear", dynamics="map")
    assert "linear/exchangeable (map)" in verdict.statement


def test_a_map_is_no_simpler_than_its_flow_nor_less():
    entries = decided()
    twin = renamed(entries[0], dynamics="map")
    verdicts = [decide([*entries, twin]), decide([twin, *entries])]
    for verdict in verdicts:
        assert verdict.status == "tied"
        assert verdict.best == named("linear")
        assert "none of these is simpler" in verdict.statement


def test_an_independent_law_has_no_coupling():
    entries = [model("linear", "independent", seed=1), *decided()[1:]]
    clock = model("linear", above=5.0, seed=10, kind="clock")
    verdict = decide([*entries, clock])
    assert verdict.best == named("linear", "independent")
    assert not verdict.coupling_identified
    assert "coupling" not in verdict.statement


# ----------------------------------------------------------------------------------------------------------- Holm


def window(p, status="decided"):
    verdict = Verdict(status=status, statement="", p_value=p)
    return WindowResult(
        window=(0, 1),
        headline="unseen_runs",
        verdicts={"unseen_runs": verdict},
        models=[],
        pairs=[],
        start=Start(0, 0, 0, 0),
        noise_share=0.0,
    )


@pytest.mark.parametrize(
    ("p_values", "holds"),
    [
        ([0.09], [True]),
        ([0.11], [False]),
        ([0.06, 0.01], [True, True]),
        ([0.06, 0.07], [False, False]),
        ([0.2, 0.01], [False, True]),
        ([0.04, 0.03, 0.01], [True, True, True]),
        ([0.04, 0.06, 0.01], [True, True, True]),
        ([0.06, 0.06, 0.01], [False, False, True]),
        ([0.01, 0.04, 0.04], [True, True, True]),
    ],
)
def test_claims_over_several_windows_are_held_toholm(p_values, holds):
    found = holm([window(p) for p in p_values])
    # By definition: in order of p, the k-th of m stands while p·(m − k) ≤ 10 %.
    assert [w.verdict.holds for w in found] == holds


def test_what_claims_nothing_does_not_count():
    found = holm([window(0.09), window(0.001, "undecided"), window(None, "no_family")])
    assert [w.verdict.holds for w in found] == [True, True, True]


def test_a_clock_that_diverges_is_not_beaten():
    best, worse = model("linear", seed=1), model("sindy", above=1.0, seed=2)
    clock = model("linear", above=1.0, seed=3, kind="clock")
    assert decide([best, worse, null(), clock]).coupling_identified
    assert not decide([best, worse, null(), replace(clock, diverged=6)]).coupling_identified


def test_without_a_clock_the_sentence_claims_no_test():
    verdict = decide([model("linear", seed=1), model("sindy", above=1.0, seed=2), null()])
    assert verdict.status == "decided"
    assert "drive" not in verdict.statement
    assert not verdict.coupling_identified


def test_two_names_of_one_model_stand_and_fall_together():
    """A selection of exactly linear's terms: one model in the sentence, both in the set."""
    terms = frozenset({"1", "x", "mean_x"})
    linear = replace(model("linear", seed=1), terms=terms)
    sindy = replace(model("sindy", seed=1), terms=terms, selects=True, library_size=14)
    worse = model("lotka_volterra", above=1.0, seed=2)
    verdict = decide([linear, sindy, worse, null()])
    assert verdict.best == named("linear")
    assert "sindy/exchangeable selects no other terms than it has" in verdict.statement
    assert "next: lotka_volterra" in verdict.statement
    assert verdict.members == {named("linear"), named("sindy")}
    assert verdict.p_values[named("linear")] == verdict.p_values[named("sindy")]


def test_nothing_is_said_of_a_best_that_is_not_named():
    neural = model("neural_ode", above=0.02, seed=6, size=0.3, library_size=869)
    verdict = decide([*undecided(), neural])
    assert verdict.status == "undecided"
    assert verdict.best is None
    assert verdict.share_of_neural_ode is None
    assert verdict.runs_needed is None or verdict.runs_needed > RUNS
