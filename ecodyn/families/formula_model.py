"""The fitted model of a law written as a formula: its text, and the values of its parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ecodyn.arrays import Array
from ecodyn.equations.clock_drive import Drive
from ecodyn.equations.library import EXCHANGEABLE, INDEPENDENT
from ecodyn.equations.names import letter_of
from ecodyn.families.diagnosed import DiagnosedModel
from ecodyn.families.diagnostics import Diagnostics
from ecodyn.families.known import refuse_unknown_inputs
from ecodyn.families.law_file import inputs_from, step_from
from ecodyn.families.law_text import change_over
from ecodyn.families.model import amplitudes_from, feature_amplitudes_from
from ecodyn.families.options import is_number
from ecodyn.families.printing import check_precision
from ecodyn.formulas.law import BoundFormula, FormulaLaw
from ecodyn.formulas.printed import expression_of, latex_of, rounded_numbers
from ecodyn.formulas.statement import Statement, check_labels, statement_of
from ecodyn.trajectories.state import VELOCITY

if TYPE_CHECKING:
    import sympy

__all__ = ["DIGITS", "FormulaModel", "parameters_from"]

DIGITS = 4  # of numbers in LaTeX


@dataclass(frozen=True, kw_only=True, repr=False)
class FormulaModel(DiagnosedModel):
    """ẋᵢ = f(xᵢ, means over features, t; θ), f a formula: what it prints is what it simulates.

    Attributes
    ----------
    formula : str
        Its text; see ``ecodyn.Formula`` for the grammar.
    parameters : dict of str to float
        Their values, in the units of the data.
    drive : a clock's curve of the means over features, in place of these
    diagnostics : Diagnostics, or None; its arrays are (1, parameter), in the order of ``parameters``

    Examples
    --------
    >>> from ecodyn import Formula
    >>> x = 2 / (1 + np.array([9.0, 4.0]) * np.exp(-0.2 * np.arange(60.0)[:, None]))
    >>> law = Formula("r*x*(1 - x/K)", positive=["r", "K"]).fit(x).model_
    >>> {name: round(value, 4) for name, value in law.parameters.items()}
    {'r': 0.2, 'K': 2.0}
    """

    formula: str
    parameters: Mapping[str, float]
    drive: Drive | None = None
    diagnostics: Diagnostics | None = None

    kind: ClassVar[str] = "formula"

    def __getstate__(self) -> dict[str, object]:
        """What is stored of it: compiled code is made anew where it is needed."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @cached_property
    def statement(self) -> Statement:
        """The formula with its names resolved."""
        return statement_of(self.formula, self.state, tuple(self.inputs))

    @property
    def law(self) -> FormulaLaw:
        """The formula in the units of the data, as a function of its parameters."""
        labels = [str(label) for label in self.features]
        columns = tuple(labels.index(name) for name in self.statement.features)
        return FormulaLaw(self.statement, columns, None, (1.0,) * len(self.channels), step=self.step)

    @cached_property
    def _bound(self) -> BoundFormula:
        values = np.array([[self.parameters[name] for name in self.statement.parameters]])
        if self.inputs and self.known is None:
            refuse_unknown_inputs(self.inputs)
        return BoundFormula(self.law, values, np.ones_like(values), self.drive, self.known)

    def rhs(self, x: Array, t: Array) -> Array:
        """ẋ, or a map's change per step, at states (batch, feature, channel) and times (batch,); traits stand still."""
        with np.errstate(all="ignore"):  # a rollout ends with a status where the formula has no value
            return self._bound.rhs(x, t)

    @property
    def autonomous(self) -> bool:
        """Whether the signals alone decide their derivatives: no trait, clock or time has a say."""
        return super().autonomous and self.drive is None and not self.statement.uses_time

    def jacobian_times(self, x: Array, directions: Array) -> Array:
        """(∂ẋ/∂x)·S, exact: see ``FittedModel.jacobian_times``."""
        with np.errstate(all="ignore"):
            found = self._bound.sensitivity(x, np.zeros(len(x)))
            return np.asarray(found.jacobian_times(directions[:, None])[:, 0])

    @property
    def n_coefficients(self) -> int:
        """Number of parameters."""
        return len(self.parameters)

    @property
    def library_size(self) -> int:
        """Number of parameters: none is selected."""
        return len(self.parameters)

    def equations(self) -> list[sympy.Eq]:
        """dx/dt = …, the same for every feature; of a second-order law dx/dt = velocity first.

        ``mean`` and ``sum`` are functions over all features, and numbers are in full. On the left of a map's is the
        difference quotient.

        Examples
        --------
        >>> from ecodyn import Formula
        >>> x = 3 + 2 * np.exp(-0.5 * np.arange(30.0))[:, None] * [1.0, -1.0]
        >>> (equation,) = Formula("b - a*x").fit(x).model_.equations()
        >>> print(equation.lhs, "=", equation.rhs.evalf(4))
        Derivative(x, t) = 1.5 - 0.5*x
        """
        import sympy

        equation = sympy.Eq(self._left(), expression_of(self.statement, self.parameters), evaluate=False)
        if VELOCITY not in self.channels:
            return [equation]
        moved = sympy.Derivative(sympy.Symbol("x"), sympy.Symbol("t"), evaluate=False)
        return [sympy.Eq(moved, sympy.Symbol(VELOCITY), evaluate=False), equation]

    def _left(self) -> sympy.Expr:
        import sympy

        t, name = sympy.Symbol("t"), letter_of(self.channels[self.statement.equation])
        if self.step is None:
            return sympy.Derivative(sympy.Symbol(name), t, evaluate=False)
        x = sympy.Function(name)
        h = sympy.Integer(int(self.step)) if self.step.is_integer() else sympy.Float(self.step, 17)
        return sympy.Mul(sympy.Add(x(t + h), -x(t), evaluate=False), sympy.Pow(h, -1, evaluate=False), evaluate=False)

    def lines(self, precision: int = 3) -> list[str]:
        """The equations as text: see ``FittedModel.lines``."""
        name = letter_of(self.channels[self.statement.equation])
        left = f"({name})'" if self.step is None else f"({change_over(name, self.step)})/{self.step:g}"
        first = [f"(x)' = {VELOCITY}"] if VELOCITY in self.channels else []
        check_precision(precision)
        return [*first, f"{left} = {rounded_numbers(self.equations()[-1].rhs, precision)}"]

    def to_latex(self) -> str:
        """The equations in LaTeX, means over features as overlines."""
        right = latex_of(self.statement, self.parameters, DIGITS)
        name = "x" if self.statement.equation == 0 else rf"\mathrm{{{VELOCITY}}}"
        left = rf"\dot{{{name}}}" if self.step is None else rf"\frac{{{change_over(name, self.step)}}}{{{self.step:g}}}"
        first = rf"\dot{{x}} = \mathrm{{{VELOCITY}}}" + "\n" if VELOCITY in self.channels else ""
        return f"{first}{left} = {right}"

    def _details(self) -> dict[str, object]:
        document: dict[str, object] = {"formula": self.formula, "parameters": dict(self.parameters)}
        if self.drive is not None:
            document["drive"] = {"times": self.drive.times.tolist(), "values": self.drive.values.tolist()}
        if self.diagnostics is not None:
            document["diagnostics"] = self.diagnostics.to_json()
        return document

    @classmethod
    def from_json(cls, document: Mapping[str, Any], path: str | Path) -> FormulaModel:
        """The model of a model file's content: its text goes through the grammar again, and nothing of it is executed.

        Raises
        ------
        ValueError
            Its parts don't fit together, or the text is no formula.
        """
        import sympy

        if not isinstance(document["family"], str) or not isinstance(document["formula"], str):
            raise ValueError("a family and a formula that are text are expected")
        inputs, features = inputs_from(document), tuple(document["features"])
        statement = statement_of(document["formula"], document["state"], tuple(inputs))
        if statement.inputs != tuple(inputs):
            raise ValueError(f"inputs {tuple(inputs)} of a formula that has {statement.inputs}")
        check_labels(statement, features, (), shared=True)
        parameters = parameters_from(document["parameters"], statement)
        # A law that was selected from terms with means may have none of them.
        alone = statement.coupling == INDEPENDENT and document["coupling"] == EXCHANGEABLE
        if document["coupling"] != statement.coupling and not alone:
            raise ValueError(f"coupling {document['coupling']!r} of a formula whose coupling is {statement.coupling}")
        drive, diagnostics = document.get("drive"), document.get("diagnostics")
        model = cls(
            family=document["family"],
            coupling=document["coupling"],
            channels=statement.channels,
            features=features,
            amplitudes=amplitudes_from(document),
            feature_amplitudes=feature_amplitudes_from(document),
            provenance=document["provenance"],
            step=step_from(document),
            formula=document["formula"],
            parameters=parameters,
            inputs=inputs,
            drive=None if drive is None else _drive(drive, statement),
            diagnostics=None if diagnostics is None else Diagnostics.from_json(diagnostics, (1, len(parameters))),
        )
        right = model.equations()[-1].rhs
        if right.has(sympy.zoo, sympy.nan, sympy.oo, sympy.I):
            raise ValueError(f"parameters {parameters!r:.100} with which the formula has no value")
        return model


def parameters_from(stated: object, statement: Statement) -> dict[str, float]:
    """The values in a model file, in the formula's order."""
    if not isinstance(stated, Mapping) or set(stated) != set(statement.parameters):
        raise ValueError(f"parameters {stated!r:.100} of a formula that has {', '.join(statement.parameters)}")
    wrong = [name for name, value in stated.items() if not is_number(value)]
    if wrong:
        raise ValueError(f"the parameter {wrong[0]} is {stated[wrong[0]]!r:.100}, no finite number")
    return {name: float(stated[name]) for name in statement.parameters}


def _drive(stated: Mapping[str, Any], statement: Statement) -> Drive:
    times, values = np.array(stated["times"], dtype=float), np.array(stated["values"], dtype=float)
    means, several = len(statement.environment), times.ndim == 1 and len(times) > 1
    if not means or not several or values.shape != (len(times), means) or not (np.diff(times) > 0).all():
        raise ValueError(
            f"a drive of shape {values.shape} at times of shape {times.shape}, not increasing or not of {means} means"
        )
    return Drive(times, values)
