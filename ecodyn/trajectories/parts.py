"""Parts of checked trajectories: some steps, runs or features of them, by label."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from ecodyn.arrays import Array, Bools, Integers
from ecodyn.errors import UnusableDataError
from ecodyn.trajectories.checks import Checked
from ecodyn.trajectories.labels import Label, Labels
from ecodyn.trajectories.missing import refuse_without_values, run_ends
from ecodyn.trajectories.velocity import STEPS, backward_velocity

__all__ = [
    "own_velocity",
    "share_times",
    "some",
    "take_features",
    "take_runs",
    "take_steps",
    "tidied",
    "velocity_of",
    "where_labels",
    "where_setting",
]


def share_times(times: Array, lengths: Integers) -> bool:
    """Whether runs of these times (run, step), NaN after their ends, have the same ones, as far as each goes."""
    return bool(np.all((times == times[np.argmax(lengths)]) | np.isnan(times)))


def velocity_of(data: Checked) -> Array:
    """Mean change over the steps before (run, step, feature), those that a window cut away included; else NaN."""
    return own_velocity(data) if data.velocity is None else data.velocity


def own_velocity(data: Checked) -> Array:
    """The same of the values that are there, NaN where one is missing.

    Each feature's is told by its own values alone: what is cut away of others, or missing of them, changes nothing.
    """
    signal = data.observables["signal"]
    if data.missing is None:
        return backward_velocity(signal, data.times)
    order = np.argsort(np.isnan(signal), axis=1, kind="stable")  # each feature's values first, in order of time
    times = np.broadcast_to(data.times[..., None], signal.shape)
    packed = backward_velocity(np.take_along_axis(signal, order, axis=1), np.take_along_axis(times, order, axis=1))
    velocity = np.empty_like(signal)
    np.put_along_axis(velocity, order, packed, axis=1)
    return velocity


def take_steps(data: Checked, picks: list[Integers]) -> Checked:
    """Keep the step indices `picks[r]` of run r, padded to the longest; velocities are those before the cut.

    A run ends with its last value: steps after it, of which nothing was measured, are left out.

    Raises
    ------
    UnusableDataError
        A run has no value at these steps.
    """
    if data.missing is not None:
        absent = [data.missing[r, pick] for r, pick in enumerate(picks)]
        refuse_without_values(absent, data.runs)
        picks = [pick[: run_ends(own)] for pick, own in zip(picks, absent, strict=True)]
    elif _are_all(picks, data):
        return data  # copies, and velocities of every step, would take several times its memory
    lengths = np.array([len(pick) for pick in picks])
    index = np.zeros((len(picks), lengths.max()), dtype=np.int64)
    for r, pick in enumerate(picks):
        index[r, : len(pick)] = pick
    padding = np.arange(index.shape[1]) >= lengths[:, None]
    runs = np.arange(len(picks))[:, None]

    def taken(array: np.ndarray) -> Array:
        part = array[runs, index]
        part[padding] = np.nan
        return part

    return tidied(
        replace(
            data,
            observables={name: taken(array) for name, array in data.observables.items()},
            times=taken(data.times),
            lengths=lengths,
            curves={name: taken(array) for name, array in data.curves.items()},
            velocity=taken(velocity_of(data)),
            missing=None if data.missing is None else _some_missing(data.missing[runs, index] & ~padding[..., None]),
        )
    )


def _are_all(picks: list[Integers], data: Checked) -> bool:
    """Whether all steps are kept, and there is no padding that all runs share."""
    whole = [len(pick) for pick in picks] == data.lengths.tolist() and data.lengths.max() == data.times.shape[1]
    return whole and all((np.diff(pick) == 1).all() for pick in picks)


def tidied(data: Checked) -> Checked:
    """The same without a velocity that the steps that are there tell by themselves: equal data are then alike."""
    if data.velocity is None:
        return data
    if data.missing is None and not _tells(data, slice(STEPS + 1)):
        return data  # the first steps say so: what a window cut away lacks there
    own = own_velocity(data)
    return replace(data, velocity=None) if np.array_equal(data.velocity, own, equal_nan=True) else data


def _tells(data: Checked, rows: slice) -> bool:
    """Whether the first of the steps tell their velocity themselves, where no value is missing."""
    own = backward_velocity(data.observables["signal"][:, rows], data.times[:, rows])
    return data.velocity is None or np.array_equal(data.velocity[:, rows], own, equal_nan=True)


def take_runs(data: Checked, index: list[int]) -> Checked:
    """Keep these runs, without the padding that only the others needed."""
    T = data.lengths[index].max()
    return tidied(
        replace(
            data,
            observables={name: array[index, :T] for name, array in data.observables.items()},
            times=data.times[index, :T],
            lengths=data.lengths[index],
            runs=data.runs[index],
            clusters=data.clusters[index],
            settings={name: array[index] for name, array in data.settings.items()},
            curves={name: array[index, :T] for name, array in data.curves.items()},
            embedding=None if data.embedding is None else _without_padding(data.embedding[index]),
            velocity=None if data.velocity is None else data.velocity[index, :T],
            missing=None if data.missing is None else _some_missing(data.missing[index, :T]),
            inputs={name: tuple(curves[r] for r in index) for name, curves in data.inputs.items()},
        )
    )


def _without_padding(embedding: np.ndarray) -> Array:
    """Embeddings (run, token, dimension) without the dimensions that none of the runs has."""
    return embedding[..., ~np.isnan(embedding).all(axis=(0, 1))]


def take_features(data: Checked, index: list[int]) -> Checked:
    """Keep these features, and the steps of each run up to the last value of any of them."""
    observables = {name: array[:, :, index] for name, array in data.observables.items()}
    velocity = None if data.velocity is None else data.velocity[:, :, index]
    missing = None if data.missing is None else _some_missing(data.missing[:, :, index])
    features = data.features[index]
    kept = tidied(replace(data, observables=observables, features=features, velocity=velocity, missing=missing))
    if missing is None or not missing[np.arange(len(missing)), data.lengths - 1].all(axis=1).any():
        return kept
    return take_steps(kept, [np.arange(n) for n in data.lengths])


def _some_missing(missing: Bools) -> Bools | None:
    return missing if missing.any() else None


def where_labels(labels: Labels, wanted: Label | Iterable[Label], name: str) -> list[int]:
    """Positions of the wanted labels, in the order wanted."""
    place = {label: i for i, label in enumerate(labels.tolist())}
    asked = [wanted] if isinstance(wanted, (str, int, np.generic)) else list(wanted)
    asked = [label.item() if isinstance(label, np.generic) else label for label in asked]
    present = [label for label in asked if label in place]
    if not present or (len(present) < len(asked) and not isinstance(wanted, range)):
        missing = [label for label in asked if label not in place]
        raise UnusableDataError(f"there are no {name} labelled {some(missing)}, only {some(labels)}; choose among them")
    if len(set(present)) < len(present):
        raise ValueError(f"{name} are asked for twice in {some(asked)}; name each once")
    return [place[label] for label in present]


def where_setting(data: Checked, name: str, wanted: Label | float | Iterable[Label | float]) -> list[int]:
    """Positions of the runs whose setting has the wanted value, or one of them."""
    if name not in data.settings:
        present = ", ".join(data.settings) or "none at all"
        raise UnusableDataError(f"there is no setting {name}, the settings are {present}; choose among them")
    values = data.settings[name]
    asked = {wanted} if isinstance(wanted, (str, int, float, np.generic)) else set(wanted)
    if values.dtype.kind == "U":  # a number beside "none" is text in the file
        asked = set(map(str, asked))
    index = [r for r, value in enumerate(values.tolist()) if value in asked]
    if not index:
        raise UnusableDataError(
            f"no run has {name} = {some(list(asked))}, only {some(np.unique(values))}; choose among them"
        )
    return index


def some(labels: Iterable[object], most: int = 12) -> str:
    """Return the labels as text, the middle left out if there are many."""
    texts = [str(label) for label in labels]
    if len(texts) > most:
        texts = [*texts[: most // 2], "...", *texts[-2:]]
    return ", ".join(texts) or "nothing"
