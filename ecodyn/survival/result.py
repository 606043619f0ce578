"""What an analysis of survival found: its numbers, as JSON and as rows of a table."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, is_dataclass

from ecodyn.statistics.clustered import SHARE, clustered_mean
from ecodyn.statistics.intervals import Estimate
from ecodyn.survival.counts import Count, Sensitivity
from ecodyn.survival.extinction import Deaths, RankChanges
from ecodyn.survival.laws import LawFates
from ecodyn.survival.logistic import Together
from ecodyn.survival.predictors import Score
from ecodyn.survival.scaling import ScaledRuns
from ecodyn.survivors.survivors import Survivors, stored_at
from ecodyn.trajectories import Trajectories
from ecodyn.trajectories.labels import Label

__all__ = ["Analysis", "FeatureRow"]


@dataclass(frozen=True)
class FeatureRow:
    """One feature of one run.

    Attributes
    ----------
    run, feature, cluster : labels
    start, end : signal at the run's first step and at the one where survivors are judged
    alive : by rule, those that could be used
    death : step from which on it is out of the competition; NaN for survivors and what is still up
    order : 1 for the first to die in its run; NaN as above
    """

    run: Label
    feature: Label
    start: float
    end: float
    alive: dict[str, bool]
    death: float
    order: float
    cluster: Label


@dataclass(frozen=True, eq=False)
class Analysis:
    """Who survives, and what predicted it. What could not be had is in `notes`, a sentence each.

    Attributes
    ----------
    runs : what was analysed
    survivors : who is alive under the rule asked for
    sensitivity : the same under every rule
    deaths, changes : when the rest died, and how the order changed
    counts : survivors by each setting that takes several values
    scores : every predictor at every early step
    curves : the same over time, for figures
    together : a logistic model of the predictors at early steps
    laws : what equations know, a window each
    scaled : what scaling a feature at the start did, if runs were
    notes : sentences

    Examples
    --------
    >>> import numpy as np
    >>> from ecodyn import Trajectories
    >>> from ecodyn.survival import analyse
    >>> starts = np.array([[80, 82, 78, 84, 79, 81.0], [83, 79, 80, 78, 82, 81], [79, 80, 83, 81, 78, 82]])
    >>> rates = np.where(starts >= np.sort(starts)[:, [-2]], 0.001, 0.06)  # the two strongest live
    >>> steps = np.arange(41.0)
    >>> runs = Trajectories(starts[:, None] * np.exp(-rates[:, None] * steps[:, None]), steps)
    >>> analysis = analyse(runs, laws=False)
    >>> analysis.survivor_count.mean, analysis.crossed.mean
    (2.0, 0.0)
    """

    runs: Trajectories
    survivors: Survivors
    sensitivity: Sensitivity
    deaths: Deaths
    changes: RankChanges
    counts: dict[str, list[Count]]
    scores: list[Score] = field(default_factory=list)
    curves: list[Score] = field(default_factory=list)
    together: dict[float, Together] = field(default_factory=dict)
    laws: list[LawFates] = field(default_factory=list)
    scaled: list[ScaledRuns] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def survivor_count(self) -> Estimate:
        """Number of survivors a run."""
        return clustered_mean(self.survivors.counts, self.runs.clusters, within=(0.0, float(self.runs.n_features)))

    @property
    def crossed(self) -> Estimate:
        """Share of pairs of features whose order at the end is not that at the start."""
        return clustered_mean(self.changes.crossed, self.runs.clusters, within=SHARE)

    @property
    def kendall_tau(self) -> Estimate:
        """Kendall's τ of the two orders."""
        return clustered_mean(self.changes.tau, self.runs.clusters, within=(-1.0, 1.0))

    def to_json(self) -> dict[str, object]:
        """All numbers as plain JSON values but for non-finite ones; runs and features by label."""
        s = self.sensitivity
        return {
            "schema": 1,
            "rule": self.survivors.rule,
            "steps": self.survivors.steps,
            "runs": self.runs.runs,
            "features": self.runs.features,
            "clusters": self.runs.n_clusters,
            "survivors": self.survivor_count.to_json(),
            "counts": self.survivors.counts,
            "alive": {rule: own.alive for rule, own in s.survivors.items()},
            "deaths": {"steps": self.deaths.steps, "order": self.deaths.order},
            "rank_changes": {
                "crossed": self.crossed.to_json(),
                "kendall_tau": self.kendall_tau.to_json(),
            },
            "rules": {
                "counts": _as_json(s.counts),
                "agreement": s.agreement,
                "starting_signal_auc": _as_json(s.auc),
                "unusable": s.unusable,
            },
            "counts_by": _as_json(self.counts),
            "predictors": _as_json(self.scores),
            "together": {f"{step:g}": _as_json(t) for step, t in self.together.items()},
            "laws": _as_json(self.laws),
            "scaled": [x.to_json() for x in self.scaled],
            "notes": self.notes,
            "data": self.runs.provenance,
        }

    def feature_rows(self) -> list[FeatureRow]:
        """All features of all runs, a row each, for a table."""
        rows = []
        for r, run in enumerate(self.runs.runs):
            end = stored_at(self.runs, r, float(self.survivors.steps[r]))
            for k, feature in enumerate(self.runs.features):
                rows.append(
                    FeatureRow(
                        run=run,
                        feature=feature,
                        start=float(self.runs.values[r, 0, k]),
                        end=float(self.runs.values[r, end, k]),
                        alive={rule: bool(own.alive[r, k]) for rule, own in self.sensitivity.survivors.items()},
                        death=float(self.deaths.steps[r, k]),
                        order=float(self.deaths.order[r, k]),
                        cluster=self.runs.clusters[r],
                    )
                )
        return rows


def _as_json(part: object) -> object:
    """A part of an analysis with dataclasses as dicts of their fields, estimates as they state themselves."""
    if isinstance(part, Estimate):
        return part.to_json()
    if is_dataclass(part):
        return {f.name: _as_json(getattr(part, f.name)) for f in fields(part)}
    if isinstance(part, dict):
        return {key: _as_json(value) for key, value in part.items()}
    return [_as_json(value) for value in part] if isinstance(part, list) else part
