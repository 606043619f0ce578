"""What at the start decides who survives: rows 7 to 10 of the study."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecodyn.arrays import Array, Bools
from ecodyn.report.survival.figures import STUDY_GUIDE
from ecodyn.reproduction.cache import TrainingCache
from ecodyn.reproduction.experiment import Experiment
from ecodyn.reproduction.figures import fate as draw
from ecodyn.reproduction.finding import Check, Finding, Table, above, question
from ecodyn.reproduction.statistics import (
    by_other_rules,
    exponential,
    in_words,
    replicates,
    setting,
    slope,
    under_every_rule,
)
from ecodyn.reproduction.trainings import PLANTED_FREQUENCIES
from ecodyn.statistics.clustered import SHARE
from ecodyn.survival import DEFAULT_RULE, Estimate, Survivors, clustered_mean, scaled_runs, survivors
from ecodyn.survival.logistic import held_out_log_odds
from ecodyn.survival.predictors import auc_per_run, mean_auc
from ecodyn.trajectories import Trajectories

__all__ = ["ROWS", "SEPARATION", "initial_signal", "planted", "relative_gradient", "scaled"]

SEPARATION = ((-0.002, 92.2), (0.001, 82.0))
"""Two points (relative gradient at step 4, initial signal) of the study's line between survivors and dead."""

EARLY_STEPS = (1, 2, 3, 4)  # at which the study reads the relative gradient; its line is drawn at the last


def initial_signal(cache: TrainingCache) -> Finding:
    """Row 7: how often a frequency survives from one embedding, against its signal in it."""
    runs = cache.joined("from_embeddings")
    labels = np.unique(runs.clusters)
    start = np.array([runs.values[runs.clusters == c][0, 0] for c in labels])
    clusters = np.repeat(labels, runs.n_features)

    def rates(alive: Bools) -> Array:
        return np.array([alive[runs.clusters == c].mean(axis=0) for c in labels])

    steeper = under_every_rule(runs, lambda alive: slope(start.ravel(), rates(alive).ravel(), clusters))
    auc = under_every_rule(runs, lambda alive: mean_auc(runs.values[:, 0], alive, runs.clusters))
    (x0, y0), (x1, y1) = STUDY_GUIDE
    grows = above(
        "frequencies of higher initial signal survive more often",
        f"a unit of initial signal adds {in_words(steeper[DEFAULT_RULE], 3)} to the survival rate; "
        f"the study's guide line has {(y1 - y0) / (x1 - x0):.3f}",
        steeper[DEFAULT_RULE],
    )
    tells = above(
        "the initial signal tells survivors from dead",
        f"AUC {in_words(auc[DEFAULT_RULE], 3)} within trainings",
        auc[DEFAULT_RULE],
        bound=0.5,
        reading=True,
    )
    rate = rates(survivors(runs).alive).ravel()
    frequencies = np.tile(runs.features, len(labels))
    table = {"embedding": clusters, "frequency": frequencies, "signal": start.ravel(), "rate": rate}
    notes = f"slope {by_other_rules(steeper, 3)}", f"AUC {by_other_rules(auc, 3)}"
    return Finding((grows, tells), {"rates": table, "guide": _line(STUDY_GUIDE, "signal", "rate")}, notes)


def scaled(cache: TrainingCache) -> Finding:
    """Row 8: one frequency scaled at the start; whether it survives, and what becomes of the others."""
    runs, k = cache.joined("scaled"), cache.scale.scaled_k
    fates = survivors(runs)
    tenths, mine = 10 * setting(runs, "scale_frequency_factor"), runs.features == k
    own = under_every_rule(runs, lambda alive: slope(tenths, alive[:, mine][:, 0], runs.clusters))
    rest = slope(tenths, fates.alive[:, ~mine].sum(axis=1), runs.clusters)
    gains = above(
        "a frequency whose signal is raised at the start survives more often",
        f"a tenth more of it adds {in_words(own[DEFAULT_RULE])} to the survival rate of frequency {k} and changes the "
        f"number of other survivors by {in_words(rest)}",
        own[DEFAULT_RULE],
        reading=True,
    )
    table = {
        "embedding": runs.clusters,
        "seed": runs.settings["seed"],
        "factor": tenths / 10,
        "survived": fates.alive[:, mine][:, 0],
        "others": fates.alive[:, ~mine].sum(axis=1),
        "final_signal": runs.values[:, -1, mine][:, 0],
    }
    return Finding((gains, *_against_a_law(runs, fates)), {"fates": table}, (by_other_rules(own),))


def _against_a_law(runs: Trajectories, alive: Survivors) -> Iterator[Check]:
    """What the strongest factor does to the others' mean signal at the end, and what a law of the plain runs says."""
    for effect in scaled_runs(runs, alive):
        response = effect.response
        if response is None:
            continue
        observed, said = response.observed.at(-1, -1), response.predicted.at(-1, -1)
        yield question(
            f"scaled by {response.factors[-1]:g}, it moves the others' mean signal at step {response.steps[-1]:g} by "
            f"{in_words(observed)}; a law of {effect.law} fitted to unscaled trainings, with a coupling of "
            f"{response.fitted:.4f} a step, says {in_words(said)}",
            observed,
        )


def planted(cache: TrainingCache) -> Finding:
    """Row 9: two planted waves, one weaker; what becomes of the weaker.

    Whether it survives tells little where it nearly always does; how strong it ends beside the other is graded.
    """
    runs = cache.only("planted")
    ratio, seeds = setting(runs, "plant_circles_ratio"), replicates(runs)
    first, second = (runs.values[:, -1, runs.features == k][:, 0] for k in PLANTED_FREQUENCIES)
    steeper = slope(np.log(ratio), np.log(second / first), seeds)
    gains = above(
        "the weaker of two planted circles ends the stronger beside the other, the less weak it was",
        f"e times its signal at the start makes it {in_words(exponential(steeper))} times as strong beside the other "
        f"at step {runs.steps[-1]:g}",
        steeper,
        reading=True,
    )
    lives = under_every_rule(
        runs, lambda alive: _share(alive[:, runs.features == PLANTED_FREQUENCIES[1]], ratio, seeds)
    )
    weakest = lives[DEFAULT_RULE]
    survives = question(f"at the lowest ratio, {ratio.min():.2g}, the weaker survives in {in_words(weakest)}", weakest)
    alive = survivors(runs).alive
    a, b = (alive[:, runs.features == k][:, 0] for k in PLANTED_FREQUENCIES)
    table = {
        "seed": seeds,
        "ratio": ratio,
        "first": first,
        "second": second,
        "first_survived": a,
        "second_survived": b,
        "others": alive.sum(axis=1) - a - b,
    }
    return Finding((gains, survives), {"fates": table}, (f"survival at the lowest ratio {by_other_rules(lives)}",))


def _share(alive: Bools, ratio: Array, seeds: NDArray[Any]) -> Estimate:
    """Share of trainings of the lowest ratio in which a feature is alive (run, 1)."""
    lowest = ratio == ratio.min()
    return clustered_mean(alive[lowest, 0], seeds[lowest], within=SHARE)


def relative_gradient(cache: TrainingCache) -> Finding:
    """Row 10: relative growth in the first steps, with the signal, of survivors and dead."""
    runs = cache.joined("from_embeddings")
    alive, clusters, signal = survivors(runs).alive, runs.clusters, runs.values[:, 0]
    by_step = {step: relative_growth(runs, step) for step in EARLY_STEPS}
    growth = by_step[EARLY_STEPS[-1]]
    alone = under_every_rule(runs, lambda alive: mean_auc(growth, alive, clusters))
    before = (f"{mean_auc(by_step[s], alive, clusters).mean:.3f} at step {s}" for s in EARLY_STEPS[:-1])
    tells = above(
        "survivors have the higher relative gradient in the first steps",
        f"AUC of the relative gradient {in_words(alone[DEFAULT_RULE], 3)} at step {EARLY_STEPS[-1]}; "
        f"{', '.join(before)}",
        alone[DEFAULT_RULE],
        bound=0.5,
    )
    odds, _ = held_out_log_odds(np.stack([signal, growth], axis=-1), alive, clusters)
    gain = clustered_mean(auc_per_run(odds, alive) - auc_per_run(signal, alive), clusters)
    of_line = mean_auc(signal - separating_signal(growth), alive, clusters)
    adds = above(
        "with the signal, it separates survivors from dead better than the signal does",
        f"AUC {in_words(mean_auc(odds, alive, clusters), 3)} on embeddings not fitted to, {in_words(gain, 3)} above "
        f"the signal's; by the distance from the study's line {in_words(of_line, 3)}",
        gain,
        reading=True,
    )
    table = {
        "embedding": np.repeat(clusters, runs.n_features),
        "seed": np.repeat(runs.settings["seed"], runs.n_features),
        "frequency": np.tile(runs.features, runs.n_runs),
        "signal": signal.ravel(),
        "relative_gradient": growth.ravel(),
        "survived": alive.ravel(),
    }
    line = _line(SEPARATION, "relative_gradient", "signal")
    return Finding((tells, adds), {"starts": table, "line": line}, (f"AUC {by_other_rules(alone, 3)}",))


def relative_growth(runs: Trajectories, step: int) -> Array:
    """(x(s) − x(s − 1))/x(0) at one step s, (run, feature): the study's relative gradient."""
    place = int(np.flatnonzero(runs.steps == step)[0])
    return np.asarray((runs.values[:, place] - runs.values[:, place - 1]) / runs.values[:, 0])


def separating_signal(growth: Array) -> Array:
    """The initial signal on the study's line between survivors and dead, at a relative gradient; of its shape."""
    (g0, x0), (g1, x1) = SEPARATION
    return np.asarray(x0 + (growth - g0) * (x1 - x0) / (g1 - g0))


def _line(points: tuple[tuple[float, float], ...], x: str, y: str) -> Table:
    """Two points as a table, for the figure."""
    return {x: np.array([a for a, _ in points]), y: np.array([b for _, b in points])}


SAME = ("from_embeddings",)
ROWS = (
    Experiment(
        row=7,
        name="initial-signal",
        section="3.2.1",
        title="Survival by initial signal",
        needs=SAME,
        examine=initial_signal,
        draw=draw.initial_signal,
    ),
    Experiment(
        row=8,
        name="scaled",
        section="3.2.1",
        title="One frequency scaled at the start",
        needs=("scaled",),
        examine=scaled,
        draw=draw.scaled,
    ),
    Experiment(
        row=9,
        name="planted",
        section="3.2.1",
        title="Two planted circles",
        needs=("planted",),
        examine=planted,
        draw=draw.planted,
    ),
    Experiment(
        row=10,
        name="relative-gradient",
        section="3.2.2",
        title="Relative gradient in the first steps",
        needs=SAME,
        examine=relative_gradient,
        draw=draw.relative_gradient,
    ),
)
