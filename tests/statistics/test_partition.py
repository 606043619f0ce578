"""Partitions into straight pieces: optimal, exact where the curve is, and no more of them than other runs bear out."""

from itertools import combinations, pairwise

import numpy as np
import pytest

from ecodyn.statistics.partition import lines, number_of_pieces, partitions


def bent(knots, values, n=61):
    """A piecewise linear curve (grid, 1) with knots at grid indices."""
    return np.interp(np.arange(n), knots, values)[:, None]


def squares(curve, cuts):
    """Squared error of the best lines, both ends of each piece included."""
    return sum(float(np.sum((curve[a : b + 1] - lines(curve[a : b + 1], (0, b - a))) ** 2)) for a, b in pairwise(cuts))


@pytest.mark.parametrize("offset", [0.0, 1e4])
def test_knots_are_found_exactly(offset):
    curve = offset + bent([0, 17, 42, 60], [0.0, 3.0, -2.0, 4.0])
    assert partitions(curve, 3, 4)[2] == (0, 17, 42, 60)


def test_channels_share_their_cuts():
    curve = np.hstack([bent([0, 20, 60], [0.0, 3.0, 3.0]), bent([0, 45, 60], [0.0, 0.0, 2.0])])
    assert partitions(curve, 3, 4)[2] == (0, 20, 45, 60)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("pieces", [2, 3])
def test_no_other_partition_is_nearer(seed, pieces):
    n, shortest = 16, 3
    curve = np.random.default_rng(seed).normal(size=(n, 2)).cumsum(axis=0)
    found = partitions(curve, pieces, shortest)[-1]
    every = [(0, *inner, n - 1) for inner in combinations(range(1, n - 1), pieces - 1)]
    allowed = [cuts for cuts in every if min(b - a for a, b in pairwise(cuts)) >= shortest]
    assert squares(curve, found) == pytest.approx(min(squares(curve, cuts) for cuts in allowed))
    assert found in allowed


def test_there_are_no_more_pieces_than_there_is_room_for():
    found = partitions(np.random.default_rng(0).normal(size=(21, 1)), 8, 6)
    assert [len(cuts) - 1 for cuts in found] == [1, 2, 3]


def test_lines_reproduce_what_is_straight():
    curve = bent([0, 25, 60], [1.0, 4.0, 0.0])
    np.testing.assert_allclose(lines(curve, (0, 25, 60)), curve, atol=1e-12)


FOLDS = [(i,) for i in range(8)]


def test_a_bend_that_all_runs_share_counts():
    shift = np.random.default_rng(1).normal(0, 0.05, (8, 1, 1))
    assert number_of_pieces(bent([0, 20, 60], [0.0, 1.0, -1.0]) + shift, FOLDS, 6, 3) == 2


def test_a_bend_smaller_than_what_runs_differ_by_does_not():
    shift = np.random.default_rng(1).normal(0, 0.5, (8, 1, 1))
    assert number_of_pieces(bent([0, 20, 60], [0.0, 0.1, 0.0]) + shift, FOLDS, 6, 3) == 1


def test_noise_is_one_piece():
    noise = np.random.default_rng(2).normal(0, 0.1, (8, 61, 2))
    assert number_of_pieces(noise, FOLDS, 6, 3) == 1


def test_a_drift_that_is_a_run_s_own_is_one_piece():
    """Smooth residuals, correlated from end to end: penalties that take times as independent cut these up."""
    walks = np.random.default_rng(3).normal(0, 0.05, (8, 61, 1)).cumsum(axis=1)
    assert number_of_pieces(walks, FOLDS, 6, 3) == 1
