"""The files that a run's numbers come from, with sizes and checksums."""

from __future__ import annotations

import hashlib
from pathlib import Path

from ecodyn.logs import Log
from ecodyn.runtime.files import sha256
from ecodyn.runtime.remote_path import RemotePath

__all__ = ["Source", "sources_of"]

MOST_SOURCES = 16  # files of one run that are listed singly; of more, a checksum over their checksums

Source = dict[str, str | int]
"""What the provenance says of a file, or of many: path, bytes, checksum."""


def sources_of(log: Log, whole: bool) -> list[Source]:
    """One entry a file, with its checksum if it is read whole; of many files, one for all.

    Of what is at a URL, and so need not be fetched whole, there is what its store tells versions by.
    """
    whole = whole and not isinstance(log.path, RemotePath)
    if len(log.sources) > MOST_SOURCES:
        lines = [f"{sha256(path)}  {path.name}\n" for path in log.sources] if whole else []
        listing = hashlib.sha256("".join(lines).encode()).hexdigest()
        total = sum(path.stat().st_size for path in log.sources)
        entry: Source = {"path": str(log.path), "files": len(log.sources), "bytes": total}
        return [entry | ({"sha256_of_sha256sum": listing} if whole else {})]
    return [_source(path, whole) for path in log.sources]


def _source(path: Path, whole: bool) -> Source:
    entry: Source = {"path": str(path), "bytes": path.stat().st_size}
    if isinstance(path, RemotePath):
        return entry | {"version": path.there.state()[1]}
    return entry | ({"sha256": sha256(path)} if whole else {})
