"""Is what a family leaves on held-out runs measurement noise, or something that a better law would explain?

Noise of one stored step says nothing about that of the next, so that the mean product of neighbouring residuals,

    s = Σᵢ Δtᵢ r(tᵢ)·r(tᵢ₊₁) / (duration · MSE(persistence)),

has no share of it, whatever its level: s is the systematic part of 1 − skill. Rollouts start from noisy states, and a
true law leaves what follows from these; so starting states are first moved to where the whole run says that they were
(`freed_starts`). A family is adequate unless the runs surely (95 %) leave more than what is tolerated.
"""

from __future__ import annotations

from collections.abc import Sequence

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
from ecodyn.trajectories import Trajectories
from ecodyn.trajectories.scales import own_scales

__all__ = ["adequacy_of"]

NOISE_TOLERANCE = 0.25  # of what noise leaves: a misfit of half the noise's size, which fits to noisy data come to
NOISELESS = 1e-7  # share of noise under which starts are taken as they are: a tenth of the solvers' accuracy


def adequacy_of(held: Sequence[HeldOut], data: Trajectories, *, selection: str = "", seed: int = 0) -> Adequacy | None:
    """Test what a family left on its held-out runs; None where nothing can be said of any.

    Parameters
    ----------
    held : rollouts of its models from the starts of runs that they were not fitted to
    data : what they are rollouts of
    selection : what the selection of its terms says against it
    """
    scales = own_scales(data)
    shares: dict[object, list[tuple[float, float]]] = {}
    residuals = []
    for part in held:
        for run, start, rolled in _rollouts(part, data, scales):
            truth, times = start
            still = mean_square(in_scales(truth - truth[:1], scales), times)
            if still <= EXACT * max(float(np.nanmean(in_scales(truth, scales) ** 2)), 1e-300):
                continue
            tolerated = max(NEXT_TO_NOTHING, NOISE_TOLERANCE * noise_share(truth, times, scales))
            if rolled is None:
                share = WORST_UNEXPLAINED
            else:
                left = in_scales(truth - rolled, scales)
                share = _neighbours(left, times) / still
                residuals.append(Residuals(times, rolled, left))
            shares.setdefault(data.clusters[run], []).append((share, tolerated))
    if not shares:
        return None
    means = np.array([np.mean(of_cluster, axis=0) for of_cluster in shares.values()])
    return Adequacy(
        systematic=Estimate.of(np.sort(means[:, 0])),
        tolerated=float(np.mean(np.sort(means[:, 1]))),
        p_value=p_above(means[:, 1] - means[:, 0], 0.0, seed=seed),
        dependence=strongest_dependence(residuals, data, scales),
        selection=selection,
    )


def _rollouts(
    part: HeldOut, data: Trajectories, scales: Array | None
) -> list[tuple[int, tuple[Array, Array], Array | None]]:
    """Of each run its place, its data with their times, and the rollout (step, feature); None if that ended early."""
    rows = [part.rows(i, data) for i in range(len(part.runs))]
    pieces = [(data.values[r, rows[i]], data.times[r, rows[i]]) for i, r in enumerate(part.runs)]
    noisy = max(noise_share(truth, times, scales) for truth, times in pieces) > NOISELESS
    rollout = freed_starts(part, data) if noisy else part.rollout
    out = []
    for i, (run, piece) in enumerate(zip(part.runs, pieces, strict=True)):
        signal = rollout.signal[i, : len(piece[1])]
        finished = rollout.status[i] == "ok" and bool(np.isfinite(signal).all())
        out.append((run, piece, signal if finished else None))
    return out


def _neighbours(left: Array, times: Array) -> float:
    """Mean over features and time of r(tᵢ)·r(tᵢ₊₁), a missing value leaving its two products out."""
    products = left[1:] * left[:-1]
    weights = np.where(np.isnan(products), 0.0, np.diff(times)[:, None])
    covered = float(weights.sum())
    return float(np.sum(weights * np.nan_to_num(products)) / covered) if covered > 0 else 0.0
