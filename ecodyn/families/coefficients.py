"""A law's non-zero coefficients one by one, each with what is known of it."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ecodyn.families.diagnostics import Diagnostics
from ecodyn.families.formula_model import FormulaModel
from ecodyn.families.law import Law
from ecodyn.trajectories.labels import Label

__all__ = ["Coefficient", "coefficients_of"]

KNOWN_OF_A_FIT = ("low", "high", "halves", "run_spread", "variance_inflation", "identified")


@dataclass(frozen=True, kw_only=True)
class Coefficient:
    """One coefficient; what a law without diagnostics does not know of it is None, what can't be had is NaN.

    Attributes
    ----------
    equation : str
        Channel whose equation it is in.
    feature : label or None
        Feature whose equation it is in; None where all features share it.
    term : str
        Name of its term, such as "x**2*mean_x"; of a formula, the parameter's.
    value : float
        In the channel's unit per step; of a formula, in the unit that this gives the parameter.
    low, high : float or None
        Ends of the 95 % t interval over runs.
    halves : float or None
        Difference between the odd and the even runs, in standard errors.
    run_spread : float or None
        Standard deviation over runs, over the coefficient's size.
    variance_inflation : float or None
        By the other terms of its equation.
    identified : bool or None
        Whether the halves agree; None too where there are too few runs for halves.
    """

    equation: str
    feature: Label | None
    term: str
    value: float
    low: float | None = None
    high: float | None = None
    halves: float | None = None
    run_spread: float | None = None
    variance_inflation: float | None = None
    identified: bool | None = None

    def to_json(self) -> dict[str, object]:
        """All of it; of a law without diagnostics only which it is and its value."""
        document = asdict(self)
        if self.low is None:
            for name in KNOWN_OF_A_FIT:
                del document[name]
        return document


def coefficients_of(law: Law | FormulaModel, most: int | None = None) -> list[Coefficient]:
    """The non-zero coefficients of a law, or the first of them, equation by equation; of a formula, its parameters.

    Examples
    --------
    >>> import numpy as np
    >>> from ecodyn import Linear
    >>> x = np.exp(-0.1 * np.arange(50))[:, None] * [1.0, 2.0, 3.0]
    >>> for c in coefficients_of(Linear("independent").fit(x).model_):
    ...     print(c.equation, c.term, round(c.value, 3) + 0.0)
    signal 1 0.0
    signal x -0.1
    """
    if isinstance(law, FormulaModel):
        return _parameters_of(law)[:most]
    names, fitted = law.library.names(), law.library.fitted
    groups = law.library.groups(len(law.coefficients))
    rows = []
    for line, term in np.argwhere(law.coefficients)[:most]:
        equation, group = divmod(int(line), groups)
        rows.append(
            Coefficient(
                equation=law.channels[fitted[equation]],
                feature=law.features[group] if law.per_feature else None,
                term=names[term],
                value=float(law.coefficients[line, term]),
                **_known(law.diagnostics, int(line), int(term)),
            )
        )
    return rows


def _parameters_of(law: FormulaModel) -> list[Coefficient]:
    equation = law.channels[law.statement.equation]
    return [
        Coefficient(equation=equation, feature=None, term=name, value=value, **_known(law.diagnostics, 0, i))
        for i, (name, value) in enumerate(law.parameters.items())
    ]


def _known(diagnostics: Diagnostics | None, line: int, term: int) -> dict[str, Any]:
    """What diagnostics say of one coefficient."""
    if diagnostics is None:
        return {}
    known: dict[str, Any] = {name: float(getattr(diagnostics, name)[line, term]) for name in KNOWN_OF_A_FIT[:-1]}
    known["identified"] = bool(diagnostics.identified[line, term]) if math.isfinite(known["halves"]) else None
    return known
