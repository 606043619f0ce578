"""What equations know of survival: laws fitted to other runs, rolled out, and judged by whom they leave alive.

One autonomous law of the signal that all features share, ẋᵢ = G(xᵢ, t), keeps their order: two solutions of one scalar
equation never cross. Its rollout ends in the order in which it started, so that its AUC *is* the starting signal's,
whatever its skill. A trait, a velocity or a second evolving channel lets features with equal signals part.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ecodyn.arrays import Array, Bools
from ecodyn.comparison.answer import summed_up
from ecodyn.comparison.contenders import UNSEEN_RUNS, Contender
from ecodyn.comparison.held_out import estimator_of, fit_folds, roll_out_folds
from ecodyn.comparison.plan import Task, folds_of
from ecodyn.comparison.scores import order_crossing
from ecodyn.errors import DataWarning, UnusableDataError
from ecodyn.families import DEFAULT
from ecodyn.families import family as family_named
from ecodyn.families.estimator import Family
from ecodyn.families.model import FittedModel
from ecodyn.runtime.processes import each_with
from ecodyn.statistics.clustered import SHARE, clustered_mean
from ecodyn.statistics.intervals import Estimate
from ecodyn.survival.predictors import Score, both_fates, score
from ecodyn.survivors.survivors import Survivors, stored_at
from ecodyn.trajectories import Trajectories
from ecodyn.trajectories.parts import some
from ecodyn.trajectories.state import SIGNAL, VELOCITY, observable_of, parse_state

STATES = ("signal", "signal,gradient@start", "signal,velocity", "signal,gradient")  # what a law may know of a run
MOST_STEPS = 60  # of a window that laws are fitted to; the rest of a smooth curve adds cost and little else
FOLDS = 8  # at most: with more clusters the fits cost more and differ less


@dataclass(frozen=True, eq=False)
class LawFate:
    """Whom a law lets survive on runs that it was not fitted to.

    Attributes
    ----------
    family, coupling, state : which law
    score : of the rollouts' last values, from the window's first step
    gain : AUC less that of the signal at the window's first step, paired by run, over clusters
    crossing : share of pairs of features whose order changes in the rollout
    diverged : rollouts that ended early; they are left out
    """

    family: str
    coupling: str
    state: str
    score: Score
    gain: Estimate
    crossing: Estimate
    diverged: int


@dataclass(frozen=True, eq=False)
class LawFates:
    """Laws beside the signal they start from.

    Attributes
    ----------
    window : first and last step
    start : how well the signal at the window's first step tells survivors
    crossing : share of pairs of features whose order changes in the data
    laws : one a state
    left_out : states that could not be tried, with the reason

    Examples
    --------
    >>> from ecodyn import Trajectories
    >>> from ecodyn.survival import law_fates, survivors
    >>> starts = np.array([[80, 82, 78, 84, 79, 81.0], [83, 79, 80, 78, 82, 81], [79, 80, 83, 81, 78, 82]])
    >>> rates = np.where(starts >= np.sort(starts)[:, [-2]], 0.001, 0.06)  # the two strongest live
    >>> steps = np.arange(41.0)
    >>> runs = Trajectories(starts[:, None] * np.exp(-rates[:, None] * steps[:, None]), steps)
    >>> fates = law_fates(runs, survivors(runs), window=(4, 40), states=["signal"])
    >>> fates.laws[0].state, fates.laws[0].score.auc.mean
    ('signal', 1.0)
    """

    window: tuple[float, float]
    start: Score
    crossing: Estimate
    laws: list[LawFate]
    left_out: dict[str, str]


def law_fates(
    runs: Trajectories,
    survivors: Survivors,
    window: tuple[float, float],
    states: Sequence[str] = STATES,
    family: str = DEFAULT,
    coupling: str = "exchangeable",
    jobs: int = 1,
) -> LawFates:
    """Fit laws to all folds of runs but one, roll them out on the held-out one, and ask who is left at the end.

    Parameters
    ----------
    runs : with missing values, only their complete steps are used
    window : first step, from which rollouts start, and last; at most 60 of its stored steps are fitted to
    states : channels, as in `Trajectories.state`
    jobs : processes, one thread each, of one state each

    Raises
    ------
    UnusableDataError
        There are fewer than two clusters, nothing to tell apart, no data in the window or too few for any law, or the
        window ends after the step at which survivors are told, or begins there; or a run has no complete step in it.

    Warns
    -----
    DataWarning
        Steps that lack a value were left out, and runs whose rollouts start later for it.
    """
    both_fates(survivors)
    if runs.n_clusters < 2:
        raise UnusableDataError(
            f"expected at least two independent runs, to fit laws to one and try them on another; got {runs.n_clusters}"
        )
    end = float(survivors.steps.min())
    if not window[0] < end or window[1] > end:
        raise UnusableDataError(
            f"expected a window that begins before survivors are told, at {end:g}, and ends by then; "
            f"got {window[0]:g}:{window[1]:g}"
        )
    part = _complete(runs.window(*window)).thinned(MOST_STEPS)
    start = score(part.values[:, 0], survivors, runs.clusters, SIGNAL, window[0])
    ends = [row[[0, stored_at(part, r, None)]] for r, row in enumerate(part.values)]
    crossing = clustered_mean([order_crossing(e) for e in ends], runs.clusters, within=SHARE)
    laws, left_out = [], {}
    asked = _Asked(part, survivors, family, coupling, start)
    for state, (fate, said) in zip(states, each_with(_fate_or_reason, states, asked, jobs, ordered=True), strict=True):
        for sentence in said:
            warnings.warn(sentence, DataWarning, stacklevel=2)
        if isinstance(fate, LawFate):
            laws.append(fate)
        else:
            left_out[state] = fate
    if not laws:
        reasons = dict.fromkeys(left_out.values())
        raise UnusableDataError(f"no law could be tried: {'; '.join(reasons)}")
    return LawFates(window=window, start=start, crossing=crossing, laws=laws, left_out=left_out)


def _complete(part: Trajectories) -> Trajectories:
    """The steps with a value of every feature, the only ones a law can be fitted to or start from; says what is not."""
    if not part.lacks_values:
        return part
    incomplete: Bools = np.asarray(part.missing.any(axis=2))
    late = part.runs[incomplete[:, 0]]
    said = f"{incomplete.sum()} steps of the window lack a value of some feature and were left out"
    if len(late):
        said += f"; {len(late)} of {part.n_runs} runs start at their first complete one (runs {some(late)})"
    warnings.warn(said, DataWarning, stacklevel=3)
    return part.complete()


@dataclass(frozen=True)
class _Asked:
    """What is asked of the laws of each state: enough to fit them in another process."""

    part: Trajectories
    survivors: Survivors
    family: str
    coupling: str
    start: Score


def _fate_or_reason(state: str, asked: _Asked) -> tuple[LawFate | str, list[str]]:
    """A law's fate or why there is none, and what it warns of: another process's warnings are not heard here."""
    found: LawFate | str
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always", DataWarning)
        try:
            found = _fate(asked.part, asked.survivors, state, asked.family, asked.coupling, asked.start)
        except UnusableDataError as error:
            found = str(error)
    ours = [str(warning.message) for warning in said if issubclass(warning.category, DataWarning)]
    for warning in said:
        if not issubclass(warning.category, DataWarning):
            warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)
    return found, ours


def _fate(part: Trajectories, survivors: Survivors, state: str, family: str, coupling: str, start: Score) -> LawFate:
    velocity = VELOCITY in map(observable_of, parse_state(state))
    if velocity and not part.knows_before.all():
        raise UnusableDataError("expected a stored step before the window, to tell a velocity from; begin it later")
    estimator = family_named(family)(coupling=coupling, state=state)
    last, crossing = _unseen_ends(part, _task(part, estimator, survivors.rule))
    own = score(last, survivors, part.clusters, state, start.step)
    return LawFate(
        family=family,
        coupling=coupling,
        state=state,
        score=own,
        gain=clustered_mean(own.auc_per_run - start.auc_per_run, part.clusters),
        crossing=clustered_mean(crossing, part.clusters, within=SHARE),
        diverged=int(np.isnan(last).any(axis=1).sum()),
    )


def _unseen_ends(part: Trajectories, task: Task) -> tuple[Array, Array]:
    """Where rollouts of each run end by a law fitted to the other folds, and the share of pairs that change order.

    Returns
    -------
    last values (run, feature) and shares (run,); NaN where a rollout ended early
    """
    last = np.full((part.n_runs, part.n_features), np.nan)
    crossing = np.full(part.n_runs, np.nan)
    said: list[str] = []
    for held in roll_out_folds(task, fit_folds(task, part), part):
        said += held.fitted.model.warnings if isinstance(held.fitted.model, FittedModel) else ()
        for row, run in enumerate(held.runs):
            if held.rollout.ok[row]:
                path = held.rollout.signal[row, : part.lengths[run]]
                last[run], crossing[run] = path[-1], order_crossing(path)
    if sentences := [*estimator_of(task).notes(part), *summed_up(said)]:
        warnings.warn("; ".join(sentences), DataWarning, stacklevel=2)
    return last, crossing


def _task(part: Trajectories, estimator: Family, rule: str) -> Task:
    """The work of ``compare`` on unseen runs, with one seed."""
    contender = Contender.of(estimator)
    return Task(
        window=0,
        index=0,
        contender=contender,
        protocol=UNSEEN_RUNS,
        folds=tuple(folds_of(contender, UNSEEN_RUNS, part, FOLDS)),
        seeds=(0,),
        run_by_run=False,
        survivor_rule=rule,
    )
