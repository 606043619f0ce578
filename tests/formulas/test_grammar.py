"""Formulas' text: what it means, what is refused and how, and that nothing of it is ever executed."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecodyn.formulas.compiled import program_of
from ecodyn.formulas.constants import constant
from ecodyn.formulas.grammar import FUNCTIONS, POOLS, parse
from ecodyn.formulas.statement import statement_of
from ecodyn.formulas.tokens import MOST_CHARACTERS, FormulaError
from ecodyn.formulas.tree import Binary, Call, Name, Negative, Number, text_of

NUMBERS = st.floats(0, 1e300, allow_nan=False).map(Number)
NAMES = st.sampled_from(["x", "t", "a", "K", "x_7", "lambda", "__import__"]).map(Name)


def grown(parts):
    calls = [st.builds(Call, st.just(f), st.tuples(*[parts] * count)) for f, count in FUNCTIONS.items()]
    binary = st.builds(Binary, st.sampled_from(["+", "-", "*", "/", "**"]), parts, parts)
    return st.one_of(st.builds(Negative, parts), binary, *calls)


TREES = st.recursive(st.one_of(NUMBERS, NAMES), grown, max_leaves=12)
# Text that is nearly a formula, so that all of the parser is reached.
PIECES = ["x", "t", "a", "1", "2.5", "1e3", *"+-*/^(),", "**", "mean", "exp", "min", "é", "'", "_", " "]
NEARLY = st.lists(st.sampled_from(PIECES)).map("".join)


@settings(max_examples=60)
@given(TREES)
def test_what_is_printed_is_parsed_to_the_same_tree(tree):
    assert parse(text_of(tree)) == tree


@settings(max_examples=60)
@given(st.one_of(st.text(max_size=20), NEARLY))
def test_any_text_is_a_formula_or_a_value_error(text):
    try:
        tree = parse(text)
    except ValueError:
        return
    assert parse(text_of(tree)) == tree


@settings(max_examples=40)
@given(st.recursive(st.floats(0.1, 9).map(Number), lambda p: st.builds(Binary, st.sampled_from("+-*/"), p, p)))
def test_numbers_are_what_python_makes_of_the_same_text(tree):
    text = text_of(tree)
    try:
        expected = eval(text, {"__builtins__": {}})  # noqa: S307 - of what was printed here, from numbers and signs
    except ZeroDivisionError:
        expected = math.nan
    if math.isfinite(expected):
        assert constant(parse(text), text) == expected
    else:
        with pytest.raises(FormulaError, match="finite number"):
            constant(parse(text), text)


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("-x**2", "-(x**2)"),
        ("a**-b", "a**(-b)"),
        ("a**b**c", "a**(b**c)"),
        ("a/b/c", "(a/b)/c"),
        ("a-b-c", "(a-b)-c"),
        ("x^n", "x**n"),
        ("a - -b", "a-(-b)"),
        ("+a*x", "a*x"),
        ("a*b**c*d", "(a*(b**c))*d"),
    ],
)
def test_precedence_is_pythons(text, same):
    assert parse(text) == parse(same)


@pytest.mark.parametrize(
    ("text", "place", "sentence"),
    [
        ("b - a*(x", 8, r"expected \) or an operation such as \+, got the end of the formula"),
        ("2x", 1, r"got the name 'x'; a product is written with a \*: 2\*x"),
        ("a*x)", 3, r"got the sign '\)'"),
        ("a + sine(x)", 4, r"got 'sine' \(did you mean sin or sinh\?\)"),
        ("exp(a, x)", 0, "1 argument of exp, got 2"),
        ("a*x $ b", 4, r"got '\$'"),
        ("a + é", 4, r"got '\\xe9'"),
        ("a*1e999", 2, r"under 1.8e308, got 1e999"),
        ("a*mean", 2, r"mean\(\.\.\.\)"),
        ("", 0, "got the end"),
    ],
)
def test_an_error_has_a_caret_under_its_place(text, place, sentence):
    with pytest.raises(ValueError, match=sentence) as caught:
        parse(text)
    _, shown, caret = str(caught.value).split("\n")
    assert caret.index("^") == place + 2
    assert len(shown) == len(text) + 2


def test_the_caret_is_under_its_place_in_long_texts_too():
    text = "a*x + " * 20 + "b*$ + " + "a*x + " * 20 + "c"
    with pytest.raises(ValueError, match="got '\\$'") as caught:
        parse(text)
    _, shown, caret = str(caught.value).split("\n")
    assert shown[caret.index("^")] == "$"
    assert max(len(shown), len(caret)) < 76  # a terminal's panel


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('touch executed')",
        "().__class__.__bases__[0]",
        "(lambda: 1)()",
        "x.__class__",
        "x if x else x",
        "[x for x in x]",
        "eval('1')",
        "exec(x)",
        "x; y",
        "x\x00",
        "x" * 10**7,
        "(" * 10**5,
        "(" * (MOST_CHARACTERS - 1),
        "-" * (MOST_CHARACTERS - 1) + "x",
        "+".join("a" * 900),
        "**".join("x" * 600),
        "9**9**9**9",
        "a*9**9**9",
        "1" * 1000,
        "a*x/(1 - 1)",
        "a*log(0 - 1)",
        "a*(0-8)**0.5",
        "a*exp(1000)",
        "a*x/(x - x)",
        "mean(" * 60 + "x" + ")" * 60,
    ],
)
def test_hostile_text_is_a_sentence_and_executes_nothing(text, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="expected") as caught:
        program_of(statement_of(text))
    assert len(str(caught.value)) < 1000
    assert not list(tmp_path.iterdir())


def test_names_of_python_are_names_like_any_other():
    """Symbols are renamed before code is made of them."""
    statement = statement_of("lambda*x + exec*mean(x) + p0 + c0*import")
    assert statement.parameters == ("lambda", "exec", "p0", "c0", "import")
    value = program_of(statement).value(np.full((1, 2, 1), 3.0), np.array([[2.0, 1.0, 0.5, 4.0, 10.0]]), np.zeros(1))
    np.testing.assert_allclose(value, 2 * 3 + 3 + 0.5 + 40)


def test_means_are_functions_of_the_list():
    assert set(POOLS) < set(FUNCTIONS)
