"""Which terms a rational law has: what implicit selection proposes, refined by rollouts and exchanged near them.

Implicit regressions on noisy data are biased: noise in x is in their columns too. Rollouts are not. Each support that
is worth it is shot; at the best ones the squares are, as a function of all terms' coefficients, all but quadratic, and
backward elimination from all terms on that quadratic proposes other supports, which are shot as well. Of all that were,
the one is chosen whose squares with a price for each parameter are least: log n + 2 log P times the variance of what is
left, of n values and P terms (the extended Bayesian information criterion, Chen and Chen 2008).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ecodyn.arrays import Array, Bools
from ecodyn.estimation import ShootingResult
from ecodyn.estimation.implicit_selection import RationalLaw, holds, implicit_candidates
from ecodyn.estimation.multiple_shooting import INTERVALS, Problem, equations_of_all, shoot_all
from ecodyn.estimation.segments import Segments
from ecodyn.estimation.shooting_batches import equations_at
from ecodyn.estimation.shooting_equations import Objective
from ecodyn.estimation.support_paths import eliminate
from ecodyn.formulas.rational_form import RationalForm

__all__ = ["Shot", "search_rational"]

A_SIZE = 2  # supports of each number of parameters, of those that implicit selection proposes
ROUNDS, BEST = 6, 1  # of exchanges near the best ones
SHORTENED, FEWER = 3, 2  # of the best, and terms that are taken from each
AROUND = 2  # parameters more or less than the best has, that others may have
MOST_PARAMETERS = 8  # of a law
# Squares under so much of the data's count as none: what the solver leaves of exact data.
EXACT = 1e-13
STAGES, ITERATIONS, NOISY_INTERVALS = (0.3, 1.0), 15, 48  # of shooting a support: it is ranked, not reported
TOLERANCE = 1e-7  # of the solver's steps where there is no noise: its error must not decide
RANK = 1e-12  # eigenvalues of the normalised Hessian under so much of the largest are rounding


@dataclass(frozen=True, eq=False)
class Shot:
    """Parameters (parameter,), zero for those that it has not, and how shooting went."""

    parameters: Array
    kept: Bools
    result: ShootingResult

    @property
    def squares(self) -> float:
        """What its rollouts leave; infinite where they reach no end."""
        whole = self.result.reached == 1.0 and np.isfinite(self.result.squares)
        return float(self.result.squares) if whole else np.inf

    @property
    def size(self) -> int:
        """Number of parameters."""
        return int(self.kept.sum())


def search_rational(form: RationalForm, options: Mapping[str, Any]) -> list[Shot]:
    """Laws that were rolled out, the best by the criterion first; none whose denominator vanishes near the data.

    Parameters
    ----------
    form : RationalForm
    options : of ``shoot_all``
    """
    samples = form.samples
    noisy = samples.smooth is not None
    options = {**options, "estimate_starts": noisy, "stages": STAGES, "max_iterations": ITERATIONS}
    if noisy:
        options["intervals"] = NOISY_INTERVALS
    else:
        options["step_tolerance"] = min(TOLERANCE, options.get("step_tolerance", TOLERANCE))
    starts = _shortlist(form, implicit_candidates(form.numerator, form.denominator, samples))
    found: dict[bytes, Shot] = {}
    for round_ in range(1 + ROUNDS):
        if not starts:
            break
        new = {key: start for start in starts if (key := (start != 0).tobytes()) not in found}
        for shot in _shots(form, [*new.values()], options):
            found[shot.kept.tobytes()] = shot
        ranked = _ranked(form, found.values())
        if round_ == ROUNDS or not ranked:
            break
        starts = [other for best in ranked[:BEST] for other in _proposed(form, best)]
        starts += [other for best in ranked[:SHORTENED] for other in _proposed(form, best, best.kept)]
    return _ranked(form, found.values())


def _shortlist(form: RationalForm, laws: Iterable[RationalLaw]) -> list[Array]:
    """The first few of each size."""
    found: dict[int, list[Array]] = {}
    for law in laws:
        start = form.start(law)
        if start is None or np.count_nonzero(start) > MOST_PARAMETERS:
            continue
        alike = found.setdefault(int(np.count_nonzero(start)), [])
        if len(alike) < A_SIZE:
            alike.append(start)
    return [start for size in sorted(found) for start in found[size]]


def _shots(form: RationalForm, starts: list[Array], options: Mapping[str, Any]) -> list[Shot]:
    """Each start refined by rollouts."""
    kept = [start != 0 for start in starts]
    problems = [
        Problem(form.law(free), form.samples, start[None, free]) for start, free in zip(starts, kept, strict=True)
    ]
    shots = []
    for free, result in zip(kept, shoot_all(problems, **options), strict=True):
        parameters = np.zeros(len(free))
        parameters[free] = result.coefficients[0]
        shots.append(Shot(parameters, free, replace(result, coefficients=parameters[None])))
    return shots


def _ranked(form: RationalForm, shots: Iterable[Shot]) -> list[Shot]:
    """By squares and price; without those whose denominator vanishes."""
    shots = [shot for shot in shots if np.isfinite(shot.squares)]
    fine = holds(form.denominator, form.samples, [form.selected(shot.parameters) for shot in shots])
    shots = [shot for shot, there in zip(shots, fine, strict=True) if there]
    if not shots:
        return []
    price = _price(form, shots)
    return sorted(shots, key=lambda shot: (shot.squares + price * shot.size, shot.size))


def _price(form: RationalForm, shots: list[Shot]) -> float:
    """What a parameter costs: (log n + 2 log P) φ, φ the variance that the best law leaves, or what a solver does."""
    values = form.samples.n_runs * form.samples.states.shape[2] * max(shot.result.points for shot in shots)
    least = min(shot.squares / max(1, values - shot.size) for shot in shots)
    weight = float(np.mean(form.samples.states[..., 0] ** 2))
    criterion = float(np.log(values) + 2.0 * np.log(len(form.names)))
    return max(criterion * least, EXACT * values * weight)


def _proposed(form: RationalForm, shot: Shot, allowed: Bools | None = None) -> list[Array]:
    """Starts with other terms, along backward elimination from all those allowed, where the squares are quadratic.

    Of all terms, as many are kept as the law has, or few more or less; of its own, few less.
    """
    hessian, gradient = _equations(form, shot)
    scale = np.sqrt(np.maximum(np.diagonal(hessian), 1e-300))
    values, vectors = np.linalg.eigh(hessian / np.outer(scale, scale))
    root = np.sqrt(np.maximum(values, RANK * float(values[-1])))
    matrix = root[:, None] * vectors.T
    target = matrix @ (shot.parameters * scale) - vectors.T @ (gradient / scale) / root
    free = np.ones(len(scale), dtype=bool) if allowed is None else allowed
    path = eliminate(matrix, target, free, np.arange(len(scale), dtype=float))
    sizes = range(shot.size - AROUND, shot.size + AROUND + 1)
    if allowed is not None:
        sizes = range(shot.size - FEWER, shot.size)
    starts = []
    for size in sizes:
        kept = np.zeros(len(scale), dtype=bool)
        kept[path.order[max(0, len(path.order) - size) :]] = True
        if not 0 < size <= MOST_PARAMETERS or not kept[: len(form.numerator)].any():
            continue
        start = np.zeros(len(scale))
        start[kept] = np.linalg.lstsq(matrix[:, kept], target, rcond=None)[0] / scale[kept]
        if holds(form.denominator, form.samples, [form.selected(start)])[0]:
            starts.append(start)
    return starts


@np.errstate(all="ignore")
def _equations(form: RationalForm, shot: Shot) -> tuple[Array, Array]:
    """Gauss-Newton Hessian and gradient of all terms' coefficients, (parameter, parameter) and (parameter,)."""
    law = form.law(np.ones(len(form.names), dtype=bool))
    problem = Problem(law, form.samples, shot.parameters[None])
    if shot.result.starts is not None and shot.result.substeps:
        equations = equations_of_all(problem, shot.result)
    else:
        segments = Segments.cut(form.samples, INTERVALS, 1.0, smoothed=True)
        mask = np.ones((1, len(form.names)), dtype=bool)
        objective = Objective(law, form.samples, segments, mask=mask, estimate_starts=False)
        objective.substeps = max(1, shot.result.substeps)
        equations = equations_at(objective, shot.parameters, segments.starts[..., 0])
    return equations.hessians.sum(axis=0), equations.gradients.sum(axis=0)
