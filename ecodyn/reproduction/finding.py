"""What an experiment found: checks of claims, each with its interval, and the tables that its figure is drawn from."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecodyn.runtime.files import write_whole
from ecodyn.survival import Estimate

__all__ = [
    "AGREES",
    "DISAGREES",
    "NO_CLAIM",
    "UNDECIDED",
    "Check",
    "Finding",
    "Table",
    "above",
    "below",
    "question",
    "read_table",
    "within",
    "write_table",
]

AGREES, DISAGREES, UNDECIDED, NO_CLAIM = "agrees", "disagrees", "undecided", "no claim known"

KEYS = {"observation": "found"}  # of JSON, where they are other than the fields

Table = dict[str, NDArray[Any]]
"""Columns by name, all of one length; what a CSV file holds."""


@dataclass(frozen=True)
class Check:
    """One claim, and what was observed of it.

    Attributes
    ----------
    claim
        As the study has it; empty where no result of it is known.
    observation
        What was found of it, a sentence with the number and its interval.
    agreement
        AGREES, DISAGREES, UNDECIDED or NO_CLAIM.
    value, low, high
        The number that the agreement is judged by, and its 95 % interval over clusters.
    reading
        Whether the claim, or the bound that it is held to, is a reading of the study's and not its own word.
    """

    claim: str
    observation: str
    agreement: str
    value: float = math.nan
    low: float = math.nan
    high: float = math.nan
    reading: bool = False

    @property
    def stated(self) -> str:
        """The claim in words, with whose it is; empty where none is known."""
        return f"{self.claim} (our reading)" if self.reading else self.claim


@dataclass(frozen=True)
class Finding:
    """All that an experiment found; the first check is the headline, the first table the one to plot from."""

    checks: tuple[Check, ...]
    tables: dict[str, Table]
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, object]:
        """Checks and notes, non-finite numbers as None; tables have files of their own."""
        checks = [{KEYS.get(k, k): _plain(v) for k, v in asdict(check).items()} for check in self.checks]
        return {"checks": checks, "notes": list(self.notes), "tables": list(self.tables)}

    @classmethod
    def from_json(cls, stated: Mapping[str, Any], tables: dict[str, Table]) -> Finding:
        """The inverse of `to_json`."""
        fields = {key: name for name, key in KEYS.items()}
        judged = [Check(**{fields.get(k, k): _unplain(k, v) for k, v in check.items()}) for check in stated["checks"]]
        return cls(tuple(judged), tables, tuple(stated["notes"]))


# ----------------------------------------------------------------------------------- judging by an interval


def above(claim: str, observation: str, estimate: Estimate, bound: float = 0.0, *, reading: bool = False) -> Check:
    """The claim says: more than the bound. It agrees if all of the interval is, disagrees if all lies below."""
    return _judged(claim, observation, estimate, bound, math.inf, reading)


def below(claim: str, observation: str, estimate: Estimate, bound: float = 0.0, *, reading: bool = False) -> Check:
    """The claim says: less than the bound."""
    return _judged(claim, observation, estimate, -math.inf, bound, reading)


def within(
    claim: str, observation: str, estimate: Estimate, low: float, high: float, *, reading: bool = False
) -> Check:
    """The claim says: between low and high. It agrees if the whole interval is, disagrees if none of it is."""
    return _judged(claim, observation, estimate, low, high, reading)


def question(observation: str, estimate: Estimate) -> Check:
    """What was found where no result of the study is known, so that there is nothing to agree with."""
    return Check(
        claim="",
        observation=observation,
        agreement=NO_CLAIM,
        value=float(estimate.mean),
        low=float(estimate.low),
        high=float(estimate.high),
    )


def _judged(claim: str, observation: str, estimate: Estimate, low: float, high: float, reading: bool) -> Check:
    if math.isnan(estimate.low) or math.isnan(estimate.high):
        agreement = UNDECIDED
    elif low < estimate.low and estimate.high < high:
        agreement = AGREES
    elif estimate.high < low or estimate.low > high:
        agreement = DISAGREES
    else:
        agreement = UNDECIDED
    return Check(
        claim=claim,
        observation=observation,
        agreement=agreement,
        value=float(estimate.mean),
        low=float(estimate.low),
        high=float(estimate.high),
        reading=reading,
    )


# --------------------------------------------------------------------------------------------------- tables


def write_table(table: Table, path: Path) -> None:
    """Write columns as CSV, replacing the file; whole or not at all."""
    with write_whole(path, force=True) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(table)
        writer.writerows(zip(*(column.tolist() for column in table.values()), strict=True))


def read_table(path: Path) -> Table:
    """Read columns: numbers where all entries are numbers, else text."""
    with path.open(newline="", encoding="utf-8") as file:
        names, *rows = csv.reader(file)
    columns = zip(*rows, strict=True) if rows else [()] * len(names)
    return {name: _column(column) for name, column in zip(names, columns, strict=True)}


def _column(entries: Sequence[str]) -> NDArray[Any]:
    if all(entry in ("True", "False") for entry in entries):
        return np.array([entry == "True" for entry in entries], dtype=bool)
    for kind in (int, float):
        try:
            return np.array([kind(entry) for entry in entries])
        except ValueError:
            continue
    return np.array(entries)


def _plain(value: object) -> object:
    return None if isinstance(value, float) and not math.isfinite(value) else json.loads(json.dumps(value))


def _unplain(name: str, value: Any) -> Any:
    return math.nan if value is None and name in ("value", "low", "high") else value
