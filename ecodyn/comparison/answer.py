"""The last step: all windows' results put together, with how they came about."""

from __future__ import annotations

import platform
import re
from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import version

import numpy as np

from ecodyn._version import __version__
from ecodyn.comparison.candidate import NAMING
from ecodyn.comparison.check import Checked
from ecodyn.comparison.folds import ORIGINS
from ecodyn.comparison.request import Request
from ecodyn.comparison.result import Comparison
from ecodyn.comparison.run import Outcome
from ecodyn.comparison.settings import Settings
from ecodyn.comparison.verdict import CLAIM_LEVEL
from ecodyn.comparison.window_result import WindowResult, WindowsWithTests
from ecodyn.families.model_name import FAMILY
from ecodyn.runtime.provenance import NUMERICAL
from ecodyn.statistics.multiplicity import HOLM, adjusted

__all__ = ["answer", "holm", "summed_up"]


def answer(checked: Checked, request: Request, outcome: Outcome, tested: WindowsWithTests) -> Comparison:
    """The comparison as it is handed over: the windows' results, and what is to be said of all of it."""
    data = checked.data
    estimators = [m.estimator for m in checked.contenders if m.estimator is not None and m.kind == FAMILY]
    of_families = [note for estimator in estimators for part in checked.windows for note in estimator.notes(part)]
    of_fits = summed_up([w for r in outcome.all_results for w in r.warnings])
    seeds = max((m.seeds for m in checked.contenders), default=1)  # "neural": the key is schema 2's
    warm_up = max((m.warm_up for m in checked.contenders), default=0)
    return Comparison(
        windows=holm(tested.windows),
        settings={
            **request.settings(),
            **_versions(),
            "neural_seeds": seeds,
            **({"warm_up": warm_up} if warm_up else {}),
            "models": [m.name.to_json() for m in checked.contenders],
        },
        data={
            **data.provenance,
            "runs": data.n_runs,
            "clusters": data.n_clusters,
            "steps": data.n_steps,
            "features": data.n_features,
            "labels_shared": data.labels_shared,
        },
        features=data.features.tolist(),
        warnings=tuple(dict.fromkeys([*checked.notes, *tested.notes, *of_families, *of_fits])),
        failures=tuple(dict.fromkeys([*(r.failure for r in outcome.all_results if r.failure), *tested.failures])),
        interrupted=outcome.interrupted or tested.interrupted,
        phases=checked.phases,
    )


def _versions() -> Settings:
    return {
        "ecodyn": __version__,
        "versions": {"python": platform.python_version(), **{package: version(package) for package in NUMERICAL}},
        "forecast_origins": list(ORIGINS),
    }


def summed_up(warnings: Sequence[str], of: str = "fits") -> list[str]:
    """One sentence a kind of warning: those that differ only in their numbers are counted, each being ``of`` one thing.

    Examples
    --------
    >>> summed_up(["2 values are negative", "3 values are negative"])
    ['2 values are negative (so in 2 fits)']
    """
    kinds: dict[str, list[str]] = {}
    for text in warnings:
        kinds.setdefault(re.sub(r"[\d.e+-]+", "#", text), []).append(text)
    return [t[0] if len(t) == 1 else f"{t[0]} (so in {len(t)} {of})" for t in kinds.values()]


def holm(windows: Sequence[WindowResult]) -> list[WindowResult]:
    """Mark which verdicts stand when several windows are asked at once (Holm 1979)."""
    claims = {i: w.verdict.p_value or 0.0 for i, w in enumerate(windows) if w.verdict.status in NAMING}
    stand = (adjusted(np.array(list(claims.values())), HOLM) <= 1 - CLAIM_LEVEL).tolist()
    holds = dict(zip(claims, stand, strict=True))
    return [
        replace(w, verdicts={**w.verdicts, w.headline: replace(w.verdict, holds=holds.get(i, True))})
        for i, w in enumerate(windows)
    ]
