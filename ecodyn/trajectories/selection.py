"""Parts of trajectories, by step, run, feature and setting: each is trajectories again."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence
from typing import Self

import numpy as np

from ecodyn.errors import UnusableDataError
from ecodyn.trajectories.checks import Checked
from ecodyn.trajectories.contents import Contents
from ecodyn.trajectories.labels import Label
from ecodyn.trajectories.missing import complete_rows
from ecodyn.trajectories.parts import some, take_features, take_runs, take_steps, where_labels, where_setting

__all__ = ["Selectable"]


class Selectable(Contents):
    """What of checked data can be kept; nothing is checked or warned of again.

    Where values are missing, a part of a run ends with its last value, as the whole run does, and needs one.
    """

    @classmethod
    def _derived(cls, data: Checked) -> Self:
        """Wrap what comes of checked data without checking or warning again."""
        new = cls.__new__(cls)
        new._data = data
        return new

    def window(self, start: float, stop: float) -> Self:
        """Keep the steps with start ≤ t ≤ stop: values of t, both ends included.

        The signal's velocity is remembered from the steps that are cut away.

        Raises
        ------
        UnusableDataError
            A run has no step in the window, or no value at its steps.

        Examples
        --------
        >>> import numpy as np
        >>> from ecodyn import Trajectories
        >>> runs = Trajectories(np.random.default_rng(0).random((3, 11, 2)), np.arange(0, 110, 10))
        >>> runs.window(20, 60).steps
        array([20., 30., 40., 50., 60.])
        """
        picks = [np.flatnonzero((times >= start) & (times <= stop)) for times in self.times]
        for run, times, pick in zip(self.runs, self.times, picks, strict=True):
            if len(pick) == 0:
                raise UnusableDataError(
                    f"run {run} has no step in the window {start:g}:{stop:g}, its steps go from "
                    f"{np.nanmin(times):g} to {np.nanmax(times):g}; choose a window within, or leave it out"
                )
        return self._derived(take_steps(self._data, picks))

    def head(self, counts: Sequence[int]) -> Self:
        """Keep the first `counts[r]` stored steps of run r."""
        if len(counts) != self.n_runs or not all(0 < n <= held for n, held in zip(counts, self.lengths, strict=True)):
            raise ValueError(f"expected between 1 and {self.lengths.tolist()} steps of the runs, got {list(counts)}")
        return self._derived(take_steps(self._data, [np.arange(n) for n in counts]))

    def after(self, steps: int | Sequence[int]) -> Self:
        """Begin each run so many stored steps later, one number for all or one of each run.

        Raises
        ------
        ValueError
            A run has no more steps than that.

        Examples
        --------
        >>> import numpy as np
        >>> from ecodyn import Trajectories
        >>> Trajectories(np.ones((1, 5, 2)), np.arange(5)).after(2).steps
        array([2., 3., 4.])
        """
        counts = np.broadcast_to(np.asarray(steps, dtype=np.intp), self.lengths.shape)
        if (counts < 0).any() or (counts >= self.lengths).any():
            raise ValueError(f"expected fewer steps than the runs have, {self.lengths.tolist()}, got {counts.tolist()}")
        ends = zip(counts, self.lengths, strict=True)
        return self._derived(take_steps(self._data, [np.arange(first, n) for first, n in ends]))

    def complete(self) -> Self:
        """Keep the steps at which every feature has a value; all of them unless some are missing.

        Raises
        ------
        UnusableDataError
            A run has no such step.

        Examples
        --------
        >>> import numpy as np
        >>> from ecodyn import Trajectories
        >>> values = np.array([[1.0, 5.0], [np.nan, 4.0], [3.0, 3.0]])[None]
        >>> with_gap = Trajectories(values, [0, 10, 20], missing=np.isnan(values))
        >>> with_gap.complete().steps
        array([ 0., 20.])
        """
        if self._data.missing is None:
            return self
        return self._derived(take_steps(self._data, complete_rows(self._data.missing, self.lengths, self.runs)))

    def since_complete(self) -> Self:
        """Begin each run at its first complete step: a rollout needs a value of every feature to start from.

        Raises
        ------
        UnusableDataError
            A run has no such step.
        """
        if self._data.missing is None:
            return self
        rows = complete_rows(self._data.missing, self.lengths, self.runs)
        return self._derived(
            take_steps(self._data, [np.arange(own[0], n) for own, n in zip(rows, self.lengths, strict=True)])
        )

    def every(self, n: int) -> Self:
        """Keep each n-th stored step of each run, the first included."""
        if operator.index(n) < 1:
            raise ValueError(f"expected every(n) with n of at least 1, got {n}; 1 keeps all steps")
        return self._derived(take_steps(self._data, [np.arange(0, length, n) for length in self.lengths]))

    def thinned(self, most: int) -> Self:
        """Keep at most so many of the stored steps of each run, evenly, the first and the last among them."""
        if operator.index(most) < 2:
            raise ValueError(f"expected thinned(most) with most of at least 2, got {most}; both ends are kept")
        picks = [np.unique(np.linspace(0, n - 1, min(n, most)).round().astype(int)) for n in self.lengths]
        return self._derived(take_steps(self._data, picks))

    def select(
        self,
        /,
        runs: Label | Iterable[Label] | None = None,
        features: Label | Iterable[Label] | None = None,
        **settings: Label | float | Iterable[Label | float],
    ) -> Self:
        """Keep runs and features by label, in the order asked for, and runs by setting.

        A label or a list of labels must all exist; a `range` stands for those of its labels that do.
        ``select(dim=128)`` keeps the runs whose setting dim is 128, ``select(dim=[32, 64])`` those of either.

        Raises
        ------
        UnusableDataError
            A label or setting is not there, or nothing is left.

        Examples
        --------
        >>> import numpy as np
        >>> from ecodyn import Trajectories
        >>> runs = Trajectories(np.random.default_rng(0).random((3, 11, 2)), np.arange(0, 110, 10))
        >>> chosen = runs.select(runs=[2, 0], features=2)
        >>> chosen.shape, chosen.runs.tolist()
        ((2, 11, 1), [2, 0])
        """
        data = self._data
        for name, wanted in settings.items():
            data = take_runs(data, where_setting(data, name, wanted))
        if runs is not None:
            data = take_runs(data, where_labels(data.runs, runs, "runs"))
        if features is not None:
            data = take_features(data, where_labels(data.features, features, "features"))
        return self._derived(data)

    def sel(
        self,
        run: Label | Iterable[Label] | None = None,
        feature: Label | Iterable[Label] | None = None,
        step: slice | None = None,
        **settings: Label | float | Iterable[Label | float],
    ) -> Self:
        """Keep runs, features, steps and settings by label, as xarray's ``sel`` does: slices of steps have both ends.

        Raises
        ------
        UnusableDataError
            A label or setting is not there, or nothing is left.

        Examples
        --------
        >>> import numpy as np
        >>> from ecodyn import Trajectories
        >>> runs = Trajectories(np.random.default_rng(0).random((3, 11, 2)), np.arange(0, 110, 10))
        >>> runs.sel(run=2, step=slice(20, 60)).shape
        (1, 5, 2)
        """
        part = self.select(runs=run, features=feature, **settings)
        if step is None:
            return part
        if not isinstance(step, slice) or step.step is not None:
            raise ValueError(f"expected step=slice(FIRST, LAST), both values of the time, got {step!r}; see every(n)")
        start = -np.inf if step.start is None else step.start
        return part.window(start, np.inf if step.stop is None else step.stop)

    def aligned(self, features: Iterable[Label], *, any_labels: bool = False) -> Self:
        """Put the features in the order of these labels, such as a law's, which have to be exactly those there are.

        With `any_labels`, other labels of the same number are taken as they are: for a law that is the same for every
        feature.

        Raises
        ------
        UnusableDataError
            The labels, or with `any_labels` their number, are others.
        """
        wanted, present = np.asarray(list(features)).tolist(), self.features.tolist()
        if set(wanted) == set(present):
            return self.select(features=wanted)
        if any_labels and len(wanted) == len(present):
            return self
        missing, further = [x for x in wanted if x not in present], [x for x in present if x not in wanted]
        wrong = [f"{what} {some(labels)}" for what, labels in (("without", missing), ("with", further)) if labels]
        raise UnusableDataError(
            f"expected the {len(wanted)} features {some(wanted)}, got {len(present)}, {' and '.join(wrong)}; "
            "rename or select the features"
        )
