"""The entry point: how a process ends whatever happens where."""

import signal

import pytest

from ecodyn.cli import commands


@pytest.mark.parametrize(("sent", "code"), [(None, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_an_interrupt_outside_of_a_command_ends_as_one_inside(sent, code, monkeypatch, request):
    def interrupted():
        if sent is None:
            raise KeyboardInterrupt
        signal.raise_signal(sent)

    before = [(number, signal.signal(number, signal.SIG_DFL)) for number in (signal.SIGTERM, signal.SIGHUP)]
    request.addfinalizer(lambda: [signal.signal(*handler) for handler in before])  # under nohup one is ignored
    monkeypatch.setattr(commands, "app", interrupted)
    monkeypatch.setattr(commands, "outlive_readers", lambda: None)  # of the streams of these tests
    monkeypatch.setattr(commands.gc, "set_threshold", lambda *_: None)
    with pytest.raises(SystemExit) as end:
        commands.main()
    assert end.value.code == code
