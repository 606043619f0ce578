"""TensorBoard event files: every record of every tag, where TensorBoard itself shows a sample of 10 000."""

from __future__ import annotations

import dataclasses
import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ecodyn.errors import UnusableDataError
from ecodyn.logs.log import Format, Log, LogOptions
from ecodyn.logs.npy import check_signature
from ecodyn.logs.records import Records
from ecodyn.tables.names import listed

__all__ = ["TensorBoard"]

MARK = "tfevents"  # in the name of every event file
HEADER, FOOTER = 12, 4  # length and its checksum before the data of a record, their checksum after them
NUMBER = re.compile(r"\d+")  # of the time and the process in a file's name


class TensorBoard(Format):
    """A folder with event files (or one such file): scalars by tag, a tag a feature.

    Records are read one by one and their checksums verified. A file that ends in the middle of a record is one whose
    writer was killed: what comes before is kept, and said. Several files are one run that was resumed, in the order of
    the times in their names. What ``SummaryWriter.add_scalars`` wrote into folders beside them belongs to the run.
    """

    name = "tensorboard"
    description = "TensorBoard event files (events.out.tfevents...)"

    def recognises(self, path: Path) -> bool:
        """An event file, or a folder that holds one."""
        return bool(_files(path))

    def open(self, path: Path, options: LogOptions) -> list[Log]:
        """One run."""
        event_class = _event_class()
        records = Records()
        remarks: list[str] = []
        files = _files(path)
        for file in files:
            check_signature(file, b"", "a TensorBoard event file")
            for data in _records(file, remarks):
                _gather(_event(event_class, file, data), records)
        files += self._scalars_beside(path, event_class, records, remarks)
        if not records.values:
            raise UnusableDataError(f"{path} holds no scalars; log each feature with add_scalar, a tag each")
        name = path.name if path.is_dir() else path.parent.name
        log = records.log(path, self.name, name, files, options)
        return [dataclasses.replace(log, remarks=(*remarks, *log.remarks))]

    def _scalars_beside(self, path: Path, event_class: Any, records: Records, remarks: list[str]) -> list[Path]:
        """What ``add_scalars`` wrote: a folder TAG_NAME for each name, whose only tag is TAG; a feature TAG/NAME each.

        Returns the files that were read; folders of other tags are left out, which is said.
        """
        used: list[Path] = []
        taken, other, tags = [], [], {*records.values, *records.texts}
        for folder in _folders_within(path):
            found = _of_add_scalars(path, folder, event_class)
            where = folder.relative_to(path).as_posix()
            if found is None:
                other.append(where)
                continue
            tag, own, own_remarks = found
            name = f"{tag}/{where[len(tag) + 1 :]}"
            if name in tags:
                raise UnusableDataError(
                    f"{path} has {name} twice, as a tag and as add_scalars' folder {where}, expected one; move the one "
                    "that is not meant elsewhere"
                )
            for step, value in zip(own.steps[tag], own.values[tag], strict=True):
                records.add(name, step, value)
            taken.append(where)
            remarks += own_remarks
            used += _files(folder)
        if taken:
            remarks.append(f"folders within were read as what add_scalars wrote, a name of a tag each: {listed(taken)}")
        if other:
            remarks.append(f"folders with event files of their own were left out, open them apart: {listed(other)}")
        return used


def _folders_within(path: Path) -> list[Path]:
    """Folders in or further in a folder that hold event files."""
    if not path.is_dir():
        return []
    return sorted({file.parent for file in path.rglob(f"*{MARK}*") if file.is_file()} - {path})


def _of_add_scalars(path: Path, folder: Path, event_class: Any) -> tuple[str, Records, list[str]] | None:
    """The one tag of a folder that is called by it, its records, and what is wrong with them; None for another run's.

    A slash in a tag is written _ there, one in a name is a folder further in.
    """
    own, remarks, where = Records(), list[str](), folder.relative_to(path).as_posix()
    for file in _files(folder):
        check_signature(file, b"", "a TensorBoard event file")
        for data in _records(file, remarks):
            _gather(_event(event_class, file, data), own)
            if len(own.order) > 1 or not all(where.startswith(f"{tag.replace('/', '_')}_") for tag in own.order):
                return None
    return next(((tag, own, remarks) for tag in own.values), None)


def _files(path: Path) -> list[Path]:
    files = [path] if path.is_file() else list(path.iterdir()) if path.is_dir() else []
    files = [file for file in files if MARK in file.name and file.is_file()]
    return sorted(files, key=lambda f: ([int(n) for n in NUMBER.findall(f.name)], f.name))


def _event_class() -> Any:
    try:
        from tensorboard.compat.proto.event_pb2 import Event
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"reading TensorBoard's files needs the extra logs ({error.name} is missing); install it with: "
            'python -m pip install "ecodyn-toolkit[logs]"',
            name=error.name,
        ) from None
    return Event


def _event(event_class: Any, path: Path, data: bytes) -> Any:
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

    try:
        return event_class.FromString(data)
    except DecodeError:
        raise UnusableDataError(
            f"{path} holds records that are no events; check that TensorBoard's writer wrote it"
        ) from None


def _records(path: Path, remarks: list[str]) -> Iterator[bytes]:
    """The records of one event file; a truncated end is remarked upon."""
    # The package's own readers end quietly at a truncated record and at one whose checksum is wrong.
    from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import masked_crc32c

    at, size = 0, path.stat().st_size
    with path.open("rb") as file:
        while at < size:
            header = file.read(HEADER)
            length, check = struct.unpack("<QI", header) if len(header) == HEADER else (0, None)
            if check is not None and check != masked_crc32c(header[:8]):
                raise UnusableDataError(_damaged(path, at))
            data, footer = (file.read(length), file.read(FOOTER)) if at + HEADER + length <= size else (b"", b"")
            if check is None or len(footer) < FOOTER:
                remarks.append(
                    f"{path.name} ends in the middle of a record, at byte {at} of {size}: its writer was killed, or is "
                    "still at work; later steps are missing"
                )
                return
            if struct.unpack("<I", footer)[0] != masked_crc32c(data):
                raise UnusableDataError(_damaged(path, at))
            at += HEADER + length + FOOTER
            yield data


def _damaged(path: Path, at: int) -> str:
    return f"{path} is damaged: the record at byte {at} does not match its checksum; copy it again"


def _gather(event: Any, records: Records) -> None:
    for value in event.summary.value:
        kind = value.WhichOneof("value")
        if kind == "simple_value":
            records.add(value.tag, float(event.step), value.simple_value)
        elif kind == "tensor":
            number = _scalar(value.tensor)
            records.add(value.tag, float(event.step), "a tensor" if number is None else number)


def _scalar(tensor: Any) -> float | None:
    """The number in a tensor of no dimensions, None for any other."""
    import numpy as np
    from tensorboard.util.tensor_util import make_ndarray

    if len(tensor.tensor_shape.dim):
        return None
    array = make_ndarray(tensor)
    return float(array) if np.asarray(array).dtype.kind in "fiu" else None
