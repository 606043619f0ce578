"""What the runs of several files are together, decided before their values are read; and each part made to fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ecodyn.errors import UnusableDataError
from ecodyn.trajectories.checks import Checked
from ecodyn.trajectories.collection.facts import kinds_of
from ecodyn.trajectories.joining import Known, joined
from ecodyn.trajectories.labels import checked_labels, checked_setting, plain_provenance
from ecodyn.trajectories.parts import take_features
from ecodyn.trajectories.trajectories import Trajectories

__all__ = ["checked_of", "fitted", "planned", "unread"]


def unread(outline: Checked) -> Trajectories:
    """Trajectories without steps: for what asks for labels, clusters and provenance only."""
    return Trajectories._derived(outline)


def checked_of(runs: Trajectories) -> Checked:
    """The checked data of trajectories."""
    return runs._data


def planned(outlines: Sequence[Checked], known: Known | None = None) -> Checked:
    """The outline of the runs of all parts one after the other, as `Trajectories.concat` decides it.

    Raises
    ------
    UnusableDataError
        The parts have other features, or belong to networks of another p; or an input is of two kinds.

    Warns
    -----
    DataWarning
        What not all parts have, and what is named anew.
    """
    together = joined(outlines, known=known)
    R = sum(len(part.runs) for part in outlines)
    kinds = [set(kinds_of({name: p.inputs[name] for name in together["inputs"]}).items()) for p in outlines]
    if any(own != kinds[0] for own in kinds):
        raise UnusableDataError(
            "expected each input of one kind in all parts, got some of 'steps' and some of 'linear'; convert one, or "
            "give them two names"
        )
    first, cluster = outlines[0], together["cluster"]
    steps, K = np.empty((R, 0)), len(first.features)
    return Checked(
        observables=dict.fromkeys(["signal", *together["observables"]], np.empty((R, 0, K))),
        times=steps,
        lengths=np.zeros(R, dtype=np.intp),
        features=first.features,
        runs=checked_labels(together["runs"] or (), R, "runs"),
        clusters=checked_labels(range(R) if cluster is None else cluster, R, "cluster", unique=False),
        settings={name: checked_setting(values, R, name) for name, values in together["settings"].items()},
        curves=dict.fromkeys([*together["curves"], *(["dc"] if together["dc"] is not None else [])], steps),
        embedding=None if together["embedding"] is None else np.empty((R, 1, 0)),
        labels_shared=together["labels_shared"],
        provenance=plain_provenance(together["provenance"]),
        inputs={name: tuple(curve for p in outlines for curve in p.inputs[name]) for name in together["inputs"]},
    )


def fitted(part: Checked, whole: Checked, first: int) -> Checked:
    """A part with the labels, names and settings that its runs have in the whole, of which they are from `first` on."""
    rows, present = slice(first, first + len(part.runs)), part.features.tolist()
    if present != whole.features.tolist():
        part = take_features(part, [present.index(label) for label in whole.features.tolist()])
    return replace(
        part,
        observables={name: part.observables[name] for name in whole.observables},
        curves={name: part.curves[name] for name in whole.curves},
        inputs={name: part.inputs[name] for name in whole.inputs},
        embedding=None if whole.embedding is None else part.embedding,
        settings={name: values[rows] for name, values in whole.settings.items()},
        runs=whole.runs[rows],
        clusters=whole.clusters[rows],
        labels_shared=whole.labels_shared,
    )
