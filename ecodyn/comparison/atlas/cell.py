"""What came of one cell of a grid of settings."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from ecodyn.comparison.atlas.cells import Place, Value, as_json, cell_name
from ecodyn.comparison.candidate import NAMING
from ecodyn.comparison.model_score import ModelScore
from ecodyn.comparison.result import Comparison
from ecodyn.comparison.verdict import Verdict
from ecodyn.comparison.window_result import WindowResult
from ecodyn.families.model_name import FAMILY
from ecodyn.statistics.intervals import Estimate

__all__ = ["FAILED", "AtlasCell"]

FAILED = "failed"  # the status of a cell that could not be compared


@dataclass(frozen=True, kw_only=True)
class AtlasCell:
    """One cell: its comparison, or why there is none, and what of its claims stands over all cells.

    Attributes
    ----------
    by, place : names of the settings, and this cell's value of each
    runs, clusters : how many, and how many of them are independent
    comparison : None where the cell could not be compared
    failure : why not, in a sentence; "" where it could be
    survivors : mean number of survivors at the runs' last steps, with its interval over clusters; None where the rule
        can't tell
    adjusted : p-value of each window's claim, adjusted over all cells and windows; NaN where nothing is claimed
    level : what is claimed stands where this p-value is at most 1 − level
    """

    by: tuple[str, ...]
    place: Place
    runs: int
    clusters: int
    comparison: Comparison | None
    failure: str = ""
    survivors: Estimate | None = None
    adjusted: tuple[float, ...] = ()
    level: float = math.nan

    @property
    def name(self) -> str:
        """As --select has it, such as dim=64,weight_decay=0.5."""
        return cell_name(self.by, self.place)

    @property
    def setting(self) -> dict[str, Value]:
        """The value of each setting."""
        return dict(zip(self.by, self.place, strict=True))

    @property
    def windows(self) -> list[WindowResult]:
        """The comparison's, none where it failed."""
        return self.comparison.windows if self.comparison else []

    @property
    def verdict(self) -> Verdict | None:
        """The headline's; None where the cell could not be compared."""
        return self.verdict_of(0)

    def verdict_of(self, window: int) -> Verdict | None:
        """That of a window; None where there is none."""
        return self.windows[window].verdict if window < len(self.windows) else None

    def status(self, window: int = 0) -> str:
        """The verdict's, or "failed"."""
        verdict = self.verdict_of(window)
        return FAILED if verdict is None else verdict.status

    def names_one(self, window: int = 0) -> bool:
        """Whether the verdict names a family."""
        return self.status(window) in NAMING

    def holds(self, window: int = 0) -> bool:
        """Whether it names a family, and that stands over all cells."""
        return self.names_one(window) and self.adjusted[window] <= 1 - self.level

    def families(self, window: int = 0) -> dict[str, ModelScore]:
        """Of each family under the headline's protocol, the model with the lowest loss."""
        part = self.windows[window] if window < len(self.windows) else None
        found: dict[str, ModelScore] = {}
        for m in part.of(part.headline) if part else ():  # the lowest losses come first
            if m.kind == FAMILY:
                found.setdefault(m.family, m)
        return found

    def best(self, window: int = 0) -> ModelScore | None:
        """The scores of the model that the verdict names; None where it names none."""
        verdict = self.verdict_of(window)
        if verdict is None or verdict.best is None:
            return None
        part = self.windows[window]
        return next((m for m in part.of(part.headline) if m.name == verdict.best), None)

    def to_json(self, report: str) -> Mapping[str, object]:
        """What atlas.json says of it; ``report`` is where its own report is."""
        return {
            "setting": {name: as_json(value) for name, value in self.setting.items()},
            "runs": self.runs,
            "clusters": self.clusters,
            "failure": self.failure or None,
            "survivors": None if self.survivors is None else self.survivors.to_json(),
            "report": report if self.comparison else None,
            "windows": [
                {
                    "window": w.window,
                    "protocol": w.headline,
                    "status": w.verdict.status,
                    "best": None if w.verdict.best is None else w.verdict.best.to_json(),
                    "statement": w.verdict.statement,
                    "p_value": w.verdict.p_value,
                    "adjusted_p_value": self.adjusted[i],
                    "holds_over_cells": self.holds(i),
                    "skills": {str(m.name): m.skill_interval.to_json() for m in self.families(i).values()},
                }
                for i, w in enumerate(self.windows)
            ],
        }
