"""`best_law`: one call from data to the law that follows them."""

from __future__ import annotations

from collections import Counter

import numpy as np

from ecodyn.arrays import Array, Integers
from ecodyn.comparison.automatic.monomials import Terms
from ecodyn.comparison.automatic.other_starts import steadiest
from ecodyn.comparison.automatic.refinement import Refined
from ecodyn.comparison.automatic.resampling import chosen_in_resamples
from ecodyn.comparison.automatic.result import BestLaw, CandidateLaw
from ecodyn.comparison.automatic.search import Problem, Tried, search
from ecodyn.comparison.automatic.written import form_of, law_of, names_of
from ecodyn.errors import UnusableDataError
from ecodyn.extraction.gathering import data_of
from ecodyn.families.options import check_whole
from ecodyn.trajectories import Trajectories
from ecodyn.trajectories.conversions import DataLike
from ecodyn.trajectories.values import Numbers

__all__ = ["best_law"]

FEWEST = 20  # samples of a run: fewer hold no window of test functions and a smoothing spline beside it
DEGREES = {1: 5, 2: 3, 3: 3, 4: 3}  # by number of features: full libraries are cubic while they have under 100 terms
MOST_TERMS = 100  # of a library
SHOWN = 20  # candidates in the result


def best_law(
    x: DataLike,
    t: Numbers | float | None = None,
    *,
    degree: int | None = None,
    resamples: int = 200,
    seed: int = 0,
) -> BestLaw:
    """The law that one trajectory, or several of the same features, follows: nothing has to be chosen beforehand.

    Candidates are linear, Lotka-Volterra and polynomial (SINDy) laws of several degrees, each feature with an equation
    of its own, on the data as they are and on a smoothing spline of them, matched in the weak form by test functions of
    several lengths. Along each path terms are eliminated by how much the regression's residual grows without them. All
    supports are ranked by cheap rollouts, the best refined by multiple shooting on all samples with the starting states
    estimated, and from the best of these a local search goes on: terms are dropped, added and swapped. The law with
    the least information criterion of whole rollouts is taken, among those that follow the data within the noise one
    with few and simple terms; but not one that diverges from more starts around the data than others as plausible.

    Parameters
    ----------
    x : what `ecodyn.as_trajectories` takes, or paths of logs
        An array (step, feature) is one trajectory.
    t : array (step,), a list of them (one a run), or the spacing of the steps
        Times of data that carry none.
    degree : int, optional
        Of the largest library: by default 5 of one feature, 3 of up to four, and less where a library would have over
        100 terms.
    resamples : int
        Of the data's segments, for how sure it is.
    seed : int
        Of the resamples; nothing else is random.

    Raises
    ------
    UnusableDataError
        A run is too short, a feature does not move, or there are several runs of features without names.

    Examples
    --------
    >>> import numpy as np
    >>> from ecodyn import best_law
    >>> t = np.linspace(0, 10, 101)
    >>> found = best_law(np.column_stack([np.sin(t), np.cos(t)]), t, resamples=20)
    >>> print(found)
    (x_1)' = 1*x_2
    (x_2)' = -1*x_1
    of 20 resamples of the trajectory's segments, a linear law (full) was chosen in 100 %, these very terms in 100 %; it
    leaves under 1e-9 of the movement
    >>> found.candidates[0].family, found.candidates[0].n_terms
    ('linear', 2)
    """
    check_whole("resamples", resamples, 1)
    if degree is not None:
        check_whole("degree", degree, 1)
    data = data_of(x, t).complete()
    scale, begin, duration = _checked(data)
    terms = Terms(data.n_features, _degree(data, degree))
    problem = _problem(data, terms, scale, begin, duration)
    found = search(problem)
    problem, following = found.problem, [law for law in found.pool if law.ok]
    if not following:
        raise UnusableDataError(
            f"expected a polynomial law of degree {terms.degree} or less that follows the data from end to end, got "
            f"{len(found.pool)} that diverge; give a shorter or finer sampled window, another degree=, or use compare"
        )
    following.insert(0, following.pop(steadiest(problem, following, found.substeps)))
    picks = chosen_in_resamples(problem, following, found.substeps, resamples, seed)
    back = _back(terms, scale, duration)
    parameters: dict[str, object] = {"degree": terms.degree, "resamples": resamples, "seed": seed}
    best = following[0]
    return BestLaw(
        model=law_of(terms, best.coefficients * back, data, parameters),
        candidates=_listed(problem, following, found.tried, picks),
        inclusion=_inclusion(problem, following, picks, data),
        noise=dict(zip(map(str, data.features.tolist()), (np.sqrt(best.squares) * scale).tolist(), strict=True)),
        resamples=resamples,
        confident=_sentence(problem, following, picks),
    )


def _checked(data: Trajectories) -> tuple[Array, Array, float]:
    """Scale of each feature, first time of each run, and the longest duration; or a sentence."""
    shortest = int(data.lengths.min())
    if shortest < FEWEST:
        raise UnusableDataError(
            f"expected at least {FEWEST} samples a run to choose a law by, got {shortest} in the shortest: widen the "
            "window, sample more finely or leave that run out"
        )
    if data.n_runs > 1 and data.n_features > 1 and not data.labels_shared:
        raise UnusableDataError(
            f"expected features that are the same in every run, got {data.n_runs} runs of {data.n_features} features "
            "without names: name them, give one run, or compare families whose features are exchangeable"
        )
    moved = np.nanmax(data.values, axis=(0, 1)) - np.nanmin(data.values, axis=(0, 1))
    still = data.features[~(moved > 0)].tolist()
    if still:
        raise UnusableDataError(
            f"expected features that move, got {', '.join(map(repr, still))} constant: leave "
            f"{'it' if len(still) == 1 else 'them'} out, the law's constants hold what a constant feature does"
        )
    if len(Terms(data.n_features, 1)) > MOST_TERMS:
        raise UnusableDataError(
            f"expected under {MOST_TERMS} features, each of which has an equation in all others, got "
            f"{data.n_features}; fit or compare families whose features are exchangeable"
        )
    scale = np.sqrt(np.nanmean(data.values**2, axis=(0, 1)))
    last = data.times[np.arange(data.n_runs), data.lengths - 1]
    return scale, data.times[:, 0], float((last - data.times[:, 0]).max())


def _degree(data: Trajectories, degree: int | None) -> int:
    """The largest whose library is small enough."""
    wanted = DEGREES.get(data.n_features, 3) if degree is None else degree
    while wanted > 1 and len(Terms(data.n_features, wanted)) > MOST_TERMS:
        wanted -= 1
    return wanted


def _problem(data: Trajectories, terms: Terms, scale: Array, begin: Array, duration: float) -> Problem:
    """The runs in units of features' size and of the duration, smoothed beside."""
    runs = []
    for r, n in enumerate(data.lengths.tolist()):
        x, t = data.values[r, :n] / scale, (data.times[r, :n] - begin[r]) / duration
        runs.append((x, smoothed(x, t), t))
    own = np.sqrt(np.mean(np.concatenate([(x - x[:1]) ** 2 for x, _, _ in runs]), axis=0))
    return Problem(terms, runs, own)


def smoothed(x: Array, t: Array) -> Array:
    """Smoothing splines of each feature, their level by generalised cross-validation."""
    from scipy.interpolate import make_smoothing_spline

    return np.column_stack([make_smoothing_spline(t, column)(t) for column in x.T])


def _back(terms: Terms, scale: Array, duration: float) -> Array:
    """What takes coefficients (feature, term) from scaled units to the data's."""
    return np.asarray(scale[:, None] / duration / np.prod(scale**terms.exponents, axis=1))


def _listed(problem: Problem, laws: list[Refined], tried: list[Tried], picks: Integers) -> tuple[CandidateLaw, ...]:
    shares = np.bincount(picks, minlength=len(laws)) / len(picks)
    origin: dict[bytes, Tried] = {}
    for candidate in tried:
        origin.setdefault(candidate.mask.tobytes(), candidate)
    rows = []
    for law, share in list(zip(laws, shares.tolist(), strict=True))[:SHOWN]:
        form, first = form_of(problem.terms, law.mask), origin.get(law.mask.tobytes())
        rows.append(
            CandidateLaw(
                family=form.family,
                coupling=form.coupling,
                degree=form.degree,
                smoothing="search" if first is None else first.smoothing,
                span=0 if first is None else first.span,
                n_terms=int(law.mask.sum()),
                unexplained=float(np.mean(law.squares / problem.own**2)),
                criterion=problem.value(law),
                chosen=share,
            )
        )
    return tuple(rows)


def _inclusion(
    problem: Problem, laws: list[Refined], picks: Integers, data: Trajectories
) -> dict[tuple[str, str], float]:
    share = np.mean([laws[p].mask for p in picks], axis=0)
    any_has = np.any([law.mask for law in laws], axis=0)
    names, features = names_of(problem.terms, data.features.tolist()), data.features.tolist()
    return {
        (str(features[row]), names[column]): float(share[row, column])
        for row, column in zip(*np.nonzero(any_has), strict=True)
    }


def _sentence(problem: Problem, laws: list[Refined], picks: Integers) -> str:
    """How sure it is."""
    form = form_of(problem.terms, laws[0].mask)
    forms = Counter(form_of(problem.terms, laws[p].mask) for p in picks.tolist())
    left = float(np.mean(laws[0].squares / problem.own**2))
    told = "under 1e-9" if left < 1e-9 else f"{left:.2g}"
    what = "trajectory's" if len(problem.runs) == 1 else "trajectories'"
    text = (
        f"of {len(picks)} resamples of the {what} segments, {form} was chosen in "
        f"{100 * forms[form] / len(picks):.0f} %, "
        f"these very terms in {100 * float(np.mean(picks == 0)):.0f} %; it leaves {told} of the movement"
    )
    others = [f"{other} in {100 * count / len(picks):.0f} %" for other, count in forms.most_common() if other != form]
    return text + (f"; {', '.join(others[:2])}" if others else "")
