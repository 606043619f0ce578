"""What a law has to see of a run before its rollouts start, and which laws and data that is too much for."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from ecodyn.arrays import Array
from ecodyn.errors import UnusableDataError
from ecodyn.rollouts.iteration import MAP, UNEVEN
from ecodyn.trajectories.state import history_of, lag_of, name_of

__all__ = ["check_history", "check_names", "check_spacing", "check_steps"]


def check_history(channels: Sequence[str], dynamics: str) -> None:
    """Refuse delayed signals in what is no map.

    Raises
    ------
    ValueError
        In a sentence.
    """
    if history_of(channels) and dynamics != MAP:
        raise ValueError(
            f"expected dynamics='map' for the state {','.join(channels)}, got a {dynamics}: a flow of delayed signals "
            "is a delay differential equation, which is not solved here; fit a map, or a law with hidden variables"
        )


def check_steps(channels: Sequence[str], shortest: int, least: int) -> None:
    """Refuse runs with fewer steps than a fit takes, beside those that are history.

    Raises
    ------
    UnusableDataError
        In a sentence.
    """
    history = history_of(channels)
    if shortest < least + history:
        beside = f", beside the {history} that are the history of delayed signals" if history else ""
        raise UnusableDataError(
            f"expected at least {least} steps to fit a differential equation to{beside}, got {shortest} sample(s) in "
            "the shortest run: widen the window or leave that run out"
        )


def check_names(channels: Sequence[str], others: Collection[str], what: str) -> None:
    """Refuse delayed signals whose name in equations, ``lag1``, is that of something else.

    Parameters
    ----------
    channels : of the state
    others : names of inputs or observables of the data
    what : these are

    Raises
    ------
    UnusableDataError
        In a sentence.
    """
    taken = [name_of(channel) for channel in channels if lag_of(channel) and name_of(channel) in others]
    if taken:
        raise UnusableDataError(
            f"expected other names than {', '.join(taken)}, which equations have for delayed signals, got {what} of "
            f"that name beside the state {','.join(channels)}: rename it, or leave the delays out"
        )


def check_spacing(channels: Sequence[str], step: float | None, histories: Sequence[Array]) -> None:
    """Refuse runs whose history is of other steps than the map's.

    Parameters
    ----------
    channels : of the state
    step : the map's h
    histories : for each run the times (step,) of its history and of the start of its rollout

    Raises
    ------
    UnusableDataError
        In a sentence.
    """
    if step is None or not history_of(channels):
        return
    gaps = [np.diff(times) for times in histories]
    wrong = [float(own[np.argmax(np.abs(own - step))]) for own in gaps if np.abs(own - step).max() > UNEVEN * step]
    if wrong:
        raise UnusableDataError(
            f"expected stored steps {step:g} apart before each rollout's start, the map's h by which delayed signals "
            f"are earlier, got {wrong[0]:g} in {len(wrong)} of {len(gaps)} runs: give runs stored like those of the "
            "fit, complete where they start"
        )
