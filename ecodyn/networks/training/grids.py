"""A grid of settings: one kind of network in every combination of some of its settings."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields
from typing import Any, TypeAlias, TypeVar

from ecodyn.networks.training.network import NetworkSettings

__all__ = ["grid", "read_value", "varied_settings"]

Settings = TypeVar("Settings", bound=NetworkSettings)

Value: TypeAlias = bool | int | float | str | tuple[str, ...] | tuple[int, ...]
Kind: TypeAlias = Callable[[str], Value]  # a type of settings: one of those, such as int or tuple[int, ...]


def read_value(text: str, kind: Kind) -> Value:
    """A setting's value from its text, for the types that settings have.

    Raises
    ------
    ValueError
        The text is no such value.
    """
    if kind is bool:
        if text not in ("true", "false"):
            raise ValueError(f"expected true or false, got {text!r}")
        return text == "true"
    if kind == tuple[str, ...]:
        return tuple(text.split("+"))
    return tuple(int(part) for part in text.split("+")) if kind == tuple[int, ...] else kind(text)


def grid(kind: type[Settings], settings: Mapping[str, Sequence[object]]) -> list[Settings]:
    """Every combination of the values of some settings; those that are not named have their defaults.

    Raises
    ------
    ValueError
        A setting is not one of this kind of network, or nothing can be trained with a value.

    Examples
    --------
    The last setting varies fastest.

    >>> from ecodyn.training import DeepLinear
    >>> [(network.modes, network.depth) for network in grid(DeepLinear, {"modes": [3, 5], "depth": [1, 2]})]
    [(3, 1), (3, 2), (5, 1), (5, 2)]
    """
    known = [field.name for field in fields(kind)]
    unknown = [name for name in settings if name not in known]
    if unknown:
        raise ValueError(f"{kind.name} has no setting {', '.join(unknown)}; it has {', '.join(known)}")
    single = [name for name, values in settings.items() if isinstance(values, str) or not isinstance(values, Iterable)]
    if single:
        raise ValueError(f"a grid takes several values of {', '.join(single)}, such as [16, 32], or one in a list")
    cells: Iterable[tuple[Any, ...]] = itertools.product(*settings.values())
    return [kind(**dict(zip(settings, cell, strict=True))) for cell in cells]


def varied_settings(networks: Sequence[NetworkSettings]) -> dict[str, list[object]]:
    """The settings that are not the same in all networks, a value a network; "none" where one has no such setting."""
    tables = [network.varied() for network in networks]
    names = list(dict.fromkeys(name for table in tables for name in table))
    columns = {name: [table.get(name, "none") for table in tables] for name in names}
    return {name: values for name, values in columns.items() if len(set(map(str, values))) > 1}
