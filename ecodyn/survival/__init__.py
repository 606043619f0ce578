"""Who survives, and what predicted it."""

from ecodyn.survival.clustered import Estimate, clustered_mean
from ecodyn.survival.found import DEFAULT_RULE, Survivors, survivors
from ecodyn.survival.rules import RULES

__all__ = ["DEFAULT_RULE", "RULES", "Estimate", "Survivors", "clustered_mean", "survivors"]
