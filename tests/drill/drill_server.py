"""A process that has imported what the command needs, and forks one process for each command it is asked to run.

Starting Python and importing the libraries takes a second on an idle core; a fork takes milliseconds, and is as much a
process of its own: with its own limits, folder, environment and exit. Requests and answers are lines of JSON.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import io
import json
import os
import resource
import signal
import sys
import tempfile
import time
from contextlib import redirect_stderr, redirect_stdout, suppress
from pathlib import Path

UNFLUSHED = 120  # Python's exit code where what was printed can't be handed over
POLL_SECONDS = 0.005
GONE_SECONDS = 2.0  # within which processes that a command started have to be gone once it has ended
# Good commands, which import whatever such commands do.
FIRST = (
    ["inspect", "table.csv"],
    ["fit", "table.csv", "--coupling", "independent", "-o", "law.json"],
    ["compare", "table.csv", "--family", "linear", "--coupling", "independent", "--jobs", "1", "-o", "report"],
)
TABLE = "run,step,x\n" + "".join(f"{r},{t},{r + 0.9**t}\n" for r in range(1, 4) for t in range(8))


def become(request: dict[str, object]) -> None:
    """Make this process the command's: its session, limits, folder, environment and streams."""
    os.setsid()
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")
    for name, value in dict(request["limits"]).items():  # type: ignore[call-overload]
        limit = value + (held() if name == "RLIMIT_DATA" else 0)
        resource.setrlimit(getattr(resource, name), (limit, limit))
    os.umask(int(str(request["umask"])))
    os.chdir(str(request["folder"]))
    os.environ.update(request["environment"])  # type: ignore[arg-type]
    for number, name, flags in (
        (0, os.devnull, os.O_RDONLY),
        (1, request["stdout"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC),
        (2, request["stderr"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC),
    ):
        descriptor = os.open(str(name), flags, 0o666)
        os.dup2(descriptor, number)
        os.close(descriptor)
    tempfile.tempdir = None  # that of the environment is asked for anew
    # A file that grows beyond its limit is an error of the write, as on a full disk, and no signal.
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    sys.argv = ["ecodyn", *request["arguments"]]  # type: ignore[misc]


def patience() -> float:
    """How much longer all takes where processes wait for their turn."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


def held() -> int:
    """Bytes of data that this process has: most are of libraries' that were imported."""
    (line,) = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmData")]
    return 1024 * int(line.split()[1])


def in_session(session: int) -> list[int]:
    """Processes of a session that are alive."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, ValueError):
            state, _, _, own = (folder / "stat").read_text().rpartition(")")[2].split()[:4]
            if int(own) == session and state not in "ZX":
                found.append(int(folder.name))
    return found


def ended(child: int, seconds: float) -> dict[str, object]:
    """Wait for it, kill what is late, and say how it ended."""
    begun = time.monotonic()
    timed_out = False
    while True:
        pid, status, usage = os.wait4(child, os.WNOHANG)
        if pid:
            break
        if time.monotonic() > begun + seconds * patience() and not timed_out:
            timed_out = True
            with suppress(ProcessLookupError):
                os.killpg(child, signal.SIGKILL)
        time.sleep(POLL_SECONDS)
    took = time.monotonic() - begun
    while in_session(child) and time.monotonic() < begun + took + GONE_SECONDS * patience():
        time.sleep(POLL_SECONDS)
    left = in_session(child)
    for process in left:
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    return {
        "code": os.waitstatus_to_exitcode(status),
        "seconds": took,
        "memory": usage.ru_maxrss * 1024,
        "timed_out": timed_out,
        "left": len(left),
    }


def prepare() -> None:
    """Import what commands need, by running good ones; what is there by then is not looked through for garbage."""
    import torch  # noqa: F401 - most of what takes time

    from ecodyn.cli import app

    silent = io.StringIO()
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder), redirect_stdout(silent):
        Path("table.csv").write_text(TABLE)
        for arguments in FIRST:
            with redirect_stderr(silent):
                app(arguments, standalone_mode=False)
    gc.freeze()  # else the end of each forked process would copy all of it


def serve() -> bool:
    """Answer requests until there are no more; True in a process that is to be the command."""
    prepare()
    print("ready", flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        child = os.fork()
        if not child:
            become(request)
            return True
        print(json.dumps(ended(child, float(request["seconds"]))), flush=True)
    return False


def end(code: object) -> None:
    """End as Python does, but for taking all modules apart: that would copy all memory shared with the parent."""
    if isinstance(code, str):
        print(code, file=sys.stderr)
    atexit._run_exitfuncs()
    number = code if isinstance(code, int) else int(code is not None)
    try:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
    except OSError:  # as of a full disk
        number = UNFLUSHED
    os._exit(number)


if __name__ == "__main__" and serve():
    from ecodyn.cli import main

    try:
        main()
    except SystemExit as left:
        end(left.code)
    end(None)
