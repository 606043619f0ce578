"""Comparison of equation families on what they have not seen: check, plan, run, judge, answer."""

from ecodyn.comparison.compare import InterruptedComparison, compare
from ecodyn.comparison.model_score import ModelScore
from ecodyn.comparison.phases import Phases, find_phases
from ecodyn.comparison.request import Request
from ecodyn.comparison.result import Comparison
from ecodyn.comparison.verdict import Verdict, decide

__all__ = [
    "Comparison",
    "InterruptedComparison",
    "ModelScore",
    "Phases",
    "Request",
    "Verdict",
    "compare",
    "decide",
    "find_phases",
]
