"""A folder of trajectories files with an index: each file is checked against it before it is read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from ecodyn.errors import UnusableDataError
from ecodyn.runtime.files import sha256
from ecodyn.runtime.remote import UrlPath, forget, local, state_of
from ecodyn.trajectories.checks import Checked
from ecodyn.trajectories.collection.assembly import assembled
from ecodyn.trajectories.collection.facts import Times
from ecodyn.trajectories.collection.index import INDEX, Index, Member, read_index
from ecodyn.trajectories.collection.one_file import OneFile
from ecodyn.trajectories.parts import take_runs

__all__ = ["Folder"]


class Folder:
    """The runs of a collection on disk.

    Parameters
    ----------
    path : of the folder
    """

    def __init__(self, path: Path | UrlPath) -> None:
        self.path = path
        self.index: Index = read_index(local(path / INDEX).read_bytes(), path / INDEX)
        self.facts = self.index.facts
        self._verified: dict[str, tuple[int, int | str]] = {}  # size and time of the files whose checksum was taken
        self._copied: str | None = None
        for member in self.index.members:
            self._check_size(member)

    def read(self, positions: Sequence[int]) -> Checked:
        """The runs at these positions, in this order."""
        wanted = np.asarray(positions, dtype=np.intp)
        ordered = np.unique(wanted)
        ends = self.index.ends
        held = np.searchsorted(ends, ordered, side="right")
        parts = [self._part(int(m), ordered[held == m]) for m in np.unique(held)]
        data = assembled(parts)
        back = np.searchsorted(ordered, wanted).tolist()
        return data if back == list(range(len(ordered))) else take_runs(data, back)

    @property
    def files(self) -> tuple[Path | UrlPath, ...]:
        """Its files, in the order of their runs."""
        return tuple(self.path / member.name for member in self.index.members)

    def problems(self) -> list[str]:
        """What is wrong with its files, whose checksums are taken: a sentence each."""
        found = []
        for member in self.index.members:
            try:
                self._verify(member)
            except UnusableDataError as error:
                found.append(str(error))
        return found

    def _part(self, place: int, positions: np.ndarray) -> Checked:
        """Runs of one file, named as the index names them."""
        member, known = self.index.members[place], self.facts.outline
        first = int(self.index.ends[place]) - member.runs
        self._verify(member)
        rows = range(first, first + member.runs)
        lengths = None if self.facts.times is None else Times(self.facts.times.lengths[first : rows.stop], None, None)
        own = replace(self.facts.of_runs(rows), times=lengths)
        data = OneFile(self._copy(member), own).read((positions - first).tolist())
        return replace(data, settings={n: v[positions] for n, v in known.settings.items()}, provenance=known.provenance)

    def _copy(self, member: Member) -> Path:
        """The file, or of one at a URL a copy; of several copies the last is kept."""
        file = self.path / member.name
        if self._copied not in (None, member.name):
            forget(self.path / str(self._copied))
        self._copied = member.name
        return local(file)

    def _check_size(self, member: Member) -> tuple[int, int | str]:
        file = self.path / member.name
        if not file.is_file():
            raise UnusableDataError(
                f"{self.path} lacks its file {member.name} ({member.runs} runs); copy it there, or write the "
                "collection again with ecodyn merge"
            )
        size, changed = state_of(file)
        if size != member.bytes:
            raise UnusableDataError(
                f"{file} has {size} bytes, the index of its collection says {member.bytes}: it was cut short "
                "or replaced; restore it, or write the collection again with ecodyn merge"
            )
        return size, changed

    def _verify(self, member: Member) -> None:
        """Take a file's checksum before it is read for the first time, and whenever it was written since."""
        state = self._check_size(member)
        if self._verified.get(member.name) == state:
            return
        if sha256(self._copy(member)) != member.sha256:
            raise UnusableDataError(
                f"{self.path / member.name} does not match the checksum in the index of its collection: it was damaged "
                "or replaced; restore it, or write the collection again with ecodyn merge"
            )
        self._verified[member.name] = state
