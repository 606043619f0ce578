"""Could a Zarr store hold trajectories? What becomes of a chunk that is missing, altered or cut short.

    python -m pip install zarr
    python benchmarks/zarr_trial.py

writes runs as whole chunks with Zarr's own codecs, and with a checksum (crc32c) after them; deletes, alters or cuts one
chunk; and reads it. What is never to happen is "other numbers, without a word". A second.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import zarr
from zarr.codecs import Crc32cCodec, ZstdCodec

CODECS = {"as Zarr writes": [ZstdCodec()], "with crc32c": [ZstdCodec(), Crc32cCodec()]}


def altered(chunk: Path) -> None:
    data = bytearray(chunk.read_bytes())
    data[len(data) // 2] ^= 1
    chunk.write_bytes(data)


FAULTS: dict[str, Callable[[Path], object]] = {
    "deleted": Path.unlink,
    "one bit altered": altered,
    "cut short": lambda chunk: chunk.write_bytes(chunk.read_bytes()[:100]),
}


def main() -> None:
    runs = np.random.default_rng(0).random((len(FAULTS), 200, 29))
    print(f"zarr {zarr.__version__}")
    for codecs, chosen in CODECS.items():
        with tempfile.TemporaryDirectory() as folder:
            store = zarr.create_array(
                folder, shape=runs.shape, chunks=(1, *runs.shape[1:]), dtype="f8", compressors=chosen
            )
            store[:] = runs
            for run, (fault, harm) in enumerate(FAULTS.items()):
                harm(Path(folder) / "c" / str(run) / "0" / "0")
                print(f"{codecs}, a chunk {fault}: {read(folder, run, runs[run])}")


def read(folder: str, run: int, truth: np.ndarray) -> str:
    try:
        found = zarr.open_array(folder, mode="r")[run]
    except Exception as error:
        return f"refused ({type(error).__name__})"
    if np.array_equal(found, truth):
        return "the same numbers"
    return "other numbers, without a word" + (": zeros" if not np.any(found) else "")


if __name__ == "__main__":
    main()
