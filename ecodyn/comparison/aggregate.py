"""From scores of single rollouts to a window's result: rows of the table, pairs, and a verdict a protocol."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np

from ecodyn.arrays import Array
from ecodyn.comparison.bands import HeldOutErrors
from ecodyn.comparison.candidate import FEWEST_RUNS, UNDECIDED, Candidate
from ecodyn.comparison.contenders import FAMILY, FORECAST, IN_SAMPLE, UNSEEN_RUNS, Contender
from ecodyn.comparison.protocols import (
    DRAWN_POINTS,
    DRAWN_RUNS,
    Scored,
    Task,
    TaskResult,
    folds_of,
    own_origin,
    seeds_of,
)
from ecodyn.comparison.result import HorizonCurve, ModelScore, Pair, Start, WindowResult
from ecodyn.comparison.scores import HORIZONS, NEXT_TO_NOTHING, loss, noise_share, order_crossing
from ecodyn.comparison.verdict import Verdict, decide
from ecodyn.statistics.intervals import t_interval
from ecodyn.survivors.fates import area_under_curve, top_overlap
from ecodyn.survivors.survivors import alive_at_end
from ecodyn.trajectories import Trajectories

Window = tuple[float, float]


def window_result(
    data: Trajectories,
    models: Sequence[Contender],
    tasks: Sequence[Task],
    found: dict[int, TaskResult],
    protocols: Sequence[str],
    margin: float,
    folds: int | None,
    seed: int,
) -> WindowResult:
    """Gather a window's single scores: a row for every model under every protocol, and who is best."""
    window = (float(np.nanmin(data.times)), float(np.nanmax(data.times)))
    noise = _Noise(data)
    scores: list[ModelScore] = []
    candidates: dict[str, list[tuple[int, Candidate]]] = {p: [] for p in protocols}
    drawn: dict[tuple[str, str], dict[int, tuple[Array, Array]]] = {}
    errors: dict[str, HeldOutErrors] = {}
    for contender in models:
        for protocol in protocols:
            mine = [found[t.index] for t in tasks if _same(t, contender, protocol) and t.index in found]
            wanted = sum(len(t.folds) for t in tasks if _same(t, contender, protocol))
            if not mine or any(r.failure for r in mine) or not any(r.scores for r in mine):
                continue
            if sum(len(r.n_coefficients) for r in mine) < wanted * seeds_of(contender, protocol, data):
                continue
            count = len(folds_of(contender, protocol, data, folds))
            score, candidate = _aggregate(contender, protocol, window, mine, data, noise, count)
            candidates[protocol].append((len(scores), candidate))
            scores.append(score)
            drawn[protocol, contender.label] = {k: v for r in mine for k, v in r.drawn.items()}
            if held_out := {k: v for r in mine for k, v in r.errors.items()}:
                errors[contender.label] = HeldOutErrors.gathered(held_out, data.clusters)
    scores = _with_equations(scores)
    verdicts = {}
    for protocol, entries in candidates.items():
        if protocol == IN_SAMPLE or not entries:
            continue
        verdict = _judge([c for _, c in entries], protocol, window, models, data, folds, margin, seed)
        verdicts[protocol] = verdict
        for i, p in verdict.p_values.items():
            where = entries[i][0]
            scores[where] = replace(scores[where], in_confidence_set=i in verdict.members, p_value=p)
    headline = _headline(verdicts, data)
    if headline not in verdicts:
        verdicts[headline] = _no_verdict(window)
    return WindowResult(
        window=window,
        headline=headline,
        verdicts=verdicts,
        models=scores,
        pairs=_pairs(scores),
        start=_start(data),
        noise_share=noise.mean(),
        drawn=drawn,
        truth=_drawn_truth(data),
        errors=errors,
    )


def _same(task: Task, contender: Contender, protocol: str) -> bool:
    return task.contender == contender and task.protocol == protocol


def _headline(verdicts: dict[str, Verdict], data: Trajectories) -> str:
    preferred = UNSEEN_RUNS if data.n_clusters >= FEWEST_RUNS else FORECAST
    return preferred if preferred in verdicts or not verdicts else next(iter(verdicts))


def _no_verdict(window: Window) -> Verdict:
    text = f"Steps {window[0]:g} to {window[1]:g}: no protocol that ranks was run."
    return Verdict(None, UNDECIDED, [], [], None, text, None, None, None, False)


def _judge(
    candidates: list[Candidate],
    protocol: str,
    window: Window,
    models: Sequence[Contender],
    data: Trajectories,
    folds: int | None,
    margin: float,
    seed: int,
) -> Verdict:
    where = {UNSEEN_RUNS: "On trainings not seen", FORECAST: "Forecasting"}[protocol]
    wild = {c.label for c in candidates if c.over_flexible}
    flexible = [len(folds_of(m, protocol, data, folds)) for m in models if m.label in wild]
    return decide(
        candidates,
        folds=min(flexible, default=None) if protocol == UNSEEN_RUNS else None,
        margin=margin,
        where=f"{where}, steps {window[0]:g} to {window[1]:g}",
        seed=seed,
    )


def _aggregate(
    contender: Contender,
    protocol: str,
    window: Window,
    results: list[TaskResult],
    data: Trajectories,
    noise: _Noise,
    folds: int,
) -> tuple[ModelScore, Candidate]:
    by_run = _ByRun([s for r in results for s in r.scores], data, noise)
    kept = by_run.kept
    skills = by_run.skills
    per_cluster = by_run.by_cluster(skills)
    low, high = t_interval(per_cluster[np.isfinite(per_cluster)])
    selected = [terms for r in results for terms in r.terms]
    fitted = [m for r in results for m in r.models]
    finite = skills[np.isfinite(skills)]
    score = ModelScore(
        **contender.named(),
        protocol=protocol,
        window=window,
        skill=float(np.mean(per_cluster[np.isfinite(per_cluster)])) if len(finite) else float("nan"),
        skill_low=low,
        skill_high=high,
        skill_median=float(np.median(finite)) if len(finite) else float("nan"),
        skill_per_run=skills,
        skill_per_cluster=per_cluster,
        loss_per_run=by_run.losses,
        log_skill=by_run.mean(lambda s: s.score.log_skill),
        horizons=by_run.horizons(),
        skill_by_horizon=by_run.skill_by_horizon(),
        diverged=by_run.diverged,
        left_out=int((~kept).sum()),
        survivor_auc=by_run.mean(lambda s: s.survivor_auc),
        survivor_overlap=by_run.mean(lambda s: s.survivor_overlap),
        order_crossing=by_run.mean(lambda s: s.score.order_crossing),
        one_step_r2=by_run.mean(lambda s: s.one_step_r2),
        n_coefficients=float(np.mean([n for r in results for n in r.n_coefficients])),
        library_size=max((r.library_size for r in results), default=0),
        candidates=sum(r.candidates for r in results),
        in_confidence_set=False,
        p_value=float("nan"),
        fit_seconds=sum(r.fit_seconds for r in results),
        folds=folds,
        seeds=seeds_of(contender, protocol, data),
        model=fitted[0] if len(fitted) == 1 else None,
    )
    library_size = score.library_size or int(score.n_coefficients)
    candidate = Candidate(
        family=contender.family,
        coupling=contender.coupling,
        kind=contender.kind,
        losses=by_run.losses,
        skills=per_cluster,
        library_size=library_size,
        state=contender.state,
        dynamics=contender.dynamics,
        diverged=score.diverged,
        over_flexible=contender.over_flexible(library_size),
        terms=frozenset().union(*selected) if selected else None,
        selects=hasattr(contender.estimator, "thresholds"),
        gross_losses=by_run.gross_losses,
    )
    return score, candidate


class _Noise:
    """The share that measurement noise alone leaves unexplained, by run and origin of the rollout."""

    def __init__(self, data: Trajectories) -> None:
        self.data = data
        self.known: dict[tuple[int, float | None], float] = {}

    def __call__(self, run: int, origin: float | None) -> float:
        if (run, origin) not in self.known:
            n = int(self.data.lengths[run])
            t, signal = self.data.times[run, :n], self.data.values[run, :n]
            first = 0 if origin is None else int(np.sum(t <= own_origin(self.data, run, origin))) - 1
            self.known[run, origin] = noise_share(signal[first:], t[first:])
        return self.known[run, origin]

    def mean(self) -> float:
        """Over the window's runs, whole."""
        return float(np.mean([self(run, None) for run in range(self.data.n_runs)]))


class _ByRun:
    """Single scores gathered by run: seeds and origins averaged within a run, runs within a cluster."""

    def __init__(self, scores: list[Scored], data: Trajectories, noise: _Noise) -> None:
        # In an order of their own, not that in which tasks ended: sums must not depend on it.
        scores = sorted(scores, key=lambda s: (s.run, s.origin or 0.0, s.seed))
        self.scores, self.data, self.noise = scores, data, noise
        self.groups: list[list[Scored]] = [[] for _ in range(data.n_runs)]
        for s in scores:
            if not np.isnan(s.score.unexplained):  # persistence exact: the run says nothing
                self.groups[s.run].append(s)
        self.kept = np.array([bool(g) for g in self.groups])
        self.diverged = sum(not s.score.finished for s in scores)
        self.skills = np.array([self._skill(g) for g in self.groups])
        self.losses = self._losses(lambda s: loss(s.score.unexplained, noise(s.run, s.origin)))
        self.gross_losses = self._losses(lambda s: loss(max(s.score.unexplained, NEXT_TO_NOTHING), 0.0))

    def _losses(self, of: Callable[[Scored], float]) -> Array:
        return self.by_cluster(np.array([np.mean([of(s) for s in g]) if g else np.nan for g in self.groups]))

    @staticmethod
    def _skill(group: list[Scored]) -> float:
        if not group or not all(s.score.finished for s in group):
            return float("nan")
        return float(np.mean([s.score.skill for s in group]))

    def by_cluster(self, values: Array) -> Array:
        """Means over the runs of each cluster that say something."""
        labels = self.data.clusters.tolist()
        out = []
        for label in dict.fromkeys(labels):
            mine = np.array([v for v, c, k in zip(values, labels, self.kept, strict=True) if c == label and k])
            if len(mine):
                out.append(float(np.mean(mine)))
        return np.array(out)

    def horizons(self) -> tuple[float, ...]:
        """Mean skill up to each horizon."""
        rows = np.array([s.score.horizons for s in self.scores])
        return tuple(float(c[np.isfinite(c)].mean()) if np.isfinite(c).any() else float("nan") for c in rows.T)

    def skill_by_horizon(self) -> HorizonCurve:
        """Skill up to each of the horizons, as `skill` is: of runs all of whose rollouts finished, by cluster."""
        nothing = np.full(len(HORIZONS), np.nan)
        rows = np.array(
            [
                np.mean([s.score.curve for s in g], axis=0) if g and all(s.score.finished for s in g) else nothing
                for g in self.groups
            ]
        )
        columns = [c[np.isfinite(c)] for c in (self.by_cluster(column) for column in rows.T)]
        means = [float(np.mean(c)) if len(c) else float("nan") for c in columns]
        low, high = zip(*(t_interval(c) for c in columns), strict=True)
        return HorizonCurve(HORIZONS, tuple(means), low, high)

    def mean(self, number: Callable[[Scored], float]) -> float:
        """Mean over all rollouts for which there is such a number."""
        values = np.array([number(s) for s in self.scores])
        values = values[np.isfinite(values)]
        return float(values.mean()) if len(values) else float("nan")


def _with_equations(scores: list[ModelScore]) -> list[ModelScore]:
    """Every protocol's row of a model shows the law fitted to everything."""
    laws = {m.label: m.model for m in scores if m.model is not None}
    out = []
    for m in scores:
        law = laws.get(m.label)
        if law is not None and len(law.equations()) <= 3:
            text = "; ".join(f"{e.lhs} = {e.rhs.evalf(4)}" for e in law.equations())
            out.append(replace(m, model=law, equations=text, latex=law.to_latex()))
        else:
            out.append(m)
    return out


def _pairs(scores: list[ModelScore]) -> list[Pair]:
    pairs = []
    for a, b in combinations([m for m in scores if m.kind == FAMILY], 2):
        if a.protocol != b.protocol or len(a.skill_per_cluster) != len(b.skill_per_cluster):
            continue
        difference = a.skill_per_cluster - b.skill_per_cluster
        difference = difference[np.isfinite(difference)]
        if len(difference):
            low, high = t_interval(difference)
            pairs.append(Pair(a.label, b.label, a.protocol, a.window, float(difference.mean()), low, high))
    return pairs


def _start(data: Trajectories) -> Start:
    rows, nan = [], float("nan")
    for run in range(data.n_runs):
        signal, alive = data.values[run, : data.lengths[run]], alive_at_end(data, run)
        fate = (nan, nan, nan)
        if alive is not None:
            fate = area_under_curve(signal[0], alive), top_overlap(signal[0], alive), float(alive.sum())
        rows.append((*fate[:2], order_crossing(signal), fate[2]))
    values = np.array(rows)
    means = [float(c[np.isfinite(c)].mean()) if np.isfinite(c).any() else float("nan") for c in values.T]
    return Start(*means)


def _drawn_truth(data: Trajectories) -> dict[int, tuple[Array, Array]]:
    out = {}
    for run in range(min(DRAWN_RUNS, data.n_runs)):
        n = int(data.lengths[run])
        rows = np.unique(np.linspace(0, n - 1, DRAWN_POINTS).astype(int))
        out[run] = (data.times[run, rows], data.values[run, rows])
    return out
