"""What is said of one model under one protocol over one window, and of pairs of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from typing import Any, Self, get_type_hints

import numpy as np

from ecodyn.arrays import Array
from ecodyn.comparison.stored_model import UnreadModel, model_from, model_to_json
from ecodyn.families.model import FittedModel
from ecodyn.families.model_name import ModelName, Named
from ecodyn.runtime.json_values import number, numbers, pair
from ecodyn.statistics.intervals import Estimate

__all__ = ["HorizonCurve", "ModelScore", "Pair", "Start"]

Window = tuple[float, float]
Horizons = tuple[float, ...]
Parameters = Mapping[str, Any]


@dataclass(frozen=True)
class HorizonCurve:
    """Skill up to each horizon: the mean over runs and its 95 % t interval, NaN where it can't be had.

    ``horizons`` are shares of the window (of what is left of it from the origin, for forecasts). The last is the
    whole of it, where ``skill`` is the model's skill.
    """

    horizons: tuple[float, ...]
    skill: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """The inverse of ``vars``, null being NaN."""
        return cls(*(tuple(numbers(document[f.name]).tolist()) for f in fields(cls)))


@dataclass(frozen=True, kw_only=True)
class ModelScore(Named):
    """One model under one protocol over one window; NaN where a number can't be had.

    Attributes
    ----------
    name : which model
    protocol : "unseen_runs", "forecast" or "in_sample"
    window : (first step, last step)
    skill_interval : mean skill over independent runs with its 95 % t interval
    skill_median : over runs
    skill_per_run : array (run,); NaN where one of a run's rollouts ended early or persistence is exact
    skill_per_cluster : array (cluster,), what means and intervals are over
    loss_per_run : array (cluster,), log of the unexplained share less measurement noise's
    log_skill : mean skill in log max(x, 1 % of the window's median)
    horizons : mean skill up to each quarter of the window
    skill_by_horizon : to each twentieth, with its interval
    diverged : rollouts that ended early
    left_out : runs in which persistence is exact
    survivor_auc, survivor_overlap : of rollouts that may reorder features; else NaN
    order_crossing : share of pairs of features whose order changes in the rollouts
    one_step_r2 : the study's in-sample measure
    n_coefficients : mean number of non-zero coefficients
    library_size : coefficients before selection
    candidates : tuning candidates tried, all fits together
    in_confidence_set, p_value : of the 90 % model confidence set (families only)
    fit_seconds : all fits together
    optimality : share of a fit's squared error that a further step would take off, the largest of all fits; 0 at an
        optimum, NaN where it is not known
    folds, seeds, fits : how many
    parameters : of the estimator as the protocol had it; empty for references
    equations, latex : of the fit to everything, "" where there is none
    model : the fit to everything, if the in-sample protocol was run; of a report that was read, None for a model with
        weights beside its file, such as a network
    unread : of a report that was read, a model that could not be made again, and why
    """

    name: ModelName
    protocol: str
    window: Window
    skill_interval: Estimate
    skill_median: float
    skill_per_run: Array
    skill_per_cluster: Array
    loss_per_run: Array
    log_skill: float
    horizons: Horizons
    diverged: int
    left_out: int
    survivor_auc: float
    survivor_overlap: float
    order_crossing: float
    one_step_r2: float
    n_coefficients: float
    library_size: int
    candidates: int
    in_confidence_set: bool
    p_value: float
    fit_seconds: float
    folds: int
    seeds: int
    fits: int
    optimality: float = float("nan")
    parameters: Parameters = field(default_factory=dict)
    equations: str = ""
    latex: str = ""
    model: FittedModel | None = None
    unread: UnreadModel | None = None
    skill_by_horizon: HorizonCurve | None = None

    @property
    def skill(self) -> float:
        """Mean over independent runs of 1 − MSE(rollout)/MSE(persistence)."""
        return self.skill_interval.mean

    @property
    def unexplained(self) -> float:
        """1 − skill."""
        return 1.0 - self.skill

    @property
    def mean_loss(self) -> float:
        """Mean over independent runs of log unexplained, diverged ones as the worst; infinite if nothing is known."""
        loss = float(np.mean(self.loss_per_run)) if len(self.loss_per_run) else math.inf
        return loss if math.isfinite(loss) else math.inf

    def to_json(self) -> dict[str, object]:
        """The record of report.json; ``model`` becomes its model file's content, a law's coefficients also a table."""
        interval = self.skill_interval
        return {
            **self.name.to_json(),
            "skill": interval.mean,
            "skill_low": interval.low,
            "skill_high": interval.high,
            "skill_runs": interval.n,
            **{name: getattr(self, name) for name in _readers()},
            "skill_by_horizon": vars(self.skill_by_horizon) if self.skill_by_horizon else None,
            "budget": {name: getattr(self, name) for name in BUDGET},
            **model_to_json(self.model, self.unread),
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`, but for models that a report does not hold: see `FittedModel.self_contained`."""
        curve, stated = document["skill_by_horizon"], {**document, **document["budget"]}
        mean, low, high = (number(document[key]) for key in ("skill", "skill_low", "skill_high"))
        model, unread = model_from(document)
        return cls(
            name=ModelName.from_json(document),
            skill_interval=Estimate(mean, low, high, document["skill_runs"]),
            skill_by_horizon=None if curve is None else HorizonCurve.from_json(curve),
            model=model,
            unread=unread,
            **{name: read(stated[name]) for name, read in _readers().items() if name in stated},
        )


BUDGET = ("fits", "folds", "seeds", "candidates")  # what the scores took, together in the report

# How what `plain_json` wrote is read back, by a field's type; fields of other types are written one by one.
_READERS: dict[object, Callable[[Any], Any]] = {
    float: number,
    Array: numbers,
    Window: pair,
    Horizons: lambda values: tuple(numbers(values).tolist()),
    **dict.fromkeys((bool, int, str, Parameters), lambda value: value),
}


@cache
def _readers() -> dict[str, Callable[[Any], Any]]:
    """Those of a score's fields that are plain values, by name."""
    return {name: _READERS[kind] for name, kind in get_type_hints(ModelScore).items() if kind in _READERS}


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two families' skill difference over independent runs, a − b, with its 95 % t interval."""

    a: ModelName
    b: ModelName
    protocol: str
    window: Window
    difference: Estimate

    def to_json(self) -> dict[str, object]:
        """The record of report.json, models by their names as text."""
        d = self.difference
        return {
            "a": str(self.a),
            "b": str(self.b),
            "protocol": self.protocol,
            "window": self.window,
            "skill_difference": d.mean,
            "low": d.low,
            "high": d.high,
            "runs": d.n,
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any], names: Mapping[str, ModelName]) -> Self:
        """The inverse of `to_json`; ``names`` are the report's models by their names as text."""
        mean, low, high = (number(document[key]) for key in ("skill_difference", "low", "high"))
        return cls(
            a=names[document["a"]],
            b=names[document["b"]],
            protocol=document["protocol"],
            window=pair(document["window"]),
            difference=Estimate(mean, low, high, document["runs"]),
        )


@dataclass(frozen=True)
class Start:
    """What the starting signal alone says of survival, over runs; printed once a window.

    Attributes
    ----------
    survivor_auc, survivor_overlap : of the starting signal; NaN where nobody can be told apart
    order_crossing : share of pairs of features whose order changes in the data
    survivors : mean number over runs
    """

    survivor_auc: float
    survivor_overlap: float
    order_crossing: float
    survivors: float

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """The inverse of ``vars``, null being NaN."""
        return cls(*(number(document[f.name]) for f in fields(cls)))
