"""What a law has to see of a run before its rollouts start, and which laws and data that is too much for."""

from __future__ import annotations

from collections.abc import Sequence

from ecodyn.errors import UnusableDataError
from ecodyn.rollouts.iteration import MAP
from ecodyn.trajectories.state import history_of

__all__ = ["check_history", "check_steps"]


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
