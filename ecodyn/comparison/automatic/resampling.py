"""What laws are worth on resampled segments of the data.

Segments of the runs are drawn with replacement, and each law's criterion is made again from its rollouts' residuals in
them, without a new fit: the resampling of estimated log likelihoods (Kishino, Miyata and Hasegawa 1990).
"""

from __future__ import annotations

import numpy as np

from ecodyn.arrays import Array
from ecodyn.comparison.automatic.problem import Problem
from ecodyn.comparison.automatic.refinement import Refined, Window, march_laws

__all__ = ["resampled"]

SEGMENTS = 20  # of a run: each has to hold what correlates residuals


def resampled(problem: Problem, laws: list[Refined], substeps: int, resamples: int, seed: int) -> Array:
    """Criteria (1 + resample, law) of laws that follow all pieces: on the data, and on each resample."""
    squares, counts = _by_segment(problem, laws, substeps)
    draws = np.random.default_rng(seed).integers(len(counts), size=(resamples, len(counts)))
    weights = np.stack([np.bincount(d, minlength=len(counts)) for d in draws]).astype(float)
    total = np.einsum("rs,lsf->rlf", weights, squares)
    mean = total / (weights @ counts)[:, None, None]
    values = [[problem.criterion(m, law.mask) for m, law in zip(row, laws, strict=True)] for row in mean]
    return np.array([[problem.value(law) for law in laws], *values])


def _by_segment(problem: Problem, laws: list[Refined], substeps: int) -> tuple[Array, Array]:
    """Squared residuals (law, segment, feature), and how many samples each segment has."""
    window = Window(problem.runs, 1.0)
    count = len(window.first)
    coefficients = np.repeat(np.stack([law.coefficients for law in laws]), count, axis=0)
    starts = np.concatenate([law.starts for law in laws])
    times = np.tile(window.t, (len(laws), 1))
    _, out = march_laws(problem.terms, coefficients, starts, times, substeps, problem.bound)
    out = out.reshape(len(out), len(laws), count, -1)
    residual = (out - window.x.swapaxes(0, 1)[:, None]) * window.use.T[:, None, :, None]
    edges = np.array_split(np.arange(len(out)), min(SEGMENTS, len(out)))
    squares = [np.sum(residual[rows] ** 2, axis=0) for rows in edges]
    counts = [window.use.T[rows].sum(axis=0) for rows in edges]
    by_segment = np.stack(squares, axis=1)  # (law, part, run, feature)
    return by_segment.reshape(len(laws), -1, out.shape[-1]), np.stack(counts).ravel()
