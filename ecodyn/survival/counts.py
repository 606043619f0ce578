"""How many survive: under each rule, and by each setting of a grid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecodyn.arrays import Array, Integers
from ecodyn.errors import UnusableDataError
from ecodyn.runtime.registry import EntryPointError
from ecodyn.statistics.clustered import clustered_mean
from ecodyn.statistics.intervals import Estimate
from ecodyn.survival.predictors import mean_auc
from ecodyn.survivors.rules import RULES
from ecodyn.survivors.survivors import Survivors, survivors
from ecodyn.trajectories import Trajectories

Value = str | int | float | bool
"""Of a setting."""


@dataclass(frozen=True)
class Count:
    """Survivors of some runs.

    Attributes
    ----------
    value : of the setting that these runs share, or a rule's name
    runs : how many
    survivors : their mean number, with its interval over clusters
    fewest, most : over runs
    """

    value: Value
    runs: int
    survivors: Estimate
    fewest: int
    most: int


def counts_by(runs: Trajectories, survivors: Survivors, setting: str) -> list[Count]:
    """Survivors by a setting of the runs, such as "dim" or "weight_decay", its values in order.

    Raises
    ------
    UnusableDataError
        The runs have no such setting.

    Examples
    --------
    >>> from ecodyn import Trajectories
    >>> from ecodyn.survival import counts_by, survivors
    >>> start, few, many = [88.0] * 5, [70.0, 9.0, 10.0, 11.0, 8.0], [70.0, 72.0, 71.0, 9.0, 8.0]
    >>> runs = Trajectories([[start, few], [start, many]], [0, 1000], settings={"dim": [8, 16]})
    >>> {count.value: count.survivors.mean for count in counts_by(runs, survivors(runs), "dim")}
    {8: 1.0, 16: 3.0}
    """
    if setting not in runs.settings:
        raise UnusableDataError(
            f"expected a setting of the runs, {', '.join(runs.settings) or 'of which they have none'}, got "
            f"{setting!r}: train a grid, or give the setting when the logs are extracted"
        )
    values = runs.settings[setting]
    return [_count(v.item(), survivors.counts[values == v], runs.clusters[values == v]) for v in np.unique(values)]


def _count(value: Value, counts: Integers, clusters: NDArray[Any]) -> Count:
    return Count(
        value=value,
        runs=len(counts),
        survivors=clustered_mean(counts, clusters, within=(0.0, np.inf)),
        fewest=int(counts.min()),
        most=int(counts.max()),
    )


@dataclass(frozen=True, eq=False)
class Sensitivity:
    """What depends on the rule; rules in the order of the registry, those that can't be used left out.

    Attributes
    ----------
    survivors : who is alive under each rule
    counts : of survivors, a row a rule
    auc : of the starting signal, under each rule; runs in which all features share a fate are left out
    agreement : (rule, rule) mean share of features that both rules call alike
    unusable : rules that can't be used, with the reason
    """

    survivors: dict[str, Survivors]
    counts: list[Count]
    auc: dict[str, Estimate]
    agreement: Array
    unusable: dict[str, str]

    @property
    def rules(self) -> tuple[str, ...]:
        """The rules that could be used."""
        return tuple(self.survivors)


def sensitivity(runs: Trajectories, step: float | None = None) -> Sensitivity:
    """Survivors under every rule at a step, the last of each run by default, side by side.

    Raises
    ------
    UnusableDataError
        A run does not have the step.

    Examples
    --------
    >>> from ecodyn import Trajectories
    >>> from ecodyn.survival import sensitivity
    >>> start, end = np.full(5, 88.0), np.array([71.0, 69.0, 9.0, 10.0, 11.0])
    >>> two_runs = Trajectories([[start, end], [start, end[::-1]]], [0, 1000])
    >>> {count.value: count.survivors.mean for count in sensitivity(two_runs).counts}
    {'twice_mean': 2.0, 'above_10': 3.0, 'largest_gap': 2.0, 'two_component': 2.0, 'noise_floor': 2.0}
    """
    runs = runs.complete()
    by_rule, unusable = {}, {}
    for rule in RULES:
        try:
            by_rule[rule] = survivors(runs, rule, step)
        except (UnusableDataError, EntryPointError) as error:
            unusable[rule] = str(error)
    if not by_rule:
        raise UnusableDataError(next(iter(unusable.values())))
    agreement = [
        [clustered_mean((a.alive == b.alive).mean(axis=1), runs.clusters).mean for b in by_rule.values()]
        for a in by_rule.values()
    ]
    return Sensitivity(
        survivors=by_rule,
        counts=[_count(rule, own.counts, runs.clusters) for rule, own in by_rule.items()],
        auc={rule: mean_auc(runs.values[:, 0], own.alive, runs.clusters) for rule, own in by_rule.items()},
        agreement=np.array(agreement),
        unusable=unusable,
    )
