"""Commands again and again, killed at random, on full disks, and resumed: nothing may grow.

    python benchmarks/long_run.py                       # an hour
    python benchmarks/long_run.py --seconds 300 -o benchmarks/long_run.json

Each round runs ``compare``, ``train`` and ``extract``, each left alone, ended by a signal at a random moment, or
where no file may grow beyond a random size, as on a full disk; and then again, with ``--resume``, until it is done.
After each round is counted what is left: processes, temporary files, hidden files beside outputs; and memory and open
files of this process, which loads, compares, extracts and fits as well. The table compares the last round with an
early one.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np

SEED = 41
HOUR = 3600.0
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL)
LONGEST_WAIT = 6.0  # seconds before a command is ended
ATTEMPTS = 20  # of a command until it is done; all but the last two may be disturbed
FIRST = 2  # rounds in which caches fill, before the first that counts
PAGE = os.sysconf("SC_PAGE_SIZE")


def commands(folder: Path) -> dict[str, list[str]]:
    """What is run, by name; each goes on with what an earlier attempt finished."""
    compare = ["compare", "runs.nc", "--family", "linear", "--coupling", "independent", "--jobs", "2", "-o", "report"]
    train = ["train", "--p", "7", "--dim", "4", "--seeds", "0:6", "--steps", "200", "--batch", "1", "--jobs", "2"]
    return {
        "compare": [*compare, "--resume"],
        "train": [*train, "-o", "trained.nc", "--resume", "--force"],
        "extract": ["extract", "logs", "-o", "extracted.nc", "--force"],
    }


def prepare(folder: Path) -> None:
    """Good runs and logs."""
    from ecodyn.systems import SYSTEMS, simulate

    simulate(SYSTEMS["linear_exchangeable_5"], runs=6, samples=30, seed=SEED).save(folder / "runs.nc")
    rng = np.random.default_rng(SEED)
    (folder / "logs").mkdir()
    for run in range(4):
        frames = rng.standard_normal((20, 7, 4)).cumsum(axis=0)
        np.savez(folder / "logs" / f"run_{run}.npz", embeddings=frames, steps=np.arange(20), p=7)


def attempt(folder: Path, arguments: list[str], rng: np.random.Generator, *, disturbed: bool) -> tuple[int, str]:
    """Run a command once; its exit code, and what was done to it."""
    how = str(rng.choice(["signal", "full disk", "nothing"])) if disturbed else "nothing"
    most = int(10 ** rng.uniform(2, 5))

    def limits() -> None:
        if how == "full disk":
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        signal.signal(signal.SIGHUP, signal.SIG_DFL)

    child = subprocess.Popen(
        [sys.executable, "-m", "ecodyn", *arguments],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=limits,
        env={**os.environ, "TMPDIR": str(folder / "temporary"), "OMP_NUM_THREADS": "1"},
    )
    if how == "signal":
        try:
            child.wait(timeout=rng.uniform(0.5, LONGEST_WAIT))
        except subprocess.TimeoutExpired:
            number = SIGNALS[rng.integers(len(SIGNALS))]
            child.send_signal(number)
            how = number.name
    return child.wait(), how


def finished(folder: Path, arguments: list[str], rng: np.random.Generator) -> list[tuple[int, str]]:
    """Run a command until it is done."""
    attempts = []
    for n in range(ATTEMPTS):
        attempts.append(attempt(folder, arguments, rng, disturbed=n < ATTEMPTS - 2))
        if attempts[-1][0] == 0:
            return attempts
    raise SystemExit(f"{' '.join(arguments)} was never done: {attempts}")


def in_process(folder: Path) -> None:
    """The same work in this process, whose memory and files are counted."""
    import ecodyn

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        runs = ecodyn.load(folder / "runs.nc")
        ecodyn.compare(runs, ["linear"], ["independent"], protocols=["in_sample"])
        ecodyn.extract(folder / "logs")
        ecodyn.Linear("independent").fit(runs).model_.save(folder / "law.json", force=True)


def counted(folder: Path, session_of: int) -> dict[str, int]:
    """What is there now that should not grow."""
    gc.collect()
    time.sleep(2)  # orphans look for their parent once a second
    statm = Path("/proc/self/statm").read_text().split()
    ours = [p for p in Path("/proc").glob("[0-9]*") if _runs_here(p, folder)]
    outputs = [p for p in folder.rglob(".*") if p.name != ".owner" and "temporary" not in p.parts]
    temporary = [p for p in (folder / "temporary").iterdir() if not p.name.startswith("torchinductor")]
    return {
        "memory_mb": int(statm[1]) * PAGE // 2**20,
        "open_files": len(list(Path("/proc/self/fd").iterdir())),
        "processes": len(ours),
        "temporary": len(temporary),
        "hidden": len(outputs),
    }


def _runs_here(process: Path, folder: Path) -> bool:
    try:
        return process.name != str(os.getpid()) and (process / "cwd").readlink() == folder
    except OSError:
        return False


def clear(folder: Path) -> None:
    """Let the next round begin anew."""
    import shutil

    for name in ("report", "trained.nc", "extracted.nc", "trained.nc.partial"):
        path = folder / name
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def main() -> None:
    """Run rounds for so many seconds, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=HOUR)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("-o", "--output", type=Path, help="JSON of all rounds.")
    options = parser.parse_args()
    rng, rounds, codes = np.random.default_rng(options.seed), [], {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        (folder / "temporary").mkdir()
        prepare(folder)
        begun = time.monotonic()
        while time.monotonic() < begun + options.seconds or len(rounds) < FIRST + 2:
            for command, arguments in commands(folder).items():
                for code, how in finished(folder, arguments, rng):
                    codes[f"{command}, {how}: {code}"] = codes.get(f"{command}, {how}: {code}", 0) + 1
            in_process(folder)
            rounds.append({"seconds": round(time.monotonic() - begun), **counted(folder, os.getpid())})
            print(rounds[-1], file=sys.stderr, flush=True)
            clear(folder)
    first, last = rounds[min(FIRST, len(rounds) - 2)], rounds[-1]
    print(f"{len(rounds)} rounds, {sum(codes.values())} commands in {last['seconds']} s")
    print(f"{'':12}{'round ' + str(min(FIRST, len(rounds) - 2) + 1):>12}{'last':>12}{'most':>12}")
    for key in ("memory_mb", "open_files", "processes", "temporary", "hidden"):
        print(f"{key:12}{first[key]:12}{last[key]:12}{max(r[key] for r in rounds):12}")
    for ending, count in sorted(codes.items()):
        print(f"{count:5} × {ending}")
    if options.output:
        options.output.write_text(json.dumps({"rounds": rounds, "endings": codes}, indent=1) + "\n")


if __name__ == "__main__":
    main()
