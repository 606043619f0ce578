"""Every family that the data can't exclude, refitted to random halves of the runs: what do all of its laws say?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ecodyn.arrays import Array, Bools
from ecodyn.comparison.agreement import AGREED, Agreement, Fates, Resampled
from ecodyn.comparison.contenders import UNSEEN_RUNS, Contender
from ecodyn.comparison.entries import Entry, entries_of
from ecodyn.comparison.execution import TaskResult
from ecodyn.comparison.kept import each_kept, keys_on
from ecodyn.comparison.plan import Plan
from ecodyn.comparison.request import Request
from ecodyn.comparison.stacking import stacked
from ecodyn.comparison.window_result import WindowResult, WindowsWithTests
from ecodyn.equations.library import EXCHANGEABLE, INDEPENDENT
from ecodyn.errors import LostWorkError, UnusableDataError
from ecodyn.families.ensemble import FEWEST_HALVED, Ensemble, fit_ensemble
from ecodyn.families.known import inputs_of_runs
from ecodyn.families.model import FittedModel
from ecodyn.families.model_name import FAMILY
from ecodyn.families.side_by_side import simulate_all
from ecodyn.families.warm_start import started
from ecodyn.stability.equilibria import find_equilibria
from ecodyn.survivors.rules import RULES, RunState
from ecodyn.survivors.survivors import alive_at_end
from ecodyn.trajectories import Trajectories

__all__ = ["with_resamples"]

STATES = 64  # of the data at which effects are averaged
EQUILIBRIA = 20  # laws of a family whose equilibria are looked for: a fraction of a second each


def with_resamples(
    windows: Sequence[WindowResult],
    plans: Sequence[Plan],
    results: Sequence[Mapping[int, TaskResult]],
    request: Request,
) -> WindowsWithTests:
    """The windows' results with what random halves of their runs say, where that was asked for.

    Refitted are the families of the confidence set on unseen runs. What is finished is kept when the user ends it.
    """
    found = list(windows)
    notes: list[str] = []
    failures: list[str] = []
    if not request.resamples:
        return WindowsWithTests(found)
    for number, (window, work, done) in enumerate(zip(windows, plans, results, strict=True)):
        held = {m.name for m in window.models if m.protocol == UNSEEN_RUNS and m.in_confidence_set}
        entries = [e for e in entries_of(work, done, [UNSEEN_RUNS]) if e.score.kind == FAMILY and e.score.name in held]
        if not entries or work.data.n_clusters < FEWEST_HALVED:
            notes.append(
                f"no random halves: expected a family in the confidence set on unseen runs and {FEWEST_HALVED} "
                f"independent runs, got {len(entries)} and {work.data.n_clusters}"
            )
            continue
        try:
            agreement, lost = _agreement(entries, work, request)
        except KeyboardInterrupt:
            return WindowsWithTests(found, tuple(notes), tuple(failures), interrupted=True)
        except LostWorkError as error:
            failures.append(f"random halves: {error}")
            continue
        failures += lost
        if agreement is not None:
            found[number] = replace(window, agreement=agreement)
    return WindowsWithTests(found, tuple(notes), tuple(failures))


def _agreement(entries: Sequence[Entry], work: Plan, request: Request) -> tuple[Agreement | None, list[str]]:
    """What the families of these entries say together, and why some say nothing."""
    asked = [_Refit(e.contender, request.resamples, request.seed, request.survivor_rule) for e in entries]
    rule = RULES.named(request.survivor_rule)  # another distribution's may be another by the same name
    keys = keys_on(work.data, [(one, rule) for one in asked], request.kept)
    told = each_kept(_of_family, asked, work.data, request, keys, ordered=True, worth=_is_found)
    found = [said for _, said in told]
    lost = [f for f in found if isinstance(f, str)]
    families = [f for f in found if isinstance(f, _OfFamily)]
    if not families:
        return None, lost
    stacking = stacked(entries, work.data) if len(entries) > 1 else None
    fates = _fates([f.alive for f in families], work.data, request)
    return Agreement(families=tuple(f.resampled for f in families), fates=fates, stacking=stacking), lost


@dataclass(frozen=True)
class _Refit:
    """What is refitted: enough to do it in another process."""

    contender: Contender
    resamples: int
    seed: int
    survivor_rule: str


@dataclass(frozen=True)
class _OfFamily:
    """What one family's laws say.

    ``alive`` is the share (run, feature) of the laws not fitted to a run under which a feature is alive at its end;
    NaN where there is none to ask.
    """

    resampled: Resampled
    alive: Array


def _is_found(said: _OfFamily | str) -> bool:
    return not isinstance(said, str)


def _of_family(asked: _Refit, data: Trajectories) -> _OfFamily | str:
    """What a family's laws on halves say, or why there are none."""
    name = asked.contender.name
    try:
        return _laws_say(asked, data)
    except Exception as error:  # as of fits: whatever a user's own family runs into must not cost the comparison
        return f"random halves, {name}: {error}"


def _laws_say(asked: _Refit, data: Trajectories) -> _OfFamily:
    contender = asked.contender
    if contender.estimator is None:
        raise TypeError(f"{contender.name} is a reference, which no estimator fits")
    estimator = contender.estimator.for_protocol(UNSEEN_RUNS, run_by_run=False)
    laws = fit_ensemble(estimator, data, resamples=asked.resamples, seed=asked.seed)
    resampled = Resampled(
        name=contender.name,
        laws=len(laws.models),
        halves=asked.resamples,
        inclusion=laws.inclusion,
        inhibiting=_inhibiting(laws, data, asked.seed),
        standing=_standing(laws),
    )
    return _OfFamily(resampled, _alive(laws, data, asked.survivor_rule))


def _inhibiting(laws: Ensemble, data: Trajectories, seed: int) -> float | None:
    """Share of the laws under which others' growth slows a feature's, mean over states of the data."""
    first = laws.models[0]
    if not first.autonomous or first.coupling == INDEPENDENT or data.n_features < 2:
        return None
    states = data.values.reshape(-1, data.n_features)
    states = states[np.isfinite(states).all(axis=1)]
    rows = np.random.default_rng(seed).permutation(len(states))[:STATES]
    return float(np.mean([_effect_of_others(law, states[rows]) < 0 for law in laws.models]))


def _effect_of_others(law: FittedModel, states: Array) -> float:
    """Mean over states and features i of Σ_{j≠i} ∂ẋᵢ/∂xⱼ."""
    everyone = np.eye(states.shape[1])
    jacobians = law.jacobian_times(states[..., None], np.broadcast_to(everyone, (len(states), *everyone.shape)))
    return float(np.mean(jacobians.sum(axis=2) - np.einsum("nii->ni", jacobians)))


def _standing(laws: Ensemble) -> dict[int, float] | None:
    """By number the share of the first laws under which so many features can stand stably above the rest."""
    asked = laws.models[:EQUILIBRIA]
    if not all(law.autonomous and law.coupling == EXCHANGEABLE for law in asked):
        return None
    counts = Counter(m for law in asked for m in find_equilibria(law).stable_survivors)
    return {m: n / len(asked) for m, n in sorted(counts.items())}


def _alive(laws: Ensemble, data: Trajectories, rule: str) -> Array:
    """By run and feature the share of laws not fitted to the run under which it is alive at the run's end."""
    whole = data.complete()
    unseen = [[r for r, run in enumerate(data.runs) if run not in half] for half in laws.halves]
    parts = [whole.select(runs=[whole.runs[r] for r in runs]) for runs in unseen]
    begun = [started(law, part) for law, part in zip(laws.models, parts, strict=True)]
    starts, times = [start for start, _ in begun], [_ends(part) for _, part in begun]
    known = [inputs_of_runs(m.inputs, p, range(len(p)), m.step) for m, p in zip(laws.models, parts, strict=True)]
    rollouts = simulate_all(laws.models, starts, times, inputs=known)
    votes, alive = np.zeros(data.n_runs), np.zeros((data.n_runs, data.n_features))
    for runs, rollout in zip(unseen, rollouts, strict=True):
        for i, r in enumerate(runs):
            fate = _fate(rollout.signal[i, -1], whole.values[r, 0], rule) if rollout.ok[i] else None
            if fate is not None:
                votes[r] += 1
                alive[r] += fate
    return np.divide(alive, votes[:, None], out=np.full_like(alive, np.nan), where=votes[:, None] > 0)


def _ends(runs: Trajectories) -> Array:
    """First and last time of each run, (run, 2)."""
    return np.array([runs.times[r, [0, n - 1]] for r, n in enumerate(runs.lengths)])


def _fate(signal: Array, start: Array, rule: str) -> Bools | None:
    try:
        return RULES.named(rule)(RunState(signal=signal, start=start, dc=None))
    except UnusableDataError:
        return None


def _fates(alive: Sequence[Array], data: Trajectories, request: Request) -> Fates | None:
    """How many fates all families agree on, and how many of these are the data's."""
    truth = [alive_at_end(data, r, request.survivor_rule) for r in range(data.n_runs)]
    told = np.array([t is not None for t in truth])
    asked = told[:, None] & np.isfinite(np.array(alive)).all(axis=0)
    if not asked.any():
        return None
    actual = np.array([np.zeros(data.n_features, dtype=bool) if t is None else t for t in truth])
    live, die = (np.min([share >= AGREED for share in side], axis=0) for side in (alive, [1 - a for a in alive]))
    agreed = asked & (live | die)
    return Fates(count=int(asked.sum()), agreed=int(agreed.sum()), right=int((agreed & (live == actual)).sum()))
