"""Selections that are none, and selections that no two folds agree on."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecodyn.comparison.selections import against_selection

TERMS = [f"t{n}" for n in range(20)]
open_inputs = settings(max_examples=50, deadline=None, derandomize=True, database=None)


@pytest.mark.parametrize(("size", "said"), [(14, True), (13, True), (12, False), (3, False)])
def test_nearly_all_of_a_large_library_is_no_selection(size, said):
    sentence = against_selection([frozenset(TERMS[:size])] * 8, size, 14)
    assert bool(sentence) == said
    assert not said or f"takes {size} of 14 terms" in sentence


def test_all_of_a_small_library_may_be_the_law():
    assert against_selection([frozenset(TERMS[:4])] * 8, 4, 4) == ""


@open_inputs
@given(own=st.integers(0, 9), common=st.integers(1, 9))
def test_folds_have_to_share_half_of_their_terms(own, common):
    sets = [frozenset(TERMS[:common]) | {f"own {fold} {n}" for n in range(own)} for fold in range(4)]
    alike = common / (common + 2 * own)
    assert bool(against_selection(sets, common + own, 30)) == (alike < 0.5)


def test_one_fold_or_none_says_nothing():
    assert against_selection([], 0, 14) == against_selection([frozenset({"x"})], 1, 14) == ""
