"""Figures of the planes of circles: what is drawn is what the embedding holds."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure

from ecodyn.report import plot_fourier_planes, plot_pca_circles

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
