"""Runs of several origins as one data set, with what is known of them beside what each part says."""

from __future__ import annotations

from collections.abc import Sequence

from ecodyn.trajectories.joining import Known, joined
from ecodyn.trajectories.trajectories import Trajectories

__all__ = ["Known", "together"]


def together(parts: Sequence[Trajectories], known: Known) -> Trajectories:
    """As `Trajectories.concat`, of parts of which more is known.

    Raises
    ------
    UnusableDataError
        The parts have other features, or belong to networks of another p.
    """
    return Trajectories(**joined([part._data for part in parts], known=known))
