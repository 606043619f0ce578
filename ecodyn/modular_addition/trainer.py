"""Train one of the study's networks and keep its spectra while it trains."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import cast

import numpy as np
import torch

from ecodyn.modular_addition.fourier import spectrum
from ecodyn.modular_addition.network import Network, initialise, split_pairs, tokens

DTYPES = {"float64": torch.float64, "float32": torch.float32}
LARGEST_SEED = 2**32 - 1  # of NumPy's legacy generator, which chooses the training pairs

Progress = Callable[[int, int], None]
"""Called with a seed and the step it has reached."""


@dataclass(frozen=True)
class Schedule:
    """Which steps are kept: every one up to ``dense``, then every ``every``-th, and always the last.

    Args:
        dense: The step up to which all are kept.
        every: Interval after that, counted from ``dense``. 1 keeps all.
    """

    dense: int = 0
    every: int = 1

    def __post_init__(self) -> None:
        check_whole("dense", self.dense, 0)
        check_whole("every", self.every, 1)

    def steps(self, last: int) -> np.ndarray:
        """The kept ones of the steps 0..last, ascending."""
        steps = np.arange(last + 1)
        kept = (steps <= self.dense) | ((steps - self.dense) % self.every == 0) | (steps == last)
        return steps[kept]


@dataclass(frozen=True)
class Settings:
    """What is trained and how; the defaults are the study's, but for ``steps`` (there 30 000).

    Args:
        p: The modulus, an odd prime.
        dim: Embedding dimension d.
        steps: Number of updates; step t holds the parameters after t of them.
        width: Units in each of the two hidden layers.
        learning_rate: AdamW's step size η.
        weight_decay: AdamW's λ; a parameter shrinks by ηλ of itself in a step.
        train_fraction: Share of the p² pairs that is trained on.
        dtype: "float64" or "float32"; the initialisation is drawn in float64 and then rounded.
        device: "cpu", "cuda" or "cuda:0".
        keep: The steps whose spectra are kept.

    Raises:
        ValueError: A setting that nothing can be trained with.
    """

    p: int = 59
    dim: int = 128
    steps: int = 1000
    width: int = 100
    learning_rate: float = 0.01
    weight_decay: float = 0.5
    train_fraction: float = 0.8
    dtype: str = "float64"
    device: str = "cpu"
    keep: Schedule = field(default_factory=Schedule)

    def __post_init__(self) -> None:
        _check_prime(self.p)
        check_whole("dim", self.dim, 1)
        check_whole("steps", self.steps, 1)
        check_whole("width", self.width, 1)
        _check_rate("learning_rate", self.learning_rate, zero_allowed=False)
        _check_rate("weight_decay", self.weight_decay, zero_allowed=True)
        _check_fraction(self.train_fraction, self.p)
        _check_dtype(self.dtype)
        _check_device(self.device)


@dataclass(frozen=True)
class Training:
    """The spectra of one run: T kept steps, K = (p-1)/2 frequencies.

    Attributes:
        seed: Seed of the network and, unless another was given, of the split.
        steps: Kept steps, (T,); 0 is the initialisation.
        signal: Spectrum norm of the embedding, (T, K).
        gradient: Spectrum norm of the loss gradient at that step's parameters, (T, K).
        dc: Spectrum norm of the embedding at frequency 0, (T,).
    """

    seed: int
    steps: np.ndarray
    signal: np.ndarray
    gradient: np.ndarray
    dc: np.ndarray


def train(
    p: int = 59,
    dim: int = 128,
    seed: int = 0,
    steps: int = 1000,
    *,
    split_seed: int | None = None,
    width: int = 100,
    learning_rate: float = 0.01,
    weight_decay: float = 0.5,
    train_fraction: float = 0.8,
    dtype: str = "float64",
    device: str = "cpu",
    keep: Schedule | None = None,
    progress: Progress | None = None,
) -> Training:
    """Train one network of the study (arXiv 2405.17420) on a + b mod p, full batch, on one CPU thread.

    Args:
        p, dim, steps, width, learning_rate, weight_decay, train_fraction, dtype, device: See `Settings`.
        seed: Seed of the network, 0..2³² − 1.
        split_seed: Seed of the choice of training pairs. Default: ``seed``, as in the study.
        keep: The steps whose spectra are kept. Default: all.
        progress: Called with the seed and the step reached.

    Raises:
        ValueError: A setting that nothing can be trained with.
        FloatingPointError: The training left the finite numbers.
    """
    settings = Settings(
        p, dim, steps, width, learning_rate, weight_decay, train_fraction, dtype, device, keep or Schedule()
    )
    check_seed(seed)
    if split_seed is not None:
        check_seed(split_seed)
    return train_with(settings, seed, split_seed=split_seed, progress=progress)


def train_with(
    settings: Settings, seed: int, *, split_seed: int | None = None, progress: Progress | None = None
) -> Training:
    """`train`, with settings and seeds that were checked already."""
    network = initialise(settings.p, settings.dim, seed, width=settings.width)
    network = network.to(settings.device, DTYPES[settings.dtype])
    pairs, _ = split_pairs(settings.p, seed if split_seed is None else split_seed, settings.train_fraction)
    kept = settings.keep.steps(settings.steps)
    signal = np.empty((len(kept), (settings.p + 1) // 2))
    gradient = np.empty_like(signal)
    row = 0
    with _one_thread():
        for step, embedding, slope in descend(network, pairs, settings):
            if step == kept[row]:
                signal[row] = spectrum(embedding).cpu()
                gradient[row] = spectrum(slope).cpu()
                _check_finite(signal[row], gradient[row], seed, step)
                row += 1
            if progress is not None:
                progress(seed, step)
    return Training(seed, kept, signal[:, 1:], gradient[:, 1:], signal[:, 0])


def descend(
    network: Network, pairs: np.ndarray, settings: Settings
) -> Iterator[tuple[int, torch.Tensor, torch.Tensor]]:
    """Train a network in place, full batch, by AdamW on the cross-entropy of the training pairs.

    Yields the step, and at that step's parameters the embedding E and the loss gradient ∂L/∂E, both (p, dim):
    at step 0 before any update, at the last step after the last one. What is yielded is not written to again.

    Args:
        network: The network, on the device and in the dtype to train in.
        pairs: Indices of the training pairs in the p×p grid.
        settings: ``p``, ``steps``, ``learning_rate``, ``weight_decay`` and ``device`` are used.
    """
    a, b, labels = (torch.from_numpy(index).to(settings.device) for index in tokens(pairs, settings.p))
    optimiser = torch.optim.AdamW(
        network.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay, foreach=False
    )
    for step in range(settings.steps + 1):
        optimiser.zero_grad()  # sets gradients to None: the next ones are new tensors
        torch.nn.functional.cross_entropy(network(a, b), labels).backward()
        # A copy, since the optimiser writes into the embedding: without it, a kept frame is an update late.
        yield step, network.embedding.detach().clone(), cast(torch.Tensor, network.embedding.grad)
        if step < settings.steps:
            optimiser.step()


@contextmanager
def _one_thread() -> Iterator[None]:
    """One thread of torch's, for networks so small that several only wait for each other; then as before."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def check_seed(seed: int) -> None:
    """Raise a ValueError unless ``seed`` is a seed for NumPy's legacy generator and torch's."""
    check_whole("seed", seed, 0)
    if seed > LARGEST_SEED:
        raise ValueError(f"seed must be at most {LARGEST_SEED}, got {seed}")


def check_whole(name: str, value: int, least: int) -> None:
    """Raise a ValueError unless ``value`` is a whole number of at least ``least``."""
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not whole or value < least:
        raise ValueError(f"{name} must be a whole number of at least {least}, got {value!r}")


def _check_prime(p: int) -> None:
    check_whole("p", p, 3)
    divisor = next((n for n in range(2, math.isqrt(p) + 1) if p % n == 0), None)
    if divisor is not None:
        raise ValueError(
            f"p must be an odd prime, got {p} = {divisor} × {p // divisor}; "
            f"frequencies of other moduli are not equivalent, so they can't share a law"
        )


def _check_rate(name: str, value: float, *, zero_allowed: bool) -> None:
    if not math.isfinite(value) or value < 0 or (value == 0 and not zero_allowed):
        raise ValueError(f"{name} must be finite and {'not negative' if zero_allowed else 'positive'}, got {value}")


def _check_fraction(fraction: float, p: int) -> None:
    if not (0 < fraction < 1) or int(p * p * fraction) == 0:
        raise ValueError(
            f"train_fraction must leave at least one of the {p * p} pairs to train on and one to test on, "
            f"got {fraction}"
        )


def _check_dtype(dtype: str) -> None:
    if dtype not in DTYPES:
        raise ValueError(f"dtype must be one of {', '.join(DTYPES)}, got {dtype!r}")


def _check_device(name: str) -> None:
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise ValueError(f"device must be cpu, cuda or cuda:0, got {name!r}") from error
    if device.type == "cpu":
        return
    if device.type != "cuda":
        raise ValueError(f"device must be cpu or cuda, got {name!r}")
    present = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if (device.index or 0) >= present:
        raise ValueError(f"device {name!r} asked for, but torch sees {present} CUDA devices; use device='cpu'")


def _check_finite(signal: np.ndarray, gradient: np.ndarray, seed: int, step: int) -> None:
    if not (np.isfinite(signal).all() and np.isfinite(gradient).all()):
        raise FloatingPointError(
            f"seed {seed}: the spectrum is no longer finite at step {step}; lower the learning rate"
        )
