"""What trajectories have to satisfy: what a user gave becomes `Checked`, or is refused with a sentence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ecodyn.arrays import Array, Bools, Integers
from ecodyn.runtime.json_values import Json
from ecodyn.trajectories.embeddings import checked_embedding
from ecodyn.trajectories.inputs import Input, InputLike, checked_inputs
from ecodyn.trajectories.labels import (
    Label,
    Labels,
    Setting,
    check_names,
    checked_labels,
    checked_setting,
    plain_provenance,
)
from ecodyn.trajectories.missing import checked_missing, refuse_never_measured
from ecodyn.trajectories.times import checked_times
from ecodyn.trajectories.values import Numbers, check_finite, checked_velocity, matching, padded, run_lengths

__all__ = ["Checked", "check"]


@dataclass(frozen=True)
class Checked:
    """Arrays that passed `check`: read-only, padded by NaN after the end of each run."""

    observables: dict[str, Array]  # (run, step, feature) each, "signal" first
    times: Array  # (run, step)
    lengths: Integers  # (run,)
    features: Labels  # (feature,)
    runs: Labels  # (run,)
    clusters: Labels  # (run,)
    settings: dict[str, Setting]  # (run,) each
    curves: dict[str, Array]  # (run, step) each, "dc" among them
    embedding: Array | None  # (run, token, dimension), padded by NaN after the last dimension of each run
    labels_shared: bool
    provenance: dict[str, Json]
    remarks: tuple[str, ...] = ()  # what `check` had to change
    velocity: Array | None = None  # (run, step, feature), where steps that tell it were cut away
    missing: Bools | None = None  # (run, step, feature), where any value within a run is missing
    inputs: Mapping[str, tuple[Input, ...]] = field(default_factory=dict)  # a curve for each run, each

    def __post_init__(self) -> None:
        for array in self.arrays().values():
            array.flags.writeable = False

    def __setstate__(self, state: Mapping[str, object]) -> None:
        self.__dict__.update(state)
        self.__post_init__()  # arrays come out of a pickle writeable

    def arrays(self) -> dict[str, np.ndarray]:
        """All arrays by a name of their own."""
        own = {name: array for name, array in vars(self).items() if isinstance(array, np.ndarray)}
        named: dict[str, Mapping[str, np.ndarray]] = {
            "observable": self.observables,
            "curve": self.curves,
            "setting": self.settings,
        }
        for name, curves in self.inputs.items():
            knots = {f"times {r}": curve.times for r, curve in enumerate(curves)}
            heights = {f"values {r}": curve.values for r, curve in enumerate(curves)}
            named[f"input {name} ({curves[0].kind})"] = {**knots, **heights}
        return own | {f"{kind} {name}": array for kind, group in named.items() for name, array in group.items()}


def check(
    *,
    values: Numbers,
    steps: Numbers,
    features: Iterable[Label] | None,
    runs: Iterable[Label] | None,
    labels_shared: bool,
    provenance: Mapping[str, object],
    observables: Mapping[str, Numbers],
    curves: Mapping[str, Numbers],
    dc: Numbers | None,
    embedding: Numbers | None,
    cluster: Iterable[Label] | None,
    settings: Mapping[str, Iterable[Label | float]],
    velocity: Numbers | None,
    missing: Bools | Sequence[Bools] | None,
    inputs: Mapping[str, InputLike],
) -> Checked:
    """Turn what a user gave into `Checked`, or raise UnusableDataError: expected, got, and what to do."""
    signal = padded(values, "values", 3)
    R, _, K = signal.shape
    absent = checked_missing(missing, values, signal.shape)
    signal[absent] = np.nan
    run_labels = checked_labels(range(R) if runs is None else runs, R, "runs")
    feature_labels = checked_labels(range(1, K + 1) if features is None else features, K, "features")
    lengths = run_lengths(signal, run_labels)
    given = np.array([len(v) for v in values] if isinstance(values, (list, tuple)) else [len(signal[0])] * R)
    check_names([*observables, *curves, *settings])
    others, of_runs = _beside(signal, observables, {**curves} | ({} if dc is None else {"dc": dc}), lengths, absent)
    absent[np.arange(signal.shape[1]) >= lengths[:, None]] = False
    refuse_never_measured(absent, lengths, run_labels, feature_labels)
    for name, array in {"signal": signal, **others}.items():
        check_finite(name, array, lengths, run_labels, feature_labels, missing=absent)
    for name, array in of_runs.items():
        check_finite(name, array, lengths, run_labels, feature_labels)
    times = checked_times(steps, signal.shape[:2], lengths, given, run_labels)
    return Checked(
        observables={"signal": signal, **others},
        times=times,
        lengths=lengths,
        features=feature_labels,
        runs=run_labels,
        clusters=checked_labels(range(R) if cluster is None else cluster, R, "cluster", unique=False),
        settings={str(name): checked_setting(array, R, str(name)) for name, array in settings.items()},
        curves=of_runs,
        embedding=None if embedding is None else checked_embedding(embedding, run_labels),
        labels_shared=bool(labels_shared),
        provenance=plain_provenance(provenance),
        remarks=_cut_short(given, lengths, run_labels, isinstance(values, (list, tuple))),
        velocity=None if velocity is None else checked_velocity(velocity, absent, lengths, run_labels),
        missing=absent if absent.any() else None,
        inputs=checked_inputs(inputs, times, lengths, run_labels, others),
    )


def _beside(
    signal: Array, observables: Mapping[str, Numbers], curves: Mapping[str, Numbers], lengths: Integers, absent: Bools
) -> tuple[dict[str, Array], dict[str, Array]]:
    """Observables (run, step, feature) and curves (run, step), NaN where the signal is missing and at padding."""
    others = {str(name): matching(array, signal.shape, name) for name, array in observables.items()}
    of_runs = {str(name): matching(array, signal.shape[:2], name) for name, array in curves.items()}
    for array in others.values():
        array[absent] = np.nan
    after = np.arange(signal.shape[1]) >= lengths[:, None]
    for array in of_runs.values():
        array[after & absent.all(axis=2)] = np.nan  # steps that lack everything at its end are no steps of a run
    return others, of_runs


def _cut_short(given: Integers, lengths: Integers, runs: Labels, listed: bool) -> tuple[str, ...]:
    """Say where NaN at the end can't be padding: in runs given one by one, or in all runs at once."""
    cut = given > lengths
    if not (cut.any() if listed else cut.all()):
        return ()
    r = int(np.argmax(cut))
    return (f"run {runs[r]} ends in {given[r] - lengths[r]} steps of NaN, left out ({cut.sum()} such runs)",)
