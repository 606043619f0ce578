"""What a population consists of: every network of a grid under every seed, for so many steps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ecodyn.arrays import Integers
from ecodyn.networks.training.checks import check_seed, check_whole
from ecodyn.networks.training.network import NetworkSettings
from ecodyn.networks.training.schedule import Schedule
from ecodyn.runtime.processes import physical_memory
from ecodyn.runtime.shares import Share
from ecodyn.trajectories.parts import some

__all__ = ["Design", "Run", "check_memory"]

KEPT_BYTES = 8  # of a kept number, which is float64 whatever is trained in
COPIES = 2  # of all that is kept, while the batches' records are put together


@dataclass(frozen=True)
class Run:
    """One training: its label, which of the networks, and its seed."""

    label: int
    network: int
    seed: int


@dataclass(frozen=True, kw_only=True)
class Design:
    """Every network under every seed.

    Parameters
    ----------
    networks : tuple of NetworkSettings
        They differ, and share features, observables and curves.
    seeds : tuple of int
        One run of each network for each.
    steps : int
        Number of updates.
    keep : Schedule
        Which of the steps 0..steps are kept.
    share : Share or None
        Which of the seeds are trained here; None for all. Runs are named as if all were.

    Raises
    ------
    ValueError
        Nothing can be trained so, or one file can't hold it, or this machine's memory.
    """

    networks: tuple[NetworkSettings, ...]
    seeds: tuple[int, ...]
    steps: int
    keep: Schedule
    share: Share | None = None

    @classmethod
    def of(
        cls,
        networks: NetworkSettings | Sequence[NetworkSettings],
        seeds: Sequence[int],
        steps: int,
        keep: Schedule | None,
        share: Share | None = None,
    ) -> Design:
        """The design that `train` is asked for: one network or several, and by default every step kept."""
        several = (networks,) if isinstance(networks, NetworkSettings) else tuple(networks)
        if not isinstance(seeds, Iterable):
            raise ValueError(f"seeds must be several, such as range(16) or [3], got {seeds!r}")
        return cls(networks=several, seeds=tuple(seeds), steps=steps, keep=keep or Schedule(), share=share)

    def __post_init__(self) -> None:
        check_whole("steps", self.steps, 1)
        _check_seeds(self.seeds)
        object.__setattr__(self, "seeds", tuple(map(int, self.seeds)))
        object.__setattr__(self, "networks", tuple(network.over(self.steps) for network in self.networks))
        _check_networks(self.networks)
        check_memory(self.networks, len(self.own_seeds), self.steps, self.keep)

    @cached_property
    def own_seeds(self) -> tuple[int, ...]:
        """Those that are trained here."""
        return self.seeds if self.share is None else tuple(self.share.taken(self.seeds))

    @cached_property
    def runs(self) -> tuple[Run, ...]:
        """Those that are trained here."""
        own = set(self.own_seeds)
        return tuple(run for run in self.all_runs if run.seed in own)

    @cached_property
    def all_runs(self) -> tuple[Run, ...]:
        """One a network and seed, the seed varying fastest; named by the seed, in a grid by 0, 1, ..."""
        pairs = [(n, seed) for n in range(len(self.networks)) for seed in self.seeds]
        many = len(self.networks) > 1
        return tuple(Run(place if many else seed, n, seed) for place, (n, seed) in enumerate(pairs))

    @property
    def kept(self) -> Integers:
        """The kept steps, (T,)."""
        return self.keep.steps(self.steps)


def check_memory(networks: Sequence[NetworkSettings], seeds: int, steps: int, keep: Schedule) -> None:
    """What is kept of all runs is in memory at the end, twice while it is put together.

    Raises
    ------
    ValueError
        This machine has less memory.
    """
    rows = keep.count(steps)
    row = KEPT_BYTES * sum(len(network.features) * len(network.measured) for network in networks) * seeds
    if (needed := COPIES * rows * row) > (present := physical_memory()):
        raise ValueError(
            f"{rows} kept steps of {len(networks) * seeds} runs take {needed / 2**30:.3g} GiB, this machine has "
            f"{present / 2**30:.3g}; keep fewer with Schedule(dense, every) (--dense, --every), or train fewer at once"
        )


def _check_seeds(seeds: Sequence[int]) -> None:
    for seed in seeds:
        check_seed(seed)
    if not seeds:
        raise ValueError("seeds must name at least one run, got none")
    twice = sorted(seed for seed, count in Counter(seeds).items() if count > 1)
    if twice:
        raise ValueError(f"seeds must differ, since equal seeds give equal runs; given more than once: {some(twice)}")


def _check_networks(networks: Sequence[NetworkSettings]) -> None:
    if not networks:
        raise ValueError("networks must name at least one, got none")
    features = networks[0].features
    different = [network for network in networks if not np.array_equal(network.features, features)]
    if different:
        raise ValueError(
            f"one file holds features of one kind, got {len(features)} and {len(different[0].features)} of "
            "them in one grid (such as those of different p); train one population for each"
        )
    measured = {network.measured for network in networks}
    if len(measured) > 1:
        raise ValueError(
            "one file holds the same observables and curves of all runs, got networks that keep "
            f"{' and '.join(', '.join(names) for names in sorted(measured))}; train one population for each"
        )
    texts = [repr(network) for network in networks]
    if len(set(texts)) < len(texts):
        raise ValueError(f"networks must differ from each other, got twice: {max(texts, key=texts.count)}")
