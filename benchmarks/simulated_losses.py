"""Losses (run, model) whose expectations are known: drawn directly, or held out of fits that share training runs."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.polynomial import legendre
from numpy.random import Generator

from ecodyn.arrays import Array
from ecodyn.comparison.candidate import Candidate
from ecodyn.equations.library import EXCHANGEABLE
from ecodyn.families.model_name import NULL, ModelName

Scatter = Callable[[Generator, int, int], Array]

BEST_LOSS, NULL_LOSS = -3.0, 0.0  # e⁻³ = 5 % unexplained is about what the shipped trainings leave; a null all
MODEL = "model_"

# ------------------------------------------------------------------------------------ scatter of equal models


def normal(rng: Generator, runs: int, models: int) -> Array:
    return rng.normal(size=(runs, models))


def heavy_tails(rng: Generator, runs: int, models: int) -> Array:
    """Student's t with 3 degrees of freedom, scaled to variance 1."""
    return rng.standard_t(3, size=(runs, models)) / math.sqrt(3.0)


def failing(rng: Generator, runs: int, models: int) -> Array:
    """A lognormal (skewness 6.2), centred and scaled to variance 1: a model that fails badly in a few runs."""
    return (rng.lognormal(size=(runs, models)) - math.exp(0.5)) / math.sqrt((math.e - 1) * math.e)


def every_second_fails(rng: Generator, runs: int, models: int) -> Array:
    """Skewed for models 1, 3, …, normal for the others: differences are not symmetric."""
    return np.where(np.arange(models) % 2, failing(rng, runs, models), normal(rng, runs, models))


def variance_by_run(rng: Generator, runs: int, models: int) -> Array:
    """Standard deviations e^N(0, 1) that a run's losses share."""
    return rng.lognormal(size=(runs, 1)) * rng.normal(size=(runs, models))


def variance_by_model(rng: Generator, runs: int, models: int) -> Array:
    """Standard deviations from 1 for the first model to 4 for the last."""
    return np.linspace(1.0, 4.0, models) * rng.normal(size=(runs, models))


def correlated(rng: Generator, runs: int, models: int) -> Array:
    """A large effect of the run, and one that only every second model has: those are alike."""
    run, group = 2.0 * rng.normal(size=(runs, 1)), rng.normal(size=(runs, 1)) * (np.arange(models) % 2)
    return run + group + rng.normal(size=(runs, models))


SCATTERS: dict[str, Scatter] = {
    "normal": normal,
    "heavy tails": heavy_tails,
    "skewed": every_second_fails,
    "variance by run": variance_by_run,
    "variance by model": variance_by_model,
    "correlated": correlated,
}


def clustered(rng: Generator, clusters: int, models: int, size: int = 4) -> Array:
    """(cluster, run, model): runs of a cluster share half of the variance of each model's loss."""
    return rng.normal(size=(clusters, 1, models)) + rng.normal(size=(clusters, size, models))


# ---------------------------------------------------------------------------------------------- candidates


def candidates(losses: Array, noise_share: float = 0.0) -> list[Candidate]:
    """Families from the simplest to the most complex, a column of losses each, and a null that all of them beat.

    ``noise_share`` is how much of what the best leaves in all was measurement noise that has been taken off.
    """
    noise = math.exp(BEST_LOSS) * noise_share / (1.0 - noise_share)
    families = [
        Candidate(
            name=model(i),
            losses=column,
            skills=1 - np.exp(column),
            library_size=3 + i,
            gross_losses=np.log(np.exp(column) + noise),
        )
        for i, column in enumerate(losses.T)
    ]
    nothing = np.full(len(losses), NULL_LOSS)
    null = ModelName.reference("persistence", NULL)
    return [*families, Candidate(name=null, losses=nothing, skills=1 - np.exp(nothing), library_size=0)]


def model(column: int) -> ModelName:
    """The name of the family whose losses are in a column; ``column_of`` is the inverse."""
    return ModelName(f"{MODEL}{column}", EXCHANGEABLE)


def column_of(name: ModelName) -> int:
    """Which column of the losses a family's are."""
    return int(name.family.removeprefix(MODEL))


# ---------------------------------------------------------------------------- folds that share training runs

LAW = np.array([0.0, 1.0, -0.5, 0.7])  # of degree 3, in Legendre polynomials
POINTS, NOISE = 10, 0.3  # of a run


def held_out_losses(
    rng: Generator, repetitions: int, runs: int, folds: int, degrees: tuple[int, ...]
) -> dict[int, Array]:
    """log mean squared error (repetition, run) of polynomials fitted to the other folds' runs, by degree.

    y = f(x) + 0.3 ε with f of degree 3 and 10 points x ~ U(−1, 1) a run; all degrees are fitted to the same data.
    """
    x = rng.uniform(-1, 1, size=(repetitions, runs, POINTS))
    y = legendre.legval(x, LAW) + NOISE * rng.normal(size=x.shape)
    return {degree: held_out(x, y, folds, degree) for degree in degrees}


def held_out(x: Array, y: Array, folds: int, degree: int) -> Array:
    """log mean squared error of each run (repetition, run) by the fit to the runs of all other folds, r mod F each."""
    basis = legendre.legvander(x, degree)
    gram = np.einsum("nrpi,nrpj->nrij", basis, basis)
    moment = np.einsum("nrpi,nrp->nri", basis, y)
    fold = np.arange(x.shape[1]) % folds
    out = np.empty(x.shape[:2])
    for f in range(folds):
        training, held = fold != f, fold == f
        coefficients = np.linalg.solve(gram[:, training].sum(axis=1), moment[:, training].sum(axis=1)[..., None])
        residual = y[:, held] - np.einsum("nrpi,ni->nrp", basis[:, held], coefficients[..., 0])
        out[:, held] = np.log(np.mean(residual**2, axis=2))
    return out
