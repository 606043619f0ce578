"""Coefficients of a law against a setting, for each combination of the others."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ecodyn.arrays import Array
from ecodyn.comparison.atlas import Atlas, AtlasCell
from ecodyn.comparison.atlas.cells import Value
from ecodyn.families.coefficients import Coefficient, coefficients_of
from ecodyn.families.formula_model import FormulaModel
from ecodyn.families.law import Law
from ecodyn.families.model_name import FAMILY, ModelName
from ecodyn.report.atlas.panels import fixed_text, lines_along
from ecodyn.report.formatting import term
from ecodyn.report.style import DEAD, FONT, INK, PALETTE, axes_or_new, escaped

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["laws_of_atlas", "plot_coefficient_along", "terms_of"]

APART = 0.025  # of an axis, by which lines stand beside each other
MARKERS = ("o", "s", "D", "^", "v", "P")  # beside the colours
MOST_LINES = len(PALETTE)
TICKS, MOST_TICKS = (1.0, 2.0, 5.0), 6  # of a logarithmic axis: two to three in a decade, also where it is less


def laws_of_atlas(atlas: Atlas, window: int = 0) -> list[ModelName]:
    """The laws whose coefficients are drawn, of those that were fitted to all runs of a cell.

    First the one that is named in most cells, or, where none is named, that leaves least in most. Then, where that
    selects other terms in other cells, the law of the same terms in all that leaves least in most cells: its
    coefficients can be compared from cell to cell.
    """
    cells = list(atlas.cells.values())
    terms: dict[ModelName, list[frozenset[str]]] = {}
    for cell in cells:
        for law in {f.name: f for f in _fitted(cell, window)}.values():
            terms.setdefault(law.name, []).append(frozenset(law.shared()))
    named = [m.name for cell in cells if (m := cell.best(window)) is not None]
    constant = {name for name, found in terms.items() if len(set(found)) == 1 and found[0]}
    first = _most_often(named, set(terms)) or _most_often(_leading(atlas, window, set(terms)), set(terms))
    second = None if first in constant else _most_often(_leading(atlas, window, constant), constant)
    return [name for name in (first, second) if name is not None]


def _leading(atlas: Atlas, window: int, among: Set[ModelName]) -> list[ModelName]:
    """In each cell, the one of these that leaves least."""
    parts = [cell.windows[window] for cell in atlas.cells.values() if window < len(cell.windows)]
    orders = [[m.name for m in part.of(part.headline) if m.name in among] for part in parts]
    return [order[0] for order in orders if order]


def _most_often(names: Sequence[ModelName], among: Set[ModelName]) -> ModelName | None:
    known = [name for name in names if name in among]
    return max(dict.fromkeys(known), key=known.count) if known else None


@dataclass(frozen=True)
class _Fitted:
    """A law that was fitted to all runs of a cell."""

    name: ModelName
    model: Law | FormulaModel

    def shared(self) -> dict[str, Coefficient]:
        """Coefficients that all features share, by equation and term."""
        found = [c for c in coefficients_of(self.model) if c.feature is None]
        several = len({c.equation for c in found}) > 1
        return {f"{c.equation}: {c.term}" if several else c.term: c for c in found}


def _fitted(cell: AtlasCell, window: int) -> list[_Fitted]:
    models = cell.windows[window].models if window < len(cell.windows) else []
    return [_Fitted(m.name, m.model) for m in models if m.kind == FAMILY and isinstance(m.model, Law | FormulaModel)]


def _coefficients(cell: AtlasCell, law: ModelName, window: int) -> dict[str, Coefficient]:
    return next((f.shared() for f in _fitted(cell, window) if f.name == law), {})


def terms_of(atlas: Atlas, law: ModelName, window: int = 0) -> list[str]:
    """The law's terms in any cell, in the order in which they come up, a coefficient each that all features share."""
    return list(dict.fromkeys(t for cell in atlas.cells.values() for t in _coefficients(cell, law, window)))


def plot_coefficient_along(
    atlas: Atlas, law: ModelName, name: str, setting: str, window: int = 0, ax: Axes | None = None
) -> Axes:
    """A coefficient of one law along a setting, with its 95 % interval over runs; a line a combination of the others.

    Both axes are logarithmic where all there is on them is positive, or all negative, which is then drawn as its size.
    Filled: the law is named in that cell.

    Parameters
    ----------
    law, name : which law, and which of its terms, see `terms_of`
    setting : whose values are along the axis
    window : index of a window

    Examples
    --------
    >>> from ecodyn import Trajectories, compare_by
    >>> from ecodyn.report import plot_coefficient_along
    >>> from ecodyn.report.atlas.coefficients import laws_of_atlas, terms_of
    >>> steps, starts = np.arange(0.0, 40.0, 2.0), np.linspace(1.0, 3.0, 12).reshape(6, 1, 2)
    >>> runs = Trajectories(starts * np.exp(-0.1 * steps)[:, None], steps, settings={"dim": [8] * 6})
    >>> atlas = compare_by(runs, ["dim"], ["linear"], ["independent"])
    >>> (law,) = laws_of_atlas(atlas)
    >>> str(law), terms_of(atlas, law)
    ('linear/independent', ['1', 'x'])
    >>> plot_coefficient_along(atlas, law, "x", "dim").get_yscale()
    'log'
    """
    ax = axes_or_new(ax, (4.2, 3.2))
    lines = lines_along(atlas, setting)
    found = [[(cell, _coefficients(cell, law, window).get(name)) for cell in cells] for _, cells in lines]
    there = [c.value for line in found for _, c in line if c is not None]
    logarithmic, sign = bool(there) and min(there) * max(there) > 0, -1.0 if there and max(there) < 0 else 1.0
    values = list(atlas.values[atlas.by.index(setting)])
    axis = _Axis.of(values)
    for i, ((fixed, _), line) in enumerate(zip(lines[:MOST_LINES], found, strict=False)):
        x = axis.moved(APART * (i - (min(len(lines), MOST_LINES) - 1) / 2))
        points = [
            _Point.of(x[values.index(cell.setting[setting])], c, sign, named=_named(cell, law, window))
            for cell, c in line
            if c is not None
        ]
        _draw_line(ax, points, i, fixed_text(fixed), floor=0.5 * min(map(abs, there)) if logarithmic else -np.inf)
    _finish(ax, axis, values, logarithmic)
    ax.set_xlabel(escaped(setting.replace("_", " ")))
    ax.set_title(("−" if sign < 0 else "") + escaped(term(name)), fontsize=FONT + 1, color=INK)
    return ax


def _named(cell: AtlasCell, law: ModelName, window: int) -> bool:
    best = cell.best(window)
    return best is not None and best.name == law


@dataclass(frozen=True)
class _Axis:
    """Where the values of a setting stand: at themselves on a logarithmic axis if all are positive, else in a row."""

    positions: Array
    logarithmic: bool

    @classmethod
    def of(cls, values: Sequence[Value]) -> _Axis:
        numbers = [float(v) for v in values if not isinstance(v, str) and v > 0]
        if len(numbers) == len(values) > 1:
            return cls(np.array(numbers), True)
        return cls(np.arange(len(values), dtype=float), False)

    def moved(self, share: float) -> Array:
        """The positions, moved by a share of the whole axis."""
        first, last = self.positions[0], self.positions[-1]
        if self.logarithmic:
            return np.asarray(self.positions * (last / first) ** share)
        return np.asarray(self.positions + share * max(last - first, 1.0))


@dataclass(frozen=True)
class _Point:
    """A coefficient as it is drawn."""

    x: float
    value: float
    low: float
    high: float
    named: bool

    @classmethod
    def of(cls, x: float, c: Coefficient, sign: float, *, named: bool) -> _Point:
        ends = [sign * (np.nan if end is None else end) for end in (c.low, c.high)]
        return cls(float(x), sign * c.value, min(ends), max(ends), named)


def _draw_line(ax: Axes, points: Sequence[_Point], i: int, label: str, floor: float) -> None:
    """One combination of the other settings; intervals end at the floor, where a logarithm has none."""
    colour, marker = PALETTE[i], MARKERS[i]
    ax.plot([p.x for p in points], [p.value for p in points], color=colour, lw=0.8, alpha=0.6, zorder=1)
    for p in points:
        if np.isfinite(p.low):
            ax.plot([p.x, p.x], [max(p.low, floor), p.high], color=colour, lw=1.4, zorder=2)
        ax.plot(p.x, p.value, marker, ms=5, mec=colour, mfc=colour if p.named else "white", zorder=3)
    ax.plot([], [], marker, ms=5, color=colour, lw=1.4, label=escaped(label))


def _finish(ax: Axes, axis: _Axis, values: Sequence[Value], logarithmic: bool) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    if axis.logarithmic:
        ax.set_xscale("log")
        ax.minorticks_off()
    ax.set_xticks(axis.positions, [escaped(v) for v in values])
    if logarithmic:
        ax.set_yscale("log")
        ax.yaxis.set_major_locator(LogLocator(subs=TICKS, numticks=MOST_TICKS))
        ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.2g}"))
        ax.yaxis.set_minor_formatter(NullFormatter())
    else:
        ax.axhline(0.0, color=DEAD, lw=0.8, zorder=0)
