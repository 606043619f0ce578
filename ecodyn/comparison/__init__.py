"""Comparison of equation families on what they have not seen: protocols, scores, verdict."""

from ecodyn.comparison.compare import InterruptedComparison, compare
from ecodyn.comparison.phases import Phases, find_phases
from ecodyn.comparison.result import Comparison, ModelScore
from ecodyn.comparison.verdict import Verdict, decide
from ecodyn.errors import NothingFittedError

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
