"""What is raised where only some of several logs could be extracted; both carry what was."""

from __future__ import annotations

from collections.abc import Sequence

from ecodyn.errors import UnusableDataError
from ecodyn.trajectories import Trajectories

__all__ = ["IncompleteExtractionError", "InterruptedExtraction"]


class InterruptedExtraction(KeyboardInterrupt):
    """Ctrl-C during an extraction.

    Attributes
    ----------
    finished
        Trajectories of the runs that were finished, None if none was.
    missing
        The other runs.
    """

    def __init__(self, finished: Trajectories | None, missing: list[str]) -> None:
        super().__init__(f"interrupted; runs not extracted: {', '.join(missing)}")
        self.finished = finished
        self.missing = missing


class IncompleteExtractionError(UnusableDataError):
    """Some logs could not be extracted; the others were.

    Attributes
    ----------
    finished
        Trajectories of the other runs.
    failures
        A sentence on each log that could not be extracted.
    """

    def __init__(self, finished: Trajectories, failures: Sequence[str]) -> None:
        super().__init__(
            f"{len(failures)} {'run' if len(failures) == 1 else 'runs'} could not be extracted: {'; '.join(failures)}"
        )
        self.finished = finished
        self.failures = tuple(failures)
