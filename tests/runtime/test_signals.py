"""Signals that end work: unwound alike, told apart by the exit code, and ignored where they were."""

import os
import signal
import subprocess
import sys
import threading

import pytest

from ecodyn.runtime import signals
from ecodyn.runtime.signals import ended_alike, exit_code

ENDING = [signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])]
DEFAULTS = {signal.SIGINT: signal.default_int_handler}


@pytest.fixture(autouse=True)
def as_before():
    """As in a terminal, also where the tests themselves run in the background, where some of these are ignored."""
    outside = {number: signal.signal(number, DEFAULTS.get(number, signal.SIG_DFL)) for number in ENDING}
    before = {number: signal.getsignal(number) for number in ENDING}
    yield
    assert {number: signal.getsignal(number) for number in ENDING} == before
    signals._received.clear()
    for number, handler in outside.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", ENDING)
def test_each_raises_a_keyboard_interrupt(number):
    with pytest.raises(KeyboardInterrupt), ended_alike():
        signal.raise_signal(number)
    assert exit_code() == 128 + number


def test_a_second_one_at_once_does_not_disturb_what_the_first_began():
    with ended_alike():
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGTERM)  # while what is finished is being kept
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)  # Ctrl-C is somebody who waits
    assert exit_code() == 128 + signal.SIGTERM


def test_a_later_one_is_meant(monkeypatch):
    monkeypatch.setattr(signals, "ONE_ENDING", 0.0)
    with ended_alike():
        for _ in range(2):
            with pytest.raises(KeyboardInterrupt):
                signal.raise_signal(signal.SIGTERM)


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="has no SIGHUP")
def test_what_is_ignored_stays_ignored():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with ended_alike():
            signal.raise_signal(signal.SIGHUP)
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_another_thread_changes_nothing():
    failed = []

    def work():
        try:
            with ended_alike():
                pass
        except ValueError as error:
            failed.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert not failed


@pytest.mark.skipif(sys.platform == "win32", reason="needs pseudo-terminals")
def test_a_terminal_that_is_gone_costs_nothing(tmp_path):
    """As when a session over a network breaks: printing to it fails, and what is finished is kept all the same."""
    import pty

    done = tmp_path / "done"
    program = (
        "import sys, time, pathlib\n"
        "from ecodyn.runtime.signals import ended_alike\n"
        "with ended_alike():\n"
        "    try:\n"
        "        print('ready', flush=True); time.sleep(30)\n"
        "    except KeyboardInterrupt:\n"
        "        print('interrupted', flush=True); print('so', file=sys.stderr, flush=True)\n"
        f"        pathlib.Path({str(done)!r}).touch()\n"
    )
    ours, theirs = pty.openpty()
    child = subprocess.Popen([sys.executable, "-c", program], stdout=theirs, stderr=theirs, stdin=theirs)
    try:
        os.close(theirs)
        assert b"ready" in os.read(ours, 100)
        os.close(ours)  # the terminal is gone, and this child is no session's leader, which alone is told so
        child.send_signal(signal.SIGHUP)
        assert child.wait(20) == 0
    finally:
        child.kill()
        child.wait()
    assert done.exists()
