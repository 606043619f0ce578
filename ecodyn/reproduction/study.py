"""The set of experiments, run in one folder that can be stopped and gone on with."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ecodyn._version import __version__
from ecodyn.report.style import RESOLUTION
from ecodyn.reproduction.cache import TrainingCache
from ecodyn.reproduction.experiment import Experiment
from ecodyn.reproduction.finding import Finding, read_table, write_table
from ecodyn.reproduction.registry import EXPERIMENTS, chosen
from ecodyn.reproduction.scale import SCALES, Scale
from ecodyn.reproduction.trainings import planned
from ecodyn.runtime.files import first_line, write_whole
from ecodyn.runtime.json_values import Json

__all__ = ["SCHEMA", "InterruptedReproduction", "Reproduction", "reproduce"]

SCHEMA = 1  # of reproduction.json, and of what is kept of an experiment


@dataclass(frozen=True)
class Reproduction:
    """What a set of experiments found.

    Attributes
    ----------
    scale : How much was done.
    findings : By experiment's name, in the order of the rows: those asked for, and others that the folder has.
    failures : Why others have none, by name.
    seconds : What training and examining took, by name; nothing where what was there was used.
    """

    scale: Scale
    findings: dict[str, Finding]
    failures: dict[str, str]
    seconds: dict[str, float]

    def to_json(self) -> dict[str, object]:
        """As reproduction.json has it."""
        return {
            "schema": SCHEMA,
            "ecodyn": __version__,
            "scale": dataclasses.asdict(self.scale),
            "experiments": [
                {
                    "row": EXPERIMENTS[name].row,
                    "name": name,
                    "section": EXPERIMENTS[name].section,
                    "title": EXPERIMENTS[name].title,
                    "seconds": round(self.seconds[name], 1) if name in self.seconds else None,
                    **finding.to_json(),
                }
                for name, finding in self.findings.items()
            ],
            "failures": self.failures,
        }


class InterruptedReproduction(KeyboardInterrupt):
    """Ctrl-C during the set; carries what was finished."""

    def __init__(self, finished: Reproduction) -> None:
        super().__init__("interrupted")
        self.finished = finished


def reproduce(
    folder: Path,
    scale: Scale | str = "small",
    experiments: Sequence[str] = (),
    *,
    jobs: int = 1,
    force: bool = False,
    progress: Callable[[int, int, str], None] | None = None,
    announce: Callable[[Experiment, Finding], None] | None = None,
) -> Reproduction:
    """Run experiments of the study, each from its trainings to a finding, tables and a figure.

    The folder gets trainings/NAME.nc, and of each experiment ROW_NAME.json, ROW_NAME.png and a CSV for each of its
    tables. What is there, from this scale and this version, is used again: a set that was stopped goes on.

    Parameters
    ----------
    folder : Made if it is not there.
    scale : "small", "full", or a `Scale` of one's own.
    experiments : Names or row numbers; all by default.
    jobs : Processes, one thread each.
    force : Examine again what was examined; trainings are kept.
    progress : Called with run-steps trained, those there are, and what is under way.
    announce : Called with each experiment and its finding once it is there.

    Raises
    ------
    ValueError
        There is no such scale or experiment, the folder holds trainings of other settings, or what is to be
        trained does not fit this machine's memory. All of it before anything is trained.
    InterruptedReproduction
        Ctrl-C.
    """
    settings = _scale(scale)
    wanted = chosen(experiments)
    folder.mkdir(parents=True, exist_ok=True)
    cache = TrainingCache(folder / "trainings", settings, jobs=jobs, progress=progress)
    cache.expect([name for experiment in wanted for name in experiment.needs])
    progressed = _Progressed(folder, settings)
    try:
        for experiment in sorted(wanted, key=lambda e: _cost(e, settings)):  # what is soon there first
            finding = progressed.examine(experiment, cache, force=force)
            if finding is not None and announce is not None:
                announce(experiment, finding)
    except KeyboardInterrupt:
        raise InterruptedReproduction(progressed.result()) from None
    return progressed.result()


@dataclass
class _Progressed:
    """A set under way: what of each experiment, by name, is there so far."""

    folder: Path
    scale: Scale
    findings: dict[str, Finding] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    def examine(self, experiment: Experiment, cache: TrainingCache, *, force: bool) -> Finding | None:
        """The finding that is kept, or a new one, which is kept then; None where that failed."""
        began = time.perf_counter()
        try:
            finding = None if force else _kept(experiment, self.folder, self.scale)
            if finding is None:
                finding = experiment.examine(cache)
                _keep(experiment, finding, self.folder, self.scale)
                self.seconds[experiment.name] = time.perf_counter() - began
        except Exception as error:  # whatever it is, the others are not to be lost with it
            self.failures[experiment.name] = first_line(error)
            return None
        self.findings[experiment.name] = finding
        return finding

    def result(self) -> Reproduction:
        """All findings of this set and others that the folder has, in the order of the rows."""
        known = {e.name: self.findings.get(e.name) or _kept(e, self.folder, self.scale) for e in EXPERIMENTS.values()}
        return Reproduction(
            scale=self.scale,
            findings={name: finding for name, finding in known.items() if finding is not None},
            failures=self.failures,
            seconds=self.seconds,
        )


def _scale(scale: Scale | str) -> Scale:
    if isinstance(scale, Scale):
        return scale
    if scale not in SCALES:
        raise ValueError(f"expected a scale, {' or '.join(SCALES)}; got {scale!r}: name one, or pass a Scale")
    return SCALES[scale]


def _cost(experiment: Experiment, scale: Scale) -> int:
    return sum(trainings.run_steps for trainings in planned(experiment.needs, scale).values())


# ----------------------------------------------------------------------------- what is kept of an experiment


def _provenance(experiment: Experiment, scale: Scale) -> dict[str, Json]:
    """What decides a finding: one of anything else is not used again."""
    described = {
        "schema": SCHEMA,
        "ecodyn": __version__,
        "experiment": experiment.name,
        "scale": dataclasses.asdict(scale),
    }
    plain: dict[str, Json] = json.loads(json.dumps(described))
    return plain


def _keep(experiment: Experiment, finding: Finding, folder: Path, scale: Scale) -> None:
    """Tables and figure first: where the JSON is, all is."""
    for name, table in finding.tables.items():
        write_table(table, _table_file(experiment, name, folder))
    with write_whole(_picture(experiment, folder), force=True) as temporary:
        experiment.draw(finding).savefig(temporary, dpi=RESOLUTION)
    stated = {"made_of": _provenance(experiment, scale), **finding.to_json()}
    with write_whole(folder / f"{experiment.file}.json", force=True) as temporary:
        temporary.write_text(json.dumps(stated, indent=1))


def _kept(experiment: Experiment, folder: Path, scale: Scale) -> Finding | None:
    path = folder / f"{experiment.file}.json"
    if not path.exists() or not _picture(experiment, folder).exists():
        return None
    try:
        stated = json.loads(path.read_text())
        if stated["made_of"] != _provenance(experiment, scale):
            return None
        tables = {name: read_table(_table_file(experiment, name, folder)) for name in stated["tables"]}
        return Finding.from_json(stated, tables)
    except (ValueError, KeyError, TypeError, OSError):  # damaged or in part deleted: it is examined again
        return None


def _picture(experiment: Experiment, folder: Path) -> Path:
    return folder / f"{experiment.file}.png"


def _table_file(experiment: Experiment, table: str, folder: Path) -> Path:
    return folder / f"{experiment.file}_{table}.csv"
