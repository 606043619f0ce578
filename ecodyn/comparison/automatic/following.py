"""Laws that follow all of the data from end to end: sought over whole runs, or where these lead nowhere over parts."""

from __future__ import annotations

import math
import warnings
from dataclasses import replace
from typing import NamedTuple

from ecodyn.comparison.automatic.parameters import searched
from ecodyn.comparison.automatic.preparation import SEARCHED, Prepared, thinned
from ecodyn.comparison.automatic.problem import Problem, in_parts
from ecodyn.comparison.automatic.refinement import Refined, Window, refine
from ecodyn.comparison.automatic.search import Found
from ecodyn.errors import DataWarning, UnusableDataError

__all__ = ["MUCH", "SHOWN", "Followed", "followed"]

SHOWN = 20  # laws that are refitted where a search was on less than all of the data, and candidates of a result
MUCH = 0.1  # of the movement left: the law's terms say little of what moves then
POOR = 1e-3  # of the movement left, that is more than so many times the noise: rollouts may have led nowhere
ABOVE_NOISE = 4.0
FEWEST_OF_A_PART = 50  # samples of the shortest run's parts


class Followed(NamedTuple):
    """A problem, laws that follow all of its runs by their criterion, and the search that they come from."""

    problem: Problem
    laws: list[Refined]
    found: Found

    @property
    def value(self) -> float:
        """The best law's criterion."""
        return self.problem.value(self.laws[0])

    @property
    def left(self) -> float:
        """Share of the movement that the best law leaves."""
        return self.problem.left(self.laws[0])


def followed(ready: Prepared) -> Followed:
    """The laws that follow the data.

    Of long runs, some samples are searched on; the best laws are then refitted on all. Rollouts of chaotic or stiff
    laws over whole runs lead nowhere from a little way off: where the best law is poor, it is also sought over halves,
    quarters and eighths of the runs, and what is found there goes on over whole ones. Where no law comes near these,
    what follows the parts is taken, which is said.

    Raises
    ------
    UnusableDataError
        All laws diverge.
    """
    problem, (some, every) = ready.problem, thinned(ready.problem)
    shortest = min(len(t) for _, _, t in problem.runs)
    found = searched(some, ready.scale)
    best = _on(problem, found, every)
    if every > 1:
        warnings.warn(
            f"of {max(len(t) for _, _, t in problem.runs)} samples of the longest run, one in {every} was searched "
            f"on, about {SEARCHED}, and the {SHOWN} best laws were refitted on all; a coarser sampling, or a shorter "
            "window, is searched on as it is",
            DataWarning,
            stacklevel=3,
        )
    parts, over_parts = 1, []
    while _is_poor(best) and shortest // (2 * parts) >= FEWEST_OF_A_PART:
        parts *= 2
        cut = in_parts(some, parts)
        found = searched(cut, ready.scale)
        over_parts.append((parts, found))
        further = _on(problem, _from_first_parts(found, cut, parts), every, longer=True)
        if further is not None and (best is None or further.value < best.value):
            best = further
    if best is not None and not (_is_poor(best) and best.left > MUCH):
        return best
    for count, sought in over_parts:
        within = _on(in_parts(problem, count), sought, every)
        if within is not None and not _is_poor(within):
            warnings.warn(
                f"over whole runs the best law {'diverges' if best is None else f'leaves {best.left:.0%}'}: it was "
                f"sought over parts of {shortest // count} samples, of which it leaves {within.left:.2%}; rollouts "
                "from other starts may be worth no more than such parts",
                DataWarning,
                stacklevel=3,
            )
            return within
    if best is None:
        raise UnusableDataError(
            f"expected a polynomial law of degree {problem.terms.degree} or less that follows the data from end to "
            f"end, got {len(found.pool)} that diverge; give a shorter or finer sampled window, another degree=, or use "
            "compare"
        )
    return best


def _on(over: Problem, found: Found, every: int, *, longer: bool = False) -> Followed | None:
    """Laws that follow all runs of a problem; None where none does.

    The best are refitted where every so many samples were searched on, or ``longer`` runs are to be followed.
    """
    problem = replace(over, floor=found.problem.floor, terms=found.problem.terms)
    laws = [law for law in found.pool if law.ok]
    if every > 1 or longer:
        laws, found = laws[:SHOWN], replace(found, substeps=max(1, math.ceil(found.substeps / every)))
        bound, substeps = problem.bound, found.substeps
        if laws:
            refine(problem.terms, laws, problem.runs, problem.weights, substeps=substeps, bound=bound, stages=(1.0,))
        laws = sorted((law for law in laws if law.ok), key=problem.value)
    return Followed(problem, laws, found) if laws else None


def _from_first_parts(found: Found, cut: Problem, parts: int) -> Found:
    """The same laws with whole runs ahead of them: they start where each run's first part does."""
    run = Window(cut.runs, 1.0).run
    first = [run.index(r) for r in range(0, len(cut.runs), parts)]
    return replace(found, pool=[replace(law, starts=law.starts[first]) for law in found.pool if law.ok])


def _is_poor(best: Followed | None) -> bool:
    """Whether there is no law, or it leaves what is neither little nor noise."""
    return best is None or best.left > max(POOR, ABOVE_NOISE * best.problem.noise_share)
