"""Parquet files, of which a damaged one raises anything: Arrow's errors and those of what others wrote into it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ecodyn.errors import UnusableDataError
from ecodyn.runtime.files import damaged

if TYPE_CHECKING:
    import pyarrow.parquet

__all__ = ["SIGNATURE", "SUFFIX", "opened_parquet"]

SUFFIX, SIGNATURE = ".parquet", b"PAR1"


@contextmanager
def opened_parquet(path: Path, again: str = "copy or write it again") -> Iterator[pyarrow.parquet.ParquetFile]:
    """A file whose columns are read within; ``again`` is what to do where it is damaged.

    Raises
    ------
    UnusableDataError
        It is damaged, or whoever reads it found it unusable.
    ModuleNotFoundError
        pyarrow is missing; with how to install it.
    """
    try:
        import pyarrow.parquet
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            'reading Parquet needs pyarrow; install it with: python -m pip install "ecodyn-toolkit[logs]"',
            name="pyarrow",
        ) from None
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            yield file
    except UnusableDataError:
        raise
    except Exception as error:  # Arrow's own, and KeyError to UnicodeDecodeError of what pandas wrote
        raise damaged(path, error, again) from None
