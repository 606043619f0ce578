"""What is recorded of where trajectories come from, whoever makes them."""

from __future__ import annotations

import importlib
import platform
from collections.abc import Hashable, Sequence
from typing import TypeVar

from ecodyn._version import __version__

__all__ = ["NUMERICAL", "clusters", "versions"]

NUMERICAL = ("numpy", "scipy", "numba", "scikit-learn", "torch", "pysindy")  # packages that have a say in the numbers

Label = TypeVar("Label")


def versions(*packages: str) -> dict[str, str]:
    """Versions of ecodyn, of the packages named, and of Python."""
    named = {package: importlib.import_module(package).__version__ for package in packages}
    return {"ecodyn": __version__, **named, "python": platform.python_version()}


def clusters(starts: Sequence[Hashable], labels: Sequence[Label]) -> list[Label] | None:
    """For each run the label of the first that starts alike; None where all start differently."""
    first: dict[Hashable, Label] = {}
    for start, label in zip(starts, labels, strict=True):
        first.setdefault(start, label)
    return [first[start] for start in starts] if len(first) < len(starts) else None
