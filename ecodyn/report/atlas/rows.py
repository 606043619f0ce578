"""The table of an atlas's cells, as text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from ecodyn.comparison.atlas import Atlas, AtlasCell
from ecodyn.comparison.atlas.cell import FAILED
from ecodyn.comparison.atlas.cells import folder_name
from ecodyn.comparison.atlas.files import CELL_PAGE, CELLS
from ecodyn.report.formatting import DASH, interval, number, probability

__all__ = ["CellRow", "cell_rows", "grouped_failures"]


@dataclass(frozen=True, kw_only=True)
class CellRow:
    """One cell over one window as text; ``href`` is where its own page is, "" where it has none."""

    name: str
    setting: list[str]
    runs: str
    status: str
    best: str
    skill: str
    interval: str
    p_value: str
    adjusted: str
    stands: str
    survivors: str
    statement: str
    href: str

    @classmethod
    def of(cls, cell: AtlasCell, window: int) -> CellRow:
        """The row of a cell."""
        verdict, best, survivors = cell.verdict_of(window), cell.best(window), cell.survivors
        shown = best or next(iter(cell.families(window).values()), None)  # in brackets, where none is named
        skill = None if shown is None else shown.skill_interval
        bracket = "{}" if best is not None else "({})"
        independent = "" if cell.clusters == cell.runs else f" ({cell.clusters} independent)"
        named = cell.names_one(window)
        return cls(
            name=cell.name,
            setting=[str(value) for value in cell.place],
            runs=f"{cell.runs}{independent}",
            status="not compared" if cell.status(window) == FAILED else cell.status(window).replace("_", " "),
            best=DASH if shown is None else bracket.format(shown.label),
            skill=DASH if skill is None else bracket.format(number(skill.mean)),
            interval=DASH if skill is None else interval(skill.low, skill.high),
            p_value=probability(verdict.p_value) if verdict is not None and named else DASH,
            adjusted=probability(cell.adjusted[window]) if named else DASH,
            stands=("yes" if cell.holds(window) else "no") if named else DASH,
            survivors=DASH if survivors is None else number(survivors.mean, 1),
            statement=cell.failure if verdict is None else verdict.statement,
            href=f"{CELLS}/{quote(folder_name(cell.by, cell.place))}/{CELL_PAGE}" if cell.comparison else "",
        )


def cell_rows(atlas: Atlas, window: int = 0) -> list[CellRow]:
    """A row for every cell, in the order of the settings."""
    return [CellRow.of(cell, window) for cell in atlas.cells.values()]


def grouped_failures(failures: Sequence[str]) -> list[str]:
    """Failures, those of one sentence together: "dim=8, dim=16: ..."."""
    cells: dict[str, list[str]] = {}
    for text in failures:
        name, _, sentence = text.partition(": ")
        cells.setdefault(sentence, []).append(name)
    return [f"{'; '.join(dict.fromkeys(names))}: {sentence}" for sentence, names in cells.items()]
