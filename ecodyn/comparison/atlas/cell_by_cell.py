"""``compare_by``: a comparison in every cell of a grid of settings, each kept as soon as it is finished."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from ecodyn.comparison.answer import summed_up
from ecodyn.comparison.atlas import files
from ecodyn.comparison.atlas.cell import AtlasCell
from ecodyn.comparison.atlas.cells import Grid, Place, cell_name, grid_of
from ecodyn.comparison.atlas.result import Atlas
from ecodyn.comparison.compare import InterruptedComparison, compare
from ecodyn.comparison.contenders import contenders
from ecodyn.comparison.kept import what_computes
from ecodyn.comparison.phases import chosen_phases
from ecodyn.comparison.request import Options, Progress, Request
from ecodyn.comparison.result import Comparison
from ecodyn.comparison.verdict import CLAIM_LEVEL
from ecodyn.errors import DataWarning, NothingFittedError, UnusableDataError
from ecodyn.extraction.gathering import data_of
from ecodyn.families.estimator import Family
from ecodyn.rollouts.iteration import parse_dynamics
from ecodyn.runtime.fingerprints import NoFingerprintError, fingerprint
from ecodyn.runtime.progress import shown
from ecodyn.statistics.clustered import clustered_mean
from ecodyn.statistics.intervals import Estimate
from ecodyn.statistics.multiplicity import CONTROLS, HOLM
from ecodyn.survivors.rules import RULES
from ecodyn.survivors.survivors import survivors
from ecodyn.trajectories import Trajectories
from ecodyn.trajectories.fingerprint import fingerprint_of

if TYPE_CHECKING:
    from ecodyn.trajectories.conversions import DataLike
    from ecodyn.trajectories.values import Numbers

__all__ = ["InterruptedAtlas", "compare_by"]

# What of a request has no say in the numbers.
BESIDE = ("jobs", "progress", "on_laws", "keep", "on_kept", "kept")
UNREPEATABLE = (
    "a family that is asked for can't be told from another by its content, such as one with a lambda: no cell can be "
    "taken from an earlier call"
)


class InterruptedAtlas(KeyboardInterrupt):
    """Ctrl-C while comparing cells: ``finished`` is the atlas of those done by then, or None."""

    def __init__(self, finished: Atlas | None) -> None:
        super().__init__("interrupted")
        self.finished = finished


def compare_by(
    data: DataLike,
    by: Sequence[str],
    families: Sequence[str | Family | type[Family]] | None = None,
    couplings: Sequence[str] | None = None,
    *,
    t: Numbers | float | None = None,
    control: str = HOLM,
    level: float = CLAIM_LEVEL,
    folder: str | Path | None = None,
    resume: bool = False,
    force: bool = False,
    **options: Unpack[Options],
) -> Atlas:
    """Which equation family describes trainings it has not seen, in every cell of a grid of their settings.

    Each cell is a comparison of its own, as ``compare(data.select(dim=64, weight_decay=0.5), ...)`` is, and what its
    verdict claims is held to a control over all cells and windows together. A cell that can't be compared, such as one
    of too few runs, is a cell with a sentence. Phases, where asked for, are found on all runs together.

    Parameters
    ----------
    data : as for `compare`; the settings of its runs are what `by` names
    by : settings of the runs; those without a value of one are left out and counted
    families, couplings, t, options : as for `compare`
    control : of the verdicts' claims: "holm" (the chance of even one false claim), "fdr" (the expected share of false
        ones, Benjamini and Hochberg), "none"
    level : a claim stands where its adjusted p-value is at most 1 − level. The default is that of a comparison's
        confidence set: an atlas of one cell says what its comparison says.
    folder : where the atlas is kept, each cell as soon as it is finished
    resume : take the cells that are in the folder already, if they were asked the same of the same data
    force : replace an atlas that is in the folder

    Raises
    ------
    UnusableDataError, ValueError
        The data or the request can't be used, in a sentence; or no cell can be compared, for the first one's reason.
    NothingFittedError
        No family could be fitted in any cell.
    OutputExistsError
        There is an atlas in the folder, and neither ``resume`` nor ``force``.
    InterruptedAtlas
        On Ctrl-C, with the cells that were finished.

    Warns
    -----
    DataWarning
        What was left out, and what comparisons warned of, with the number of cells.

    Examples
    --------
    See `Atlas`.
    """
    _check(control, level, folder, resume)
    request = Request(families=families, couplings=couplings, **options)
    runs = data_of(data, t)
    grid = grid_of(runs, by)
    phases = chosen_phases(runs, request.phases, request.windows, request.folds)
    kept = None if folder is None else Path(folder)
    if kept is not None:
        files.check_folder(kept, force=force, resume=resume)
    with shown(request.progress, "comparing") as progress:
        request = replace(request, phases=phases, progress=progress)
        work = _Work(grid, request, kept, resume, control, level)
        atlas = work.done()
    if kept is not None and (files.write_numbers(kept, atlas.to_json()) or not (kept / files.PAGE).exists()):
        atlas.to_html(kept / files.PAGE, force=True)
    if atlas.notes:
        warnings.warn("; ".join(atlas.notes), DataWarning, stacklevel=2)
    return atlas


def _check(control: str, level: float, folder: str | Path | None, resume: bool) -> None:
    if control not in CONTROLS:
        raise ValueError(f"expected a control of the cells' claims, {', '.join(CONTROLS)}; got {control!r}")
    if not 0 < level < 1:
        raise ValueError(f"expected a level between 0 and 1, got {level}; {CLAIM_LEVEL} is usual")
    if resume and folder is None:
        raise ValueError("resume goes on with the cells in a folder, got none; say folder=... (-o FOLDER)")


@dataclass(frozen=True, eq=False)
class _Work:
    """The cells of a grid, what is asked of each, and where they are kept."""

    grid: Grid
    request: Request
    folder: Path | None
    resume: bool
    control: str
    level: float

    def done(self) -> Atlas:
        """Compare cell by cell; what fails is a cell with a sentence."""
        cells: list[AtlasCell] = []
        errors: list[Exception] = []
        for number, (place, runs) in enumerate(self.grid.cells.items()):
            try:
                cells.append(self._cell(number, place, runs))
            except InterruptedComparison:
                raise InterruptedAtlas(self._atlas(cells) if cells else None) from None
            except (ValueError, NothingFittedError) as error:  # UnusableDataError is a ValueError
                errors.append(error)
                cells.append(self._made(place, runs, None, str(error)))
        if len(errors) == len(cells):
            raise errors[0]
        return self._atlas(cells)

    def _atlas(self, cells: Sequence[AtlasCell]) -> Atlas:
        """The cells together, with what their comparisons warn of, each kind of sentence once."""
        said = [text for cell in cells if cell.comparison for text in dict.fromkeys(cell.comparison.warnings)]
        notes = [*self.grid.notes, *summed_up(said, "cells")]
        return Atlas.of(cells, self.grid.values, control=self.control, level=self.level, notes=notes)

    def _cell(self, number: int, place: Place, runs: Trajectories) -> AtlasCell:
        """A cell, as it was kept or compared now."""
        key = None
        if self.folder is not None:
            key = _key(runs, self.request)
            if key is None:
                warnings.warn(UNREPEATABLE, DataWarning, stacklevel=2)
            found = files.finished_cell(self.folder, self.grid.by, place, key) if self.resume else None
            if found is not None:
                return found
        name = cell_name(self.grid.by, place)
        beside = {"progress": self._progress(number, name), "on_laws": _named(self.request.on_laws, name)}
        beside["on_kept"] = _named(self.request.on_kept, name)
        asked = {f.name: getattr(self.request, f.name) for f in fields(self.request)} | beside
        comparison = _compared(runs, asked)
        comparison = replace(comparison, data={**comparison.data, "cell": dict(zip(self.grid.by, place, strict=True))})
        cell = self._made(place, runs, comparison)
        if self.folder is not None:
            files.write_cell(self.folder, cell, key=key)
        return cell

    def _made(self, place: Place, runs: Trajectories, comparison: Comparison | None, failure: str = "") -> AtlasCell:
        return AtlasCell(
            by=self.grid.by,
            place=place,
            runs=runs.n_runs,
            clusters=runs.n_clusters,
            comparison=comparison,
            failure=failure,
            survivors=_survivors(runs, self.request.survivor_rule),
        )

    def _progress(self, number: int, name: str) -> Progress | None:
        """How far all cells are, as if each had as many tasks as this one."""
        tell = self.request.progress
        if not callable(tell):
            return None

        def told(done: int, total: int, what: str) -> None:
            tell(number * total + done, len(self.grid.cells) * total, f"{name}: {what}")

        return told


def _compared(runs: Trajectories, asked: Mapping[str, Any]) -> Comparison:
    """A cell's comparison; what it warns of at its end stands in it, and is said once for all cells."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        comparison = compare(runs, **asked)
    for w in caught:
        if str(w.message) != "; ".join(comparison.warnings):
            warnings.warn_explicit(w.message, w.category, w.filename, w.lineno)
    return comparison


def _named(tell: Callable[[str], None] | None, name: str) -> Callable[[str], None] | None:
    return None if tell is None else lambda statement: tell(f"{name}: {statement}")


def _survivors(runs: Trajectories, rule: str) -> Estimate | None:
    """Mean number of survivors at the runs' last steps; None where the rule can't tell them."""
    try:
        found = survivors(runs, rule)
    except UnusableDataError:
        return None
    return clustered_mean(found.counts, runs.clusters, within=(0.0, float(runs.n_features)))


def _key(runs: Trajectories, request: Request) -> str | None:
    """A checksum of a cell's data, of all that is asked of it and of what computes; None where that can't be told."""
    asked = {f.name: getattr(request, f.name) for f in fields(request) if f.name not in BESIDE}
    asked["families"] = contenders(
        request.families, request.couplings, request.state, request.parameters, parse_dynamics(request.dynamics)
    )
    rule = RULES.named(request.survivor_rule)  # with the text of one that is another distribution's, as of families
    try:
        return fingerprint(what_computes(), fingerprint_of(runs), asked, rule)
    except NoFingerprintError:
        return None
