"""Tables of values already reduced to features: CSV, JSON lines, Parquet."""

from __future__ import annotations

from pathlib import Path

from ecodyn.logs.frames import ArrayFrames
from ecodyn.logs.log import Format, Log, LogOptions
from ecodyn.tables import SUFFIXES, interpret, read_table

__all__ = ["Table"]


class Table(Format):
    """A table with a column ``step`` and a column a feature (or a row a value), and optionally a column ``run``.

    Cells may be empty: a feature's series are its own rows. What is read how is said in `ecodyn.tables`.
    """

    name = "table"
    description = "a table in .csv, .tsv, .jsonl or .parquet with a column step, or a chart's that W&B exports"

    def recognises(self, path: Path) -> bool:
        """Any file with one of the suffixes."""
        return path.is_file() and path.suffix.lower() in SUFFIXES

    def open(self, path: Path, options: LogOptions) -> list[Log]:
        """One log for each run."""
        frame = read_table(path, [] if options.run_column is None else [options.run_column])
        table = interpret(frame, options.of_table(), where=str(path))
        return [
            Log(
                path=path,
                format=self.name,
                name=path.stem if table.columns.run is None else str(run),
                steps=times,
                frames=ArrayFrames(values),
                sources=(path,),
                features=table.features,
                remarks=(*table.general, *remarks),
                arrays={str(name): (len(frame),) for name in frame.columns},
            )
            for run, times, values, remarks in zip(table.runs, table.times, table.values, table.of_run, strict=True)
        ]
