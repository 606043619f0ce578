"""Doing something first in a process of its own, which may end in no other way than by being killed.

A library written in C that meets a damaged file may loop for ever, in which nothing interrupts it, or end the process.
What it does to a copy of the process is seen beforehand.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

__all__ = ["killed_by"]

KILLS = ("SIGXCPU", "SIGSEGV", "SIGBUS", "SIGABRT", "SIGFPE", "SIGILL")
PATIENCE = 60.0  # seconds on the clock until a copy that waits for something is given up, of which nothing is concluded


def killed_by(action: Callable[[], object], seconds: int) -> str | None:
    """What ends a copy of this process that does something: a signal's name, or None where it returns or raises.

    Parameters
    ----------
    action : what it does; what it raises, prints and changes is lost with the copy
    seconds : of processor time that it has; one that takes more ends by SIGXCPU

    Returns
    -------
    None as well where nothing can be told: the copy waited for a minute, or there is none (no room, or another system
    than Linux).

    Examples
    --------
    >>> killed_by(lambda: 1 / 0, seconds=1) is None
    True
    """
    if sys.platform != "linux":
        return None
    with warnings.catch_warnings():
        # From 3.12 on, of locks that other threads hold, for ever in a copy: one that waits is given up.
        warnings.simplefilter("ignore", DeprecationWarning)
        try:
            process = os.fork()
        except OSError:  # no room for a copy
            return None
    if process == 0:
        _do(action, seconds)
    try:
        _, status = os.waitpid(process, 0)
    except ChildProcessError:  # whoever imports this has the system forget how processes end
        return None
    except BaseException:  # an interrupt ends both
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
        raise
    name = signal.Signals(os.WTERMSIG(status)).name if os.WIFSIGNALED(status) else None
    return name if name in KILLS else None


def _do(action: Callable[[], object], seconds: int) -> None:
    """In the copy: nothing is said, no memory dumped, nothing of Python's end carried out."""
    try:
        import resource

        gc.disable()  # what it would put away is the other's as well
        for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGALRM", *KILLS):
            signal.signal(getattr(signal, name), signal.SIG_DFL)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
        signal.setitimer(signal.ITIMER_REAL, PATIENCE)
        sys.stdout = sys.stderr = Path(os.devnull).open("w")  # noqa: SIM115
        for stream in (1, 2):  # what is not Python's
            os.dup2(sys.stdout.fileno(), stream)
        action()
    finally:
        os._exit(0)
