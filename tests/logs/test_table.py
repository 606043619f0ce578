"""A table of features gives the same trajectories whichever format it is in, and one that is damaged is named."""

import csv
import json
import sys

import numpy as np
import pytest

from ecodyn.errors import DataWarning, UnusableDataError
from ecodyn.extraction import Request, extract
from ecodyn.logs import LogOptions, open_logs

T, RUNS, LABELS = 12, ("a", "b"), (1, 2, 10)
NAMES = [f"signal/{label}" for label in LABELS]
STEPS = 5.0 * np.arange(T)
VALUES = np.random.default_rng(0).uniform(0.1, 3, (len(RUNS), T, len(LABELS)))
OPTIONS = LogOptions(columns="signal/*")


def rows(runs=RUNS):
    return [
        {"step": STEPS[t], "run": run, "loss": 1 / (t + 1), **dict(zip(NAMES, VALUES[r, t].tolist(), strict=True))}
        for r, run in enumerate(runs)
        for t in range(T)
    ]


def write_csv(path, rows):
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter="\t" if path.suffix == ".tsv" else ",")
        writer.writeheader()
        writer.writerows(rows)


def write_jsonl(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def write_parquet(path, rows):
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    parquet.write_table(pyarrow.Table.from_pylist(rows), path)


WRITERS = {".csv": write_csv, ".tsv": write_csv, ".jsonl": write_jsonl, ".parquet": write_parquet}


@pytest.fixture
def table(tmp_path):
    def written(content, suffix=".csv"):
        path = tmp_path / f"table{suffix}"
        path.write_text(content) if isinstance(content, str) else WRITERS[suffix](path, content)
        return path

    return written


def only(path, options=None):
    (log,) = open_logs(path, options)
    return log


def values(log):
    return log.frames.read(np.arange(len(log.frames)))


# ---------------------------------------------------------------------------------------------------------- formats


@pytest.mark.parametrize("suffix", WRITERS)
def test_formats_give_the_same_trajectories(table, suffix):
    trajectories = extract(table(rows(), suffix), options=OPTIONS)
    assert trajectories.runs.tolist() == list(RUNS)
    assert trajectories.features.tolist() == list(LABELS)
    assert trajectories.times.tolist() == [STEPS.tolist()] * len(RUNS)
    assert trajectories.values.tolist() == VALUES.tolist()
    assert trajectories.provenance["remarks"] == []


def test_without_a_pattern_every_column_of_numbers_is_a_feature(table):
    named = [{**row, "note": "fine", "_timestamp": 7} for row in rows()]
    log = open_logs(table(named))[0]
    assert log.features == ("loss", *NAMES)
    assert log.remarks[0] == "left out, holding no numbers: note"
    assert log.remarks[1].startswith("left out, as loggers write them beside features")
    assert log.remarks[1].endswith(": _timestamp")


@pytest.mark.parametrize(
    ("pattern", "features"),
    [("signal/*", LABELS), ("*ss", ("lo",)), ("loss", ("loss",)), ("s*", tuple(n[1:] for n in NAMES))],
)
def test_pattern_picks_features_and_their_labels(table, pattern, features):
    assert open_logs(table(rows()), LogOptions(columns=pattern))[0].features == features


def test_run_is_called_by_its_file_where_there_is_no_column_run(table):
    log = only(table("step,x\n0,1\n1,2\n"))
    assert log.name == "table"
    assert log.features == ("x",)


def test_comments_and_a_column_without_a_name_are_left_out(table):
    log = only(table("# units: none\n,step,x\n0,0,1\n# a pause\n1,1,2\n"))
    assert log.features == ("x",)
    assert values(log).tolist() == [[1], [2]]


# ------------------------------------------------------------------------------------------------------------- steps


def test_sparse_keys_are_joined_by_step(table):
    lines = [{"step": row["step"], name: row[name]} for row in rows(["a"]) for name in NAMES]
    lines.remove(next(line for line in lines if line["step"] == 20 and NAMES[1] in line))
    log = only(table(lines, ".jsonl"), OPTIONS)
    kept = STEPS != 20
    assert log.steps.tolist() == STEPS[kept].tolist()
    assert values(log).tolist() == VALUES[0, kept].tolist()
    assert log.remarks == (
        "rows of the same step that hold different columns were joined: 35 rows into 12",
        "1 steps lack a value of some feature and were left out, 11 have all",
    )


def test_sparse_keys_may_come_in_another_order_in_each_run(table):
    lines = [
        {"step": row["step"], "run": row["run"], name: row[name]}
        for row in rows()
        for name in sorted(["loss", *NAMES], reverse=row["run"] == "a")
    ]
    features = [log.features for log in open_logs(table(lines, ".jsonl"))]
    assert features[0] == features[1]


def test_no_step_with_all_features_is_refused(table):
    with pytest.raises(UnusableDataError, match=r"no step has a value of all of x, y.*--columns"):
        open_logs(table("step,x,y\n0,1,\n1,,2\n"))


def test_of_a_resumed_run_the_last_row_of_a_step_wins(table):
    before = [{**row, **dict.fromkeys(NAMES, -1.0)} for row in rows(["a"])]
    resumed = table(before[:8] + rows(["a"])[5:])
    log = only(resumed, OPTIONS)
    assert log.steps.tolist() == STEPS.tolist()
    assert (values(log)[:5] == -1).all()
    assert values(log)[5:].tolist() == VALUES[0, 5:].tolist()
    with pytest.warns(DataWarning, match=r"the last value wins, 3 rows were dropped"):
        extract(resumed, options=OPTIONS)


def test_a_step_that_repeats_without_a_resume_is_refused(table):
    with pytest.raises(UnusableDataError, match=r"the step 1 repeats with different values, in rows 2 and 3"):
        open_logs(table("step,x\n0,1\n1,2\n1,3\n2,4\n"))


def test_rows_in_any_order_are_sorted_and_said(table):
    shuffled = np.random.default_rng(1).permutation(T)
    log = only(table([rows(["a"])[i] for i in shuffled]), OPTIONS)
    assert log.steps.tolist() == STEPS.tolist()
    assert values(log).tolist() == VALUES[0].tolist()
    assert "were sorted" in log.remarks[0]


@pytest.mark.parametrize("cell", ["2026-01-31", "", "nan", "inf"])
def test_step_that_is_no_number_is_refused(table, cell):
    shown = "" if cell == "nan" else cell  # both are a missing cell
    with pytest.raises(UnusableDataError, match=rf"row 2 has the step '{shown}', expected a number"):
        open_logs(table(f"step,x\n0,1\n{cell},2\n"))


@pytest.mark.parametrize("suffix", WRITERS)
def test_table_without_steps_is_refused(table, suffix):
    with pytest.raises(UnusableDataError, match="no column named step, only year, x"):
        open_logs(table([{"year": 0.0, "x": 1.0}], suffix))


# ------------------------------------------------------------------------------------------------------------ damage


@pytest.mark.parametrize("options", [None, OPTIONS])
@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_text_among_the_values_of_a_feature_is_refused(table, suffix, options):
    damaged = rows()
    damaged[3][NAMES[2]] = "n/a"
    with pytest.raises(UnusableDataError, match=f"{NAMES[2]} holds 'n/a', expected columns of numbers"):
        open_logs(table(damaged, suffix), options)


def test_pattern_that_fits_nothing_is_refused_with_what_there_is(table):
    with pytest.raises(UnusableDataError, match=r"none of loss, signal/1, .* is a feature"):
        open_logs(table(rows()), LogOptions(columns="weight/*"))


@pytest.mark.parametrize(
    ("suffix", "content", "reason"),
    [
        (".csv", "# a comment\nstep,x,y\n0,1,2\n1,1", "line 4 has another number of cells than the 3 columns"),
        (".csv", "step,x\n0,1\n1,1,2\n", "line 3 has another number of cells"),
        (".csv", 'step,x\n0,1\n1,"1', r"can't be read as CSV: .* \(line 3\)"),
        (".csv", "step,x, x\n0,1,2\n", "two columns of the same name in step, x, x"),
        (".csv", "step,x\n", "no rows"),
        (".csv", "", "is empty"),
        (".jsonl", '{"step": 0, "x": 1}\n\n{"step": 1, "x', "line 3 is not JSON"),
        (".jsonl", "[0, 1]\n", "line 1 holds a list, expected an object"),
        (".jsonl", "[" * 100_000, "line 1 is not JSON"),
        (".jsonl", '{"step": 1' + "0" * 400 + ', "x": 1}', "row 1 has the step 'inf'"),
        (".jsonl", "", "is empty"),
        (".parquet", "", "is empty"),
        (".parquet", "step,x\n0,1\n", "is not a Parquet file"),
    ],
)
def test_damaged_table_is_refused(table, suffix, content, reason):
    with pytest.raises(UnusableDataError, match=reason):
        open_logs(table(content, suffix))


def test_truncated_parquet_is_refused(table):
    path = table(rows(), ".parquet")
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(UnusableDataError, match="damaged or truncated"):
        open_logs(path)


def test_parquet_with_two_columns_of_a_name_is_refused(tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    column = pyarrow.array([0.0, 1.0])
    parquet.write_table(pyarrow.table([column] * 3, names=["step", "x", "x"]), tmp_path / "table.parquet")
    with pytest.raises(UnusableDataError, match="two columns of the same name in step, x, x"):
        open_logs(tmp_path / "table.parquet")


def test_table_in_another_encoding_is_refused(tmp_path):
    (tmp_path / "table.csv").write_bytes("step,größe\n0,1\n".encode("latin-1"))
    with pytest.raises(UnusableDataError, match="UTF-8"):
        open_logs(tmp_path / "table.csv")


def test_pyarrow_that_is_missing_is_said_with_the_extra(table, monkeypatch):
    path = table(rows(), ".parquet")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ModuleNotFoundError, match=r"ecodyn-toolkit\[logs\]"):
        open_logs(path)


@pytest.mark.parametrize("suffix", WRITERS)
def test_nan_is_a_missing_cell(table, suffix):
    damaged = rows(["a"])
    for row in damaged[9:]:
        row[NAMES[0]] = float("nan")
    with pytest.warns(DataWarning, match="3 steps lack a value of some feature and were left out, 9 have all"):
        kept = extract(table(damaged, suffix), options=OPTIONS)
    assert kept.times[0].tolist() == STEPS[:9].tolist()


@pytest.mark.parametrize("suffix", WRITERS)
def test_infinity_is_refused_and_repair_cuts_before_it(table, suffix):
    damaged = rows(["a"])
    for row in damaged[9:]:
        row[NAMES[0]] = float("inf")
    path = table(damaged, suffix)
    refusal = r"row 9 \(step 45\) is not finite \(3 such rows\), expected numbers; --repair keeps the 9 rows before it"
    with pytest.raises(UnusableDataError, match=refusal):
        extract(path, options=OPTIONS)
    with pytest.warns(DataWarning, match="repaired, the 9 rows before it were kept"):
        cut = extract(path, Request(repair=True), options=OPTIONS)
    assert len(cut.times[0]) == 9
