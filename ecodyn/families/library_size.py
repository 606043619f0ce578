"""What a reader is told of a large library before it is matched."""

from __future__ import annotations

from collections.abc import Callable, Collection

from ecodyn.equations.library import EXCHANGEABLE, FULL, INDEPENDENT

__all__ = ["much_memory"]

MUCH_MEMORY = 2**30  # that matching one run may take without a word


def much_memory(name: str, needed: Callable[[str], int], couplings: Collection[str], steps: int) -> tuple[str, ...]:
    """A sentence on a full library that takes much memory, and on a coupling that takes less; none on a small one.

    ``needed`` are the bytes of a coupling's library, over so many steps.
    """
    size = needed(FULL)
    if size < MUCH_MEMORY:
        return ()
    others = [c for c in (EXCHANGEABLE, INDEPENDENT) if c in couplings and needed(c) < MUCH_MEMORY]
    offer = [f"coupling={c!r} takes {needed(c) / 2**30:.2f} GiB" for c in others[:1]]
    offer.append("fewer steps (--every) take less")
    return (
        f"{name}/full: matching its library takes about {size / 2**30:.1f} GiB for {steps} steps; " + ", ".join(offer),
    )
