"""What a comparison found, as tables and reports read it."""

from __future__ import annotations

import importlib
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ecodyn.arrays import Array
from ecodyn.comparison.bands import HeldOutErrors
from ecodyn.comparison.candidate import label_of
from ecodyn.comparison.phases import Phases
from ecodyn.comparison.surrogate_result import SurrogateTest
from ecodyn.comparison.verdict import Verdict
from ecodyn.families.coefficients import coefficients_of
from ecodyn.families.law import Law
from ecodyn.families.model import FittedModel
from ecodyn.rollouts.iteration import FLOW

SCHEMA = 1


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


@dataclass(frozen=True)
class ModelScore:
    """One model under one protocol over one window; NaN where a number can't be had.

    Attributes
    ----------
    family, coupling, state, kind, dynamics : how it is named; ``kind`` is "family", "clock", "null" or "ceiling",
        ``dynamics`` "flow" or "map", and None for references
    protocol : str
    window : (first step, last step)
    skill, skill_low, skill_high : mean over runs and its 95 % t interval; skill_median
    skill_per_run : array (run,); NaN where one of a run's rollouts ended early or persistence is exact
    skill_per_cluster : array (cluster,), what means and intervals are over
    loss_per_run : array (cluster,), log of the unexplained share less measurement noise's
    log_skill : mean skill in log max(x, 1 % of the window's median)
    horizons : mean skill up to each quarter of the window; skill_by_horizon, to each twentieth, with its interval
    diverged : rollouts that ended early; left_out : runs in which persistence is exact
    survivor_auc, survivor_overlap : of rollouts that may reorder features; else NaN
    order_crossing : share of pairs of features whose order changes in the rollouts
    one_step_r2 : the study's in-sample measure
    n_coefficients : mean number of non-zero coefficients; library_size : before selection
    candidates : tuning candidates tried, all fits together
    in_confidence_set, p_value : of the 90 % model confidence set (families only)
    fit_seconds : all fits together
    folds, seeds : how many
    equations, latex : of the fit to everything, "" where there is none
    model : the fit to everything, if the in-sample protocol was run
    """

    family: str
    coupling: str | None
    state: str
    kind: str
    protocol: str
    window: tuple[float, float]
    skill: float
    skill_low: float
    skill_high: float
    skill_median: float
    skill_per_run: Array
    skill_per_cluster: Array
    loss_per_run: Array
    log_skill: float
    horizons: tuple[float, ...]
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
    equations: str = ""
    latex: str = ""
    model: FittedModel | None = None
    skill_by_horizon: HorizonCurve | None = None
    dynamics: str | None = FLOW

    @property
    def label(self) -> str:
        """As tables name it."""
        return label_of(self.family, self.coupling, self.state, self.kind, self.dynamics)

    @property
    def unexplained(self) -> float:
        """1 − skill."""
        return 1.0 - self.skill

    def to_json(self) -> dict[str, Any]:
        """The record of report.json; ``model`` becomes its coefficients with their intervals."""
        record = {k: v for k, v in vars(self).items() if k not in ("model", "skill_by_horizon")}
        record["skill_by_horizon"] = vars(self.skill_by_horizon) if self.skill_by_horizon else None
        if isinstance(self.model, Law):
            record["coefficients"] = [c.to_json() for c in coefficients_of(self.model)]
        return record


@dataclass(frozen=True)
class Pair:
    """Two families' skill difference over runs, a − b, with its 95 % t interval."""

    a: str
    b: str
    protocol: str
    window: tuple[float, float]
    skill_difference: float
    low: float
    high: float


@dataclass(frozen=True)
class Start:
    """What the starting signal alone says of survival, over runs; printed once a window."""

    survivor_auc: float
    survivor_overlap: float
    order_crossing: float
    survivors: float


@dataclass(frozen=True)
class WindowResult:
    """All scores over one window, and the verdict of each protocol that ranks.

    ``drawn`` and ``truth`` are rollouts and data of a few runs; ``errors`` by model how far its rollouts on unseen
    runs are off, from which prediction bands are made: ``errors["linear/exchangeable"].band(0.9)``.
    """

    window: tuple[float, float]
    headline: str
    verdicts: dict[str, Verdict]
    models: list[ModelScore]
    pairs: list[Pair]
    start: Start
    noise_share: float
    drawn: dict[tuple[str, str], dict[int, tuple[Array, Array]]] = field(default_factory=dict, repr=False)
    truth: dict[int, tuple[Array, Array]] = field(default_factory=dict, repr=False)
    errors: dict[str, HeldOutErrors] = field(default_factory=dict, repr=False)
    surrogates: tuple[SurrogateTest, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """The verdict of the headline's protocol."""
        return self.verdicts[self.headline]

    def of(self, protocol: str) -> list[ModelScore]:
        """The models scored under a protocol, families by mean loss, then the rest."""
        order = {"family": 0, "clock": 1, "ceiling": 2, "null": 3}

        def key(m: ModelScore) -> tuple[int, float]:
            loss = float(np.mean(m.loss_per_run)) if len(m.loss_per_run) else math.inf
            return order[m.kind], loss if m.diverged == 0 and math.isfinite(loss) else math.inf

        return sorted((m for m in self.models if m.protocol == protocol), key=key)


@dataclass(frozen=True)
class Comparison:
    """The answer of ``compare``: scores, verdicts and reports.

    ``verdict`` is the headline's: the first window, on unseen runs (forecasts where there are fewer than 5 clusters).
    ``phases`` are what the windows are, where they were found rather than given.
    """

    windows: list[WindowResult]
    settings: dict[str, Any]
    data: dict[str, Any]
    features: list[Any]
    warnings: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()
    interrupted: bool = False
    phases: Phases | None = None

    @property
    def verdict(self) -> Verdict:
        """The headline's verdict."""
        return self.windows[0].verdict

    @property
    def models(self) -> list[ModelScore]:
        """All scores, over all windows."""
        return [m for w in self.windows for m in w.models]

    def phase_names(self) -> list[str]:
        """The label of each window's phase; "" for windows that were given."""
        found = self.phases.phases if self.phases else ()
        return [found[i].label if i < len(found) else "" for i in range(len(self.windows))]

    def score(
        self,
        family: str,
        coupling: str | None = None,
        *,
        protocol: str | None = None,
        kind: str | None = None,
        dynamics: str | None = None,
    ) -> ModelScore:
        """One model's scores over the headline's window."""
        protocol = protocol or self.windows[0].headline
        for m in self.windows[0].models:
            named = (m.family, m.coupling, m.protocol) == (family, coupling, protocol)
            if named and kind in (None, m.kind) and dynamics in (None, m.dynamics):
                return m
        raise KeyError(f"no {family}/{coupling} under {protocol}; there are {self._labels()}")

    def _labels(self) -> str:
        return ", ".join(sorted({m.label for m in self.windows[0].models}))

    def to_json(self) -> dict[str, Any]:
        """report.json as a dictionary; non-finite numbers are null."""
        first = self.windows[0]
        report = {
            "schema": SCHEMA,
            "protocol": first.headline,
            "window": first.window,
            "verdict": first.verdict.to_json(),
            "models": [m.to_json() for m in self.models],
            "pairs": [vars(p) for w in self.windows for p in w.pairs],
            "windows": [
                {**_window_json(w), "phase": name or None}
                for w, name in zip(self.windows, self.phase_names(), strict=True)
            ],
            "phases": self.phases.to_json() if self.phases else None,
            "data": self.data,
            "settings": self.settings,
            "warnings": self.warnings,
            "failures": self.failures,
            "interrupted": self.interrupted,
        }
        return dict(plain_json(report))

    def save(self, path: str | Path, *, force: bool = False) -> None:
        """Write report.json."""
        from ecodyn.runtime.files import write_whole

        with write_whole(path, force=force) as temporary:
            temporary.write_text(json.dumps(self.to_json(), indent=1, allow_nan=False) + "\n")

    def to_html(self, path: str | Path, *, force: bool = False) -> None:
        """Write the report as one self-contained page.

        The page is drawn a layer above this one, found by name when asked for, as pandas finds its plotting.
        """
        importlib.import_module("ecodyn.report").write_html(self, path, force=force)

    def _repr_html_(self) -> str:
        return str(importlib.import_module("ecodyn.report").fragment(self))

    def __str__(self) -> str:
        return "\n".join(w.verdict.statement for w in self.windows)


def _window_json(w: WindowResult) -> dict[str, Any]:
    return {
        "window": w.window,
        "verdict": w.verdict.to_json(),
        "verdicts": {protocol: v.to_json() for protocol, v in w.verdicts.items()},
        "start": vars(w.start),
        "noise_share": w.noise_share,
        "surrogates": [test.to_json() for test in w.surrogates],
    }


def plain_json(value: Any) -> Any:
    """Plain Python for json: arrays as lists, non-finite numbers as null."""
    if isinstance(value, dict):
        return {str(k): plain_json(v) for k, v in value.items()}
    if isinstance(value, np.ndarray):
        return plain_json(value.tolist())
    if isinstance(value, list | tuple | Iterator):
        return [plain_json(v) for v in value]
    if isinstance(value, np.generic):
        return plain_json(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
