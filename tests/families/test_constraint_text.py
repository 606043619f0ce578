"""The grammar of constraints: what is read, and how what is none is refused."""

import doctest
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecodyn.families import constraint_text
from ecodyn.families.constraint_parts import Conserved, ConstraintError, Relation, Stable, Symmetric
from ecodyn.families.constraint_text import parse


def test_examples_are_true():
    assert not doctest.testmod(constraint_text).failed


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("stable", Stable),
        (" stable  by 1e-3 ", Stable),
        ("sum conserved", Conserved),
        ("sum of S, 'a b', 3 conserved", Conserved),
        ("A symmetric", Symmetric),
        ("A antisymmetric", Symmetric),
        ("stable <= 1", Relation),  # a coefficient may have that name
        ("-2 <= a <= -1", Relation),
        ("x^3 <= 0", Relation),
        ("hare: x_hare*x_lynx = -2*lynx: x_hare*x_lynx + 1", Relation),
        ("offdiagonal(A) < 0", Relation),
        ("A[1, 'two words'] == A[3,1]", Relation),
        ("2: x_2 > 0", Relation),
    ],
)
def test_what_is_read(text, kind):
    assert isinstance(parse(text), kind)


def test_a_label_holds_until_the_next():
    (left, right) = parse("S: x + y = I: x").sides
    assert [quantity.equation for _, quantity in left.parts + right.parts] == ["S", "S", "I"]


def test_numbers_and_factors_are_kept_with_their_signs():
    left, _ = parse("-2*a + 3 - b >= 0").sides
    assert [(factor, quantity.name) for factor, quantity in left.parts] == [(-2.0, "a"), (-1.0, "b")]
    assert left.number == 3.0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "got an empty text"),
        ("A symetric", "expected symmetric, antisymmetric or a sign such as <=, got 'symetric'"),
        ("a <=", "expected a coefficient's name or a number, got the end of the constraint"),
        ("a <= 1 <= 2 <= 3", "expected the end of the constraint, got '<='"),
        ("1 <= 2", "got numbers alone"),
        ("a # 1", "expected a name, a number or a sign, got '#'"),
        ("stable by -1", "expected a margin above 0, per unit of time, got '-'"),
        ("sum of S", "expected conserved, got the end"),
        ("rank(A) = 1", "expected one of the functions diagonal, offdiagonal, rows, columns, trace, got 'rank'"),
        ("A[1,2 >= 0", "expected ], got '>='"),
        ("x^a <= 0", "expected a whole power, got 'a'"),
        ("a" * 501 + " <= 1", "at most 500 characters"),
        (3, "expected a constraint as text"),
    ],
)
def test_what_is_refused(text, said):
    with pytest.raises(ValueError, match=re.escape(said)):
        parse(text)


@given(st.text(alphabet="aAx12[](),:<>=+-*^ stable'sumofconserved", max_size=30))
def test_any_text_is_read_or_refused_in_a_sentence(text):
    try:
        read = parse(text)
    except ConstraintError:
        return
    assert isinstance(read, Conserved | Relation | Stable | Symmetric)


def test_the_caret_is_under_the_fault():
    with pytest.raises(ValueError, match="expected") as caught:
        parse("A[1,2] >= B ?")
    _, shown, caret = str(caught.value).split("\n")
    assert shown[caret.index("^")] == "?"
