"""The simplest that will do is named: what stands in its way, and what does not."""

from dataclasses import replace

import numpy as np
import pytest
from made_losses import LOG_MARGIN, RUNS, model, named, null, renamed

from ecodyn.comparison.verdict import decide
from ecodyn.statistics.confidence_set import p_above


def test_folds_that_share_runs_keep_a_family_from_being_called_no_better():
    entries = [model("linear", seed=1), model("sindy", above=-0.05, seed=2, size=0.09, library_size=14), null()]
    assert decide(entries).best == named("linear")  # folds that share nothing: no correction
    assert decide(entries, folds=8).status == "undecided"


def test_they_also_keep_a_family_in_the_set():
    entries = [model("linear", seed=1), model("sindy", above=0.25, seed=2, size=0.5, library_size=14), null()]
    assert decide(entries).status == "decided"
    assert decide(entries, folds=8).status == "tied"  # linear will do, but the other is not excluded


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
