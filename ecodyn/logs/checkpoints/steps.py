"""The step of each checkpoint of a run: one source and one unit for all of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ecodyn.arrays import Array
from ecodyn.errors import UnusableDataError
from ecodyn.logs.checkpoints.columns import Column, chosen_column, repeated, without_dates
from ecodyn.logs.checkpoints.names import CHECKPOINT, EPOCH, PLAIN, UNITS, Number
from ecodyn.logs.checkpoints.patterns import compiled_pattern, distinct_patterns, with_pattern
from ecodyn.logs.checkpoints.thousands import numbers_of_all
from ecodyn.logs.log import STORED
from ecodyn.logs.stated import EPOCH_KEYS, STEP_KEYS
from ecodyn.tables.names import listed

__all__ = ["Steps", "steps_of"]

# What differs between names of one kind: 500, 1e-4, 10k, nan.
VALUES = re.compile(r"\d+(?:\.\d+)*(?:[eE][-+]?\d+)?(?:[kKmM](?![A-Za-z]))?|(?<![A-Za-z])(?:nan|inf)(?![A-Za-z])")
SEPARATORS = re.compile(r"[^A-Za-z]+")  # what is between words
EXPONENT = re.compile(r"(?<![A-Za-z\d.])\d+(?:\.\d+)?[eE]\+?\d{1,2}(?![A-Za-z\d])", re.ASCII)  # 1e3; 1e-4 is no count
MOST_KINDS = 2  # of names, whose patterns a refusal shows

Stored = Sequence[Mapping[str, float]]


@dataclass(frozen=True)
class Steps:
    """When the checkpoints of a run were written.

    Attributes
    ----------
    kept
        The checkpoints that are steps of the run.
    values
        Their steps, or epochs.
    remarks
        Sentences on what was set aside, and on where names and contents disagree.
    """

    kept: tuple[int, ...]
    values: Array
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Held:
    """What the checkpoints themselves state: the key, and its value in each."""

    key: str
    values: list[float]

    @property
    def epochs(self) -> bool:
        return self.key in EPOCH_KEYS


def steps_of(
    where: Path,
    names: Sequence[str],
    stems: Sequence[str],
    stored: Callable[[Sequence[int]], Stored],
    pattern: str | None = None,
) -> Steps:
    """Tell the steps of the checkpoints at `where`.

    From their names where these tie a number to a word (`chosen_column`), or else from what is stored in them, or else
    from the only numbers there are. Names win where both speak; that they disagree is said.

    Parameters
    ----------
    names, stems
        Of the checkpoints, with and without suffixes.
    stored
        The numbers at the top of those checkpoints that it is asked about.
    pattern
        A name with ``{step}`` where the step is and ``*`` for anything else, or ``"stored"``.

    Raises
    ------
    UnusableDataError
        No step is stated, or it is ambiguous which number it is, or two checkpoints have the same.
    """
    if pattern == STORED:
        return _all_stored(where, names, stored(range(len(names))))
    if pattern is not None:
        return _matched(where, names, stems, pattern)
    found, grouped = numbers_of_all(where, names, stems)
    numbers = without_dates(found)
    kept = [i for i, own in enumerate(numbers) if own]
    if not kept:
        return _all_stored(where, names, stored(range(len(names))))
    aside = [name for i, name in enumerate(names) if not numbers[i]]
    names, rows = [names[i] for i in kept], [numbers[i] for i in kept]
    choice = chosen_column(where, names, rows)
    alike = _remarks_on_words(where, names, [stems[i] for i in kept], choice.column)
    values, remarks = _compared(names, choice.column, stored(kept))
    remarks = [*grouped, *choice.remarks, *alike, *remarks]
    if aside:
        remarks.insert(0, f"set aside, since their names have no number and others' have: {listed(aside)}")
    return Steps(tuple(kept), np.array(values, dtype=np.float64), tuple(remarks))


def _remarks_on_words(where: Path, names: Sequence[str], stems: Sequence[str], column: Column) -> list[str]:
    """A sentence where names differ in more than numbers.

    Raises
    ------
    UnusableDataError
        Several names are of one kind and several of another, as of two networks.
    """
    of_kind: dict[str, list[int]] = {}
    for i, stem in enumerate(stems):
        of_kind.setdefault(SEPARATORS.sub("_", VALUES.sub("_", stem)).strip("_").lower(), []).append(i)
    if len(of_kind) == 1:
        return []
    kinds = sorted(of_kind.values(), key=len, reverse=True)
    patterns = [with_pattern(names[own[0]], column.numbers[own[0]]) for own in kinds]
    if len(kinds[1]) > 1:
        together = (f"*{{step}}{Path(names[0]).suffix}", "*{step}*")
        fitting = [pattern for pattern in together if _takes(pattern, names, column)]
        choices = " or ".join(f"--step-pattern {pattern!r}" for pattern in patterns[:MOST_KINDS] + fitting[:1])
        raise UnusableDataError(
            f"{where}: the names differ in more than numbers, such as {names[kinds[0][0]]} ({len(kinds[0])} files) and "
            f"{names[kinds[1][0]]} ({len(kinds[1])}), expected those of one run; say which are meant with {choices}"
        )
    others = [names[own[0]] for own in kinds[1:]]
    return [f"names that differ in more than numbers from {names[kinds[0][0]]} were taken as well: {listed(others)}"]


def _takes(pattern: str, names: Sequence[str], column: Column) -> bool:
    """Whether a pattern takes these numbers of the names."""
    matches = [compiled_pattern(pattern).fullmatch(name) for name in names]
    return all(m is not None and m["count"] == n.text for m, n in zip(matches, column.numbers, strict=True))


def _matched(where: Path, names: Sequence[str], stems: Sequence[str], pattern: str) -> Steps:
    """Steps by a pattern; names that it does not match are set aside."""
    compiled = compiled_pattern(pattern)
    matches = [compiled.fullmatch(n) or compiled.fullmatch(s) for n, s in zip(names, stems, strict=True)]
    kept = [i for i, match in enumerate(matches) if match is not None]
    if not kept:
        raise UnusableDataError(
            f"{where}: none of its checkpoints is named as --step-pattern {pattern!r} says, expected some; they are "
            f"{listed(names)}"
        )
    taken = [match for match in matches if match is not None]
    values = [float(m["count"].replace(",", "")) * UNITS.get(m["unit"], 1) for m in taken]
    numbers = [Number(v, PLAIN, m["count"], m.start("count")) for v, m in zip(values, taken, strict=True)]
    _check_different(where, [names[i] for i in kept], values, f"by --step-pattern {pattern!r}", numbers)
    aside = [name for i, name in enumerate(names) if i not in set(kept)]
    remarks = [f"set aside, not named {pattern}: {listed(aside)}"] if aside else []
    return Steps(tuple(kept), np.array(values, dtype=np.float64), tuple(remarks))


# ------------------------------------------------------------------------------------------ what is stored


def _all_stored(where: Path, names: Sequence[str], stored: Stored) -> Steps:
    """Steps as stored in every checkpoint."""
    held = _held(stored, (*STEP_KEYS, *EPOCH_KEYS))
    counts = {key: n for key in (*STEP_KEYS, *EPOCH_KEYS) if (n := sum(key in own for own in stored))}
    if not held and len(counts) > 0:
        have = " and ".join(f"{key} in {n}" for key, n in counts.items())
        raise UnusableDataError(
            f"{where}: of {len(names)} checkpoints there is {have}, expected one of these in all; take those without "
            "out of the folder, or name the steps in the files' names"
        )
    if not held:
        raise UnusableDataError(_no_step(where, names[0]))
    chosen = next((own for own in held if _differ(own.values)), None)
    if chosen is None:
        _check_different(where, names, held[0].values, f"by the {held[0].key} stored in them")
        chosen = held[0]
    remarks = [f"{own.key} is the same in several checkpoints and so no time" for own in held[: held.index(chosen)]]
    remarks += ["times are epochs, as stored"] if chosen.epochs else []
    return Steps(tuple(range(len(names))), np.array(chosen.values, dtype=np.float64), tuple(remarks))


def _no_step(where: Path, name: str) -> str:
    exponent = EXPONENT.search(name)
    unread = f" ({exponent[0]} is not read as a number: write {float(exponent[0]):.0f})" if exponent else ""
    return (
        f"{where / name} states no step{unread}: expected a number in its name, such as step_000100, or an entry named "
        f"{', '.join(STEP_KEYS[:-1])} or {STEP_KEYS[-1]} in it; where a name has one that was not taken for a step, "
        "say so with --step-pattern, such as 'run_{step}.pt' or, of folders, 'run_{step}'"
    )


def _held(stored: Stored, keys: Sequence[str]) -> list[_Held]:
    """The keys that all checkpoints have, in their order."""
    return [_Held(key, [own[key] for own in stored]) for key in keys if all(key in own for own in stored)]


def _differ(values: Sequence[float]) -> bool:
    return repeated(values) is None


def _check_different(
    where: Path, names: Sequence[str], values: Sequence[float], how: str, numbers: Sequence[Number] = ()
) -> None:
    """Refuse two checkpoints of one step; `numbers` are those in the names, for the patterns that are suggested."""
    same = repeated(values)
    if same is not None:
        patterns = distinct_patterns(names, numbers, same) if numbers else ["step_{step}.pt"]
        such_as = f", or say where the step is with --step-pattern, such as {' or '.join(map(repr, patterns))}"
        raise UnusableDataError(
            f"{where}: {names[same[0]]} and {names[same[1]]} are both {values[same[0]]:g} {how}, expected one "
            f"checkpoint a step; keep one of them{such_as * bool(patterns)}"
        )


# ---------------------------------------------------------------------------------------- names and contents


def _compared(names: Sequence[str], column: Column, stored: Stored) -> tuple[list[float], list[str]]:
    """The times that names state, checked against what is stored; sentences on how they differ."""
    steps, epochs = _held(stored, STEP_KEYS)[:1], _held(stored, EPOCH_KEYS)
    values = column.values
    if column.kind in (CHECKPOINT, PLAIN):
        if counted := _counts(column, steps or epochs):
            return counted
        if epochs and epochs[0].values == values and not (steps and steps[0].values == values):
            return values, [f"times are epochs: the numbers in the names are the stored epochs{_instead(steps)}"]
        shifts = set(np.subtract(values, epochs[0].values)) if epochs and not steps else set()
        if len(values) > 1 and len(shifts) == 1:
            return values, [f"times are epochs, as the names state{_disagreeing(names, values, stored, EPOCH_KEYS)}"]
    if column.kind == EPOCH:
        sentence = f"times are epochs, as the names state{_instead(steps)}"
        return values, [sentence + _disagreeing(names, values, stored, EPOCH_KEYS)]
    clause = _disagreeing(names, values, stored, STEP_KEYS)
    return values, [clause.removeprefix("; ")] if clause else []


def _disagreeing(names: Sequence[str], values: Sequence[float], stored: Stored, keys: Sequence[str]) -> str:
    """A clause on checkpoints that store another time than their names state; "" if none does."""
    key = next((key for key in keys if any(key in own for own in stored)), "")
    other = [i for i, own in enumerate(stored) if key in own and own[key] != values[i]]
    if not other:
        return ""
    return (
        f"; {len(other)} of {len(names)} names and the stored {key} disagree ({names[other[0]]} holds "
        f"{stored[other[0]][key]:g}): the names were taken, --step-pattern {STORED} takes what is stored"
    )


def _instead(steps: Sequence[_Held]) -> str:
    return f"; --step-pattern {STORED} takes the stored {steps[0].key}" if steps else ""


def _counts(column: Column, held: Sequence[_Held]) -> tuple[list[float], list[str]] | None:
    """The stored times where the numbers in names, tied to no word for steps, only count the checkpoints."""
    for own in held:
        order = np.argsort(column.values)
        numbers, times = np.array(column.values)[order], np.array(own.values)[order]
        if len(numbers) < 2 or not (np.diff(times) > 0).all():
            continue
        rates = np.diff(times) / np.diff(numbers)
        running = numbers[0] in (0, 1) and (np.diff(numbers) == 1).all()
        if not (rates >= 1).all() or not (rates > 1).any() or not (running or np.ptp(rates) == 0):
            continue
        remarks = ["times are epochs, as stored"] if own.epochs else []
        if not running or column.kind == CHECKPOINT:
            remarks.append(f"the numbers in the names count the checkpoints: times are the {own.key} stored in them")
        return list(own.values), remarks
    return None
