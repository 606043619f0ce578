"""What is seen on the figures of a page, in words: for those who hear the page, and where a figure doesn't load."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ecodyn.comparison.model_score import ModelScore
from ecodyn.comparison.result import Comparison
from ecodyn.comparison.telling import left_in, telling_models, telling_runs
from ecodyn.comparison.window_result import WindowResult
from ecodyn.families.coefficients import coefficients_of
from ecodyn.families.formula_model import FormulaModel
from ecodyn.families.law import Law
from ecodyn.families.model_name import FAMILY, KINDS
from ecodyn.report.comparison.skill_figures import MOST_CURVES
from ecodyn.report.formatting import interval, number, percent, steps
from ecodyn.tables.names import listed

__all__ = [
    "coefficients_seen",
    "horizons_seen",
    "phases_seen",
    "rollouts_seen",
    "skills_seen",
    "telling_runs_seen",
]

MOST_LISTED = 6  # models of a kind; the table has all


def skills_seen(w: WindowResult, protocol: str) -> str:
    """Mean skills with their intervals, the best of each kind of model."""
    parts = []
    for kind in KINDS:
        skills = [
            f"{m.label} {number(m.skill)}{_in_brackets(m)}"
            for m in w.of(protocol)
            if m.kind == kind and m.family != "persistence"
        ]
        if skills:
            parts.append(f"{kind}: {listed(skills, MOST_LISTED)}")
    return f"Mean skill of each model with its 95 % interval and a dot for each run. {'; '.join(parts)}."


def horizons_seen(w: WindowResult, protocol: str) -> str:
    """From where to where each family's curve goes."""
    first, last = w.window
    parts = []
    for m in [m for m in w.of(protocol) if m.skill_by_horizon is not None and m.kind == FAMILY][:MOST_CURVES]:
        curve = m.skill_by_horizon
        known = [] if curve is None else [(h, s) for h, s in zip(curve.horizons, curve.skill, strict=True) if s == s]
        if known:
            (begin, low), (_, high) = known[0], known[-1]
            start = first + begin * (last - first)
            parts.append(f"{m.label} from {number(low)} until step {start:.0f} to {number(high)} until step {last:g}")
    return f"Skill of each family against the horizon. {'; '.join(parts)}."


def telling_runs_seen(w: WindowResult, protocol: str) -> str:
    """What each model shown leaves unexplained of each run shown."""
    runs = telling_runs(w, protocol)
    columns = ", ".join(f"the {word} run ({run})" for word, run in runs.items())
    rows = "; ".join(f"{m.label} {_lefts(m, list(runs.values()))}" for m in telling_models(w, protocol))
    return f"Rollouts over the data, a row for each model, a column for {columns}. Left unexplained in them: {rows}."


def rollouts_seen(w: WindowResult, protocol: str, run: int) -> str:
    """What each family leaves unexplained of one run."""
    families = [m for m in w.of(protocol) if m.kind == FAMILY and run in w.drawn.get((protocol, m.name), {})]
    parts = [f"{m.label} {_lefts(m, [run])}" for m in families[:MOST_LISTED]]
    return f"Rollouts over the data of run {run}, a panel for each family. Left unexplained: {'; '.join(parts)}."


def coefficients_seen(law: Law | FormulaModel, name: str) -> str:
    """How many coefficients there are, and which of them say little."""
    found = coefficients_of(law)
    zero = [c.term for c in found if c.low is not None and c.high is not None and c.low <= 0.0 <= c.high]
    doubtful = [c.term for c in found if c.identified is False]
    parts = [f"{len(found)} coefficients of {name}"]
    parts += [f"intervals of {listed(zero, MOST_LISTED)} contain zero"] if zero else []
    parts += [f"two halves of the runs disagree on {listed(doubtful, MOST_LISTED)}"] if doubtful else []
    return "; ".join(parts) + "."


def phases_seen(comparison: Comparison) -> str:
    """The best family and the best null of each window."""
    parts = []
    for w in comparison.windows:
        scores = w.of(w.headline)
        best = [max((m for m in scores if m.kind == kind), key=_skill, default=None) for kind in (FAMILY, "null")]
        said = ", ".join(f"{m.label} {number(m.skill)}" for m in best if m is not None)
        parts.append(f"steps {steps(w.window)}: {said}")
    return f"Mean skill of each family by window. Best family and best null: {'; '.join(parts)}."


def _skill(m: ModelScore) -> float:
    return float(np.nan_to_num(m.skill, nan=-np.inf))


def _in_brackets(m: ModelScore) -> str:
    ends = interval(m.skill_interval.low, m.skill_interval.high)
    return f" ({ends})" if "to" in ends else ""


def _lefts(m: ModelScore, runs: Sequence[int]) -> str:
    lefts = [left_in(m, run) for run in runs]
    return ", ".join(percent(left) if np.isfinite(left) else "diverged" for left in lefts)
