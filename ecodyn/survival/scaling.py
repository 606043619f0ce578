"""Runs in which a feature was scaled at the start, where a file has some: what it did, beside what a law says of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ecodyn.equations.library import EXCHANGEABLE
from ecodyn.errors import UnusableDataError
from ecodyn.families import DEFAULT
from ecodyn.families import family as family_named
from ecodyn.families.model import FittedModel
from ecodyn.survival.laws import MOST_STEPS
from ecodyn.survival.pairs import FACTOR, PLAIN, scaled_features
from ecodyn.survival.predictors import spread_steps
from ecodyn.survival.response import Response, law_response
from ecodyn.survival.scaled_start import Perturbation, perturbation
from ecodyn.survivors.survivors import Survivors
from ecodyn.trajectories import Trajectories

STEPS_SHOWN = 5  # at which a response is compared, the first among them


@dataclass(frozen=True, eq=False)
class ScaledRuns:
    """What scaling one feature at the start did.

    Attributes
    ----------
    fates : by factor
    response : of the others, observed and by a law that is fitted to the unscaled runs; None if none was asked
    law : its family and coupling
    """

    fates: Perturbation
    response: Response | None
    law: str

    def to_json(self) -> dict[str, object]:
        """By factor: fates, and the response at some steps."""
        f, r = self.fates, self.response
        numbers: dict[str, object] = {
            "feature": f.feature,
            "factors": f.factors,
            "n_clusters": f.n_clusters,
            "own_survival": f.own_survival.to_json(),
            "survivors_change": f.survivors_change.to_json(),
        }
        if r is not None:
            numbers["response"] = {
                "law": self.law,
                "coupling": r.fitted,
                "factors": r.factors,
                "steps": r.steps,
                "observed": r.observed.to_json(),
                "predicted": r.predicted.to_json(),
                "implied_coupling": None if r.implied is None else r.implied.to_json(),
            }
        return numbers


def scaled_runs(
    runs: Trajectories, survivors: Survivors, *, law: bool = True, family: str = DEFAULT, coupling: str = EXCHANGEABLE
) -> list[ScaledRuns]:
    """What scaling did, a feature each; empty where no run was scaled.

    Parameters
    ----------
    runs, survivors : with the setting ``scale_frequency_factor``, unscaled runs among them
    law : whether a law is fitted to the unscaled runs and asked for the response
    family, coupling : of the law

    Raises
    ------
    UnusableDataError
        A scaled run has no unscaled one of its start, or runs differ in their steps.

    Examples
    --------
    >>> from ecodyn import Trajectories
    >>> from ecodyn.survival import scaled_runs, survivors
    >>> start = np.array([[80, 81, 82.0], [96, 81, 82], [79, 83, 80], [95, 83, 80]])  # the first raised
    >>> steps = np.arange(11.0)
    >>> signal = start[:, None] - 0.002 * start.mean(axis=1)[:, None, None] * steps[:, None]  # all lose alike
    >>> settings = {"scale_frequency_factor": [1.0, 1.2, 1.0, 1.2]}
    >>> runs = Trajectories(signal, steps, cluster=[0, 0, 1, 1], settings=settings)
    >>> scaled = scaled_runs(runs, survivors(runs, "above_10"), law=False)[0]
    >>> int(scaled.fates.feature), scaled.fates.own_survival.mean.tolist()
    (1, [1.0, 1.0])
    """
    if len(np.unique(runs.settings.get(FACTOR, []))) < 2:
        return []
    if not (features := scaled_features(runs)):
        raise UnusableDataError(
            "expected runs of one start to differ in one feature at their first step, the scaled one; "
            "none does, so that what scaling did is not known: keep the first step"
        )
    part = runs.window(float(runs.times[0, 0]), float(survivors.steps.max()))
    model = _law(part, family, coupling) if law else None
    at = spread_steps(part.steps.tolist(), STEPS_SHOWN)
    return [
        ScaledRuns(
            fates=perturbation(part, survivors.alive, k),
            response=None if model is None else law_response(part, model, k, at),
            law=f"{family}/{coupling}",
        )
        for k in features
    ]


def _law(runs: Trajectories, family: str, coupling: str) -> FittedModel:
    setting: dict[str, Any] = {FACTOR: PLAIN}
    plain = runs.select(**setting).thinned(MOST_STEPS)
    fitted: FittedModel = family_named(family)(coupling=coupling).fit(plain).model_
    return fitted
