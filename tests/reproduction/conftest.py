"""A scale at which the whole set takes seconds; what survives at it means nothing."""

import dataclasses
import warnings

import pytest

from ecodyn.reproduction import SCALES, reproduce

TINY = dataclasses.replace(
    SCALES["small"],
    name="tiny",
    p=11,
    dim=8,
    width=16,
    steps=40,
    final=80,
    laws=40,
    plain=3,
    plain_steps=40,
    finished=2,
    finished_decays=(0.1,),
    finished_decay_seeds=1,
    dims=(4, 8),
    dim_seeds=2,
    frozen_dims=(4, 6, 8),
    frozen_seeds=2,
    frozen_steps=(20, 40),
    primes=(11, 13),
    prime_seeds=2,
    decays=(0.01, 0.5),
    decay_seeds=2,
    decay_steps=40,
    embeddings=3,
    trainings=2,
    scaled_k=3,
    factors=(0.8, 1.2),
    scaled_embeddings=2,
    scaled_trainings=1,
    log_ratios=(-1.0, 0.0),
    planted=2,
    kept_seeds=2,
    kept_steps=20,
    together_seeds=2,
    together_steps=20,
    law_dims=(4, 8),
    law_seeds=2,
)


@pytest.fixture(scope="session")
def tiny():
    return TINY


@pytest.fixture(scope="session")
def tiny_set(tmp_path_factory):
    """The whole set at the tiny scale: its folder and what was found."""
    folder = tmp_path_factory.mktemp("reproduction")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # short trainings of small networks look odd, and the laws fitted to them
        return folder, reproduce(folder, TINY)
