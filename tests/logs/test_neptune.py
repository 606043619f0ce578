"""Neptune's export to Parquet: series come back by path and run, in however many files; the rest is counted."""

import itertools
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

import ecodyn
from ecodyn.cli import app
from ecodyn.errors import UnusableDataError
from ecodyn.logs import LogOptions, open_logs

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

SCHEMA = pa.schema(
    [
        ("project_id", pa.string()),
        ("run_id", pa.string()),
        ("attribute_path", pa.string()),
        ("attribute_type", pa.string()),
        ("step", pa.decimal128(18, 6)),
        ("timestamp", pa.timestamp("ms", tz="UTC")),
        ("int_value", pa.int64()),
        ("float_value", pa.float64()),
        ("string_value", pa.string()),
        ("bool_value", pa.bool_()),
        ("datetime_value", pa.timestamp("ms", tz="UTC")),
        ("string_set_value", pa.list_(pa.string())),
        ("file_value", pa.struct([("path", pa.string())])),
    ]
)
STEPS = (0, 10, 20, 30)


def point(run, path, step, value, project="lab/circles"):
    return {
        "project_id": project,
        "run_id": run,
        "attribute_path": path,
        "attribute_type": "float_series",
        "step": None if step is None else Decimal(str(step)),
        "float_value": value,
    }


def once(run, path, kind, **values):
    return {"project_id": "lab/circles", "run_id": run, "attribute_path": path, "attribute_type": kind, **values}


def series(run, offset=0.0, steps=STEPS, **kwargs):
    names = (("signal/1", 1.0), ("signal/2", 2.0))
    return [point(run, name, step, factor * step + offset, **kwargs) for name, factor in names for step in steps]


def write(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows, SCHEMA), path)
    return path


def values_of(log):
    return log.frames.read(np.arange(len(log.frames)))


def test_every_value_comes_back(tmp_path):
    (log,) = open_logs(write(tmp_path / "RUN-1_part_0.parquet", series("RUN-1", 0.1)))
    assert (log.format, log.name, log.features, log.remarks) == ("neptune", "RUN-1", ("signal/1", "signal/2"), ())
    assert log.steps.tolist() == list(STEPS)
    assert values_of(log).tolist() == [[step + 0.1, 2.0 * step + 0.1] for step in STEPS]


@given(
    values=st.lists(st.floats(), min_size=2, max_size=30),
    cuts=st.lists(st.integers(0, 30), max_size=3),
    step=st.decimals(min_value="0.000001", max_value=1000, places=6),
)
def test_however_it_is_cut_into_parts_a_run_is_one(tmp_path_factory, values, cuts, step):
    folder = tmp_path_factory.mktemp("export")
    rows = [point("RUN-1", "x", step * i, value) for i, value in enumerate(values)]
    bounds = [0, *sorted(min(cut, len(rows)) for cut in cuts), len(rows)]
    for i, (first, end) in enumerate(itertools.pairwise(bounds)):
        write(folder / f"RUN-1_part_{i}.parquet", rows[first:end])
    (log,) = open_logs(folder)
    np.testing.assert_array_equal(values_of(log)[:, 0], values)
    assert log.steps.tolist() == [float(step * i) for i in range(len(values))]


def test_parts_come_in_the_order_of_their_numbers(tmp_path):
    for i in range(12):
        write(tmp_path / f"RUN-1_part_{i}.parquet", [point("RUN-1", "x", i, float(i)), point("RUN-1", "y", i, 1.0)])
    (log,) = open_logs(tmp_path)
    assert log.remarks == ()
    assert log.steps.tolist() == list(range(12))
    assert len(log.sources) == 12


@pytest.mark.parametrize(
    "layout", ["{run}_part_0.parquet", "{run}/part_0.parquet", "lab_circles/{run}_part_0.parquet"], ids=str
)
def test_runs_are_found_in_the_folders_of_runs_and_of_projects(tmp_path, layout):
    for i, run in enumerate(("RUN-2", "RUN-10")):
        write(tmp_path / layout.format(run=run), series(run, float(i)))
    logs = open_logs(tmp_path)
    assert [log.name for log in logs] == ["RUN-2", "RUN-10"]
    assert [values_of(log)[0, 0] for log in logs] == [0, 1]


def test_runs_of_one_id_in_two_projects_are_two(tmp_path):
    for project in ("a", "b"):
        write(tmp_path / project / "RUN-1_part_0.parquet", series("RUN-1", project=project))
    assert [log.name for log in open_logs(tmp_path)] == ["a/RUN-1", "b/RUN-1"]


def test_a_part_that_is_missing_is_refused(tmp_path):
    for i in (0, 2):
        write(tmp_path / f"RUN-1_part_{i}.parquet", series("RUN-1"))
    with pytest.raises(UnusableDataError, match=r"lacks RUN-1_part_1\.parquet \(1 of 3 parts\)"):
        open_logs(tmp_path)


def test_parts_that_are_not_read_are_said(tmp_path):
    write(tmp_path / "RUN-1_part_0.parquet", series("RUN-1", steps=STEPS[:2]))
    write(tmp_path / "RUN-1_part_1.parquet", series("RUN-1", steps=STEPS[2:]))
    (tmp_path / "RUN-2_part_0.parquet.tmp").write_bytes(b"")
    (log,) = open_logs(tmp_path / "RUN-1_part_0.parquet")
    assert "parts of the same run beside it were not read (its folder has them): RUN-1_part_1.parquet" in log.remarks
    (log,) = open_logs(tmp_path)
    assert log.remarks == ("1 files .parquet.tmp of an export that did not finish were left out",)


def test_what_is_no_series_becomes_a_setting_or_is_counted(tmp_path):
    rows = series("RUN-1") + series("RUN-2")
    for run, dim in (("RUN-1", 8), ("RUN-2", 16)):
        rows += [
            once(run, "params/dim", "int", int_value=dim),
            once(run, "params/lr", "float", float_value=0.5),
            once(run, "act", "string", string_value="relu"),
            once(run, "amp", "bool", bool_value=True),
            once(run, "nan", "float", float_value=float("nan")),
            once(run, "sys/name", "string", string_value="Untitled"),
            once(run, "when", "datetime", datetime_value=0),
            once(run, "weights", "file", file_value={"path": "x"}),
            once(run, "log", "string_series", step=Decimal(1), string_value="text"),
        ]
    first, second = open_logs(write(tmp_path / "all.parquet", rows))
    assert first.settings == {"params.dim": 8, "params.lr": 0.5, "act": "relu", "amp": "True", "nan": "nan"}
    assert second.settings["params.dim"] == 16
    counted = "2 in sys/, 2 of the type datetime, 2 of the type file, 2 of the type string_series"
    assert f"rows left out, being of no series of numbers and no parameter: {counted}" in first.remarks


def test_what_is_measured_of_the_machine_is_left_out_unless_asked_for(tmp_path):
    rows = [*series("RUN-1"), *(point("RUN-1", "monitoring/cpu", step, 1.0) for step in range(3))]
    path = write(tmp_path / "a.parquet", rows)
    (log,) = open_logs(path)
    assert log.features == ("signal/1", "signal/2")
    assert log.steps.tolist() == list(STEPS)
    assert any("beside features" in remark and "monitoring/cpu" in remark for remark in log.remarks)
    assert open_logs(path, LogOptions(columns="monitoring/*"))[0].features == ("cpu",)


def test_another_table_beside_is_left_out_and_said(tmp_path):
    write(tmp_path / "RUN-1_part_0.parquet", series("RUN-1"))
    pq.write_table(pa.table({"step": [0, 1], "x": [1.0, 2.0]}), tmp_path / "other.parquet")
    (tmp_path / "more.csv").write_text("step,x\n0,1\n")
    (log,) = open_logs(tmp_path)
    assert log.remarks == ("2 tables that are no export of Neptune's were left out: other.parquet, more.csv",)
    assert open_logs(tmp_path / "other.parquet")[0].format == "table"


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (point("RUN-1", "x", None, 1.0), "has no step, expected both"),
        (point("RUN-1", "x", 1, None), "has no float_value, expected both"),
        (point(None, "x", 1, 1.0), "has no run_id"),
        (point("RUN-1", None, 1, 1.0), "has no attribute_path"),
    ],
)
def test_rows_that_lack_something_are_refused(tmp_path, row, said):
    with pytest.raises(UnusableDataError, match=rf"row 9.*{said}"):
        open_logs(write(tmp_path / "a.parquet", [*series("RUN-1"), row]))


def test_parameters_that_contradict_each_other_are_refused(tmp_path):
    rows = [*series("RUN-1"), *(once("RUN-1", "dim", "int", int_value=dim) for dim in (8, 16))]
    with pytest.raises(UnusableDataError, match="dim is 8 and 16 in one run"):
        open_logs(write(tmp_path / "a.parquet", rows))


def test_folders_beside_one_of_neptune_are_still_read(tmp_path):
    write(tmp_path / "neptune/RUN-1_part_0.parquet", series("RUN-1"))
    (tmp_path / "tables").mkdir()
    (tmp_path / "run.csv").write_text("step,signal/1,signal/2\n0,1,2\n1,2,3\n")
    assert {log.format for log in open_logs(tmp_path)} == {"neptune", "table"}


def test_as_a_table_it_is_refused_with_the_command_that_reads_it(tmp_path):
    path = write(tmp_path / "RUN-1_part_0.parquet", series("RUN-1"))
    result = CliRunner().invoke(app, ["fit", str(path), "--family", "linear"])
    assert result.exit_code == 3
    assert f"ecodyn extract {tmp_path} -o runs.nc" in " ".join(result.stderr.split())


def test_without_series_it_is_refused(tmp_path):
    path = write(tmp_path / "a.parquet", [once("RUN-1", "dim", "int", int_value=8)])
    with pytest.raises(UnusableDataError, match=r"holds no values of metrics \(1 runs\)"):
        open_logs(path)


def test_the_command_line_extracts_and_refuses(tmp_path):
    write(tmp_path / "lab/RUN-1_part_0.parquet", [*series("RUN-1"), once("RUN-1", "dim", "int", int_value=8)])
    write(tmp_path / "lab/RUN-2_part_0.parquet", [*series("RUN-2", 1.0), once("RUN-2", "dim", "int", int_value=16)])
    out = tmp_path / "runs.nc"
    result = CliRunner().invoke(app, ["extract", str(tmp_path / "lab"), "-o", str(out), "--columns", "signal/*"])
    assert result.exit_code == 0, result.stderr
    runs = ecodyn.load(out)
    assert (runs.runs.tolist(), runs.features.tolist()) == (["RUN-1", "RUN-2"], [1, 2])
    assert runs.settings["dim"].tolist() == [8, 16]
    (tmp_path / "lab/RUN-2_part_0.parquet").rename(tmp_path / "lab/RUN-2_part_1.parquet")
    result = CliRunner().invoke(app, ["extract", str(tmp_path / "lab"), "-o", str(tmp_path / "b.nc")])
    assert result.exit_code == 3
    assert "expected all parts of a run" in result.stderr
