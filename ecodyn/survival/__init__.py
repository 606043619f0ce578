"""Who survives, when the rest died, and what predicted it.

Runs are the independent observations, or their clusters where runs share an initialisation: every interval here is a
t interval over clusters, never over frequencies.
"""

from __future__ import annotations

from ecodyn.runtime.lazy import lazily

_HOME = {
    "Analysis": "ecodyn.survival.analysis",
    "DEFAULT_RULE": "ecodyn.survivors.survivors",
    "Estimate": "ecodyn.statistics.intervals",
    "PREDICTORS": "ecodyn.survival.predictors",
    "RULES": "ecodyn.survivors.rules",
    "Survivors": "ecodyn.survivors.survivors",
    "analyse": "ecodyn.survival.analysis",
    "clustered_mean": "ecodyn.statistics.clustered",
    "counts_by": "ecodyn.survival.counts",
    "deaths": "ecodyn.survival.extinction",
    "fitness": "ecodyn.survival.predictors",
    "law_fates": "ecodyn.survival.laws",
    "law_response": "ecodyn.survival.response",
    "perturbation": "ecodyn.survival.scaled_start",
    "rank_changes": "ecodyn.survival.extinction",
    "scaled_runs": "ecodyn.survival.scaling",
    "sensitivity": "ecodyn.survival.counts",
    "survivors": "ecodyn.survivors.survivors",
    "together": "ecodyn.survival.logistic",
}

__all__ = [
    "DEFAULT_RULE",
    "PREDICTORS",
    "RULES",
    "Analysis",
    "Estimate",
    "Survivors",
    "analyse",
    "clustered_mean",
    "counts_by",
    "deaths",
    "fitness",
    "law_fates",
    "law_response",
    "perturbation",
    "rank_changes",
    "scaled_runs",
    "sensitivity",
    "survivors",
    "together",
]


__getattr__, __dir__ = lazily(__name__, _HOME)
