"""Networks to train, as they are typed: settings, grids of them, interventions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import typer

from ecodyn.cli.output import listed

if TYPE_CHECKING:
    from ecodyn.networks.training import NetworkSettings

SCHEDULES = ("learning_rate_schedule", "weight_decay_schedule")


def network_grid(
    name: str, options: Mapping[str, object], settings: list[str] | None, interventions: list[str] | None
) -> list[NetworkSettings]:
    """Networks to train: every combination of the values of the options given, of --set and of --intervene."""
    import dataclasses
    import itertools
    import typing

    from ecodyn.networks.training import grid, network_settings

    kind = network_settings(name)
    hints = typing.get_type_hints(kind)
    readable = (int, float, str, bool, tuple[str, ...])
    types = {f.name: hints[f.name] for f in dataclasses.fields(kind) if hints[f.name] in readable}
    types |= {name: str for name in hints if name in SCHEDULES}  # a network reads their texts itself
    given = {option: str(text) for option, text in options.items() if text is not None}
    for text in settings or ():
        setting, equals, values = text.partition("=")
        if not equals:
            raise typer.BadParameter(f"--set is NAME=VALUE, got {text!r}")
        if setting in given:
            raise typer.BadParameter(f"{setting} is given twice; several values have commas between them")
        given[setting] = values
    if unknown := [option for option in given if option not in types]:
        raise typer.BadParameter(f"{name} has no setting {listed(unknown)}; it has {listed(types)}")
    cells = {option: _setting_values(option, text, types[option]) for option, text in given.items()}
    if interventions:
        cells["interventions"] = list(itertools.product(*map(kind.read_interventions, interventions)))
    return grid(kind, cells)


def _setting_values(name: str, text: str, kind: type) -> list[object]:
    """Comma-separated values of one setting."""
    from ecodyn.networks.training.grids import read_value

    try:
        return [read_value(part.strip(), kind) for part in text.split(",")]
    except ValueError:
        wanted = {int: "whole numbers", float: "numbers", bool: "true or false"}.get(kind, kind)
        raise typer.BadParameter(f"{name} takes {wanted}, with commas between them; got {text!r}") from None
