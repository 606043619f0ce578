"""The study's experiments (arXiv 2405.17420) as recipes: trainings, what is measured on them, and the claim it judges.

Everything public is listed in ``__all__`` and loaded on first use, since torch takes seconds to import.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ecodyn.runtime.lazy import lazily

if TYPE_CHECKING:
    from ecodyn.reproduction.experiment import Experiment
    from ecodyn.reproduction.finding import Check, Finding
    from ecodyn.reproduction.registry import EXPERIMENTS
    from ecodyn.reproduction.scale import SCALES, Scale
    from ecodyn.reproduction.study import InterruptedReproduction, Reproduction, reproduce

_HOME = {
    "EXPERIMENTS": "registry",
    "SCALES": "scale",
    "Check": "finding",
    "Experiment": "experiment",
    "Finding": "finding",
    "InterruptedReproduction": "study",
    "Reproduction": "study",
    "Scale": "scale",
    "reproduce": "study",
}

__all__ = [
    "EXPERIMENTS",
    "SCALES",
    "Check",
    "Experiment",
    "Finding",
    "InterruptedReproduction",
    "Reproduction",
    "Scale",
    "reproduce",
]


__getattr__, __dir__ = lazily(__name__, {name: f"{__name__}.{module}" for name, module in _HOME.items()})
