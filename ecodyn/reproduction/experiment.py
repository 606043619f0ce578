"""What an experiment is: a row of the study's checklist, the trainings it takes, who examines and who draws them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ecodyn.reproduction.cache import TrainingCache
from ecodyn.reproduction.finding import Finding

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Experiment"]


@dataclass(frozen=True)
class Experiment:
    """One row of the study.

    Attributes
    ----------
    row
        Its number in the checklist; 0 is the check of short trainings against finished ones.
    name
        As the command has it.
    section
        Of the paper.
    title
        A line for headings.
    needs
        Names of the trainings it takes, in `ecodyn.reproduction.trainings.TRAININGS`.
    examine
        From the trainings to what was found.
    draw
        From what was found to a figure.
    """

    row: int
    name: str
    section: str
    title: str
    needs: tuple[str, ...]
    examine: Callable[[TrainingCache], Finding]
    draw: Callable[[Finding], Figure]

    @property
    def file(self) -> str:
        """What its files' names begin with."""
        return f"{self.row:02d}_{self.name}"
