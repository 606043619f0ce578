"""The search for a law of named features: paths of supports, cheap rollouts, shooting, and local search from the best.

All happens in scaled units, with one library for all: monomials up to a degree. What is compared is an information
criterion of rollouts from estimated starts, over pieces of runs as long as the shortest, with a prior for
terms of low degree in the feature's own variable.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ecodyn.arrays import Array, Bools
from ecodyn.comparison.automatic.problem import Problem
from ecodyn.comparison.automatic.refinement import STAGES, Refined, Window, linearised, march_laws, refine
from ecodyn.comparison.automatic.weak_form import regression, spans
from ecodyn.errors import UnusableDataError
from ecodyn.estimation.support_paths import eliminate, exchange, solved, supports_along
from ecodyn.rollouts.skill import WORST_UNEXPLAINED

__all__ = ["WORTH", "Found", "Tried", "exact", "from_seeds", "improved", "search"]

SHORTLIST = 10  # supports that are refined, the best of cheap rollouts
FIRST = 3  # of these before the rest, where one may be exact: then only those that cost less go on
BEAM = 3  # laws from which a round of the search goes on
ROUNDS = 8
DROPS = (1, 2, 3, 5, 8)  # least significant terms that a round drops together
EXACT = 1e-11  # what a law that is exact leaves of it, with steps as fine as STEP_TOLERANCE asks for
NEAR = 1e-5  # unexplained: with more, no floor matters
WORTH = 1e-4  # unexplained: functions that leave more are not what the data come from
NEAR_FLOOR = 1e-7  # where no law is exact: to fit an expansion more closely takes terms that carry over to nothing
MOST_WORK = 300_000  # steps of one law's rollouts, after which no round is begun: of laws that need no fine steps, all
STEP_TOLERANCE = 2e-6  # of features' movement, between rollouts with a step and with half of it
MOST_SUBSTEPS = 8  # of an interval: stiffer laws are found on coarser rollouts, or by a finer sampling
ROLLOUTS, SHARE, POINTS = 5, 1 / 3, 40  # of the cheap ones, over a third of a run each
BATCH = 3000  # rollouts at a time


@dataclass(frozen=True, eq=False)
class Tried:
    """A candidate: where it came from, its coefficients, and what its cheap rollouts left unexplained."""

    smoothing: str
    span: int
    mask: Bools
    coefficients: Array
    unexplained: float = np.inf


@dataclass(frozen=True, eq=False)
class Found:
    """Refined laws by the problem's criterion, the least first; what was tried before shooting; rollouts' substeps."""

    problem: Problem
    pool: list[Refined]
    tried: list[Tried]
    substeps: int


def search(problem: Problem) -> Found:
    """From the data to refined laws."""
    candidates = _candidates(problem)
    if not candidates:
        raise UnusableDataError(
            f"expected data whose movement a law's terms go with, but none of the terms up to degree "
            f"{problem.terms.degree} goes with it: give a larger degree=, sample more finely or for longer, or smooth "
            "noisy data first"
        )
    tried = _ranked(problem, candidates)
    shortlist: dict[bytes, Tried] = {}
    for candidate in tried:
        shortlist.setdefault(candidate.mask.tobytes(), candidate)
    chosen = list(shortlist.values())[:SHORTLIST]
    substeps = _substeps(problem, chosen[0].coefficients)
    pool = [Refined(c.coefficients.copy(), c.mask) for c in chosen]
    first = FIRST if problem.terms.functions or chosen[0].unexplained < NEAR else len(pool)
    work = _shoot(problem, pool[:first], substeps)
    if problem.terms.functions and min(map(problem.left, pool[:first])) > WORTH:
        return Found(problem, sorted(pool[:first], key=problem.value), tried, substeps)
    over = [problem.costs[law.mask].sum() for law in pool[:first] if exact(problem, law)]
    rest = [law for law in pool[first:] if not over or problem.costs[law.mask].sum() < min(over)]
    work += _shoot(problem, rest, substeps)
    pool = pool[:first] + rest
    work = _improve(problem, pool, substeps, work)
    if not exact(problem, pool[0]) and problem.left(pool[0]) < NEAR:
        problem = replace(problem, floor=NEAR_FLOOR)
        _improve(problem, pool, substeps, work)
    return Found(problem, pool, tried, substeps)


def from_seeds(problem: Problem, seeds: list[Tried]) -> Found:
    """Laws that are known to be candidates, refined; those that do not follow the data are left out."""
    substeps = _substeps(problem, seeds[0].coefficients)
    pool = [Refined(seed.coefficients.copy(), seed.mask) for seed in seeds]
    _shoot(problem, pool, substeps)
    return Found(problem, sorted([law for law in pool if law.ok], key=problem.value), seeds, substeps)


def improved(found: Found) -> Found:
    """The local search from there."""
    _improve(found.problem, found.pool, found.substeps)
    return found


def exact(problem: Problem, law: Refined) -> bool:
    """Whether what it leaves of each feature is the solver's error."""
    return law.ok and bool((law.squares / problem.own**2 < EXACT).all())


def _improve(problem: Problem, pool: list[Refined], substeps: int, work: int = 0) -> int:
    """Local search from the best laws, which the pool gains and is sorted by.

    From an exact one it only goes on to what costs less, since nothing leaves less. It ends when all of the work that
    is done, beginning with so much, is too much, and says how much it was.
    """
    seen, done = {law.mask.tobytes() for law in pool}, set[bytes]()
    for _ in range(ROUNDS):
        pool.sort(key=problem.value)
        new: list[Refined] = []
        over = exact(problem, pool[0])
        most = problem.costs[pool[0].mask].sum() if over else np.inf
        for law in pool[: 1 if over else BEAM]:
            if law.ok and law.mask.tobytes() not in done:
                done.add(law.mask.tobytes())
                for neighbour in _neighbours(problem, law, substeps):
                    less = problem.costs[neighbour.mask].sum() < most
                    if less and neighbour.mask.any() and neighbour.mask.tobytes() not in seen:
                        seen.add(neighbour.mask.tobytes())
                        new.append(neighbour)
        if not new or work > MOST_WORK:
            break
        work += _shoot(problem, new, substeps, (1.0,))
        pool += new
    pool.sort(key=problem.value)
    return work


def _shoot(problem: Problem, laws: list[Refined], substeps: int, stages: tuple[float, ...] = STAGES) -> int:
    """Refine laws; how much work that was, in steps of one law's rollouts."""
    if not laws:
        return 0
    weights, bound = problem.weights, problem.bound
    return refine(problem.terms, laws, problem.runs, weights, substeps=substeps, bound=bound, stages=stages)


def _candidates(problem: Problem) -> list[Tried]:
    """Supports along the paths of every family, on data as they are and smoothed, by windows of several lengths."""
    found: list[Tried] = []
    shortest = min(len(t) for _, _, t in problem.runs)
    for which, name in enumerate(("none", "spline")):
        runs = [(run[which], run[2]) for run in problem.runs]
        for span in spans(shortest):
            theta, target = regression(problem.terms, runs, span, problem.own)
            along = supports_along(theta, target, problem.allowed.values(), problem.rank)
            found += [Tried(name, span, support, solved(theta, target, support)) for support in along]
    return found


def _ranked(problem: Problem, candidates: list[Tried]) -> list[Tried]:
    """By the criterion of rollouts from smoothed states at several times, over a third of each run."""
    starts, truth, times = [], [], []
    for x, smooth, t in problem.runs:
        length = max(2, int(SHARE * (len(t) - 1)))
        begin = np.linspace(0, len(t) - 1 - length, ROLLOUTS).astype(int)
        rows = begin[:, None] + np.rint(np.linspace(0, length, min(POINTS, length) + 1)).astype(int)
        starts.append(smooth[begin])
        truth.append(x[rows])
        times.append(t[rows])
    points = min(len(t[0]) for t in times)
    start = np.concatenate(starts)
    data, grid = np.concatenate([x[:, :points] for x in truth]), np.concatenate([t[:, :points] for t in times])
    size = max(1, BATCH // len(start))
    left: list[float] = []
    for first in range(0, len(candidates), size):
        part = np.stack([c.coefficients for c in candidates[first : first + size]])
        coefficients = np.repeat(part, len(start), axis=0)
        _, out = march_laws(
            problem.terms, coefficients, np.tile(start, (len(part), 1)), np.tile(grid, (len(part), 1)), 1, problem.bound
        )
        error = np.mean(((out.swapaxes(0, 1) - np.tile(data, (len(part), 1, 1))) / problem.own) ** 2, axis=2)
        each = np.minimum(np.where(np.isnan(error), np.inf, error), 2 * WORST_UNEXPLAINED).mean(axis=1)
        left += np.minimum(each, WORST_UNEXPLAINED).reshape(len(part), -1).mean(axis=1).tolist()
    ranked = [Tried(c.smoothing, c.span, c.mask, c.coefficients, u) for c, u in zip(candidates, left, strict=True)]
    count, costs = problem.samples, problem.costs
    return sorted(ranked, key=lambda c: count * np.log(c.unexplained + problem.floor) + costs[c.mask].sum())


def _substeps(problem: Problem, coefficients: Array) -> int:
    """Runge-Kutta steps an interval, so that halving them no longer matters to the best candidate."""
    window = Window(problem.runs, SHARE)
    laws = np.repeat(coefficients[None], len(window.first), axis=0)

    def rolled(count: int) -> Array:
        return march_laws(problem.terms, laws, window.first, window.t, count, problem.bound)[1]

    substeps, coarse = 1, rolled(1)
    while substeps < MOST_SUBSTEPS:
        fine = rolled(2 * substeps)
        apart = ((fine - coarse) / problem.own) ** 2
        if not np.isfinite(apart).any() or np.sqrt(np.nanmean(apart)) <= STEP_TOLERANCE:
            break
        substeps, coarse = 2 * substeps, fine
    return substeps


def _neighbours(problem: Problem, law: Refined, substeps: int) -> list[Refined]:
    """Laws of other supports near one: least significant terms dropped, and what the linearised problem prefers.

    Rollouts depend nearly linearly on coefficients near a law, absent ones too: a regression that any support can be
    chosen on, in units in which the noise has variance one.
    """
    matrix, target = linearised(problem.terms, law, problem.runs, problem.weights, substeps, problem.bound)
    free, costs = law.mask.ravel(), problem.costs.ravel()
    rank = np.tile(problem.rank, len(law.mask))
    found: dict[bytes, Bools] = {}

    def add(support: Bools) -> None:
        found.setdefault(support.tobytes(), support)

    inside = eliminate(matrix, target, free, rank)
    for count in DROPS:
        if count < len(inside.order):
            kept = np.zeros(free.size, dtype=bool)
            kept[inside.order[count:]] = True
            add(kept)
    everything = eliminate(matrix, target, np.ones(free.size, dtype=bool), rank)
    for factor in (1.0, 2.0, 4.0):
        add(everything.at(factor, costs))
    add(exchange(matrix, target, free, costs))
    laws = []
    for support in found.values():
        coefficients = solved(matrix[None], target[None], support[None]).reshape(law.mask.shape)
        laws.append(Refined(coefficients, support.reshape(law.mask.shape), starts=law.starts.copy()))
    return laws
