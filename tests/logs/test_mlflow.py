"""MLflow's stores, of files and SQLite's: every value comes back, and what is not read is said."""

import math
import sqlite3
import sys
from contextlib import closing

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

import ecodyn
from ecodyn.cli import app
from ecodyn.errors import DataWarning, UnusableDataError
from ecodyn.logs import LogOptions, open_logs
from ecodyn.logs.tracked import RESERVED, setting_of
from ecodyn.trajectories import labels

STEPS = (0, 10, 20, 30)
X = {name: [i + step / 7 for step in STEPS] for i, name in enumerate(("signal/1", "signal/2"), 1)}
LARGEST = sys.float_info.max  # as MLflow stores infinity
TABLES = """
CREATE TABLE experiments (experiment_id INTEGER NOT NULL, name VARCHAR(256), lifecycle_stage VARCHAR(32));
CREATE TABLE runs (run_uuid VARCHAR(32) NOT NULL, name VARCHAR(250), lifecycle_stage VARCHAR(20),
    experiment_id INTEGER);
CREATE TABLE metrics ("key" VARCHAR(250) NOT NULL, value FLOAT NOT NULL, timestamp BIGINT NOT NULL,
    run_uuid VARCHAR(32) NOT NULL, step BIGINT DEFAULT '0' NOT NULL, is_nan BOOLEAN DEFAULT '0' NOT NULL,
    CONSTRAINT metric_pk PRIMARY KEY ("key", timestamp, step, run_uuid, value, is_nan));
CREATE TABLE params ("key" VARCHAR(250) NOT NULL, value VARCHAR(8000) NOT NULL, run_uuid VARCHAR(32) NOT NULL);
CREATE TABLE tags ("key" VARCHAR(250) NOT NULL, value VARCHAR(8000), run_uuid VARCHAR(32) NOT NULL);
"""


class Files:
    """A store of files, as MLflow lays them out."""

    def __init__(self, folder):
        self.path = folder / "mlruns"

    def add(self, run, name, metrics, params=None, *, deleted=False, experiment="1", steps=STEPS):
        folder = self.path / experiment / run
        stage = "deleted" if deleted else "active"
        for part in ("metrics", "params", "tags", "artifacts"):
            (folder / part).mkdir(parents=True)
        (self.path / experiment / "meta.yaml").write_text(f"experiment_id: '{experiment}'\nlifecycle_stage: active\n")
        (folder / "meta.yaml").write_text(f"lifecycle_stage: {stage}\nrun_id: {run}\n")
        lines = {f"metrics/{key}": self.lines(steps, values) for key, values in metrics.items()}
        lines |= {f"params/{key}": value for key, value in (params or {}).items()}
        lines |= {"tags/mlflow.runName": name} if name else {}
        for file, text in lines.items():
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            (folder / file).write_text(text)

    @staticmethod
    def lines(steps, values):
        pairs = enumerate(zip(steps, values, strict=False))
        return "".join(f"{1_795_947_634_159 + i} {value!r} {step}\n" for i, (step, value) in pairs)


class Database:
    """The same in SQLite."""

    def __init__(self, folder):
        self.path = folder / "mlflow.db"
        with closing(sqlite3.connect(self.path)) as database:
            database.executescript(TABLES)

    def add(self, run, name, metrics, params=None, *, deleted=False, experiment="1", steps=STEPS):
        rows = [
            (key, 0.0 if math.isnan(value) else max(min(value, LARGEST), -LARGEST), i, run, step, math.isnan(value))
            for key, values in metrics.items()
            for i, (step, value) in enumerate(zip(steps, values, strict=False))
        ]
        with closing(sqlite3.connect(self.path)) as database:
            known = database.execute("SELECT 1 FROM experiments WHERE experiment_id = ?", (experiment,)).fetchall()
            if not known:
                database.execute("INSERT INTO experiments VALUES (?, ?, 'active')", (experiment, f"about {experiment}"))
            stage = "deleted" if deleted else "active"
            database.execute("INSERT INTO runs VALUES (?, ?, ?, ?)", (run, name, stage, experiment))
            database.executemany("INSERT INTO metrics VALUES (?, ?, ?, ?, ?, ?)", rows)
            database.executemany(
                "INSERT INTO params VALUES (?, ?, ?)", [(k, v, run) for k, v in (params or {}).items()]
            )
            database.commit()


@pytest.fixture(params=[Files, Database])
def store(request, tmp_path):
    return request.param(tmp_path)


def values_of(log):
    return log.frames.read(np.arange(len(log.frames)))


def test_every_value_comes_back(store):
    store.add("aa", "seed_0", X)
    (log,) = open_logs(store.path)
    assert (log.name, log.features) == ("seed_0", ("signal/1", "signal/2"))
    assert log.steps.tolist() == list(STEPS)
    assert values_of(log).T.tolist() == list(X.values())


@pytest.mark.parametrize("kind", [Files, Database])
@given(values=st.lists(st.floats(width=64), min_size=2, max_size=8))
def test_every_number_comes_back(tmp_path_factory, kind, values):
    store = kind(tmp_path_factory.mktemp("store"))
    if kind is Database:  # the largest double stands for infinity there
        values = [v for v in values if abs(v) < LARGEST or math.isinf(v)] or [0.0]
    store.add("aa", "", {"x": values, "y": [1.0] * len(values)}, steps=range(len(values)))
    (log,) = open_logs(store.path)
    assert log.name == ("1/aa" if kind is Files else "aa")
    np.testing.assert_array_equal(values_of(log)[:, 0], values)


def test_runs_come_in_the_order_of_their_names(store):
    for run, name in (("aa", "seed_10"), ("bb", "seed_2"), ("cc", "seed_1")):
        store.add(run, name, X)
    assert [log.name for log in open_logs(store.path)] == ["seed_1", "seed_2", "seed_10"]


def test_runs_of_one_name_are_told_apart(store):
    for run, name in (("aa", "same"), ("bb", "same"), ("cc", "other")):
        store.add(run, name, X)
    logs = open_logs(store.path)
    assert [log.name for log in logs] == ["other", "same (aa)", "same (bb)"]
    assert all("several runs are called same: they are told apart by their ids" in log.remarks for log in logs)


def test_deleted_runs_are_left_out_and_counted(store):
    store.add("aa", "seed_0", X)
    store.add("bb", "seed_1", X, deleted=True)
    (log,) = open_logs(store.path)
    assert log.name == "seed_0"
    assert "1 of 2 runs were deleted in MLflow and were left out" in log.remarks


def test_a_store_of_deleted_runs_is_refused(store):
    store.add("aa", "seed_0", X, deleted=True)
    with pytest.raises(UnusableDataError, match="holds 1 runs, all deleted in MLflow"):
        open_logs(store.path)


def test_runs_without_metrics_are_left_out_and_counted(store):
    store.add("aa", "parent", {})
    with pytest.raises(UnusableDataError, match=r"holds no values of metrics \(1 runs\)"):
        open_logs(store.path)
    store.add("bb", "child", X)
    (log,) = open_logs(store.path)
    assert log.name == "child"
    assert "1 of 2 runs have no metrics and were left out" in log.remarks


def test_runs_of_several_experiments_are_said(store):
    store.add("aa", "seed_0", X)
    store.add("bb", "seed_1", X, experiment="2")
    assert any("runs of 2 experiments were read together" in remark for remark in open_logs(store.path)[1].remarks)


def test_parameters_become_settings(store):
    store.add("aa", "seed_0", X, {"dim": "8", "lr": "0.01", "act": "relu", "only": "1", "opt/beta": "1e-3", "run": "3"})
    store.add("bb", "seed_1", X, {"dim": "16", "lr": "0.02", "act": "gelu", "opt/beta": "2", "run": "4"})
    first, second = open_logs(store.path)
    assert first.settings == {"dim": 8, "lr": 0.01, "act": "relu", "opt.beta": 1e-3}
    assert second.settings == {"dim": 16, "lr": 0.02, "act": "gelu", "opt.beta": 2}
    assert "parameters left out, as not all runs have them: only" in first.remarks
    assert "parameters left out, being called as something else of a run is: run" in first.remarks


def test_settings_are_those_of_the_trajectories(store, tmp_path):
    names = {*labels.RESERVED, "dim", "gradient", "circularity", "a,b", "a/b", "b@"}
    names -= {"a/b"} if isinstance(store, Files) else set()
    for run in ("aa", "bb"):
        store.add(run, run, X, dict.fromkeys(names, "1"))
    with pytest.warns(DataWarning, match="being called as something else"):
        ecodyn.extract(store.path).save(tmp_path / "runs.nc")
    runs = ecodyn.load(tmp_path / "runs.nc")
    assert runs.settings["dim"].tolist() == [1, 1]
    assert "being called as something else" in str(runs.provenance)


def test_names_that_files_keep_to_themselves_are_known_here():
    assert labels.RESERVED <= RESERVED


@pytest.mark.parametrize(
    ("text", "setting"),
    [
        *(("8", 8), ("-3", -3), ("0.5", 0.5), ("1e-4", 1e-4), (".5e2", 50.0), ("2.", 2.0)),
        *((text, text) for text in ("1_000", "007", "nan", "inf", "1e999", "True", "9007199254740993", "", "[1, 2]")),
    ],
)
def test_what_of_a_parameter_is_a_number(text, setting):
    assert setting_of(text) == setting
    assert type(setting_of(text)) is type(setting)


@pytest.mark.parametrize("step", [0, 7])
def test_values_without_steps_are_refused(store, step):
    store.add("aa", "seed_0", X, steps=[step] * 4)
    with pytest.raises(UnusableDataError, match=rf"all 4 values of signal/1 are of the step {step}, expected a step"):
        open_logs(store.path)


def test_values_without_steps_that_are_no_features_matter_to_nobody(store):
    store.add("aa", "seed_0", X | {"lr": [0.1] * 4})
    store.add("bb", "seed_1", X)
    (log, _) = open_logs(store.path, LogOptions(columns="signal/*"))
    assert log.features == (1, 2)
    assert values_of(log).T.tolist() == list(X.values())


def test_what_is_logged_beside_is_left_out_unless_asked_for(store):
    store.add("aa", "seed_0", X | {"lr": [0.1] * 4, "epoch": [0.0] * 4, "system/cpu": [3.0] * 2})
    (log,) = open_logs(store.path)
    assert log.features == ("signal/1", "signal/2")
    assert log.steps.tolist() == list(STEPS)
    assert any(remark.endswith(": epoch, lr, system/cpu") for remark in log.remarks)
    (log,) = open_logs(store.path, LogOptions(columns="lr,epoch"))
    assert log.features == ("lr", "epoch")
    assert not any("beside features" in remark for remark in log.remarks)


def test_of_a_resumed_run_the_last_value_wins(store):
    store.add("aa", "seed_0", {"x": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]}, steps=[0, 1, 2, 1, 2, 3])
    (log,) = open_logs(store.path)
    assert log.steps.tolist() == [0, 1, 2, 3]
    assert values_of(log)[:, 0].tolist() == [1, 4, 5, 6]
    assert any("the last value wins, 2 rows were dropped" in remark for remark in log.remarks)


def test_a_run_and_an_experiment_are_opened_as_the_store_is(tmp_path):
    store = Files(tmp_path)
    store.add("aa", "seed_0", X)
    store.add("bb", "seed_1", X, experiment="2")
    (store.path / "models").mkdir()
    (store.path / "1" / "models").mkdir()
    for path, names in (("", ["seed_0", "seed_1"]), ("1", ["seed_0"]), ("2/bb", ["seed_1"])):
        assert [log.name for log in open_logs(store.path / path)] == names
    assert [log.name for log in open_logs(tmp_path)] == ["seed_0", "seed_1"]


@pytest.mark.parametrize("cut", range(1, 24))
def test_a_truncated_file_is_refused(tmp_path, cut):
    store = Files(tmp_path)
    store.add("aa", "seed_0", X)
    file = store.path / "1/aa/metrics/signal/1"
    file.write_text(file.read_text()[:-cut])
    with pytest.raises(UnusableDataError, match=r"signal/1: line 4 is .*expected milliseconds, value and step"):
        open_logs(store.path)


@pytest.mark.parametrize("line", ["1 2", "1 a 3", "1 2 b", ""])
def test_a_line_of_something_else_is_refused(tmp_path, line):
    store = Files(tmp_path)
    store.add("aa", "seed_0", X)
    (store.path / "1/aa/metrics/signal/1").write_text(f"1 2.5 3\n{line}\n")
    with pytest.raises(UnusableDataError, match="line 2 is"):
        open_logs(store.path)


def test_what_newer_versions_write_behind_the_step_is_none_of_the_value(tmp_path):
    store = Files(tmp_path)
    store.add("aa", "seed_0", {})
    (store.path / "1/aa/metrics/x").write_text("1 2.5 3 train 0a1b\n2 3.5 4 train 0a1b\n")
    (log,) = open_logs(store.path)
    assert (log.steps.tolist(), values_of(log)[:, 0].tolist()) == ([3, 4], [2.5, 3.5])


def test_a_damaged_database_is_refused(tmp_path):
    store = Database(tmp_path)
    store.add("aa", "seed_0", X)
    store.path.write_bytes(store.path.read_bytes()[:3000])
    with pytest.raises(UnusableDataError, match="can't be read as a database of MLflow"):
        open_logs(store.path)


def test_another_database_is_none(tmp_path):
    with closing(sqlite3.connect(tmp_path / "mlflow.db")) as database:
        database.execute("CREATE TABLE runs (x)")
    with pytest.raises(UnusableDataError, match="is no training log that is known here"):
        open_logs(tmp_path / "mlflow.db")


def test_a_database_is_opened_for_reading_only(tmp_path):
    store = Database(tmp_path)
    store.add("aa", "seed_0", X)
    before = store.path.read_bytes()
    open_logs(store.path)
    assert store.path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["mlflow.db"]


def test_the_command_line_extracts_and_refuses(store, tmp_path):
    store.add("aa", "seed_0", X, {"dim": "8"})
    store.add("bb", "seed_1", X, {"dim": "16"}, deleted=True)
    out = tmp_path / "runs.nc"
    result = CliRunner().invoke(app, ["extract", str(store.path), "-o", str(out), "--columns", "signal/*"])
    assert result.exit_code == 0, result.stderr
    assert "were deleted in MLflow" in result.stderr
    assert "were deleted in MLflow" in str(ecodyn.load(out).provenance)
    result = CliRunner().invoke(app, ["extract", str(store.path), "-o", str(tmp_path / "b.nc"), "--columns", "grad*"])
    assert result.exit_code == 3
    assert "say which they are with --columns" in result.stderr
