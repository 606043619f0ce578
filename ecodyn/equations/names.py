"""How terms are named in text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ecodyn.trajectories.state import name_of

__all__ = ["letter_of", "moment_name", "product_name"]


def letter_of(channel: str) -> str:
    """``signal`` is x, ``gradient@start`` is gradient_start, ``signal@-1`` is lag1."""
    return "x" if channel == "signal" else name_of(channel)


def moment_name(channels: Sequence[str], powers: tuple[int, ...]) -> str:
    """A mean over features of a monomial in the channels, ``mean_x2``."""
    factors = [letter_of(c) + (str(p) if p > 1 else "") for c, p in zip(channels, powers, strict=True) if p]
    return "mean_" + "_".join(factors)


def product_name(factors: Iterable[tuple[str, int]]) -> str:
    """A product of variables to their powers; a reciprocal, ``1/(2 + x)``, is divided by: ``y/(2 + x)``."""
    text = "*".join(name if power == 1 else f"{name}**{power}" for name, power in factors if power)
    return text.replace("*1/(", "/(") or "1"
