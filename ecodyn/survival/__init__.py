"""Who survives, when the rest died, and what predicted it.

Runs are the independent observations, or their clusters where runs share an initialisation: every interval here is a
t interval over clusters, never over frequencies.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ecodyn.runtime.lazy import lazily

if TYPE_CHECKING:
    from ecodyn.statistics.clustered import clustered_mean
    from ecodyn.statistics.estimates import Estimates
    from ecodyn.statistics.intervals import Estimate
    from ecodyn.survival.analysis import analyse
    from ecodyn.survival.counts import counts_by, sensitivity
    from ecodyn.survival.extinction import deaths, rank_changes
    from ecodyn.survival.laws import law_fates
    from ecodyn.survival.logistic import together
    from ecodyn.survival.predictors import PREDICTORS, fitness
    from ecodyn.survival.response import law_response
    from ecodyn.survival.result import Analysis
    from ecodyn.survival.scaled_start import perturbation
    from ecodyn.survival.scaling import scaled_runs
    from ecodyn.survivors.rules import RULES
    from ecodyn.survivors.survivors import DEFAULT_RULE, Survivors, survivors

_HOME = {
    "Analysis": "ecodyn.survival.result",
    "DEFAULT_RULE": "ecodyn.survivors.survivors",
    "Estimate": "ecodyn.statistics.intervals",
    "Estimates": "ecodyn.statistics.estimates",
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
    "Estimates",
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
