"""What was held out, predicted: a task's models fitted, each without its fold, and rolled out from the fold's starts.

Whoever asks for it scores what comes: ``execution`` by the skill of paths, ``ecodyn.survival.law_fates`` by whom they
leave alive.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ecodyn.arrays import Array, Integers
from ecodyn.comparison.folds import Fold, complete_before, first_row, steps_before
from ecodyn.comparison.plan import Task
from ecodyn.comparison.references import Reference
from ecodyn.families.estimator import MIN_STEPS, Family
from ecodyn.families.known import inputs_of_runs
from ecodyn.families.model import FittedModel
from ecodyn.families.model_name import CLOCK
from ecodyn.families.protocol_names import FORECAST, IN_SAMPLE
from ecodyn.families.side_by_side import ACCURACY, simulate_all
from ecodyn.rollouts.integration import Rollout
from ecodyn.trajectories import Trajectories
from ecodyn.trajectories.state import SIGNAL

BYTES_TOGETHER = 2**29  # of folds' training parts, each a copy of most runs, that are there at once
MOST_NUMBERS = 2_000_000  # of rollouts at a time, 16 MB, and several copies of them while they are solved

__all__ = ["FoldModel", "HeldOut", "estimator_of", "fit_folds", "roll_out_folds"]


@dataclass(frozen=True)
class FoldModel:
    """What was fitted to all but a fold, with which seed."""

    fold: Fold
    seed: int
    model: FittedModel | Reference


@dataclass(frozen=True, kw_only=True)
class HeldOut:
    """Free rollouts of a fold's model over the fold's runs.

    Attributes
    ----------
    fitted : the model, its fold and seed
    runs : positions (run,) of those that can be scored
    first : (run,), rows of the data where rollouts start
    state : (run, step, feature, channel), of the data
    times : (run, step) from there on, padded by NaN
    starts : (run, feature, channel)
    rollout : its signal is (run, step, feature), of the same steps as ``times``
    """

    fitted: FoldModel
    runs: list[int]
    first: Integers
    state: Array
    times: Array
    starts: Array
    rollout: Rollout

    def rows(self, i: int, data: Trajectories) -> slice:
        """The rows of the data that the rollout of the i-th run is of; as many of the rollout's are its own."""
        return slice(int(self.first[i]), int(data.lengths[self.runs[i]]))


def estimator_of(task: Task) -> Family:
    """The contender's estimator, with what the protocol asks of it."""
    if task.contender.estimator is None:
        raise TypeError(f"{task.name} is a reference, which no estimator fits")
    return task.contender.estimator.for_protocol(task.protocol, run_by_run=task.run_by_run)


def fit_folds(task: Task, data: Trajectories) -> list[FoldModel]:
    """A model for each fold and seed, folds outermost; without those for which a reference says nothing.

    Raises
    ------
    UnusableDataError, ValueError
        The family can't be fitted to a fold's training part.
    """
    size = max(1, BYTES_TOGETHER // data.values.nbytes)
    groups = [task.folds[begin : begin + size] for begin in range(0, len(task.folds), size)]
    return [fitted for folds in groups for fitted in _fit_together(task, folds, data)]


def _fit_together(task: Task, folds: tuple[Fold, ...], data: Trajectories) -> list[FoldModel]:
    training = [_training(fold, data) for fold in folds]
    if task.contender.reference is not None:
        references = [task.contender.reference.fit(_scored_part(task, part)) for part in training]
        pairs = zip(folds, references, strict=True)
        return [FoldModel(fold, task.seeds[0], reference) for fold, reference in pairs if reference is not None]
    estimator, clock = estimator_of(task), task.contender.kind == CLOCK
    for part in training:
        estimator.check(part)
    if task.contender.stochastic:
        models = estimator.fit_seeds(training, task.seeds, clock=clock)
    else:
        models = estimator.fit_models(training, clock=clock)
    which = itertools.product(folds, task.seeds)
    return [FoldModel(fold, seed, model) for (fold, seed), model in zip(which, models, strict=True)]


def _training(fold: Fold, data: Trajectories) -> Trajectories:
    """A fold's training part: complete steps only, since fits and references need whole states."""
    if fold.origin is None:
        return data.select(runs=[data.runs[r] for r in fold.training]).complete()
    # Runs with next to nothing before the origin are left out, and counted as such by their missing scores.
    kept = [r for r in fold.training if len(complete_before(data, r, fold.origin)) >= MIN_STEPS]
    if not kept:
        raise ValueError(f"no run has {MIN_STEPS} steps before the origin at {fold.origin:g}; widen the window")
    part = data.select(runs=[data.runs[r] for r in kept])
    return part.head([steps_before(data, r, fold.origin) for r in kept]).complete()


def _warm_up(task: Task) -> int:
    """Steps before the first that is rolled out from: as many as the comparison says, or the law itself needs."""
    return max(task.warm_up, task.contender.warm_up)


def _scored_part(task: Task, part: Trajectories) -> Trajectories:
    """What a reference is fitted to: it is a function of the steps since those that rollouts start from."""
    steps = 0 if task.protocol == FORECAST else _warm_up(task)
    return part.after(steps) if steps else part


def roll_out_folds(
    task: Task, fitted: Sequence[FoldModel], data: Trajectories, rtol: float = ACCURACY
) -> Iterator[HeldOut]:
    """Rollouts of all of a task's models from their held-out starts, together; folds without a run are left out.

    Of many runs, some at a time: a model's then come in several parts, one after the other.
    """
    parts = [(f, runs) for f in fitted if (runs := _scored_runs(f.fold, data))]
    most = max(1, MOST_NUMBERS // (data.n_steps * data.n_features))
    if sum(len(runs) for _, runs in parts) <= most:
        yield from _roll_out(task, parts, data, rtol)
        return
    for f, runs in parts:
        for begin in range(0, len(runs), most):
            yield from _roll_out(task, [(f, runs[begin : begin + most])], data, rtol)


def _roll_out(
    task: Task, parts: Sequence[tuple[FoldModel, list[int]]], data: Trajectories, rtol: float
) -> Iterator[HeldOut]:
    starts = [_Starts.of(task, f, runs, data) for f, runs in parts]
    laws = [(s, f.model) for s, (f, _) in zip(starts, parts, strict=True) if isinstance(f.model, FittedModel)]
    models, begun, times = [m for _, m in laws], [s.starts for s, _ in laws], [s.times for s, _ in laws]
    inputs = [inputs_of_runs(m.inputs, data, s.runs, m.step) for s, m in laws]
    together = iter(simulate_all(models, begun, times, rtol=rtol, inputs=inputs))
    for own, (f, _) in zip(starts, parts, strict=True):
        rollout = next(together) if isinstance(f.model, FittedModel) else f.model.simulate(own.starts, own.times)
        yield HeldOut(fitted=f, rollout=rollout, **vars(own))


def _scored_runs(fold: Fold, data: Trajectories) -> list[int]:
    return [r for r in fold.scored if fold.origin is None or len(complete_before(data, r, fold.origin)) >= MIN_STEPS]


@dataclass(frozen=True, kw_only=True)
class _Starts:
    """Where the rollouts of a fold's runs start; shapes as in `HeldOut`."""

    runs: list[int]
    first: Integers
    state: Array
    times: Array
    starts: Array

    @classmethod
    def of(cls, task: Task, fitted: FoldModel, runs: list[int], data: Trajectories) -> _Starts:
        """The state at the first step, or at a forecast's origin: the last step that was fitted on."""
        is_law, origin = isinstance(fitted.model, FittedModel), fitted.fold.origin
        state = _state_of(data, task.contender.state if is_law else SIGNAL, runs)
        first = np.array([first_row(data, r, origin, _warm_up(task)) for r in runs], dtype=np.intp)
        if isinstance(fitted.model, FittedModel):
            following = task.protocol == IN_SAMPLE  # one-step errors there are of every step
            state = fitted.model.with_hidden(state, data.times[runs], first, following=following)
        times = _from_first(data.times[runs], first)
        return cls(runs=runs, first=first, state=state, times=times, starts=state[np.arange(len(runs)), first])


def _state_of(data: Trajectories, channels: str, runs: list[int]) -> Array:
    """States (run, step, feature, channel) of some runs; of signals alone, without those of all others beside them."""
    if channels == SIGNAL and not data.lacks_values:
        return data.values[runs][..., None]
    return data.state(channels)[runs]


def _from_first(times: Array, first: Integers) -> Array:
    """Times from each row's own first column on, padded by NaN."""
    out = np.full_like(times, np.nan)
    for i, f in enumerate(first):
        out[i, : times.shape[1] - f] = times[i, f:]
    return out[:, : times.shape[1] - int(first.min())]
