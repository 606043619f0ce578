"""The inputs that a law is rolled out with: those of data, or new ones."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import NoReturn, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from ecodyn.arrays import Array
from ecodyn.equations.known_inputs import KnownInputs
from ecodyn.errors import DataWarning, UnusableDataError
from ecodyn.estimation.input_samples import AHEAD
from ecodyn.runtime.json_values import Json
from ecodyn.trajectories import Trajectories
from ecodyn.trajectories.given_inputs import InputSource
from ecodyn.trajectories.inputs import Kind, check_covers

__all__ = [
    "InputsLike",
    "inputs_of_runs",
    "known_inputs",
    "no_terms_in",
    "refuse_unknown_inputs",
    "stated_inputs",
    "still_inputs",
]

InputsLike: TypeAlias = Mapping[str, InputSource] | Trajectories | KnownInputs


def inputs_of_runs(
    inputs: Mapping[str, Kind], data: Trajectories, runs: Sequence[int], step: float | None
) -> KnownInputs | None:
    """u(t) of some runs of the data, by position, in the order of a law's inputs; None of a law without any.

    Raises
    ------
    UnusableDataError
        The data lack one of them.
    """
    if not inputs:
        return None
    held = data.inputs
    if lacking := [name for name in inputs if name not in held]:
        raise UnusableDataError(
            f"expected data with the input {', '.join(lacking)}, on which the law depends, got "
            f"{', '.join(held) or 'none'}; give it by data.with_inputs({lacking[0]}=...), or --input {lacking[0]}=..."
        )
    curves = [tuple(held[name][r] for name in inputs) for r in runs]
    return KnownInputs.of(curves, 0.0 if step is None else AHEAD * step)


def known_inputs(
    inputs: Mapping[str, Kind],
    given: InputsLike | None,
    x0: object,
    start: Array,
    steps: ArrayLike,
    *,
    step: float | None,
) -> KnownInputs:
    """u(t) of rollouts from starting states (batch, ...), out of what ``simulate`` is given.

    Raises
    ------
    ValueError
        An input that the law needs is not given, or one that it does not have; or it does not cover the steps.
    """
    if given is None and isinstance(x0, Trajectories) and set(inputs) <= set(x0.inputs):
        given = x0
    if isinstance(given, KnownInputs):
        return given if len(given.member) == len(start) else given.take(np.zeros(len(start), dtype=np.intp))
    times = np.broadcast_to(np.asarray(steps, dtype=float), (len(start), np.shape(steps)[-1]))
    if isinstance(given, Trajectories):
        if len(given) not in (1, len(start)):
            raise ValueError(f"expected the inputs of {len(start)} runs, one for each start, got {len(given)}")
        known = inputs_of_runs(inputs, given, range(len(given)), step)
        if known is None:
            raise ValueError(refusal(inputs, {}))
        every = known if len(known.member) == len(start) else known.take(np.zeros(len(start), dtype=np.intp))
        for member, row in zip(every.member, times, strict=True):
            for curve in every.curves[member]:
                check_covers(curve, float(row[0]), float(np.nanmax(row)), int(member), "rollout")
        return every
    if given is not None and not isinstance(given, Mapping):
        raise ValueError(
            f"expected inputs= as a dictionary of curves by name, or Trajectories that have them, got {given!r:.60}; "
            f"such as inputs={{{next(iter(inputs), 'lr')!r}: 0.1}}"
        )
    if given is None or set(given) != set(inputs):
        raise ValueError(refusal(inputs, given or {}))
    return _of_mapping(inputs, given, times, step)


def _of_mapping(
    inputs: Mapping[str, Kind], given: Mapping[str, InputSource], times: Array, step: float | None
) -> KnownInputs:
    """Read as `Trajectories.with_inputs` reads them, on runs that have these steps."""
    lengths = np.isfinite(times).sum(axis=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)  # of what is flat: these have no signal, and inputs may be
        rows = [np.zeros((n, 1)) for n in lengths]
        runs = Trajectories(rows, [row[:n] for row, n in zip(times, lengths, strict=True)])
        for name, kind in inputs.items():
            runs = runs.with_inputs(kind=kind, **{name: given[name]})
    known = inputs_of_runs(inputs, runs, range(len(runs)), step)
    assert known is not None
    return known


def refusal(inputs: Mapping[str, Kind], given: Mapping[str, object]) -> str:
    """Why these inputs are not those of a law."""
    if not inputs:
        return f"expected no inputs, as the law depends on none, got {', '.join(given) or 'some'}; leave them out"
    example = next(iter(inputs))
    return (
        f"expected the law's inputs {', '.join(inputs)}, which are functions of time, got {', '.join(given) or 'none'}"
        f"; give each by name, such as inputs={{{example!r}: (times, values)}} or inputs={{{example!r}: 0.1}}"
    )


def no_terms_in(family: str, inputs: Sequence[str]) -> str:
    """Why a family can't be fitted to data that have inputs."""
    return (
        f"expected data without inputs, as {family} has no terms in any, got {', '.join(inputs)}, which vary; leave "
        "them out by data.without_inputs() (--no-inputs), or choose a family that has, such as linear or sindy"
    )


def stated_inputs(data: Trajectories) -> dict[str, Json]:
    """What a fitted model remembers of the inputs of its data: their kinds, and how far they go; nothing of none."""
    stated: dict[str, Json] = {}
    for name, curves in data.inputs.items():
        heights = [value for curve in curves for value in (float(curve.values.min()), float(curve.values.max()))]
        stated[name] = {"kind": curves[0].kind, "range": [min(heights), max(heights)]}
    return {"inputs": stated} if stated else {}


def still_inputs(data: Trajectories) -> tuple[str, ...]:
    """What a reader should know of inputs that say nothing in these data."""
    varying = data.varying_inputs()
    still = [name for name in data.inputs if name not in varying]
    said = f"the input {', '.join(still)} has one value throughout these runs, so that the law has no terms in it"
    return (said,) if still else ()


def refuse_unknown_inputs(inputs: Mapping[str, Kind]) -> NoReturn:
    """Say that a right-hand side needs inputs that it was not given."""
    raise ValueError(refusal(inputs, {}) + ", to simulate; model.driven(known) gives the right-hand side with them")
