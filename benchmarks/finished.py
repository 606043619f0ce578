"""What a benchmark has finished, a line of JSON each, so that one that was stopped can go on."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

Key = TypeVar("Key")


def read(path: Path, key: Callable[[dict[str, Any]], Key]) -> Iterator[tuple[Key, dict[str, Any]]]:
    """Records with their keys; a line that a kill cut short, or that has no key, is left out."""
    for line in path.read_text().splitlines() if path.exists() else ():
        try:
            record = json.loads(line)
            found = key(record)
        except (ValueError, KeyError):
            continue
        yield found, record


def append(path: Path, record: dict[str, Any]) -> None:
    """Put a record at the end of the file."""
    with path.open("a") as out:
        out.write(json.dumps(record) + "\n")
