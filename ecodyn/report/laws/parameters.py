"""A formula's parameters as a figure: how far their intervals reach, relative to their values."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ecodyn.families.coefficients import coefficients_of
from ecodyn.families.formula_model import FormulaModel
from ecodyn.report.formatting import coefficient
from ecodyn.report.style import FONT, INK, PALETTE, axes_or_new, escaped

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw_parameters"]

FARTHEST = 10.0  # times a value, that an interval is drawn to


def draw_parameters(law: FormulaModel, ax: Axes | None = None) -> Axes:
    """A row a parameter: its 95 % interval over runs as multiples of its value; hollow where it is not identified."""
    found = coefficients_of(law)
    ax = axes_or_new(ax, (7.5, 0.32 * len(found) + 1.2))
    for row, c in enumerate(found):
        ends = [np.nan if end is None or c.value == 0 else end / c.value for end in (c.low, c.high)]
        if np.isfinite(ends).all():
            ax.plot(np.clip(sorted(ends), -FARTHEST, FARTHEST), [row, row], color=PALETTE[0], lw=1.6)
        doubtful = c.identified is False
        ax.plot(1.0, row, "o", ms=6, mec=PALETTE[0], mfc="white" if doubtful else PALETTE[0])
        text = coefficient(c.value) + (", not identified" if doubtful else "")
        beside = (1.02, row)  # the axes, where nothing is in the way
        ax.annotate(text, beside, xycoords=("axes fraction", "data"), fontsize=FONT - 1, color=INK, va="center")
    ax.set_yticks(range(len(found)), [escaped(c.term) for c in found], fontsize=FONT)
    ax.set_ylim(len(found) - 0.5, -0.5)
    ax.axvline(0.0, color=INK, lw=0.8, zorder=0)
    ax.set_xlabel("95 % interval over runs / parameter")
    return ax
