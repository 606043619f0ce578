"""Runs of several files as one, where it is known already that they belong together: nothing is checked again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ecodyn.trajectories.checks import Checked, check
from ecodyn.trajectories.dataset import Arguments
from ecodyn.trajectories.parts import take_steps, tidied, velocity_of

__all__ = ["assembled", "checked"]


def checked(arguments: Arguments) -> Checked:
    """What `Trajectories` makes of its arguments, without a word on what looks odd in one part of many."""
    given: dict[str, Any] = {
        "features": None,
        "runs": None,
        "labels_shared": False,
        "provenance": {},
        "observables": {},
        "curves": {},
        "dc": None,
        "embedding": None,
        "cluster": None,
        "settings": {},
        "missing": None,
        "inputs": {},
        **arguments,
    }
    data = check(velocity=given.pop("backward_velocity", None), **given)
    if data.lengths.max() < data.times.shape[1]:
        data = take_steps(data, [np.arange(length) for length in data.lengths])
    return tidied(data)


def assembled(parts: Sequence[Checked]) -> Checked:
    """The runs of parts that have the same names, features and settings, one after the other."""
    if len(parts) == 1:
        return parts[0]
    first = parts[0]
    steps = max(part.times.shape[1] for part in parts)
    whole = replace(
        first,
        observables={name: _stacked([p.observables[name] for p in parts], steps) for name in first.observables},
        curves={name: _stacked([p.curves[name] for p in parts], steps) for name in first.curves},
        times=_stacked([p.times for p in parts], steps),
        lengths=np.concatenate([p.lengths for p in parts]),
        runs=np.concatenate([p.runs for p in parts]),
        clusters=np.concatenate([p.clusters for p in parts]),
        settings={name: np.concatenate([p.settings[name] for p in parts]) for name in first.settings},
        embedding=None if first.embedding is None else _embeddings(parts),
        velocity=_velocities(parts, steps),
        missing=_missing(parts, steps),
        inputs={name: tuple(curve for p in parts for curve in p.inputs[name]) for name in first.inputs},
        remarks=tuple(dict.fromkeys(remark for p in parts for remark in p.remarks)),
    )
    return tidied(whole)


def _stacked(arrays: Sequence[np.ndarray], steps: int, filler: float | bool = np.nan) -> np.ndarray:
    """Arrays (run, step, ...) one after the other, padded to so many steps."""
    runs = sum(len(array) for array in arrays)
    whole = np.full((runs, steps, *arrays[0].shape[2:]), filler, dtype=arrays[0].dtype)
    for rows, array in zip(_rows(arrays), arrays, strict=True):
        whole[rows, : array.shape[1]] = array
    return whole


def _rows(arrays: Sequence[np.ndarray]) -> Iterator[slice]:
    first = 0
    for array in arrays:
        yield slice(first, first + len(array))
        first += len(array)


def _velocities(parts: Sequence[Checked], steps: int) -> np.ndarray | None:
    if all(part.velocity is None for part in parts):
        return None
    return _stacked([velocity_of(part) for part in parts], steps)


def _missing(parts: Sequence[Checked], steps: int) -> np.ndarray | None:
    if all(part.missing is None for part in parts):
        return None
    masks = [np.zeros(p.observables["signal"].shape, dtype=bool) if p.missing is None else p.missing for p in parts]
    return _stacked(masks, steps, filler=False)


def _embeddings(parts: Sequence[Checked]) -> np.ndarray:
    own = [part.embedding for part in parts if part.embedding is not None]
    widest = max(embedding.shape[2] for embedding in own)
    return np.concatenate([np.pad(e, ((0, 0), (0, 0), (0, widest - e.shape[2])), constant_values=np.nan) for e in own])
