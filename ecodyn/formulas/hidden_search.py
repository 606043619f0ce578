"""Fitting laws with hidden variables: starts by driving these with the data, then rollouts over growing horizons.

Integrals can't be matched to what nobody measures. But for given parameters of its own equation, a hidden variable can
be solved along the data, ḣ = g(h, x(t)); the signal's linear parameters are then a regression, for a few hundred draws
of the others. Gauss-Newton on rollouts goes on from the best draws over the first fifth of each run, and from the best
of these over longer shares, with where hidden variables start among what is estimated.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ecodyn.arrays import Array
from ecodyn.errors import UnusableDataError
from ecodyn.estimation.damped_descent import DampedDescent
from ecodyn.estimation.multiple_shooting import AUTO, STAGES, STEP_TOLERANCE, ShootingResult, together
from ecodyn.estimation.samples import Samples
from ecodyn.estimation.segments import Segments
from ecodyn.estimation.shooting_equations import Probe, Question
from ecodyn.estimation.shooting_search import EARLY_TOLERANCE, LAST_TOLERANCE, SETTLED, choose_substeps
from ecodyn.formulas.fitting import MOST_POLISHING, STEP_SHARE, UNDONE, FittedFormula
from ecodyn.formulas.hidden_draws import Draw, drawn, hidden_law
from ecodyn.formulas.hidden_law import HiddenLaw
from ecodyn.formulas.hidden_objective import HiddenObjective, beginnings, with_channels
from ecodyn.formulas.searching import ALIKE, Search

__all__ = ["FittedHidden", "fit_hidden"]

INTERVALS, FREED_INTERVALS = 48, 96  # a window; the latter where starting signals are estimated, to average noise out
TRIED, TRIAL_STEPS = 24, 8  # of the best draws, and steps each over the first share of each run
DIRECT = 12  # of the draws with the best rollouts over whole runs: short runs may tell little of what is hidden
FOLLOWED = 6  # of these, over the longer shares; as many at least as searches are asked for
FINEST = 1e-9  # of the data's root mean square, that polishing wants of the solver, at most
EXACT = 1e-20  # mean square of what is left, the data being of order one: ten digits, that steps of high order have
# Log 0.1: no parameter begins a round under a tenth of its unit. On their way, or over short runs, rates go to 0, whose
# logarithm has no slope to return by.
VANISHING = -2.3
ROUNDS = 2  # short ones of a stage, before it goes on to its end
ROUGHLY = 1  # Runge-Kutta steps an interval until a few are left
DEPENDENT = 1e-12  # eigenvalue of the scaled Hessian, over the largest: squares of what rounding leaves of slopes


@dataclass(frozen=True, eq=False, kw_only=True)
class FittedHidden(FittedFormula):
    """A fit of one training set, and the starting values of its runs.

    Attributes
    ----------
    starts : (run, private), scaled: the signals where they were estimated, then the hidden variables that have starts
        of a run's own
    signals : whether starting signals were estimated
    """

    law: HiddenLaw  # type: ignore[assignment]  # which has what diagnostics ask of a law
    starts: Array
    signals: bool


@dataclass(frozen=True, eq=False)
class _Found:
    """Where a descent ended."""

    objective: HiddenObjective
    descent: DampedDescent
    share: float

    @property
    def cost(self) -> float:
        return self.descent.equations.cost


@np.errstate(all="ignore")  # draws and trials may have no value: that is what makes their cost infinite
def fit_hidden(
    search: Search,
    samples: Samples,
    columns: tuple[int, ...],
    options: Mapping[str, Any],
    begun: Callable[[HiddenLaw, Samples], list[Draw]] | None = None,
) -> FittedHidden:
    """Fit one training set.

    Parameters
    ----------
    search : its statement is a ``HiddenStatement`` that holds what has no unit
    samples : of the signal alone
    columns : where the features that the formula names are
    options : of shooting
    begun : where it is to begin, in place of draws

    Raises
    ------
    UnusableDataError
        No draw's rollouts reach the end of the data.
    """
    law = hidden_law(search, samples, columns)
    wide = with_channels(samples, np.array(law.scales[1:]))
    shooter = _Shooter(law, wide, options)
    draws = drawn(search, law, wide) if begun is None else begun(law, wide)
    found = shooter.rolled_out(draws, search.count)
    if not found:
        raise UnusableDataError(
            f"expected a law whose rollouts stay finite, got {search.statement.text!r}, which diverges from each "
            f"of the {len(draws)} starts tried: give starts= or bounds= of parameters, fewer steps, or another formula"
        )
    best = min(found, key=lambda one: (-one.share, one.cost))
    # A network creeps along its valleys: what is left of it to gain is not worth a fine step each.
    best = shooter.polished(best) if begun is None else shooter.polished(best, rounds=1, iterations=TRIAL_STEPS)
    return _fitted(best, shooter, len(draws))


class _Shooter:
    """Descents on one training set."""

    def __init__(self, law: HiddenLaw, samples: Samples, options: Mapping[str, Any]) -> None:
        self.law, self.samples, self.options = law, samples, options
        self.signals = options.get("estimate_starts") is True
        asked = options.get("intervals", AUTO)
        self.points = (FREED_INTERVALS if self.signals else INTERVALS) if asked == AUTO else int(asked)
        self.iterations = int(options.get("max_iterations", 40))
        self.stages: Sequence[float] = options.get("stages", STAGES)
        self._segments: dict[float, Segments] = {}

    def objective(self, share: float, starts: Array, substeps: int) -> HiddenObjective:
        """Of the first share of each run."""
        if share not in self._segments:
            self._segments[share] = beginnings(self.samples, self.points, share, smoothed=self.signals)
        segments = self._segments[share]
        objective = HiddenObjective(self.law, self.samples, segments, starts, signals=self.signals)
        objective.substeps = substeps
        return objective

    def begun(self, draw: Draw) -> Array:
        """Starting values of each run's own, (run, private), of a draw's hidden ones (hidden,)."""
        features = self.samples.states.shape[2]
        parts = [self.samples.starts[:, 0, :, 0]] if self.signals else []
        if self.law.statement.free and draw.own is not None:
            parts.append(draw.own)
        elif self.law.statement.free:
            for value, each in zip(draw.hidden, self.law.statement.each, strict=True):
                parts.append(np.full((self.samples.n_runs, features if each else 1), value))
        return np.concatenate(parts, axis=1) if parts else np.zeros((self.samples.n_runs, 0))

    def rolled_out(self, draws: Sequence[Draw], count: int) -> list[_Found]:
        """The best few over the longest share that any reaches."""
        first, *longer = self.stages
        tries = [
            self._descent(first, d.coordinates, self.begun(d), (ROUGHLY, EARLY_TOLERANCE, TRIAL_STEPS))
            for d in draws[:TRIED]
        ]
        reached = _unlike([f for f in together(tries) if f is not None])[: max(FOLLOWED, count)]
        for share in longer:
            last = share == self.stages[-1]
            further = [*_unlike(reached)[:count], *(self._direct(draws)[:count] if last else ())]
            further = self._on(further, share, LAST_TOLERANCE if last else EARLY_TOLERANCE)
            if not further:
                break
            reached = further
        return reached

    def _direct(self, draws: Sequence[Draw]) -> list[_Found]:
        """After a few steps over the longest share: from the draws whose rollouts over all of it are best."""
        share = self.stages[-1]
        asked = [self._probed(share, draw) for draw in draws]
        costs = np.array(together(asked))
        best = [draws[i] for i in np.argsort(costs, kind="stable")[:DIRECT] if np.isfinite(costs[i])]
        plan = (ROUGHLY, EARLY_TOLERANCE, TRIAL_STEPS)
        tries = [self._descent(share, d.coordinates, self.begun(d), plan) for d in best]
        return _unlike([f for f in together(tries) if f is not None])

    def _probed(self, share: float, draw: Draw) -> Generator[Question, Any, float]:
        """Mean square of what a draw's rollouts leave; infinite where one dies."""
        objective = self.objective(share, self.begun(draw), ROUGHLY)
        signals = yield Probe(objective, draw.coordinates, ROUGHLY, objective.begun)
        truth = objective.segments.states[..., 0]
        dead = (signals == 0).all(axis=2) & (truth != 0).any(axis=2)
        return np.inf if dead.any() else objective.apart(signals, truth) ** 2

    def _on(self, found: Sequence[_Found], share: float, tolerance: float) -> list[_Found]:
        plan = (ROUGHLY, tolerance, self.iterations)
        tries = [self._descent(share, f.descent.parameters, f.descent.starts, plan) for f in found]
        return [f for f in together(tries) if f is not None]

    def _descent(
        self, share: float, parameters: Array, starts: Array, plan: tuple[int, float, int]
    ) -> Generator[Question, Any, _Found | None]:
        """Gauss-Newton over a share of each run; None where rollouts die at once."""
        substeps, tolerance, iterations = plan
        short = [TRIAL_STEPS] * (ROUNDS if iterations > TRIAL_STEPS else 0)
        for steps in [*short, iterations]:
            objective = self.objective(share, starts, substeps)
            descent = DampedDescent(self._within(parameters), float(self.options.get("ridge", 0.0)))
            alive = yield from _run(descent, objective, tolerance, steps)
            if not alive:
                return None
            parameters, starts = descent.parameters, descent.starts
        return _Found(objective, descent, share)

    def _within(self, parameters: Array) -> Array:
        """Coordinates of positive parameters, not further down than ``VANISHING``."""
        low, high = np.array(self.law.coordinates.bounds).T if self.law.coordinates else (np.zeros(1), np.zeros(1))
        logarithmic = np.isfinite(low) & np.isinf(high)
        return np.where(logarithmic, np.maximum(parameters, VANISHING), parameters)

    def polished(self, found: _Found, rounds: int = MOST_POLISHING, iterations: int | None = None) -> _Found:
        """The same at its optimum, with steps so fine that the solver's error is a small share of what is left."""
        size = found.objective.size_of_data
        before = np.inf
        for _ in range(rounds):
            tolerance = float(np.clip(STEP_SHARE * np.sqrt(found.cost / size), FINEST, STEP_TOLERANCE))
            undone = found.descent.optimality(found.objective.exact) > UNDONE
            if not (undone or tolerance < before / SETTLED):
                break
            finer, before = together([self._finer(found, tolerance, iterations)])[0], tolerance
            if finer is None:
                break
            found = finer
        return found

    def _finer(
        self, found: _Found, tolerance: float, iterations: int | None
    ) -> Generator[Question, Any, _Found | None]:
        objective = self.objective(found.share, found.descent.starts, ROUGHLY)
        objective.fine = True
        descent = DampedDescent(found.descent.parameters, float(self.options.get("ridge", 0.0)))
        objective.substeps = yield from choose_substeps(objective, descent.parameters, tolerance)
        alive = yield from _run(descent, objective, LAST_TOLERANCE, iterations or self.iterations)
        return _Found(objective, descent, found.share) if alive else None


def _run(
    descent: DampedDescent, objective: HiddenObjective, tolerance: float, iterations: int
) -> Generator[Question, Any, bool]:
    """``DampedDescent.run`` until what is left is the solver's: steps that gain nothing then gain rounding."""
    exact = EXACT * objective.size_of_data
    steps, answer, asked = descent.run(objective, tolerance, iterations), None, 0
    while True:
        if asked > 1 and descent.equations.cost <= exact:
            steps.close()
            descent.converged, descent.status = True, "converged"
            return True
        try:
            question = steps.send(answer)
        except StopIteration as end:
            return bool(end.value)
        answer, asked = (yield question), asked + 1


def _unlike(found: list[_Found]) -> list[_Found]:
    """Those of the lowest cost first, without those whose cost is that of the one before: they are at one optimum."""
    ordered = sorted(found, key=lambda one: one.cost)
    return [one for i, one in enumerate(ordered) if i == 0 or one.cost - ordered[i - 1].cost > ALIKE * one.cost]


def _fitted(found: _Found, shooter: _Shooter, draws: int) -> FittedHidden:
    descent, objective = found.descent, found.objective
    equations = descent.equations.reduced()
    whole = found.share == shooter.stages[-1]
    status = descent.status if whole else f"rollouts over more than {found.share:.0%} of the window diverge"
    shooting = ShootingResult(
        coefficients=objective.coefficients(descent.parameters),
        hessians=equations.hessians,
        gradients=equations.gradients,
        converged=descent.converged and whole,
        status=status,
        iterations=max(1, descent.iterations),
        optimality=descent.optimality(objective.exact),
        squares=descent.equations.cost,
        reached=found.share,
        starts=descent.starts if descent.starts.shape[1] else None,
        points=shooter.points,
        substeps=objective.substeps,
    )
    return FittedHidden(
        law=shooter.law,
        coordinates=descent.parameters,
        slopes=_slopes(equations.hessians.sum(axis=0)),
        shooting=shooting,
        draws=draws,
        starts=descent.starts,
        signals=shooter.signals,
    )


def _slopes(hessian: Array) -> Array:
    """A factor R of a Hessian RᵀR, directions in which it is rounding being none of it."""
    norms = np.sqrt(np.maximum(np.diagonal(hessian), 0.0))
    norms = np.where(norms > 0, norms, 1.0)
    values, vectors = np.linalg.eigh(hessian / np.outer(norms, norms))
    values = np.where(values > DEPENDENT * max(float(values.max(initial=0.0)), 1e-300), values, 0.0)
    return np.asarray(np.sqrt(values)[:, None] * vectors.T * norms)
