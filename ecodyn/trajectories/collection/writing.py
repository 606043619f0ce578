"""Writing a collection: one file after the other, so that no more than one part is in memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from ecodyn.runtime.files import sha256, write_whole
from ecodyn.runtime.folders import write_folder
from ecodyn.runtime.json_values import Json
from ecodyn.trajectories.checks import Checked
from ecodyn.trajectories.collection.assembly import assembled
from ecodyn.trajectories.collection.facts import Facts, Measured
from ecodyn.trajectories.collection.index import INDEX, Index, Member, is_replaceable, written_index
from ecodyn.trajectories.collection.plan import fitted
from ecodyn.trajectories.dataset import fields_of
from ecodyn.trajectories.joining import common_provenance
from ecodyn.trajectories.netcdf import write_netcdf

__all__ = ["write_collection"]

# To open a file takes as long as to read some 16 MB of it: with less in each, a pass would be spent on opening files.
PACKED_BYTES = 1 << 24


def write_collection(
    parts: Iterable[Checked],
    whole: Checked,
    path: Path,
    *,
    force: bool = False,
    written: Mapping[str, Json] | None = None,
) -> None:
    """Write the parts as files of the folder `path`, and the index beside them.

    Parameters
    ----------
    parts
        In order; each is taken, written and let go before the next. Small ones share a file.
    whole
        The outline of all of them; see `planned`.
    path, force
        The folder, and whether a collection that is there is replaced.
    written
        What the index says of how it was written, such as the command.
    """
    members: list[Member] = []
    found, lacking = Measured(), False
    with write_folder(path, force=force, replaceable=is_replaceable) as folder:
        for data in _packed(parts, whole):
            file = folder / f"part_{len(members):05d}.nc"
            write_netcdf(fields_of(data), file)
            members.append(Member(file.name, len(data.runs), file.stat().st_size, sha256(file)))
            found.add(data.times, data.lengths)
            lacking = lacking or data.missing is not None
            del data  # before the next is read
        index = Index(Facts(whole, int(found.times.lengths.max()), lacking, found.times), tuple(members))
        with write_whole(folder / INDEX) as temporary:
            temporary.write_text(written_index(index, written or {}), encoding="utf-8")


def _packed(parts: Iterable[Checked], whole: Checked) -> Iterator[Checked]:
    """Parts made to fit, those that are small together with the next ones."""
    held: list[Checked] = []
    runs = bytes_held = 0
    for part in parts:
        data = fitted(part, whole, runs)
        size = sum(array.nbytes for array in data.arrays().values())
        runs += len(data.runs)
        if held and bytes_held + size > PACKED_BYTES:
            yield _together(held)
            held, bytes_held = [], 0
        held.append(data)
        bytes_held += size
        del part, data
    if held:
        yield _together(held)


def _together(held: Sequence[Checked]) -> Checked:
    return replace(assembled(held), provenance=common_provenance(held))
