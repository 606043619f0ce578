"""Rational laws whose terms are selected from the data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from time import perf_counter
from typing import ClassVar

import numpy as np
from sklearn.base import clone

from ecodyn.equations.forms import polynomial_library
from ecodyn.equations.library import EXCHANGEABLE, INDEPENDENT, Library
from ecodyn.errors import UnusableDataError
from ecodyn.estimation import Samples
from ecodyn.estimation.implicit_selection import holds
from ecodyn.families.configuration import Configuration, Shooting
from ecodyn.families.formula_family import FormulaFamily
from ecodyn.families.formula_model import FormulaModel
from ecodyn.families.options import check_whole
from ecodyn.families.shot import ShotFamily
from ecodyn.formulas.rational_form import RationalForm
from ecodyn.formulas.rational_search import Shot, search_rational
from ecodyn.formulas.statement import Statement
from ecodyn.formulas.transforms import Bounds
from ecodyn.rollouts.iteration import FLOW
from ecodyn.trajectories import Trajectories

__all__ = ["Rational"]

TRIED = 5  # of the best laws, until the denominator of one holds when its parameters are fitted to the end


class _Selected(FormulaFamily):
    """A formula with its starts, as a family of this name."""

    name = "rational"
    searches = 1
    random_state = 0
    draws: ClassVar[int] = 1  # all parameters have starts

    def __init__(
        self,
        formula: str,
        starts: Mapping[str, float],
        coupling: str = EXCHANGEABLE,
        state: str = "signal",
        *,
        dynamics: str = FLOW,
        shooting: Shooting | None = None,
    ) -> None:
        self.formula, self.starts, self.coupling = formula, starts, coupling
        self.state, self.dynamics, self.shooting = state, dynamics, shooting

    def text(self) -> str:
        return self.formula

    def ranges(self, statement: Statement) -> tuple[Bounds, ...]:
        return ((-np.inf, np.inf),) * len(statement.parameters)

    def beginnings(self, statement: Statement) -> Mapping[str, float]:
        return self.starts

    def clock_applies(self) -> bool:
        return self.statement.coupling == EXCHANGEABLE


class Rational(ShotFamily[FormulaModel]):
    r"""ẋᵢ = P(xᵢ)/Q(xᵢ), numerator and denominator sparse polynomials whose terms are selected.

    ============  ==============================================================================
    coupling      terms of P and of Q
    ============  ==============================================================================
    independent   powers of xᵢ
    exchangeable  xᵢᵃ m₁ᵇ m₂ᶜ with a + b + 2c at most the degree, m_q = mean(x^q): ``SINDy``'s own
    ============  ==============================================================================

    Terms of the implicit equation P − ẋ Q = 0 are selected with each of them on the left in turn, on weak forms; which
    left side is best is told by rollouts of the explicit law, as SINDy-PI has it (Kaheman, Kutz and Brunton 2020, Proc.
    R. Soc. A 476). The best of each size are refined by multiple shooting, terms are exchanged near them, and what
    leaves least at a price for each parameter is fitted as a ``Formula`` is. Q is 1 + …: it may turn out to be 1, a
    polynomial law. Laws whose denominator vanishes on the region of the data are refused.

    All features share one law. Its model is a formula's: ``Formula(model.formula, starts=model.parameters)`` is the
    same law as an estimator, with profiles and bounds.

    Parameters
    ----------
    coupling : "independent" or "exchangeable"
    state : "signal"
        The law is of the signal alone.
    degree : int
        Of P at most.
    denominator_degree : int
        Of Q at most; 0 leaves polynomials.
    dynamics : "flow" or "map"
    shooting : Shooting, optional
        How rollouts of the law that is chosen are made to follow the data.

    Examples
    --------
    Beverton and Holt's map, of which a step is to 1.8x/(1 + 0.5x):

    >>> from ecodyn.families.rational import Rational
    >>> x = [np.array([0.1, 0.5, 1.0, 2.5])]
    >>> for _ in range(20):
    ...     x.append(1.8 * x[-1] / (1 + 0.5 * x[-1]))
    >>> law = Rational("independent", degree=2, denominator_degree=1, dynamics="map").fit(np.array(x)).model_
    >>> law.formula, {name: round(value, 6) for name, value in law.parameters.items()}
    ('(p1*x + p2*x**2)/(1 + q1*x)', {'p1': 0.8, 'p2': -0.5, 'q1': 0.5})
    """

    name: ClassVar[str] = "rational"
    couplings = (INDEPENDENT, EXCHANGEABLE)
    selects = False  # its model's parameters are those of the law that was chosen
    cost = 30.0
    configurations: ClassVar[dict[str, type[Configuration]]] = {"shooting": Shooting}
    model_: FormulaModel

    def __init__(
        self,
        coupling: str = EXCHANGEABLE,
        state: str = "signal",
        *,
        degree: int = 3,
        denominator_degree: int = 2,
        dynamics: str = FLOW,
        shooting: Shooting | None = None,
    ) -> None:
        self.coupling = coupling
        self.state = state
        self.degree = degree
        self.denominator_degree = denominator_degree
        self.dynamics = dynamics
        self.shooting = shooting

    def check(self, trajectories: Trajectories) -> None:
        """Refuse unknown options, states of more than the signal, and unusable data."""
        super().check(trajectories)
        check_whole("degree", self.degree, 0)
        check_whole("denominator_degree", self.denominator_degree, 0)
        if self.state != "signal":
            raise ValueError(
                f"rational laws are of the signal alone, got the state {self.state!r}; write the law as a Formula"
            )

    def libraries(self, trajectories: Trajectories) -> tuple[Library, Library]:
        """The terms of the numerator and of the denominator."""
        features = trajectories.features.tolist()
        top, bottom = (
            polynomial_library(self.coupling, ("signal",), features, degree)
            for degree in (self.degree, self.denominator_degree)
        )
        return top, bottom

    def _fit_together(self, training_sets: Sequence[Trajectories], clock: bool) -> list[FormulaModel]:
        return [self._fit_one(training, clock) for training in training_sets]

    def _fit_one(self, trajectories: Trajectories, clock: bool) -> FormulaModel:
        started = perf_counter()
        samples = Samples.of(trajectories, self.state, self.dynamics)
        taken = (*map(str, trajectories.features.tolist()), *trajectories.observables)
        form = RationalForm(*self.libraries(trajectories), samples, taken)
        options = {k: v for k, v in self.shooting_options.get_params().items() if k == "ridge"}
        with np.errstate(all="ignore"):
            ranked = search_rational(form, options)
        for shot in ranked[:TRIED]:
            model = self._refined(form, shot, trajectories, clock)
            if _holds(form, model):
                seconds = perf_counter() - started
                diagnostics = model.diagnostics and replace(model.diagnostics, seconds=seconds, candidates=len(ranked))
                return replace(model, provenance=self.provenance(trajectories), diagnostics=diagnostics)
        raise UnusableDataError(
            "expected a rational law whose denominator does not vanish on the region of the data, got none whose "
            f"rollouts finish, of {len(ranked)} that were tried; raise degree, choose another window, or write the law "
            "as a Formula"
        )

    def _shooting(self, samples: Samples) -> Shooting:
        """The options, with starting states estimated where data are noisy, unless it is said how."""
        options: Shooting = clone(self.shooting_options)
        if options.estimate_starts == "auto" and samples.smooth is not None:
            options.estimate_starts = True
        return options

    def _refined(self, form: RationalForm, shot: Shot, trajectories: Trajectories, clock: bool) -> FormulaModel:
        values = shot.parameters * form.units
        starts = {n: float(v) for n, v, kept in zip(form.names, values, shot.kept, strict=True) if kept}
        chosen = _Selected(
            form.formula(shot.kept),
            starts,
            self.coupling,
            self.state,
            dynamics=self.dynamics,
            shooting=self._shooting(form.samples),
        )
        return chosen.fit_model(trajectories, clock=clock)


def _holds(form: RationalForm, model: FormulaModel) -> bool:
    """Whether the fitted denominator keeps away from 0 on the region of the data."""
    values = np.array([model.parameters.get(name, 0.0) for name in form.names]) / form.units
    return holds(form.denominator, form.samples, [form.selected(values)])[0]
