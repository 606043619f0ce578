"""A law's coefficients as a figure, in units of what their runs leave open."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ecodyn.arrays import Array
from ecodyn.equations.library import FULL
from ecodyn.families.formula_model import FormulaModel
from ecodyn.families.law import Law
from ecodyn.report.formatting import coefficient, term
from ecodyn.report.laws.coefficients import term_label
from ecodyn.report.laws.interactions import cross_out, plot_interactions
from ecodyn.report.laws.parameters import draw_parameters
from ecodyn.report.style import DEAD, DIVERGING, FONT, INK, PALETTE, axes_or_new, escaped

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["plot_coefficients"]

MOST_NAMED_TERMS = 30  # of an image's columns
MOST_TICKS = 15  # along a side of an image


def plot_coefficients(law: Law | FormulaModel, ax: Axes | None = None) -> Axes:
    """Coefficients of a law, made comparable by the half width of their own 95 % intervals over runs.

    A row is a term of an equation, a dot a coefficient: one, or one a feature. Beyond ±1 the interval leaves zero out.
    Hollow ones are not identified (two halves of the runs disagree). A full law is an image, crossed out where it is
    not identified: see ``plot_interactions``. A formula's parameters are drawn as multiples of their values.

    Examples
    --------
    >>> from ecodyn import Linear
    >>> from ecodyn.report import plot_coefficients
    >>> x = np.exp(-0.1 * np.arange(50.0))[:, None] * [1.0, 2.0, 3.0]
    >>> ax = plot_coefficients(Linear(coupling="independent").fit(x).model_)
    >>> [label.get_text() for label in ax.get_yticklabels()]
    ['constant', 'x']
    """
    if isinstance(law, FormulaModel):
        return draw_parameters(law, ax)
    if law.coupling == FULL:
        return plot_interactions(law, ax) if law.interaction_matrix else _draw_terms(law, ax)
    labels = [term_label(law, law.channels[c], name) for c in law.library.fitted for name in law.library.names()]
    ax = axes_or_new(ax, (7.5, 0.32 * len(labels) + 1.2))
    measure, unit = _comparable(law)
    several = law.library.groups(len(law.coefficients)) > 1
    for row, places in enumerate(_places(law)):
        for place in places:
            _draw_coefficient(ax, law, row, place, measure[place], annotate=not several)
    ax.set_yticks(range(len(labels)), labels, fontsize=FONT)
    ax.set_ylim(len(labels) - 0.5, -0.5)
    ax.axvline(0.0, color=INK, lw=0.8, zorder=0)
    if not law.n_coefficients:
        ax.set_title("no term was selected: nothing changes", fontsize=FONT, color=INK)
    if _has_intervals(law):
        ax.axvspan(-1.0, 1.0, color=DEAD, alpha=0.3, lw=0, zorder=0)
    ax.set_xscale("symlog", linthresh=1.0, linscale=0.4)
    ax.xaxis.set_major_formatter("{x:g}")
    _symmetric(ax, measure)
    ax.set_xlabel(unit)
    return ax


def _places(law: Law) -> list[list[tuple[int, int]]]:
    """Positions in the coefficients (equation × group, term) of each row of the figure: equations, then terms."""
    lines, terms = law.coefficients.shape
    groups = law.library.groups(lines)
    return [
        [(equation * groups + group, term) for group in range(groups)]
        for equation in range(lines // groups)
        for term in range(terms)
    ]


def _has_intervals(law: Law) -> bool:
    return law.diagnostics is not None and bool(np.isfinite(law.diagnostics.low).any())


def _comparable(law: Law) -> tuple[Array, str]:
    """Coefficients in half widths of their intervals; as they are where there are no intervals."""
    d = law.diagnostics
    if d is None or not _has_intervals(law):
        return law.coefficients, "coefficient (no intervals: a single run, or a law read from a file)"
    half = (d.high - d.low) / 2
    measure = np.divide(law.coefficients, half, out=np.full(half.shape, np.nan), where=half > 0)
    return measure, "coefficient / half width of its 95 % interval over runs (dot in grey: may be zero)"


def _draw_coefficient(ax: Axes, law: Law, row: int, place: tuple[int, int], value: float, *, annotate: bool) -> None:
    d = law.diagnostics
    if law.coefficients[place] == 0 or not np.isfinite(value):
        return
    doubtful = d is not None and np.isfinite(d.halves[place]) and not d.identified[place]
    if annotate and _has_intervals(law):
        ax.plot([value - 1, value + 1], [row, row], color=PALETTE[0], lw=1.6)
    ax.plot(value, row, "o", ms=6, mec=PALETTE[0], mfc="white" if doubtful else PALETTE[0])
    if annotate:  # beside the axes, where nothing is in the way
        text = coefficient(law.coefficients[place]) + (", not identified" if doubtful else "")
        beside = (1.02, row)
        ax.annotate(text, beside, xycoords=("axes fraction", "data"), fontsize=FONT - 1, color=INK, va="center")


def _symmetric(ax: Axes, measure: Array) -> None:
    finite = np.abs(measure[np.isfinite(measure)])
    reach = 2.0 * (float(finite.max(initial=0.0)) + 1.0)
    ax.set_xlim(-reach, reach)


def _draw_terms(law: Law, ax: Axes | None) -> Axes:
    """All coefficients of a full law that is no matrix: a row a feature and equation, a column a term."""
    ax = axes_or_new(ax, (6.0, 5.0))
    reach = float(np.abs(law.coefficients).max(initial=0.0)) or 1.0
    image = ax.imshow(law.coefficients, cmap=DIVERGING, vmin=-reach, vmax=reach, aspect="auto", interpolation="nearest")
    ax.figure.colorbar(image, ax=ax, label="coefficient")
    several = len(law.library.fitted) > 1
    rows = [f"{law.channels[c]}: {f}" if several else str(f) for c in law.library.fitted for f in law.features]
    every = -(-len(rows) // MOST_TICKS)
    ax.set_yticks(range(0, len(rows), every), [escaped(row) for row in rows[::every]])
    if len(law.library) <= MOST_NAMED_TERMS:
        names = [escaped(term(name)) for name in law.library.names()]
        step = -(-len(names) // MOST_TICKS)
        ax.set_xticks(range(0, len(names), step), names[::step], rotation=90)
    ax.set_ylabel("equation of feature")
    ax.set_xlabel("term")
    d = law.diagnostics
    if d is not None and np.isfinite(d.halves).any() and not d.identified.any():
        cross_out(ax)
        ax.set_title("not identified: two halves of the runs disagree", fontsize=FONT, color=INK)
    return ax
