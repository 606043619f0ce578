"""Files of tables -> DataFrames: CSV of any separator, JSON lines, Parquet."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ecodyn.errors import UnusableDataError
from ecodyn.runtime.files import first_bytes
from ecodyn.tables.parquet import SIGNATURE, opened_parquet
from ecodyn.tables.text import read_text

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["NEPTUNE", "SUFFIXES", "read_table"]

TEXT, JSON_LINES, PARQUET = (".csv", ".tsv"), (".jsonl", ".ndjson"), (".parquet", ".pq")
NEPTUNE = {"run_id", "attribute_path", "attribute_type", "step", "float_value"}  # no other table has these together
SUFFIXES = (*TEXT, *JSON_LINES, *PARQUET)  # of tables


def read_table(path: str | os.PathLike[str], labels: Sequence[str] = ()) -> pd.DataFrame:
    """Read a table as it stands: CSV, TSV or text in columns, JSON lines or Parquet, by the suffix.

    Numbers are read exactly. Names of runs and features stay text, so that 007 is not 7. What ecodyn noted in a comment
    line, and other comments, are in the frame's ``attrs``.

    Parameters
    ----------
    path
        The file.
    labels
        Further columns of text files that hold labels, such as one of runs by another name.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    UnusableDataError
        It is truncated, damaged or no table.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from ecodyn.tables import read_table
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "runs.csv")
    ...     _ = path.write_text("step;run;x\\n0;007;0,5\\n1;007;0,25\\n")
    ...     read_table(path)
       step  run     x
    0     0  007  0.50
    1     1  007  0.25
    """
    path = path if isinstance(path, Path) else Path(path)  # one of what is at a URL stays that
    if path.is_dir():
        raise UnusableDataError(f"{path} is a folder, expected a table; name a file inside it")
    if not path.exists():
        raise FileNotFoundError(f"there is no file {path}")
    start = first_bytes(path, "a table")
    suffix = path.suffix.lower()
    if suffix in PARQUET:
        return _parquet(path, start)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnusableDataError(f"{path} is not a text file in UTF-8 ({error}); save it in UTF-8") from None
    return _json_lines(path, text) if suffix in JSON_LINES else read_text(path, text, labels)


def _json_lines(path: Path, text: str) -> pd.DataFrame:
    import pandas as pd

    rows = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise UnusableDataError(
                f"{path}: line {number} is not JSON ({error}); it may be truncated: complete or delete it"
            ) from None
        if not isinstance(row, dict):
            raise UnusableDataError(f"{path}: line {number} holds a {type(row).__name__}, expected an object")
        rows.append(row)
    names = list(dict.fromkeys(name for row in rows for name in row))
    if any("\ud800" <= letter <= "\udfff" for name in names for letter in name):
        raise UnusableDataError(f"{path} has a name with half a character in it (a surrogate); write it as UTF-8")
    columns = {name: pd.Series([row.get(name) for row in rows], dtype=object) for name in names}
    return pd.DataFrame(columns, columns=names)


def _parquet(path: Path, start: bytes) -> pd.DataFrame:
    if not start.startswith(SIGNATURE):
        raise UnusableDataError(f"{path} is not a Parquet file, or damaged; check what it is, or copy it again")
    with opened_parquet(path) as file:
        names = file.schema_arrow.names
        if len(set(names)) < len(names):
            raise UnusableDataError(f"{path} has two columns of the same name in {', '.join(names)}; rename one")
        if {*names} >= NEPTUNE:
            raise UnusableDataError(
                f"{path} is a part of Neptune's export, expected a table; turn its folder into trajectories with "
                f"ecodyn extract {path.parent} -o runs.nc"
            )
        return file.read().to_pandas()
