"""The fitted model of a law with hidden variables: its equations, and where these variables begin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, cast

import numpy as np
from numpy.typing import ArrayLike

from ecodyn.arrays import Array, Integers
from ecodyn.extraction.gathering import data_of
from ecodyn.families.diagnostics import Diagnostics
from ecodyn.families.formula_model import DIGITS, FormulaModel, parameters_from
from ecodyn.families.hidden_rows import HiddenRows
from ecodyn.families.hidden_values import stated_values
from ecodyn.families.known import InputsLike
from ecodyn.families.model import feature_amplitudes_from
from ecodyn.families.printing import check_precision
from ecodyn.families.starting_states import StartLike, starting_states
from ecodyn.formulas.hidden_law import BoundHidden, HiddenLaw
from ecodyn.formulas.hidden_statement import BEGUN, HiddenStatement, hidden_statement_of
from ecodyn.formulas.printed import expression_of, latex_of, rounded_numbers
from ecodyn.formulas.statement import OWN, check_labels
from ecodyn.rollouts.integration import Rollout
from ecodyn.rollouts.labelled import SIGNAL
from ecodyn.trajectories import Trajectories
from ecodyn.trajectories.conversions import DataLike

if TYPE_CHECKING:
    import sympy

__all__ = ["HiddenModel"]


@dataclass(frozen=True, kw_only=True, repr=False)
class HiddenModel(FormulaModel):
    """ẋᵢ = f(xᵢ, h, means over features, t; θ) and ḣ = g(...): equations of the signal and of what nobody measures.

    ``channels`` are the signal's and the hidden variables'; ``state`` is what is measured.

    Attributes
    ----------
    formula : str
        All equations; see ``ecodyn.Formula``.
    parameters : dict of str to float
        Their values, those too that are held; ``NAME_start`` is where a hidden variable begins, if in all runs at one
        value.
    held : names of the parameters that were not estimated, for the data can't tell the unit of a hidden variable
    each : names of the hidden variables of which each feature has its own
    warm_up_steps : steps that starting values of runs are estimated from; 0 where they are parameters

    Examples
    --------
    >>> from ecodyn import Formula
    >>> t = np.arange(30.0)[:, None]  # ẋ = -0.3 x + r, ṙ = -0.1 r, r(0) = 1
    >>> x = 5 * (np.exp(-0.1 * t) - np.exp(-0.3 * t)) + np.array([0.5, 2.0]) * np.exp(-0.3 * t)
    >>> law = Formula({"x": "r - a*x", "r": "-d*r"}, hidden=["r"], positive="all").fit(x).model_
    >>> {name: round(value, 4) for name, value in law.parameters.items()}
    {'a': 0.3, 'd': 0.1, 'r_start': 1.0}
    >>> law.simulate([0.5, 2.0], steps=[0.0, 10.0]).values[0, -1, 0].round(3)  # x and r
    array([1.615, 0.368])
    """

    held: tuple[str, ...] = ()
    each: tuple[str, ...] = ()
    warm_up_steps: int = 0

    kind: ClassVar[str] = "hidden_formula"

    @cached_property
    def statement(self) -> HiddenStatement:
        """The equations with their names resolved."""
        names = self.channels[1:]
        shared = tuple(name for name in names if name not in self.each)
        return hidden_statement_of(self.formula, shared, self.each, free=self.warm_up > 0)

    @property
    def measured(self) -> tuple[str, ...]:
        """The signal alone."""
        return (SIGNAL,)

    @property
    def warm_up(self) -> int:
        """Steps of a run that are seen before rollouts start."""
        return self.warm_up_steps

    @property
    def law(self) -> HiddenLaw:  # type: ignore[override]  # of several equations
        """The equations in the units of the data, as functions of their parameters."""
        labels = [str(label) for label in self.features]
        columns = tuple(labels.index(name) for name in self.statement.features)
        return HiddenLaw(self.statement, columns, None, (1.0,) * len(self.channels))

    @property
    def values(self) -> Array:
        """All parameters, (parameter,)."""
        return np.array([self.parameters[name] for name in self.statement.every_parameter])

    @cached_property
    def _bound(self) -> BoundHidden:  # type: ignore[override]
        values = self.values[None]
        return BoundHidden(self.law, values, np.ones_like(values))

    @property
    def autonomous(self) -> bool:
        """False: the signals alone don't decide their derivatives."""
        return False

    def jacobian_times(self, x: Array, directions: Array) -> Array:
        """Of laws of the signal alone."""
        raise ValueError("expected a law of the signal alone, got one with hidden variables")

    @property
    def n_coefficients(self) -> int:
        """Number of parameters that were estimated, starting values that all runs share among them."""
        return len(self.parameters) - len(self.held)

    @property
    def library_size(self) -> int:
        """Number of parameters that were estimated: none is selected."""
        return self.n_coefficients

    def simulate(
        self,
        x0: StartLike,
        steps: ArrayLike,
        *,
        hidden: Mapping[str, ArrayLike] | None = None,
        warm_up: DataLike | None = None,
        bound: float | None = None,
        rtol: float = 1e-8,
        max_evaluations: int = 20_000,
        inputs: InputsLike | None = None,
    ) -> Rollout:
        """Roll the law out freely from starting states of the signal, and of the hidden variables.

        Parameters
        ----------
        x0, steps, bound, rtol, max_evaluations, inputs : as in ``FittedModel.simulate``
            Starting states are of the signal, or of all channels: (batch, feature, channel).
        hidden : dict of str to float or array, optional
            Starting values of the hidden variables by name: a number, one a member of the batch, or (batch, feature).
        warm_up : data, optional
            What came before, one run a member of the batch, the last step of each being the start: hidden variables are
            estimated from these.

        Returns
        -------
        Rollout
            Its channels are the signal and the hidden variables.
        """
        start = self._start(x0, steps, hidden, warm_up)
        options: dict[str, Any] = {"bound": bound, "rtol": rtol, "max_evaluations": max_evaluations, "inputs": inputs}
        return super().simulate(start, steps, **options)

    def _start(
        self, x0: StartLike, steps: ArrayLike, hidden: Mapping[str, ArrayLike] | None, warm_up: DataLike | None
    ) -> Array:
        """States of all channels, (batch, feature, channel)."""
        shape = () if isinstance(x0, Trajectories | Mapping) else np.shape(cast("ArrayLike", x0))
        whole = len(shape) == len(("batch", "feature", "channel")) and shape[-1] == len(self.channels)
        if whole and hidden is None and warm_up is None:
            return starting_states(x0, self.features, self.channels, any_labels=not self.per_feature)
        signals = starting_states(x0, self.features, (SIGNAL,), any_labels=not self.per_feature)
        if hidden is not None and warm_up is not None:
            raise ValueError("expected hidden= or warm_up=, got both; leave one out")
        if hidden is not None:
            values = stated_values(hidden, self.channels[1:], self.each, signals.shape[:2])
        elif warm_up is not None:
            before = data_of(warm_up, None).aligned(self.features, any_labels=not self.per_feature)
            if before.n_runs != len(signals):
                raise ValueError(
                    f"expected a run of warm_up= for each of the {len(signals)} starting states, got {before.n_runs}"
                )
            first = np.asarray(before.lengths) - 1
            ends = before.times[np.arange(before.n_runs), first]
            if not np.allclose(ends, np.asarray(steps, dtype=float)[..., 0]):
                raise ValueError(
                    "expected runs of warm_up= that end at the first of the steps, where the rollout starts, got ends "
                    f"at {ends.tolist()!s:.60}; cut them there, such as by runs.head(...)"
                )
            whole = self.with_hidden(before.state(SIGNAL), before.times, first)
            values = whole[np.arange(len(signals)), first, :, 1:]
        elif self.warm_up:
            raise ValueError(
                f"expected starting values of {', '.join(self.channels[1:])}, which each run has of its own, got none; "
                f"give hidden={{'{self.channels[1]}': 1.0}}, or warm_up= with steps before the start"
            )
        else:
            values = np.broadcast_to(self._begun(), (*signals.shape[:2], len(self.channels) - 1))
        return np.concatenate([signals, values], axis=-1)

    def _begun(self) -> Array:
        """Starting values that are parameters, (hidden,)."""
        return np.array([self.parameters[name + BEGUN] for name in self.channels[1:]])

    def with_hidden(self, states: Array, times: Array, first: Integers, *, following: bool = False) -> Array:
        """States with the hidden variables beside the signal: see ``FittedModel.with_hidden``."""
        begun = None if self.warm_up else self._begun()
        estimated = HiddenRows(self.law, self._scaled_law(), self.values, begun, self.warm_up)
        hidden = estimated.beside(states, times, first, following=following)
        return np.concatenate([states, hidden], axis=-1)

    def _scaled_law(self) -> HiddenLaw:
        """With the hidden variables in the units of their usual sizes."""
        sizes = [float(np.exp2(np.rint(np.log2(a)))) if a > 0 else 1.0 for a in self.amplitudes[1:]]
        return replace(self.law, scales=(1.0, *sizes))

    def equations(self) -> list[sympy.Eq]:
        """One for each equation, the signal's first, and one for each starting value that all runs share."""
        import sympy

        t = sympy.Symbol("t")
        names = (OWN, *self.channels[1:])
        found = []
        for name, each in zip(names, self.statement.equations, strict=True):
            left = sympy.Derivative(sympy.Symbol(name), t, evaluate=False)
            found.append(sympy.Eq(left, expression_of(each, self.parameters), evaluate=False))
        for name in self.statement.begun:
            found.append(sympy.Eq(sympy.Symbol(name), sympy.Float(self.parameters[name], 17), evaluate=False))
        return found

    def lines(self, precision: int = 3) -> list[str]:
        """The equations as text: see ``FittedModel.lines``."""
        check_precision(precision)
        pairs = [(e.lhs, rounded_numbers(e.rhs, precision)) for e in self.equations()]
        return [f"({left.args[0]})' = {right}" if left.args else f"{left} = {right}" for left, right in pairs]

    def to_latex(self) -> str:
        """The equations in LaTeX, means over features as overlines."""
        names = (OWN, *self.channels[1:])
        lines = [
            rf"\dot{{{name}}} = {latex_of(each, self.parameters, DIGITS)}"
            for name, each in zip(names, self.statement.equations, strict=True)
        ]
        begun = [rf"{n.removesuffix(BEGUN)}(0) = {self.parameters[n]:.{DIGITS}g}" for n in self.statement.begun]
        return "\n".join([*lines, *begun])

    def _details(self) -> dict[str, object]:
        hidden = {"hidden": list(self.channels[1:]), "hidden_per_feature": list(self.each)}
        return {**super()._details(), **hidden, "held": list(self.held), "warm_up": self.warm_up}

    @classmethod
    def from_json(cls, document: Mapping[str, Any], path: str | Path) -> HiddenModel:
        """The model of a model file's content: its text goes through the grammar again, and nothing of it is executed.

        Raises
        ------
        ValueError
            Its parts don't fit together, or the text is no system of equations.
        """
        names, each, held = (_names(document[key]) for key in ("hidden", "hidden_per_feature", "held"))
        warm_up = document["warm_up"]
        if not isinstance(warm_up, int) or warm_up < 0 or not isinstance(document["formula"], str):
            raise ValueError("a formula that is text and a number of warm-up steps are expected")
        shared = tuple(name for name in names if name not in each)
        statement = hidden_statement_of(document["formula"], shared, each, free=warm_up > 0)
        features, amplitudes = tuple(document["features"]), tuple(float(a) for a in document["amplitudes"])
        check_labels(statement, features, (), shared=True)
        if document["coupling"] != statement.coupling:
            raise ValueError(f"coupling {document['coupling']!r} of a formula whose coupling is {statement.coupling}")
        if len(amplitudes) != len(statement.channels) or not set(held) <= set(statement.every_parameter):
            raise ValueError(f"amplitudes or held parameters of other equations than {statement.text}")
        diagnostics, parameters = document.get("diagnostics"), parameters_from(document["parameters"], statement)
        return cls(
            family=document["family"],
            coupling=document["coupling"],
            channels=statement.channels,
            features=features,
            amplitudes=amplitudes,
            feature_amplitudes=feature_amplitudes_from(document),
            provenance=document["provenance"],
            formula=document["formula"],
            parameters=parameters,
            diagnostics=None if diagnostics is None else Diagnostics.from_json(diagnostics, (1, len(parameters))),
            held=held,
            each=each,
            warm_up_steps=warm_up,
        )


def _names(stated: object) -> tuple[str, ...]:
    if not isinstance(stated, list) or not all(isinstance(name, str) for name in stated):
        raise ValueError(f"a list of names is expected, got {stated!r:.100}")
    return tuple(stated)
