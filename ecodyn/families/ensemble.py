"""A family refitted to random halves of the runs: what of its law stays, whichever runs it is fitted to.

A law θ_h fitted to half of n independent runs, drawn without replacement, differs from the law of all of them with
the variance 2σ²/n − σ²/n = σ²/n: about that with which the law of all differs from the law of infinitely many
(Politis, Romano and Wolf 1999, section 2.3). So what halves scatter is what there is to doubt. Halves come in pairs
that share no run, in which the share of laws that have a term is its inclusion probability (Meinshausen and Bühlmann
2010; Shah and Samworth 2013).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ecodyn.arrays import Array
from ecodyn.errors import UnusableDataError
from ecodyn.extraction.gathering import data_of
from ecodyn.families.estimator import Family
from ecodyn.families.model import FittedModel
from ecodyn.families.starting_states import StartLike
from ecodyn.trajectories import Trajectories
from ecodyn.trajectories.conversions import DataLike
from ecodyn.trajectories.labels import Label
from ecodyn.trajectories.values import Numbers

__all__ = ["FEWEST_HALVED", "Ensemble", "EnsembleRollout", "fit_ensemble", "random_halves"]

FEWEST_HALVED = 4  # independent runs: with fewer a half is a single one
FEWEST_LAWS = 10  # that a quantile of 5 % says anything of


@dataclass(frozen=True, kw_only=True)
class EnsembleRollout:
    """What the laws of an ensemble predict together.

    Attributes
    ----------
    times : array (batch, step)
    mean, low, high : arrays (batch, step, feature)
        Mean and quantiles over laws of the signal: the law's uncertainty, without what noise and unexplained variance
        add to an observation. NaN where too few laws have a value.
    laws : array (batch,)
        How many laws' rollouts reached the end.
    """

    times: Array
    mean: Array
    low: Array
    high: Array
    laws: Array


@dataclass(frozen=True, kw_only=True)
class Ensemble:
    """Laws of one family, each fitted to another random half of the runs.

    Attributes
    ----------
    models : tuple of FittedModel
    halves : tuple of tuples
        Labels of the runs that each was fitted to.
    failures : tuple of str
        Why halves have no law.
    """

    models: tuple[FittedModel, ...]
    halves: tuple[tuple[Label, ...], ...]
    failures: tuple[str, ...] = ()

    @property
    def inclusion(self) -> dict[str, float]:
        """By term the share of laws that have it, the largest first; empty where the family selects nothing.

        Of a coupling with coefficients of each feature's own, a term is named behind its equation.
        """
        selections = [terms for model in self.models if (terms := model.selected_terms()) is not None]
        counts = Counter(term for terms in selections for term in terms)
        return {term: n / len(selections) for term, n in sorted(counts.items(), key=lambda item: (-item[1], item[0]))}

    def simulate(
        self, x0: StartLike, steps: ArrayLike, *, level: float = 0.9, rtol: float = 1e-6, **options: Any
    ) -> EnsembleRollout:
        """Roll all laws out from the same starts: their mean, and the band that holds ``level`` of them at each step.

        Parameters
        ----------
        x0, steps
            As of ``FittedModel.simulate``.
        level : float
            Share of the laws within the band, 0.9 by default.
        options
            Further ones of the laws' own ``simulate``, such as ``inputs``.

        Raises
        ------
        ValueError
            ``level`` is no share.
        """
        if not 0 < level < 1:
            raise ValueError(f"level is the share of laws within the band, between 0 and 1; got {level}")
        rollouts = [model.simulate(x0, steps, rtol=rtol, **_own(options, model)) for model in self.models]
        ok = np.array([rollout.ok for rollout in rollouts])
        signals = np.array([np.where(r.ok[:, None, None], r.signal, np.nan) for r in rollouts])
        few = ok.sum(axis=0) < min(FEWEST_LAWS, len(rollouts))
        signals[:, few] = 0.0  # quantiles of nothing would warn; these are made NaN below
        tail = (1 - level) / 2
        low, high = np.nanquantile(signals, [tail, 1 - tail], axis=0)
        found = [np.where(few[:, None, None], np.nan, a) for a in (np.nanmean(signals, axis=0), low, high)]
        return EnsembleRollout(times=rollouts[0].times, mean=found[0], low=found[1], high=found[2], laws=ok.sum(axis=0))


def _own(options: dict[str, Any], model: FittedModel) -> dict[str, Any]:
    """The options of a law, of inputs those that it has: in some halves one may not vary, and be in no law."""
    given = options.get("inputs")
    if isinstance(given, Mapping):
        given = {name: curve for name, curve in given.items() if name in model.inputs}
    others = {name: value for name, value in options.items() if name != "inputs"}
    return {**others, "inputs": given} if given is not None and model.inputs else others


def random_halves(clusters: Sequence[Label], resamples: int, seed: int) -> list[list[int]]:
    """Positions of the runs of so many random halves of the clusters, in pairs without a common run.

    Of an odd number of clusters one half has one more.

    Examples
    --------
    >>> first, second = random_halves(list("abcdef"), 2, seed=0)
    >>> sorted(first + second)
    [0, 1, 2, 3, 4, 5]
    """
    codes = np.unique(np.asarray(clusters), return_inverse=True)[1]
    count, rng = int(codes.max()) + 1, np.random.default_rng(seed)
    halves: list[list[int]] = []
    while len(halves) < resamples:
        order = rng.permutation(count)
        for half in (order[: count // 2], order[count // 2 :]):
            halves.append(np.flatnonzero(np.isin(codes, half)).tolist())
    return halves[:resamples]


def fit_ensemble(
    family: Family, data: DataLike, *, t: Numbers | float | None = None, resamples: int = 50, seed: int = 0
) -> Ensemble:
    """Fit a family to random halves of the independent runs.

    Parameters
    ----------
    family : Family
        An estimator, such as ``SINDy()``; it stays as it is.
    data : Trajectories, arrays, tables, labelled arrays or files of them, as ``fit`` takes them
        Of at least 4 independent runs (clusters) with one law for all.
    t : array (step,), a list of them (one a run), or a number, the spacing of the steps
        Times of data that carry none.
    resamples : int
        How many halves; their order does not matter, and an even number makes whole pairs.
    seed : int
        Of the halves.

    Raises
    ------
    UnusableDataError
        There are too few runs, each run would need a law of its own, or no half could be fitted.
    ValueError
        ``resamples`` is less than 1.

    Examples
    --------
    >>> from ecodyn import Linear, Trajectories
    >>> starts = np.linspace(1.0, 3.0, 24).reshape(8, 1, 3)
    >>> decays = Trajectories(starts * np.exp(-0.1 * np.arange(30.0))[:, None], np.arange(30.0))
    >>> laws = fit_ensemble(Linear("independent"), decays, resamples=10)
    >>> len(laws.models), len(laws.halves[0])
    (10, 4)
    >>> print(laws.simulate([1.0, 2.0, 4.0], [0.0, 10.0]).mean.round(3))
    [[[1.    2.    4.   ]
      [0.368 0.736 1.472]]]
    """
    if resamples < 1:
        raise ValueError(f"resamples is how many halves the family is fitted to, at least 1; got {resamples}")
    data = data_of(data, t)
    _check(family, data)
    halves = random_halves(data.clusters.tolist(), resamples, seed)
    parts = [data.select(runs=[data.runs[r] for r in half]).complete() for half in halves]
    for part in parts:
        family.check(part)
    found = _fitted(family, parts)
    failures = tuple(dict.fromkeys(str(model) for model in found if isinstance(model, Exception)))
    kept = [(m, tuple(part.runs)) for m, part in zip(found, parts, strict=True) if isinstance(m, FittedModel)]
    if not kept:
        raise UnusableDataError(
            f"{family.name} could be fitted to none of {resamples} halves of the runs: {failures[0]}"
        )
    return Ensemble(models=tuple(m for m, _ in kept), halves=tuple(runs for _, runs in kept), failures=failures)


def _check(family: Family, data: Trajectories) -> None:
    if data.n_clusters < FEWEST_HALVED:
        raise UnusableDataError(
            f"expected at least {FEWEST_HALVED} independent runs to draw halves of, got {data.n_clusters}: record more"
        )
    if (family.coupling == "full" or family.per_feature) and not data.labels_shared:
        raise UnusableDataError(
            f"{family.name}/{family.coupling} has a law for each run here, as features of one run mean nothing in "
            "another: there is no law of half of the runs. Choose the exchangeable coupling, or say that labels are "
            "shared"
        )


def _fitted(family: Family, parts: Sequence[Trajectories]) -> list[FittedModel | ValueError]:
    """A model for each part, or the error that there is instead; all together where none fails, as that is faster."""
    try:
        return list(family.fit_models(parts))
    except ValueError:
        pass
    found: list[FittedModel | ValueError] = []
    for part in parts:
        try:
            found.append(family.fit_model(part))
        except ValueError as error:
            found.append(error)
    return found
