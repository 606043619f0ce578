"""One process at a time into a folder, and nobody kept out by one that is gone."""

import json
import platform
import signal
import subprocess
import sys

import pytest

from ecodyn.errors import OutputExistsError
from ecodyn.runtime import folder_lock as module
from ecodyn.runtime.folder_lock import folder_lock

HOLD = (
    "import sys, time\n"
    "from ecodyn.runtime.folder_lock import folder_lock\n"
    "with folder_lock(sys.argv[1]):\n"
    "    print('held', flush=True)\n"
    "    time.sleep(60)\n"
)


def gone():
    """The number of a process that has ended."""
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


def test_a_folder_is_held_and_given_back(tmp_path):
    with folder_lock(tmp_path), pytest.raises(OutputExistsError, match=platform.node()), folder_lock(tmp_path):
        pass
    assert not list(tmp_path.iterdir())
    with folder_lock(tmp_path):
        assert list(tmp_path.iterdir())


def test_an_error_gives_it_back(tmp_path):
    with pytest.raises(KeyboardInterrupt), folder_lock(tmp_path):
        raise KeyboardInterrupt
    assert not list(tmp_path.iterdir())


def test_force_goes_on_and_takes_nobodys_lock_away(tmp_path):
    with folder_lock(tmp_path):
        with folder_lock(tmp_path, force=True):
            pass
        with pytest.raises(OutputExistsError), folder_lock(tmp_path):
            pass


def test_another_process_holds_it_until_it_is_killed(tmp_path):
    with subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True) as child:
        try:
            assert child.stdout.readline() == "held\n"
            with pytest.raises(OutputExistsError, match=f"process {child.pid} on"), folder_lock(tmp_path):
                pass
        finally:
            child.send_signal(signal.SIGKILL)
    assert list(tmp_path.iterdir())  # what it left behind
    with folder_lock(tmp_path):
        pass
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("text", ["", "{", "[]", '{"process": "x"}', "null"])
def test_what_is_no_lock_keeps_nobody_out(text, tmp_path):
    (tmp_path / module.NAME).write_text(text)
    with folder_lock(tmp_path):
        pass


@pytest.mark.parametrize(
    ("process", "machine", "held"), [(1, platform.node(), True), (None, platform.node(), False), (1, "elsewhere", True)]
)
def test_where_the_system_knows_no_locks_the_file_says_it(process, machine, held, tmp_path, monkeypatch):
    fcntl = pytest.importorskip("fcntl")

    def unsupported(*_):
        raise OSError(module.UNSUPPORTED[0], "Function not implemented")

    monkeypatch.setattr(fcntl, "flock", unsupported)
    stated = {"process": gone() if process is None else process, "machine": machine}
    (tmp_path / module.NAME).write_text(json.dumps(stated))
    if held:
        with pytest.raises(OutputExistsError, match=f"on {machine}"), folder_lock(tmp_path):
            pass
    else:
        with folder_lock(tmp_path), pytest.raises(OutputExistsError), folder_lock(tmp_path):
            pass
