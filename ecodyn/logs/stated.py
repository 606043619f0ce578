"""What single numbers beside the arrays of a log state: the step, the number of tokens, and of dimensions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import chain

__all__ = ["EPOCH_KEYS", "STEP_KEYS", "settings_in", "stated_shape"]

# What the step is called where a checkpoint states it, in the order in which one of several is preferred: Lightning's
# and Hugging Face's first, then those of loops written by hand (iter_num is nanoGPT's).
STEP_KEYS = ("global_step", "global_steps", "step", "steps", "iteration", "iter", "iter_num", "n_iter")
EPOCH_KEYS = ("epoch",)  # where no step is stated
P_NAMES = ("p",)  # as studies of modular addition write it
D_NAMES = ("d_model", "dim")  # of the width; a bare d may be a depth
FEWEST_TOKENS, FEWEST_DIMENSIONS = 2, 1  # of a matrix of tokens; a "p" of 0.1 is a dropout's
SETTINGS_NAMES = ("settings", "config", "cfg", "args", "hparams", "hyper_parameters")  # as training loops call them
LARGEST = 2.0**53  # up to here every whole number is a float


def stated_shape(settings: Mapping[str, float]) -> tuple[int | None, int | None] | None:
    """(p, d), or one of them and None; None where neither is stated.

    >>> stated_shape({"step": 100, "p": 113, "d_model": 128}), stated_shape({"step": 100}), stated_shape({"p": 0.1})
    ((113, 128), None, None)
    """
    p, d = _first(settings, P_NAMES, FEWEST_TOKENS), _first(settings, D_NAMES, FEWEST_DIMENSIONS)
    return None if p is None and d is None else (p, d)


def settings_in(held: object) -> dict[str, float]:
    """The numbers at the top of what a file holds, and those of the settings that are one entry of it, JSON or not.

    What lies further in, such as an optimiser's numbers, is none of a training's settings.

    >>> settings_in({"step": "100", "config": '{"p": 113, "act": "relu"}', "optimiser": {"p": 2}})
    {'p': 113.0, 'step': 100.0}
    """
    if not isinstance(held, Mapping):
        return {}
    top = {str(name): _parsed(value) for name, value in held.items()}
    within = [top[name] for name in SETTINGS_NAMES if name in top]
    parts = [part.items() for part in (*within, top) if isinstance(part, Mapping)]
    numbers = ((str(name), _number(value)) for name, value in chain.from_iterable(parts))
    return {name: number for name, number in numbers if number is not None}


def _first(settings: Mapping[str, float], names: tuple[str, ...], least: int) -> int | None:
    for name in names:
        number = settings.get(name, 0.0)
        if number >= least and float(number).is_integer():
            return int(number)
    return None


def _parsed(value: object) -> object:
    """What a text says as JSON, which is how metadata hold numbers and settings."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value


def _number(value: object) -> float | None:
    """A number or an array of no axes, where a float has it in full."""
    if getattr(value, "ndim", None) == 0 and callable(item := getattr(value, "item", None)):
        value = item()
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) <= LARGEST else None
