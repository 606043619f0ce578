"""What Weights & Biases gives: charts that its pages export, histories of its API; and its own files, refused."""

import csv
import itertools
import json
import re
import shlex

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from typer.testing import CliRunner

import ecodyn
from ecodyn.cli import app
from ecodyn.errors import DataWarning, UnusableDataError
from ecodyn.logs import LogOptions, open_logs
from ecodyn.tables import TableOptions, interpret

STEPS = [0, 10, 20, 30]
PLAIN = st.text(st.characters(whitelist_categories=("L", "Nd"), whitelist_characters="/_."), min_size=1, max_size=6)
CELLS = st.floats(allow_nan=False, allow_infinity=False)


def export(path, cells, steps=STEPS, axis="Step", low=None, high=None):
    """As the pages write it: names in quotes, empty cells for points that a run has not."""
    names = [name + end for name in cells for end in ("", "__MIN", "__MAX")]
    low, high = low or cells, high or cells
    with path.open("w", newline="") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL)
        writer.writerow([axis, *names])
        for i, step in enumerate(steps):
            row = [part[name][i] for name in cells for part in (cells, low, high)]
            writer.writerow([step, *("" if cell is None else repr(cell) for cell in row)])
    return path


def line(offset=0.0):
    return [offset + step / 7 for step in STEPS]


def values_of(log):
    return log.frames.read(np.arange(len(log.frames)))


def said(log, text):
    return any(text in remark for remark in log.remarks)


# ------------------------------------------------------------------------------------------------ charts


def test_runs_and_features_are_told_from_the_names(tmp_path):
    cells = {f"{run} - {name}": line(10 * r + i) for r, run in enumerate("ba") for i, name in enumerate(("x/1", "x/2"))}
    logs = open_logs(export(tmp_path / "chart.csv", cells))
    assert [log.name for log in logs] == ["b", "a"]
    for r, log in enumerate(logs):
        assert log.features == ("x/1", "x/2")
        assert log.steps.tolist() == STEPS
        assert values_of(log).T.tolist() == [line(10 * r), line(10 * r + 1)]
        assert said(log, "2 runs and 2 features; 8 columns __MIN and __MAX were left out")


@given(
    runs=st.lists(PLAIN, min_size=1, max_size=3, unique=True),
    names=st.lists(PLAIN, min_size=1, max_size=3, unique=True),
    data=st.data(),
)
def test_every_value_comes_back(tmp_path_factory, runs, names, data):
    beside = {"lr", "t", "day", "time", "run", "id", "trial", "wd", "step", "epoch", "value", "seed", "key", "tag"}
    assume(not {name.lower() for name in (*runs, *names)} & {*beside, "none", "null", "nan", "na"})
    assume(not any(name.startswith("_") or "lr_" in name.lower() for name in names))
    cells = {f"{r} - {n}": data.draw(st.lists(CELLS, min_size=4, max_size=4)) for r in runs for n in names}
    logs = open_logs(export(tmp_path_factory.mktemp("chart") / "chart.csv", cells))
    assert [log.name for log in logs] == runs
    for log, run in zip(logs, runs, strict=True):
        columns = [log.features.index(int(n) if isinstance(log.features[0], int) else n) for n in names]
        assert values_of(log)[:, columns].T.tolist() == [cells[f"{run} - {n}"] for n in names]


def test_a_run_has_the_steps_at_which_it_has_points(tmp_path):
    cells = {"a - x": [1.0, None, 3.0, None], "b - x": [None, 2.0, None, 4.0]}
    a, b = open_logs(export(tmp_path / "chart.csv", cells))
    assert (a.steps.tolist(), values_of(a)[:, 0].tolist()) == ([0, 20], [1, 3])
    assert (b.steps.tolist(), values_of(b)[:, 0].tolist()) == ([10, 30], [2, 4])


def test_runs_without_points_are_left_out_and_said(tmp_path):
    path = export(tmp_path / "chart.csv", {"a - x": line(), "b - x": [None] * 4})
    (log,) = open_logs(path)
    assert log.name == "a"
    assert said(log, "1 runs have no points and were left out: b")
    with pytest.raises(UnusableDataError, match=r"chart\.csv"):
        open_logs(export(path, {"a - x": [None] * 4}))


def test_points_that_stand_for_several_values_are_said(tmp_path):
    cells, high = {"a - x": line(), "b - x": line()}, {"a - x": line(1.0), "b - x": line()}
    (log, _) = open_logs(export(tmp_path / "chart.csv", cells, high=high))
    assert said(log, "4 of 8 points stand for several values (__MIN and __MAX differ)")
    low = {"a - x": line(0.5), "b - x": line()}
    (log, _) = open_logs(export(tmp_path / "chart.csv", cells, low=low, high=high))
    assert said(log, "4 of 8 points are not between __MIN and __MAX")
    (log, _) = open_logs(export(tmp_path / "chart.csv", cells))
    assert not said(log, "points")


def test_another_axis_is_the_time_and_said(tmp_path):
    cells = {"a - _step": [0, 1, 2, 3], "a - x": line()}
    (log,) = open_logs(export(tmp_path / "chart.csv", cells, axis="Relative Time (Process)", steps=[0.5, 1.5, 2.5, 4]))
    assert log.steps.tolist() == [0.5, 1.5, 2.5, 4]
    assert log.features == ("x",)
    assert said(log, "the chart's axis Relative Time (Process) is taken as the time")
    assert said(log, "beside features (--columns has those that are asked for): _step")
    for columns in ("x", None):
        (log,) = open_logs(tmp_path / "chart.csv", LogOptions(time_column="_step", columns=columns))
        assert (log.steps.tolist(), log.features) == ([0, 1, 2, 3], ("x",))
        assert said(log, "the chart's axis and not the time that was asked for: Relative Time (Process)")


def test_a_line_called_as_the_axis_is_left_out_and_said(tmp_path):
    cells = {"a - epoch": [0, 1, 2, 3], "a - x": line()}
    (log,) = open_logs(export(tmp_path / "chart.csv", cells, axis="epoch", steps=[0, 1, 2, 3]))
    assert log.features == ("x",)
    assert said(log, "left out, being called as the chart's axis: epoch")


@pytest.mark.parametrize("name", ["run", "run_", "Run"])
def test_a_feature_may_be_called_run(tmp_path, name):
    cells = {f"{run} - {n}": line(i) for i, run in enumerate("ab") for n in (name, "x")}
    a, b = open_logs(export(tmp_path / "chart.csv", cells), LogOptions(columns=[name, "x"]))
    assert (a.features, a.name, b.name) == ((name, "x"), "a", "b")
    assert values_of(b)[:, 0].tolist() == line(1)


def test_names_with_several_separators_are_split_as_all_columns_agree(tmp_path):
    cells = {"big - wd - x": line(), "big - wd - y": line(1), "small - x": line(2), "small - y": line(3)}
    big, small = open_logs(export(tmp_path / "chart.csv", cells))
    assert (big.name, small.name, big.features) == ("big - wd", "small", ("x", "y"))
    assert values_of(big).T.tolist() == [line(), line(1)]
    assert said(big, "2 names have several ' - ': they were split in the only way in which every run has every feature")


AMBIGUOUS = [
    ["a - b - x"],
    ["exp - 0 - x", "exp - 1 - x"],
    ["a - b - x", "a - x"],
    ["a - b - x", "a - b - y"],
    ["a - b - c - x", "a - b - d - x"],
]


@pytest.mark.parametrize("names", AMBIGUOUS, ids=str)
def test_names_that_can_be_split_in_two_ways_are_refused_and_each_flag_tells(tmp_path, names):
    cells = {name: line(i) for i, name in enumerate(names)}
    path = export(tmp_path / "chart.csv", cells)
    with pytest.raises(UnusableDataError, match="may be the feature") as refusal:
        open_logs(path)
    flags = re.findall(r'--columns ("[^"]*")', str(refusal.value))
    assert len(flags) == 2
    read = set()
    for flag in flags:
        logs = open_logs(path, LogOptions(columns=shlex.split(flag)[0]))
        got = {f"{log.name} - {k}": values_of(log)[:, i].tolist() for log in logs for i, k in enumerate(log.features)}
        assert got == cells
        read.add(tuple((log.name, log.features) for log in logs))
    assert len(read) == 2


def test_where_no_way_is_complete_it_is_refused(tmp_path):
    cells = {"a - b - x": line(), "c - x": line(), "c - y": line()}
    path = export(tmp_path / "chart.csv", cells)
    with pytest.raises(UnusableDataError, match="may be the feature 'b - x' of the run 'a' or the feature 'x'"):
        open_logs(path)
    assert [log.name for log in open_logs(path, LogOptions(columns="x"))] == ["a - b", "c"]


@given(
    runs=st.lists(st.lists(st.sampled_from("ab"), min_size=1, max_size=2).map(" - ".join), min_size=1, unique=True),
    names=st.lists(st.lists(st.sampled_from("xa"), min_size=1, max_size=2).map(" - ".join), min_size=1, unique=True),
)
def test_names_are_split_rightly_or_not_at_all(runs, names):
    columns = [f"{run} - {name}" for run, name in itertools.product(runs, names)]
    assume(len({*columns}) == len(columns))
    frame = pd.DataFrame({"Step": STEPS} | {c + e: line() for c in columns for e in ("", "__MIN", "__MAX")})
    try:
        table = interpret(frame)
    except UnusableDataError as error:
        assert "may be the feature" in str(error)  # noqa: PT017
    else:
        assert [*table.runs] == runs
        assert [*table.features] == names


def test_many_runs_with_separators_in_their_names_are_told(tmp_path):
    cells = {f"{size} - wd 0.1 - seed {s} - {n}": line(s) for size in "abcdefgh" for s in range(8) for n in ("x", "y")}
    cells |= {"reference - x": line(), "reference - y": line()}
    logs = open_logs(export(tmp_path / "chart.csv", cells))
    assert len(logs) == 65
    assert logs[0].features == ("x", "y")


def test_lines_that_were_not_asked_for_are_counted(tmp_path):
    cells = {f"a - {name}": line(i) for i, name in enumerate(("signal_1", "signal_2", "loss"))}
    (log,) = open_logs(export(tmp_path / "chart.csv", cells), LogOptions(columns="signal_*"))
    assert log.features == (1, 2)
    assert said(log, "1 of 3 of its lines were not asked for")


def test_columns_that_are_asked_for_in_full_are_features_as_they_stand(tmp_path):
    path = export(tmp_path / "chart.csv", {"a - x": line(), "b - x": line(1)})
    (log,) = open_logs(path, LogOptions(columns=["a - x", "b - x"]))
    assert log.features == ("a - x", "b - x")


@pytest.mark.parametrize(
    "columns",
    [
        ["Step", "a - x", "b - x"],
        ["Step", "a", "a__MIN", "a__MAX"],
        ["Step", "other", "a - x", "a - x__MIN", "a - x__MAX"],
        ["Step", "a - x", "a - x__MIN", "a - x__MAX", "b - x", "b - x__MIN"],
    ],
    ids=str,
)
def test_other_tables_are_read_as_they_were(columns):
    table = interpret(pd.DataFrame(dict.fromkeys(columns, STEPS)))
    kept = tuple(name for name in columns[1:] if "__M" not in name)
    assert (table.runs, table.features) == ((0,), kept)


def test_decimal_commas_of_a_chart_are_still_said(tmp_path):
    path = tmp_path / "chart.csv"
    path.write_text("Step;a - x;a - x__MIN;a - x__MAX\n0;0,5;0,5;0,5\n1;0,25;0,25;0,25\n")
    (log,) = open_logs(path)
    assert values_of(log)[:, 0].tolist() == [0.5, 0.25]
    assert said(log, "decimal commas")
    assert said(log, "read as a chart")


def test_two_columns_of_one_run_and_feature_are_refused(tmp_path):
    path = export(tmp_path / "chart.csv", {"a - x": line(), "a  - x": line(1)})
    with pytest.raises(UnusableDataError, match="two columns of the feature 'x' of the run 'a'"):
        open_logs(path)


def test_text_in_a_chart_is_refused(tmp_path):
    path = export(tmp_path / "chart.csv", {"a - x": line()})
    path.write_text(path.read_text().replace('"0.0"', '"none at all"', 1))
    with pytest.raises(UnusableDataError, match="x holds 'none at all', expected columns of numbers"):
        open_logs(path)


def test_a_chart_is_a_table_to_the_whole_package(tmp_path):
    path = export(tmp_path / "chart.csv", {f"{run} - x/{k}": line(k) for run in "ab" for k in (1, 2)})
    with pytest.warns(DataWarning, match="read as a chart that Weights & Biases exports"):
        runs = ecodyn.load(path, columns="x/*")
    assert (runs.runs.tolist(), runs.features.tolist()) == (["a", "b"], [1, 2])
    assert "read as a chart" in str(runs.provenance["table"])
    with pytest.warns(DataWarning, match="read as a chart"):
        again = ecodyn.as_trajectories(pd.read_csv(path))
    np.testing.assert_array_equal(runs.values, again.values)
    assert interpret(pd.read_csv(path), TableOptions(columns="x/*")).columns.run == "run"


# ------------------------------------------------------------------------------------------------ histories


def history(r=0):
    return [
        {"_step": step, "_runtime": 0.1 * step, "_timestamp": 1.7e9 + step, "signal/1": v, "epoch": step // 20}
        | ({"signal/2": v + r} if step % 20 == 0 else {})
        | {"gradients/w": {"_type": "histogram", "bins": [0, 1]}}
        for step, v in zip(STEPS, line(r), strict=True)
    ]


@pytest.mark.parametrize("name", ["history.csv", "wandb-history.jsonl", "0000.parquet"])
def test_a_history_of_the_api_is_a_table(tmp_path, name):
    path = tmp_path / name
    if path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in history()))
    elif path.suffix == ".parquet":
        pytest.importorskip("pyarrow")
        pd.DataFrame(history()).to_parquet(path)
    else:
        pd.DataFrame(history()).to_csv(path, index=False)
    (log,) = open_logs(path)
    assert log.features == ("signal/1", "signal/2")
    assert log.steps.tolist() == [0, 20]
    assert values_of(log)[:, 0].tolist() == line()[::2]
    assert said(log, "_runtime, _timestamp, epoch")
    assert said(log, "holding no numbers: gradients/w")
    assert said(log, "2 steps lack a value of some feature and were left out, 2 have all")


def test_histories_of_several_runs_are_told_by_a_column(tmp_path):
    frames = [pd.DataFrame(history(r)).assign(run_name=f"seed_{r}") for r in range(2)]
    pd.concat(frames).to_csv(tmp_path / "all.csv", index=False)
    logs = open_logs(tmp_path / "all.csv", LogOptions(columns="signal/1"))
    assert [log.name for log in logs] == ["seed_0", "seed_1"]
    assert values_of(logs[1])[:, 0].tolist() == line(1)


# ------------------------------------------------------------------------------------------------ its own files


def offline(folder, *, old=False):
    """The files of a run without a server."""
    run = folder / "wandb" / "offline-run-20240101_000000-abcd1234"
    (run / "files").mkdir(parents=True)
    (run / "run-abcd1234.wandb").write_bytes(b":W&B\xe1\xbe\x00" + bytes(40))
    (run / "files/requirements.txt").write_text("numpy\n")
    if old:
        (run / "files/wandb-history.jsonl").write_text("".join(json.dumps(row) + "\n" for row in history()))
    return run


@pytest.mark.parametrize("where", ["", "wandb", "wandb/{run}", "wandb/{run}/run-abcd1234.wandb"])
def test_files_without_a_reader_are_refused_with_how_to_export(tmp_path, where):
    run = offline(tmp_path)
    with pytest.raises(UnusableDataError, match=r"wandb sync .*run\.history\(\)"):
        open_logs(tmp_path / where.format(run=run.name))


def test_a_history_that_is_there_is_named(tmp_path):
    run = offline(tmp_path, old=True)
    with pytest.raises(UnusableDataError, match=r"files/wandb-history\.jsonl") as refusal:
        open_logs(run)
    (path,) = re.findall(r"name (\S+), which", str(refusal.value))
    assert open_logs(path)[0].features == ("signal/1", "signal/2")


def test_beside_logs_that_can_be_read_they_are_no_hindrance(tmp_path):
    offline(tmp_path)
    export(tmp_path / "chart.csv", {"a - x": line()})
    assert [log.name for log in open_logs(tmp_path)] == ["a"]


# ------------------------------------------------------------------------------------------------ commands


def test_the_command_line_extracts_and_refuses(tmp_path):
    path = export(tmp_path / "chart.csv", {"a - b - x": line(), "a - c - x": line(1)})
    out = tmp_path / "runs.nc"
    result = CliRunner().invoke(app, ["extract", str(path), "-o", str(out)])
    assert result.exit_code == 3
    assert "may be the feature" in result.stderr
    result = CliRunner().invoke(app, ["extract", str(path), "-o", str(out), "--columns", "x"])
    assert result.exit_code == 0, result.stderr
    assert "read as a chart that Weights & Biases exports" in result.stderr
    assert ecodyn.load(out).runs.tolist() == ["a - b", "a - c"]
    assert "read as a chart" in str(ecodyn.load(out).provenance)
    for command in (["extract", "-o", str(tmp_path / "b.nc")], ["inspect"]):
        result = CliRunner().invoke(app, [*command, str(offline(tmp_path / command[0]))])
        assert result.exit_code == 3
        assert "wandb sync" in result.stderr
