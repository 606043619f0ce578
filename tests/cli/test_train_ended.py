"""`ecodyn train` that is terminated or hung up ends as one that is interrupted: what is finished is kept."""

import signal

import pytest
from test_compare_ended import in_time, seconds_until_gone, workers_of
from test_train_interrupted import long_training, needs_proc, wait_for


@needs_proc
@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_train_keeps_what_is_finished_on_whatever_signal(number, tmp_path):
    """Sent to the command alone, as kill and batch systems do."""
    out, partial = tmp_path / "x.nc", tmp_path / "x.nc.partial"
    with long_training(out, "--jobs", 2) as child:
        wait_for(child, partial, 2)
        workers = workers_of(child.pid)
        assert workers
        child.send_signal(number)
        assert seconds_until_gone(workers, 20) < in_time()
        _, stderr = child.communicate(timeout=60)
    assert child.returncode == 128 + number, stderr
    assert "the same command with --resume goes on" in stderr
    assert "Traceback" not in stderr
    assert len(list(partial.glob("batch_*"))) >= 2
