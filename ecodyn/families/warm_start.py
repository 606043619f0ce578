"""Where rollouts of a law start in runs: at the first step, or after those that it has to see first."""

from __future__ import annotations

import numpy as np

from ecodyn.arrays import Array
from ecodyn.errors import UnusableDataError
from ecodyn.families.history import check_spacing
from ecodyn.families.model import FittedModel
from ecodyn.trajectories import Trajectories

__all__ = ["less_of", "started", "what_for"]


def what_for(law: FittedModel) -> str:
    """What a law's first steps of a run are for, as a sentence goes on."""
    if law.channels == law.measured:
        return "which are the history of its delayed signals"
    return "from which hidden variables are estimated"


def less_of(law: FittedModel) -> str:
    """What takes fewer of them."""
    return "fewer delayed signals in its state" if law.channels == law.measured else "a smaller warm_up"


def started(law: FittedModel, runs: Trajectories) -> tuple[Array, Trajectories]:
    """States (run, feature, channel) that rollouts start from, and the runs from there on.

    Runs begin at complete steps. A law with delayed signals, or whose hidden variables have starting values of each
    run's own, sees the first few steps of it.
    """
    if not law.warm_up:
        first = np.zeros(runs.n_runs, dtype=np.intp)
        return law.with_hidden(runs.state(law.state), runs.times, first)[:, 0], runs
    complete = [np.flatnonzero(~runs.missing[r, :n].any(axis=1)) for r, n in enumerate(runs.lengths)]
    if short := sum(len(rows) <= law.warm_up for rows in complete):
        raise UnusableDataError(
            f"expected runs of more than {law.warm_up} complete steps, {what_for(law)}, got "
            f"fewer in {short} of {runs.n_runs}; leave these out, or fit the law with {less_of(law)}"
        )
    first = np.array([rows[law.warm_up] for rows in complete], dtype=np.intp)
    histories = [runs.times[r, rows[: law.warm_up + 1]] for r, rows in enumerate(complete)]
    check_spacing(law.channels, law.step, histories)
    states = law.with_hidden(runs.state(law.state), runs.times, first)
    return states[np.arange(runs.n_runs), first], runs.after(first.tolist())
