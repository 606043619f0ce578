"""Figures of circles and of what they do to each other: what is drawn is what was found."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure

from ecodyn import Linear, Trajectories
from ecodyn.networks.modular_addition import Collaboration, PairLosses
from ecodyn.report import plot_collaboration, plot_fourier_planes, plot_pair_matrix, plot_pca_circles, plot_perturbation
from ecodyn.survival import law_response, perturbation

P, STEPS = 13, np.array([0, 5, 9])


def circles(radii, noise=0.0, seed=0):
    """Embeddings (step, token, dimension) of circles of these radii in planes of their own, over noise that shrinks."""
    rng = np.random.default_rng(seed)
    basis = np.linalg.qr(rng.normal(size=(8, 8)))[0]
    tokens = np.arange(P)
    clean = sum(
        r * np.outer(f(2 * np.pi * k * tokens / P), basis[2 * i + j])
        for i, (k, r) in enumerate(radii.items())
        for j, f in enumerate((np.cos, np.sin))
    )
    return np.stack([clean + noise * share * rng.normal(size=clean.shape) for share in (1.0, 0.5, 0.0)])


def drawn(panel):
    return np.asarray(panel.collections[0].get_offsets())


def test_a_circle_is_round_in_its_plane_and_has_its_size():
    frames = circles({2: 3.0, 5: 1.5}, noise=1.0)
    given = Figure().add_subplot()
    assert plot_fourier_planes(frames, [2, 5], STEPS, given) is given
    panels = given.child_axes
    assert len(panels) == 2 * len(STEPS)
    for panel, radius in zip((panels[2], panels[5]), (3.0, 1.5), strict=True):
        np.testing.assert_allclose(np.linalg.norm(drawn(panel), axis=1), radius, rtol=1e-10)
    assert np.std(np.linalg.norm(drawn(panels[0]), axis=1)) > 0.05
    assert panels[2].texts[0].get_text() == f"x = {3.0 * P / np.sqrt(2):.0f}"
    given.figure.canvas.draw()


def test_colours_go_round_the_circle_once():
    """Neighbours in colour are neighbours on the circle, whatever the frequency."""
    for k in (1, 3, 6):
        panel = plot_fourier_planes(circles({k: 1.0}), [k], STEPS, chosen=[9]).child_axes[0]
        order = np.argsort(np.asarray(panel.collections[0].get_array()))
        x, y = drawn(panel)[order].T
        turns = np.diff(np.unwrap(np.arctan2(y, x)))
        np.testing.assert_allclose(np.abs(turns), 2 * np.pi / P, rtol=1e-9)
        assert len(set(np.sign(turns))) == 1


def test_turning_the_embedding_turns_nothing_that_is_drawn():
    frames = circles({2: 3.0, 5: 1.5}, noise=0.5)
    turned = frames @ np.linalg.qr(np.random.default_rng(1).normal(size=(8, 8)))[0] + 4.0  # a mean is not drawn either
    for a, b in zip(*(plot_fourier_planes(f, [2, 5], STEPS).child_axes for f in (frames, turned)), strict=True):
        np.testing.assert_allclose(*(np.linalg.norm(drawn(panel), axis=1) for panel in (a, b)), rtol=1e-9)


def test_principal_components_show_circles_of_unequal_size():
    ax = plot_pca_circles(circles({2: 3.0, 5: 1.5})[-1], [5, 2], planes=2)
    for panel, radius, k in zip(ax.child_axes, (3.0, 1.5), (2, 5), strict=True):
        np.testing.assert_allclose(np.linalg.norm(drawn(panel), axis=1), radius, rtol=1e-10)
        assert f"k = {k}" in panel.get_title()


@pytest.mark.parametrize(("features", "steps"), [([7], STEPS), ([], STEPS), ([1], STEPS[:2])])
def test_what_is_no_frequency_or_no_step_is_refused(features, steps):
    with pytest.raises(ValueError, match="expected"):
        plot_fourier_planes(circles({2: 1.0}), features, steps)


def test_a_step_without_an_embedding_is_refused():
    with pytest.raises(ValueError, match="expected a step among 0, 5, 9; got 7"):
        plot_fourier_planes(circles({2: 1.0}), [2], STEPS, chosen=[7])


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


def test_the_perturbation_drawn_is_the_one_found():
    rng = np.random.default_rng(0)
    times, factors = np.arange(0.0, 31.0), (0.5, 1.0, 2.0)
    start = np.repeat(rng.uniform(1, 2, (1, 5, 4)), 3, axis=0)
    start[:, :, 1] *= np.array(factors)[:, None]
    mean, t = start.mean(axis=2)[..., None, None], times[:, None]
    values = (start[:, :, None] - mean) * np.exp(-0.05 * t) + mean * np.exp(-0.09 * t)
    runs = Trajectories(
        values.reshape(15, len(times), 4),
        times,
        cluster=[*range(5)] * 3,
        settings={"scale_frequency_factor": np.repeat(factors, 5)},
    )
    found = perturbation(runs, runs.values[:, -1] > 0.3, 1)
    law = Linear().fit(runs.select(scale_frequency_factor=1.0)).model_
    response = law_response(runs, law, 1, steps=[0, 5, 30])
    given = Figure().add_subplot()
    assert plot_perturbation(found, response, given) is given
    left, right = given.child_axes
    observed = {tuple(line.get_ydata()) for line in left.get_lines()}
    for place in (5, 30):
        assert tuple(found.others_change.mean[:, place]) in observed
    for place in (1, 2):
        assert tuple(response.predicted.mean[:, place]) in observed
    shares = {tuple(line.get_ydata()) for line in right.get_lines()}
    assert {tuple(found.own_survival.mean), tuple(found.others_survival.mean)} <= shares
    given.figure.canvas.draw()
    plot_perturbation(found).figure.canvas.draw()
