"""What a test against surrogates found, and the sentence that a reader may take from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from ecodyn.arrays import Array
from ecodyn.families.model_name import ModelName
from ecodyn.runtime.json_values import number, numbers, pair

SURROGATE_LEVEL = 0.05  # p-values up to it count as "better on the data than on surrogates"
CONCLUSIONS = {
    "run_shuffled": "a coupling between the features of a run is not shown",
    "phase_randomised": "that it describes more than trend and smoothness is not shown",
}


@dataclass(frozen=True, kw_only=True)
class SurrogateTest:
    """One family's scores on the data beside those on surrogates of them, on unseen runs.

    Attributes
    ----------
    kind : "run_shuffled" or "phase_randomised"
    model : the family; protocol, window : under which and over which it is scored
    skill, loss : mean over independent runs on the data; the loss is that of log(unexplained)
    skills, losses : arrays (surrogate,), the same on each surrogate; NaN where the family could not be fitted
    failed : how many that were
    p_value : (1 + #{surrogates with a loss as low as the data's}) / (1 + surrogates)
    """

    kind: str
    model: ModelName
    protocol: str
    window: tuple[float, float]
    skill: float
    skills: Array
    loss: float
    losses: Array
    failed: int
    p_value: float

    @property
    def better(self) -> bool:
        """Whether the family does better on the data than on surrogates, at the 5 % level."""
        return self.p_value <= SURROGATE_LEVEL

    @property
    def surrogate_skill(self) -> float:
        """Mean skill over the surrogates that could be fitted; NaN if none could."""
        fitted = self.skills[np.isfinite(self.skills)]
        return float(fitted.mean()) if len(fitted) else float("nan")

    @property
    def sentence(self) -> str:
        """What was found, and what follows from it."""
        kind = self.kind.replace("_", "-")
        scores = f"skill {self.skill:.3f} against {self.surrogate_skill:.3f}, p = {self.p_value:.2g}"
        if self.better:
            return f"{self.model} does better on the data than on {kind} surrogates of them ({scores})."
        conclusion = CONCLUSIONS[self.kind]
        return f"{self.model} does no better on the data than on {kind} surrogates of them ({scores}): {conclusion}."

    def to_json(self) -> dict[str, object]:
        """The record of report.json."""
        return {
            **vars(self),
            "model": str(self.model),
            "name": self.model.to_json(),
            "surrogate_skill": self.surrogate_skill,
            "better": self.better,
            "sentence": self.sentence,
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`, null being NaN."""
        return cls(
            kind=document["kind"],
            model=ModelName.from_json(document["name"]),
            protocol=document["protocol"],
            window=pair(document["window"]),
            skill=number(document["skill"]),
            skills=numbers(document["skills"]),
            loss=number(document["loss"]),
            losses=numbers(document["losses"]),
            failed=document["failed"],
            p_value=document["p_value"],
        )
