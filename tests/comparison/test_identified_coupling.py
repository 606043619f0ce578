"""A coupling is identified against a clock that drives the same family."""

from dataclasses import replace

import pytest
from made_losses import decided, model, named, null, renamed

from ecodyn.comparison.verdict import decide


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
