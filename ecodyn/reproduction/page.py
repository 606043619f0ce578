"""What the experiments found, for people: a line a claim, a table, a CSV, and a page of figures."""

from __future__ import annotations

import base64
import json
import math
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ecodyn.report.embedded import template
from ecodyn.reproduction.finding import AGREES, DISAGREES, KEYS, NO_CLAIM, UNDECIDED, write_table
from ecodyn.reproduction.registry import EXPERIMENTS
from ecodyn.reproduction.study import Reproduction
from ecodyn.runtime.files import write_whole

if TYPE_CHECKING:
    from rich.table import Table as RichTable

__all__ = ["claim_lines", "claims_table", "write_pages"]

COLOURS = {AGREES: "green", DISAGREES: "red"}


@dataclass(frozen=True)
class ClaimRow:
    """A line of claims.csv: a check, and the experiment that it is of; numbers that there are none of are blank."""

    row: int
    experiment: str
    claim: str
    observation: str
    agreement: str
    value: float | str
    low: float | str
    high: float | str


def claim_lines(result: Reproduction) -> list[str]:
    """A line a claim: row, whether it agrees, the claim, what was found."""
    return [
        f"{row.row:>2}  {': '.join(filter(None, (row.agreement, row.claim)))}; found: {row.observation}"
        for row in _claims(result)
    ]


def claims_table(result: Reproduction) -> RichTable:
    """The same for a terminal, as a rich table."""
    from rich.table import Table as RichTable
    from rich.text import Text

    table = RichTable(title=f"The study's claims, scale {result.scale.name}", show_lines=True)
    for name in ("row", "claim", "found", ""):
        table.add_column(name, justify="right" if name == "row" else "left")
    for row in _claims(result):
        colour = COLOURS.get(row.agreement, "yellow")
        table.add_row(str(row.row), row.claim, row.observation, Text(row.agreement, style=colour))
    return table


def write_pages(result: Reproduction, folder: Path) -> None:
    """reproduction.json, claims.csv, and index.html, which holds all figures."""
    with write_whole(folder / "reproduction.json", force=True) as temporary:
        temporary.write_text(json.dumps(result.to_json(), indent=1, allow_nan=False), encoding="utf-8")
    rows = _claims(result)
    columns = {
        KEYS.get(f.name, f.name): np.array([getattr(row, f.name) for row in rows], object) for f in fields(ClaimRow)
    }
    write_table(columns, folder / "claims.csv")
    with write_whole(folder / "index.html", force=True) as temporary:
        temporary.write_text(_html(result, folder), encoding="utf-8")


def _claims(result: Reproduction) -> list[ClaimRow]:
    return [
        ClaimRow(
            row=EXPERIMENTS[name].row,
            experiment=name,
            claim=check.stated,
            observation=check.observation,
            agreement=check.agreement,
            value=_blank(check.value),
            low=_blank(check.low),
            high=_blank(check.high),
        )
        for name, finding in result.findings.items()
        for check in finding.checks
    ]


def _summary(result: Reproduction) -> str:
    judged = [check.agreement for finding in result.findings.values() for check in finding.checks]
    agrees, disagrees, undecided, unknown = map(judged.count, (AGREES, DISAGREES, UNDECIDED, NO_CLAIM))
    claims = agrees + disagrees + undecided
    said = (
        f"of {claims} claims the trainings agree with {agrees} and disagree with {disagrees}; {undecided} are undecided"
    )
    return said + (f"; {unknown} findings more answer no claim that is known" if unknown else "")


def _blank(value: float) -> float | str:
    return value if math.isfinite(value) else ""


def _html(result: Reproduction, folder: Path) -> str:
    sections = []
    for name, finding in result.findings.items():
        experiment = EXPERIMENTS[name]
        picture = base64.b64encode((folder / f"{experiment.file}.png").read_bytes()).decode()
        sections.append(
            {
                "experiment": experiment,
                "finding": finding,
                "picture": f"data:image/png;base64,{picture}",
                "tables": [f"{experiment.file}_{table}.csv" for table in finding.tables],
            }
        )
    return str(
        template("reproduction.html").render(
            scale=result.scale, sections=sections, claims=_claims(result), summary=_summary(result),
            failures=result.failures,
        )
    )  # fmt: skip
