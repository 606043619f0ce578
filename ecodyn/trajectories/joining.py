"""Several trajectories as one: their runs one after the other, features matched by label."""

from __future__ import annotations

import warnings
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ecodyn.arrays import Array
from ecodyn.errors import DataWarning, UnusableDataError
from ecodyn.runtime.json_values import Json
from ecodyn.trajectories.checks import Checked
from ecodyn.trajectories.dataset import Arguments
from ecodyn.trajectories.labels import Label
from ecodyn.trajectories.parts import some, take_features, velocity_of
from ecodyn.trajectories.values import Numbers

__all__ = ["Known", "common_provenance", "joined"]

SOURCE_RUN = "source_run"  # the setting that keeps the labels of runs that had to be numbered anew


@dataclass(frozen=True, kw_only=True)
class Known:
    """What is known of the runs of several parts beside what the parts say.

    Attributes
    ----------
    runs
        Labels of all of them, in place of the parts' own.
    starts
        Equal for those that begin alike, of whatever parts; None if only runs of one part may.
    labels_shared
        Whether labels that each part shares among its runs are shared by all of them.
    """

    runs: Sequence[Label] | None = None
    starts: Sequence[Hashable] | None = None
    labels_shared: bool = False


def joined(parts: Sequence[Checked], keys: Sequence[Label] | None = None, known: Known | None = None) -> Arguments:
    """The keyword arguments of `Trajectories` for the runs of all parts; see `Trajectories.concat`."""
    known = known or Known()
    if not parts:
        raise ValueError("expected one or more trajectories to put together, got none")
    parts = [_with_features_of(parts[0], part, place) for place, part in enumerate(parts)]
    _refuse_other_p(parts)
    runs, kept_labels = _run_labels(parts, keys) if known.runs is None else (list(known.runs), {})
    shared = _labels_shared(parts, across=known.labels_shared)
    curves: dict[str, Numbers] = {
        name: _by_run(parts, [p.curves[name] for p in parts]) for name in _common(p.curves for p in parts)
    }
    settings: dict[str, Iterable[Label | float]] = dict(kept_labels)
    for name in _common(p.settings for p in parts):
        settings[name] = [value for part in parts for value in part.settings[name].tolist()]
    remembered = any(part.velocity is not None for part in parts)
    arguments: Arguments = {
        "values": _by_run(parts, [p.observables["signal"] for p in parts]),
        "steps": _by_run(parts, [p.times for p in parts]),
        "features": parts[0].features,
        "runs": runs,
        "labels_shared": shared,
        "provenance": common_provenance(parts),
        "observables": {
            name: _by_run(parts, [p.observables[name] for p in parts])
            for name in _common(p.observables for p in parts)
            if name != "signal"
        },
        "dc": curves.pop("dc", None),
        "curves": curves,
        "embedding": _embeddings(parts),
        "cluster": _clusters(parts, known.starts),
        "settings": settings,
        "backward_velocity": _by_run(parts, map(velocity_of, parts)) if remembered else None,
        "missing": _by_run(parts, map(_missing, parts)) if any(part.missing is not None for part in parts) else None,
        "inputs": {
            name: [curve for p in parts for curve in p.inputs[name]] for name in _common(p.inputs for p in parts)
        },
    }
    _say(parts, arguments, renumbered=bool(kept_labels))
    return arguments


def _by_run(parts: Sequence[Checked], arrays: Iterable[np.ndarray]) -> list[np.ndarray]:
    """Each run's part, without its padding, of an array (run, step, …) a part."""
    both = zip(parts, arrays, strict=True)
    return [row[:n] for part, array in both for row, n in zip(array, part.lengths, strict=True)]


def _missing(part: Checked) -> np.ndarray:
    return np.zeros(part.observables["signal"].shape, dtype=bool) if part.missing is None else part.missing


def _common(mappings: Iterable[Mapping[str, object]]) -> list[str]:
    """Names that all have, in the order of the first."""
    first, *others = mappings
    return [name for name in first if all(name in other for other in others)]


def _with_features_of(first: Checked, part: Checked, place: int) -> Checked:
    """A part with its features in the order of the first's."""
    wanted, present = first.features.tolist(), part.features.tolist()
    if wanted == present:
        return part
    if set(wanted) != set(present):
        raise UnusableDataError(
            f"expected the same features in all parts, got {some(wanted)} in the first and {some(present)} in part "
            f"{place + 1}; select or rename them first"
        )
    return take_features(part, [present.index(label) for label in wanted])


def _refuse_other_p(parts: Sequence[Checked]) -> None:
    """Frequencies of another p are other features."""
    stated = dict.fromkeys(part.provenance["p"] for part in parts if "p" in part.provenance)
    if len(stated) > 1:
        raise UnusableDataError(
            f"expected networks of one p, got p = {', '.join(map(str, stated))}: their frequencies are other features; "
            "keep one file for each p"
        )


def _run_labels(parts: Sequence[Checked], keys: Sequence[Label] | None) -> tuple[list[Label], dict[str, list[Label]]]:
    """Labels of the runs, and as a setting those they had if they were numbered anew."""
    labels = [label for part in parts for label in part.runs.tolist()]
    if keys is not None:
        if len(keys) != len(parts):
            raise ValueError(f"expected a key for each of the {len(parts)} parts, got {len(keys)}")
        several = [(key, label, len(part.runs)) for key, part in zip(keys, parts, strict=True) for label in part.runs]
        return [key if n == 1 else f"{key}/{label}" for key, label, n in several], {}
    if len(set(map(str, labels))) == len(labels):
        whole = all(isinstance(label, int) for label in labels)
        return (labels if whole else [str(label) for label in labels]), {}
    kept = {} if any(SOURCE_RUN in part.settings for part in parts) else {SOURCE_RUN: labels}
    return list(range(len(labels))), kept


def _labels_shared(parts: Sequence[Checked], *, across: bool) -> bool:
    """Whether feature k is the same in all runs of all parts: so it says of each, and so do names, not numbers."""
    named = parts[0].features.dtype.kind == "U"
    return all(part.labels_shared for part in parts) and (named or across or len(parts) == 1)


def _clusters(parts: Sequence[Checked], starts: Sequence[Hashable] | None) -> list[int] | None:
    """Clusters of all runs, those of different parts apart unless starts are known; None if each run is its own."""
    pairs = [(place, label) for place, part in enumerate(parts) for label in part.clusters.tolist()]
    alike: Sequence[Hashable] = pairs if starts is None else starts
    number = {start: n for n, start in enumerate(dict.fromkeys(alike))}
    return None if len(number) == len(alike) else [number[start] for start in alike]


def _embeddings(parts: Sequence[Checked]) -> list[Array] | None:
    """The embeddings of all runs, each without its padding; None unless all parts have them."""
    kept = [part.embedding for part in parts]
    if any(embedding is None for embedding in kept):
        return None
    return [one[:, ~np.isnan(one).all(axis=0)] for of_part in kept if of_part is not None for one in of_part]


def common_provenance(parts: Sequence[Checked]) -> dict[str, Json]:
    """What all parts state alike, and beside it what each states."""
    if len(parts) == 1:
        return dict(parts[0].provenance)
    first = parts[0].provenance
    same = {k: v for k, v in first.items() if all(k in p.provenance and p.provenance[k] == v for p in parts)}
    return {**same, "parts": [{k: v for k, v in p.provenance.items() if k not in same} for p in parts]}


def _say(parts: Sequence[Checked], together: Arguments, *, renumbered: bool) -> None:
    """Say what the runs together no longer have."""
    kept = {"signal", *together["observables"], *together["curves"], *together["settings"]}
    kept |= {"dc"} if together["dc"] is not None else set()
    had = dict.fromkeys(name for part in parts for name in (*part.observables, *part.curves, *part.settings))
    lost = [name for name in had if name not in kept]
    inputs = dict.fromkeys(name for part in parts for name in part.inputs)
    lost += [f"the input {name}" for name in inputs if name not in together["inputs"]]
    if together["embedding"] is None and any(part.embedding is not None for part in parts):
        lost.append("embedding")
    notes = [f"not all parts have {', '.join(lost)}, left out"] if lost else []
    if renumbered:
        notes.append(f"run labels repeat among the parts: the runs are numbered anew, {SOURCE_RUN} has the old labels")
    if all(part.labels_shared for part in parts) and not together["labels_shared"]:
        notes.append(
            "each part shares its labels among its runs, which says nothing across parts for numbered features: "
            "labels are not shared now"
        )
    if notes:
        warnings.warn("; ".join(notes), DataWarning, stacklevel=4)
