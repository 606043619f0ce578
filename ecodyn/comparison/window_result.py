"""All that is said over one window: scores of models and pairs, and a verdict for each protocol that ranks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from ecodyn.arrays import Array
from ecodyn.comparison.agreement import Agreement
from ecodyn.comparison.bands import HeldOutErrors
from ecodyn.comparison.budget_check import BudgetCheck
from ecodyn.comparison.feature_bands import FeatureErrors
from ecodyn.comparison.model_score import ModelScore, Pair, Start, Window
from ecodyn.comparison.surrogate_result import SurrogateTest
from ecodyn.comparison.verdict import Verdict
from ecodyn.families.model_name import KINDS, ModelName
from ecodyn.runtime.json_values import number, pair

__all__ = ["WindowResult", "WindowsWithTests"]

Drawn = dict[int, tuple[Array, Array]]


@dataclass(frozen=True, kw_only=True)
class WindowResult:
    """All scores over one window, and the verdict of each protocol that ranks.

    Attributes
    ----------
    window : (first step, last step)
    headline : the protocol whose verdict is the window's
    verdicts : by protocol
    models, pairs, start : scores, of single models, of pairs, and of the starting signal
    noise_share : what measurement noise alone leaves unexplained, mean over runs
    drawn : rollouts by protocol and model, each (times, values) by run: on unseen runs of all runs, or of as many as
        there is room for; of forecasts of the first three
    truth : the data of these runs
    errors : by model how far its rollouts on unseen runs are off, from which prediction bands are made:
        ``errors[name].band(0.9)``; like ``drawn`` and ``truth`` it is not in report.json, where it would outweigh the
        rest, so that a report that was read draws no rollouts and bands
    feature_errors : by law the same of each feature by itself, for narrower bands; not in report.json either
    surrogates : tests against surrogates of the data
    budget : what a further budget would change; None where it was not asked, or nothing was ranked
    agreement : what random halves of the runs make of the families in the confidence set; None where it was not asked
    """

    window: Window
    headline: str
    verdicts: dict[str, Verdict]
    models: list[ModelScore]
    pairs: list[Pair]
    start: Start
    noise_share: float
    drawn: dict[tuple[str, ModelName], Drawn] = field(default_factory=dict, repr=False)
    truth: Drawn = field(default_factory=dict, repr=False)
    errors: dict[ModelName, HeldOutErrors] = field(default_factory=dict, repr=False)
    feature_errors: dict[ModelName, FeatureErrors] = field(default_factory=dict, repr=False)
    surrogates: tuple[SurrogateTest, ...] = ()
    budget: BudgetCheck | None = None
    agreement: Agreement | None = None

    @property
    def verdict(self) -> Verdict:
        """The verdict of the headline's protocol."""
        return self.verdicts[self.headline]

    def of(self, protocol: str) -> list[ModelScore]:
        """The models scored under a protocol, families by mean loss, then the rest."""
        scored = (m for m in self.models if m.protocol == protocol)
        return sorted(scored, key=lambda m: (KINDS.index(m.kind), m.mean_loss))

    def to_json(self) -> dict[str, object]:
        """What report.json says of the window besides its models and pairs."""
        return {
            "window": self.window,
            "headline": self.headline,
            "verdict": self.verdict.to_json(),
            "verdicts": {protocol: verdict.to_json() for protocol, verdict in self.verdicts.items()},
            "start": vars(self.start),
            "noise_share": self.noise_share,
            "surrogates": [test.to_json() for test in self.surrogates],
            "budget": None if self.budget is None else self.budget.to_json(),
            "agreement": None if self.agreement is None else self.agreement.to_json(),
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any], models: list[ModelScore], pairs: list[Mapping[str, Any]]) -> Self:
        """The inverse of `to_json`, with the window's own models and records of pairs."""
        names = {m.label: m.name for m in models}
        budget, agreement = document.get("budget"), document.get("agreement")  # reports of before have none
        return cls(
            window=pair(document["window"]),
            headline=document["headline"],
            verdicts={protocol: Verdict.from_json(verdict) for protocol, verdict in document["verdicts"].items()},
            models=models,
            pairs=[Pair.from_json(pair, names) for pair in pairs],
            start=Start.from_json(document["start"]),
            noise_share=number(document["noise_share"]),
            surrogates=tuple(SurrogateTest.from_json(test) for test in document["surrogates"]),
            budget=None if budget is None else BudgetCheck.from_json(budget),
            agreement=None if agreement is None else Agreement.from_json(agreement),
        )


@dataclass(frozen=True)
class WindowsWithTests:
    """Windows' results with what was asked beyond the verdict: surrogates, a further budget, random halves.

    Attributes
    ----------
    windows : as they were given, those that were tested with their tests
    notes : why tests are missing
    failures : what was lost with a worker process, or could not be fitted
    interrupted : whether the user ended it; windows that were tested by then have their tests
    """

    windows: list[WindowResult]
    notes: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()
    interrupted: bool = False
