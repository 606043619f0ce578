"""What `train` raises when some runs of a population have no result: it carries those that have one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ecodyn.trajectories import Trajectories
from ecodyn.trajectories.parts import some

__all__ = ["IncompleteTrainingError", "InterruptedTraining"]

MOST_REASONS = 3  # that a message gives, so that it stays a sentence


class InterruptedTraining(KeyboardInterrupt):
    """Ctrl-C during a population.

    Attributes
    ----------
    finished : Trajectories or None
        Of the runs that had finished, None if none had.
    missing : list of int
        Labels of the other runs.
    """

    def __init__(self, finished: Trajectories | None, missing: Sequence[int]) -> None:
        super().__init__(f"interrupted; runs not finished: {some(missing)}")
        self.finished = finished
        self.missing = list(missing)


class IncompleteTrainingError(RuntimeError):
    """Some runs of a population have no result; the others were trained to the end.

    Attributes
    ----------
    finished : Trajectories or None
        Of the runs that were trained, None if none was.
    failures : dict of str by int
        Why each of the other runs was not, by label.
    resumable : bool
        Whether to train again may help: a process was lost, rather than a training diverged.
    """

    def __init__(self, finished: Trajectories | None, failures: Mapping[int, str], *, resumable: bool) -> None:
        super().__init__(f"runs not trained: {some(failures)}: {some(dict.fromkeys(failures.values()), MOST_REASONS)}")
        self.finished = finished
        self.failures = dict(failures)
        self.resumable = resumable
