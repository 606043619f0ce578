"""``index.json``: what a collection holds, and in which files."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ecodyn.arrays import Integers
from ecodyn.errors import UnusableDataError
from ecodyn.runtime.json_values import Json
from ecodyn.runtime.remote import UrlPath
from ecodyn.trajectories.checks import Checked
from ecodyn.trajectories.collection.facts import Facts, Times, kinds_of, placeholders
from ecodyn.trajectories.labels import Setting

__all__ = ["INDEX", "Index", "Member", "is_collection", "is_replaceable", "read_index", "written_index"]

INDEX = "index.json"
MARK = "ecodyn_collection"  # the entry of an index with its schema
SCHEMA = 1
PART = re.compile(r"index\.json|part_\d+\.nc")  # what is written into a folder
KINDS: dict[str, type] = {"int64": np.int64, "float64": np.float64, "text": np.str_}


@dataclass(frozen=True)
class Member:
    """One file of a collection: its name in the folder, how many runs it has, its size and SHA-256."""

    name: str
    runs: int
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Index:
    """What is known of the runs, and the files that hold them, in order."""

    facts: Facts
    members: tuple[Member, ...]

    @property
    def ends(self) -> Integers:
        """One after the position of the last run of each file."""
        return np.cumsum([member.runs for member in self.members])


def is_collection(path: Path | UrlPath) -> bool:
    """Whether a path is a folder with an index of a collection."""
    index = path / INDEX
    if not index.is_file():
        return False
    with index.open() if isinstance(index, UrlPath) else index.open("rb") as file:
        return f'"{MARK}"'.encode() in file.read(64)  # its first entry


def is_replaceable(path: Path) -> bool:
    """Whether a folder holds a collection as it was written and nothing else that would be lost with it."""
    return is_collection(path) and all(PART.fullmatch(e.name) or e.name[0] == "." for e in path.iterdir())


# ------------------------------------------------------------------------------------------------ written


def written_index(index: Index, written: Mapping[str, Json]) -> str:
    """An index as the text of its file; `written` says how it was."""
    facts, outline = index.facts, index.facts.outline
    if facts.times is None:
        raise ValueError("expected runs of known lengths; read them first")
    table: dict[str, object] = {
        MARK: SCHEMA,
        "written": dict(written),
        "files": [vars(member) for member in index.members],
        "observables": list(outline.observables),
        "curves": list(outline.curves),
        "inputs": kinds_of(outline.inputs),
        "embedding": outline.embedding is not None,
        "lacks_values": facts.lacks_values,
        "labels_shared": outline.labels_shared,
        "features": outline.features.tolist(),
        "steps": None if facts.times.steps is None else facts.times.steps.tolist(),
        "span": facts.times.span,
        "runs": outline.runs.tolist(),
        "lengths": facts.times.lengths.tolist(),
        "clusters": outline.clusters.tolist(),
        "settings": {name: _setting(values) for name, values in outline.settings.items()},
        "provenance": outline.provenance,
    }
    entries = (f"{json.dumps(name)}: {json.dumps(value)}" for name, value in table.items())  # one a line
    return "{" + ",\n".join(entries) + "}\n"


def _setting(values: Setting) -> dict[str, object]:
    kind = "text" if values.dtype.kind == "U" else str(values.dtype)
    held = values.tolist()
    # JSON has no word for what is not finite; Python's float() reads these.
    return {"kind": kind, "values": [str(v) if isinstance(v, float) and not math.isfinite(v) else v for v in held]}


# ------------------------------------------------------------------------------------------------ read


def read_index(text: str | bytes, where: object) -> Index:
    """The inverse of `written_index`.

    Raises
    ------
    UnusableDataError
        It is damaged, of a newer schema, or contradicts itself.
    """
    try:
        table = json.loads(text)
        schema = table[MARK]
        if schema > SCHEMA:
            raise UnusableDataError(
                f"{where} follows schema {schema}, this version of ecodyn reads up to {SCHEMA}; upgrade ecodyn"
            )
        index = _index(table)
    except UnusableDataError:
        raise
    except (ValueError, TypeError, AttributeError, LookupError, OverflowError, RecursionError) as error:
        raise UnusableDataError(
            f"{where} is damaged ({type(error).__name__}: {error}); write the collection again with ecodyn merge"
        ) from error
    runs, listed = len(index.facts.outline.runs), sum(member.runs for member in index.members)
    if runs != listed:
        raise UnusableDataError(
            f"{where} names {runs} runs, its files have {listed}; write the collection again with ecodyn merge"
        )
    return index


def _index(table: Mapping[str, Any]) -> Index:
    _refuse_other_types(table)
    members = tuple(map(_member, table["files"]))
    R, features = len(table["runs"]), _labels(table["features"])
    values = np.empty((R, 0, len(features)))
    lengths = np.array(table["lengths"], dtype=np.intp)
    provenance: dict[str, Json] = table["provenance"]
    outline = Checked(
        observables=dict.fromkeys(table["observables"], values),
        times=np.empty((R, 0)),
        lengths=np.zeros(R, dtype=np.intp),
        features=features,
        runs=_labels(table["runs"]),
        clusters=_labels(table["clusters"]),
        settings={
            name: np.array([KINDS[held["kind"]](v) for v in held["values"]]) for name, held in table["settings"].items()
        },
        curves=dict.fromkeys(table["curves"], np.empty((R, 0))),
        embedding=np.empty((R, 1, 0)) if table["embedding"] else None,
        labels_shared=table["labels_shared"],
        provenance=provenance,
        inputs={name: placeholders(name, kind, R) for name, kind in table["inputs"].items()},
    )
    lacking = {len(column) for column in (lengths, outline.clusters, *outline.settings.values())} - {R}
    if lacking or not R or not members:
        raise ValueError(f"columns of {lacking or 0} entries for {R} runs in {len(members)} files")
    if lengths.min() < 1:
        raise ValueError(f"a run of {lengths.min()} steps")
    steps = None if table["steps"] is None else np.array(table["steps"], dtype=np.float64)
    if steps is not None and not (steps.shape == (lengths.max(),) and np.all(np.diff(steps) > 0)):
        raise ValueError(f"steps that are not {lengths.max()} times in order")
    first, last = table["span"]
    times = Times(lengths, steps, (float(first), float(last)))
    return Index(Facts(outline, int(lengths.max()), table["lacks_values"], times), members)


def _refuse_other_types(table: Mapping[str, Any]) -> None:
    """What would be taken for something else without an error."""
    for name in ("embedding", "lacks_values", "labels_shared"):
        if not isinstance(table[name], bool):
            raise TypeError(f"expected {name} to be true or false, got {table[name]!r:.40}")
    if not isinstance(table["provenance"], dict):
        raise TypeError(f"expected a provenance of entries, got {table['provenance']!r:.40}")
    for name in ("features", "runs"):
        if len(set(table[name])) < len(table[name]):
            raise ValueError(f"{name} of which several have one label")


def _member(entry: Mapping[str, Any]) -> Member:
    """A file of the folder itself: an index that came from elsewhere must not name files beside it."""
    member = Member(**entry)
    name = member.name
    if not isinstance(name, str) or name in ("", ".", "..") or set(name) & set("/\\:\0"):
        raise ValueError(f"expected the name of a file in the folder, got {name!r:.80}")
    if not all(type(n) is int and n > 0 for n in (member.runs, member.bytes)) or not isinstance(member.sha256, str):
        raise ValueError(f"expected numbers of runs and bytes, and a checksum, of {name}")
    return member


def _labels(labels: Sequence[int | str]) -> np.ndarray:
    if not isinstance(labels, list) or not all(type(label) in (int, str) for label in labels):
        raise TypeError(f"expected labels that are whole numbers or text, got {labels!r:.80}")
    return np.array(labels, dtype=np.str_ if any(isinstance(label, str) for label in labels) else np.int64)
