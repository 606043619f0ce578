"""Interventions by name, and as the command line writes them."""

from __future__ import annotations

import itertools
import typing
from dataclasses import fields

from ecodyn.networks.modular_addition.interventions.embedding import (
    FrozenEmbedding,
    KeepFrequencies,
    PlantCircles,
    ScaleFrequency,
)
from ecodyn.networks.modular_addition.interventions.fixed_seeds import FixedDataset, FixedEmbedding, FixedLayers
from ecodyn.networks.modular_addition.interventions.intervention import Intervention
from ecodyn.networks.training.checks import word
from ecodyn.networks.training.grids import Kind, Value, read_value

__all__ = ["INTERVENTIONS", "parse_interventions"]

INTERVENTIONS: dict[str, type[Intervention]] = {
    kind.name: kind
    for kind in (
        FixedEmbedding,
        FixedLayers,
        FixedDataset,
        FrozenEmbedding,
        ScaleFrequency,
        PlantCircles,
        KeepFrequencies,
    )
}


def parse_interventions(text: str) -> list[Intervention]:
    """Read an intervention as the command line has it: NAME, or NAME:PARAMETER=VALUE,PARAMETER=VALUE.

    Several values between slashes are a grid, a list joined by plus signs is one value: "keep_frequencies:k=2+8/22"
    are two interventions, that keep {2, 8} and {22}.

    Raises
    ------
    ValueError
        The name, a parameter or a value is unknown or can't be meant.

    Examples
    --------
    >>> parse_interventions("scale_frequency:k=2,factor=0.9/1.1")
    [ScaleFrequency(k=2, factor=0.9), ScaleFrequency(k=2, factor=1.1)]
    """
    name, _, rest = text.partition(":")
    if name not in INTERVENTIONS:
        raise ValueError(f"unknown intervention {name!r}; there are {', '.join(INTERVENTIONS)}")
    kind = INTERVENTIONS[name]
    types = typing.get_type_hints(kind)
    known = [f.name for f in fields(kind)]
    choices: dict[str, list[Value]] = {}
    for part in filter(None, map(str.strip, rest.split(","))):
        parameter, equals, values = part.partition("=")
        if not equals or parameter not in known:
            has = f"it has {', '.join(known)}" if known else "it has none"
            raise ValueError(f"{name} has no parameter {parameter!r} ({part!r}); {has}, as in {_example(kind)}")
        if parameter in choices:
            raise ValueError(f"{name}'s {parameter} is given twice; join the values of a grid by slashes")
        choices[parameter] = [_value(v, types[parameter], f"{name}'s {parameter}") for v in values.split("/")]
    return [kind(**dict(zip(choices, cell, strict=True))) for cell in itertools.product(*choices.values())]


def _example(kind: type[Intervention]) -> str:
    parameters = kind().described()
    texts = ",".join(f"{k}={word(v)}" for k, v in parameters.items() if k != "name")
    return f"{kind.name}:{texts}" if texts else kind.name


def _value(text: str, kind: Kind, what: str) -> Value:
    try:
        return read_value(text, kind)
    except ValueError:
        words: dict[Kind, str] = {int: "a whole number", float: "a number", bool: "true or false"}
        wanted = words.get(kind, "whole numbers, as in 2+8")
        raise ValueError(f"{what} is {wanted}, got {text!r}") from None
