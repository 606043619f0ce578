"""Runs that are read later, for fits that need them in memory: all of them, or a seeded sample of what fits there."""

from __future__ import annotations

import warnings
from typing import TypeGuard

import numpy as np

from ecodyn.errors import DataWarning
from ecodyn.estimation.many_runs import Runs
from ecodyn.trajectories import Trajectories

__all__ = ["in_memory", "is_read_later"]

MOST_LOADED = 2**30  # bytes of values: fits such as those of networks hold a few copies of them


def is_read_later(data: object) -> TypeGuard[Runs]:
    """Whether data are runs that are read when they are asked for."""
    return not isinstance(data, Trajectories) and all(hasattr(data, name) for name in ("shards", "runs_of", "n_runs"))


def in_memory(runs: Runs, name: str, seed: int) -> Trajectories:
    """All runs, or a seeded sample of as many as there is memory for, which is said.

    Parameters
    ----------
    runs : as they are read
    name : of the family that needs them
    seed : of the sample
    """
    first = next(iter(runs.shards()))
    most = max(1, MOST_LOADED * first.n_runs // first.values.nbytes)
    if runs.n_runs <= most:
        return runs.runs_of(range(runs.n_runs))
    chosen = np.sort(np.random.default_rng(seed).choice(runs.n_runs, most, replace=False))
    warnings.warn(
        f"{name} needs runs in memory: it is fitted to {most} of {runs.n_runs}, drawn with seed {seed}; linear, "
        "lotka_volterra and sindy under couplings that share coefficients are fitted to all of them",
        DataWarning,
        stacklevel=4,
    )
    return runs.runs_of(chosen.tolist())
