"""The chance that a verdict names the same family again, on as many fresh runs.

Fresh runs differ from these in two ways: other runs are scored, and the models were fitted to others. Both are in the
variance of a mean loss over F folds that share training runs, s²/R · (1 + F/(F − 1)) (Nadeau and Bengio 2003), and they
enter twice: the mean that these runs show is off the expected one by it, and so is that of fresh runs. Losses of fresh
runs are drawn as runs of these, chosen with replacement (which has s²/R of the variance), with their models' means
moved by what is left of it; the rule of the verdict is applied to each draw.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ecodyn.arrays import Array
from ecodyn.comparison.candidate import Candidate
from ecodyn.comparison.ranking import Rule, ranked, sharing_factor
from ecodyn.families.model_name import ModelName

__all__ = ["chance_to_repeat"]

DRAWS = 100  # the standard error of a chance is then at most 5 %, the steps in which it is printed
FLIPS = 400  # of signs in each draw: p-values of 5 % are then good to 1 %


def chance_to_repeat(candidates: Sequence[Candidate], best: ModelName, rule: Rule) -> float:
    """The share of draws of as many fresh runs in which the rule names the same family.

    Parameters
    ----------
    candidates : as the verdict had them
    best : the family that it names
    rule : of the verdict
    """
    losses = np.stack([c.losses for c in candidates], axis=1)
    runs = len(losses)
    order = np.lexsort(losses.T)  # the order of runs must not matter
    losses = losses[order]
    gross = np.stack([c.loss(gross=True) for c in candidates], axis=1)[order]
    variance = sharing_factor(rule.folds) ** 2 if rule.folds is not None and rule.folds > 1 else 1.0
    quick, rng = replace(rule, flips=FLIPS), np.random.default_rng(rule.seed)
    again = 0
    for _ in range(DRAWS):
        rows = rng.integers(runs, size=runs)
        shift = _shift(losses, rng) * math.sqrt(2 * variance - 1)
        drawn = [
            replace(c, losses=losses[rows, j] + shift[j], gross_losses=gross[rows, j] + shift[j])
            for j, c in enumerate(candidates)
        ]
        ranking, _ = ranked(drawn, quick)
        again += ranking is not None and ranking.best is not None and ranking.best.name == best
    return again / DRAWS


def _shift(losses: Array, rng: np.random.Generator) -> Array:
    """A draw from the normal distribution of the models' mean losses (model,) about their expectation."""
    runs = len(losses)
    weights = rng.normal(size=runs) / math.sqrt(runs * (runs - 1))
    with np.errstate(invalid="ignore"):  # a model without losses has no mean
        return np.asarray(weights @ (losses - losses.mean(axis=0)))
