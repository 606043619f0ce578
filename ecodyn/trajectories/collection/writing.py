"""Writing a collection: one file after the other, so that no more than one part is in memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from ecodyn.runtime.files import sha256, write_whole
from ecodyn.runtime.folders import write_folder
from ecodyn.runtime.json_values import Json
from ecodyn.trajectories.checks import Checked
from ecodyn.trajectories.collection.facts import Facts, Measured
from ecodyn.trajectories.collection.index import INDEX, Index, Member, is_collection, written_index
from ecodyn.trajectories.collection.plan import fitted
from ecodyn.trajectories.dataset import fields_of
from ecodyn.trajectories.netcdf import write_netcdf

__all__ = ["write_collection"]


def write_collection(
    parts: Iterable[Checked],
    whole: Checked,
    path: Path,
    *,
    force: bool = False,
    written: Mapping[str, Json] | None = None,
) -> None:
    """Write each part as a file of the folder `path`, and the index beside them.

    Parameters
    ----------
    parts
        In order; each is taken, written and let go before the next.
    whole
        The outline of all of them; see `planned`.
    path, force
        The folder, and whether a collection that is there is replaced.
    written
        What the index says of how it was written, such as the command.
    """
    members: list[Member] = []
    found, lacking = Measured(), False
    with write_folder(path, force=force, replaceable=is_collection) as folder:
        for part in parts:
            data = fitted(part, whole, found.runs)
            file = folder / f"part_{len(members):05d}.nc"
            write_netcdf(fields_of(data), file)
            members.append(Member(file.name, len(data.runs), file.stat().st_size, sha256(file)))
            found.add(data.times, data.lengths)
            lacking = lacking or data.missing is not None
            del part, data  # before the next is read
        index = Index(Facts(whole, int(found.times.lengths.max()), lacking, found.times), tuple(members))
        with write_whole(folder / INDEX) as temporary:
            temporary.write_text(written_index(index, written or {}), encoding="utf-8")
