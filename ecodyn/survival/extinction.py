"""When the dead died, in what order, and how often features overtook one another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ecodyn.arrays import Array
from ecodyn.comparison.scores import order_crossing
from ecodyn.survivors.rules import HALF
from ecodyn.survivors.survivors import Survivors, stored_at
from ecodyn.trajectories import Trajectories


@dataclass(frozen=True, eq=False)
class Deaths:
    """When features died.

    Attributes
    ----------
    steps : (run, feature); NaN for survivors, for what is still up, and in runs without survivors
    order : (run, feature), 1 for the first to die, equal steps sharing their mean rank; NaN as above
    """

    steps: Array
    order: Array


def deaths(runs: Trajectories, survivors: Survivors, level: float = HALF) -> Deaths:
    """The first stored step from which on a feature stays below `level` times the survivors' median signal there.

    Rules look at one step and most of them at all features, so that the step at which a rule first leaves a feature
    out says little of that feature: at the start the study's first rule leaves out all. The survivors' own level is
    there at every step.

    Raises
    ------
    ValueError
        The level is not between 0 and 1.

    Examples
    --------
    >>> from ecodyn import Trajectories
    >>> from ecodyn.survival import deaths, survivors
    >>> steps, rates = np.arange(41.0), np.array([0.001, 0.002, 0.05, 0.08, 0.11])
    >>> runs = Trajectories([80 * np.exp(-rates * steps[:, None])], steps)
    >>> deaths(runs, survivors(runs)).order.tolist()
    [[nan, nan, 3.0, 2.0, 1.0]]
    """
    if not 0 < level < 1:
        raise ValueError(f"expected a level between 0 and 1 of the survivors' median, got {level}; {HALF} is usual")
    runs, steps = runs.complete(), np.full(survivors.alive.shape, np.nan)
    for r, alive in enumerate(survivors.alive):
        end = stored_at(runs, r, float(survivors.steps[r]))
        signal, times = runs.values[r, : end + 1], runs.times[r, : end + 1]
        if not alive.any():
            continue
        below = signal < level * np.median(signal[:, alive], axis=1, keepdims=True)
        since = np.where(below.all(axis=0), 0, len(times) - np.argmin(below[::-1], axis=0))
        dead = ~alive & below[-1]
        steps[r, dead] = times[since[dead]]
    return Deaths(steps, np.array([_ranks(row) for row in steps]))


@dataclass(frozen=True, eq=False)
class RankChanges:
    """How the order of features at the end differs from that at the start.

    Attributes
    ----------
    crossed : share of pairs of features (run,) whose order is another
    tau : Kendall's τ (run,) of the two orders: 1 is no change; NaN where a signal is the same for all
    """

    crossed: Array
    tau: Array


def rank_changes(runs: Trajectories, survivors: Survivors, start: float | None = None) -> RankChanges:
    """Compare the order of signals at `start`, the first step by default, with that where survivors are judged.

    Raises
    ------
    UnusableDataError
        A run does not have the step `start`.

    Examples
    --------
    >>> from ecodyn import Trajectories
    >>> from ecodyn.survival import rank_changes, survivors
    >>> runs = Trajectories([[[80.0, 81.0, 82.0, 83.0], [79.0, 70.0, 5.0, 6.0]]], [0, 40])
    >>> rank_changes(runs, survivors(runs)).crossed.round(3).tolist()  # 5 of 6 pairs
    [0.833]
    """
    from scipy.stats import kendalltau

    runs = runs.complete()
    crossed, tau = [], []
    for r, step in enumerate(survivors.steps):
        first = 0 if start is None else stored_at(runs, r, start)
        ends = runs.values[r, [first, stored_at(runs, r, float(step))]]
        crossed.append(order_crossing(ends))
        tau.append(float(kendalltau(*ends).statistic) if np.ptp(ends, axis=1).all() else np.nan)
    return RankChanges(np.array(crossed), np.array(tau))


def _ranks(steps: Array) -> Array:
    from scipy.stats import rankdata

    return np.asarray(rankdata(steps, nan_policy="omit") if np.isfinite(steps).any() else steps)
