"""How the cells of a grid are laid out: two settings span a map, each combination of the others has one of its own."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from ecodyn.comparison.atlas import Atlas, AtlasCell
from ecodyn.comparison.atlas.cells import Place, Value
from ecodyn.families import REGISTRY
from ecodyn.report.style import DEAD, PALETTE

__all__ = ["Fixed", "colours_of", "fixed_text", "lines_along", "maps_of", "spanned"]

Fixed = dict[str, Value]  # settings that all cells of a panel share


def maps_of(atlas: Atlas) -> list[Fixed]:
    """The panels of a map: one for up to two settings, else one for each combination of the others."""
    rest, values = atlas.by[2:], atlas.values[2:]
    return [dict(zip(rest, place, strict=True)) for place in itertools.product(*values)]


def spanned(atlas: Atlas, fixed: Fixed) -> Iterator[tuple[int, int, AtlasCell | None]]:
    """Column, row and cell of every place of a panel; None where there are no runs."""
    columns, rows = atlas.values[0], atlas.values[1] if len(atlas.by) > 1 else (None,)
    rest = tuple(fixed[name] for name in atlas.by[2:])
    for (i, x), (j, y) in itertools.product(enumerate(columns), enumerate(rows)):
        place: Place = (x, *rest) if y is None else (x, y, *rest)
        yield i, j, atlas.cells.get(place)


def lines_along(atlas: Atlas, setting: str) -> list[tuple[Fixed, list[AtlasCell]]]:
    """The cells along a setting, in the order of its values, for each combination of the others that has any."""
    others = [name for name in atlas.by if name != setting]
    values = [own for name, own in zip(atlas.by, atlas.values, strict=True) if name != setting]
    lines = []
    for place in itertools.product(*values):
        fixed = dict(zip(others, place, strict=True))
        own = [c for c in atlas.cells.values() if all(c.setting[name] == value for name, value in fixed.items())]
        if own:
            lines.append((fixed, own))
    return lines


def fixed_text(fixed: Fixed) -> str:
    """What the cells of a panel share, such as "depth 2, dim 64"."""
    return ", ".join(f"{name} {value}" for name, value in fixed.items())


def colours_of(atlas: Atlas) -> dict[str, str]:
    """A colour for each family that was compared, in the registry's order; grey beyond those that there are."""
    known = list(REGISTRY)
    there = {f for cell in atlas.cells.values() for window in range(len(cell.windows)) for f in cell.families(window)}
    ordered = sorted(there, key=lambda f: (known.index(f) if f in known else len(known), f))
    return {family: PALETTE[i] if i < len(PALETTE) else DEAD for i, family in enumerate(ordered)}
