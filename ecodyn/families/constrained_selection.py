"""Selection of terms under constraints: thresholded least squares whose every fit holds them.

From the terms that were selected without constraints, with what these need beside them, and from all terms, those whose
coefficients (on normalised columns) are under a threshold of their equation's largest go, and what is left is fitted
again under the constraints, of which equal, opposite or conserved coefficients then go together; a support that can't
hold them is not gone over to. The threshold is chosen by rollouts on validation runs, as without constraints; nothing
is eliminated in the course of shooting.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from ecodyn.arrays import Array, Bools
from ecodyn.equations.library import FULL
from ecodyn.errors import UnusableDataError
from ecodyn.estimation import InitialFit, MatchedIntegrals, splits, unexplained_each, whole
from ecodyn.estimation.centred import Centred
from ecodyn.estimation.constrained_matching import MatchedUnderConstraints
from ecodyn.estimation.constraints import Constraints
from ecodyn.families.selection import by_preference, fit_of_support
from ecodyn.families.training_set import TrainingSet

__all__ = ["LONGEST_PATH", "check_selection", "selected_under_constraints"]

LONGEST_PATH = 12  # thresholds over five decades: each is several quadratic programmes on every split
ROUNDS = 10  # of thresholding, as many as without constraints

Selected = tuple[Bools, Array]


def check_selection(constraints: object, optimizer: object, max_terms: object) -> None:
    """Refuse what a selection under constraints has no room for.

    Raises
    ------
    ValueError
        The sentence says what to leave out.
    """
    if constraints and optimizer is not None:
        raise ValueError("an optimizer knows nothing of constraints; leave one of the two out")
    if constraints and max_terms is not None:
        raise ValueError("max_terms is not kept by a selection under constraints; leave one of the two out")


def selected_under_constraints(
    training: TrainingSet, constraints: Constraints, path: Array, ridge: float | None, *, method: str
) -> InitialFit:
    """The support that validates best, fitted under the constraints on all training runs.

    Parameters
    ----------
    training : TrainingSet
        With any first fit.
    constraints : Constraints
    path : array of thresholds, relative to each equation's largest coefficient
    ridge : float or None
        On normalised columns.
    method
        As in `match`.

    Raises
    ------
    UnusableDataError
        All terms together can't hold the constraints.
    """
    library, samples = training.library, training.samples
    rows = len(training.initial.mask)
    per_feature = library.groups(rows) > 1 or library.coupling == FULL
    centred = Centred.of(samples, library, rows)

    def make(matched: MatchedIntegrals, own: Array | None, mask: Bools) -> MatchedUnderConstraints:
        return MatchedUnderConstraints(
            matched,
            constraints,
            mask,
            lambda given: samples.original(library, given),
            ridge=ridge,
            centred=centred,
            own=own,
        )

    path = path[:: -(-len(path) // LONGEST_PATH)]
    everything = whole(samples, training.parts)
    begins = _beginnings(training, constraints, partial(make, everything.matched, samples.own))
    validations = splits(library, samples, training.parts, per_feature=per_feature, method=method)
    along = [_along(path, partial(make, v.matched, v.own), begins) for v in validations]
    laws = [np.stack([coefficients for _, coefficients in each]) for each in along]
    unexplained = np.concatenate(unexplained_each(library, validations, laws), axis=1)
    sizes = np.mean([[support.sum() for support, _ in each] for each in along], axis=0)
    on_all = _along(path, partial(make, everything.matched, samples.own), begins)
    finished = {k: everything.finished(library, on_all[k][1]) for k in range(len(on_all))}
    preferred = by_preference(unexplained, sizes)
    best = max(preferred, key=lambda k: (finished[k], -preferred.index(k)))
    support, coefficients = on_all[best]
    distinct = sum(len({s.tobytes() for s, _ in each}) for each in along)
    return fit_of_support(
        library, everything.matched, coefficients, support, distinct, (("threshold", float(path[best % len(path)])),)
    )


def _beginnings(
    training: TrainingSet, constraints: Constraints, make: Callable[[Bools], MatchedUnderConstraints]
) -> list[Bools]:
    """Supports (row, term) that paths begin at: the one selected without constraints and what it needs, and all terms.

    A coefficient that an equation of the constraints would leave alone, and so hold at 0, needs the equation's others;
    what zeros don't hold needs a coefficient.
    """
    initial = training.initial
    every = np.ones((len(initial.mask), len(training.library)), dtype=bool)
    if not make(every).possible():
        raise UnusableDataError("the terms of the library can't hold the constraints; leave one of them out")
    selected = np.zeros_like(every)
    selected[:, initial.support] = initial.mask
    rows = constraints.linear
    of_some = np.where(rows.equal, rows.limits != 0, rows.limits < 0)
    for among, some in zip((rows.matrix != 0).reshape(-1, *every.shape), of_some, strict=True):
        if some and not (selected & among).any():
            selected |= among
    for among in (rows.matrix[rows.equal & (rows.limits == 0)] != 0).reshape(-1, *every.shape):
        if (selected & among).sum() == 1:
            selected |= among
    few = selected.any() and not selected.all() and make(selected).possible()
    return [selected, every] if few else [every]


def _along(path: Array, make: Callable[[Bools], MatchedUnderConstraints], begins: Sequence[Bools]) -> list[Selected]:
    """Supports and coefficients (row, term) at each threshold, small to large, from each of the beginnings on.

    At each threshold it goes on from the last one's.
    """
    found = []
    for begin in begins:
        problem = make(begin)
        current = begin, problem.solve(), problem
        for threshold in path:
            current = _thresholded(current, float(threshold), make)
            found.append(current[:2])
    return found


def _thresholded(
    current: tuple[Bools, Array, MatchedUnderConstraints],
    threshold: float,
    make: Callable[[Bools], MatchedUnderConstraints],
) -> tuple[Bools, Array, MatchedUnderConstraints]:
    for _ in range(ROUNDS):
        mask, coefficients, problem = current
        smaller = _kept(problem.normalised(coefficients), mask, threshold)
        if (smaller == mask).all() or not smaller.any():
            break
        ahead = make(smaller)
        if not ahead.possible():
            break
        current = smaller, ahead.solve(), ahead
    return current


def _kept(normalised: Array, mask: Bools, threshold: float) -> Bools:
    sizes = np.abs(normalised)
    return np.asarray(mask & (sizes >= threshold * sizes.max(axis=1, keepdims=True)) & (sizes > 0))
