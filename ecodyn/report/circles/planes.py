"""Circles in their planes: how they form over training, and one embedding along its principal components.

Examples
--------
``plot_fourier_planes`` and ``plot_pca_circles``, of a circle of 13 tokens that grows from radius 1 to 3, once round:

>>> from ecodyn.report import plot_fourier_planes, plot_pca_circles
>>> turn = 2 * np.pi * np.arange(13) / 13
>>> circle = np.stack([np.cos(turn), np.sin(turn)], axis=1)
>>> ax = plot_fourier_planes([1 * circle, 3 * circle], features=[1], steps=[0, 50])
>>> [(panel.get_title(), panel.texts[0].get_text()) for panel in ax.child_axes]
[('step 0', 'x = 9'), ('step 50', 'x = 28')]
>>> [panel.get_title() for panel in plot_pca_circles(3 * circle, features=[1]).child_axes]
['components 1 and 2 (100 %)\\ncoloured by k = 1']
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ecodyn.arrays import Array
from ecodyn.observables import Fourier, circle_plane
from ecodyn.report.circles.steps import evenly, place_of
from ecodyn.report.style import CYCLIC, DEAD, FONT, INK, apply_style, axes_or_new

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["plot_fourier_planes", "plot_pca_circles"]

PANEL = 1.25  # inches, of a plane
POINT, EDGE = 9.0, 0.3  # points² and points: a token's disc of 3 points, so that 59 fit a plane, and its rim
ROOM = 1.08  # of the farthest token, to the frame


def plot_fourier_planes(
    embeddings: ArrayLike,
    features: Sequence[int],
    steps: ArrayLike,
    ax: Axes | None = None,
    *,
    chosen: Sequence[float] | None = None,
) -> Axes:
    """Tokens in the plane of each frequency's final circle: a row a frequency, a column a step.

    With u_k − iv_k = Σ_a e^(-2πi·a·k/p) E_a of the *last* embedding, a panel shows all of E_a, less its mean over
    tokens, along an orthonormal basis of the plane of u_k and v_k. The plane stays, so that the circle is seen to
    form; what the other frequencies have in this plane is seen too. Colours go round with k·a mod p, the token's place
    on the circle. A row has one scale, its steps are to be compared; each panel states the signal x_k.

    Parameters
    ----------
    embeddings : array (step, token, dimension), dimension of at least 2
    features : the frequencies, such as the survivors and one that dies
    steps : (step,), of the embeddings
    chosen : which of the steps are drawn; default at most six, the first and last among them
    """
    frames, times = np.asarray(embeddings, dtype=float), np.asarray(steps)
    _check_frames(frames, features, times)
    places = evenly(len(times)) if chosen is None else [place_of(times, step) for step in chosen]
    ax = axes_or_new(ax, (PANEL * len(places) + 0.9, PANEL * len(features) + 0.5))
    ax.axis("off")
    signal = np.sqrt(Fourier(frames.shape[1]).components(frames).power())
    centred = frames - frames.mean(axis=1, keepdims=True)
    for row, k in enumerate(features):
        plane = circle_plane(frames[-1], k)
        points = centred[places] @ plane
        reach = ROOM * float(np.abs(points).max()) or 1.0
        for column, place in enumerate(places):
            panel = _grid_panel(ax, row, column, len(features), len(places))
            _draw_tokens(panel, points[column], k, reach)
            panel.text(
                0.03, 0.02, f"x = {signal[place, k]:.0f}", transform=panel.transAxes, fontsize=FONT - 2, color=INK
            )
            if row == 0:
                panel.set_title(f"step {times[place]:g}", fontsize=FONT, color=INK, pad=3)
            if column == 0:
                panel.set_ylabel(f"k = {k}", fontsize=FONT, color=INK)
    return ax


def plot_pca_circles(embedding: ArrayLike, features: Sequence[int], ax: Axes | None = None, *, planes: int = 3) -> Axes:
    """One embedding along its principal components, two a panel, coloured round the circle of a frequency.

    The principal components are those of E_a less its mean over tokens; panel n has components 2n − 1 and 2n and takes
    its colours from the frequency among ``features`` that has most of its signal in that plane. Two circles of nearly
    equal strength share their planes, so that a panel may show no circle where the Fourier planes do.

    Parameters
    ----------
    embedding : array (token, dimension)
    features : the frequencies, such as the survivors
    planes : how many panels
    """
    frame = np.asarray(embedding, dtype=float)
    _check_frames(frame[None], features, np.zeros(1))
    count = min(planes, min(frame.shape) // 2)
    ax = axes_or_new(ax, (2.4 * count, 2.7))
    ax.axis("off")
    left, sizes, right = np.linalg.svd(frame - frame.mean(axis=0), full_matrices=False)
    circles = Fourier(len(frame)).components(frame[None]).copy()
    if circles.imaginary is None:
        raise ValueError("expected Fourier components, which have an imaginary part, got real ones; pass an embedding")
    share = sizes**2 / float(np.sum(sizes**2))
    for n in range(count):
        axes = [2 * n, 2 * n + 1]
        strengths = [
            np.hypot(right[axes] @ circles.real[0, k], right[axes] @ circles.imaginary[0, k]) for k in features
        ]
        k = features[int(np.argmax([np.linalg.norm(h) for h in strengths]))]
        points = left[:, axes] * sizes[axes]
        panel = _grid_panel(ax, 0, n, 1, count)
        _draw_tokens(panel, points, k, ROOM * float(np.abs(points).max()) or 1.0)
        panel.set_title(
            f"components {axes[0] + 1} and {axes[1] + 1} ({100 * share[axes].sum():.0f} %)\ncoloured by k = {k}",
            fontsize=FONT,
            color=INK,
        )
    return ax


def _check_frames(frames: Array, features: Sequence[int], steps: NDArray[Any]) -> None:
    if frames.ndim != 3 or len(frames) != len(steps) or frames.shape[2] < 2:
        raise ValueError(
            f"expected embeddings (step, token, dimension) of at least 2 dimensions, one for each of {len(steps)} "
            f"steps, got shape {frames.shape}"
        )
    largest = (frames.shape[1] - 1) // 2
    wrong = [k for k in features if not 1 <= k <= largest]
    if wrong or not len(features):
        raise ValueError(f"expected frequencies of {frames.shape[1]} tokens, 1 to {largest}, got {list(features)}")


def _draw_tokens(panel: Axes, points: Array, k: int, reach: float) -> None:
    p = len(points)
    panel.scatter(
        points[:, 0],
        points[:, 1],
        c=k * np.arange(p) % p,
        cmap=CYCLIC,
        vmin=0,
        vmax=p,
        s=POINT,
        linewidths=EDGE,
        edgecolors=INK,
    )
    low = -1.2 * reach  # room for what is written below the tokens, the same scale both ways
    panel.set(xlim=(-1.1 * reach, 1.1 * reach), ylim=(low, low + 2.2 * reach), xticks=[], yticks=[])
    panel.set_box_aspect(1)
    panel.spines[:].set_color(DEAD)
    panel.spines[["top", "right"]].set_visible(True)


def _grid_panel(ax: Axes, row: int, column: int, rows: int, columns: int) -> Axes:
    """A small axes of a grid inside the given one, so that a figure of panels is still one axes to the caller."""
    width, height = 1.0 / columns, 1.0 / rows
    panel = ax.inset_axes((column * width, 1 - (row + 1) * height, 0.94 * width, 0.94 * height))
    apply_style(panel)
    return panel
