"""What the finished batches of a population are together: one Trajectories, with its provenance."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ecodyn.networks.training.descent import Record
from ecodyn.networks.training.design import Design, Run
from ecodyn.networks.training.grids import varied_settings
from ecodyn.networks.training.partial import PartialFolder
from ecodyn.networks.training.recorded_rates import rate_inputs
from ecodyn.networks.training.request import Request
from ecodyn.runtime.provenance import clusters
from ecodyn.trajectories import Input, Trajectories

__all__ = ["Population"]


class _Finished(NamedTuple):
    """A run that was trained to the end: row ``row`` of its batch's record."""

    run: Run
    record: Record
    row: int


@dataclass(frozen=True)
class Population:
    """What was asked for, in batches whose records are in a folder."""

    request: Request
    store: PartialFolder

    @property
    def batches(self) -> list[tuple[Run, ...]]:
        """The runs of each batch."""
        by_label = {run.label: run for run in self.request.design.runs}
        return [tuple(by_label[label] for label in labels) for labels in self.store.batches]

    def gathered(self) -> tuple[Trajectories | None, dict[int, str]]:
        """Trajectories of the finished runs, None if there are none; and why others diverged, by label."""
        finished: list[_Finished] = []
        diverged: dict[int, str] = {}
        for i, runs in enumerate(self.batches):
            if not runs or not self.store.file(i).exists():
                continue
            record = self.store.read(i)
            for row, run in enumerate(runs):
                if record.diverged[row] < 0:
                    finished.append(_Finished(run, record, row))
                else:
                    step = record.diverged[row]
                    diverged[run.label] = f"no longer finite at step {step} (lower the learning rate)"
        order = {run.label: place for place, run in enumerate(self.request.design.runs)}
        finished.sort(key=lambda part: order[part.run.label])
        return (self._together(finished) if finished else None), diverged

    def _together(self, parts: Sequence[_Finished]) -> Trajectories:
        networks, runs = self.request.design.networks, [part.run for part in parts]
        first = parts[0].record
        observables = {n: np.stack([part.record.observables[n][part.row] for part in parts]) for n in first.observables}
        curves = {n: np.stack([part.record.curves[n][part.row] for part in parts]) for n in first.curves}
        embedding = [part.record.embedding[part.row] for part in parts if part.record.embedding is not None]
        beside = runs if self.request.design.share is None else self.request.design.all_runs  # those of other shares
        starts = [networks[run.network].initialisation(run.seed) for run in beside]
        return Trajectories(
            observables.pop("signal"),
            first.steps,
            features=networks[0].features,
            runs=[run.label for run in runs],
            labels_shared=self._labels_shared(starts),
            provenance=self._provenance([run.seed for run in runs]),
            observables=observables,
            dc=curves.pop("dc", None),
            curves=curves,
            embedding=embedding or None,
            cluster=_clusters(starts, self.request.design, runs),
            settings={name: np.asarray(values) for name, values in self._settings(runs).items()},
            inputs=self._inputs(runs),
        )

    def _inputs(self, runs: Sequence[Run]) -> dict[str, list[Input]]:
        """The rates that have a schedule, of each run."""
        curves = rate_inputs(self.request.design.networks, self.request.design.kept)
        return {name: [of_network[run.network] for run in runs] for name, of_network in curves.items()}

    def _labels_shared(self, starts: Sequence[Hashable]) -> bool:
        """Whether feature k is the same in all runs: by what the networks are, or since all start alike."""
        meanings = {network.labels for network in self.request.design.networks}
        return (len(starts) > 1 and len(set(starts)) == 1) or (len(meanings) == 1 and None not in meanings)

    def _settings(self, runs: Sequence[Run]) -> Mapping[str, list[object]]:
        """What varies between the runs, a value a run; and ``dim`` where there is one: laws are compared over it."""
        networks = self.request.design.networks
        columns = varied_settings(networks)
        if networks[0].varied().get("dim"):
            columns = {"dim": [network.varied()["dim"] for network in networks]} | columns
        per_run = {name: [values[run.network] for run in runs] for name, values in columns.items()}
        return per_run | ({"seed": [run.seed for run in runs]} if len(networks) > 1 else {})

    def _provenance(self, seeds: Sequence[int]) -> dict[str, object]:
        """The settings that all share by name; those that vary are settings of the runs."""
        networks, plan = self.request.design.networks, self.request.plan
        tables = [network.described() for network in networks]
        common = {name: value for name, value in tables[0].items() if all(t.get(name) == value for t in tables)}
        varied = sorted(varied_settings(networks))
        return {
            "command": self.request.command,
            "versions": plan["versions"],
            "seeds": list(dict.fromkeys(seeds)),
            **common,
            **({} if self.request.shard is None else {"shard": self.request.shard}),
            **({"varied": varied, "networks": tables} if len(tables) > 1 else {}),
            **{name: plan[name] for name in ("dtype", "device", "steps", "schedule")},
        }


def _clusters(starts: Sequence[Hashable], design: Design, runs: Sequence[Run]) -> list[int] | None:
    """For each run the label of the first that starts alike; None where all start differently.

    Of a share, the first may be in another one, and a label is given in any case, so that shares can be put together.
    """
    if design.share is None:
        return clusters(starts, [run.label for run in runs])
    everywhere = [run.label for run in design.all_runs]
    of_run = dict(zip(everywhere, clusters(starts, everywhere) or everywhere, strict=True))
    return [of_run[run.label] for run in runs]
