"""The equation that a verdict names, or those that it can't decide between, written out with their intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from ecodyn.comparison.contenders import IN_SAMPLE
from ecodyn.comparison.model_score import ModelScore
from ecodyn.comparison.result import Comparison
from ecodyn.comparison.telling import families_standing
from ecodyn.comparison.verdict import NO_FAMILY, UNDECIDED
from ecodyn.comparison.window_result import WindowResult
from ecodyn.equations.library import FULL
from ecodyn.families import REGISTRY
from ecodyn.report.comparison import rows
from ecodyn.report.formatting import count, equation_html, percent
from ecodyn.report.laws.coefficients import SHARED, CoefficientRow, coefficient_rows

__all__ = ["Equation", "Headline", "headline_of"]

MOST_COEFFICIENTS = 14  # of a law, as many as an exchangeable library of degree 3 has; the others are further down
MOST_EQUATIONS = 6  # families of an undecided verdict


@dataclass(frozen=True, kw_only=True)
class Equation:
    """A family that stands: its law with coefficients and intervals, or why there is none to write.

    Coefficients are ``named`` where features have their own.
    """

    name: str
    named: bool
    left: str
    equations: Markup
    coefficients: list[CoefficientRow]
    more: int
    notes: Sequence[str]
    why_not: str


@dataclass(frozen=True, kw_only=True)
class Headline:
    """What a verdict comes to in equations: a title, a sentence, and one equation a family that stands."""

    title: str
    sentence: str
    equations: list[Equation]
    others: int


def headline_of(comparison: Comparison, w: WindowResult) -> Headline:
    """The equations of a window's verdict."""
    verdict = w.verdict
    standing = families_standing(w, verdict)
    if verdict.status == UNDECIDED:  # as the sentence has them
        standing = sorted(standing, key=lambda m: np.nan_to_num(m.unexplained, nan=np.inf))
    title = "The equation" if len(standing) == 1 else "The equations that stand"
    return Headline(
        title=title if standing else "No equation",
        sentence=_sentence(verdict.status, len(standing)),
        equations=[_equation(comparison, w, m) for m in standing[:MOST_EQUATIONS]],
        others=max(0, len(standing) - MOST_EQUATIONS),
    )


def _sentence(status: str, standing: int) -> str:
    if not standing:
        return "No family beats every null." if status == NO_FAMILY else "Nothing was ranked."
    if status == NO_FAMILY:
        return "No family beats every null: what comes nearest."
    if status == UNDECIDED:
        return (
            "Nothing is named. What can't be excluded, that which leaves least first."
            if standing > 1
            else "Nothing is named yet."
        )
    fitted = "Laws are fitted to all runs, with 95 % t intervals over runs."
    if standing > 1:
        return f"What is named, and what can't be told apart from it, the simplest first. {fitted}"
    return fitted


def _equation(comparison: Comparison, w: WindowResult, m: ModelScore) -> Equation:
    law = rows.law_of(m, w)
    coefficients, more = ([], 0) if law is None else coefficient_rows(law, MOST_COEFFICIENTS)
    return Equation(
        name=m.label,
        named=any(c.feature != SHARED for c in coefficients),
        left=percent(m.unexplained),
        equations=equation_html(rows.equations_of(m, w)),
        coefficients=coefficients,
        more=more,
        notes=() if law is None else rows.law_notes(law),
        why_not=_why_not(comparison, w, m) if law is None else "",
    )


def _why_not(comparison: Comparison, w: WindowResult, m: ModelScore) -> str:
    """Why there is no equation to write."""
    if m.family in REGISTRY and REGISTRY[m.family].universal:
        return f"A network of {count(m.n_coefficients)} weights: it has no equation to write out."
    if m.coupling == FULL and not comparison.data.get("labels_shared", False):
        return "A law for each run: there is no one equation."
    if not any(o.name == m.name and o.protocol == IN_SAMPLE for o in w.models):
        return "No law was fitted to all runs: --protocol unseen_runs,in_sample has one, with its equation."
    return f"{count(m.n_coefficients)} fitted numbers, which are no sum of terms."
