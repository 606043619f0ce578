"""Comparison of equation families on what they have not seen: protocols, scores, verdict."""

from ecodyn.comparison.compare import InterruptedComparison, NothingFittedError, compare
from ecodyn.comparison.phases import Phases, find_phases
from ecodyn.comparison.result import Comparison, ModelScore
from ecodyn.comparison.verdict import Verdict, decide

__all__ = [
    "Comparison",
    "InterruptedComparison",
    "ModelScore",
    "NothingFittedError",
    "Phases",
    "Verdict",
    "compare",
    "decide",
    "find_phases",
]
