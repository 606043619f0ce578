"""The embeddings that come with trajectories: (run, token, dimension), of any number of dimensions each."""

from __future__ import annotations

import numpy as np

from ecodyn.arrays import Array, Bools
from ecodyn.errors import UnusableDataError
from ecodyn.trajectories.labels import Labels
from ecodyn.trajectories.values import Numbers, float64, written

__all__ = ["checked_embedding"]


def checked_embedding(values: Numbers, runs: Labels) -> Array:
    """A float64 copy (run, token, dimension), embeddings of fewer dimensions padded by NaN at the end."""
    given = values if isinstance(values, (list, tuple)) else np.atleast_1d(float64(values, "embedding"))
    parts = [float64(part, f"embedding[{r}]") for r, part in enumerate(given)]
    alike = len({part.shape[:1] for part in parts}) == 1 and all(part.ndim == 2 and part.size for part in parts)
    if len(parts) != len(runs) or not alike:
        shapes = ", ".join(dict.fromkeys(str(part.shape) for part in parts))
        raise UnusableDataError(
            f"expected an embedding (token, dimension) for each of {len(runs)} runs, all of the same tokens, got "
            f"{len(parts)} of shape {shapes or '()'}; give an array (run, token, dimension) or a list with an "
            "array a run"
        )
    padded = np.full((len(parts), len(parts[0]), max(part.shape[1] for part in parts)), np.nan)
    for part, row in zip(parts, padded, strict=True):
        row[:, : part.shape[1]] = part
    return _without_empty_dimensions(padded, runs)


def _without_empty_dimensions(padded: Array, runs: Labels) -> Array:
    """Refuse NaN before a run's last dimension, and leave out the dimensions that no run has."""
    some: Bools = ~np.all(np.isnan(padded), axis=1)
    widths = some.shape[1] - np.argmax(some[:, ::-1], axis=1)  # all, to be refused, if a run is NaN throughout
    inside = np.arange(some.shape[1]) < widths[:, None]
    bad = inside[:, None] & ~np.isfinite(padded)
    if bad.any():
        r, token, d = place = tuple(np.argwhere(bad)[0])
        raise UnusableDataError(
            f"embedding holds {written(padded[place])} at run {runs[r]}, token index {token}, dimension index {d} "
            f"({bad.sum()} such in all), expected finite numbers (NaN only as padding after a run's last "
            "dimension); leave that run or the embedding out"
        )
    return padded[..., : widths.max()]
