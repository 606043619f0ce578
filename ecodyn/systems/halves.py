"""How the record is split in two: by a hash of a system's name, which nobody chose."""

from __future__ import annotations

from hashlib import sha256

__all__ = ["HELD_OUT", "WORKED_ON", "half_of"]

WORKED_ON, HELD_OUT = "worked_on", "held_out"


def half_of(name: str) -> str:
    """The half that a name falls into by the parity of its SHA-256, odd ones are held out.

    Examples
    --------
    >>> half_of("kepler"), half_of("toda")
    ('worked_on', 'held_out')
    """
    return HELD_OUT if sha256(name.encode()).digest()[-1] % 2 else WORKED_ON
