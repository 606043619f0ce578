"""Reading trajectories files of either kind."""

from __future__ import annotations

import os
from pathlib import Path

from ecodyn.errors import UnusableDataError
from ecodyn.runtime.files import check_output
from ecodyn.trajectories.csv_file import read_csv
from ecodyn.trajectories.netcdf import read_netcdf
from ecodyn.trajectories.paths import suffix_of
from ecodyn.trajectories.trajectories import Trajectories

__all__ = ["check_target", "load"]


def load(path: str | os.PathLike[str]) -> Trajectories:
    """Read a trajectories file, netCDF4 (.nc) or CSV (.csv), that this or another program wrote.

    A CSV file has a column step, one column for each feature and an optional column run; columns that are
    names and not numbers count as shared labels.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    UnusableDataError
        The file is truncated, altered or of another kind, or its data break a rule of `Trajectories`.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     table = Path(folder, "pelts.csv")
    ...     _ = table.write_text("step,hare,lynx\\n1900,30,4\\n1901,47.2,6.1\\n1902,70.2,9.8\\n")
    ...     load(table)
    Trajectories: 1 run × 3 steps (1900 to 1902) × 2 features; observables signal; labels shared
    """
    source = Path(path)
    suffix = suffix_of(source)
    try:
        if suffix == ".csv":
            return Trajectories(**read_csv(source))
        return Trajectories.from_dataset(read_netcdf(source))
    except UnusableDataError as error:
        raise error if str(source) in str(error) else UnusableDataError(f"{source}: {error}") from error


def check_target(path: str | os.PathLike[str], *, force: bool = False) -> None:
    """Raise what `Trajectories.save` would, before the work whose result is to be saved."""
    suffix_of(Path(path))
    check_output(path, force=force)
