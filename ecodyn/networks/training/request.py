"""What `train` was asked for, passed whole; and the plan that is written down for resuming it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property

from ecodyn.networks.training.checkpoints import Checkpoints
from ecodyn.networks.training.design import Design
from ecodyn.networks.training.machine import Machine
from ecodyn.runtime.provenance import versions

__all__ = ["Request"]


@dataclass(frozen=True)
class Request:
    """A population to train.

    Parameters
    ----------
    design : Design
        What is trained.
    machine : Machine
        On what, and in what.
    checkpoints : Checkpoints or None
        Where they go, None for nowhere.
    command : str or None
        The command line, for the provenance.
    """

    design: Design
    machine: Machine
    checkpoints: Checkpoints | None
    command: str | None

    @cached_property
    def _sizes(self) -> list[int]:
        """Networks side by side, for each of the networks."""
        seeds, runs = len(self.design.own_seeds), len(self.design.runs)
        return [self.machine.batch_size(network, seeds, runs) for network in self.design.networks]

    def batches(self, labels: Collection[int]) -> list[list[int]]:
        """Runs of these labels cut into batches, by label: no two kinds of network in one."""
        batches = []
        for n, size in enumerate(self._sizes):
            own = [run.label for run in self.design.runs if run.network == n and run.label in labels]
            batches += [own[i : i + size] for i in range(0, len(own), size)]
        return batches

    @property
    def shard(self) -> dict[str, object] | None:
        """Which share of the seeds this is, for the provenance, and of which training; None of all."""
        if self.design.share is None:
            return None
        # What all shares of one training have in common, and no other training has.
        common = {name: value for name, value in self.plan.items() if name not in ("runs", "batches", "shard")}
        common.pop("checkpoints")
        digest = hashlib.sha256(json.dumps(common, sort_keys=True, default=str).encode()).hexdigest()
        return {**vars(self.design.share), "of_seeds": len(self.design.seeds), "whole": digest}

    @cached_property
    def plan(self) -> dict[str, object]:
        """What is trained and in which batches, as JSON can hold it: equal plans give equal numbers."""
        design, machine, writer = self.design, self.machine, self.checkpoints
        written = None if writer is None else {"folder": str(writer.folder.resolve()), "every": int(writer.every)}
        return {
            "runs": len(design.runs),
            "networks": [network.described() for network in design.networks],
            "seeds": list(design.seeds),
            "steps": int(design.steps),
            "schedule": {"dense": int(design.keep.dense), "every": int(design.keep.every)},
            "dtype": machine.dtype,
            "device": machine.device,
            "versions": versions("torch", "numpy"),
            "checkpoints": written,
            **({} if design.share is None else {"shard": vars(design.share)}),
            "batches": self.batches({run.label for run in design.runs}),
        }
