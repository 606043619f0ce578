"""The ways in which work is ended from outside, Ctrl-C, a batch system and a terminal that closes, made one.

SIGTERM and SIGHUP unwind the work as SIGINT does, by a KeyboardInterrupt in the main thread, so that whatever keeps
finished work and ends workers on Ctrl-C does so on all of them. Exit codes are the shell's, 128 and the number of the
signal.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

__all__ = ["ended_alike", "exit_code"]

NAMES = ("SIGINT", "SIGTERM", "SIGHUP")  # of which Windows has no SIGHUP
SHELL = 128  # what a shell adds to a signal's number
# A batch system tells each process of a group and then the job's first again: one ending, not two. A later one is
# meant, and ends what the first one did not.
ONE_ENDING = 2.0  # seconds

_received: list[tuple[int, float]] = []  # signals and when they came
_on_terminal: list[str] = []  # of standard output and error, those that are a terminal when work begins


@contextmanager
def ended_alike() -> Iterator[None]:
    """Make each of the signals raise a KeyboardInterrupt in the main thread; afterwards all is as before.

    A signal that is ignored, as under nohup, stays ignored. In another thread than the main one nothing is changed:
    Python lets only that one handle signals.

    Examples
    --------
    >>> with ended_alike():
    ...     try:
    ...         signal.raise_signal(signal.SIGTERM)
    ...     except KeyboardInterrupt:
    ...         print("unwound, exit code", exit_code())
    unwound, exit code 143
    """
    before = {}
    if threading.current_thread() is threading.main_thread():
        _received.clear()
        _on_terminal[:] = filter(_is_terminal, ("stdout", "stderr"))
        for number in (getattr(signal, name) for name in NAMES if hasattr(signal, name)):
            if signal.getsignal(number) not in (signal.SIG_IGN, None):  # None: somebody's who is not Python
                before[number] = signal.signal(number, _end)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def exit_code() -> int:
    """The exit code of work that was ended: by the first signal that came, or 130 where none is known of.

    Examples
    --------
    >>> exit_code() in (129, 130, 143)
    True
    """
    return SHELL + (_received[0][0] if _received else int(signal.SIGINT))


def _end(number: int, frame: FrameType | None) -> None:
    now = time.monotonic()
    again = number != signal.SIGINT and bool(_received) and now - _received[-1][1] < ONE_ENDING
    _received.append((number, now))
    if number == getattr(signal, "SIGHUP", None):
        _leave_terminal()
    if not again:
        raise KeyboardInterrupt


def _leave_terminal() -> None:
    """Speak to nobody where the terminal is gone: what is written to it fails, and would cost what is being kept."""
    for name in _on_terminal:
        if not _is_terminal(name):
            setattr(sys, name, Path(os.devnull).open("w"))  # noqa: SIM115  # for as long as the process lives


def _is_terminal(name: str) -> bool:
    try:
        return os.isatty(getattr(sys, name).fileno())
    except (OSError, ValueError, AttributeError):  # closed, or no file
        return False
