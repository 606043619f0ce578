import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecodyn.reproduction.finding import (
    AGREES,
    DISAGREES,
    UNDECIDED,
    Check,
    Finding,
    above,
    below,
    question,
    read_table,
    within,
    write_table,
)
from ecodyn.survival import Estimate

numbers = st.floats(-1e6, 1e6)


@st.composite
def estimates(draw):
    low, mean, high = sorted(draw(st.tuples(numbers, numbers, numbers)))
    return Estimate(mean, low, high, 3)


def negated(estimate):
    return Estimate(-estimate.mean, -estimate.high, -estimate.low, estimate.n)


@given(estimates(), numbers)
def test_a_claim_agrees_where_all_of_the_interval_is_on_its_side(estimate, bound):
    agreement = above("", "", estimate, bound).agreement
    assert (agreement == AGREES) == (estimate.low > bound)
    assert (agreement == DISAGREES) == (estimate.high < bound)


@given(estimates(), numbers)
def test_below_mirrors_above(estimate, bound):
    assert below("", "", estimate, bound).agreement == above("", "", negated(estimate), -bound).agreement


@given(estimates(), numbers, numbers)
def test_within_is_above_and_below(estimate, a, b):
    low, high = sorted((a, b))
    agrees = within("", "", estimate, low, high).agreement == AGREES
    both = [above("", "", estimate, low).agreement, below("", "", estimate, high).agreement]
    assert agrees == (both == [AGREES, AGREES])


def test_whose_a_claim_is_is_said():
    estimate = Estimate(5.0, 4.0, 6.0, 3)
    assert above("circles grow", "", estimate).stated == "circles grow"
    assert above("circles grow", "", estimate, reading=True).stated == "circles grow (our reading)"
    assert question("", estimate).stated == ""


def test_without_an_interval_nothing_is_decided():
    assert above("", "", Estimate(5.0, math.nan, math.nan, 1)).agreement == UNDECIDED


TABLES = {
    "numbers": {"run": np.array([1, 2]), "x": np.array([0.5, np.nan])},
    "words": {"kept": np.array(["2+8", "whole"]), "survived": np.array([True, False])},
}


@pytest.mark.parametrize("name", TABLES)
def test_tables_come_back_as_they_were(tmp_path, name):
    write_table(TABLES[name], tmp_path / "table.csv")
    read = read_table(tmp_path / "table.csv")
    assert list(read) == list(TABLES[name])
    for column, values in TABLES[name].items():
        np.testing.assert_array_equal(read[column], values)
        assert read[column].dtype.kind == values.dtype.kind


def test_a_finding_comes_back_as_it_was():
    finding = Finding((Check("claim", "found", AGREES, 1.0, 0.5, 2.0), Check("", "b", UNDECIDED)), TABLES, ("note",))
    again = Finding.from_json(finding.to_json(), TABLES)
    assert again.notes == finding.notes
    assert again.checks[0] == finding.checks[0]
    assert math.isnan(again.checks[1].low)
    assert finding.to_json()["checks"][1]["value"] is None
