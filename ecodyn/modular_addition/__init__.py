"""The networks of the study of modular addition, trained to its protocol (arXiv 2405.17420).

Everything public is listed in ``__all__`` and loaded on first use, since torch takes seconds to import.
"""

from __future__ import annotations

import importlib
from typing import Any

_HOME = {
    "IncompleteError": "population",
    "Interrupted": "population",
    "Network": "network",
    "Schedule": "trainer",
    "Settings": "trainer",
    "Training": "trainer",
    "descend": "trainer",
    "initialise": "network",
    "spectrum": "fourier",
    "split_pairs": "network",
    "train": "trainer",
    "train_population": "population",
}

__all__ = [
    "IncompleteError",
    "Interrupted",
    "Network",
    "Schedule",
    "Settings",
    "Training",
    "descend",
    "initialise",
    "spectrum",
    "split_pairs",
    "train",
    "train_population",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOME])
