"""Runs of which one feature was scaled at the start, each beside the unscaled run of the same start."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ecodyn.arrays import Array, Bools, Integers
from ecodyn.errors import UnusableDataError
from ecodyn.trajectories import Trajectories
from ecodyn.trajectories.labels import Label

__all__ = ["FACTOR", "FREQUENCY", "PLAIN", "Pairs", "pair_up", "scaled_features"]


FREQUENCY, FACTOR = "scale_frequency_k", "scale_frequency_factor"  # settings of `ecodyn train --intervene`
PLAIN = 1.0  # the factor of a run that nothing was done to
ROUNDING = 1e-3  # of the largest change at the start: float32 embeddings move the others by less


@dataclass(frozen=True, eq=False)
class Pairs:
    """Scaled runs of one factor beside their plain runs.

    Attributes
    ----------
    factor : what the feature was multiplied by
    scaled, plain : positions (pair,) of the runs
    clusters : labels (pair,) of what is independent
    """

    factor: float
    scaled: Integers
    plain: Integers
    clusters: NDArray[Any]


def pair_up(runs: Trajectories, feature: Label | None, independent: ArrayLike | None) -> tuple[int, list[Pairs]]:
    """The scaled feature's position, and the pairs of each factor, ascending; plain runs are paired with themselves.

    Parameters
    ----------
    runs, feature, independent : as in `ecodyn.survival.perturbation`

    Raises
    ------
    ValueError
        Which feature was scaled is not known, or labels are not one a run.
    UnusableDataError
        No factors, a scaled run without its plain one, two plain ones, or runs of different steps.
    """
    if FACTOR not in runs.settings:
        raise UnusableDataError(
            f"expected the setting {FACTOR} of each run, got {', '.join(runs.settings) or 'no settings'}; train with "
            "--intervene scale_frequency:k=25,factor=0.85/1/1.15"
        )
    if len(set(runs.lengths.tolist())) > 1 or not runs.shares_times:
        raise UnusableDataError(
            "expected scaled and plain runs of the same steps, got several lengths or steps; "
            "cut them to a common window"
        )
    place, chosen = _scaled_feature(runs, feature)
    labels = runs.clusters if independent is None else np.asarray(independent)
    if labels.shape != (runs.n_runs,):
        raise ValueError(
            f"expected a label of what is independent for each of {runs.n_runs} runs, got {labels.shape}; pass one each"
        )
    factors = _factors(runs)
    plain: dict[Hashable, int] = {}
    for run in np.flatnonzero(chosen & (factors == PLAIN)).tolist():
        if plain.setdefault(_start_of(runs, run), run) != run:
            raise UnusableDataError(f"run {runs.runs[run]} is a second unscaled training of its start; keep one")
    pairs = []
    for factor in np.unique(factors[chosen]):
        scaled = np.flatnonzero(chosen & (factors == factor))
        alone = [run for run in scaled.tolist() if _start_of(runs, run) not in plain]
        if alone:
            raise UnusableDataError(
                f"run {runs.runs[alone[0]]} has no unscaled training of the same start to be compared with; have "
                "factor=1 among the factors, with the same seeds"
            )
        partner = np.array([plain[_start_of(runs, run)] for run in scaled.tolist()])
        pairs.append(Pairs(factor=float(factor), scaled=scaled, plain=partner, clusters=labels[scaled]))
    return place, pairs


def _factors(runs: Trajectories) -> Array:
    try:
        return np.asarray(runs.settings[FACTOR], dtype=float)
    except ValueError:
        raise UnusableDataError(
            f"expected a number as {FACTOR} of each run, got {np.unique(runs.settings[FACTOR]).tolist()}; "
            "of runs that nothing was done to it is 1"
        ) from None


def _scaled_feature(runs: Trajectories, feature: Label | None) -> tuple[int, Bools]:
    """The feature's position, and which runs scaled it (or nothing)."""
    given = runs.settings.get(FREQUENCY)
    if feature is None:
        labels = scaled_features(runs)
        if len(labels) != 1:
            raise ValueError(
                f"expected one scaled feature, got {labels or 'none by which starts differ'}; give feature=, one of "
                f"{labels or runs.features.tolist()}"
            )
        feature = labels[0]
    places = np.flatnonzero(runs.features == feature)
    if not len(places):
        raise ValueError(f"expected a feature among {runs.features.tolist()}, got {feature!r}; name one of them")
    chosen = np.ones(runs.n_runs, dtype=bool) if given is None else np.asarray(given == feature)
    if given is not None and not chosen.any():
        raise ValueError(f"expected a scaled feature, {np.unique(given).tolist()}, got {feature}; name one of them")
    return int(places[0]), chosen


def scaled_features(runs: Trajectories) -> list[Label]:
    """Labels of the features that were scaled: the setting's, or else the one by which the runs' starts differ.

    A file in which all runs scale one feature has no such setting; at the first step that feature alone differs
    between runs of one start. Empty if none, or more than one, does.
    """
    if FREQUENCY in runs.settings:
        return np.unique(runs.settings[FREQUENCY]).tolist()
    first: dict[Hashable, int] = {}
    moved = np.zeros(runs.n_features)
    for run in range(runs.n_runs):
        like = first.setdefault(_start_of(runs, run), run)
        moved = np.maximum(moved, np.abs(runs.values[run, 0] - runs.values[like, 0]))
    alone = (moved > 0) & (moved > ROUNDING * moved.max())
    return runs.features[alone].tolist() if alone.sum() == 1 else []


def _start_of(runs: Trajectories, run: int) -> Hashable:
    """What a run shares with its partner: the initialisation and every setting but the factor."""
    rest = (name for name in runs.settings if name != FACTOR)
    return (runs.clusters[run], *(runs.settings[name][run] for name in rest))
