"""Rows in any order, rows that repeat, cells that are missing: put right and said with counts, or refused."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecodyn.errors import UnusableDataError
from ecodyn.tables import TableOptions, interpret
from ecodyn.tables.entries import after_resumes

open_inputs = settings(max_examples=40, deadline=None, derandomize=True, database=None)
R, T = 3, 8
STEPS = 5.0 * np.arange(T)
VALUES = np.random.default_rng(0).uniform(0.1, 3, (R, T, 2))


def frame_of(runs=R):
    return pd.concat(
        [pd.DataFrame(VALUES[r], columns=["x", "y"]).assign(step=STEPS, run=r) for r in range(runs)],
        ignore_index=True,
    )


def one():
    return frame_of(1).drop(columns="run")


def read(frame, **options):
    return interpret(frame.reset_index(drop=True), TableOptions(**options))


def refused(frame, sentence, **options):
    with pytest.raises(UnusableDataError, match=sentence):
        read(frame, **options)


# ------------------------------------------------------------------------------------------------------------- order


@open_inputs
@given(st.permutations(range(R * T)))
def test_rows_in_any_order_come_out_in_order_of_step(order):
    table = read(frame_of().iloc[list(order)])
    for run, times, values in zip(table.runs, table.times, table.values, strict=True):
        assert times.tolist() == STEPS.tolist()
        assert np.array_equal(values, VALUES[run])
    in_order = all(list(order_of_run(order, run)) == sorted(order_of_run(order, run)) for run in range(R))
    assert (table.remarks == ()) == in_order
    assert in_order or "were sorted" in table.remarks[-1]


def order_of_run(order, run):
    return (row for row in order if row // T == run)


def test_a_row_out_of_place_is_sorted_and_not_taken_for_a_resume():
    table = read(one().iloc[[*range(1, T), 0]])
    assert table.times[0].tolist() == STEPS.tolist()
    assert np.array_equal(table.values[0], VALUES[0])
    assert table.remarks == ("the rows are not in the order of their steps (a row goes back 1 times) and were sorted",)


# ----------------------------------------------------------------------------------------------------------- repeats


@open_inputs
@given(st.integers(3, T - 1), st.integers(1, T - 2))
def test_of_a_resume_the_later_branch_counts(reached, again):
    again = min(again, reached - 2)  # back by a step at least
    before = one().iloc[:reached].assign(x=-1.0, y=-2.0)
    table = read(pd.concat([before, one().iloc[again:]]))
    assert table.times[0].tolist() == STEPS.tolist()
    assert (table.values[0][:again] == [-1, -2]).all()
    assert np.array_equal(table.values[0][again:], VALUES[0, again:])
    dropped = reached - again
    assert table.remarks == (
        f"steps repeat or go back, as after a resume: the last value wins, {dropped} rows were dropped",
    )


def test_resumes_are_counted_over_the_runs_that_have_them():
    extra = [frame_of(1).assign(run=r, x=-1.0).iloc[3:6] for r in range(R)]
    parts = [frame_of()[lambda f, r=r: f.run == r] for r in range(R)]
    parts = [
        pd.concat([p.iloc[:3], e, p.iloc[3:]]) if r else p for r, (p, e) in enumerate(zip(parts, extra, strict=True))
    ]
    table = read(pd.concat(parts))
    assert np.array_equal(np.stack(table.values), VALUES)
    assert table.remarks == (
        "runs 1, 2: steps repeat or go back, as after a resume: the last value wins, 6 rows were dropped",
    )
    assert table.of_run[0] == ()
    assert table.of_run[1] == ("steps repeat or go back, as after a resume: the last value wins, 3 rows were dropped",)


@pytest.mark.parametrize(
    "rows",
    [
        [*range(T), *range(T)],  # two runs
        [*range(4), *range(T)],  # two runs, one of which is short; or begun anew
        [0, 1, 1, 2, 3],  # a step twice
        [*range(T), 3, 4],  # goes back, and not on to where it was
        [0, 3, 1, 4, 2, 5, 1, 6, 2, 7, 1, 7],  # in no order
    ],
)
def test_what_repeats_and_is_no_resume_is_refused(rows):
    frame = one().iloc[rows].assign(x=np.arange(len(rows)) + 0.5)
    refused(frame, r"the step \d+ repeats with different values, in rows \d+ and \d+ .*--run-column")


def test_a_long_table_of_other_names_is_told_what_to_call_them():
    long = frame_of().melt(["run", "step"], var_name="species", value_name="count")
    refused(long, "if each row is of a feature that a column names, call that column feature and the other value")
    assert read(long.rename(columns={"species": "feature", "count": "value"})).features == ("x", "y")


def test_runs_without_a_column_that_tells_them_are_refused_with_one_that_would():
    refused(frame_of().drop(columns="run").assign(who=np.repeat(list("uvw"), T)), r"\(run=\) \(such as who\)")


def test_rows_that_say_the_same_twice_are_dropped_and_said():
    table = read(pd.concat([frame_of(), frame_of().iloc[[2, 3, 12]]]))
    assert np.array_equal(np.stack(table.values), VALUES)
    assert "runs 0, 1: 3 rows repeat earlier ones cell by cell and were dropped" in table.remarks


@pytest.mark.parametrize(
    ("steps", "kept"),
    [
        ([0, 1, 2, 3], None),
        ([0, 10, 20, 10, 20, 30], [0, 3, 4, 5]),
        ([0, 10, 20, 10, 20, 15, 20, 30], [0, 3, 5, 6, 7]),
        ([0, 10, 20, 0, 10, 20], None),
        ([0, 10, 20, 10], None),
        ([1, 2, 3, 0], None),
    ],
)
def test_a_resume_is_told_by_its_steps(steps, kept):
    found = after_resumes(np.array(steps, float))
    assert (None if found is None else np.flatnonzero(found).tolist()) == kept


# ------------------------------------------------------------------------------------------------------------ sparse


@open_inputs
@given(st.randoms())
def test_rows_that_hold_different_columns_are_joined_by_step(random):
    lines = [
        {"run": r, "step": STEPS[t], name: VALUES[r, t, k]}
        for r in range(R)
        for t in range(T)
        for k, name in enumerate("xy")
    ]
    random.shuffle(lines)
    table = read(pd.DataFrame(lines), columns=["x", "y"])
    by_run = dict(zip(table.runs, table.values, strict=True))
    assert all(np.array_equal(by_run[r], VALUES[r]) for r in range(R))
    joined = f"rows of the same step that hold different columns were joined: {2 * R * T} rows into {R * T}"
    assert joined in table.remarks


def test_a_metric_after_the_other_is_joined_too():
    frame = pd.concat([one()[["step", "x"]], one()[["step", "y"]]])
    assert np.array_equal(read(frame).values[0], VALUES[0])


def test_a_sparse_table_of_a_resume():
    lines = [
        {"step": s, name: v} for s, row in zip(STEPS, VALUES[0], strict=True) for name, v in zip("xy", row, strict=True)
    ]
    before = [{**line, **{name: -1.0 for name in line if name != "step"}} for line in lines[:8]]
    table = read(pd.DataFrame(before + lines[4:]))
    assert table.times[0].tolist() == STEPS.tolist()
    assert (table.values[0][:2] == -1).all()
    assert np.array_equal(table.values[0][2:], VALUES[0, 2:])


def test_features_logged_at_other_steps_are_kept_where_both_are():
    frame = one().assign(y=lambda f: f.y.where(f.step % 10 == 0))
    table = read(frame)
    assert table.times[0].tolist() == STEPS[::2].tolist()
    assert table.remarks == ("4 steps lack a value of some feature and were left out, 4 have all",)
    refused(
        one().assign(x=lambda f: f.x.where(f.step < 9), y=lambda f: f.y.where(f.step > 9)), "no step has a value of all"
    )


def test_a_feature_that_costs_most_steps_is_named():
    table = read(one().assign(y=lambda f: f.y.where(f.step % 20 == 0)))
    assert table.times[0].tolist() == [0, 20]
    assert table.remarks == (
        "6 steps lack y, more than have all features; choose those that were logged together with --columns (columns=)",
        "6 steps lack a value of some feature and were left out, 2 have all",
    )


# ----------------------------------------------------------------------------------------------------------- missing

SPELLINGS = ("NA", "nan", "NaN", "", " ", "None", "null", "NULL", None, np.nan, pd.NA, pd.NaT)


@open_inputs
@given(
    st.sampled_from(SPELLINGS),
    st.sets(st.tuples(st.integers(0, R * T - 1), st.sampled_from("xy")), min_size=1, max_size=6),
)
def test_a_missing_cell_drops_its_step_however_it_is_written(spelling, cells):
    frame = frame_of().astype({"x": object, "y": object})
    for row, name in cells:
        frame.loc[row, name] = spelling
    table = read(frame)
    gone = {row for row, _ in cells}
    for r in range(R):
        kept = [t for t in range(T) if r * T + t not in gone]
        assert table.times[r].tolist() == STEPS[kept].tolist()
        assert np.array_equal(table.values[r], VALUES[r, kept])
    runs = {row // T for row in gone}
    counts = f"{len(gone)} steps lack a value of some feature and were left out, {len(runs) * T - len(gone)} have all"
    assert table.remarks[0].endswith(counts)
    assert len(table.remarks) == 1


def test_gaps_of_one_step_can_be_filled_in_on_a_line():
    frame = one().assign(x=STEPS**1.0, step=STEPS + (STEPS > 10))
    holes = frame.assign(x=frame.x.where(~frame.index.isin([0, 2, 5, 6])))
    table = read(holes, missing="interpolate")
    assert table.times[0].tolist() == frame.step[[1, 2, 3, 4, 7]].tolist()
    assert table.values[0][1, 0] == pytest.approx(5 + (10 - 5) * 10 / 11)  # between the times 5 and 16, at 10
    assert table.remarks == (
        "1 missing cells, each between two steps that have a value, were filled in linearly",
        "3 steps lack a value of some feature and were left out, 5 have all",
    )


def test_missing_cells_can_be_kept():
    holes = frame_of().assign(x=lambda f: f.x.where(~f.index.isin([2, 3, T])))
    table = read(holes, missing="keep")
    assert np.array_equal(np.stack(table.values), holes[["x", "y"]].to_numpy().reshape(R, T, 2), equal_nan=True)
    assert table.remarks == ("runs 0, 1: 3 cells are missing and were kept as NaN",)


def test_infinity_is_not_missing():
    frame = one().assign(x=lambda f: f.x.where(f.index != 2, np.inf))
    assert np.isinf(read(frame).values[0][2, 0])


def test_blank_rows_are_left_out_and_said():
    blank = pd.concat([frame_of(), pd.DataFrame({"run": [None, None]})])
    table = read(blank)
    assert np.array_equal(np.stack(table.values), VALUES)
    assert table.remarks == ("2 rows that hold neither a time nor a feature were left out",)
