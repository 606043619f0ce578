"""What at the start decides who survives: rows 7 to 10 of the study."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ecodyn.report.survival_figures import STUDY_GUIDE
from ecodyn.reproduction.experiment import Experiment
from ecodyn.reproduction.figures import fate as draw
from ecodyn.reproduction.finding import Check, Finding, Table, above, question
from ecodyn.reproduction.statistics import aucs, in_words, setting, slope
from ecodyn.reproduction.trainings import PLANTED_FREQUENCIES, Shelf
from ecodyn.survival import Survivors, clustered_mean, scaled_runs, survivors
from ecodyn.survival.logistic import held_out_log_odds
from ecodyn.trajectories import Trajectories

__all__ = ["ROWS", "SEPARATION", "initial_signal", "planted", "relative_gradient", "scaled"]

SEPARATION = ((-0.002, 92.2), (0.001, 82.0))
"""Two points (relative gradient, initial signal) of the line that the study draws between survivors and dead."""

EARLY_STEPS = (1, 2, 3, 4)  # at which the study reads the relative gradient


def initial_signal(shelf: Shelf) -> Finding:
    """Row 7: how often a frequency survives from one embedding, against its signal in it."""
    runs = shelf.only("from_embeddings")
    alive, labels = survivors(runs).alive, np.unique(runs.clusters)
    start = np.array([runs.values[runs.clusters == c][0, 0] for c in labels])
    rate = np.array([alive[runs.clusters == c].mean(axis=0) for c in labels])
    clusters = np.repeat(labels, runs.n_features)
    steeper = slope(start.ravel(), rate.ravel(), clusters)
    auc = clustered_mean(aucs(runs.values[:, 0], alive), runs.clusters)
    (x0, y0), (x1, y1) = STUDY_GUIDE
    grows = above(
        "frequencies of higher initial signal survive more often",
        f"a unit of initial signal adds {in_words(steeper, 3)} to the survival rate; "
        f"the study's guide line has {(y1 - y0) / (x1 - x0):.3f}",
        steeper,
    )
    tells = above(
        "the initial signal tells survivors from dead", f"AUC {in_words(auc, 3)} within trainings", auc, bound=0.5
    )
    frequencies = np.tile(runs.features, len(labels))
    table = {"embedding": clusters, "frequency": frequencies, "signal": start.ravel(), "rate": rate.ravel()}
    return Finding((grows, tells), {"rates": table, "guide": _line(STUDY_GUIDE, "signal", "rate")})


def scaled(shelf: Shelf) -> Finding:
    """Row 8: one frequency scaled at the start; whether it survives, and what becomes of the others."""
    runs, k = shelf.only("scaled"), shelf.scale.scaled_k
    found = survivors(runs)
    factor, alive = setting(runs, "scale_frequency_factor"), found.alive
    mine = runs.features == k
    lives, others = alive[:, mine][:, 0].astype(float), alive[:, ~mine].sum(axis=1)
    own, rest = slope(factor, lives, runs.clusters), slope(factor, others, runs.clusters)
    gains = above(
        "a frequency whose signal is raised at the start survives more often",
        f"doubling it, by the slope, adds {in_words(own)} to the survival rate of frequency {k} and changes the number "
        f"of other survivors by {in_words(rest)}",
        own,
    )
    table = {
        "embedding": runs.clusters,
        "seed": runs.settings["seed"],
        "factor": factor,
        "survived": lives,
        "others": others,
        "final_signal": runs.values[:, -1, mine][:, 0],
    }
    return Finding((gains, *_against_a_law(runs, found)), {"fates": table})


def _against_a_law(runs: Trajectories, found: Survivors) -> Iterator[Check]:
    """What the strongest factor does to the others' mean signal at the end, and what a law of the plain runs says."""
    for told in scaled_runs(runs, found):
        response = told.response
        if response is None:
            continue
        observed, said = response.observed.at(-1, -1), response.predicted.at(-1, -1)
        yield question(
            f"scaled by {response.factors[-1]:g}, it moves the others' mean signal at step {response.steps[-1]:g} by "
            f"{in_words(observed)}; a law of {told.law} fitted to unscaled trainings, with a coupling of "
            f"{response.fitted:.4f} a step, says {in_words(said)}",
            observed,
        )


def planted(shelf: Shelf) -> Finding:
    """Row 9: two planted waves, one weaker; whether the weaker survives."""
    runs = shelf.only("planted")
    ratio, alive = setting(runs, "plant_circles_ratio"), survivors(runs).alive
    first, second = (alive[:, runs.features == k][:, 0].astype(float) for k in PLANTED_FREQUENCIES)
    steeper = slope(np.log(ratio), second, runs.clusters)
    gains = above(
        "the weaker of two planted circles survives the more often the less weak it is",
        f"e times the ratio adds {in_words(steeper, 3)} to its survival rate",
        steeper,
    )
    others = alive.sum(axis=1) - first - second
    table = {"seed": runs.settings["seed"], "ratio": ratio, "first": first, "second": second, "others": others}
    return Finding((gains,), {"fates": table})


def relative_gradient(shelf: Shelf) -> Finding:
    """Row 10: relative growth in the first steps, with the signal, of survivors and dead."""
    runs = shelf.only("from_embeddings")
    alive, clusters, signal = survivors(runs).alive, runs.clusters, runs.values[:, 0]
    by_step = [relative_growth(runs, step) for step in EARLY_STEPS]
    growth = np.mean(by_step, axis=0)
    alone = clustered_mean(aucs(growth, alive), clusters)
    each = (
        f"at step {s} {clustered_mean(aucs(g, alive), clusters).mean:.3f}"
        for s, g in zip(EARLY_STEPS, by_step, strict=True)
    )
    tells = above(
        "survivors grow faster relative to their size in the first steps",
        f"AUC of the relative gradient over steps 1 to 4: {in_words(alone, 3)}; {', '.join(each)}",
        alone,
        bound=0.5,
    )
    odds, _ = held_out_log_odds(np.stack([signal, growth], axis=-1), alive, clusters)
    both = aucs(odds, alive)
    gain = clustered_mean(both - aucs(signal, alive), clusters)
    of_line = clustered_mean(aucs(signal - separating_signal(growth), alive), clusters)
    adds = above(
        "with the signal, it separates survivors from dead better than the signal does",
        f"AUC {in_words(clustered_mean(both, clusters), 3)} on embeddings not fitted to, {in_words(gain, 3)} above "
        f"the signal's; by the distance from the study's line {in_words(of_line, 3)}",
        gain,
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
    return Finding((tells, adds), {"starts": table, "line": line})


def relative_growth(runs: Trajectories, step: int) -> np.ndarray:
    """(x(t+1) − x(t))/x(t) at one step t, per step, (run, feature)."""
    place = int(np.flatnonzero(runs.steps == step)[0])
    now, after = runs.values[:, place], runs.values[:, place + 1]
    return np.asarray((after - now) / now)


def separating_signal(growth: np.ndarray) -> np.ndarray:
    """The initial signal on the study's line between survivors and dead, at a relative gradient; of its shape."""
    (g0, x0), (g1, x1) = SEPARATION
    return np.asarray(x0 + (growth - g0) * (x1 - x0) / (g1 - g0))


def _line(points: tuple[tuple[float, float], ...], x: str, y: str) -> Table:
    """Two points as a table, for the figure."""
    return {x: np.array([a for a, _ in points]), y: np.array([b for _, b in points])}


SAME = ("from_embeddings",)
ROWS = (
    Experiment(7, "initial-signal", "3.2.1", "Survival by initial signal", SAME, initial_signal, draw.initial_signal),
    Experiment(8, "scaled", "3.2.1", "One frequency scaled at the start", ("scaled",), scaled, draw.scaled),
    Experiment(9, "planted", "3.2.1", "Two planted circles", ("planted",), planted, draw.planted),
    Experiment(
        10,
        "relative-gradient",
        "3.2.2",
        "Relative gradient in the first steps",
        SAME,
        relative_gradient,
        draw.relative_gradient,
    ),
)
