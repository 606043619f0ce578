"""Families that select their terms, in verdicts: when a selection is another family's law, and two names one model."""

from dataclasses import replace

import pytest
from made_losses import decided, model, named, null, renamed

from ecodyn.comparison.verdict import decide


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


def test_a_number_that_is_a_selections_is_said_to_be():
    """The table has linear's own; the sentence says whose the better one is."""
    linear = model("linear", above=0.3, seed=1, terms=frozenset({"1", "x", "mean_x"}))
    sparser = model("sindy", seed=2, library_size=14, terms=frozenset({"1", "x"}), selects=True)
    worse = model("lotka_volterra", above=3.0, seed=3)
    verdict = decide([linear, sparser, worse, null(above=5.0)])
    assert "linear/exchangeable as sindy/exchangeable selects it leaves" in verdict.statement
    alike = replace(sparser, losses=linear.losses, skills=linear.skills)
    assert "selects it" not in decide([linear, alike, worse, null(above=5.0)]).statement
