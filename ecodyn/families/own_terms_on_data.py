"""Terms of one's own on the data: whether they have values there, and whether the data can tell them from others."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ecodyn.arrays import Array
from ecodyn.equations.callable_function import CallableFunction
from ecodyn.equations.library import FULL, Library
from ecodyn.equations.names import letter_of
from ecodyn.equations.own_functions import BEYOND, OwnFunction, seen
from ecodyn.errors import UnusableDataError
from ecodyn.estimation import Samples
from ecodyn.trajectories import Trajectories
from ecodyn.trajectories.state import history_of

__all__ = ["on_data"]

# Shares of a term that the others leave of it, as columns on the data. At rounding's size it is one of them: left out.
SAME, NEAR = 1e-10, 1e-3
ROWS = 4000  # of the data, evenly among them: enough to tell terms apart


def on_data(library: Library, trajectories: Trajectories, samples: Samples) -> tuple[Library, tuple[str, ...]]:
    """The library, in the units of the data, with the terms that these can tell; and sentences on the others.

    Raises
    ------
    UnusableDataError
        A term has no finite value somewhere; the sentence says which and where.
    ValueError
        A function is none of arrays, or its derivative is another function's.
    """
    if not library.functions:
        return library, ()
    states = samples.states * samples.scales
    names = library.names_of_functions
    letters = [letter_of(channel) for channel in library.channels]
    history = history_of(library.channels)
    inner = tuple(_checked(f, f.name(letters), states, trajectories, history) for f in library.inner)
    library = replace(library, inner=inner)
    if library.coupling == FULL:
        arguments = states.reshape(*states.shape[:2], -1)
    else:
        arguments = seen(states, library.variables(states))
    named = zip(library.functions, names, strict=False)  # those of means follow
    functions = tuple(_checked(f, name, arguments, trajectories, history) for f, name in named)
    return _told_apart(replace(library, functions=functions), states, samples)


def _checked(
    function: OwnFunction, name: str, arguments: Array, trajectories: Trajectories, history: int
) -> OwnFunction:
    """The function, that has a value at all states (run, step, ...); a Python one with a way to its derivatives.

    States begin after so many steps of ``history``.
    """
    if isinstance(function, CallableFunction):
        rows = arguments.reshape(-1, arguments.shape[-1])
        function = function.checked(rows[:: max(1, len(rows) // ROWS)])
    without = np.abs(function.values(arguments)) >= BEYOND
    if without.any():
        run, step, *feature = np.argwhere(without)[0].tolist()
        whole = trajectories.complete()
        of_feature = f" of feature {whole.features.tolist()[feature[0]]}" if feature else ""
        raise UnusableDataError(
            f"expected data on which every term is finite, got no such value of {name} in run "
            f"{whole.runs.tolist()[run]} at step {whole.times[run, step + history]:g}{of_feature}, the first of "
            f"{int(without.sum())} places; leave the term out, or those steps"
        )
    return function


def _told_apart(library: Library, states: Array, samples: Samples) -> tuple[Library, tuple[str, ...]]:
    """The library without terms of one's own that are combinations of the others on the data."""
    there = np.arange(states.shape[1]) < samples.lengths[:, None]
    with np.errstate(over="ignore"):
        rows = library.values(states[there], _environment(library, states, samples)[there]).reshape(-1, len(library))
    rows = rows[:: max(1, len(rows) // ROWS)]
    columns = rows / np.maximum(np.linalg.norm(rows, axis=0), np.finfo(float).tiny)
    names, own = library.names(), _own_terms(library)
    kept, notes = [t for t in range(len(library)) if t not in own], []
    for term in own:
        others = columns[:, kept]
        solution = np.linalg.lstsq(others, columns[:, term], rcond=None)[0]
        left = float(np.linalg.norm(columns[:, term] - others @ solution))
        if left <= SAME:
            notes.append(f"the term {names[term]} is left out: on these data it is a linear combination of the others")
            continue
        if left <= NEAR:
            notes.append(
                f"the term {names[term]} is all but a linear combination of the others on these data, which leave "
                f"{left:.1e} of it: which of them is selected says little"
            )
        kept.append(term)
    return (library if len(kept) == len(library) else library.subset(kept)), tuple(notes)


def _environment(library: Library, states: Array, samples: Samples) -> Array:
    """Environment variables (run, step, V) at states, inputs among them."""
    seen_there = library.variables(states)
    if samples.inputs is None:
        return seen_there
    known = np.stack([samples.inputs.at(run, times) for run, times in enumerate(samples.times)])
    return np.concatenate([seen_there, known], axis=-1)


def _own_terms(library: Library) -> list[int]:
    """Positions of the terms that a function is a factor of."""
    full = library.coupling == FULL
    first = len(library.features) * len(library.channels) if full else len(library.channels)
    behind = library.n_seen if full else None  # inputs, in a full library
    rows = [library.environment[e] if full else library.own[o] for o, e in library.terms]
    return [t for t, powers in enumerate(rows) if any(powers[first:behind])]
