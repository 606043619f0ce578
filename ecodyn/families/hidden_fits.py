"""Fits of laws with hidden variables, and what is asked of such a law before."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from time import perf_counter
from typing import ClassVar, Protocol

import numpy as np

from ecodyn.arrays import Array
from ecodyn.errors import UnusableDataError
from ecodyn.estimation import Samples
from ecodyn.families.configuration import Shooting
from ecodyn.families.diagnostics import Diagnostics
from ecodyn.families.estimator import MIN_STEPS
from ecodyn.families.formula_diagnostics import diagnose_formula
from ecodyn.families.hidden_model import HiddenModel
from ecodyn.families.model import amplitudes_of
from ecodyn.families.options import check_whole
from ecodyn.formulas.hidden_draws import Draw
from ecodyn.formulas.hidden_law import HiddenLaw
from ecodyn.formulas.hidden_objective import HiddenObjective, beginnings, with_channels
from ecodyn.formulas.hidden_search import FittedHidden, fit_hidden
from ecodyn.formulas.hidden_statement import HiddenStatement
from ecodyn.formulas.hidden_units import held_by_unit
from ecodyn.formulas.searching import Search
from ecodyn.formulas.statement import Statement
from ecodyn.formulas.transforms import Bounds
from ecodyn.rollouts.iteration import FLOW
from ecodyn.rollouts.labelled import SIGNAL
from ecodyn.rollouts.marching import march
from ecodyn.runtime.json_values import Json
from ecodyn.trajectories import Trajectories

__all__ = ["HiddenFit", "check_hidden", "hidden_fit_of", "hidden_model_of"]


class HiddenFamily(Protocol):
    """What is asked of a family whose law has hidden variables: see ``FormulaFamily``."""

    name: ClassVar[str]
    state: str
    dynamics: str
    searches: int
    random_state: int

    @property
    def warm_up(self) -> int:
        """Steps that starting values are estimated from, as it was set."""

    @property
    def warm_up_steps(self) -> int:
        """The same, where there are hidden variables."""

    @property
    def shooting_options(self) -> Shooting:
        """How rollouts are made to follow the data."""

    def ranges(self, statement: Statement) -> tuple[Bounds, ...]:
        """Bounds of each parameter."""

    def beginnings(self, statement: Statement) -> Mapping[str, float]:
        """Values of parameters that the search begins with."""

    def provenance(self, trajectories: Trajectories) -> dict[str, Json]:
        """What a fitted model remembers of its making."""


def hidden_fit_of(family: HiddenFamily, statement: HiddenStatement) -> HiddenFit:
    """What is fitted, as a family asks for it."""
    return HiddenFit(
        name=family.name,
        statement=statement,
        bounds=family.ranges(statement),
        starts=family.beginnings(statement),
        searches=family.searches,
        seed=family.random_state,
        warm_up=family.warm_up_steps,
        options=family.shooting_options.get_params(),
    )


def hidden_model_of(family: HiddenFamily, statement: HiddenStatement, trajectories: Trajectories) -> HiddenModel:
    """The law of one training set."""
    fit = hidden_fit_of(family, statement)
    labels = [str(label) for label in trajectories.features.tolist()]
    columns = tuple(labels.index(name) for name in statement.features)
    return fit.model(trajectories, family.provenance(trajectories), columns)


def check_hidden(family: HiddenFamily, statement: HiddenStatement, trajectories: Trajectories) -> None:
    """Refuse what laws with hidden variables can't be, or can't be fitted to.

    Raises
    ------
    ValueError, UnusableDataError
        In a sentence.
    """
    warm_up = family.warm_up
    check_whole("warm_up", warm_up, 0)
    if family.dynamics != FLOW:
        raise ValueError(f"a law with hidden variables is a flow, got dynamics={family.dynamics!r}; leave it out")
    if family.state != SIGNAL:
        raise ValueError(
            f"a law with hidden variables is of the signal alone beside these, got the state {family.state!r}"
        )
    if family.shooting_options.refine is False:
        raise ValueError(
            "a law with hidden variables is fitted by rollouts, for integrals of what nobody measures can't be "
            "matched; got refine=False; leave it out"
        )
    if varying := trajectories.varying_inputs():
        raise UnusableDataError(
            f"expected data without inputs for a law with hidden variables, got {', '.join(varying)}, which vary; "
            "leave them out by data.without_inputs(), or write the law without hidden variables"
        )
    if named := sorted({*trajectories.inputs} & {*statement.names}):
        raise ValueError(
            f"a law with hidden variables takes no inputs, got {', '.join(named)} in the formula, which is an input of "
            "the data; write its value, or rename the parameter"
        )
    for name in statement.hidden:
        if name in trajectories.observables:
            raise ValueError(
                f"expected a hidden variable of another name than {name!r}, which is measured in these data"
            )
    shortest = int(trajectories.complete().lengths.min())
    if warm_up + MIN_STEPS > shortest:
        raise UnusableDataError(
            f"expected runs of at least warm_up + {MIN_STEPS} = {warm_up + MIN_STEPS} complete steps, got one of "
            f"{shortest}; set a smaller warm_up or widen the window"
        )


@dataclass(frozen=True, kw_only=True)
class HiddenFit:
    """What is fitted, and how.

    Attributes
    ----------
    name : of the family
    statement : HiddenStatement
    bounds : of each of its parameters
    starts : where searches begin, of some
    searches, seed : as in ``Search``
    warm_up : steps that starting values are estimated from; 0 where they are parameters
    options : of shooting
    begun : where it begins, in place of draws: from the law in scaled units and samples with hidden channels
    """

    name: str
    statement: HiddenStatement
    bounds: tuple[Bounds, ...]
    starts: Mapping[str, float]
    searches: int
    seed: int
    warm_up: int
    options: Mapping[str, object]
    begun: Callable[[HiddenLaw, Samples], list[Draw]] | None = None

    def search(self) -> Search:
        """Of the parameters that are estimated; what gives hidden variables their unit is held."""
        within = dict(zip(self.statement.parameters, self.bounds, strict=True))
        held = held_by_unit(self.statement, dict(self.starts))
        held = {name: _inside(value, *within[name]) for name, value in held.items()}
        statement = self.statement.holding(held)
        return Search(
            statement=statement,
            bounds=tuple(within[name] for name in statement.parameters),
            starts={name: value for name, value in self.starts.items() if name not in held},
            count=self.searches,
            seed=self.seed,
        )

    def model(self, trajectories: Trajectories, provenance: dict[str, Json], columns: tuple[int, ...]) -> HiddenModel:
        """The law of one training set."""
        started, search = perf_counter(), self.search()
        samples = Samples.of(trajectories, SIGNAL, FLOW)
        fit = fit_hidden(search, samples, columns, self.options, self.begun)
        statement = fit.law.statement
        every = fit.law.every(fit.parameters[None])[0]
        wide = with_channels(samples, np.array(fit.law.scales[1:]))
        states = _rolled_out(fit, wide)
        sizes = np.abs(states[..., 1:]).max(axis=(0, 1, 2), initial=0.0) * fit.law.scales[1:]
        label = f"{self.name}/{statement.coupling}"
        diagnostics = diagnose_formula(label, fit, search.bounds, samples, perf_counter() - started)
        starts = states[:, 0, :, 1:] * np.array(fit.law.scales[1:])
        return HiddenModel(
            family=self.name,
            coupling=statement.coupling,
            channels=statement.channels,
            features=tuple(trajectories.features.tolist()),
            amplitudes=(*amplitudes_of(trajectories, SIGNAL), *sizes.tolist()),
            provenance={**provenance, "hidden": self._stated(statement, starts)},
            formula=statement.text,
            parameters=dict(zip(statement.every_parameter, every.tolist(), strict=True)),
            diagnostics=_of_every(diagnostics, statement),
            held=tuple(name for name, _ in statement.held),
            each=tuple(n for n, each in zip(statement.hidden, statement.each, strict=True) if each),
            warm_up_steps=self.warm_up,
        )

    def _stated(self, statement: HiddenStatement, starts: Array) -> dict[str, Json]:
        """What provenance says: where hidden variables start in runs (run, feature, hidden), and by what rule."""
        own = {
            name: (starts[..., i] if each else starts[:, 0, i]).tolist()
            for i, (name, each) in enumerate(zip(statement.hidden, statement.each, strict=True))
        }
        rule = (
            f"each run has its own; of runs that are predicted, estimated from {self.warm_up} steps before the start"
            if self.warm_up
            else "the same in all runs, parameters"
        )
        return {"starting values": rule, "held": dict(statement.held), "starts": own if self.warm_up else {}}


def _inside(value: float, low: float, high: float) -> float:
    """A value within bounds: itself, or the middle between them."""
    if low < value < high:
        return value
    if np.isfinite(low) and np.isfinite(high):
        return 0.5 * (low + high)
    return low + 1.0 if np.isfinite(low) else high - 1.0


def _rolled_out(fit: FittedHidden, samples: Samples) -> Array:
    """Scaled states (run, point, feature, channel) of the training runs' rollouts."""
    if fit.shooting is None:
        raise TypeError("expected a fit that was rolled out")
    segments = beginnings(samples, fit.shooting.points, fit.shooting.reached, smoothed=fit.signals)
    objective = HiddenObjective(fit.law, samples, segments, fit.starts, signals=fit.signals)
    start = objective.begin(fit.coordinates, fit.starts)
    path = march(fit.law.bind(fit.coordinates[None]).rhs, start, segments.times, substeps=fit.shooting.substeps)
    return np.stack([x for _, x, _ in path], axis=1)


def _of_every(diagnostics: Diagnostics, statement: HiddenStatement) -> Diagnostics:
    """With places for the parameters that are held, of which nothing is estimated."""
    names = statement.every_parameter
    among = [names.index(name) for name in statement.parameters]

    def spread(values: Array) -> Array:
        full = np.full((1, len(names)), np.nan)
        full[:, among] = values
        return full

    held = [
        f"{name} = {value:g} is held, for the data can't tell the unit of a hidden variable"
        for name, value in statement.held
    ]
    identified = np.ones((1, len(names)), dtype=bool)
    identified[:, among] = diagnostics.identified
    return replace(
        diagnostics,
        low=spread(diagnostics.low),
        high=spread(diagnostics.high),
        halves=spread(diagnostics.halves),
        run_spread=spread(diagnostics.run_spread),
        variance_inflation=spread(diagnostics.variance_inflation),
        identified=identified,
        warnings=(*diagnostics.warnings, *held),
    )
