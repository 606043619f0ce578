"""Of TensorBoard's event files every record comes back, and a damaged one is found by its checksum."""

import sys

import numpy as np
import pytest

from ecodyn.errors import UnusableDataError
from ecodyn.logs import LogOptions, open_logs

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
pytest.importorskip("tensorboard", exc_type=ImportError)

MORE_THAN_THE_RESERVOIR = 12_001  # TensorBoard shows a sample of 10 000
OPTIONS = LogOptions(columns="signal/*")


def write(folder, scalars, time=1_700_000_000):
    """An event file of (step, values by tag); a value may be a number, or a tensor in TensorFlow's form."""
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.summary.writer.record_writer import RecordWriter

    def value(tag, number):
        if isinstance(number, float | int):
            return Summary.Value(tag=tag, simple_value=number)
        return Summary.Value(tag=tag, tensor=number)

    folder.mkdir(exist_ok=True)
    path = folder / f"events.out.tfevents.{time}.host-3.0"
    with path.open("wb") as file:
        writer = RecordWriter(file)
        writer.write(Event(wall_time=time, file_version="brain.Event:2").SerializeToString())
        for step, values in scalars:
            summary = Summary(value=[value(*item) for item in values.items()])
            writer.write(Event(step=step, wall_time=time + step, summary=summary).SerializeToString())
    return path


def tensor(array):
    from tensorboard.util.tensor_util import make_tensor_proto

    return make_tensor_proto(array)


def only(path, options=OPTIONS):
    (log,) = open_logs(path, options)
    return log, log.frames.read(np.arange(len(log.frames)))


def few(first=0, end=6, factor=1.0):
    return [(step, {"signal/1": factor * step, "signal/2": factor / (step + 1)}) for step in range(first, end)]


def test_every_point_comes_back_rounded_as_it_was_stored(tmp_path):
    x = np.random.default_rng(0).uniform(0, 3, MORE_THAN_THE_RESERVOIR)
    write(tmp_path / "run", [(step, {"signal/7": value}) for step, value in enumerate(x.tolist())])
    log, values = only(tmp_path / "run")
    assert log.name == "run"
    assert log.features == (7,)
    assert log.remarks == ()
    assert log.steps.tolist() == list(range(MORE_THAN_THE_RESERVOIR))
    assert values[:, 0].tolist() == x.astype(np.float32).tolist()


def test_steps_without_all_tags_are_left_out(tmp_path):
    sparse = {0: {"signal/1": 2.0}}
    write(tmp_path, [(s, {"signal/2": 1.0, "loss": 0.5, **sparse.get(s % 10, {})}) for s in range(50)])
    log, values = only(tmp_path)
    assert log.features == (1, 2)
    assert log.steps.tolist() == [0, 10, 20, 30, 40]
    assert values.tolist() == [[2, 1]] * 5
    assert log.remarks == ("45 steps lack a value of some feature and were left out, 5 have all",)


def test_its_own_writer_is_read(tmp_path):
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.summary.writer.event_file_writer import EventFileWriter

    writer = EventFileWriter(str(tmp_path))
    for step in range(5):
        writer.add_event(Event(step=step, summary=Summary(value=[Summary.Value(tag="signal/a", simple_value=step)])))
    writer.close()
    log, values = only(tmp_path)
    assert log.features == ("a",)
    assert values[:, 0].tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "int64"])
def test_scalars_may_be_tensors(tmp_path, dtype):
    x = np.array([0.1, 2.7, 3.0]).astype(dtype)
    write(tmp_path, [(step, {"signal/1": tensor(value)}) for step, value in enumerate(x)])
    assert only(tmp_path)[1][:, 0].tolist() == x.astype(float).tolist()


def test_tensors_that_are_no_scalars_are_left_out(tmp_path):
    write(tmp_path, [(step, {"x": 1.0, "histogram": tensor(np.ones(3)), "text": tensor("abc")}) for step in range(3)])
    log, _ = only(tmp_path, None)
    assert log.features == ("x",)
    assert log.remarks == ("left out, holding no numbers: histogram, text",)
    with pytest.raises(UnusableDataError, match="histogram holds 'a tensor', expected columns of numbers"):
        open_logs(tmp_path, LogOptions(columns="histogram"))


def test_file_without_scalars_is_refused(tmp_path):
    write(tmp_path, [])
    with pytest.raises(UnusableDataError, match="holds no scalars"):
        open_logs(tmp_path)


@pytest.mark.parametrize("cut", [1, 4, 5, 20])
def test_what_comes_before_a_truncated_end_is_kept(tmp_path, cut):
    path = write(tmp_path, few())
    path.write_bytes(path.read_bytes()[:-cut])
    log, _ = only(tmp_path)
    assert log.steps.tolist() == [0, 1, 2, 3, 4]
    assert "ends in the middle of a record" in log.remarks[0]


def test_truncation_at_any_byte_keeps_whole_records_only(tmp_path):
    path = write(tmp_path, few())
    data = path.read_bytes()
    whole = only(tmp_path)[1]
    least = len(data)
    for size in range(len(data) - 1, len(data) // 2, -1):
        path.write_bytes(data[:size])
        kept = only(tmp_path)[1]
        assert kept.tolist() == whole[: len(kept)].tolist()
        assert len(kept) <= least
        least = len(kept)


def test_flipped_bit_is_refused(tmp_path):
    path = write(tmp_path, few())
    data = path.read_bytes()
    for at in np.random.default_rng(0).integers(len(data), size=40):
        damaged = bytearray(data)
        damaged[at] ^= 1 << int(at) % 8
        path.write_bytes(damaged)
        with pytest.raises(UnusableDataError, match=r"is damaged: the record at byte \d+ does not match its checksum"):
            open_logs(tmp_path)


def test_records_of_something_else_are_refused(tmp_path):
    from tensorboard.summary.writer.record_writer import RecordWriter

    with (tmp_path / "events.out.tfevents.1").open("wb") as file:
        RecordWriter(file).write(b"\xff" * 12)
    with pytest.raises(UnusableDataError, match="holds records that are no events"):
        open_logs(tmp_path)


def test_of_a_resumed_run_the_last_file_wins(tmp_path):
    write(tmp_path, few(3, 8, factor=2.0), time=1_700_000_100)
    write(tmp_path, few(0, 6), time=1_700_000_000)
    log, values = only(tmp_path)
    assert log.steps.tolist() == list(range(8))
    assert values[:, 0].tolist() == [0, 1, 2, 6, 8, 10, 12, 14]
    assert "the last value wins, 3 rows were dropped" in log.remarks[0]
    assert len(log.sources) == 2


def test_folders_within_a_folder_are_runs(tmp_path):
    for name in ("a", "b"):
        write(tmp_path / name, few())
    assert [log.name for log in open_logs(tmp_path, OPTIONS)] == ["a", "b"]


def test_tensorboard_that_is_missing_is_said_with_the_extra(tmp_path, monkeypatch):
    write(tmp_path, few())
    monkeypatch.setitem(sys.modules, "tensorboard.compat.proto.event_pb2", None)
    with pytest.raises(ModuleNotFoundError, match=r"ecodyn-toolkit\[logs\]"):
        open_logs(tmp_path)
