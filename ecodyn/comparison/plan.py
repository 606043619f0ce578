"""The work of a window: every contender under every protocol, as tasks that carry their folds and seeds."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ecodyn.comparison.contenders import IN_SAMPLE, UNSEEN_RUNS, Contender
from ecodyn.comparison.folds import Fold, origins, unseen_folds
from ecodyn.comparison.request import Request, Window
from ecodyn.families.model_name import ModelName
from ecodyn.runtime.processes import workers
from ecodyn.trajectories import Trajectories

__all__ = ["Plan", "Task", "folds_of", "plan"]

TASKS_A_PROCESS = 4  # so many, the longest first, and the last process to finish is not long after the first
STOCHASTIC_FOLDS = 8  # of models whose fits depend on a seed: they take ten times as long as others


@dataclass(frozen=True, kw_only=True)
class Task:
    """Some folds of one contender under one protocol: the unit of work that runs in one process.

    Attributes
    ----------
    window : position of the window in the comparison
    index : position among the window's tasks
    contender : what is fitted
    protocol : under which
    folds, seeds : each fold is fitted with each seed
    run_by_run : whether each run has a law of its own
    survivor_rule : who counts as a survivor
    warm_up : complete steps of a run before the one that is rolled out from, where that is not a forecast's origin
    """

    window: int
    index: int
    contender: Contender
    protocol: str
    folds: tuple[Fold, ...]
    seeds: tuple[int, ...]
    run_by_run: bool
    survivor_rule: str
    warm_up: int = 0

    @property
    def name(self) -> ModelName:
        """Whose task it is."""
        return self.contender.name

    @property
    def of_law_on_unseen_runs(self) -> bool:
        """Whether a verdict among the laws needs it."""
        return self.protocol == UNSEEN_RUNS and not self.contender.stochastic

    @property
    def fits(self) -> int:
        """How many models it fits."""
        return len(self.folds) * len(self.seeds)


@dataclass(frozen=True)
class Plan:
    """One window's work.

    Attributes
    ----------
    data : the window's trajectories
    contenders : in the order of the comparison
    tasks : in the order in which they are done
    warm_up : see ``Task``; the same for all contenders
    """

    data: Trajectories
    contenders: tuple[Contender, ...]
    tasks: tuple[Task, ...]
    warm_up: int = 0

    @cached_property
    def window(self) -> Window:
        """First and last step of any run."""
        return float(np.nanmin(self.data.times)), float(np.nanmax(self.data.times))

    def tasks_of(self, name: ModelName, protocol: str) -> list[Task]:
        """The tasks of one model under one protocol."""
        return [t for t in self.tasks if t.name == name and t.protocol == protocol]


def plan(
    data: Trajectories,
    contenders: Sequence[Contender],
    request: Request,
    *,
    window: int = 0,
    warm_up: int | None = None,
    parts: Callable[[Task, int], int] = lambda _, wanted: wanted,
) -> Plan:
    """All tasks of a window, in the order in which to do them; few contenders' folds are spread over the processes.

    All are scored from the same step on, after as many as the one needs that needs most, or after ``warm_up``. Into how
    many tasks one of all of a contender's folds is parted, ``parts`` says, given as many as would keep all busy.
    """
    tasks: list[Task] = []
    before = max((c.warm_up for c in contenders), default=0) if warm_up is None else warm_up
    pairs = list(_pairs(data, contenders, request))
    # Folds fitted together share each run's regression and numpy's calls: they are parted only to keep all busy.
    at_once = workers(request.jobs)
    pieces = 1 if at_once == 1 else math.ceil(TASKS_A_PROCESS * at_once / max(1, len(pairs)))
    for contender, protocol in pairs:
        folds = folds_of(contender, protocol, data, request.folds)
        whole = Task(
            window=window,
            index=len(tasks),
            contender=contender,
            protocol=protocol,
            folds=tuple(folds),
            seeds=_seeds(contender, protocol, data, request.seed),
            run_by_run=contender.run_by_run(data),
            survivor_rule=request.survivor_rule,
            warm_up=before,
        )
        count = parts(whole, min(len(folds), at_once, pieces))
        tasks += [replace(whole, index=whole.index + i, folds=whole.folds[i::count]) for i in range(count)]
    # First what a verdict among the laws needs, then the longest, so that no process is left waiting for one at the
    # end. Of equal cost the last comes first: full couplings stand behind the others, and take longer.
    tasks.sort(key=lambda t: (not t.of_law_on_unseen_runs, -t.contender.cost, -t.index))
    return Plan(data, tuple(contenders), tuple(tasks), before)


def _pairs(data: Trajectories, contenders: Sequence[Contender], request: Request) -> Iterator[tuple[Contender, str]]:
    for contender in contenders:
        yield from ((contender, p) for p in request.protocols if contender.takes_part(p, data))


def folds_of(contender: Contender, protocol: str, data: Trajectories, folds: int | None) -> list[Fold]:
    """The folds of a contender under a protocol."""
    everyone = tuple(range(data.n_runs))
    if protocol == UNSEEN_RUNS:
        return unseen_folds(data, folds or (STOCHASTIC_FOLDS if contender.stochastic else None))
    groups = [(r,) for r in everyone] if contender.run_by_run(data) else [everyone]
    if protocol == IN_SAMPLE:
        return [Fold(g, g) for g in groups]
    return [Fold(g, g, origin) for g in groups for origin in origins(data)]


def _seeds(contender: Contender, protocol: str, data: Trajectories, first: int) -> tuple[int, ...]:
    """What a contender is fitted with, as many seeds as it asks for where it is ranked; 0 where none has a say."""
    if not contender.stochastic:
        return (0,)
    ranked = protocol != IN_SAMPLE and not contender.run_by_run(data)
    return tuple(range(first, first + (contender.seeds if ranked else 1)))
