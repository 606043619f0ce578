"""How many circles survive, and what an untrained embedding costs: rows 2 to 6 of the study."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecodyn.arrays import Array, Bools
from ecodyn.networks.modular_addition.pair_losses import SMALLEST_LOSS
from ecodyn.reproduction.cache import TrainingCache
from ecodyn.reproduction.experiment import Experiment
from ecodyn.reproduction.figures import size as draw
from ecodyn.reproduction.finding import Finding, above, below, question, within
from ecodyn.reproduction.statistics import (
    by_other_rules,
    counts_by_rule,
    exponential,
    in_words,
    replicates,
    setting,
    slope,
    under_every_rule,
)
from ecodyn.survival import DEFAULT_RULE, Estimate, clustered_mean, survivors
from ecodyn.survival.predictors import mean_auc

__all__ = ["FIGURED_COUNTS", "ROWS", "circularity", "decay", "dimension", "frozen", "prime"]

FIGURED_COUNTS = {
    0.00215: 29.0, 0.003: 27.4, 0.004: 11.0, 0.0054: 7.5, 0.0074: 6.4, 0.01: 5.8, 0.1: 5.16, 0.5: 4.92, 1.1: 4.74,
    1.5: 4.76,
}  # fmt: skip
"""Circles against weight decay, read off the study's figure."""

FLAT_FROM = 0.1  # the weight decay from which the study's figure is flat
STUDY_STEPS = 30_000  # of each training in the study, at which its figure counts circles
SETTLED = 3.0  # times over which what fades has fallen to a twentieth
NEAR = 0.25  # of p: what is within it is "around d = p"


def frozen(cache: TrainingCache) -> Finding:
    """Row 2: test loss of networks whose embedding stays as it was drawn, against its dimension."""
    runs, scale = cache.only("frozen"), cache.scale
    dims, seeds = setting(runs, "dim"), replicates(runs)
    steps = np.array(scale.frozen_steps)
    losses = runs.curves["test_loss"][:, np.searchsorted(runs.steps, steps)]
    table = {
        "step": np.tile(steps, runs.n_runs),
        "dim": np.repeat(dims, len(steps)),
        "seed": np.repeat(seeds, len(steps)),
        "test_loss": losses.ravel(),
    }
    places = {step: _halfway_on_log_axes(dims, losses[:, n], seeds) for n, step in enumerate(steps.tolist())}
    last = places[steps[-1]]
    observation = "half of the fall of the log test loss lies below d = " + ", ".join(
        f"{in_words(place, 0)} at step {step}" for step, place in places.items()
    )
    claim = f"with an embedding that is not trained, the test loss changes around d = p = {scale.p}"
    check = within(claim, observation, last, (1 - NEAR) * scale.p, (1 + NEAR) * scale.p)
    return Finding((check,), {"losses": table})


def _halfway_on_log_axes(dims: Array, losses: Array, seeds: NDArray[Any]) -> Estimate:
    x, y = np.log(dims), np.log(np.maximum(losses, SMALLEST_LOSS))
    each = [halfway(x[seeds == s], y[seeds == s]) for s in np.unique(seeds)]
    return exponential(clustered_mean(each, np.unique(seeds)))


def halfway(x: Array, y: Array) -> float:
    """Where a curve through the points y (point,) at x first has gone half of the way from its first to its last y."""
    order = np.argsort(x)
    at, way = x[order], y[order] - y[order][0]
    share = way / way[-1] if way[-1] else np.full(len(way), np.nan)
    after = np.flatnonzero(share >= 0.5)
    if not len(after):
        return float("nan")
    n = int(after[0])
    return float(at[n - 1] + (0.5 - share[n - 1]) / (share[n] - share[n - 1]) * (at[n] - at[n - 1]))


def dimension(cache: TrainingCache) -> Finding:
    """Row 3: circles against the embedding dimension."""
    runs = cache.only("by_dimension")
    dims, seeds, counts = setting(runs, "dim"), replicates(runs), counts_by_rule(runs)
    slopes = {rule: slope(np.log2(dims), count, seeds) for rule, count in counts.items()}
    observation = f"each doubling of d adds {in_words(slopes[DEFAULT_RULE])} circles"
    check = above("more circles survive in larger embeddings", observation, slopes[DEFAULT_RULE])
    return Finding((check,), {"counts": {"dim": dims, "seed": seeds, **counts}}, (by_other_rules(slopes),))


def prime(cache: TrainingCache) -> Finding:
    """Row 4: circles against the modulus."""
    parts = []
    for name, runs in cache.get("by_prime").items():
        p = np.full(runs.n_runs, int(name.removeprefix("prime_")))
        parts.append({"p": p, "seed": replicates(runs), **counts_by_rule(runs)})
    table = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    rules = [name for name in table if name not in ("p", "seed")]
    slopes = {rule: slope(np.log2(table["p"]), table[rule], table["seed"]) for rule in rules}
    estimate = slopes[DEFAULT_RULE]
    observation = f"each doubling of p adds {in_words(estimate)} circles"
    check = question(observation, estimate)
    return Finding((check,), {"counts": table}, (by_other_rules(slopes),))


def decay(cache: TrainingCache) -> Finding:
    """Row 5: circles against weight decay.

    What is out of the competition fades by learning rate × weight decay a step. Short trainings are settled under
    strong decay only; under weak decay they are as far as the study's, 30 000 steps long, under one weaker by as much.
    """
    runs, scale = cache.only("by_decay"), cache.scale
    decays, seeds, counts = setting(runs, "weight_decay"), replicates(runs), counts_by_rule(runs)
    slopes = {rule: slope(np.log10(decays), count, seeds) for rule, count in counts.items()}
    figured, as_far = figured_counts(decays), figured_counts(decays * scale.decay_steps / STUDY_STEPS)
    fewer = below(
        "fewer circles survive under stronger weight decay",
        f"ten times the weight decay changes their number by {in_words(slopes[DEFAULT_RULE])}, in trainings of "
        f"{scale.decay_steps} steps",
        slopes[DEFAULT_RULE],
    )
    from_where = max(FLAT_FROM, SETTLED / (setting(runs, "learning_rate")[0] * scale.decay_steps))
    settled = decays >= from_where
    more = {rule: clustered_mean((count - figured)[settled], seeds[settled]) for rule, count in counts.items()}
    observation = f"from {from_where:g} on {in_words(more[DEFAULT_RULE])} more than in the study's figure"
    flat = within(f"from {FLAT_FROM:g} on about five are left", observation, more[DEFAULT_RULE], -1.0, 1.0)
    along = {rule: clustered_mean(count - as_far, seeds) for rule, count in counts.items()}
    like = question(
        f"{in_words(along[DEFAULT_RULE])} more than in the study's figure at equal weight decay × steps",
        along[DEFAULT_RULE],
    )
    table = {"weight_decay": decays, "seed": seeds, "figured": figured, "figured_as_far": as_far, **counts}
    notes = by_other_rules(slopes), *(f"more than in the figure {by_other_rules(of)}" for of in (more, along))
    return Finding((fewer, flat, like), {"counts": table}, notes)


def figured_counts(decays: Array) -> Array:
    """The study's counts at weight decays (run,), NaN where its figure has none."""
    known = np.array(list(FIGURED_COUNTS))
    near = np.abs(np.log(decays[:, None] / known)).argmin(axis=1)
    return np.where(np.isclose(decays, known[near]), np.array(list(FIGURED_COUNTS.values()))[near], np.nan)


def circularity(cache: TrainingCache) -> Finding:
    """Row 6: how round circles are at the start, against d, those that survive and those that die."""
    runs = cache.only("by_dimension")
    dims, seeds = setting(runs, "dim"), replicates(runs)
    start, alive = runs.observables["circularity"][:, 0], survivors(runs).alive
    of = {"survived": masked_means(start, alive), "died": masked_means(start, ~alive)}
    by_rule = under_every_rule(runs, lambda alive: mean_auc(start, alive, seeds))
    auc = by_rule[DEFAULT_RULE]
    rounder = slope(np.log2(dims), start.mean(axis=1), seeds)
    checks = [
        question(f"the circularity at the start predicts survival with an AUC of {in_words(auc, 3)}", auc),
        question(f"each doubling of d adds {in_words(rounder, 3)} to the circularity at the start", rounder),
    ]
    table = {"dim": dims, "seed": seeds, **of}
    return Finding(tuple(checks), {"circularity": table}, (f"AUC {by_other_rules(by_rule, 3)}",))


def masked_means(values: Array, chosen: Bools) -> Array:
    """Mean of the chosen features' values (run, feature) in each run, (run,); NaN where none is chosen."""
    many = chosen.sum(axis=1)
    total = np.where(chosen, values, 0.0).sum(axis=1)
    return np.divide(total, many, out=np.full(len(total), np.nan), where=many > 0)


ROWS = (
    Experiment(
        row=2,
        name="frozen",
        section="3.1",
        title="Embeddings that are not trained",
        needs=("frozen",),
        examine=frozen,
        draw=draw.frozen,
    ),
    Experiment(
        row=3,
        name="dimension",
        section="3.1",
        title="Circles by embedding dimension",
        needs=("by_dimension",),
        examine=dimension,
        draw=draw.dimension,
    ),
    Experiment(
        row=4,
        name="prime",
        section="",
        title="Circles by modulus",
        needs=("by_prime",),
        examine=prime,
        draw=draw.prime,
    ),
    Experiment(
        row=5,
        name="decay",
        section="",
        title="Circles by weight decay",
        needs=("by_decay",),
        examine=decay,
        draw=draw.decay,
    ),
    Experiment(
        row=6,
        name="circularity",
        section="",
        title="Circularity at the start",
        needs=("by_dimension",),
        examine=circularity,
        draw=draw.circularity,
    ),
)
