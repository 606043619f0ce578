"""Steps written with thousands in groups, such as 10_000 or 10,000: one number, if all names of the run agree."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ecodyn.errors import UnusableDataError
from ecodyn.logs.checkpoints.names import CHECKPOINT_ENDS, STEP_ENDS, STEP_WORDS, Number, numbers_of
from ecodyn.logs.checkpoints.patterns import with_pattern

__all__ = ["numbers_of_all"]

GROUPED = re.compile(r"[1-9]\d{0,2}(?:[_,]\d{3})+", re.ASCII)
# Digits in groups after a word, with a separator of up to three characters between as elsewhere in names.
AFTER_WORD = re.compile(r"(?P<word>[A-Za-z]+)[-_=:. ]{0,3}(?P<digits>\d+(?:[_,]\d+)*)", re.ASCII)
FROM_FOUR = 1000  # from here on a number that is written in groups has some


@dataclass(frozen=True)
class _Digits:
    """What may be a step in a name, and where it begins."""

    text: str
    at: int
    of_steps: bool  # behind a word for steps, and not one for checkpoints, which two numbers may follow

    @property
    def grouped(self) -> bool:
        return GROUPED.fullmatch(self.text) is not None

    @property
    def value(self) -> int:
        return int(re.sub(r"[_,]", "", self.text))


def numbers_of_all(
    where: Path, names: Sequence[str], stems: Sequence[str]
) -> tuple[list[tuple[Number, ...]], list[str]]:
    """The numbers in every name of a run, as `numbers_of` has them, and a sentence where groups were taken for one.

    Raises
    ------
    UnusableDataError
        Three digits behind a step may be a part of it or not.
    """
    plain = [numbers_of(stem) for stem in stems]
    found = [_digits(stem) for stem in stems]
    digits = [own for own in found if own is not None]
    grouped = [own for own in digits if own.grouped]
    if not grouped or any(not own.grouped and not own.text.isdigit() for own in digits):
        return plain, []  # step_1000_128: what follows is another number
    if not (len(digits) == len(stems) and _agree(digits)):
        if not all(own.of_steps for own in digits):
            return plain, []  # all their numbers may be the time, and are told apart or refused as such
        i = next(i for i, own in enumerate(found) if own is not None and own.grouped)
        raise UnusableDataError(_unclear(where, names[i], found[i] or grouped[0]))
    rows = [_as_one(stem, own) for stem, own in zip(stems, digits, strict=True)]
    return rows, [f"{grouped[0].text} in names was read as one number, {grouped[0].value}"]


def _digits(stem: str) -> _Digits | None:
    """The digits behind the first word for steps or checkpoints in a name."""
    for match in AFTER_WORD.finditer(stem):
        word = match["word"].lower()
        if word.endswith((*STEP_ENDS, *CHECKPOINT_ENDS)) or word in STEP_WORDS:
            return _Digits(match["digits"], match.start("digits"), not word.endswith(CHECKPOINT_ENDS))
    return None


def _agree(digits: Sequence[_Digits]) -> bool:
    """Whether all are written in groups, and nothing else can be meant by these."""
    if any(not own.grouped and own.value >= FROM_FOUR for own in digits):
        return False
    lengths = {own.text.count("_") + own.text.count(",") for own in digits}
    last = [own.text[-3:] for own in digits if own.grouped]
    round_ones = "000" in last and all(text[-1] == "0" for text in last)  # and no ranks 000, 001
    lengths_tell = len(lengths) > 1 and all(own.of_steps for own in digits)
    return any("," in own.text for own in digits) or lengths_tell or round_ones


def _as_one(stem: str, own: _Digits) -> tuple[Number, ...]:
    """The numbers in a name, that of its step as one; places are those in the name as it is written."""
    joined = str(own.value) if own.grouped else own.text
    removed = len(own.text) - len(joined)
    end = own.at + len(joined)
    numbers = numbers_of(stem[: own.at] + joined + stem[own.at + len(own.text) :])
    shifted = (replace(n, at=n.at + removed) if n.at >= end else n for n in numbers)
    return tuple(replace(n, text=own.text) if n.at == own.at else n for n in shifted)


def _unclear(where: Path, name: str, own: _Digits) -> str:
    first = re.split(r"[_,]", own.text)[0]
    whole = with_pattern(name, Number(own.value, "", own.text, own.at))
    part = f"{whole.replace('{step}', '{step}' + own.text[len(first)] + '*')}"
    return (
        f"{where}: {own.text} in {name} may be the step {own.value} or {first}, expected names that are written alike; "
        f"say which with --step-pattern {whole!r} or --step-pattern {part!r}"
    )
