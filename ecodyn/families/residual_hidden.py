"""Laws with hidden channels that act nonlinearly: a linear law and a small network of what is hidden."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

import numpy as np

from ecodyn.equations.library import EXCHANGEABLE, INDEPENDENT
from ecodyn.estimation import Samples
from ecodyn.families.configuration import Shooting
from ecodyn.families.formula_model import FormulaModel
from ecodyn.families.hidden_fits import hidden_fit_of
from ecodyn.families.linear_hidden import CHANNELS, WARM_UP, LinearHidden
from ecodyn.families.options import is_whole
from ecodyn.formulas.hidden_draws import Draw
from ecodyn.formulas.hidden_law import HiddenLaw
from ecodyn.formulas.hidden_statement import HiddenStatement
from ecodyn.formulas.residual_start import ResidualForm, bounds_of_units, residual_starts
from ecodyn.formulas.statement import MOST_PARAMETERS
from ecodyn.formulas.transforms import Coordinates
from ecodyn.rollouts.iteration import FLOW
from ecodyn.rollouts.labelled import SIGNAL
from ecodyn.trajectories import Trajectories

SEARCHES = 4  # of the starts, to the end: two missed the better of the optima on half of the shipped trainings
UNITS = 3  # a cubic takes two or three
SLOPES = ("q", "s", "z")  # of a unit by x, v and w


class ResidualHidden(LinearHidden):
    r"""ẋᵢ = vᵢ, v̇ᵢ = b + a xᵢ + k vᵢ + means + Σⱼ uⱼ tanh(pⱼ + qⱼ xᵢ + sⱼ vᵢ + rⱼ x̄): a hidden channel and a network.

    A linear law and, beside it, a network of a few units, small enough to be printed. Where the signal and its first
    derivatives say all that there is to be known of the hidden channels, every law has the form ẋ = v, v̇ = f(x, v),
    whatever it calls them (the observability form of nonlinear systems: Krener and Respondek 1985, SIAM J. Control
    Optim. 23); other choices predict the same signals. With ``channels=2``, v̇ᵢ = wᵢ and the law is ẇ's. Features share
    all weights. Heights are above 0 and slopes are at most four over the standard deviation of what they multiply.

    Parameters
    ----------
    coupling, state, dynamics, shooting, random_state : as in ``WrittenFamily``
    channels, warm_up : as in ``LinearHidden``
    units : int
        Of the network.
    searches : int
        How many starts are refined.

    Examples
    --------
    >>> from ecodyn.families.residual_hidden import ResidualHidden
    >>> ResidualHidden("independent", units=1).statement.text
    "x' = v; v' = b + a*x + k*v + u1*tanh(p1 + q1*x + s1*v)"
    """

    name = "residual_hidden"
    couplings = (INDEPENDENT, EXCHANGEABLE)
    cost = 60.0

    def __init__(
        self,
        coupling: str = EXCHANGEABLE,
        state: str = SIGNAL,
        *,
        channels: int = 1,
        units: int = UNITS,
        warm_up: int = WARM_UP,
        dynamics: str = FLOW,
        shooting: Shooting | None = None,
        searches: int = SEARCHES,
        random_state: int = 0,
    ) -> None:
        super().__init__(
            coupling,
            state,
            channels=channels,
            warm_up=warm_up,
            dynamics=dynamics,
            shooting=shooting,
            searches=searches,
            random_state=random_state,
        )
        self.units = units

    def check(self, trajectories: Trajectories) -> None:
        """Refuse another number of units than are fitted, beside what every formula refuses."""
        few = is_whole(self.channels) and 1 <= self.channels <= len(CHANNELS)  # else that is what is wrong
        if few and not (is_whole(self.units) and 1 <= self.units <= self._most_units()):
            raise ValueError(
                f"units is 1 to {self._most_units()} with channels={self.channels!r} and the coupling "
                f"{self.coupling}, of {MOST_PARAMETERS} parameters at most, got {self.units!r}"
            )
        super().check(trajectories)

    def _most_units(self) -> int:
        form = self.form(1)
        begun = 0 if self.warm_up_steps else form.hidden
        return (MOST_PARAMETERS - len(form.linear) - begun) // len(form.units[0])

    def form(self, units: int) -> ResidualForm:
        """Its parameters, with so many units."""
        hidden, means = len(self.hidden_per_feature), self.coupling == EXCHANGEABLE
        linear = ("b", *"akl"[: 1 + hidden], *("cef"[: 1 + hidden] if means else ""))
        inner = (*SLOPES[: 1 + hidden], *("r" if means else ""))
        names = tuple(tuple(f"{n}{j}" for n in ("u", "p", *inner)) for j in range(1, units + 1))
        return ResidualForm(linear, names, hidden, means)

    def text(self) -> str:
        """The equations."""
        factors = ("x", *self.hidden_per_feature, *(["mean(x)"] if self.coupling == EXCHANGEABLE else []))
        units = [
            f"{height}*tanh({offset} + {' + '.join(f'{n}*{x}' for n, x in zip(slopes, factors, strict=True))})"
            for height, offset, *slopes in self.form(self.units).units
        ]
        return " + ".join([super().text(), *units])

    def _fit_together(self, training_sets: Sequence[Trajectories], clock: bool) -> list[FormulaModel]:
        return [self._fitted(training) for training in training_sets]

    def _fitted(self, training: Trajectories) -> FormulaModel:
        statement, form = self.statement, self.form(self.units)
        if not isinstance(statement, HiddenStatement):
            raise TypeError(f"expected equations with hidden variables, got {statement.text!r}")
        samples = Samples.of(training, SIGNAL, FLOW)
        within = bounds_of_units(samples, form)
        bounds = tuple(within.get(name, (-np.inf, np.inf)) for name in statement.parameters)
        starts = residual_starts(samples, form, self.searches, self.random_state)

        def begun(law: HiddenLaw, wide: Samples) -> list[Draw]:
            coordinates = cast(Coordinates, law.coordinates)
            scales, draws = np.array(law.scales[1:]), []
            for start in starts:
                own = start.hidden / scales  # (run, feature, hidden)
                level = own.mean(axis=(0, 1))
                known = {**start.parameters, **dict(zip(statement.begun, level * scales, strict=False))}
                values = np.array([known[name] for name in law.statement.parameters])
                beside = own.transpose(0, 2, 1).reshape(len(own), -1)
                draws.append(Draw(coordinates.inward(values), level, 0.0, beside))
            return draws

        fit = replace(hidden_fit_of(self, statement), bounds=bounds, begun=begun)
        return fit.model(training, self.provenance(training), ())
