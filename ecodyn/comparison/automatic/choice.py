"""`best_law`: one call from data to the law that follows them."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ecodyn.arrays import Integers
from ecodyn.comparison.automatic.following import MUCH, SHOWN, followed
from ecodyn.comparison.automatic.monomials import Terms
from ecodyn.comparison.automatic.other_starts import of_least_risk
from ecodyn.comparison.automatic.preparation import columns_alike, degree_for, prepared
from ecodyn.comparison.automatic.problem import Problem
from ecodyn.comparison.automatic.refinement import Refined
from ecodyn.comparison.automatic.resampling import resampled
from ecodyn.comparison.automatic.result import BestLaw, CandidateLaw
from ecodyn.comparison.automatic.search import Tried
from ecodyn.comparison.automatic.written import form_of, law_of, names_of
from ecodyn.errors import DataWarning, UnusableDataError
from ecodyn.extraction.gathering import data_of
from ecodyn.families.known import no_terms_in
from ecodyn.families.options import check_whole
from ecodyn.trajectories import Trajectories
from ecodyn.trajectories.conversions import DataLike
from ecodyn.trajectories.labels import Label
from ecodyn.trajectories.values import Numbers

__all__ = ["best_law"]

SURE = 0.9  # of resamples: terms that the best law has in fewer are named


def best_law(
    x: DataLike,
    t: Numbers | float | None = None,
    *,
    feature_names: Sequence[str] | None = None,
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
    the least information criterion of rollouts over pieces of runs as long as the shortest is taken, among those that
    follow the data within the noise one with few and simple terms; of those as plausible, the one whose rollouts from
    other starts around the data are nearest to all the others'.

    Of up to four features and evenly spaced data, functions are candidates too: sines and tanh of features and of
    sums of two, exponentials, Gaussians, logarithms and powers, absolute values, saturations 1/(p + xⁿ),
    1/(p + q·x + x²) and 1/(q + x + p·y), and roots of p + x² and of q + x² + p·y² (see `ecodyn.equations.functions`),
    beside monomials. Each equation is sought in the weak form among supports of few terms, one more function at a
    time, their parameters fitted; functions are taken where an equation is exact with them and not without, exact
    being what the noise leaves of it. With noise of over half a percent of the movement they are not looked for, since
    nothing then tells them from polynomials. Where all equations are exact and so are their rollouts, they are the law.

    Parameters
    ----------
    x : what `ecodyn.as_trajectories` takes, or paths of logs
        An array (step, feature) is one trajectory; of a list of such arrays, or an array of three axes, each is one,
        and a column the same feature in all of them.
    t : array (step,), a list of them (one a run), or the spacing of the steps
        Times of data that carry none.
    feature_names : list of str, optional
        Labels of the features, in place of those that x has.
    degree : int, optional
        Of the largest library: by default 5 of one feature, 3 of two to five, 2 of six or seven, and 1 of eight to
        sixteen; 1 asks for linear laws alone. It is lowered where a library would have over 100 terms or a law over
        300 coefficients.
    resamples : int
        Of the data's segments, for how sure it is.
    seed : int
        Of the resamples; nothing else is random.

    Raises
    ------
    UnusableDataError
        A run is too short, a feature does not move within runs, there are several runs of features without names that
        are no plain arrays, or more than 16 features; units are too far from one; or no law follows the data.

    Warns
    -----
    DataWarning
        The law leaves over a tenth of the movement, a degree was lowered, runs are so long that only some of their
        samples were searched on, or a feature moves by less than 1e-4 of its size.

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
    check_whole("seed", seed, 0)
    if degree is not None:
        check_whole("degree", degree, 1)
    data = data_of(x, t).complete()
    if feature_names is not None:
        data = data.with_features(feature_names)
    if varying := data.varying_inputs():
        raise UnusableDataError(no_terms_in("the search for the best law", varying))
    terms = Terms(data.n_features, degree_for(data.n_features, degree))
    ready = prepared(data, terms, alike=columns_alike(x))
    with np.errstate(all="ignore"):  # laws that diverge are part of the search
        problem, laws, found = followed(ready)
        values = resampled(problem, laws, found.substeps, resamples, seed)
        first, *others = of_least_risk(problem, laws, found.substeps, values)
    following, picks = _foremost(laws, first, others)
    best, left, scaled = following[0], problem.left(following[0]), problem.terms
    problem = replace(problem, terms=ready.terms(scaled))  # what is told is in the data's units
    if left > MUCH:
        warnings.warn(_too_much(problem, left), DataWarning, stacklevel=2)
    parameters: dict[str, object] = {"degree": terms.degree, "resamples": resamples, "seed": seed}
    noise = (np.sqrt(best.squares) * ready.scale).tolist()
    return BestLaw(
        model=law_of(problem.terms, ready.coefficients(scaled, best.coefficients), data, parameters),
        candidates=_listed(problem, following, found.tried, picks, data.features.tolist()),
        inclusion=_inclusion(problem, following, picks, data),
        noise=dict(zip(map(str, data.features.tolist()), noise, strict=True)),
        resamples=resamples,
        confident=_sentence(problem, following, picks, data),
    )


def _foremost(laws: list[Refined], first: int, picks: Sequence[int]) -> tuple[list[Refined], Integers]:
    """Laws with one of them put first, and the positions of others in that order."""
    order = [first, *(i for i in range(len(laws)) if i != first)]
    return [laws[i] for i in order], np.argsort(order)[np.asarray(picks, dtype=np.intp)]


def _too_much(problem: Problem, left: float) -> str:
    """What is said of a law that explains little."""
    noise = problem.noise_share
    return (
        f"no polynomial law of degree <= {problem.terms.degree} follows the data: the best leaves {100 * left:.0f} % "
        f"of the movement, a smoothing spline {100 * noise:.0f} %; give a shorter or finer sampled window, or cut the "
        "trajectory in pieces (a list of arrays)"
    )


def _listed(
    problem: Problem, laws: list[Refined], tried: list[Tried], picks: Integers, features: list[Label]
) -> tuple[CandidateLaw, ...]:
    shares = np.bincount(picks, minlength=len(laws)) / len(picks)
    origin: dict[bytes, Tried] = {}
    names = [f"x_{feature}" for feature in features]
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
                functions=tuple(function.name(names) for function in form.functions),
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


def _sentence(problem: Problem, laws: list[Refined], picks: Integers, data: Trajectories) -> str:
    """How sure it is."""
    form = form_of(problem.terms, laws[0].mask)
    forms = Counter(form_of(problem.terms, laws[p].mask) for p in picks.tolist())
    left = float(np.mean(laws[0].squares / problem.own**2))
    told = "under 1e-9" if left < 1e-9 else f"{left:.2g}"
    what = "trajectory's" if len(problem.runs) == 1 else "trajectories'"
    text = (
        f"of {len(picks)} resamples of the {what} segments, {form} was chosen in "
        f"{100 * forms[form] / len(picks):.0f} %, "
        f"these very terms in {100 * float(np.mean(picks == 0)):.0f} %"
    )
    text = f"it leaves {told} of the movement: {text}" if left > MUCH else f"{text}; it leaves {told} of the movement"
    others = [f"{other} in {100 * count / len(picks):.0f} %" for other, count in forms.most_common() if other != form]
    text += f"; {', '.join(others[:2])}" if others else ""
    shares = _inclusion(problem, laws, picks, data)
    features, names = data.features.tolist(), names_of(problem.terms, data.features.tolist())
    own = [(str(features[row]), names[column]) for row, column in zip(*np.nonzero(laws[0].mask), strict=True)]
    unsure = sorted((shares[term], f"{term[1]} in (x_{term[0]})'") for term in own if shares[term] < SURE)[:3]
    return text + (f"; least sure: {', '.join(f'{n} ({100 * s:.0f} %)' for s, n in unsure)}" if unsure else "")
