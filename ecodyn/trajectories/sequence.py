"""Trajectories as a sequence of runs, so that what takes a list of samples, as scikit-learn does, takes them."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Self, SupportsIndex

import numpy as np
from numpy.typing import DTypeLike, NDArray

from ecodyn.arrays import Array
from ecodyn.trajectories.checks import Checked
from ecodyn.trajectories.contents import Contents
from ecodyn.trajectories.labels import Label, checked_labels
from ecodyn.trajectories.parts import some, take_runs

__all__ = ["RunSequence"]

Positions = SupportsIndex | slice | Sequence[int] | NDArray[Any]


class RunSequence(Contents):
    """Runs by their position: ``len(runs)``, ``runs[0]``, ``runs[2:]``, ``runs[[4, 1]]``, ``for run in runs``.

    Each part is trajectories again, that of one position too; ``select`` takes runs by their label. As an array,
    trajectories are their ``values``.
    """

    @classmethod
    def _derived(cls, data: Checked) -> Self:
        raise NotImplementedError

    def __len__(self) -> int:
        return len(self._data.runs)

    def __getitem__(self, index: Positions | tuple[Positions, Any]) -> Self:
        """The runs at these positions, as trajectories; a mask over the runs is taken too."""
        if isinstance(index, tuple):  # scikit-learn asks an array for array[positions, ...]
            if len(index) != 2 or index[1] is not Ellipsis:
                raise TypeError(
                    f"expected positions of runs, got {len(index)} indices; steps are chosen by window() and every(), "
                    "features by select(features=...), and values is the array"
                )
            index = index[0]
        positions = self._positions(index)
        if not positions:
            raise IndexError(f"expected at least one of {len(self)} runs, got none of them")
        if len(set(positions)) < len(positions):
            raise IndexError(f"runs are asked for twice, at {some(positions)}: a run's label tells it; take each once")
        return self._derived(take_runs(self._data, positions))

    def _positions(self, index: Any) -> list[int]:
        everywhere = np.arange(len(self))
        if isinstance(index, slice):
            return everywhere[index].tolist()
        if hasattr(index, "__index__") and np.ndim(index) == 0:
            place = operator.index(index)
            if not -len(self) <= place < len(self):
                raise IndexError(f"expected the position of one of {len(self)} runs, got {place}")
            return [int(everywhere[place])]
        chosen = np.asarray(index)
        if chosen.ndim != 1 or (len(chosen) and chosen.dtype.kind not in "biu"):
            raise TypeError(f"expected positions of runs, got {index!r}; select(runs=...) takes labels")
        return everywhere[chosen].tolist() if len(chosen) else []

    def __iter__(self) -> Iterator[Self]:
        return (self[r] for r in range(len(self)))

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> Array:
        """The signal (run, step, feature)."""
        return np.array(self.values, dtype=dtype, copy=copy)

    def with_features(self, features: Iterable[Label]) -> Self:
        """The same with other labels of the features; those that are text count as shared between runs.

        Examples
        --------
        >>> from ecodyn import Trajectories
        >>> Trajectories(np.random.default_rng(0).random((3, 11, 2)), np.arange(11)).with_features(["hare", "lynx"])
        Trajectories: 3 runs × 11 steps (0 to 10) × 2 features; observables signal; labels shared
        """
        labels = checked_labels(features, self.n_features, "features")
        shared = self.labels_shared or labels.dtype.kind == "U"
        return self._derived(replace(self._data, features=labels, labels_shared=shared))
