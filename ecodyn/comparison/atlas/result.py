"""A verdict in every cell of a grid of settings, and what stands over all of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Self

from ecodyn.comparison.atlas import files
from ecodyn.comparison.atlas.cell import FAILED, AtlasCell
from ecodyn.comparison.atlas.cells import Place, Value, as_json, folder_name, of_json
from ecodyn.comparison.atlas.control import adjusted_claims, asked, control_sentence, resolution_note
from ecodyn.comparison.candidate import DECIDED, INADEQUATE, TIED
from ecodyn.comparison.model_score import Window
from ecodyn.comparison.result import RENDERERS
from ecodyn.comparison.verdict import Verdict
from ecodyn.errors import UnusableDataError
from ecodyn.runtime.json_values import plain_json

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Atlas"]


@dataclass(frozen=True, kw_only=True)
class Atlas:
    """The answer of ``compare_by``: a comparison in every cell of a grid of settings, and what stands over them.

    Attributes
    ----------
    by : names of the settings
    values : of each setting, those that there are, in order
    cells : by place, a value for each setting; places without runs are not there
    control : of the claims of all cells and windows together: "holm", "fdr" or "none"
    level : of that control
    notes : sentences on what has no part in it, and on what was found odd, with counts

    Examples
    --------
    >>> import numpy as np
    >>> from ecodyn import Trajectories, compare_by
    >>> steps, starts = np.arange(0.0, 40.0, 2.0), np.linspace(1.0, 3.0, 24).reshape(12, 1, 2)
    >>> rates = np.repeat([0.05, 0.1], 6)
    >>> runs = Trajectories(starts * np.exp(-rates[:, None] * steps)[..., None], steps, settings={"decay": rates})
    >>> atlas = compare_by(runs, ["decay"], ["linear"], ["independent"], protocols=["unseen_runs"])
    >>> atlas.values, atlas.cells[0.05,].verdict.best.family
    (((0.05, 0.1),), 'linear')
    >>> atlas.cell(decay=0.1).name, atlas.names(), atlas.windows
    ('decay=0.1', {'linear': 2}, [(0.0, 38.0)])
    >>> atlas.to_dataframe()[["decay", "model", "holds"]].values.tolist()
    [[0.05, 'linear/independent', True], [0.1, 'linear/independent', True]]
    """

    by: tuple[str, ...]
    values: tuple[Place, ...]
    cells: Mapping[Place, AtlasCell]
    control: str
    level: float
    notes: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        cells: Sequence[AtlasCell],
        values: tuple[Place, ...],
        *,
        control: str,
        level: float,
        notes: Sequence[str] = (),
    ) -> Self:
        """The cells, their claims held to the control, with what there is to say of their number."""
        claims = [w.verdict for cell in cells for w in cell.windows]
        found = iter(adjusted_claims(claims, control).tolist())
        held = [replace(cell, adjusted=tuple(next(found) for _ in cell.windows), level=level) for cell in cells]
        few = resolution_note([v.runs for v in claims], control, level)
        return cls(
            by=cells[0].by,
            values=values,
            cells={cell.place: cell for cell in held},
            control=control,
            level=level,
            notes=tuple(dict.fromkeys([*notes, *([few] if few else [])])),
        )

    def cell(self, **setting: Value) -> AtlasCell:
        """The cell with these values, one for each setting.

        Raises
        ------
        KeyError
            There is none; the sentence says which there are.
        """
        place = tuple(setting.get(name, "") for name in self.by)
        if set(setting) != set(self.by) or place not in self.cells:
            listed = "; ".join(cell.name for cell in self.cells.values())
            raise KeyError(f"no cell {setting}, expected a value of each of {', '.join(self.by)}; there are {listed}")
        return self.cells[place]

    @cached_property
    def windows(self) -> list[Window]:
        """Those of the cells, (first step, last step): of the cell that has most."""
        most = max(self.cells.values(), key=lambda cell: len(cell.windows))
        return [w.window for w in most.windows]

    @property
    def failures(self) -> tuple[str, ...]:
        """Cells that could not be compared, and models that could not be fitted in a cell."""
        return tuple(
            f"{cell.name}: {text}"
            for cell in self.cells.values()
            for text in ([cell.failure] if cell.failure else cell.comparison.failures if cell.comparison else ())
        )

    def names(self, window: int = 0) -> dict[str, int]:
        """In how many cells each family is named, most first."""
        counts = Counter(v.best.family for v in self._verdicts(window) if v.best is not None)
        return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))

    def _verdicts(self, window: int) -> list[Verdict]:
        found = (cell.verdict_of(window) for cell in self.cells.values())
        return [verdict for verdict in found if verdict is not None]

    @property
    def verdict(self) -> str:
        """The headline: which family is named in how many cells, over the first window."""
        return self.verdict_of(0)

    def verdict_of(self, window: int) -> str:
        """Which family is named in how many cells over a window, and in how many of these that stands over all."""
        cells = list(self.cells.values())
        parts = [f"{family} {self._named(family, window)}" for family in self.names(window)]
        others = Counter(cell.status(window) for cell in cells if not cell.names_one(window))
        words = {FAILED: "not compared"}
        rest = [f"{words.get(status, status).replace('_', ' ')} in {n}" for status, n in sorted(others.items())]
        first, last = self.windows[window] if self.windows else (float("nan"), float("nan"))
        runs = sum(cell.runs for cell in cells)
        lead = f"In {len(cells)} cells of {' × '.join(self.by)} ({runs} runs), steps {first:g} to {last:g}: "
        return lead + "; ".join([*parts, *rest]) + "."

    def _named(self, family: str, window: int) -> str:
        own = [c for c in self.cells.values() if (best := c.best(window)) is not None and best.family == family]
        kinds = Counter(cell.status(window) for cell in own)
        listed = ", ".join(f"{kinds[status]} {status}" for status in (DECIDED, TIED, INADEQUATE) if kinds[status])
        held = sum(cell.holds(window) for cell in own)
        return f"is named in {len(own)} ({listed}), which stands over all cells in {held}"

    @property
    def statement(self) -> str:
        """The verdicts of all windows, and what is controlled over the cells."""
        return " ".join([*(self.verdict_of(i) for i in range(max(1, len(self.windows)))), self.control_statement])

    @property
    def control_statement(self) -> str:
        """What is controlled over how many claims, at what level."""
        claims = [w.verdict for cell in self.cells.values() for w in cell.windows]
        return control_sentence(self.control, self.level, sum(map(asked, claims)))

    def to_dataframe(self) -> pd.DataFrame:
        """A row for every cell and window: its settings, what is named there, its skill, and whether it stands."""
        from ecodyn.comparison.atlas.tabular import cells_frame

        return cells_frame(list(self.cells.values()))

    def scores(self) -> pd.DataFrame:
        """A row for every model under every protocol over every window of every cell, as a comparison has them."""
        from ecodyn.comparison.atlas.tabular import scores_frame

        return scores_frame(list(self.cells.values()))

    def coefficients(self) -> pd.DataFrame:
        """A row for every coefficient of every law that was fitted to all runs of a cell."""
        from ecodyn.comparison.atlas.tabular import coefficients_frame

        return coefficients_frame(list(self.cells.values()))

    def to_json(self) -> Mapping[str, object]:
        """atlas.json as a dictionary; non-finite numbers are null."""
        return plain_json(
            {
                "schema": files.SCHEMA,
                "by": self.by,
                "values": {n: list(map(as_json, own)) for n, own in zip(self.by, self.values, strict=True)},
                "control": self.control,
                "level": self.level,
                "verdict": self.verdict,
                "statement": self.statement,
                "notes": self.notes,
                "failures": self.failures,
                "cells": [
                    cell.to_json(f"{files.CELLS}/{folder_name(self.by, place)}/{files.REPORT}")
                    for place, cell in self.cells.items()
                ],
            }
        )

    def save(self, folder: str | Path, *, force: bool = False) -> None:
        """Write atlas.json, index.html, and the reports of all cells that are not in the folder yet.

        Raises
        ------
        OutputExistsError
            There is an atlas already, and ``force`` is false.
        """
        folder = Path(folder)
        files.check_folder(folder, force=force)
        for cell in self.cells.values():
            files.write_cell(folder, cell, key=None)
        files.write_numbers(folder, self.to_json())
        self.to_html(folder / files.PAGE, force=True)  # --force was asked about at the beginning

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Read an atlas back from its folder: all but what a comparison does not keep, see `Comparison.load`.

        Raises
        ------
        UnusableDataError
            There is none, or one that is damaged or of another schema.
        """
        document = files.read_numbers(Path(folder))
        try:
            by = tuple(document["by"])
            cells = [files.read_cell(Path(folder), by, record) for record in document["cells"]]
            values = tuple(tuple(map(of_json, document["values"][name])) for name in by)
            notes, control, level = document["notes"], document["control"], document["level"]
            return cls.of(cells, values, control=control, level=level, notes=notes)
        except UnusableDataError:
            raise
        except (ValueError, TypeError, LookupError, AttributeError) as error:
            raise UnusableDataError(
                f"{Path(folder) / files.NUMBERS} is damaged ({type(error).__name__}: {error}); make the atlas again"
            ) from error

    def to_html(self, path: str | Path, *, force: bool = False) -> None:
        """Write the atlas as one page; it links to the cells' own pages under ``cells/`` beside it.

        Raises
        ------
        OutputExistsError
            The file exists and ``force`` is false.
        """
        RENDERERS["atlas"](self, path, force=force)

    def __str__(self) -> str:
        return self.statement
