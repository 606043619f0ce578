"""The experiments of ``coverage.py`` by name, and a cell: one of them under its settings."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.random import Generator

EQUAL, POWER, PARSIMONY, LEVEL_AT_MARGIN, NOISE, FOLDS, BOOTSTRAP = (
    "equal models",
    "one better",
    "a simpler one",
    "exactly the margin worse",
    "mostly noise",
    "shared training runs",
    "bootstrapped set",
)
TITLES = {
    EQUAL: "All models equal: how often the 90 % set keeps all, a given one, the one it keeps least",
    POWER: "One of three better by δ, σ the scatter of a paired difference: the set, and what is named",
    PARSIMONY: "The simpler of two worse by so many margins, σ in margins: which is named (decided, or tied and best)",
    LEVEL_AT_MARGIN: "The simplest exactly one margin worse than all others: how often it is named (nominal 5 %)",
    NOISE: "The same where 90 % of what the best leaves in all is measurement noise: by its rule that may be named",
    FOLDS: "Two models on folds that share training runs: how often a true difference is rejected (nominal 10 %)",
    BOOTSTRAP: "Beside arch's model confidence set, 5 models: the same set, and the best in it (all, if all are equal)",
}

Shares = dict[str, float]
Experiment = Callable[[Generator, int], Shares]


@dataclass(frozen=True)
class Cell:
    """One line of a table: an experiment under its settings."""

    experiment: str
    settings: dict[str, Any]
    run: Experiment = field(repr=False)

    def rng(self, seed: int) -> Generator:
        """A stream of its own, whatever other cells there are."""
        return np.random.default_rng([seed, zlib.crc32(repr((self.experiment, self.settings)).encode())])
