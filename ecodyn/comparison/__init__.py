"""Comparison of equation families on what they have not seen: check, plan, run, judge, answer.

Examples
--------
Four runs that grow by a tenth a step up to step 50, and then decay at a fifth of that rate:

>>> import numpy as np
>>> from ecodyn import Trajectories, find_phases
>>> steps, start = np.arange(101.0), np.linspace(1.0, 2.0, 12).reshape(4, 1, 3)
>>> log_size = np.where(steps < 50, 0.1 * steps, 5 - 0.02 * (steps - 50))
>>> phases = find_phases(Trajectories(start * np.exp(log_size)[:, None], steps))
>>> [(phase.window, phase.label) for phase in phases.phases]
[((0.0, 50.0), 'growth'), ((50.0, 100.0), 'decay')]
"""

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
