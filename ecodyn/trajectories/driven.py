"""Trajectories with inputs, and without them."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Self

import numpy as np

from ecodyn.errors import DataWarning, UnusableDataError
from ecodyn.trajectories.checks import Checked
from ecodyn.trajectories.contents import Contents
from ecodyn.trajectories.findings import still_inputs
from ecodyn.trajectories.given_inputs import InputSource, input_curves
from ecodyn.trajectories.inputs import Kind, check_kind, checked_inputs, still_at

__all__ = ["Driven"]


class Driven(Contents):
    """What is known of the curves that drive the runs from outside."""

    @classmethod
    def _derived(cls, data: Checked) -> Self:
        raise NotImplementedError

    def with_inputs(self, *, kind: Kind | None = None, **inputs: InputSource) -> Self:
        """Return the same runs with inputs u(t): curves that are known as functions of time, which laws may depend on.

        A law that is fitted to them has terms in them, and is simulated with them, or with others: a learning rate, a
        temperature, a pulse. Others that the data have stay, those of the same name are replaced.

        Parameters
        ----------
        kind : "steps" or "linear"
            Whether the curves hold each value until the next and jump there, or go straight from one to the next; for
            all that are given here, and needed unless each is an `Input` or has one value.
        **inputs
            A curve by name, for all runs: an array on the steps that they share; a pair ``(times, values)``, whose
            times need not be stored steps; a number; an `Input`; or a table or its file, with a column step (or time),
            one of the input's name (or value), and perhaps one of runs. A curve for each run: an array (run, step), a
            list of arrays, pairs or inputs, or a dict of any of these by the run's label.

        Raises
        ------
        UnusableDataError
            A curve is not known throughout a run, or not for every run.
        ValueError
            The kind is needed, or a name is none for an input.

        Warns
        -----
        DataWarning
            An input has one value throughout all runs, so that nothing shows what it does.

        Examples
        --------
        >>> import numpy as np
        >>> from ecodyn import Trajectories
        >>> runs = Trajectories(np.random.default_rng(0).random((2, 5, 1)), np.arange(0, 50, 10))
        >>> runs.with_inputs(lr=([0, 25], [0.1, 0.01]), kind="steps")
        Trajectories: 2 runs × 5 steps (0 to 40) × 1 feature; observables signal; labels not shared; inputs lr (steps)
        """
        data = self._data
        if not inputs:
            raise ValueError("expected at least one input by name, such as lr=(times, values), got none")
        if kind is not None:
            check_kind("all inputs", kind)
        curves = {name: input_curves(self, name, given, kind) for name, given in inputs.items()}
        checked = checked_inputs(curves, data.times, data.lengths, data.runs, data.observables)
        new = self._derived(replace(data, inputs={**data.inputs, **checked}))
        if said := list(still_inputs(replace(data, inputs=checked))):
            warnings.warn("; ".join(said), DataWarning, stacklevel=2)
        return new

    def without_inputs(self, *names: str) -> Self:
        """Return the same runs without these inputs, or without any: laws of them know nothing of time.

        Raises
        ------
        UnusableDataError
            There is no input of that name.

        Examples
        --------
        >>> import numpy as np
        >>> from ecodyn import Trajectories
        >>> runs = Trajectories(np.random.default_rng(0).random((2, 5, 1)), np.arange(0, 50, 10))
        >>> list(runs.with_inputs(lr=([0, 25], [0.1, 0.01]), kind="steps").without_inputs("lr").inputs)
        []
        """
        if unknown := [name for name in names if name not in self._data.inputs]:
            raise UnusableDataError(
                f"there is no input {unknown[0]}, the inputs are {', '.join(self._data.inputs) or 'none at all'}; "
                "choose among them"
            )
        left_out = set(names) if names else set(self._data.inputs)
        kept = {name: curves for name, curves in self._data.inputs.items() if name not in left_out}
        return self._derived(replace(self._data, inputs=kept))

    def varying_inputs(self) -> tuple[str, ...]:
        """Names of the inputs that are not one number throughout all runs: those whose effect can show.

        Examples
        --------
        >>> import numpy as np
        >>> from ecodyn import Trajectories
        >>> runs = Trajectories(np.random.default_rng(0).random((2, 5, 1)), np.arange(0, 50, 10))
        >>> runs.with_inputs(lr=([0, 25], [0.1, 0.01]), kind="steps").window(0, 20).varying_inputs()
        ()
        """
        first = self.times[:, 0]
        last = self.times[np.arange(self.n_runs), self.lengths - 1]
        return tuple(n for n, curves in self._data.inputs.items() if still_at(curves, first, last) is None)
