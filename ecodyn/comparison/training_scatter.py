"""How much a model's mean loss owes to which runs it was fitted to.

Folds of one comparison share most of their training runs, so that their scores say nothing of it; but each fold's model
lacks other runs, and the mean loss m₋f of the model without fold f, over the same runs for all of them, moves with what
is left out. The mean loss D over R runs then has the influence function

    I_f = (mean of the fold's losses − D) · R_f/R  −  (F − 1)/F · (m₋f − mean of all m),

what fold f contributes as what is scored and as what is fitted to, and the variance Σ I_f² · F/(F − 1) (the jackknife
of the whole procedure, Efron and Stein 1981). That holds for what moves smoothly with the training runs, and leaps are
counted as what they are. A fit that failed without some of them, and leaves twice what the others do, is counted as one
that leaves twice as much. Where folds select different terms, only what moves among those that select the same is
smooth. As fresh runs move whatever a selection hangs on √F times as far as leaving out one fold of F does, they select
what was selected without any one fold about as often as what was selected without the others: the means of all that
was selected have the variance of equally frequent ones, once and not F times.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from ecodyn.arrays import Array
from ecodyn.comparison.held_out import FoldModel, roll_out_folds
from ecodyn.comparison.plan import Task
from ecodyn.comparison.scores import loss
from ecodyn.rollouts.skill import WORST_UNEXPLAINED, skill_of
from ecodyn.trajectories import Trajectories
from ecodyn.trajectories.scales import own_scales

__all__ = ["OnAllRuns", "on_all_runs", "training_influence"]

OnAllRuns = dict[tuple[int, ...], dict[int, float]]  # by the fold's held-out runs, then by run: the unexplained share

MOST_RUNS = 24  # that each fold's model is scored on: means over the same runs differ by models alone
LARGEST_MOVE = 0.7  # of a mean loss, log 2: see above
MOST_NUMBERS = 20_000_000  # of rollouts at a time, 160 MB; beyond, folds go one by one
ACCURACY = 1e-5  # of these rollouts, a step: what differs between folds is far more


def on_all_runs(task: Task, fitted: Sequence[FoldModel], data: Trajectories) -> OnAllRuns:
    """The share that each fold's model, of the first seed, leaves unexplained of runs in and out of its training."""
    runs = _spread_out(data)
    everyone = [replace(f, fold=replace(f.fold, scored=runs)) for f in fitted if f.seed == task.seeds[0]]
    scales, own = own_scales(data), {id(f.model): f.fold.scored for f in fitted}
    out: OnAllRuns = {own[id(f.model)]: {} for f in everyone}
    numbers = len(everyone) * len(runs) * data.n_steps * data.n_features
    together = [everyone] if numbers <= MOST_NUMBERS else [[one] for one in everyone]
    rolled = (held for part in together for held in roll_out_folds(task, part, data, rtol=ACCURACY))
    for held in rolled:
        found = out[own[id(held.fitted.model)]]
        for i, run in enumerate(held.runs):
            rows = held.rows(i, data)
            signal = held.rollout.signal[i, : rows.stop - rows.start]
            finished = held.rollout.status[i] == "ok" and bool(np.isfinite(signal).all())
            truth, times = data.values[run, rows], data.times[run, rows]
            skill = skill_of(truth, signal if finished else truth, times, scales)  # NaN where persistence is exact
            worst = WORST_UNEXPLAINED + 0.0 * skill
            found[run] = min(1.0 - skill, worst) if finished else worst
    return out


def training_influence(
    found: Mapping[tuple[int, ...], Mapping[int, float]],
    data: Trajectories,
    noise: Callable[[int, float | None], float],
    selected: Mapping[tuple[int, ...], Hashable] | None = None,
) -> Array:
    """What each cluster of runs moves the mean loss by, as something that is fitted to (cluster,).

    ``noise`` says what share measurement noise alone leaves of a run, from an origin on; ``selected`` what each fold's
    model selected, of families that do.
    """
    labels = data.clusters.tolist()
    means = {}
    for scored, by_run in found.items():
        known = [loss(left, noise(run, None)) for run, left in by_run.items() if not np.isnan(left)]
        means[scored] = float(np.mean(np.sort(known or [np.nan])))
    centre = float(np.median(list(means.values())))
    means = {scored: centre + float(np.clip(m - centre, -LARGEST_MOVE, LARGEST_MOVE)) for scored, m in means.items()}
    moved = dict.fromkeys(labels, 0.0)
    for scored, move in zip(means, _moves(list(means.values()), [(selected or {}).get(f) for f in means]), strict=True):
        clusters = dict.fromkeys(labels[run] for run in scored)
        for cluster in clusters:
            # Of several clusters that are left out together, each has its part of the variance.
            moved[cluster] = -move / np.sqrt(len(clusters))
    return np.array(list(moved.values()))


def _moves(means: Sequence[float], selected: Sequence[Hashable]) -> list[float]:
    """What each fold's training part moves the mean loss by, the sign aside: smoothly, and by what it selects."""
    folds, groups = len(means), defaultdict(list)
    for mean, choice in zip(means, selected, strict=True):
        groups[choice].append(mean)
    centres = {choice: float(np.mean(np.sort(members))) for choice, members in groups.items()}
    centre = float(np.mean(np.sort(means)))
    within = np.array([mean - centres[choice] for mean, choice in zip(means, selected, strict=True)])
    between = np.array([centres[choice] - centre for choice in selected])
    spread, squares = float(np.var(np.sort(list(centres.values())))), float(np.sum(np.sort(between**2)))
    smooth = (1 - 1 / folds) * np.sqrt((folds - 1) / max(1, folds - len(groups)))
    leaps = np.sqrt(spread / squares) if squares > 0 else 0.0
    return list((smooth * within + leaps * between).tolist())


def _spread_out(data: Trajectories) -> tuple[int, ...]:
    """All runs; of many, some that don't depend on their order."""
    if data.n_runs <= MOST_RUNS:
        return tuple(range(data.n_runs))
    by_size = np.argsort([float(np.nanmean(data.values[run])) for run in range(data.n_runs)], kind="stable")
    chosen = by_size[np.linspace(0, data.n_runs - 1, MOST_RUNS).astype(int)]
    return tuple(sorted(int(run) for run in chosen))
