"""Gradient descent of a batch of networks, with what is kept of it.

Examples
--------
>>> from ecodyn.training import MLP, train_batch
>>> record = train_batch(MLP(p=5, dim=2), seeds=[0, 1], kept=np.array([0, 2]))
>>> record.observables["signal"].shape, record.diverged.tolist()  # network, step, feature
((2, 2, 2), [-1, -1])
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from ecodyn.arrays import Integers
from ecodyn.networks.training.network import DTYPES, RATES, Batch, NetworkSettings
from ecodyn.runtime.processes import one_torch_thread

__all__ = ["Record", "denormals_flushed", "descend", "train_batch"]

ROWS_HELD = 64  # kept rows that stay on the device until they are fetched together


@dataclass(frozen=True, kw_only=True)
class Record:
    """What is kept of S trainings over T kept steps.

    Attributes
    ----------
    steps
        Kept steps, (T,); 0 is the initialisation.
    observables
        (S, T, K) each, "signal" first.
    curves
        (S, T) each.
    embedding
        Of the last step, (S, token, dimension), None where the features are not those of a matrix.
    diverged
        The kept step at which each network was first seen to be no longer finite, -1 for never, (S,).
    """

    steps: np.ndarray
    observables: dict[str, np.ndarray]
    curves: dict[str, np.ndarray]
    embedding: np.ndarray | None
    diverged: np.ndarray


def train_batch(
    network: NetworkSettings,
    seeds: Sequence[int],
    kept: Integers,
    *,
    dtype: str = "float64",
    device: str = "cpu",
    progress: Callable[[int], None] | None = None,
    visit: Callable[[int, Batch], None] | None = None,
) -> Record:
    """Train one network a seed, up to the last kept step.

    Parameters
    ----------
    network
        What is trained and how.
    seeds
        One network each.
    kept
        Steps whose observables and curves are kept, ascending from 0, (T,).
    dtype
        "float64" or "float32".
    device
        "cpu", "cuda" or "cuda:0".
    progress
        Called with each step reached.
    visit
        Called with each step and the batch at that step's parameters, such as to write a checkpoint.
    """
    with one_torch_thread(), denormals_flushed(wanted=dtype == "float32"), torch.no_grad():
        batch = network.draw(seeds, DTYPES[dtype], torch.device(device))
        keeper = _Keeper(network, kept)
        for step in descend(batch, network, int(kept[-1]), kept):
            if keeper.wants(step):
                keeper.keep(batch)
            if visit is not None:
                visit(step, batch)
            if progress is not None:
                progress(step)
            if keeper.all_diverged:
                break
        return keeper.record(batch)


def descend(batch: Batch, network: NetworkSettings, steps: int, kept: Integers | None = None) -> Iterator[int]:
    """Train a batch in place, full batch, and yield each step 0..steps.

    At each yield the batch holds that step's parameters and the gradients at them; its curves are those of the kept
    steps (default: all). The gradients of the last step are computed too.
    """
    measured = np.ones(steps + 1, bool) if kept is None else np.isin(np.arange(steps + 1), kept)
    network = network.over(max(steps, 1))
    optimiser = network.optimiser_of(batch.parameters)
    schedules = _schedules(network, optimiser, steps)
    batch.hold()
    for step in range(steps + 1):
        batch.backward(measure=bool(measured[step]))
        yield step
        if step < steps:
            for group, name, rates in schedules:
                group[name] = rates[step]
            optimiser.step()
            batch.hold()


def _schedules(
    network: NetworkSettings, optimiser: torch.optim.Optimizer, steps: int
) -> list[tuple[dict[str, Any], str, list[float]]]:
    """What varies of the optimiser: a group of its parameters, the name of a rate, and its values at updates 0..steps.

    Groups whose rates are multiples of the settings' keep them so.
    """
    stated = {short: getattr(network, name) for short, name in RATES.items()}
    return [
        (group, name, (values * (group[name] / stated[name])).tolist())
        for group in optimiser.param_groups
        for name, values in network.rates(steps).items()
    ]


class _Keeper:
    """Rows of what is kept, gathered on the device and fetched some at a time."""

    def __init__(self, network: NetworkSettings, kept: Integers) -> None:
        self.network, self.kept, self.row = network, kept, 0
        self.held: dict[str, torch.Tensor] = {}
        self.fetched: dict[str, np.ndarray] = {}
        self.curve_names: tuple[str, ...] = ()
        self.diverged = np.empty(0, np.int64)

    def wants(self, step: int) -> bool:
        return self.row < len(self.kept) and step == self.kept[self.row]

    @property
    def all_diverged(self) -> bool:
        return bool(len(self.diverged) and (self.diverged >= 0).all())

    def keep(self, batch: Batch) -> None:
        observables, curves = batch.observables(), batch.curves()
        if not self.held:
            _check_measured(self.network, observables, curves)
            self._allocate(observables | curves)
            self.curve_names = tuple(curves)
        for name, values in (observables | curves).items():
            self.held[name][:, self.row % ROWS_HELD] = values
        self.row += 1
        if self.row % ROWS_HELD == 0 or self.row == len(self.kept):
            self._fetch()

    def _allocate(self, rows: dict[str, torch.Tensor]) -> None:
        for name, row in rows.items():
            S, *K = row.shape
            self.held[name] = torch.empty((S, ROWS_HELD, *K), dtype=torch.float64, device=row.device)
            self.fetched[name] = np.full((S, len(self.kept), *K), np.nan)
        self.diverged = np.full(S, -1)

    def _fetch(self) -> None:
        count = (self.row - 1) % ROWS_HELD + 1
        rows = slice(self.row - count, self.row)
        bad = np.zeros((len(self.diverged), count), bool)
        for name, held in self.held.items():
            self.fetched[name][:, rows] = fresh = held[:, :count].cpu().numpy()
            bad |= ~np.isfinite(fresh).reshape(*bad.shape, -1).all(axis=2)
        new = bad.any(axis=1) & (self.diverged < 0)
        self.diverged[new] = self.kept[rows][bad[new].argmax(axis=1)]

    def record(self, batch: Batch) -> Record:
        embedding = batch.embedding()
        return Record(
            steps=self.kept,
            observables={name: array for name, array in self.fetched.items() if name not in self.curve_names},
            curves={name: self.fetched[name] for name in self.curve_names},
            embedding=None if embedding is None else embedding.to("cpu", torch.float64).numpy(),
            diverged=self.diverged,
        )


def _check_measured(
    network: NetworkSettings, observables: Mapping[str, torch.Tensor], curves: Mapping[str, torch.Tensor]
) -> None:
    """Raise a ValueError unless a batch keeps what its settings say, of each of their features."""
    kept, stated = [*observables, *curves], network.measured
    if sorted(kept) != sorted(stated) or "signal" not in observables:
        raise ValueError(
            f"{network.name} says that it measures {', '.join(stated)}, and its batch has {', '.join(kept)}; "
            "both have to be the same names, with signal among the observables"
        )
    if (width := observables["signal"].shape[-1]) != len(network.features):
        raise ValueError(f"{network.name} has {len(network.features)} features, and its batch the signals of {width}")


@contextmanager
def denormals_flushed(*, wanted: bool = True) -> Iterator[None]:
    """Numbers too small for a normal exponent count as zero in this thread, if wanted; then as before.

    In float32 these are those under 1.2·10⁻³⁸, which processors multiply many times slower than others. A softmax of
    logits more than 87 apart is full of them: a training with two circles took 3.5 times as long. What is lost of
    a probability is no more than that. In float64 logits would have to be 708 apart.
    """
    smallest = torch.full((1,), 1e-40, dtype=torch.float32)
    before = not bool((smallest * 1).any())
    if wanted:
        torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(before)
