"""Runge-Kutta steps along a grid, written out beforehand for compiled loops."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ecodyn.arrays import Array, Integers
from ecodyn.rollouts.marching import steps_in_pieces

__all__ = ["Steps"]


@dataclass(frozen=True)
class Steps:
    """Runge-Kutta steps along a grid: their lengths (step, member), when their stages are, (stage, member), three a
    step, and after how many of them each time of the grid is reached."""

    lengths: Array
    stages: Array
    ends: Integers

    @classmethod
    def along(cls, times: Array, substeps: int, cuts: Sequence[Array | None] | None = None) -> Steps:
        """As `ecodyn.rollouts.marching.march` goes along times (member, point), so many an interval."""
        if cuts is None:
            gap = np.diff(times, axis=1).T[:, None] / substeps
            begin = times.T[:-1, None] + np.arange(substeps)[:, None] * gap
            stages = np.stack([begin, begin + 0.5 * gap, begin + gap], axis=2)
            lengths = np.repeat(gap, substeps, axis=1).reshape(-1, len(times))
            return cls(lengths, stages.reshape(-1, len(times)), substeps * np.arange(times.shape[1]))
        each, when, reached = list[Array](), list[Array](), [0]
        for i, cut in enumerate(cuts):
            for t, h, end in steps_in_pieces(times[:, i : i + 2] if cut is None else cut, substeps):
                each.append(h)
                when += [t, t + 0.5 * h, t + h if end is None else end]
            reached.append(len(each))
        members = len(times)
        return cls(np.array(each).reshape(-1, members), np.array(when).reshape(-1, members), np.array(reached))
