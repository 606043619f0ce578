"""Extraction against the usual one line of NumPy, and against reading the file: throughput on one thread, and memory.

    python benchmarks/extraction.py

writes a run directory of --rows frames (p = 59, d = 128, float64; 1.8 GB) to a temporary folder, and prints, from one
run: how fast the file can be read from a warm cache, the one line, ecodyn's reduction (with and without the checksum of
the file), what --every 20 reads, and the peak memory of the command in a process of its own.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from ecodyn.extraction import Request, extract

P, D = 59, 128
BLOCK = 500  # frames made at a time
REPEATS = 3
PEAK = """
import re, sys
from pathlib import Path
from ecodyn.extraction import Request, extract
extract(sys.argv[1], Request(observables=("signal",), p=int(sys.argv[2])))
print(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
"""


def make(folder: Path, rows: int) -> Path:
    """A run directory: embeddings that walk at random, and as many losses as updates."""
    rng = np.random.default_rng(0)
    shape = (rows, P, D)
    with (folder / "embeddings.npy").open("wb") as file:
        header = {"descr": "<f8", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, header)
        frame = rng.standard_normal((P, D))
        for first in range(0, rows, BLOCK):
            walk = frame + np.cumsum(0.01 * rng.standard_normal((min(BLOCK, rows - first), P, D)), axis=0)
            walk.tofile(file)
            frame = walk[-1]
    np.save(folder / "train_loss.npy", np.zeros(rows - 1))
    return folder / "embeddings.npy"


def seconds(function: Callable[[], object]) -> float:
    """Least time of some repeats."""
    best = float("inf")
    for _ in range(REPEATS):
        started = time.perf_counter()
        function()
        best = min(best, time.perf_counter() - started)
    return best


def read_through(file: Path) -> None:
    """Read a file into one buffer of 2 MiB."""
    buffer = bytearray(2 << 20)
    with file.open("rb", buffering=0) as stream:
        while stream.readinto(buffer):
            pass


def one_line(file: Path) -> np.ndarray:
    """What one would write without a toolkit."""
    E = np.load(file)
    return np.linalg.norm(np.fft.fft(E, axis=1), axis=-1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=30_001)
    rows = parser.parse_args().rows
    with threadpool_limits(1), tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file = make(folder, rows)
        size = file.stat().st_size / 1e9
        plain = Request(observables=("signal",), p=P, checksums=False)
        read_through(file)  # warm
        found = extract(folder, plain)
        reference = one_line(file)[:, 1 : P // 2 + 1]
        difference = np.abs(found.values[0] / reference - 1).max()
        times = {
            "read into a fresh array (np.load)": seconds(lambda: np.load(file)),
            "read into one buffer, nothing kept": seconds(lambda: read_through(file)),
            "np.linalg.norm(np.fft.fft(E, axis=1), axis=-1), loaded": seconds(lambda: one_line(file)),
            "ecodyn.extract": seconds(lambda: extract(folder, plain)),
            "ecodyn.extract, with SHA-256 on a second thread": seconds(
                lambda: extract(folder, Request(observables=("signal",), p=P))
            ),
            "ecodyn.extract, --every 20": seconds(
                lambda: extract(folder, Request(observables=("signal",), p=P, every=20))
            ),
        }
        print(f"{rows} frames of {P} x {D} float64, {size:.2f} GB; NumPy {np.__version__}; one thread")
        for what, took in times.items():
            print(f"  {what:58} {took:7.2f} s {size / took:7.2f} GB/s")
        ours = times["ecodyn.extract"]
        print(f"largest relative difference from the one line: {difference:.1e}")
        print(f"throughput: {list(times.values())[2] / ours:.1f} times the one line's")
        loading, reading, _, *_ = times.values()
        print(f"            {loading / ours:.2f} of np.load's, {reading / ours:.2f} of a bare read's")
        flops = 2 * (P // 2 + 1) * P * D * rows
        print(
            f"the folded products alone are {flops / 1e9:.0f} GFLOP: {flops / ours / 1e9:.0f} GFLOP/s reached, of",
            end=" ",
        )
        square = np.ones((512, 512))
        print(f"{2 * 512**3 / seconds(lambda: square @ square) / 1e9:.0f} for a product of 512 x 512 matrices")
        for part in (rows // 10, rows):
            make(folder, part)
            peak = subprocess.run(
                [sys.executable, "-c", PEAK, name, str(P)], capture_output=True, text=True, check=True
            )
            print(f"peak memory of a process that extracts {part} frames: {int(peak.stdout) / 1024:.0f} MiB")


if __name__ == "__main__":
    main()
