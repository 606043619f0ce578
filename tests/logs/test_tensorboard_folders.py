"""TensorBoard's event files in folders within each other: what add_scalars wrote is one run, another run is another."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

import ecodyn
from ecodyn.cli import app
from ecodyn.errors import UnusableDataError
from ecodyn.logs import LogOptions, open_logs

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
pytest.importorskip("tensorboard", exc_type=ImportError)

STEPS = range(0, 50, 10)
WORD = st.text("ab_1", min_size=1, max_size=3)
PATH = st.lists(WORD, min_size=1, max_size=2).map("/".join)
FIRST = 1_700_000_000


def write(folder, series, time=FIRST):
    """An event file of values by tag, at their steps."""
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.summary.writer.record_writer import RecordWriter

    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"events.out.tfevents.{time}.host"
    with path.open("wb") as file:
        writer = RecordWriter(file)
        writer.write(Event(wall_time=time, file_version="brain.Event:2").SerializeToString())
        for tag, values in series.items():
            for step, value in zip(STEPS, values, strict=False):
                summary = Summary(value=[Summary.Value(tag=tag, simple_value=value)])
                writer.write(Event(step=step, summary=summary).SerializeToString())
    return path


def add_scalars(folder, tag, names):
    """As torch.utils.tensorboard writes them."""
    for name, values in names.items():
        write(folder / f"{tag.replace('/', '_')}_{name}", {tag: values})


def line(offset=0):
    return [offset + step / 8 for step in STEPS]


def series_of(log):
    values = log.frames.read(np.arange(len(log.frames)))
    return {label: values[:, i].tolist() for i, label in enumerate(log.features)}


def test_what_add_scalars_wrote_belongs_to_the_run(tmp_path):
    write(tmp_path, {"signal/3": line(3)})
    add_scalars(tmp_path, "signal", {"1": line(1), "2": line(2)})
    (log,) = open_logs(tmp_path, LogOptions(columns="signal/*"))
    assert series_of(log) == {1: line(1), 2: line(2), 3: line(3)}
    assert log.steps.tolist() == list(STEPS)
    assert len(log.sources) == 3
    said = "folders within were read as what add_scalars wrote, a name of a tag each: signal_1, signal_2"
    assert log.remarks == (said,)


@given(tag=PATH, names=st.sets(PATH, min_size=1, max_size=4))
def test_tags_and_names_come_back_whatever_is_in_them(tmp_path_factory, tag, names):
    folder = tmp_path_factory.mktemp("run")
    write(folder, {})
    expected = {name: line(i) for i, name in enumerate(sorted(names))}
    add_scalars(folder, tag, expected)
    (log,) = open_logs(folder, LogOptions(columns=[f"{tag}/{name}" for name in names]))
    assert series_of(log) == {f"{tag}/{name}": values for name, values in expected.items()}


def test_its_own_writer_is_read(tmp_path):
    tensorboard = pytest.importorskip("torch.utils.tensorboard", exc_type=ImportError)
    with tensorboard.SummaryWriter(str(tmp_path)) as writer:
        for step, value in zip(STEPS, line(), strict=True):
            writer.add_scalar("loss", value, step)
            writer.add_scalars("grad/norm", {"1": value + 1, "last/layer": value + 2}, step)
    (log,) = open_logs(tmp_path)
    assert series_of(log) == {"loss": line(), "grad/norm/1": line(1), "grad/norm/last/layer": line(2)}


def test_a_folder_that_is_another_run_is_left_out_and_said(tmp_path):
    write(tmp_path, {"loss": line()})
    write(tmp_path / "version_1", {"loss": line(1)})
    write(tmp_path / "loss_2", {"loss": line(2), "accuracy": line(3)})
    write(tmp_path / "deep/er", {"acc": line(4)})
    (log,) = open_logs(tmp_path)
    assert series_of(log) == {"loss": line()}
    said = "folders with event files of their own were left out, open them apart: deep/er, loss_2, version_1"
    assert log.remarks == (said,)


def test_a_name_that_is_there_twice_is_refused(tmp_path):
    write(tmp_path, {"signal/1": line()})
    add_scalars(tmp_path, "signal", {"1": line(1)})
    with pytest.raises(UnusableDataError, match="has signal/1 twice, as a tag and as add_scalars' folder signal_1"):
        open_logs(tmp_path)


def test_a_resumed_folder_of_add_scalars_is_one_series(tmp_path):
    write(tmp_path, {})
    add_scalars(tmp_path, "signal", {"1": line()})
    write(tmp_path / "signal_1", {"signal": line(9)[:2]}, time=FIRST + 1)
    (log,) = open_logs(tmp_path)
    assert log.steps.tolist() == [0, 10]
    assert series_of(log) == {"signal/1": line(9)[:2]}
    assert any("the last value wins, 5 rows were dropped" in remark for remark in log.remarks)


def test_a_truncated_file_within_is_said(tmp_path):
    write(tmp_path, {})
    path = write(tmp_path / "signal_1", {"signal": line()})
    path.write_bytes(path.read_bytes()[:-3])
    (log,) = open_logs(tmp_path)
    assert log.steps.tolist() == [0, 10, 20, 30]
    assert any("ends in the middle of a record" in remark for remark in log.remarks)


def test_train_and_validation_of_keras_are_two_runs(tmp_path):
    for i, name in enumerate(("train", "validation")):
        write(tmp_path / name, {"epoch_loss": line(i), "epoch_accuracy": line(i + 2)})
    logs = open_logs(tmp_path)
    assert [log.name for log in logs] == ["train", "validation"]
    assert series_of(logs[1]) == {"epoch_loss": line(1), "epoch_accuracy": line(3)}


def test_what_is_logged_beside_is_left_out_unless_asked_for(tmp_path):
    write(tmp_path, {"x": line(), "epoch": line(), "lr-Adam": line()[:2], "hp_metric": [-1.0]})
    (log,) = open_logs(tmp_path)
    assert series_of(log) == {"x": line()}
    said = "left out, as loggers write them beside features (--columns has those that are asked for)"
    assert log.remarks == (f"{said}: epoch, lr-Adam, hp_metric",)
    (log,) = open_logs(tmp_path, LogOptions(columns="epoch"))
    assert series_of(log) == {"epoch": line()}
    write(tmp_path / "b", {"epoch": line()})
    with pytest.raises(UnusableDataError, match="none of epoch is a feature, expected columns of numbers; say which"):
        open_logs(tmp_path / "b")


def test_the_command_line_extracts_and_refuses(tmp_path):
    add_scalars(tmp_path / "run", "signal", {"1": line(1), "2": line(2)})
    write(tmp_path / "run", {"epoch": line()})
    out = tmp_path / "runs.nc"
    result = CliRunner().invoke(app, ["extract", str(tmp_path / "run"), "-o", str(out), "--columns", "signal/*"])
    assert result.exit_code == 0, result.stderr
    assert "what add_scalars wrote" in result.stderr
    assert "what add_scalars wrote" in str(ecodyn.load(out).provenance)
    write(tmp_path / "run", {"signal/2": line()}, time=FIRST + 1)
    result = CliRunner().invoke(app, ["extract", str(tmp_path / "run"), "-o", str(tmp_path / "b.nc")])
    assert result.exit_code == 3
    assert "has signal/2 twice" in result.stderr
