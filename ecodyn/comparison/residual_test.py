"""Is what a family leaves on held-out runs measurement noise, or something that a better law would explain?

Noise of one stored step says nothing about that of the next, so that the mean product of neighbouring residuals,

    s = Σᵢ Δtᵢ r(tᵢ)·r(tᵢ₊₁) / (duration · MSE(persistence)),

has no share of it, whatever its level: s is the systematic part of 1 − skill (or that of the next but one, if larger).
Rollouts start from noisy states, and a true law leaves what follows from these; so starting states are first moved,
within noise, to where the whole run says that they were (`freed_starts`). A family is adequate unless the runs surely
(95 %) leave more than what is tolerated.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ecodyn.arrays import Array
from ecodyn.comparison.adequacy import Adequacy
from ecodyn.comparison.freed_starts import freed_starts
from ecodyn.comparison.held_out import HeldOut
from ecodyn.comparison.left_over import Residuals, strongest_dependence
from ecodyn.comparison.scores import NEXT_TO_NOTHING, noise_share
from ecodyn.rollouts.skill import EXACT, WORST_UNEXPLAINED, in_scales, mean_square
from ecodyn.statistics.confidence_set import p_above
from ecodyn.statistics.intervals import Estimate
from ecodyn.statistics.noise import NOISELESS
from ecodyn.trajectories import Trajectories
from ecodyn.trajectories.scales import own_scales

__all__ = ["adequacy_of", "runs_asked"]

OF_NOISE = 0.25  # of what noise leaves: a misfit of half the noise's size, which fits to noisy data come to
OF_ALL = 0.1  # of all that is left from measured starts: as much more as counts as equal between families
MOST_ASKED = 512  # runs, of more a sample: each is rolled out dozens of times, and the share known to a twentieth
ROUGH = 0.3  # share of noise from which on a run is told nothing of: what is rough may be the law's own (maps)


def adequacy_of(
    held: Sequence[HeldOut], data: Trajectories, *, selection: str = "", seed: int = 0, asked: int | None = None
) -> Adequacy | None:
    """Test what a family left on its held-out runs; None where nothing can be said of any.

    Parameters
    ----------
    held : rollouts of its models from the starts of runs that they were not fitted to
    data : what they are rollouts of
    selection : what the selection of its terms says against it
    seed : of sign flips
    asked : of how many runs these are, where they are a sample
    """
    scales = own_scales(data)
    shares: dict[object, list[tuple[float, float]]] = {}
    residuals = []
    # In the order of the runs: sums must not depend on which process had which fold.
    rollouts = sorted((run for part in held for run in _rollouts(part, data, scales)), key=lambda one: one.run)
    for one in rollouts:
        left = in_scales(one.truth - one.freed, scales)
        still = mean_square(in_scales(one.truth - one.truth[:1], scales), one.times)
        if still <= EXACT * max(float(np.nanmean(in_scales(one.truth, scales) ** 2)), 1e-300):
            continue
        unexplained = mean_square(in_scales(one.truth - one.measured, scales), one.times) / still
        noise = noise_share(one.truth, one.times, scales)
        if noise > ROUGH:
            continue
        tolerated = max(NEXT_TO_NOTHING, OF_NOISE * noise, OF_ALL * min(unexplained, WORST_UNEXPLAINED))
        shares.setdefault(data.clusters[one.run], []).append(
            (min(_systematic(left, one.times) / still, WORST_UNEXPLAINED), tolerated)
        )
        residuals.append(Residuals(one.times, one.freed, left))
    if not shares:
        return None
    means = np.array([np.mean(of_cluster, axis=0) for of_cluster in shares.values()])
    return Adequacy(
        systematic=Estimate.of(np.sort(means[:, 0])),
        tolerated=float(np.mean(np.sort(means[:, 1]))),
        p_value=p_above(means[:, 1] - means[:, 0], 0.0, seed=seed),
        dependence=strongest_dependence(residuals, data, scales),
        selection=selection,
        asked=asked,
    )


def runs_asked(runs: int, seed: int) -> frozenset[int] | None:
    """A seeded sample of the runs whose rollouts are looked at, where there are more than is worth it; else None."""
    if runs <= MOST_ASKED:
        return None
    return frozenset(np.random.default_rng(seed).choice(runs, MOST_ASKED, replace=False).tolist())


@dataclass(frozen=True, eq=False, kw_only=True)
class _Run:
    """A held-out run and its rollouts (step, feature), from the start that was measured and from the freed one."""

    run: int
    times: Array
    truth: Array
    measured: Array
    freed: Array


def _rollouts(part: HeldOut, data: Trajectories, scales: Array | None) -> Iterator[_Run]:
    """Of the runs whose rollouts reached the end: what diverged is told, and its residuals say nothing."""
    rows = [part.rows(i, data) for i in range(len(part.runs))]
    pieces = [(data.values[r, rows[i]], data.times[r, rows[i]]) for i, r in enumerate(part.runs)]
    noisy = max(noise_share(truth, times, scales) for truth, times in pieces) > NOISELESS
    freed = freed_starts(part, data) if noisy else part.rollout
    for i, (run, (truth, times)) in enumerate(zip(part.runs, pieces, strict=True)):
        measured, moved = (rollout.signal[i, : len(times)] for rollout in (part.rollout, freed))
        if freed.status[i] == "ok" and np.isfinite(measured).all() and np.isfinite(moved).all():
            yield _Run(run=run, times=times, truth=truth, measured=measured, freed=moved)


def _systematic(left: Array, times: Array) -> float:
    """The mean square of what residuals have in common with the next one, or the next but one where they alternate."""
    return max(_neighbours(left, times, lag) for lag in (1, 2) if lag < len(times))


def _neighbours(left: Array, times: Array, lag: int) -> float:
    """Mean over features and time of r(tᵢ)·r(tᵢ₊ₗ), a missing value leaving its two products out."""
    products = left[lag:] * left[:-lag]
    weights = np.where(np.isnan(products), 0.0, (times[lag:] - times[:-lag])[:, None])
    covered = float(weights.sum())
    return float(np.sum(weights * np.nan_to_num(products)) / covered) if covered > 0 else 0.0
