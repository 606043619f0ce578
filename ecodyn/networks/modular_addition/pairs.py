"""The task: pairs of tokens of a grid, some to train on and the rest to test on."""

from __future__ import annotations

import math

import numpy as np

from ecodyn.networks.training.checks import check_number, check_whole

__all__ = ["check_fraction", "check_prime", "split_pairs", "tokens"]


def split_pairs(p: int, seed: int, fraction: float = 0.8) -> tuple[np.ndarray, np.ndarray]:
    """Choose the training pairs out of the p² of the grid, in the order in which the study draws them.

    Index i of the grid stands for a = i mod p, b = i div p. The draw equals ``np.random.seed(seed)`` followed
    by ``np.random.choice(p², int(p²·fraction), replace=False)``; the global random state is not touched.

    Parameters
    ----------
    p
        The modulus.
    seed
        Seed of the draw.
    fraction
        Share of the pairs that is trained on.

    Returns
    -------
    Indices of the training pairs, in the order drawn, and of the remaining pairs, ascending.

    Examples
    --------
    >>> train, test = split_pairs(5, seed=0)
    >>> len(train), test.tolist()
    (20, [0, 3, 12, 15, 21])
    """
    # NumPy's legacy generator on purpose: it is the one whose numbers the study's seeds stand for.
    generator = np.random.RandomState(seed)
    train = generator.choice(p * p, int(p * p * fraction), replace=False)
    return train, np.setdiff1d(np.arange(p * p), train)


def tokens(index: np.ndarray, p: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The tokens a and b of grid indices, and the label (a + b) mod p; each has the shape of ``index``."""
    a, b = index % p, index // p
    return a, b, (a + b) % p


def check_prime(p: int) -> None:
    """Raise a ValueError unless p is an odd prime."""
    check_whole("p", p, 3)
    divisor = next((n for n in range(2, math.isqrt(p) + 1) if p % n == 0), None)
    if divisor is not None:
        raise ValueError(
            f"p must be an odd prime, got {p} = {divisor} × {p // divisor}; "
            f"frequencies of other moduli are not equivalent, so they can't share a law"
        )


def check_fraction(fraction: float, p: int) -> None:
    """Raise a ValueError unless there are pairs to train on and pairs to test on."""
    check_number("train_fraction", fraction)
    if not (0 < fraction < 1) or int(p * p * fraction) == 0:
        raise ValueError(
            f"train_fraction must leave at least one of the {p * p} pairs to train on and one to test on, "
            f"got {fraction}"
        )
