"""Laws of more runs than there should be copies of in memory: fitted from sums over a few runs at a time.

Runs in memory are gone through in batches from a size on; a collection that is read as it is used (see
``ecodyn.estimation.many_runs.Runs``) is fitted in the memory of one shard.
"""

from __future__ import annotations

import warnings
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from time import perf_counter
from typing import Any, Self

import numpy as np

from ecodyn.arrays import Bools
from ecodyn.equations.library import FULL, Library
from ecodyn.errors import DataWarning
from ecodyn.estimation import InitialFit, MatchedIntegrals, Samples, ShootingResult
from ecodyn.estimation.many_runs import Runs, RunsInMemory, Survey, summed_up
from ecodyn.estimation.multiple_shooting import Options
from ecodyn.estimation.shooting_search import Staging
from ecodyn.families.configuration import Matching
from ecodyn.families.law import Law
from ecodyn.families.predictor import counts_steps
from ecodyn.families.sampled_runs import is_read_later
from ecodyn.families.shot import ShotFamily
from ecodyn.families.training_set import TrainingSet
from ecodyn.rollouts.iteration import FLOW
from ecodyn.trajectories import Trajectories
from ecodyn.trajectories.conversions import DataLike
from ecodyn.trajectories.values import Numbers

__all__ = ["BYTES_TOGETHER", "FitsManyRuns"]

BYTES_TOGETHER = 2**26  # of training values that are fitted side by side, or are gone through at once
FEWEST_CLUSTERS = 4  # a quarter of them validates at a time; of fewer, whose ends do, runs are few


class FitsManyRuns(ShotFamily[Law]):
    """A family whose first fit and shooting need sums over runs alone, under the couplings that share coefficients."""

    @property
    @abstractmethod
    def matching_options(self) -> Matching:
        """The first step's options."""

    @abstractmethod
    def library_for(self, trajectories: Trajectories) -> Library:
        """The candidate terms for these runs."""

    @abstractmethod
    def initial_fit(
        self, library: Library, samples: Samples, parts: list[MatchedIntegrals], own_coefficients: bool
    ) -> InitialFit:
        """The first fit."""

    @abstractmethod
    def mask(self, library: Library, own_coefficients: bool) -> Bools:
        """Which coefficients are free."""

    @abstractmethod
    def _own_coefficients(self, trajectories: Trajectories) -> bool: ...

    @abstractmethod
    def _own_units(self, trajectories: Trajectories) -> bool: ...

    @abstractmethod
    def _prepare(self, trajectories: Trajectories, clock: bool) -> TrainingSet: ...

    @abstractmethod
    def _refine(self, prepared: Sequence[TrainingSet]) -> list[tuple[TrainingSet, ShootingResult | None, float]]: ...

    @abstractmethod
    def _law(self, prepared: TrainingSet, shooting: ShootingResult | None, seconds: float) -> Law: ...

    def needs_sums_alone(self, first: Trajectories, clusters: int) -> bool:
        """Whether a fit to runs like these, of so many clusters, can be had from sums over them.

        Not of full laws, whose noisy states are smoothed and rolled out at once, of maps, constraints, inputs, terms of
        one's own and optimisers, nor where starting states are estimated.
        """
        further = any(getattr(self, option, None) for option in ("constraints", "terms", "optimizer"))
        plain = self.coupling != FULL and self.dynamics == FLOW and not further
        freed = self.shooting_options.estimate_starts is True
        return plain and not freed and clusters >= FEWEST_CLUSTERS and not first.inputs

    def _prepared(self, trajectories: Trajectories, clock: bool) -> TrainingSet:
        """A training set with its first fit; a large one is gone through in batches."""
        large = trajectories.values.nbytes > BYTES_TOGETHER
        if large and self.needs_sums_alone(trajectories, trajectories.n_clusters):
            return self._summed_up(RunsInMemory(trajectories), trajectories, clock)[0]
        return self._prepare(trajectories, clock)

    def _summed_up(self, runs: Runs, first: Trajectories, clock: bool) -> tuple[TrainingSet, Survey]:
        """A training set of runs, of which the first are given, or all."""
        started = perf_counter()
        own = self._own_coefficients(first)
        survey = Survey.of(runs, self.state, own_units=self._own_units(first), clock=clock)
        library = self.library_for(first).in_units(survey.scales)
        points = Staging(**Options(intervals=self.shooting_options.intervals)).points(False)
        samples, parts = summed_up(
            runs,
            survey,
            library,
            self.state,
            points=points,
            per_feature=own,
            method=self.matching_options.method,
            clock=clock,
        )
        initial = self.initial_fit(library, samples, parts, own)
        rolled_out = (("validation_runs", float(len(samples.validated))),) if self.selects else ()
        prepared = TrainingSet(
            trajectories=first,
            library=library,
            samples=samples,
            parts=parts,
            initial=replace(initial, chosen=(*initial.chosen, *rolled_out)),
            size=int(self.mask(library, own).sum()),
            seconds=perf_counter() - started,
        )
        return prepared, survey

    def fit(
        self,
        X: DataLike | Runs,
        y: object = None,
        *,
        t: Numbers | float | None = None,
        feature_names: Sequence[str] | None = None,
    ) -> Self:
        """Fit one law to all runs: see `Family.fit`. A collection is read a shard at a time, where sums are enough."""
        if not is_read_later(X) or t is not None or feature_names is not None:
            return super().fit(X, y, t=t, feature_names=feature_names)
        first = next(iter(X.shards()))
        if not self.needs_sums_alone(first, len(np.unique(X.clusters))):
            return super().fit(X, y)
        notes = self._checked(X)
        prepared, survey = self._summed_up(X, first, clock=False)
        law = self._law(*self._refine([prepared])[0])
        if notes := (*notes, *law.warnings):
            warnings.warn("; ".join(notes), DataWarning, stacklevel=2)
        self.model_, self._counted_steps = _of_all(law, X, survey), counts_steps(first)
        self.n_features_in_ = first.n_features
        self.__dict__.pop("feature_names_in_", None)
        return self

    def _checked(self, runs: Runs) -> tuple[str, ...]:
        """Refuse what the family can't be fitted to; what is to be said of the runs, of the first shard that has it."""
        notes: dict[str, str] = {}
        for number, shard in enumerate(runs.shards(), start=1):
            self.check(shard)
            for note in self.notes(shard):
                kind = "".join(c for c in note if not c.isdigit())
                notes.setdefault(kind, f"of shard {number} and perhaps further ones, {note}")
        return tuple(notes.values())


def _of_all(law: Law, runs: Runs, survey: Survey) -> Law:
    """The law with what it remembers of all runs, not of the first shard alone."""
    labels: Any = getattr(runs, "runs", np.arange(runs.n_runs))
    provenance = {
        **law.provenance,
        "runs": np.asarray(labels).tolist(),
        "window": list(survey.times),
        "range": list(survey.values),
    }
    own = None if law.feature_amplitudes is None else tuple(survey.feature_amplitudes.tolist())
    return replace(law, provenance=provenance, amplitudes=tuple(survey.amplitudes.tolist()), feature_amplitudes=own)
