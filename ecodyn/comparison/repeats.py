"""The chance that a verdict names the same family again, on as many fresh runs.

Fresh runs differ from these in two ways: other runs are scored, and the models are fitted to others. Both enter twice:
the mean losses that these runs show are off the expected ones, and so are those of fresh runs. Losses of fresh runs are
drawn as runs of these, chosen with replacement, with their models' means moved by normal draws from the influence of
single runs (see ``training_scatter``); the rule of the verdict is applied to each draw.

Who is named is often named for being ahead by luck, and differences that were seen are then no guide to expected ones:
of a difference of z standard errors that is only looked at because it is over c, μ is expected where

    z = μ + φ(c − μ) / (1 − Φ(c − μ)),

far less than z where z is just over c, and z itself where it is far (the likelihood conditional on selection, as for
the winner's curse in genetics: Zhong and Prentice 2008). So all others are first moved ahead, against the family that
is named: from z over c to μ, though not past equality, from below c to equality, or by one standard error.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ecodyn.arrays import Array, Integers
from ecodyn.comparison.candidate import Candidate
from ecodyn.comparison.ranking import Ranking, Rule, ranked, sharing_factor
from ecodyn.families.model_name import ModelName

__all__ = ["chance_to_repeat"]

DRAWS = 100  # the standard error of a chance is then at most 5 %, the steps in which it is printed
NAMED = 2.0  # standard errors about which a family is named over another, see SHARED of the confidence set
CAUTION = 1.0  # standard errors against the family that is named, where it is not surely ahead
FAR = 40.0  # standard errors: there is no luck there, nor a number for the tail beyond
BISECTIONS = 50
FLIPS = 400  # of signs in each draw: p-values of 5 % are then good to 1 %


def chance_to_repeat(candidates: Sequence[Candidate], best: ModelName, rule: Rule) -> float:
    """The share of draws of as many fresh runs in which the rule names the same family.

    Parameters
    ----------
    candidates : as the verdict had them
    best : the family that it names
    rule : of the verdict
    """
    candidates = sorted(candidates, key=lambda c: c.order)
    named = [c.name for c in candidates].index(best)
    nets = _Means.of(candidates, rule, named, gross=False)
    alls = _Means.of(candidates, rule, named, gross=True)
    candidates = [c if c.training is None else replace(c, training=c.training[nets.order]) for c in candidates]
    quick, rng = replace(rule, flips=FLIPS), np.random.default_rng(rule.seed)
    runs, again = len(nets.losses), 0
    verdict, _ = ranked(candidates, rule)
    of_family = verdict is not None and verdict.coupling_open
    for _ in range(DRAWS):
        rows = rng.integers(runs, size=runs)
        scored, fitted = rng.normal(size=(2, runs))
        net, whole = (means.drawn(rows, scored, fitted) for means in (nets, alls))
        drawn = [
            replace(
                c,
                losses=net[:, j],
                gross_losses=whole[:, j],
                training=None if c.training is None else c.training[rows],
            )
            for j, c in enumerate(candidates)
        ]
        ranking, _ = ranked(drawn, quick)
        again += ranking is not None and _same(ranking, best, of_family)
    return again / DRAWS


def _same(ranking: Ranking, best: ModelName, of_family: bool) -> bool:
    """Whether a ranking names the same model, or the same family where the verdict left its coupling open."""
    if ranking.best is None:
        return False
    name = ranking.best.name
    if of_family:
        return replace(name, coupling=best.coupling) == best
    return name == best and not ranking.coupling_open


@dataclass(frozen=True, eq=False, kw_only=True)
class _Means:
    """Losses (run, model) in an order of their own, ``order`` (run,), and what each run moves their means by.

    ``against`` (model,) is by how much each is moved ahead against the one that is named.
    """

    order: Integers
    losses: Array
    influence: Array
    fitted: Array
    against: Array

    @classmethod
    def of(cls, candidates: Sequence[Candidate], rule: Rule, named: int, *, gross: bool) -> _Means:
        """Of losses less measurement noise, or of all that is left."""
        net = np.stack([c.losses for c in candidates], axis=1)
        order = np.lexsort(net.T)  # the order of runs must not matter
        losses = np.stack([c.loss(gross) for c in candidates], axis=1)
        fitted = _training(candidates, net, rule) * [c.moved_part(gross) for c in candidates]
        influence = (losses - losses.mean(axis=0)) / len(losses) + fitted
        influence, differences = influence[order], (influence - influence[:, [named]])[order]
        error = np.sqrt(np.sum(differences**2, axis=0))
        ahead = (losses - losses[:, [named]])[order].mean(axis=0)  # of the one that is named
        against = error * _luck(ahead / np.maximum(error, 1e-300))
        return cls(order=order, losses=losses[order], influence=influence, fitted=fitted[order], against=against)

    def drawn(self, rows: Integers, scored: Array, fitted: Array) -> Array:
        """Losses of fresh runs: these runs' means are off what is expected, and so are fresh ones.

        ``scored`` and ``fitted`` (run,) are normal draws: of the means here, and of what fresh models are fitted to.
        """
        shift = scored @ self.influence + fitted @ self.fitted
        return np.asarray(self.losses[rows] + shift - self.against)


def _luck(z: Array) -> Array:
    """What to take off differences of z standard errors (pair,) of which the one named is ahead, in standard errors."""
    from scipy.special import log_ndtr

    z = np.clip(z, -FAR, FAR)
    low, high = np.minimum(z, 0.0) - FAR, z.copy()
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        below = NAMED - middle
        hazard = np.exp(-0.5 * below**2 - 0.5 * math.log(2 * math.pi) - log_ndtr(-below))
        over = middle + hazard > z
        low, high = np.where(over, low, middle), np.where(over, middle, high)
    return np.where(z > NAMED, np.minimum(z - low, z), np.maximum(z, CAUTION))


def _training(candidates: Sequence[Candidate], losses: Array, rule: Rule) -> Array:
    """What each run moves the models' mean losses by (run, model), as something that is fitted to.

    Where that is not known: as much beside what is scored as it is on average, in proportion to it.
    """
    share = math.sqrt(sharing_factor(rule.folds) ** 2 - 1) if rule.folds is not None and rule.folds > 1 else 0.0
    columns = [
        share * (losses[:, j] - losses[:, j].mean()) / len(losses) if c.training is None else c.training
        for j, c in enumerate(candidates)
    ]
    return np.stack(columns, axis=1)
