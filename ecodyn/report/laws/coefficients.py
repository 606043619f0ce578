"""The rows of a law's table of coefficients, as text: the terminal and the page show the same."""

from __future__ import annotations

from dataclasses import dataclass

from ecodyn.families.coefficients import Coefficient, coefficients_of
from ecodyn.families.formula_model import FormulaModel
from ecodyn.families.law import Law
from ecodyn.report.formatting import DASH, coefficient, inflation, number, percent, term

__all__ = ["SHARED", "CoefficientRow", "coefficient_rows", "term_label"]

IDENTIFIED = {True: "yes", False: "not identified", None: DASH}
SHARED = "all"  # what stands for the feature of an equation that all features share


@dataclass(frozen=True, kw_only=True)
class CoefficientRow:
    """One coefficient as text, a dash for what is not known."""

    feature: str
    term: str
    value: str
    low: str
    high: str
    halves: str
    run_spread: str
    inflation: str
    identified: str

    @classmethod
    def of(cls, c: Coefficient, law: Law | FormulaModel) -> CoefficientRow:
        """The row of a law's coefficient."""
        return cls(
            feature=SHARED if c.feature is None else str(c.feature),
            term=term_label(law, c.equation, c.term),
            value=coefficient(c.value),
            low=coefficient(c.low),
            high=coefficient(c.high),
            halves=number(c.halves, 1),
            run_spread=percent(c.run_spread),
            inflation=inflation(c.variance_inflation),
            identified=IDENTIFIED[c.identified],
        )

    @property
    def interval(self) -> str:
        """Both ends of the interval over runs."""
        return DASH if DASH in (self.low, self.high) else f"{self.low} to {self.high}"


def coefficient_rows(law: Law | FormulaModel, most: int = 60) -> tuple[list[CoefficientRow], int]:
    """A law's first non-zero coefficients as text, and how many more there are."""
    rows = [CoefficientRow.of(c, law) for c in coefficients_of(law, most)]
    return rows, law.n_coefficients - len(rows)


def term_label(law: Law | FormulaModel, equation: str, name: str) -> str:
    """A term as text, behind its equation's channel where the law has several equations; a formula's parameter."""
    if isinstance(law, FormulaModel):
        return name
    return term(name) if len(law.library.fitted) == 1 else f"{equation}: {term(name)}"
