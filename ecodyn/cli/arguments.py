"""What is typed after a command, as values. A wrong one is a usage error."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, TypeAlias

import typer

from ecodyn.runtime.shares import Share

if TYPE_CHECKING:
    from ecodyn.arrays import Array

MOST_NUMBERS = 10_000_000  # of a range of runs or seeds: a list of them is held
MOST_TIMES = 1_000_000  # of a rollout
Typed: TypeAlias = bool | int | float | str | None


def typed() -> str:
    """The command line, for the provenance."""
    return "ecodyn " + " ".join(sys.argv[1:])


def dynamics_of(dynamics: str | None, time: str | None, default: str = "flow") -> str:
    """What --dynamics says, or --time as it was called before."""
    if dynamics is not None and time is not None and dynamics != time:
        raise typer.BadParameter(
            f"--dynamics {dynamics} and --time {time} differ; --time is its old name: leave it out"
        )
    return dynamics or time or default


def parse_window(text: str) -> tuple[float, float]:
    """FIRST:LAST in step values."""
    first, _, last = text.partition(":")
    try:
        window = float(first), float(last)
    except ValueError:
        raise typer.BadParameter(f"--window is FIRST:LAST in step values, such as 60:1000, got {text!r}") from None
    if not window[0] < window[1]:
        raise typer.BadParameter(f"--window is FIRST:LAST with FIRST before LAST, got {text!r}")
    return window


def windows_of(texts: list[str] | None) -> list[tuple[float, float]] | None:
    """FIRST:LAST each; None where there are none."""
    return [parse_window(text) for text in texts or ()] or None


def times_of(text: str) -> Array:
    """FIRST:LAST:SPACING, the last one with them."""
    import numpy as np

    try:
        first, last, spacing = map(float, text.split(":"))
        steps = (last - first) / spacing
    except (ValueError, ZeroDivisionError):
        raise typer.BadParameter(f"--times is FIRST:LAST:SPACING, such as 0:60:0.5, got {text!r:.80}") from None
    if not 1 <= steps < MOST_TIMES or not spacing > 0:
        raise typer.BadParameter(f"--times {text!r:.80} is not 2 to {MOST_TIMES} times from FIRST up to LAST")
    return np.asarray(first + spacing * np.arange(int(steps * (1 + 1e-12)) + 1))


def numbers(text: str, option: str) -> list[int]:
    """Python's range FIRST:END, or a comma-separated list."""
    try:
        if ":" in text:
            first, _, end = text.partition(":")
            asked: range | list[int] = range(int(first or 0), int(end))
        else:
            asked = [int(n) for n in text.split(",")]
        size = len(asked)
    except (ValueError, OverflowError):
        raise typer.BadParameter(f"{option} is FIRST:END or a list of integers, got {text!r:.80}") from None
    if not 0 < size <= MOST_NUMBERS:
        raise typer.BadParameter(f"{option} {text!r:.80} is {size or 'no'} numbers, expected 1 to {MOST_NUMBERS}")
    return list(asked)


def assignment(text: str, option: str) -> tuple[str, Typed]:
    """NAME=VALUE."""
    name, equals, value = text.partition("=")
    if not equals:
        raise typer.BadParameter(f"{option} is NAME=VALUE, got {text!r}")
    return name, _value(value)


def parameter(text: str, option: str) -> tuple[str, Typed | tuple[int | float, ...]]:
    """NAME=VALUE of an estimator; a comma makes a tuple of numbers, "0.25,1" (0.25, 1) and "0.5," (0.5,)."""
    name, value = assignment(text, option)
    if isinstance(value, str) and "," in value:
        parts = [_value(part) for part in value.removesuffix(",").split(",")]
        numbers = [part for part in parts if isinstance(part, int | float)]
        if len(numbers) == len(parts):
            return name, tuple(numbers)
    return name, value


def _value(text: str) -> Typed:
    """A number, true, false, none, or the text itself."""
    words: dict[str, bool | None] = {"true": True, "false": False, "none": None}
    if text.lower() in words:
        return words[text.lower()]
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def shard_of(text: str | None) -> tuple[int, int] | None:
    """I/N, the I-th of N shares, counted from 1; None for all."""
    if text is None:
        return None
    part, _, of = text.partition("/")
    try:
        share = Share(int(part), int(of))
    except ValueError:
        raise typer.BadParameter(
            f"--shard is I/N with I from 1 to N, such as 3/50 for the third of fifty, got {text!r}"
        ) from None
    return share.part, share.of


def chosen(given: list[str] | None, known: Iterable[str], option: str) -> list[str]:
    """Known names, from repeated options or commas; all where none was given."""
    known = tuple(known)
    names = [n for text in given or known for n in text.split(",")]
    unknown = [n for n in names if n not in known]
    if unknown:
        raise typer.BadParameter(f"{option} takes {', '.join(known)}; got {', '.join(unknown)}")
    return list(dict.fromkeys(names))


def token_range(text: str | None) -> tuple[int, int] | None:
    """FIRST:END, END excluded."""
    if text is None:
        return None
    first, _, end = text.partition(":")
    try:
        return int(first or 0), int(end)
    except ValueError:
        raise typer.BadParameter(f"--tokens is FIRST:END, such as 0:113, got {text!r}") from None


def cores(jobs: int) -> int:
    """Number of processes; 0 stands for all cores."""
    from joblib import cpu_count

    if jobs < 0:
        raise typer.BadParameter(f"--jobs is a number of processes, or 0 for all cores; got {jobs}")
    return jobs or cpu_count()
