"""Step patterns: what --step-pattern means, and those that a refusal may suggest, since they work."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ecodyn.logs.checkpoints.names import UNITS, Number

__all__ = ["compiled_pattern", "distinct_patterns", "with_pattern"]

WRITTEN = re.compile(r"\d+(?:\.\d+)?(?:[kKmM](?![A-Za-z]))?")  # a number as names have it: 500, 1.5, 10k
MOST_SUGGESTED = 2  # patterns in one sentence


def compiled_pattern(pattern: str) -> re.Pattern[str]:
    """A step pattern as a regular expression with the groups count and unit."""
    parts = ["(.*?)".join(re.escape(part) for part in half.split("*")) for half in pattern.split("{step}")]
    # Thousands in groups come last: what follows {step} in a pattern may be three digits of another number.
    return re.compile(r"(?P<count>\d+(?:\.\d+)?|\d{1,3}(?:[_,]\d{3})+)(?P<unit>[kKmM]?)".join(parts))


def with_pattern(name: str, number: Number) -> str:
    """The pattern that takes this number of a name: model_*_{step}.pt."""
    if not number.text.isdigit() and any(mark in number.text for mark in "_,"):  # thousands in groups
        before, after = name[: number.at], name[number.at + len(number.text) :]
        return WRITTEN.sub("*", before) + "{step}" + WRITTEN.sub("*", after)
    return WRITTEN.sub(lambda m: "{step}" if m.start() <= number.at < m.end() else "*", name)


def distinct_patterns(names: Sequence[str], numbers: Sequence[Number], same: Sequence[int]) -> list[str]:
    """Patterns that take names among which no two have the same number, one for each of the names at `same`.

    One pattern alone where it takes more of the names than any other does.
    """
    found: dict[str, int] = {}
    for i in same:
        for pattern in (with_pattern(names[i], numbers[i]), _literal(names[i], numbers[i])):
            matches = [m for name in names if (m := compiled_pattern(pattern).fullmatch(name)) is not None]
            if len({float(m["count"].replace(",", "")) * UNITS.get(m["unit"], 1) for m in matches}) == len(matches):
                found.setdefault(pattern, len(matches))
                break
    most = max(found.values(), default=0)
    return [pattern for pattern, count in found.items() if count == most][:MOST_SUGGESTED]


def _literal(name: str, number: Number) -> str:
    """The pattern that takes this number of a name, where all else is as in the name: seed0_step{step}.pt."""
    written = WRITTEN.match(name, number.at)
    end = max(number.at + len(number.text), written.end() if written else 0)
    return f"{name[: number.at]}{{step}}{name[end:]}"
