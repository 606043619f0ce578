"""Which of the arrays in a file is meant: the one asked for by --key, or the only one that it can be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from ecodyn.errors import UnusableDataError
from ecodyn.tables.names import listed

__all__ = ["choose", "with_shapes"]

EMBEDDING_NAMES = ("emb", "w_e", "wte")  # a part of the name, in small letters
MOST_LISTED = 30  # arrays in a sentence: those of a small network


def choose(path: Path, shapes: Mapping[str, tuple[int, ...]], key: str | None, ndims: Iterable[int]) -> str:
    """Return `key`, or else the one array of these dimensions; of several, the one named like an embedding.

    Raises
    ------
    UnusableDataError
        `key` is not there or has other dimensions, or no one array fits; lists what is there.
    """
    wanted = tuple(ndims)
    expected = " or ".join(f"{n}-dimensional" for n in wanted)
    if key is not None:
        if key not in shapes:
            raise UnusableDataError(
                f"{path} has no {key!r}; it has {with_shapes(shapes)}; choose one of them with --key"
            )
        if len(shapes[key]) not in wanted:
            raise UnusableDataError(
                f"{path}: {key} has shape {shapes[key]}, expected a {expected} array; it has {with_shapes(shapes)}"
            )
        return key
    candidates = [name for name, shape in shapes.items() if len(shape) in wanted]
    named = [name for name in candidates if any(part in name.lower().replace("unemb", "") for part in EMBEDDING_NAMES)]
    for meant in (candidates, named):
        if len(meant) == 1:
            return meant[0]
    if not candidates:
        raise UnusableDataError(f"{path} has no {expected} array, only {with_shapes(shapes)}; check what was logged")
    raise UnusableDataError(
        f"{path} has several arrays that may be meant: {with_shapes(shapes)}; name one with --key (in Python, "
        "ecodyn.logs.LogOptions(key=...))"
    )


def with_shapes(shapes: Mapping[str, tuple[int, ...]]) -> str:
    """Names and shapes, the first ones of many."""
    return listed([f"{name} {shape}" for name, shape in shapes.items()], MOST_LISTED) or "nothing"
