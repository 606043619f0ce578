"""JSON of strangers: what Python reads and nothing can hold is refused."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecodyn.runtime.foreign_json import foreign_json, number_array

FINITE = st.floats(allow_nan=False, allow_infinity=False)
HELD = st.integers(-(2**63) + 1, 2**63 - 1)
DOCUMENTS = st.recursive(
    st.none() | st.booleans() | FINITE | HELD | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(DOCUMENTS)
def test_what_json_writes_comes_back(document):
    assert foreign_json(json.dumps(document)) == document


@pytest.mark.parametrize(
    "text",
    ["NaN", "[Infinity]", '{"a": -Infinity}', "1e400", "-1e999", str(10**30), "[" * 100_000, "9" * 10_000, "{", ""],
)
def test_what_cannot_be_held_is_refused(text):
    with pytest.raises(ValueError, match=r".+"):
        foreign_json(text)


@given(st.lists(st.lists(FINITE | HELD, min_size=2, max_size=2), min_size=1))
def test_numbers_are_an_array(rows):
    assert number_array(rows, "rows").shape == (len(rows), 2)


@pytest.mark.parametrize("value", [[True], ["1"], [None], [[1.0], [2.0, 3.0]], {"a": 1}, [{"a": 1}], None, "12"])
def test_anything_else_is_none(value):
    with pytest.raises(ValueError, match=r".+"):
        number_array(value, "coefficients")
