"""What the protocols of a comparison are called: families are asked for what each of them needs."""

from __future__ import annotations

__all__ = ["FORECAST", "IN_SAMPLE", "PROTOCOLS", "UNSEEN_RUNS"]

UNSEEN_RUNS = "unseen_runs"
"""Fitted to some runs, scored on rollouts of the others."""
FORECAST = "forecast"
"""Fitted to the beginning of each run, scored on its continuation."""
IN_SAMPLE = "in_sample"
"""Fitted to and scored on the same runs."""
PROTOCOLS = (UNSEEN_RUNS, FORECAST, IN_SAMPLE)
