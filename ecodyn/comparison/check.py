"""The first step: what can't be compared is refused before any work, and what is left is settled."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ecodyn.comparison.contenders import FORECAST, UNSEEN_RUNS, Contender, contenders, left_out
from ecodyn.comparison.folds import complete_before, origins, steps_before
from ecodyn.comparison.phases import Phases, chosen_phases
from ecodyn.comparison.request import Request
from ecodyn.errors import DataWarning, UnusableDataError
from ecodyn.families.estimator import MIN_STEPS
from ecodyn.families.model_name import FAMILY
from ecodyn.rollouts.iteration import parse_dynamics
from ecodyn.trajectories import Trajectories
from ecodyn.trajectories.independence import with_copies_together
from ecodyn.trajectories.parts import some
from ecodyn.trajectories.state import VELOCITY, observable_of, parse_state
from ecodyn.trajectories.velocity import STEPS

__all__ = ["Checked", "check"]

SMALLEST, LARGEST = 1e-100, 1e100  # of signals: their squares, and the squares' ratios, are held to all digits


@dataclass(frozen=True, kw_only=True)
class Checked:
    """What a comparison is over.

    Attributes
    ----------
    data : all of it
    windows : the trajectories of each window
    contenders : who is compared, in the order of the tables
    phases : what the windows are, where they were found
    notes : sentences that the answer repeats
    """

    data: Trajectories
    windows: tuple[Trajectories, ...]
    contenders: tuple[Contender, ...]
    phases: Phases | None
    notes: tuple[str, ...]


def check(data: Trajectories, request: Request) -> Checked:
    """Settle who is compared over which windows.

    Raises
    ------
    UnusableDataError, ValueError
        Data and request don't go together, in a sentence.
    """
    data, dependent = with_copies_together(data)
    for sentence in dependent:
        warnings.warn(sentence, DataWarning, stacklevel=3)
    available = parse_dynamics(request.dynamics)
    models = contenders(request.families, request.couplings, request.state, request.parameters, available)
    phases = chosen_phases(data, request.phases, request.windows, request.folds)
    windows = phases.windows if phases else request.windows
    parts = [data.window(*w) for w in windows] if windows else [data]
    parts = [part.every(request.every) for part in parts]
    gaps = (*_late_starts(parts), *(_lost_forecasts(parts) if FORECAST in request.protocols else ()))
    for part in parts:
        _check_usable(part, models)
        _check_velocity(part, models, request.protocols)
        _check_protocols(part, models, request.protocols)
        _check_warm_up(part, models)
        if FORECAST in request.protocols:
            _check_forecasts(part, models)
        _say_ahead(part, models)
    notes = (
        *data.warnings,
        *dependent,
        *(phases.notes if phases else ()),
        *left_out(request.families, available),
        *gaps,
    )
    return Checked(data=data, windows=tuple(parts), contenders=tuple(models), phases=phases, notes=notes)


def _late_starts(parts: Sequence[Trajectories]) -> Iterator[str]:
    """Say which runs begin at a step that lacks a value, where no rollout can start."""
    for part in parts:
        late = part.runs[part.missing[:, 0].any(axis=1)]
        if len(late):
            yield (
                f"{len(late)} of {part.n_runs} runs lack a value at the window's first step: they begin at their first "
                f"complete step (runs {some(late)})"
            )


def _lost_forecasts(parts: Sequence[Trajectories]) -> Iterator[str]:
    """Say which runs have enough steps before an origin, but lack values at too many of them."""
    for part in parts:
        for origin in origins(part):
            few = [r for r in range(part.n_runs) if len(complete_before(part, r, origin)) < MIN_STEPS]
            lost = [r for r in few if steps_before(part, r, origin) >= MIN_STEPS]
            if lost:
                yield (
                    f"{len(lost)} of {part.n_runs} runs have fewer than {MIN_STEPS} complete steps up to {origin:g}, "
                    f"for missing values, and no forecast from there (runs {some(part.runs[lost])})"
                )


def _check_usable(data: Trajectories, models: Sequence[Contender]) -> None:
    """What no family could use is refused; what one can't is that family's failure."""
    _check_sizes(data)
    whole, problems = data.complete(), []
    for m in models:
        if m.kind == FAMILY and m.estimator is not None:
            try:
                m.estimator.check(data)
                data.state(m.state)
            except UnusableDataError as error:
                problems.append(str(error))
    if problems and len(problems) == sum(m.kind == FAMILY for m in models):
        raise UnusableDataError(problems[0])
    if not any(np.nanmax(np.abs(signal - signal[:1])) > 0 for signal in whole.values):  # the first says so, mostly
        raise UnusableDataError(
            "expected signals that change over the window, got constant ones in every run: nothing is left to explain"
        )


def _check_sizes(data: Trajectories) -> None:
    """Refuse signals whose squares no double holds: all of them, or where features have units of their own any."""
    low, high = np.nanmin(data.values, axis=(0, 1)), np.nanmax(data.values, axis=(0, 1))
    sizes = np.maximum(-low, high)
    for size in sizes if data.labels_shared else (sizes.max(),):
        if size and not SMALLEST <= size <= LARGEST:
            raise UnusableDataError(
                f"expected signals of sizes from {SMALLEST:g} to {LARGEST:g}, whose squares can be summed, got "
                f"{size:g}; multiply them by {10.0 ** -round(np.log10(size)):g}, which changes no law but its units"
            )


def _check_velocity(data: Trajectories, models: Sequence[Contender], protocols: Sequence[str]) -> None:
    """A held-out rollout must not start from a velocity that is told by the steps it is scored on."""
    wanted = any(observable_of(c) == VELOCITY for m in models for c in parse_state(m.state))
    if wanted and UNSEEN_RUNS in protocols and not data.knows_before.all():
        raise UnusableDataError(
            "expected a stored step before the window, to tell the velocity at its first step from; got a window that "
            f"begins where a run does, at {np.nanmin(data.times):g}: begin it {STEPS} stored steps later"
        )


def _check_protocols(data: Trajectories, models: Sequence[Contender], protocols: Sequence[str]) -> None:
    if not any(m.kind == FAMILY and m.takes_part(p, data) for m in models for p in protocols):
        if data.n_clusters > 1 and not data.labels_shared:
            needed = (
                "a full law carries over to other runs only where features mean the same in all of them; say that they "
                "do by Trajectories(..., labels_shared=True), or compare other couplings"
            )
        else:
            needed = f"unseen_runs needs at least 2 independent runs, got {data.n_clusters}"
        raise ValueError(f"nothing can be fitted under {', '.join(protocols)}: {needed}")


def _check_warm_up(data: Trajectories, models: Sequence[Contender]) -> None:
    """Scores of all models begin after the steps that some have to see before: a few have to be left to score."""
    steps = max((m.warm_up for m in models), default=0)
    shortest = int(data.complete().lengths.min())
    if steps and steps + MIN_STEPS > shortest:
        raise UnusableDataError(
            f"expected runs of at least warm_up + {MIN_STEPS} = {steps + MIN_STEPS} complete steps, for scores begin "
            f"after the warm-up, got one of {shortest}; set a smaller warm_up or fewer delays, or widen the window"
        )


def _check_forecasts(data: Trajectories, models: Sequence[Contender]) -> None:
    """What a law is fitted to before an origin has to be long enough for its warm-up: in each run that is forecast."""
    steps = max((m.warm_up for m in models if m.takes_part(FORECAST, data)), default=0)
    if not steps:
        return
    for origin in origins(data):
        complete = [len(complete_before(data, r, origin)) for r in range(data.n_runs)]
        short = [r for r, n in enumerate(complete) if MIN_STEPS <= n < steps + MIN_STEPS]  # others aren't forecast
        if short:
            raise UnusableDataError(
                f"expected at least warm_up + {MIN_STEPS} = {steps + MIN_STEPS} complete steps up to {origin:g}, which "
                f"forecasts start from, got {min(complete[r] for r in short)} in {len(short)} of {data.n_runs} runs "
                f"({some(data.runs[short])}); set a smaller warm_up, widen the window, or leave the protocol forecast "
                "out"
            )


def _say_ahead(data: Trajectories, models: Sequence[Contender]) -> None:
    """What a reader should know before the work begins, said then."""
    for m in models:
        if m.kind == FAMILY and m.estimator is not None:
            for sentence in m.estimator.ahead(data):
                warnings.warn(sentence, DataWarning, stacklevel=4)
