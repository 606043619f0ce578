"""The circles of one training: row 1 of the study; and whether short trainings tell who survives long ones."""

from __future__ import annotations

from typing import cast

import numpy as np

from ecodyn.errors import UnusableDataError
from ecodyn.networks.modular_addition import MLP
from ecodyn.observables import circle_plane
from ecodyn.reproduction.cache import TrainingCache
from ecodyn.reproduction.experiment import Experiment
from ecodyn.reproduction.figures import circles as draw
from ecodyn.reproduction.finding import Finding, Table, above, question, within
from ecodyn.reproduction.statistics import by_other_rules, in_words, under_every_rule
from ecodyn.statistics.clustered import SHARE
from ecodyn.survival import DEFAULT_RULE, RULES, Estimate, clustered_mean, survivors
from ecodyn.trajectories import Trajectories

__all__ = ["ROWS", "proxy", "signals"]

STUDY_SURVIVORS = 5  # of its one training: 2, 8, 22, 23, 3
ROUND = 0.9  # ratio of a circle's axes from which it is called round
OVERLAP = 0.8  # of who is alive early and at the end, from which short trainings stand for long ones
MOST_PLANES = 6  # survivors that are drawn
NOTHING = Estimate(mean=np.nan, low=np.nan, high=np.nan, n=0)  # of which there is no number with an interval
SIGNALS_DRAWN = 300  # steps, evenly spaced in log time


def signals(cache: TrainingCache) -> Finding:
    """Row 1: signals over training, and whether what survives are circles."""
    runs = cache.only("plain")
    fates = survivors(runs)
    by_rule = under_every_rule(runs, lambda alive: clustered_mean(alive.sum(axis=1), runs.runs))
    count = by_rule[DEFAULT_RULE]
    shape = runs.observables["circularity"][:, -1]
    roundness = np.array(
        [values[alive].mean() if alive.any() else np.nan for values, alive in zip(shape, fates.alive, strict=True)]
    )
    axes = clustered_mean(roundness, runs.runs, within=SHARE)
    final = cache.get("finished")["finished"]
    few = within(
        f"about {STUDY_SURVIVORS} of {runs.n_features} frequencies survive",
        f"{in_words(count)} at step {runs.steps[-1]:g}, from {fates.counts.min()} to {fates.counts.max()} over "
        f"{runs.n_runs} trainings",
        count,
        STUDY_SURVIVORS - 1,
        STUDY_SURVIVORS + 1,
    )
    circles = above(
        "the survivors are circles", f"their axes are in the ratio {in_words(axes)} (1 is round)", axes, bound=ROUND
    )
    tables = {"signals": _signal_table(final), "planes": _plane_table(final, cache)}
    return Finding((few, circles), tables, (by_other_rules(by_rule),))


def _signal_table(final: Trajectories) -> Table:
    alive = survivors(final).alive[0]
    places = np.unique(np.geomspace(1, final.n_steps, SIGNALS_DRAWN).astype(int) - 1)
    return {
        "step": np.tile(final.steps[places], final.n_features),
        "frequency": np.repeat(final.features, len(places)),
        "survived": np.repeat(alive, len(places)),
        "signal": final.values[0, places].T.ravel(),
    }


def _plane_table(final: Trajectories, cache: TrainingCache) -> Table:
    """Tokens of the first training in the plane of each survivor's circle at the end, and of one that died, by step."""
    if final.embedding is None:
        raise UnusableDataError(
            "expected trainings that keep their last embedding, got finished.nc without one; delete it, so that it is "
            "trained again"
        )
    alive, last = survivors(final).alive[0], final.values[0, -1]
    dead = np.flatnonzero(~alive)
    shown = [*np.flatnonzero(alive)[np.argsort(-last[alive])][:MOST_PLANES], *dead[np.argsort(-last[dead])][:1]]
    scale, end = cache.scale, int(final.steps[-1])
    network = MLP(p=scale.p, dim=scale.dim, width=scale.width)
    early = sorted({step for step in (0, scale.steps // 10, scale.steps // 3, scale.steps) if step < end})
    frames = cache.snapshots("planes", network, int(final.runs[0]), early).embeddings[0]
    steps, embeddings = [*early, end], [*frames, final.embedding[0]]
    parts = []
    for i in shown:
        plane = circle_plane(embeddings[-1], int(final.features[i]))
        for step, embedding in zip(steps, embeddings, strict=True):
            x, y = ((embedding - embedding.mean(axis=0)) @ plane).T
            same = {"frequency": final.features[i], "survived": alive[i], "step": step}
            parts.append({name: np.full(len(x), value) for name, value in same.items()})
            parts[-1] |= {"token": np.arange(len(x)), "x": x, "y": y}
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def proxy(cache: TrainingCache) -> Finding:
    """Row 0: whether who is alive where short trainings end is who is alive at the end of the study's.

    By the overlap |early ∩ final| / |early ∪ final| of each training: that most frequencies are dead at both adds
    nothing to it. What is out of the competition fades by learning rate × weight decay a step, so that under weak decay
    short trainings end before anything is settled: they are shown apart.
    """
    scale, (runs, *weaker) = cache.scale, cache.get("finished").values()
    steps = sorted({scale.steps, scale.plain_steps, scale.decay_steps})
    tables = [_fates(runs, step) for step in steps]
    later = [question(f"{_in_counts(part)}; overlap {in_words(_overlap(part))}", _overlap(part)) for part in tables[1:]]
    for other in weaker:
        tables.append(_fates(other, scale.decay_steps))
        words = f"under weight decay {tables[-1]['weight_decay'][0]:g} {_in_counts(tables[-1])}"
        later.append(question(words, NOTHING))
    table = {name: np.concatenate([part[name] for part in tables]) for name in tables[0]}
    if scale.final == scale.steps:
        observation = f"at scale {scale.name} trainings are as long as the study's, and there is nothing to check"
        return Finding((question(observation, NOTHING),), {"fates": table})
    overlaps = {rule: _overlap(tables[0], rule) for rule in RULES}
    check = above(
        f"short trainings tell who survives at step {scale.final}",
        f"{_in_counts(tables[0])}; overlap {in_words(overlaps[DEFAULT_RULE])}",
        overlaps[DEFAULT_RULE],
        bound=OVERLAP,
        reading=True,
    )
    return Finding((check, *later), {"fates": table}, (f"overlap {by_other_rules(overlaps)}",))


def _fates(runs: Trajectories, step: int) -> Table:
    """How many are alive at a step, at the end, and at both: a row a rule and training."""
    rows, decay = [], float(cast(float, runs.provenance["weight_decay"]))
    for rule in RULES:
        early, late = survivors(runs, rule=rule, step=step).alive, survivors(runs, rule=rule).alive
        counts = (early.sum(axis=1), late.sum(axis=1), (early & late).sum(axis=1))
        rows += [(rule, decay, run, step, *of) for run, *of in zip(runs.runs, *counts, strict=True)]
    names = ("rule", "weight_decay", "seed", "step", "early", "final", "in_both")
    return {name: np.array(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)}


def _in_counts(table: Table) -> str:
    own = table["rule"] == DEFAULT_RULE
    early, late, both = (int(table[name][own].sum()) for name in ("early", "final", "in_both"))
    return f"of {early} circles alive at step {table['step'][0]} {both} are alive at the end, where {late} are"


def _overlap(table: Table, rule: str = DEFAULT_RULE) -> Estimate:
    own = table["rule"] == rule
    both = table["in_both"][own].astype(float)
    either = table["early"][own] + table["final"][own] - both
    shares = np.divide(both, either, out=np.full(len(both), np.nan), where=either > 0)
    return clustered_mean(shares, table["seed"][own], within=SHARE)


ROWS = (
    Experiment(
        row=0,
        name="proxy",
        section="",
        title="Short trainings against finished ones",
        needs=("finished",),
        examine=proxy,
        draw=draw.proxy,
    ),
    Experiment(
        row=1,
        name="signals",
        section="2",
        title="Signals and circles",
        needs=("plain", "finished"),
        examine=signals,
        draw=draw.signals,
    ),
)
