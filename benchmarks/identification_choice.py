"""Which systems a record is made on, and the seeds of their data."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

import numpy as np

from ecodyn.systems import GROUPS, HELD_OUT, SYSTEMS, TUNED_ON, WORKED_ON, half

BOTH = "both"
HALVES = (WORKED_ON, HELD_OUT, BOTH)


def of_half(wanted: str) -> tuple[str, ...]:
    """Names of the systems of a half, or of both."""
    return tuple(name for name in SYSTEMS if wanted in (BOTH, half(name)))


def stratified(names: Sequence[str], count: int, seed: int) -> tuple[str, ...]:
    """So many of the names, drawn with a seed, of each group in proportion to its size; in the order they had."""
    rng = np.random.default_rng(seed)
    ranks: list[tuple[float, str]] = []
    for group in GROUPS.values():
        members = [name for name in names if name in group]
        ranks += [((k + rng.random()) / len(members), members[i]) for k, i in enumerate(rng.permutation(len(members)))]
    drawn = {name for _, name in sorted(ranks)[:count]}
    return tuple(name for name in names if name in drawn)


def data_seed(name: str, seed: int, repetition: int) -> int:
    """Of starting states and noise: a system keeps its own whatever others there are.

    Those of the first record are numbered among themselves, all others by a hash of their name.
    """
    first = sorted(TUNED_ON)
    number = first.index(name) if name in TUNED_ON else int.from_bytes(sha256(name.encode()).digest()[:4], "big")
    return int(np.random.default_rng([seed, repetition, number]).integers(2**31))
