"""Curves for the members of a batch: as each curve by itself says."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecodyn.equations.clock_drive import Drive, Drives


@settings(max_examples=30, deadline=None, derandomize=True, database=None)
@given(seed=st.integers(0, 10**6), steps=st.integers(2, 12), counts=st.lists(st.integers(1, 4), min_size=1, max_size=4))
@pytest.mark.parametrize("one_grid", [True, False])
def test_members_are_driven_by_their_own_curve(one_grid, seed, steps, counts):
    rng = np.random.default_rng(seed)
    grid = np.cumsum(rng.uniform(0.1, 1.0, steps))
    drives = tuple(Drive(grid if one_grid else grid * (1 + k), rng.normal(size=(steps, 3))) for k in range(len(counts)))
    t = rng.uniform(grid[0] - 1, grid[-1] + 1, sum(counts))
    t[0] = grid[-1]
    together = Drives(drives, tuple(counts))(t)
    alone = [drive(part) for drive, part in zip(drives, np.split(t, np.cumsum(counts)[:-1]), strict=True)]
    np.testing.assert_allclose(together, np.concatenate(alone), rtol=1e-9, atol=1e-9)
