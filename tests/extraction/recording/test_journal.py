"""A journal loses nothing that was appended to it, whatever happens to the process or to the end of the file."""

import os
import signal
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import ecodyn
from ecodyn.errors import DataWarning, UnusableDataError
from ecodyn.extraction import extract, inspect_logs
from ecodyn.extraction.recording.journal import Journal, journal_of, read_journal
from ecodyn.extraction.recording.pending import MOST_ROWS

pytest.importorskip("torch")

HEADER = {"columns": ["signal", "gradient"], "features": [1, 2, 3], "provenance": {}}
ROWS = np.random.default_rng(0).normal(size=(6, 2, 3))


@pytest.fixture
def path(tmp_path):
    return journal_of(tmp_path / "run.nc")


def written(path, rows=6):
    journal = Journal.begin(path, HEADER)
    for step in range(rows):
        journal.append(10 * step, ROWS[step], float(step))
    return journal


def test_what_was_appended_is_there_while_it_is_open(path):
    journal = written(path)
    kept = read_journal(path)
    assert kept.in_progress
    np.testing.assert_array_equal(kept.rows["values"], ROWS)
    np.testing.assert_array_equal(kept.rows["step"], 10 * np.arange(6))
    np.testing.assert_array_equal(kept.rows["dc"], np.arange(6))
    journal.close()
    assert not read_journal(path).in_progress


@given(st.data())
def test_cut_anywhere_it_holds_the_rows_before_the_cut(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("cut") / "run.nc.recording"
    written(path).close()
    whole = path.read_bytes()
    start = whole.index(b"\n") + 1
    row = (len(whole) - start) // len(ROWS)
    cut = data.draw(st.integers(start, len(whole)))
    path.write_bytes(whole[:cut])
    kept = read_journal(path)
    np.testing.assert_array_equal(kept.rows["values"], ROWS[: (cut - start) // row])
    assert kept.torn == (cut - start) % row
    journal = Journal(path)  # goes on where the last whole row ends
    journal.append(1000, ROWS[0], 0.0)
    journal.close()
    kept = read_journal(path)
    assert (kept.rows["step"][-1], kept.torn, kept.rows["start"][-1]) == (1000, 0, 2 if len(kept.rows) > 1 else 1)


@pytest.mark.parametrize("where", [0, 1, 4])
def test_a_flipped_bit_is_noticed(path, where):
    written(path).close()
    whole = bytearray(path.read_bytes())
    start = whole.index(b"\n") + 1
    whole[start + where * ((len(whole) - start) // len(ROWS)) + 20] ^= 1
    path.write_bytes(whole)
    with pytest.raises(UnusableDataError, match=f"row {where} of 6"):
        read_journal(path)


@pytest.mark.parametrize("text", [b"", b"hello", b"{}\n", b'{"ecodyn_recording": 99, "columns": [], "features": []}\n'])
def test_what_is_no_journal_is_refused(path, text):
    path.write_bytes(text)
    with pytest.raises(UnusableDataError, match=r"run\.nc\.recording"):
        read_journal(path)


@given(step=st.integers(0, 70))
def test_rewound_it_holds_what_came_before(tmp_path_factory, step):
    path = tmp_path_factory.mktemp("rewound") / "run.nc.recording"
    journal = written(path)
    before = -(-step // 10)
    assert journal.rewind(step) == max(0, 6 - before)
    journal.append(step, ROWS[0], 0.0)
    journal.close()
    np.testing.assert_array_equal(read_journal(path).rows["step"], [*(10 * np.arange(min(before, 6))), step])


def test_a_second_recorder_is_kept_out(path):
    journal = written(path)
    for open_again in (Journal, lambda path: Journal.begin(path, HEADER)):
        with pytest.raises(ValueError, match="another process"):
            open_again(path)
    assert len(read_journal(path).rows) == 6
    journal.close()
    Journal(path).close()


def test_a_full_disk_ends_the_recording_and_not_the_training(tmp_path, training, monkeypatch):
    run, append = training(), Journal.append

    def full(self, step, values, dc):
        if step == 3:
            raise OSError(28, "No space left on device")
        append(self, step, values, dc)

    monkeypatch.setattr(Journal, "append", full)
    recorder = ecodyn.Recorder("embedding", out=tmp_path / "run.nc")
    with pytest.warns(DataWarning, match=r"step 3 could not be written .*; 3 rows up to step 2 are kept"):
        run.run(recorder, 2 * MOST_ROWS)
    recorder.close()
    assert ecodyn.load(tmp_path / "run.nc").steps.tolist() == [0, 1, 2]


def test_a_file_that_can_not_be_written_leaves_the_journal(tmp_path, training):
    run = training()
    recorder = ecodyn.Recorder("embedding", out=tmp_path / "run.nc")
    run.run(recorder, 3)
    (tmp_path / "run.nc").write_text("somebody else's")
    with pytest.warns(DataWarning, match=r"could not be written .*run\.nc\.recording has all rows"):
        recorder.close()
    assert (tmp_path / "run.nc").read_text() == "somebody else's"
    with pytest.warns(DataWarning, match="interrupted"):
        assert extract(journal_of(tmp_path / "run.nc")).n_steps == 3


def test_rows_that_are_rare_do_not_wait(tmp_path, training, monkeypatch):
    run = training()
    recorder = ecodyn.Recorder("embedding", out=tmp_path / "run.nc")
    run.run(recorder, 3)
    assert len(read_journal(journal_of(tmp_path / "run.nc")).rows) == 1
    monkeypatch.setattr("ecodyn.extraction.recording.pending.LONGEST", 0.0)
    run.run(recorder, 1)
    assert len(read_journal(journal_of(tmp_path / "run.nc")).rows) == 4
    recorder.let_go()


@pytest.mark.parametrize("steps", [1, MOST_ROWS, MOST_ROWS + 1, 3 * MOST_ROWS + 2])
def test_none_is_lost_where_it_ends_in_order(tmp_path, training, steps):
    run = training()
    recorder = ecodyn.Recorder("embedding", out=tmp_path / "run.nc")
    run.run(recorder, steps)
    recorder.let_go()
    assert read_journal(journal_of(tmp_path / "run.nc")).rows["step"].tolist() == list(range(steps))


KILLED = """
import sys, torch, ecodyn
torch.manual_seed(0)
model = torch.nn.Sequential(torch.nn.Embedding(7, 4), torch.nn.Linear(4, 7)).double()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
tokens = torch.arange(7)
recorder = ecodyn.Recorder("0.weight", every=2, out=sys.argv[1])
for step in range(100_000):
    optimizer.zero_grad()
    torch.nn.functional.cross_entropy(model(tokens), tokens).backward()
    recorder.step(model)
    print(step, flush=True)
    optimizer.step()
"""


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_killed_it_lacks_the_rows_at_most_that_waited(tmp_path):
    out = tmp_path / "runs" / "run.nc"
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(out)], stdout=subprocess.PIPE, text=True)
    try:
        while (last := int(process.stdout.readline())) < 40:
            pass
        (facts,) = inspect_logs(tmp_path / "runs")
        assert any("in progress" in remark for remark in facts["wrong"])
        assert facts["last_step"] > 40 - 2 * MOST_ROWS
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=60)
        further = process.stdout.read().split()  # none, where the machine is busy
        process.stdout.close()
    last = int(further[-1]) if further else last  # of the steps whose call had ended
    with pytest.warns(DataWarning, match="the recording was interrupted"):
        runs = extract(tmp_path / "runs")
    np.testing.assert_array_equal(runs.steps, np.arange(0, runs.steps[-1] + 1, 2))
    assert runs.steps[-1] > last - 2 * MOST_ROWS
    assert not out.exists()
