"""A law from one trajectory: family, coupling, degree, smoothing and threshold chosen by rollouts inside it."""

from __future__ import annotations

from ecodyn.comparison.automatic.choice import best_law
from ecodyn.comparison.automatic.result import BestLaw, CandidateLaw

__all__ = ["BestLaw", "CandidateLaw", "best_law"]
