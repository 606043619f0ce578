"""Which equation do competing representations obey?

Everything public is listed in ``__all__`` and loaded on first use, so that ``import ecodyn`` costs
milliseconds: torch, pysindy, xarray and matplotlib are imported by the functions that need them.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

_HOME = {
    "Trajectories": "ecodyn.trajectories",
    "load": "ecodyn.trajectories",
    "Linear": "ecodyn.families",
    "LotkaVolterra": "ecodyn.families",
    "NeuralODE": "ecodyn.families",
    "SINDy": "ecodyn.families",
    "load_model": "ecodyn.families",
    "register": "ecodyn.families",
    "compare": "ecodyn.comparison",
    "extract": "ecodyn.extraction",
    "integrate": "ecodyn.rollout",
}

__all__ = [
    "Linear",
    "LotkaVolterra",
    "NeuralODE",
    "SINDy",
    "Trajectories",
    "compare",
    "extract",
    "integrate",
    "load",
    "load_model",
    "register",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(importlib.import_module(_HOME[name]), name)
    raise AttributeError(f"module 'ecodyn' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOME])
