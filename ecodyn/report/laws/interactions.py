"""The interaction matrix of a full law as an image, crossed out where halves of the runs don't agree."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ecodyn.arrays import Array
from ecodyn.families.diagnostics import CORRELATION_LIMIT
from ecodyn.families.law import Law
from ecodyn.report.formatting import number
from ecodyn.report.style import DIVERGING, FONT, INK, axes_or_new, escaped

if TYPE_CHECKING:
    from matplotlib.axes import Axes


MOST_WRITTEN = 8  # features up to which entries are written into their cells
MOST_LABELLED = 40  # features up to which every one has its label
REACH = 98.0  # percentile of the interactions' sizes at which colours saturate
BRIGHT = 0.6  # of the reach: beyond it the cell is dark, and what is on it light
CELL, MARGIN, SMALLEST, LARGEST = 0.24, 1.6, 4.2, 9.0  # inches
CHARACTERS = 12  # an inch


def plot_interactions(law: Law, ax: Axes | None = None) -> Axes:
    """The matrix A of a full law: row i is the equation of feature i, column j what feature j does to it.

    An entry on which two halves of the runs don't agree (beyond 2 standard errors) is crossed out; the whole matrix
    is, if the halves' off-diagonal entries correlate under 0.5. The title says so, or that there are too few runs to
    tell. Colours are symmetric about zero; of more than 8 features they saturate at the 98th percentile of the
    off-diagonal sizes, and of fewer the entries are written into their cells.

    Raises
    ------
    ValueError
        The law is not full, or its family has no interaction matrix.

    Examples
    --------
    >>> from ecodyn import Linear
    >>> from ecodyn.report import plot_interactions
    >>> steps = np.arange(40.0)[:, None]
    >>> x = np.exp(-0.05 * steps) * np.hstack([np.cos(0.2 * steps), np.sin(0.2 * steps)])
    >>> ax = plot_interactions(Linear(coupling="full").fit(x).model_)
    >>> ax.get_ylabel(), ax.get_xlabel()
    ('equation of feature i', 'acted on by feature j')
    """
    matrix = law.interactions()
    features = len(matrix)
    side = matrix_side(features)
    ax = axes_or_new(ax, (side + 1.0, side))
    reach = _reach(matrix)
    beyond = bool((np.abs(matrix) > reach * (1 + 1e-9)).any())
    image = ax.imshow(matrix, cmap=DIVERGING, vmin=-reach, vmax=reach, interpolation="nearest")
    linear = law.library.degrees[law.interaction_terms()].sum(axis=1).max() == 1  # else a signal times another
    unit = "per step" if linear else "per step and unit of signal"
    bar = ax.figure.colorbar(image, ax=ax, extend="both" if beyond else "neither", shrink=0.85)
    bar.set_label(f"$A_{{ij}}$, {unit}", fontsize=FONT, color=INK)
    bar.ax.tick_params(labelsize=FONT - 1, colors=INK)
    bar.ax.ticklabel_format(axis="y", scilimits=(-2, 3))
    bar.ax.yaxis.offsetText.set(fontsize=FONT - 1, color=INK)
    label_cells(ax, [str(f) for f in law.features])
    ax.set_ylabel("equation of feature i")
    ax.set_xlabel("acted on by feature j")
    doubtful, title = _doubtful(law)
    if features <= MOST_WRITTEN:
        write_entries(ax, matrix, dark_cells(matrix, reach))
    if doubtful.all():
        cross_out(ax)
    else:
        _cross_entries(ax, matrix, doubtful, reach)
    ax.set_title(textwrap.fill(title, int(CHARACTERS * side)), fontsize=FONT, color=INK)
    return ax


def matrix_side(features: int) -> float:
    """Inches that a matrix of so many features takes."""
    return float(np.clip(CELL * features + MARGIN, SMALLEST, LARGEST))


def _reach(matrix: Array) -> float:
    """Where colours saturate: of many entries a few large ones, the diagonal's above all, would leave the rest pale."""
    if len(matrix) <= MOST_WRITTEN:
        return float(np.abs(matrix).max(initial=0.0)) or 1.0
    off = np.abs(matrix[~np.eye(len(matrix), dtype=bool)])
    return float(np.percentile(off, REACH)) if off.any() else float(np.abs(matrix).max(initial=0.0)) or 1.0


def _doubtful(law: Law) -> tuple[NDArray[np.bool_], str]:
    """Which entries to cross out, and a title that says why."""
    d, columns = law.diagnostics, law.interaction_terms()
    nothing = np.zeros((len(law.features), len(columns)), dtype=bool)
    if d is None:
        return nothing, "no diagnostics: whether halves of the runs agree is not known"
    known = np.isfinite(d.halves[:, columns])
    if not known.any():
        return nothing, "too few runs to compare two halves of them: nothing shows that this matrix is identified"
    doubtful = known & ~d.identified[:, columns]
    correlation = d.halves_correlation
    if correlation is not None and correlation < CORRELATION_LIMIT:
        why = f"off-diagonal entries of two halves of the runs correlate {number(correlation, 2)}"
        return ~nothing, f"not identified: {why}"
    if doubtful[known].all():
        return ~nothing, "not identified: two halves of the runs disagree"
    agreement = "" if correlation is None else f"; the halves' off-diagonal entries correlate {number(correlation, 2)}"
    if not doubtful.any():
        return nothing, f"two halves of the runs agree on every entry{agreement}"
    return doubtful, f"crossed out: {doubtful.sum()} of {known.sum()} entries on which halves disagree{agreement}"


def label_cells(ax: Axes, labels: list[str]) -> None:
    """Features along both sides of a matrix, as many as can be read."""
    every = -(-len(labels) // MOST_LABELLED)
    places = range(0, len(labels), every)
    size = FONT - 1 if len(labels) <= MOST_WRITTEN else FONT - 2
    shown = [escaped(labels[i]) for i in places]
    turned = 90 if max(map(len, shown)) > CHARACTERS * (matrix_side(len(labels)) - MARGIN) / len(shown) else 0
    ax.set_xticks(places, shown, fontsize=size, rotation=turned)
    ax.set_yticks(places, shown, fontsize=size)
    ax.tick_params(length=0)


def write_entries(ax: Axes, matrix: Array, dark: NDArray[np.bool_]) -> None:
    """Finite entries into their cells, light where the cell is dark."""
    for (i, j), value in np.ndenumerate(matrix):
        if np.isfinite(value):
            text = f"{value:.2g}".replace("-", "−")
            ink = "white" if dark[i, j] else INK
            ax.text(j, i, text, ha="center", va="center", fontsize=FONT - 1, color=ink)


def dark_cells(matrix: Array, reach: float) -> NDArray[np.bool_]:
    """Which cells are dark, of colours that diverge from zero to ±reach."""
    return np.abs(matrix) > BRIGHT * reach


def _cross_entries(ax: Axes, matrix: Array, doubtful: NDArray[np.bool_], reach: float) -> None:
    """A cross from corner to corner of each doubtful cell, whatever the size of the figure."""
    for dark in (False, True):
        cells = np.argwhere(doubtful & (dark_cells(matrix, reach) == dark))
        _segments(ax, cells, "white" if dark else INK)


def _segments(ax: Axes, cells: NDArray[np.intp], colour: str) -> None:
    from matplotlib.collections import LineCollection

    half = 0.42
    lines: list[list[tuple[float, float]]] = []
    for i, j in cells:
        lines += [[(j - half, i - half), (j + half, i + half)], [(j - half, i + half), (j + half, i - half)]]
    ax.add_collection(LineCollection(lines, colors=colour, linewidths=0.8))


def cross_out(ax: Axes) -> None:
    """One cross over the whole image, with a light edge so that it shows on dark cells too."""
    from matplotlib.patheffects import Normal, Stroke

    for ends in ([0, 1], [1, 0]):
        edge = [Stroke(linewidth=4.0, foreground="white"), Normal()]
        ax.plot([0, 1], ends, transform=ax.transAxes, color=INK, lw=2.0, path_effects=edge)
