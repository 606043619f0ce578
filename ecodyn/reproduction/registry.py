"""All experiments by name, in the order of the rows; the files of `ecodyn.reproduction.experiments` list their own."""

from __future__ import annotations

from collections.abc import Sequence

from ecodyn.reproduction.experiment import Experiment
from ecodyn.reproduction.experiments import circles, fate, laws, size, together

__all__ = ["EXPERIMENTS", "chosen"]

MODULES = (circles, size, fate, together, laws)
EXPERIMENTS: dict[str, Experiment] = {
    experiment.name: experiment
    for experiment in sorted((row for module in MODULES for row in module.ROWS), key=lambda row: row.row)
}


def chosen(names: Sequence[str]) -> list[Experiment]:
    """Experiments by name or row number, in the order of the rows; all if none is named.

    Raises
    ------
    ValueError
        There is no such experiment.
    """
    if not names:
        return list(EXPERIMENTS.values())
    by_row = {str(e.row): e.name for e in EXPERIMENTS.values()}
    wanted = {by_row.get(name, name) for name in names}
    if unknown := sorted(wanted - set(EXPERIMENTS)):
        raise ValueError(
            f"unknown experiment {', '.join(unknown)}; there are {', '.join(EXPERIMENTS)}, or their numbers "
            f"{min(by_row, key=int)} to {max(by_row, key=int)}"
        )
    return [e for e in EXPERIMENTS.values() if e.name in wanted]
