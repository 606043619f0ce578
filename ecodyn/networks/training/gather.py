"""What the finished batches of a population are together: one Trajectories, with its provenance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ecodyn.networks.training.descent import Record
from ecodyn.networks.training.grids import varied_settings
from ecodyn.networks.training.network import NetworkSettings
from ecodyn.networks.training.partial import PartialFolder
from ecodyn.runtime.provenance import clusters
from ecodyn.trajectories import Trajectories

__all__ = ["Population", "Run"]


@dataclass(frozen=True)
class Run:
    """One training: its label, which of the networks, and its seed."""

    label: int
    network: int
    seed: int


@dataclass(frozen=True)
class Population:
    """Networks under seeds, in batches whose records are in a folder."""

    cells: Sequence[NetworkSettings]
    plan: dict[str, Any]
    command: str | None
    store: PartialFolder
    runs: Sequence[Run]

    @property
    def groups(self) -> list[tuple[Run, ...]]:
        """The runs of each batch."""
        by_label = {run.label: run for run in self.runs}
        return [tuple(by_label[label] for label in labels) for labels in self.store.batches]

    def gathered(self) -> tuple[Trajectories | None, dict[Any, str]]:
        """Trajectories of the finished runs, None if there are none; and why others diverged, by label."""
        parts: list[tuple[Run, Record, int]] = []
        diverged: dict[Any, str] = {}
        for i, group in enumerate(self.groups):
            if not group or not self.store.file(i).exists():
                continue
            record = self.store.read(i)
            for row, run in enumerate(group):
                if record.diverged[row] < 0:
                    parts.append((run, record, row))
                else:
                    step = record.diverged[row]
                    diverged[run.label] = f"no longer finite at step {step} (lower the learning rate)"
        order = {run.label: place for place, run in enumerate(self.runs)}
        parts.sort(key=lambda part: order[part[0].label])
        return (self._together(parts) if parts else None), diverged

    def _together(self, parts: list[tuple[Run, Record, int]]) -> Trajectories:
        runs = [run for run, _, _ in parts]
        first = parts[0][1]
        observables = {name: np.stack([rec.observables[name][i] for _, rec, i in parts]) for name in first.observables}
        curves = {name: np.stack([rec.curves[name][i] for _, rec, i in parts]) for name in first.curves}
        keys = [self.cells[run.network].initialisation(run.seed) for run in runs]
        same_start = len(runs) > 1 and len(set(keys)) == 1
        return Trajectories(
            observables.pop("signal"),
            first.steps,
            features=self.cells[0].features,
            runs=[run.label for run in runs],
            labels_shared=same_start or self._same_labels(),
            provenance=self._provenance([run.seed for run in runs]),
            observables=observables,
            dc=curves.pop("dc", None),
            curves=curves,
            embedding=[rec.embedding[i] for _, rec, i in parts if rec.embedding is not None] or None,
            cluster=clusters(keys, [run.label for run in runs]),
            settings=self._settings(runs),
        )

    def _same_labels(self) -> bool:
        """Whether feature k is the same in all networks, whatever their initialisation."""
        meanings = {cell.labels for cell in self.cells}
        return len(meanings) == 1 and None not in meanings

    def _settings(self, runs: Sequence[Run]) -> dict[str, list[Any]]:
        columns = varied_settings(self.cells)
        if self.cells[0].varied().get("dim"):
            columns = {"dim": [cell.varied()["dim"] for cell in self.cells]} | columns
        per_run = {name: [values[run.network] for run in runs] for name, values in columns.items()}
        return per_run | ({"seed": [run.seed for run in runs]} if len(self.cells) > 1 else {})

    def _provenance(self, seeds: list[int]) -> dict[str, Any]:
        """The settings that all share by name; those that vary are settings of the runs."""
        varied = set(varied_settings(self.cells))
        tables = self.plan["networks"]
        common = {name: value for name, value in tables[0].items() if all(t.get(name) == value for t in tables)}
        return {
            "command": self.command,
            "versions": self.plan["versions"],
            "seeds": list(dict.fromkeys(seeds)),
            **common,
            **({"varied": sorted(varied), "networks": tables} if len(tables) > 1 else {}),
            **{name: self.plan[name] for name in ("dtype", "device", "steps", "schedule")},
        }
