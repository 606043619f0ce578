"""Figures of what circles do together: every set and every pair is drawn as it was found."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure

from ecodyn.networks.modular_addition import Collaboration, PairLosses
from ecodyn.report import plot_collaboration, plot_pair_matrix

STEPS = np.array([0, 5, 9])


def track():
    rng = np.random.default_rng(0)
    sets = ((1,), (4,), (6,), (1, 4), (1, 6))
    loss = rng.uniform(0.5, 4.0, (3, len(sets)))
    return Collaboration(STEPS, sets, loss, loss / 4, np.array([4.0, 2.0, 0.01]), np.full(3, 4.0), "test", 0)


def test_every_set_is_a_line_in_the_panel_of_its_size():
    found = track()
    given = Figure().add_subplot()
    assert plot_collaboration(found, given, labelled=[4]) is given
    one, two = given.child_axes
    for panel, members in ((one, [0, 1, 2]), (two, [3, 4])):
        lines = [np.asarray(line.get_ydata()) for line in panel.get_lines()]
        np.testing.assert_array_equal(lines, [*found.loss[:, members].T, found.whole, found.none])
        low, high = panel.get_ylim()
        assert low < found.loss.min()
        assert found.loss.max() < high
    assert [one.get_title(), two.get_title()] == ["only {i} kept", "only {1, i} kept"]
    colours = [line.get_color() for line in one.get_lines()[:3]]
    assert colours[0] == colours[2] != colours[1]
    given.figure.canvas.draw()


def pair_losses(K):
    loss = np.random.default_rng(0).uniform(0.5, 2.0, (K, K))
    loss = (loss + loss.T) / 2
    return PairLosses(np.arange(1, K + 1), loss, loss / 4, 0.1, 3.0, 9, "test", 0)


@pytest.mark.parametrize("K", [2, 5, 12])
@pytest.mark.parametrize("what", ["loss", "synergy", "interaction"])
def test_the_matrix_is_the_pairs(what, K):
    pairs = pair_losses(K)
    given = Figure().add_subplot()
    assert plot_pair_matrix(pairs, given, what=what) is given
    expected = np.log10(pairs.loss) if what == "loss" else getattr(pairs, what)
    image = given.get_images()[0]
    np.testing.assert_array_equal(np.ma.filled(image.get_array(), np.nan), expected)
    written = K * K if what == "loss" else K * (K - 1)
    assert len(given.texts) == (written if K <= 8 else 0)
    if what != "loss":
        assert image.norm.vmin == -image.norm.vmax
    given.figure.canvas.draw()


def test_an_unknown_matrix_is_refused():
    with pytest.raises(ValueError, match="expected what to be one of loss, synergy, interaction, got 'sum'"):
        plot_pair_matrix(pair_losses(3), what="sum")
