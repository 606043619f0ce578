"""Surrogate trajectories: the data with one thing destroyed and the rest kept, as null hypotheses for smooth curves.

Run-shuffled
    Kept: every path xᵢ(t) of every feature slot, whole, hence also what all runs have in common at a time.
    Destroyed: which paths run together, and so whatever couples the features of one run.
    A coupled law that predicts them as well as the data has not shown that features of a run interact.
Phase-randomised
    Kept: of every path its increment from first to last step, its trend, and mean and power spectrum of the rest.
    Destroyed: the phases of the rest, that is when a path turns, and with which others.
    A law that predicts them as well as the data has not shown that it describes more than trend and smoothness.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ecodyn.arrays import Array
from ecodyn.errors import DataWarning, UnusableDataError
from ecodyn.trajectories import Trajectories

__all__ = ["PHASE_RANDOMISED", "RUN_SHUFFLED", "SURROGATES", "randomise_phases", "shuffle_runs", "trend_of"]


EVEN = 1e-6  # steps whose lengths differ by no more than this share count as evenly spaced


def shuffle_runs(data: Trajectories, rng: np.random.Generator) -> Trajectories:
    """Runs put together from the paths of different runs: x*[r, t, k] = x[π_k(r), t, k].

    π_k is a random permutation for each feature slot k, of its own. Where runs share initialisations, π_k moves whole
    clusters, their runs in order: near copies of a path stay in one cluster, and the runs of a condition in theirs.
    A feature's other observables go with its signal. Under the hypothesis that features don't interact and a slot's
    paths are alike in distribution over runs, surrogates and data are exchangeable.

    Raises
    ------
    UnusableDataError
        Runs differ in their times or inputs, or clusters in their number of runs; or there is but one cluster.
    """
    _check_common_times(data)
    _check_common_inputs(data)
    blocks = _clusters_as_blocks(data)
    source = np.empty((data.n_runs, data.n_features), dtype=np.intp)
    for k in range(data.n_features):
        source[blocks.ravel(), k] = blocks[rng.permutation(len(blocks))].ravel()
    slots = np.arange(data.n_features)
    mixed = {name: array[source, :, slots].transpose(0, 2, 1) for name, array in data.observables.items()}
    return _surrogate(data, mixed, "run-shuffled")


def randomise_phases(data: Trajectories, rng: np.random.Generator) -> Trajectories:
    """Paths of the same trend and spectrum: x* = m + ℓ + F⁻¹(e^(iφ) F(x − m − ℓ)), φ uniform for each frequency.

    m(t) is the mean curve over runs and features and ℓ the line through the ends of x − m, a path's own. Without m the
    decay that all features share would be scrambled; without ℓ the transform would see a jump from last to first
    (Theiler et al. 1992, Physica D 58, 77, assume stationary series; so what is left is made to begin and end alike).
    Phases are drawn for each path by itself. Mean and Nyquist component keep theirs. Observables other than the signal
    stay with their path.

    Raises
    ------
    UnusableDataError
        Runs differ in their times, times are not evenly spaced, or there are fewer than 4.
    """
    _check_common_times(data)
    gaps = np.diff(data.steps)
    if len(gaps) < 3 or np.ptp(gaps) > EVEN * gaps.mean():
        raise UnusableDataError(
            f"phase-randomised surrogates need at least 4 evenly spaced steps, got {data.n_steps} with gaps from "
            f"{gaps.min(initial=np.inf):g} to {gaps.max(initial=0):g}; choose a window in which they are even"
        )
    trend = trend_of(data.values)
    rest = (data.values - trend)[:, :-1]  # the last value repeats the first
    spectrum = np.fft.rfft(rest, axis=1)
    turned = spectrum[:, 1 : (rest.shape[1] + 1) // 2]
    turned *= np.exp(2j * np.pi * rng.random(turned.shape))
    drawn = np.fft.irfft(spectrum, n=rest.shape[1], axis=1)
    signal = trend + np.concatenate([drawn, drawn[:, :1]], axis=1)
    return _surrogate(data, {**data.observables, "signal": signal}, "phase-randomised")


def trend_of(values: Array) -> Array:
    """m(t) + ℓ(t) of paths (run, step, feature): the mean curve, and each path's line through the ends of the rest."""
    mean = values.mean(axis=(0, 2))[None, :, None]
    rest = values - mean
    share = np.linspace(0.0, 1.0, values.shape[1])[None, :, None]
    return np.asarray(mean + rest[:, :1] + share * (rest[:, -1:] - rest[:, :1]))


RUN_SHUFFLED, PHASE_RANDOMISED = "run_shuffled", "phase_randomised"
SURROGATES: dict[str, Callable[[Trajectories, np.random.Generator], Trajectories]] = {
    RUN_SHUFFLED: shuffle_runs,
    PHASE_RANDOMISED: randomise_phases,
}
"""By the names that report.json has for them."""


def _check_common_times(data: Trajectories) -> None:
    if data.lacks_values:
        raise UnusableDataError(
            f"surrogates need every value, got runs that lack {data.missing.sum()} of them; select runs or steps that "
            "have all"
        )
    if not data.shares_times or data.lengths.min() < data.lengths.max():
        raise UnusableDataError(
            f"surrogates need runs with the same steps, got runs of {data.lengths.min()} to {data.lengths.max()} steps "
            "whose times differ; choose a window and runs that share theirs"
        )


def _check_common_inputs(data: Trajectories) -> None:
    """Paths of different runs can be put together only if what drove them is the same."""
    for name, curves in data.inputs.items():
        if not all(curve.same_curve(curves[0]) for curve in curves):
            raise UnusableDataError(
                f"run-shuffled surrogates need inputs that are the same in all runs, got an input {name} that differs; "
                "leave the surrogates out, or select runs of one curve"
            )


def _clusters_as_blocks(data: Trajectories) -> NDArray[np.intp]:
    """Run positions (cluster, run of the cluster)."""
    members = [np.flatnonzero(data.clusters == c) for c in dict.fromkeys(data.clusters.tolist())]
    sizes = sorted({len(m) for m in members})
    if len(members) < 2 or len(sizes) > 1:
        raise UnusableDataError(
            f"run-shuffled surrogates need at least 2 clusters of equally many runs, got {len(members)} of "
            f"{' or '.join(map(str, sizes))} run(s); select runs so that every initialisation has the same number"
        )
    return np.array(members)


def _surrogate(data: Trajectories, observables: dict[str, Array], kind: str) -> Trajectories:
    """The same times, labels and clusters; what belongs to whole networks (curves, embedding) is nobody's any more."""
    signal = observables.pop("signal")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)  # what looked odd in the data was said of them
        return Trajectories(
            signal,
            data.steps,
            features=data.features,
            runs=data.runs,
            labels_shared=data.labels_shared,
            provenance={**data.provenance, "surrogate": kind},
            observables=observables,
            cluster=data.clusters,
            settings=data.settings,
            inputs=data.inputs,
        )
