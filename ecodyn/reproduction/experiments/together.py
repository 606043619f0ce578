"""Whether circles work together: rows 11 and 12 of the study."""

from __future__ import annotations

import numpy as np

from ecodyn.networks.modular_addition import MLP, all_pairs, ladder, losses_over_training
from ecodyn.networks.modular_addition.collaboration import Collaboration
from ecodyn.networks.modular_addition.pair_losses import SMALLEST_LOSS, PairLosses
from ecodyn.reproduction.cache import TrainingCache
from ecodyn.reproduction.experiment import Experiment
from ecodyn.reproduction.figures import together as draw
from ecodyn.reproduction.finding import Finding, Table, above
from ecodyn.reproduction.statistics import in_words
from ecodyn.reproduction.trainings import KEPT_SETS
from ecodyn.survival import clustered_mean, survivors
from ecodyn.trajectories import Trajectories

__all__ = ["FIGURED_LOSSES", "ROWS", "kept", "together"]

STUDY_PAIRS = "all"  # what the study calls test loss of chosen circles is over all p² pairs
SNAPSHOTS = 25  # steps of a training at which losses of chosen circles are read, evenly spaced in log time

FIGURED_LOSSES = {"all": 1e-7, "two strongest": 1.4e-7, "one random": 6.5e-7, "strongest": 8e-7, "two random": 4e-6}
"""Final test losses, read off the study's figure."""


def together(cache: TrainingCache) -> Finding:
    """Row 11: loss with only chosen circles of the embedding kept, over training."""
    scale = cache.scale
    network = MLP(p=scale.p, dim=scale.dim, width=scale.width)
    steps = [0, *np.unique(np.geomspace(10, scale.together_steps, SNAPSHOTS).astype(int)).tolist()]
    tracks, pairs = [], []
    for seed in range(scale.together_seeds):
        snapshots = cache.snapshots("together", network, seed, steps)
        alive = survivors(Trajectories(snapshots.signals, snapshots.steps, features=network.features)).alive[0]
        circles = snapshots.strongest(max(int(alive.sum()), 2))  # a pair at least
        sets = [*ladder(circles[:2], circles), circles]
        tracks.append(losses_over_training(snapshots, sets, pairs=STUDY_PAIRS))
        pairs.append(all_pairs(snapshots, circles, pairs=STUDY_PAIRS))
    seeds = np.arange(len(tracks))
    one, all_of_them = (np.array([_log10_of(track, size) for track in tracks]) for size in ("one", "all"))
    gain = clustered_mean(one - all_of_them, seeds)
    beyond = clustered_mean(np.array([np.nanmean(p.interaction) for p in pairs]) / np.log(10), seeds)
    checks = (
        above(
            "circles collaborate: together the survivors reach a lower loss than the best of them alone",
            f"by {in_words(gain)} orders of magnitude at step {scale.together_steps}, over all pairs",
            gain,
        ),
        above(
            "and two of them a lower one than both do one after the other",
            f"by {in_words(beyond)} orders of magnitude, the mean over pairs of survivors",
            beyond,
            reading=True,
        ),
    )
    return Finding(checks, {"losses": _loss_table(tracks), "pairs": _pair_table(pairs)})


def _log10_of(track: Collaboration, which: str) -> float:
    """log10 of the last loss of the best single circle, or of all survivors together (the last set)."""
    single = [i for i, kept in enumerate(track.sets) if len(kept) == 1]
    last = track.loss[-1, single].min() if which == "one" else track.loss[-1, -1]
    return float(np.log10(max(last, SMALLEST_LOSS)))


def _loss_table(tracks: list[Collaboration]) -> Table:
    parts = []
    for track in tracks:
        names = [*("+".join(map(str, kept)) for kept in track.sets), "whole"]
        losses = np.column_stack([track.loss, track.whole])
        parts.append(
            {
                "seed": np.full(losses.size, track.seed),
                "step": np.repeat(track.steps, len(names)),
                "kept": np.tile(np.array(names), len(track.steps)),
                "loss": losses.ravel(),
            }
        )
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _pair_table(pairs: list[PairLosses]) -> Table:
    rows = [
        (of.seed, a, b, of.synergy[i, j], of.interaction[i, j])
        for of in pairs
        for i, a in enumerate(of.features)
        for j, b in enumerate(of.features)
        if i != j
    ]
    names = ("seed", "i", "j", "synergy", "interaction")
    return {name: np.array(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)}


def kept(cache: TrainingCache) -> Finding:
    """Row 12: final test loss of trainings with only some frequencies in the embedding."""
    files = cache.get("kept").values()
    losses = np.array([runs.curves["test_loss"][:, -1] for runs in files])  # (seed, condition)
    logs, seeds = np.log10(np.maximum(losses, SMALLEST_LOSS)), np.arange(len(losses))
    of = dict(zip(KEPT_SETS, logs.T, strict=True))
    gain = clustered_mean(of["two random"] - of["two strongest"], seeds)
    cost = clustered_mean(of["two strongest"] - of["all"], seeds)
    order = sorted(KEPT_SETS, key=lambda name: of[name].mean())
    chosen = above(
        "with the two strongest circles a training ends at a lower loss than with two random others",
        f"by {in_words(gain)} orders of magnitude; from low to high: "
        + ", ".join(f"{name} {10 ** of[name].mean():.1e}" for name in order),
        gain,
    )
    all_of_them = above("and at a higher one than with all", f"by {in_words(cost)} orders of magnitude", cost)
    table = {
        "seed": np.repeat(seeds, len(KEPT_SETS)),
        "kept": np.tile(np.array(KEPT_SETS), len(seeds)),
        "test_loss": losses.ravel(),
        "figured": np.tile(np.array([FIGURED_LOSSES[name] for name in KEPT_SETS]), len(seeds)),
    }
    note = f"step {cache.scale.kept_steps}; the study's figure has step 30 000"
    return Finding((chosen, all_of_them), {"losses": table}, (note,) if cache.scale.kept_steps < 30_000 else ())


ROWS = (
    Experiment(
        row=11,
        name="together",
        section="4.1",
        title="Loss with chosen circles kept",
        needs=(),
        examine=together,
        draw=draw.together,
    ),
    Experiment(
        row=12,
        name="kept",
        section="4",
        title="Trainings with few frequencies",
        needs=("kept",),
        examine=kept,
        draw=draw.kept,
    ),
)
