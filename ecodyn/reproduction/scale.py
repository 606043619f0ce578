"""How much of the study is done: the study's own counts, or as much as two cores do in 40 minutes."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["FULL", "SCALES", "SMALL", "Scale"]


@dataclass(frozen=True)
class Scale:
    """Counts and lengths of the trainings of each experiment; names of rows as in `ecodyn.reproduction.EXPERIMENTS`.

    Attributes
    ----------
    name
        As ``--scale`` has it.
    p, dim, width
        The study's network, where an experiment doesn't vary it.
    steps
        Length of a training, where survivors are read off its end.
    final
        Length of the trainings that count as finished.
    dtype
        Of trainings; those to ``final`` are in float64.
    plain, plain_steps
        Seeds of the study's plain training, every step kept up to ``laws``, and its length.
    laws
        Steps that equations are fitted to.
    finished
        Seeds of the study's training that are trained to ``final``.
    finished_decays, finished_decay_seeds
        Other weight decays trained to ``final``, and trainings of each.
    dims, dim_seeds
        Embedding dimensions of the count of circles, and trainings of each.
    frozen_dims, frozen_seeds, frozen_steps
        Embedding dimensions of frozen embeddings, trainings of each, and the
        steps at which their test loss is read.
    primes, prime_seeds
        Moduli, and trainings of each.
    decays, decay_seeds, decay_steps
        Weight decays, trainings of each and their length.
    embeddings, trainings
        Embeddings, and trainings from each of them.
    scaled_k, factors, scaled_embeddings, scaled_trainings
        The frequency that is scaled at the start, by what, in
        how many embeddings, and trainings of each.
    log_ratios, planted
        Logarithms of the second planted wave's signal over the first's, and trainings of each.
    kept_seeds, kept_steps
        Trainings of each set of frequencies kept, and their length.
    together_seeds, together_steps
        Trainings whose loss is read with only some circles kept, and their length.
    law_dims, law_seeds
        Embedding dimensions that linear equations are fitted at, and trainings of each.
    """

    name: str
    steps: int
    final: int
    plain: int
    plain_steps: int
    finished: int
    finished_decays: tuple[float, ...]
    finished_decay_seeds: int
    dims: tuple[int, ...]
    dim_seeds: int
    frozen_dims: tuple[int, ...]
    frozen_seeds: int
    frozen_steps: tuple[int, ...]
    primes: tuple[int, ...]
    prime_seeds: int
    decays: tuple[float, ...]
    decay_seeds: int
    decay_steps: int
    embeddings: int
    trainings: int
    factors: tuple[float, ...]
    scaled_embeddings: int
    scaled_trainings: int
    log_ratios: tuple[float, ...]
    planted: int
    kept_seeds: int
    kept_steps: int
    together_seeds: int
    together_steps: int
    law_dims: tuple[int, ...]
    law_seeds: int
    scaled_k: int = 25
    laws: int = 1000
    p: int = 59
    dim: int = 128
    width: int = 100
    dtype: str = "float32"
    device: str = field(default="cpu", compare=False)


STUDY_DECAYS = (
    0.00215, 0.003, 0.004, 0.0054, 0.0074, 0.01, 0.014, 0.019, 0.026, 0.036, 0.05, 0.07, 0.1, 0.14, 0.19, 0.26, 0.36,
    0.5, 0.7, 0.9, 1.1, 1.5,
)  # fmt: skip  # the ten that the study's figure names, and between them what makes 22

STUDY_PRIMES = (
    13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103, 107, 109, 113, 127,
)  # fmt: skip  # all of that range, since it isn't known which 23 of these 26 the study took

SMALL = Scale(
    name="small",
    steps=1000,
    final=30_000,
    plain=16,
    plain_steps=2000,
    finished=3,
    finished_decays=(),
    finished_decay_seeds=0,
    dims=(16, 24, 32, 48, 64, 96, 128),
    dim_seeds=8,
    frozen_dims=(16, 32, 48, 56, 64, 80, 104, 128),
    frozen_seeds=5,
    frozen_steps=(500, 1000),
    primes=(13, 23, 37, 59, 83, 107),
    prime_seeds=5,
    # The study's under 0.1, at equal weight decay × steps, and two of its strong ones.
    decays=(0.03225, 0.045, 0.06, 0.081, 0.111, 0.15, 0.5, 1.5),
    decay_seeds=5,
    decay_steps=2000,
    embeddings=8,
    trainings=8,
    factors=(0.85, 0.95, 1.05, 1.15),
    scaled_embeddings=8,
    scaled_trainings=2,
    log_ratios=(-4.0, -2.0, -1.0, -0.5, -0.2, 0.0),
    planted=8,
    kept_seeds=3,
    kept_steps=2000,
    together_seeds=3,
    together_steps=2000,
    law_dims=(4, 8, 16, 32, 64, 95),
    law_seeds=4,
)

FULL = Scale(
    name="full",
    steps=30_000,
    final=30_000,
    plain=50,
    plain_steps=30_000,
    finished=50,
    finished_decays=(0.01,),
    finished_decay_seeds=10,
    dims=tuple(range(16, 129)),
    dim_seeds=50,
    frozen_dims=tuple(range(16, 129)),
    frozen_seeds=5,
    frozen_steps=(500, 1000, 5000, 10_000),
    primes=STUDY_PRIMES,
    prime_seeds=100,
    decays=STUDY_DECAYS,
    decay_seeds=50,
    decay_steps=30_000,
    embeddings=10,
    trainings=50,
    factors=(0.85, 0.9, 0.95, 0.975, 1.025, 1.05, 1.1, 1.15),
    scaled_embeddings=50,
    scaled_trainings=50,
    log_ratios=tuple(round(-4 + 4 * i / 15, 6) for i in range(16)),
    planted=100,
    kept_seeds=20,
    kept_steps=30_000,
    together_seeds=8,
    together_steps=30_000,
    law_dims=tuple(range(4, 96)),
    law_seeds=10,
    dtype="float64",
)

SCALES = {scale.name: scale for scale in (SMALL, FULL)}
