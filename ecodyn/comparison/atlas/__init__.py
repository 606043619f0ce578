"""A verdict in every cell of a grid of settings: split the runs, compare each cell, hold the claims to a control."""

from ecodyn.comparison.atlas.cell import AtlasCell
from ecodyn.comparison.atlas.cell_by_cell import InterruptedAtlas, compare_by
from ecodyn.comparison.atlas.result import Atlas

__all__ = ["Atlas", "AtlasCell", "InterruptedAtlas", "compare_by"]
