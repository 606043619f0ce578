"""NumPy's own files: one array in .npy, several in .npz; headers are checked against what is there."""

from __future__ import annotations

import io
import lzma
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import numpy as np

from ecodyn.arrays import Integers
from ecodyn.errors import UnusableDataError
from ecodyn.logs.frames import NUMBERS, ArrayFrames, Frames, check_numbers
from ecodyn.runtime.files import first_bytes, first_line
from ecodyn.runtime.remote_path import opened_in_parts

__all__ = ["NpyFrames", "ZippedFrames", "check_signature", "open_npy", "open_npz", "shapes"]

NPY_SIGNATURE = b"\x93NUMPY"  # as numpy.lib.format has it
ZIP_SIGNATURE = b"PK"  # of every zip's local headers, .npz and torch's files among them
MOST_OF_NOTHING = 1_000_000  # along an axis of an array that has no numbers: gradients of a frozen embedding are such
DEFLATE_LIMIT = 1032  # deflate shrinks nothing further than 1032 : 1 (zlib's technical details)
SLACK = 1024  # bytes of a member that compresses to next to nothing
NAME_LENGTH_AT, LOCAL_HEADER = 26, 30  # bytes of a zip's local header, before the name (APPNOTE.TXT, 4.3.7)
ZIP_DAMAGE = (  # what zipfile and its decompressors raise on bytes that nobody wrote
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    OSError,
    EOFError,
    RuntimeError,  # and so NotImplementedError
    ValueError,
    OverflowError,
    IndexError,
)
SKIPPED = 1 << 20  # bytes decompressed at a time on the way to a row
SHOWN = 12  # bytes of a file that is not what its name says


class NpyFrames(Frames):
    """The rows of an array that lies uncompressed in a file, in C order, read row by row into one buffer."""

    def __init__(self, path: Path, offset: int, shape: tuple[int, ...], dtype: np.dtype) -> None:
        self.path, self.offset, self.shape, self.dtype = path, offset, shape, dtype
        self._buffer = np.empty(0, np.uint8)

    def read(self, rows: Integers) -> np.ndarray:
        """Rows that follow each other are read at once, others are skipped without reading."""
        size = self.frame_bytes
        if len(self._buffer) < len(rows) * size:
            self._buffer = np.empty(len(rows) * size, np.uint8)
        buffer = self._buffer[: len(rows) * size]
        if size:
            with self.path.open("rb", buffering=0) as file:
                for first, count, at in _runs(rows):
                    file.seek(self.offset + first * size)
                    self._fill(file, buffer[at * size : (at + count) * size])
        return buffer.view(self.dtype).reshape(len(rows), *self.shape[1:])

    def chunks(self, rows: Integers) -> Iterator[tuple[Integers, np.ndarray]]:
        """As of any frames; the buffer goes at the end, since the logs of many runs are open at once."""
        yield from super().chunks(rows)
        self._buffer = np.empty(0, np.uint8)

    def _fill(self, file: io.FileIO, buffer: np.ndarray) -> None:
        view = memoryview(buffer)
        while len(view):
            got = file.readinto(view)
            if not got:
                raise UnusableDataError(f"{self.path} became shorter while it was read; wait until it is written")
            view = view[got:]


class ZippedFrames(Frames):
    """The rows of an array that lies compressed in a zip: read forwards, never held whole."""

    def __init__(self, path: Path, member: str, offset: int, shape: tuple[int, ...], dtype: np.dtype) -> None:
        self.path, self.member, self.offset = path, member, offset
        self.shape, self.dtype = shape, dtype

    def chunks(self, rows: Integers) -> Iterator[tuple[Integers, np.ndarray]]:
        """One pass through the compressed stream."""
        size = self.frame_bytes
        with _opened_zip(self.path, _to_the_end) as archive, archive.open(self.member) as stream:
            _skip(stream, self.offset, self.path)
            at = 0
            for part in self.parts(rows):
                frames = np.empty((len(part), *self.shape[1:]), self.dtype)
                for i, row in enumerate(part):
                    _skip(stream, int(row - at) * size, self.path)
                    data = np.frombuffer(_exactly(stream, size, self.path), self.dtype)
                    frames[i] = data.reshape(self.shape[1:])
                    at = int(row) + 1
                yield part, frames

    def read(self, rows: Integers) -> np.ndarray:
        """These rows, found by going through the stream from its start."""
        parts = [frames for _, frames in self.chunks(rows)]
        return np.concatenate(parts) if parts else np.empty((0, *self.shape[1:]), self.dtype)


def open_npy(path: Path) -> Frames:
    """Open the array in a .npy file, without reading it.

    Raises
    ------
    UnusableDataError
        It is no such file, is empty or truncated, claims more than it holds, or holds objects.
    """
    check_signature(path, NPY_SIGNATURE, "a .npy file")
    with opened_in_parts(path) as file:
        shape, fortran, dtype = _header(file, str(path))
        offset = file.tell()
    check_numbers(dtype, str(path))
    _check_size(str(path), shape, dtype, path.stat().st_size - offset)
    if fortran and len(shape) > 1:
        return ArrayFrames(np.memmap(path, dtype, "r", offset, shape, order="F"))
    return NpyFrames(path, offset, shape, dtype)


def open_npz(path: Path) -> dict[str, Frames]:
    """Open the arrays in an .npz file by name, without reading them. Arrays of other things than numbers are left out.

    Raises
    ------
    UnusableDataError
        It is no zip, is truncated, or has members that no honest writer makes.
    """
    check_signature(path, ZIP_SIGNATURE, "an .npz file")
    with _opened_zip(path) as archive:
        members = archive.infolist()
        times = Counter(member.filename for member in members)
        for member in members:
            _check_member(path, member, times[member.filename])
        opened = {m.filename.removesuffix(".npy"): _open_member(path, archive, m) for m in members if _is_array(m)}
    return {name: frames for name, frames in opened.items() if frames is not None}


def shapes(arrays: Mapping[str, Frames]) -> dict[str, tuple[int, ...]]:
    """Name to shape."""
    return {name: frames.shape for name, frames in arrays.items()}


def check_signature(path: Path, signature: bytes, kind: str) -> None:
    """Raise UnusableDataError unless a file begins as its kind does."""
    start = first_bytes(path, kind)
    if not start.startswith(signature):
        raise UnusableDataError(f"{path} is not {kind}: it begins with {start[:SHOWN]!r}; check where it came from")


def _header(file: IO[bytes], where: str) -> tuple[tuple[int, ...], bool, np.dtype]:
    try:
        version = np.lib.format.read_magic(file)
        readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
        if version not in readers:
            raise ValueError(f"version {version} of the format")
        shape, fortran, dtype = readers[version](file)
        if any(length < 0 for length in shape):
            raise ValueError(f"shape {shape}")
    except Exception as error:  # the parser's own are many, such as tokenize.TokenError, and a zip's zlib.error
        reason = first_line(error)
        raise UnusableDataError(f"{where} has a damaged header ({reason}); copy or write it again") from None
    return shape, fortran, dtype


def _check_size(where: str, shape: tuple[int, ...], dtype: np.dtype, held: int) -> None:
    if 0 in shape and max(shape) > MOST_OF_NOTHING:
        raise UnusableDataError(f"{where} claims an array {shape} without numbers, expected frames; write it again")
    claimed = dtype.itemsize
    for length in shape:  # Python's integers, since a made-up header may overflow NumPy's
        claimed *= length
    if claimed > held:
        frame = claimed // shape[0] if shape and shape[0] else 0
        whole = f" ({held // frame} of {shape[0]} frames)" if frame else ""
        raise UnusableDataError(
            f"{where} claims an array {shape} of {claimed} bytes and holds {held}{whole}: it is truncated, still being "
            "written, or made up; copy or write it again"
        )


def _runs(rows: Integers) -> Iterator[tuple[int, int, int]]:
    """Stretches of rows that follow each other: first row, how many, and where they begin in `rows`."""
    if not len(rows):
        return
    starts = np.flatnonzero(np.diff(rows, prepend=rows[:1] - 2) != 1)
    for at, end in zip(starts, [*starts[1:], len(rows)], strict=True):
        yield int(rows[at]), int(end - at), int(at)


# --------------------------------------------------------------------------------------------------- zips


@contextmanager
def _opened_zip(path: Path, opened: Callable[[Path], IO[bytes]] = opened_in_parts) -> Iterator[zipfile.ZipFile]:
    with opened(path) as file:
        try:
            archive = zipfile.ZipFile(file)
        except ZIP_DAMAGE as error:
            raise UnusableDataError(
                f"{path} is truncated or damaged ({first_line(error)}); copy or write it again"
            ) from None
        with archive:
            yield archive


def _to_the_end(path: Path) -> IO[bytes]:
    return path.open("rb")


def _check_member(path: Path, member: zipfile.ZipInfo, times: int) -> None:
    name = member.filename
    if times > 1:
        raise UnusableDataError(f"{path} has {times} members named {name!r}, expected one; write it again")
    parts = Path(name.replace("\\", "/")).parts
    if name.startswith(("/", "\\")) or ".." in parts:
        raise UnusableDataError(f"{path} has a member named {name!r}, which leaves its folder; don't trust the file")
    stored = member.compress_type == zipfile.ZIP_STORED and not member.flag_bits & 1
    if (stored and member.file_size != member.compress_size) or member.file_size > DEFLATE_LIMIT * max(
        member.compress_size, 1
    ) + SLACK:
        raise UnusableDataError(
            f"{path}: {name} claims {member.file_size} bytes out of {member.compress_size} compressed ones, more than "
            "compression allows; don't trust the file"
        )


def _is_array(member: zipfile.ZipInfo) -> bool:
    return member.filename.endswith(".npy")


def _open_member(path: Path, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Frames | None:
    where = f"{path}: {member.filename}"
    try:
        with archive.open(member) as stream:
            shape, fortran, dtype = _header(stream, where)
            offset = stream.tell()
    except UnusableDataError:
        raise
    except ZIP_DAMAGE as error:
        raise UnusableDataError(f"{where} is damaged ({first_line(error)}); copy or write the file again") from None
    if dtype.kind not in NUMBERS:
        return None  # objects or text: no log, and no reason to refuse what lies beside it
    _check_size(where, shape, dtype, member.file_size - offset)
    if fortran and len(shape) > 1:
        raise UnusableDataError(f"{where} is stored in Fortran order; write it again from np.ascontiguousarray(...)")
    if member.compress_type == zipfile.ZIP_STORED and not member.flag_bits & 1:
        return NpyFrames(path, _data_offset(path, member) + offset, shape, dtype)
    return ZippedFrames(path, member.filename, offset, shape, dtype)


def _data_offset(path: Path, member: zipfile.ZipInfo) -> int:
    """Where a member's bytes begin: after its local header, whose name and extra field may be longer or shorter."""
    with opened_in_parts(path) as file:
        file.seek(member.header_offset + NAME_LENGTH_AT)
        name, extra = np.frombuffer(file.read(4), "<u2")
    return member.header_offset + LOCAL_HEADER + int(name) + int(extra)


def _skip(stream: IO[bytes], count: int, path: Path) -> None:
    while count > 0:
        got = len(_exactly(stream, min(count, SKIPPED), path))
        count -= got


def _exactly(stream: IO[bytes], count: int, path: Path) -> bytes:
    try:
        data = stream.read(count)
    except ZIP_DAMAGE as error:
        raise UnusableDataError(f"{path} is damaged ({first_line(error)}); copy or write it again") from None
    if len(data) < count:
        raise UnusableDataError(f"{path} is truncated; copy or write it again")
    return data
