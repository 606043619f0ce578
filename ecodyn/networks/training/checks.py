"""Settings of a training that nothing can be trained with are refused here, each with a sentence."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

__all__ = ["check_bool", "check_choice", "check_number", "check_rate", "check_seed", "check_whole", "word"]

LARGEST_SEED = 2**32 - 1  # of NumPy's legacy generator, which chooses the study's training pairs


def word(value: object) -> object:
    """Several values as one word, 2+8, as a grid's column can hold them; a single one as it is."""
    return ("+".join(map(str, value)) or "none") if isinstance(value, tuple) else value


def check_whole(name: str, value: int, least: int) -> None:
    """Raise a ValueError unless ``value`` is a whole number of at least ``least``."""
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not whole or value < least:
        raise ValueError(f"{name} must be a whole number of at least {least}, got {value!r}")


def check_number(name: str, value: float) -> None:
    """Raise a ValueError unless ``value`` is a number, rather than text that looks like one."""
    if not isinstance(value, int | float | np.number) or isinstance(value, bool):
        raise ValueError(f"{name} must be a number, got {value!r}")


def check_bool(name: str, value: bool) -> None:
    """Raise a ValueError unless ``value`` is true or false."""
    if not isinstance(value, bool | np.bool_):
        raise ValueError(f"{name} must be True or False, got {value!r}")


def check_rate(name: str, value: float, *, zero_allowed: bool) -> None:
    """Raise a ValueError unless ``value`` is finite and positive, or zero where that is allowed."""
    check_number(name, value)
    if not math.isfinite(value) or value < 0 or (value == 0 and not zero_allowed):
        raise ValueError(f"{name} must be finite and {'not negative' if zero_allowed else 'positive'}, got {value!r}")


def check_seed(seed: int) -> None:
    """Raise a ValueError unless ``seed`` is a seed for NumPy's legacy generator and torch's."""
    check_whole("seed", seed, 0)
    if seed > LARGEST_SEED:
        raise ValueError(f"seed must be at most {LARGEST_SEED}, got {seed}")


def check_choice(name: str, value: str, known: Iterable[str]) -> None:
    """Raise a ValueError unless ``value`` is one of the known words."""
    if value not in (choices := list(known)):
        raise ValueError(f"{name} must be one of {', '.join(choices)}, got {value!r}")
