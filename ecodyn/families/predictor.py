"""What scikit-learn and PySINDy ask of something fitted: predictions, a score, names and printed equations."""

from __future__ import annotations

import warnings
from typing import Any, TextIO

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import clone
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from ecodyn.arrays import Array
from ecodyn.errors import DataWarning
from ecodyn.families.configuration import Configured
from ecodyn.families.known import InputsLike, inputs_of_runs
from ecodyn.families.model import FittedModel
from ecodyn.families.starting_states import StartLike, starting_states
from ecodyn.families.target import check_no_target
from ecodyn.families.warm_start import started
from ecodyn.rollouts.integration import OK, Rollout
from ecodyn.rollouts.skill import WORST_UNEXPLAINED, skill_of
from ecodyn.statistics.clustered import cluster_means
from ecodyn.trajectories import Trajectories
from ecodyn.trajectories.conversions import DataLike, is_labelled, is_one_array
from ecodyn.trajectories.labels import Label
from ecodyn.trajectories.scales import own_scales
from ecodyn.trajectories.state import history_of, parse_state
from ecodyn.trajectories.values import Numbers

__all__ = ["Predictor", "counts_steps"]


class Predictor(Configured):
    """An estimator of a law, ``model_``, that rolls it out and scores the rollouts."""

    model_: FittedModel
    state: str
    _counted_steps: bool = True  # whether the fit's times were 0, 1, 2, …

    def predict(self, x0: StartLike, t: ArrayLike | None = None, *, inputs: InputsLike | None = None) -> Array:
        """Roll the fitted law out from given states (``pysindy.SINDy.predict`` gives derivatives: ``model_.rhs``).

        Parameters
        ----------
        x0 : array (feature,), (batch, feature) or (batch, feature, channel)
            Starting states; channels are needed where the state has more than one. Without t, as scikit-learn
            predicts, a batch.
        t : float or array (step,) or (batch, step), optional
            One time after the start; or times, the first of them the start's. By default one unit of time, or a map's
            one step.
        inputs : mapping of name to a curve, optional
            Of a law that depends on inputs u(t): as in ``FittedModel.simulate``.

        Returns
        -------
        array (batch, feature) of the signal at one time, (batch, step, feature) at several; without the batch for a
        single state. NaN after a rollout has ended early.

        Warns
        -----
        DataWarning
            Rollouts ended early, how many and why.

        Examples
        --------
        >>> from ecodyn import Linear
        >>> law = Linear(coupling="independent").fit(np.exp(-0.1 * np.arange(50.0))[:, None] * [1.0, 2.0, 3.0])
        >>> law.predict([1.0, 2.0, 4.0], t=[0.0, 10.0]).round(3)
        array([[1.   , 2.   , 4.   ],
               [0.368, 0.736, 1.472]])
        """
        check_is_fitted(self, "model_")
        start = self._checked_start(x0, t)
        if t is None:
            t = self.model_.step or 1.0
        one_time = np.ndim(t) == 0
        if one_time and not float(np.asarray(t)) > 0:
            raise ValueError(f"expected a time after the start, above 0, got {t!r}; or an array of times")
        times: ArrayLike = np.array([0.0, float(np.asarray(t))]) if one_time else t
        if inputs is None and self.model_.inputs and isinstance(x0, Trajectories):
            inputs = x0
            if one_time:  # inputs are of the runs' own times
                times = x0.times[:, :1] + np.array([0.0, float(np.asarray(t))])
        given: dict[str, Any] = {} if inputs is None else {"inputs": inputs}
        rollout = self.model_.simulate(start, times, **given)
        _say_early_ends(rollout)
        signal = rollout.signal[:, -1] if one_time else rollout.signal
        single = start.ndim == (1 if len(self.model_.measured) == 1 else 2)
        return np.asarray(signal[0] if single else signal)

    def _checked_start(self, x0: StartLike, t: ArrayLike | None) -> Array:
        # Where the fit's columns had names, scikit-learn has them checked; other labels are the law's to match.
        checked_there = hasattr(x0, "columns") and hasattr(self, "feature_names_in_")
        if isinstance(x0, Trajectories) or ((is_labelled(x0) or hasattr(x0, "iloc")) and not checked_there):
            law = self.model_
            start = starting_states(x0, law.features, law.measured, any_labels=not law.per_feature)
            return start[..., 0] if len(law.measured) == 1 else start
        batch = t is None and len(self.model_.measured) == 1
        # An array has no names: scikit-learn's warning that it has none would say nothing.
        if hasattr(x0, "columns") or (batch and not hasattr(self, "feature_names_in_")):
            return np.asarray(validate_data(self, x0, reset=False, dtype=np.float64))
        return np.asarray(check_array(x0, dtype=np.float64, input_name="x0", ensure_2d=batch, allow_nd=True))

    def score(self, X: DataLike, y: object = None, *, t: Numbers | float | None = None) -> float:
        """Mean skill of rollouts from each run's first step: 1 − MSE(rollout)/MSE(persistence), as ``compare`` has it.

        Parameters
        ----------
        X : Trajectories, one (step, feature) array, or a list of them (one a run)
            What else ``fit`` takes.
        y : ignored; here because scikit-learn passes it
        t : times of the arrays, as in ``fit``

        Returns
        -------
        float
            1 is perfect, 0 no better than staying as it started. Runs that share an initialisation count as one. A run
            counts −1 at least, and so much where its rollout ended early: twice persistence's error is the worst that
            ``compare`` tells apart. NaN if no run moves.

        Warns
        -----
        DataWarning
            Rollouts ended early; runs in which nothing moves are left out.

        Examples
        --------
        A list of runs is a list of samples to scikit-learn:

        >>> from sklearn.model_selection import cross_val_score
        >>> from ecodyn import Linear
        >>> decay = np.exp(-0.1 * np.arange(50.0))[:, None]
        >>> runs = [decay * [a, a + 1, a + 2] for a in (1.0, 2.0, 3.0, 4.0)]
        >>> print(cross_val_score(Linear(coupling="independent"), runs, cv=2).round(6))
        [1. 1.]
        """
        check_is_fitted(self, "model_")
        check_no_target(X, y)
        runs = self._runs_to_score(X, t).since_complete()
        law = self.model_
        start, runs = started(law, runs)
        known = inputs_of_runs(law.inputs, runs, range(len(runs)), law.step)
        given: dict[str, Any] = {} if known is None else {"inputs": known}
        rollout = law.simulate(start, runs.times, **given)
        _say_early_ends(rollout)
        skills = _skills(runs, rollout)
        still = int(np.isnan(skills).sum())
        if still:
            warnings.warn(f"{still} of {len(runs)} runs do not move and are left out of the score", DataWarning, 2)
        each = cluster_means(skills, runs.clusters)
        return float(np.nanmean(each)) if np.isfinite(each).any() else float("nan")

    def _runs_to_score(self, X: DataLike, t: Numbers | float | None) -> Trajectories:
        """Runs of the law's features, in their order; arrays have them by position."""
        of_names = hasattr(self, "feature_names_in_") or not hasattr(X, "columns")  # else the law matches the labels
        if of_names and is_one_array(X) and not isinstance(X, list | tuple):
            validate_data(self, X, reset=False, skip_check_array=True)
        runs: Trajectories = clone(self)._trajectories(X, t)
        if not isinstance(X, Trajectories) and t is None and counts_steps(runs) and not self._counted_steps:
            raise ValueError(
                "expected the runs' times, as the fit had times other than 0, 1, 2, …; pass score(X, t=...), or "
                "Trajectories, which carry their times also where scikit-learn scores"
            )
        law = self.model_
        unnamed = not isinstance(X, Trajectories) and runs.features.tolist() == list(range(1, runs.n_features + 1))
        if unnamed and runs.n_features == len(law.features):
            runs = runs.with_features(law.features)
        return runs.aligned(law.features, any_labels=not law.per_feature)

    def _trajectories(self, X: DataLike, t: Numbers | float | None) -> Trajectories:
        raise NotImplementedError

    @property
    def warm_up_steps(self) -> int:
        """Steps of a run that a law has to see before rollouts start: of one with delayed signals or hidden variables.

        0 too where the state can't be read, which a check says.
        """
        try:
            return history_of(parse_state(self.state))
        except ValueError:
            return 0

    @property
    def feature_names(self) -> list[Label]:
        """Labels of the features, those of the data or of ``fit(feature_names=...)``; 1, 2, … where they had none."""
        check_is_fitted(self, "model_")
        return list(self.model_.features)

    def print(self, precision: int = 3, *, end: str = "\n", file: TextIO | None = None) -> None:
        """Print the fitted law's equations, as ``pysindy.SINDy.print`` does: see ``FittedModel.print``."""
        check_is_fitted(self, "model_")
        self.model_.print(precision, end=end, file=file)


def counts_steps(runs: Trajectories) -> bool:
    """Whether the times of all runs are 0, 1, 2, …, what arrays get that are given none."""
    steps = np.arange(runs.times.shape[1])
    return bool(np.all((runs.times == steps) | np.isnan(runs.times)))


def _skills(runs: Trajectories, rollout: Rollout) -> Array:
    """Of each run's rollout, (run,); the worst there is where it ended early, NaN where the run does not move."""
    worst = 1.0 - WORST_UNEXPLAINED
    scales = own_scales(runs)
    skills = np.full(len(runs), np.nan)
    for r, n in enumerate(runs.lengths):
        truth, times = runs.values[r, :n], runs.times[r, :n]
        if rollout.status[r] == OK:
            skills[r] = np.maximum(worst, skill_of(truth, rollout.signal[r, :n], times, scales))  # NaN stays NaN
        elif not np.isnan(skill_of(truth, truth, times, scales)):
            skills[r] = worst
    return skills


def _say_early_ends(rollout: Rollout) -> None:
    early = [status for status in rollout.status if status != OK]
    if early:
        warnings.warn(
            f"{len(early)} of {len(rollout.status)} rollouts ended early, the first {early[0]}",
            DataWarning,
            stacklevel=3,
        )
