"""What tells whether trajectories are the same data again."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

from ecodyn.runtime.fingerprints import fingerprint

if TYPE_CHECKING:
    from ecodyn.trajectories.contents import Contents

__all__ = ["fingerprint_of"]

# What says nothing of the data: how they were asked for, which other runs there are beside them, and what was said
# about them. With --resume a command that extracts logs is another, and its data are not.
OF_THE_ASKING = ("command", "networks", "varied", "seeds", "parts")
REMARKS = "remarks"


def fingerprint_of(data: Contents) -> str:
    """SHA-256, in hexadecimal, of all values, times, labels, masks, inputs, settings and the provenance.

    Examples
    --------
    >>> import numpy as np
    >>> from ecodyn import Trajectories
    >>> x = np.random.default_rng(0).random((2, 5, 3))
    >>> fingerprint_of(Trajectories(x, range(5))) == fingerprint_of(Trajectories(x, range(5), labels_shared=True))
    False
    """
    held = {f.name: getattr(data._data, f.name) for f in fields(data._data) if f.name != REMARKS}
    held["provenance"] = {k: v for k, v in data.provenance.items() if k not in OF_THE_ASKING}
    return fingerprint(held)
