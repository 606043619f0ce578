"""Which equation do competing representations obey?

Everything public is listed in ``__all__`` and loaded on first use, so that ``import ecodyn`` costs
milliseconds: torch, pysindy, xarray and matplotlib are imported by the functions that need them.
"""

from __future__ import annotations

from ecodyn._version import __version__ as __version__
from ecodyn.runtime.lazy import lazily

_HOME = {
    "Trajectories": "ecodyn.trajectories",
    "load": "ecodyn.trajectories",
    "Linear": "ecodyn.families",
    "LotkaVolterra": "ecodyn.families",
    "Matching": "ecodyn.families",
    "NeuralODE": "ecodyn.families",
    "SINDy": "ecodyn.families",
    "Shooting": "ecodyn.families",
    "load_model": "ecodyn.families",
    "register": "ecodyn.families",
    "compare": "ecodyn.comparison",
    "find_phases": "ecodyn.comparison",
    "extract": "ecodyn.extraction",
    "flow_of_map": "ecodyn.families.matrix_logarithm",
    "map_of_flow": "ecodyn.families.matrix_logarithm",
    "integrate": "ecodyn.rollouts.integration",
}

__all__ = [
    "Linear",
    "LotkaVolterra",
    "Matching",
    "NeuralODE",
    "SINDy",
    "Shooting",
    "Trajectories",
    "compare",
    "extract",
    "find_phases",
    "flow_of_map",
    "integrate",
    "load",
    "load_model",
    "map_of_flow",
    "register",
]


__getattr__, __dir__ = lazily(__name__, _HOME)
