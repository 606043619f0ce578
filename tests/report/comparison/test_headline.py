"""The equations at the head of a report: those that stand, and why there are none."""

from __future__ import annotations

from dataclasses import replace

import pytest
from small_comparison import LINEAR

from ecodyn.comparison import Comparison
from ecodyn.comparison.verdict import NO_FAMILY, TIED, UNDECIDED
from ecodyn.comparison.window_result import WindowResult
from ecodyn.families.coefficients import coefficients_of
from ecodyn.families.model_name import FAMILY, ModelName
from ecodyn.report.comparison.headline import headline_of
from ecodyn.report.comparison.rows import law_of
from ecodyn.report.formatting import coefficient


def judged(window: WindowResult, status: str, names: tuple[ModelName, ...]) -> WindowResult:
    """The window with another verdict."""
    best = names[0] if status not in (UNDECIDED, NO_FAMILY) else None
    others = {"tied": names if status == TIED else (), "undecided_against": names if status == UNDECIDED else ()}
    verdict = replace(window.verdict, status=status, best=best, **others)
    return replace(window, verdicts={**window.verdicts, window.headline: verdict})


@pytest.fixture(scope="module")
def names(window: WindowResult) -> tuple[ModelName, ...]:
    return tuple(m.name for m in window.of(window.headline) if m.kind == FAMILY)


def test_every_coefficient_stands_there_with_its_interval(
    comparison: Comparison, window: WindowResult, names: tuple[ModelName, ...]
) -> None:
    headline = headline_of(comparison, judged(window, "decided", names[:1]))
    (equation,) = headline.equations
    assert headline.title == "The equation"
    assert equation.name == str(names[0])
    assert equation.equations.startswith("dx/dt")
    law = law_of(window.of(window.headline)[0], window)
    assert law is not None
    rows = [(c.value, c.interval) for c in equation.coefficients]
    expected = [(coefficient(c.value), f"{coefficient(c.low)} to {coefficient(c.high)}") for c in coefficients_of(law)]
    assert rows == expected
    assert not equation.why_not


@pytest.mark.parametrize("status", [TIED, UNDECIDED])
def test_of_a_tie_all_stand_there(
    comparison: Comparison, window: WindowResult, names: tuple[ModelName, ...], status: str
) -> None:
    headline = headline_of(comparison, judged(window, status, names))
    assert {e.name for e in headline.equations} == set(map(str, names))
    order = "that which leaves least first" if status == UNDECIDED else "the simplest first"
    assert order in headline.sentence
    if status == UNDECIDED:
        shown = [
            next(m.unexplained for m in window.of(window.headline) if m.label == e.name) for e in headline.equations
        ]
        assert shown == sorted(shown)
    assert ("Nothing is named" in headline.sentence) == (status == UNDECIDED)


def test_where_no_family_beats_the_nulls_there_is_none(comparison: Comparison, window: WindowResult) -> None:
    headline = headline_of(comparison, judged(window, NO_FAMILY, ()))
    assert (headline.title, headline.equations) == ("No equation", [])
    assert headline.sentence == "No family beats every null."


def test_why_there_is_no_equation_is_said(comparison: Comparison, window: WindowResult) -> None:
    first = window.of(window.headline)[0]
    network, full = ModelName("neural_ode", "exchangeable"), ModelName("linear", "full")
    models = [
        replace(first, name=network, model=None, n_coefficients=105.0),
        replace(first, name=full, model=None),
        replace(first, name=LINEAR, model=None),
    ]
    other = judged(replace(window, models=models), UNDECIDED, (network, full, LINEAR))
    said = {e.name: e.why_not for e in headline_of(comparison, other).equations}
    assert "network of 105 weights" in said[str(network)]
    assert "for each run" in said[str(full)]
    assert "in_sample" in said[str(LINEAR)]
