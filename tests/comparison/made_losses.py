"""Candidates with losses that were made, and a set of them for each branch of the rule."""

import math
from dataclasses import replace

import numpy as np

from ecodyn.comparison.candidate import Candidate
from ecodyn.comparison.verdict import MARGIN
from ecodyn.families import REGISTRY
from ecodyn.families.model_name import ModelName
from ecodyn.rollouts.skill import WORST_UNEXPLAINED

RUNS = 16
LOG_MARGIN = math.log1p(MARGIN)  # in units of the losses


def noise(seed, runs=RUNS, size=0.02):
    """Scatter of mean zero and a given standard deviation."""
    values = np.random.default_rng(seed).normal(size=runs)
    return size * (values - values.mean()) / values.std(ddof=1)


def effect(runs=RUNS):
    """What all models share in a run."""
    return np.random.default_rng(99).normal(-3, 0.3, runs)


def model(family, coupling="exchangeable", above=0.0, *, seed=None, size=0.02, runs=RUNS, kind="family", **more):
    """A candidate whose loss lies ``above`` −3 on average, with scatter of its own, but where it diverged."""
    own = noise(seed, runs, size) if seed is not None else 0.0
    losses = effect(runs) + above + own
    diverged = more.get("diverged", 0)
    losses[:diverged] = math.log(WORST_UNEXPLAINED)  # the first runs are those on which it diverged
    dynamics = None if coupling is None else more.pop("dynamics", "flow")
    return Candidate(
        name=ModelName(family, coupling, dynamics=dynamics, kind=kind),
        losses=losses,
        skills=np.where(np.arange(runs) < diverged, np.nan, 1 - np.exp(losses)),
        library_size=more.pop("library_size", 3),
        simplicity_rank=REGISTRY[family].simplicity if family in REGISTRY else 10,
        universal=family in REGISTRY and REGISTRY[family].universal,
        title=REGISTRY[family].title if family in REGISTRY else "",
        **more,
    )


def renamed(candidate, **parts):
    """The same candidate under another name."""
    return replace(candidate, name=replace(candidate.name, **parts))


def null(above=3.0, name="persistence", seed=50, **more):
    return model(name, None, above, seed=seed, kind="null", library_size=0, **more)


def named(family, coupling="exchangeable", **parts):
    return ModelName(family, coupling, **parts)


def decided():
    return [
        model("linear", seed=1),
        model("lotka_volterra", above=1.0, seed=2),
        model("sindy", above=1.5, seed=3, library_size=14),
        null(),
    ]


def tied():
    return [
        model("linear", above=0.01, seed=1),
        model("lotka_volterra", above=1.0, seed=2),
        model("sindy", seed=3, library_size=14),
        null(),
    ]


def undecided():
    return [
        model("linear", seed=1, size=0.3),
        model("lotka_volterra", above=0.05, seed=2, size=0.3),
        model("sindy", above=2.0, seed=3, library_size=14),
        null(),
    ]


def hopeless():
    return [
        model("linear", above=3.0, seed=1, size=0.3),
        model("lotka_volterra", above=5.0, seed=2),
        null(),
    ]


def too_few():
    return [
        model("linear", seed=1, runs=4),
        model("lotka_volterra", above=3.0, seed=2, runs=4),
        null(above=6.0, runs=4),
    ]


def all_diverged():
    return [model("linear", seed=1, diverged=16), model("lotka_volterra", seed=2, diverged=16), null()]


def with_neural():
    return [*decided(), model("neural_ode", above=0.5, seed=4, library_size=900)]


BRANCHES = {
    "decided": decided,
    "tied": tied,
    "undecided": undecided,
    "no_family": hopeless,
    "too few": too_few,
    "all diverged": all_diverged,
    "neural": with_neural,
}
