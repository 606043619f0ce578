"""What is done by way of trial changes nothing here, and says how it ended."""

import os
import signal
import sys
import threading
import time

import pytest

from ecodyn.runtime import probing
from ecodyn.runtime.probing import KILLS, killed_by

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="tried where processes can be copied")


def test_what_returns_or_raises_is_not_killed_and_leaves_nothing(capfd, tmp_path):
    done = []

    def act():
        done.append(1)
        print("said")
        raise ValueError

    assert killed_by(act, 5) is None
    assert killed_by(lambda: (tmp_path / "begun").touch(), 5) is None
    assert (tmp_path / "begun").exists()  # it was carried out
    assert done == []
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", KILLS)
def test_a_signal_that_ends_it_is_named(name):
    assert killed_by(lambda: signal.raise_signal(getattr(signal, name)), 5) == name


def test_what_takes_too_long_is_ended():
    def loop():
        while True:
            pass

    assert killed_by(loop, 1) == "SIGXCPU"


def test_of_what_waits_nothing_is_concluded(monkeypatch):
    monkeypatch.setattr(probing, "PATIENCE", 0.2)
    assert killed_by(lambda: time.sleep(60), 5) is None


def test_an_interrupt_ends_both():
    def interrupt():
        time.sleep(0.3)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    begun = time.monotonic()
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever imports what may have another
    thread.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            killed_by(lambda: time.sleep(60), 5)
    finally:
        thread.join()
        signal.signal(signal.SIGINT, before)
    assert time.monotonic() < begun + 30


def test_without_room_for_a_copy_nothing_is_concluded(monkeypatch):
    def refuse():
        raise OSError(12, "no memory")

    monkeypatch.setattr(os, "fork", refuse)
    assert killed_by(lambda: signal.raise_signal(signal.SIGSEGV), 5) is None
