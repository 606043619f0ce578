"""Families whose law is a formula: nonlinear in its parameters, and estimated by rollouts all the same."""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from time import perf_counter
from typing import ClassVar, Self, cast

import numpy as np

from ecodyn.equations.clock_drive import Drive
from ecodyn.errors import UnusableDataError
from ecodyn.estimation import Samples
from ecodyn.extraction.gathering import data_of
from ecodyn.families.configuration import Configuration, Shooting
from ecodyn.families.estimator import Family
from ecodyn.families.formula_diagnostics import diagnose_formula
from ecodyn.families.formula_model import FormulaModel
from ecodyn.families.formula_options import checked_names
from ecodyn.families.hidden_fits import check_hidden, hidden_model_of
from ecodyn.families.model import amplitudes_of
from ecodyn.families.options import check_whole, is_whole
from ecodyn.families.profile_likelihood import Profile, profile_of
from ecodyn.families.shot import ShotFamily
from ecodyn.families.time_origin import far_from_origin
from ecodyn.formulas.common_means import CommonMeans
from ecodyn.formulas.fitting import FittedFormula, fit_formulas
from ecodyn.formulas.hidden_statement import HiddenStatement, hidden_statement_of
from ecodyn.formulas.searching import DRAWS, Search
from ecodyn.formulas.statement import Statement, check_labels, known_among, statement_of
from ecodyn.formulas.transforms import Bounds
from ecodyn.runtime.json_values import Json
from ecodyn.trajectories import Trajectories
from ecodyn.trajectories.conversions import DataLike
from ecodyn.trajectories.values import Numbers

__all__ = ["SEARCHES", "FormulaFamily"]

SEARCHES = 4  # draws that are refined to the end, of those that differ after a few steps: as many optima are seen


def _fingerprint(trajectories: Trajectories) -> str:
    """The hash of the numbers that a law is fitted to."""
    observables = sorted(trajectories.observables)
    digest = hashlib.sha256(repr((trajectories.values.shape, observables)).encode())
    more = [trajectories.observables[name] for name in observables]
    for numbers in (trajectories.values, trajectories.times, *more):
        digest.update(np.ascontiguousarray(numbers).tobytes())
    return digest.hexdigest()


@dataclass(frozen=True, eq=False)
class _TrainingSet:
    """Trajectories on their way to a law."""

    trajectories: Trajectories
    samples: Samples
    columns: tuple[int, ...]


class FormulaFamily(ShotFamily[FormulaModel]):
    """A family whose right-hand side is a formula, the same for all features, in the units of the data.

    A subclass says in ``text`` what the formula is; a ``WrittenFamily`` has one for each coupling. Parameters that
    enter linearly are found by regression on matched integrals for each of a hundred draws of the others; Gauss-Newton
    takes a few steps from the best of them and goes on from those that are best then, and multiple shooting with exact
    sensitivities from there.
    """

    configurations: ClassVar[dict[str, type[Configuration]]] = {"shooting": Shooting}
    cost: ClassVar[float] = 8.0
    takes_inputs = True  # if it names them
    draws: ClassVar[int] = DRAWS  # of starts of parameters that enter nonlinearly
    model_: FormulaModel

    searches: int
    random_state: int
    hidden: Sequence[str] = ()  # variables that nobody measures, which features share
    hidden_per_feature: Sequence[str] = ()  # those of which each feature has its own
    warm_up: int = 0  # steps that their starting values in a run are estimated from; 0: in all runs alike

    @abstractmethod
    def text(self) -> str:
        """The formula."""

    @abstractmethod
    def ranges(self, statement: Statement) -> tuple[Bounds, ...]:
        """Bounds of each parameter."""

    def beginnings(self, statement: Statement) -> Mapping[str, float]:
        """Values of parameters that the search begins with, in place of draws."""
        return {}

    @property
    def statement(self) -> Statement:
        """The formula with its names resolved for this state, or several equations; inputs are parameters still."""
        if not self.has_hidden:
            return statement_of(self.text(), self.state)
        shared, each = (
            checked_names(self.hidden, "hidden"),
            checked_names(self.hidden_per_feature, "hidden_per_feature"),
        )
        return hidden_statement_of(self.text(), shared, each, free=self.warm_up_steps > 0)

    @property
    def has_hidden(self) -> bool:
        """Whether there are variables that nobody measures."""
        return len(self.hidden) + len(self.hidden_per_feature) > 0

    @property
    def warm_up_steps(self) -> int:
        """Steps before a rollout's start that the law needs of a run: see ``Family.warm_up_steps``."""
        own = self.warm_up if self.has_hidden and is_whole(self.warm_up) else 0
        return max(own, super().warm_up_steps)

    def clock_applies(self) -> bool:
        """Whether there is anything for a clock to replace; a hidden variable is itself a common drive."""
        return super().clock_applies() and not self.has_hidden

    def statement_for(self, trajectories: Trajectories) -> Statement:
        """The formula with its names resolved for data: those of their inputs are no parameters, if it takes any."""
        if self.has_hidden or not self.takes_inputs:
            return self.statement
        return statement_of(self.text(), self.state, tuple(trajectories.inputs))

    def check(self, trajectories: Trajectories) -> None:
        """Refuse formulas that can't be meant for these data, unknown options, and unusable data."""
        super().check(trajectories)
        check_whole("searches", self.searches, 1)
        check_whole("random_state", self.random_state, 0)
        statement = self.statement_for(trajectories)
        if isinstance(statement, HiddenStatement):
            check_hidden(self, statement, trajectories)
        self.ranges(statement)
        self.beginnings(statement)
        observables = [name for name in trajectories.observables if name not in statement.own]
        check_labels(statement, trajectories.features.tolist(), observables, trajectories.labels_shared)

    def for_protocol(self, protocol: str, *, run_by_run: bool) -> Self:
        """Of laws with hidden variables, which are rolled out from where runs begin, whatever the protocol is."""
        shared = super().for_protocol(protocol, run_by_run=run_by_run)
        return Family.for_protocol(self, protocol, run_by_run=run_by_run) if self.has_hidden else shared

    def with_budget(self, factor: int) -> Self:
        """Shooting may take so many times as many steps, from as many more starts."""
        return super().with_budget(factor).set_params(searches=factor * self.searches)

    def profile(self, parameter: str, X: DataLike, *, t: Numbers | float | None = None) -> Profile:
        """How much worse the law gets as a parameter is held elsewhere: whether, and how well, the data tell it.

        Fits the law if that is not done yet; else ``X`` has to be what it was fitted to, and the formula the same.

        Parameters
        ----------
        parameter : str
        X, t : as in ``fit``

        Raises
        ------
        ValueError
            The law has no such parameter, or another formula was fitted.
        UnusableDataError
            These are other data, there is only one run, or rollouts diverge.
        """
        if self.has_hidden:
            raise ValueError("profiles are of laws without hidden variables, got one with; its intervals are over runs")
        trajectories = data_of(X, t)
        statement = self.statement_for(trajectories)
        known_among([parameter], statement, "profiles")
        if not hasattr(self, "model_"):
            self.fit(X, t=t)
        self._check_fitted_to(trajectories)
        samples = self._prepared(trajectories, clock=False).samples
        options = {k: v for k, v in self.shooting_options.get_params().items() if k not in ("refine", "stages")}
        with np.errstate(all="ignore"):
            return profile_of(self.model_, samples, self.ranges(statement), parameter, options)

    def notes(self, trajectories: Trajectories) -> tuple[str, ...]:
        """What a reader should know about these data under this formula."""
        statement = self.statement_for(trajectories)
        far = far_from_origin(statement, trajectories.times)
        return (*super().notes(trajectories), *([far] if far else []))

    def notes_on_inputs(self, trajectories: Trajectories) -> tuple[str, ...]:
        """Those that the formula does not name, or that say nothing to a family of no inputs."""
        if not self.takes_inputs:
            return super().notes_on_inputs(trajectories)
        unnamed = [name for name in trajectories.inputs if name not in self.statement_for(trajectories).inputs]
        return (f"the formula does not name the input {', '.join(unnamed)}, so that it has no say",) if unnamed else ()

    def provenance(self, trajectories: Trajectories) -> dict[str, Json]:
        """What a fitted model remembers of its making; the data by what their numbers hash to."""
        return {**super().provenance(trajectories), "fingerprint": _fingerprint(trajectories)}

    def _check_fitted_to(self, trajectories: Trajectories) -> None:
        """Refuse to go on from a model of another formula, or of other data."""
        text = self.statement.text
        if text != self.model_.formula:
            raise ValueError(f"expected a fit of {text!r}, got one of {self.model_.formula!r}: fit it again first")
        if self.model_.provenance.get("fingerprint") != _fingerprint(trajectories):
            raise UnusableDataError(
                f"expected the data that the law was fitted to, got other ones, of {trajectories.n_runs} runs: a "
                "profile says what the data of the fit tell; give those, or profile a clone, which is fitted to these"
            )

    def _fit_together(self, training_sets: Sequence[Trajectories], clock: bool) -> list[FormulaModel]:
        started, statement = perf_counter(), self.statement
        if isinstance(statement, HiddenStatement):
            return [hidden_model_of(self, statement, training) for training in training_sets]
        searches = [self._search(training) for training in training_sets]
        prepared = [self._prepared(training, clock) for training in training_sets]
        options = self.shooting_options.get_params()
        refine = bool(options.pop("refine"))  # "auto" is yes: a formula has few parameters
        pairs = list(zip(searches, prepared, strict=True))
        fits = fit_formulas([(search, p.samples, p.columns) for search, p in pairs], options, refine=refine)
        seconds = (perf_counter() - started) / len(prepared)
        return [self._model(p, fit, search, seconds) for (search, p), fit in zip(pairs, fits, strict=True)]

    def _search(self, trajectories: Trajectories) -> Search:
        statement = self.statement_for(trajectories)
        return Search(
            statement=statement,
            bounds=self.ranges(statement),
            starts=self.beginnings(statement),
            count=self.searches,
            seed=self.random_state,
            draws=self.draws,
        )

    def _prepared(self, trajectories: Trajectories, clock: bool) -> _TrainingSet:
        statement = self.statement_for(trajectories)
        samples = Samples.of(trajectories, self.state, self.dynamics, inputs=statement.inputs)
        if clock and self.clock_applies():  # what the formula takes the mean of is had from the runs themselves
            samples = replace(samples, drive=cast(Drive, CommonMeans.of(samples)))
        labels = [str(label) for label in trajectories.features.tolist()]
        return _TrainingSet(trajectories, samples, tuple(labels.index(name) for name in self.statement.features))

    def _model(self, prepared: _TrainingSet, fit: FittedFormula, search: Search, seconds: float) -> FormulaModel:
        trajectories, samples, statement = prepared.trajectories, prepared.samples, search.statement
        label = f"{self.name}/{self.coupling}"
        drive = None
        if samples.drive is not None:
            means = fit.law.curve(cast(CommonMeans, samples.drive), fit.parameters[None])
            values = means.values[:, : len(statement.environment)]
            drive = Drive(means.times * samples.time_scale, values)
        return FormulaModel(
            family=self.name,
            coupling=self.coupling,
            channels=statement.channels,
            features=tuple(trajectories.features.tolist()),
            amplitudes=amplitudes_of(trajectories, self.state),
            provenance=self.provenance(trajectories),
            step=None if samples.step is None else samples.step * samples.time_scale,
            formula=statement.text,
            parameters=dict(zip(statement.parameters, fit.parameters.tolist(), strict=True)),
            drive=drive,
            diagnostics=diagnose_formula(label, fit, search.bounds, samples, seconds),
            inputs={name: trajectories.inputs[name][0].kind for name in statement.inputs},
        )
