"""Which column of a table is the time, which tells the runs, and which are features: found, said, or refused."""

import datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecodyn.errors import UnusableDataError
from ecodyn.tables import TableOptions, interpret
from ecodyn.tables.names import RUN_NAMES, STEP_NAMES, TIME_NAMES
from ecodyn.trajectories import Trajectories

open_inputs = settings(max_examples=30, deadline=None, derandomize=True, database=None)
R, T = 3, 6
FEATURES = ("a", "b", "c")
STEPS = 10.0 * np.arange(T)
VALUES = np.random.default_rng(0).uniform(0.1, 3, (R, T, len(FEATURES)))


def wide(runs=R, **others):
    """Rows of runs one after the other, with further columns."""
    frame = pd.concat(
        [pd.DataFrame(VALUES[r], columns=list(FEATURES)).assign(step=STEPS, run=r) for r in range(runs)],
        ignore_index=True,
    )
    return frame.assign(**others)


def read(frame, **options):
    return interpret(frame, TableOptions(**options))


def holds(table, runs=tuple(range(R)), features=FEATURES):
    """Whether a table came out as the values that went in."""
    assert table.runs == runs
    assert table.features == features
    assert all(times.tolist() == STEPS.tolist() for times in table.times)
    assert np.array_equal(np.stack(table.values), VALUES[: len(runs)])
    return True


def refused(frame, sentence, **options):
    with pytest.raises(UnusableDataError, match=sentence):
        read(frame, **options)


# ------------------------------------------------------------------------------------------------------------- times


def test_a_plain_table_needs_no_word():
    table = read(wide())
    assert holds(table)
    assert table.remarks == ()
    assert (table.columns.time, table.columns.run, table.columns.aside) == ("step", "run", ())
    assert not table.index_used


@pytest.mark.parametrize("name", [*STEP_NAMES, "Step", "Global Step"])
def test_a_step_by_any_of_its_names_is_the_time(name):
    table = read(wide().rename(columns={"step": name}))
    assert holds(table)
    assert table.remarks == ()
    assert table.columns.time == name


@pytest.mark.parametrize("name", [*TIME_NAMES, "Time", "Epoch"])
def test_without_a_step_the_one_column_that_may_be_the_time_is_it_and_said(name):
    table = read(wide().rename(columns={"step": name}))
    assert holds(table)
    assert table.remarks == (f"there is no column step: the column {name} is taken as the time",)


def test_several_that_may_be_the_time_are_refused_with_a_flag_for_each():
    frame = wide().rename(columns={"step": "time"}).assign(epoch=1.0)
    refused(frame, r"time, epoch, and they differ; .*--time-column time or --time-column epoch \(time='time'\)")
    assert holds(read(frame, time="time"))


def test_two_steps_that_differ_are_refused_and_of_two_that_are_equal_one_is_left_out():
    refused(wide(global_step=wide().step * 2), "step, global_step, and they differ")
    table = read(wide(global_step=wide().step))
    assert holds(table)
    assert table.remarks == ("left out, holding the same as step: global_step",)
    doubled = read(wide(global_step=wide().step * 2), time="global_step")
    assert doubled.times[0].tolist() == (2 * STEPS).tolist()
    assert doubled.features == FEATURES


def test_a_time_that_was_asked_for_is_taken():
    assert holds(read(wide().rename(columns={"step": "year"}), time="year"))
    refused(wide(), "has no column 'year', which --time-column", time="year")


def test_no_time_at_all_is_refused_or_counted():
    frame = wide(1).drop(columns=["step", "run"])
    refused(frame, "no column named step, only a, b, c; name the time column step, or say which it is")
    counted = interpret(wide().drop(columns="step"), count_rows=True)
    assert [times.tolist() for times in counted.times] == [list(range(T))] * R
    assert counted.columns.time is None


@pytest.mark.parametrize("cell", ["2026-01-31", None, np.inf, np.nan])
def test_a_time_that_is_no_number_is_refused_with_its_row(cell):
    frame = wide().astype({"step": object})
    frame.loc[2, "step"] = cell
    refused(frame, "row 3 has the step '.*', expected a number")


def test_dates_are_refused():
    refused(wide(1).assign(step=pd.date_range("2026", periods=T)), "turn dates into, say, days since the start")
    refused(wide(1).drop(columns="step").set_index(pd.date_range("2026", periods=T)), "turn it into numbers")


# ------------------------------------------------------------------------------------------------------------- index


@pytest.mark.parametrize("levels", [["step"], ["run", "step"], ["step", "run"], ["run"]])
def test_levels_of_the_index_are_columns(levels):
    frame = wide(1) if levels == ["step"] else wide()
    table = read(frame.set_index(levels))
    assert holds(table, tuple(range(len(table.runs))))
    assert table.index_used
    assert table.remarks == ()


def test_an_index_that_counts_rows_is_none():
    table = read(wide(1).drop(columns="run").assign(step=STEPS))
    assert holds(table, (0,))
    assert not table.index_used


@pytest.mark.parametrize("pick", [slice(3, None), slice(None, None, 2), [5, 1, 3]])
def test_numbers_of_rows_that_were_picked_are_no_times(pick):
    frame = wide(1).iloc[pick]
    assert sorted(read(frame).times[0]) == sorted(frame.step)
    refused(frame.drop(columns="step"), r"may hold the times .* or the numbers of rows that were picked")


def test_an_index_with_fractions_is_the_time_and_said():
    frame = wide(1).drop(columns=["step", "run"]).set_index(pd.Index(STEPS / 7))
    table = read(frame)
    assert table.times[0].tolist() == (STEPS / 7).tolist()
    assert table.remarks == ("there is no column step: the index is taken as the time",)
    assert table.index_used


def test_an_index_of_whole_numbers_without_a_name_is_the_time_if_asked_for():
    frame = wide(1).drop(columns=["step", "run"]).set_index(pd.Index(STEPS))
    refused(frame, "time='index'")
    assert holds(read(frame, time="index"), (0,))
    assert holds(read(frame.rename_axis("step")), (0,))


def test_an_index_and_a_column_that_offer_different_times_are_refused():
    refused(wide(1).set_index(pd.Index(STEPS / 7)), "--time-column step or --time-column index")
    refused(wide(1).set_index(pd.Index(STEPS / 7, name="time")), "step, time, and they differ")
    assert holds(read(wide(1).set_index(pd.Index(STEPS, name="time"))), (0,))
    assert holds(read(wide(1).set_index(pd.Index(STEPS / 7, name="time")), time="step"), (0,))


def test_an_index_and_a_column_of_one_name_have_to_be_equal():
    refused(wide(1).set_index(pd.Index(STEPS / 7, name="step")), "both an index level and a column called step")
    assert holds(read(wide(1).set_index("step", drop=False)), (0,))


def test_levels_that_are_neither_time_nor_run_are_left_out_and_said():
    table = read(wide().set_index(["run", pd.Index(["x"] * (R * T), name="place")]))
    assert holds(table)
    assert table.remarks == ("left out, being levels of the index: place",)
    refused(wide().set_index([wide().run, pd.Index(range(R * T))]).drop(columns="run"), "level 1 of the index")


@pytest.mark.parametrize("name", ["", "Unnamed: 0", "index", "level_0"])
@pytest.mark.parametrize("per_run", [False, True])
def test_a_column_that_counts_rows_is_left_out_and_said(name, per_run):
    count = list(range(T)) * R if per_run else range(R * T)
    table = read(wide(**{name: count}))
    assert holds(table)
    assert table.remarks == (f"left out, counting rows: {name}",)
    assert table.columns.aside == (name,)


def test_a_column_without_a_name_that_counts_nothing_is_refused():
    refused(wide(**{"Unnamed: 0": 0.5}), "a column without a name .* name it if it is a feature")


def test_a_feature_may_be_called_index():
    assert "index" in read(wide(index=VALUES[:R].sum(axis=2).reshape(-1))).features


# -------------------------------------------------------------------------------------------------------------- runs


@pytest.mark.parametrize("name", RUN_NAMES)
def test_runs_by_any_of_their_names(name):
    table = read(wide().rename(columns={"run": name}))
    assert holds(table)
    assert table.remarks == ((f"the column {name} is taken to tell the runs",) if name != "run" else ())


def test_of_two_that_name_runs_the_one_that_tells_the_other_counts():
    table = read(wide(seed=[7] * (R * T)))
    assert holds(table)
    assert table.remarks == ("left out, as they name runs: seed",)
    finer = read(wide(run=wide().run // 2, seed=wide().run))
    assert holds(finer)
    assert finer.columns.run == "seed"


def test_two_that_name_runs_and_do_not_tell_each_other_are_refused():
    frame = pd.concat([wide(2).assign(seed=s) for s in (0, 1)])
    refused(frame, r"run, seed, and run does not tell seed; .*--run-column run or --run-column seed")


def test_a_column_of_one_value_names_the_only_run():
    assert holds(read(wide(1).rename(columns={"run": "seed"})), (0,))


def test_numbers_of_rows_are_no_runs():
    table = read(wide(id=range(R * T)))
    assert holds(table)
    assert table.remarks == ("left out, counting rows: id",)


def test_runs_that_were_asked_for():
    frame = wide(who=wide().run.map({0: "w", 1: "x", 2: "y"}))
    assert read(frame, run="who").runs == ("w", "x", "y")
    refused(frame, "has no column 'nobody', which --run-column", run="nobody")
    refused(frame.drop(columns="run"), r"--run-column \(run=\) \(such as who\)")


def test_a_row_without_a_run_is_refused():
    frame = wide().astype({"run": object})
    frame.loc[4, "run"] = None
    refused(frame, "row 5 has no run .1 such rows.")


def test_labels_that_come_and_go_along_one_run_are_refused():
    frame = pd.DataFrame({"step": STEPS, "id": [0, 1, 0, 1, 1, 0], "x": VALUES[0, :, 0]})
    refused(frame, r"a column id that may tell the runs \(say so with --run-column id; run='id'\) or be a feature")
    assert read(frame, run="id").runs == (0, 1)
    assert read(frame, columns=["x", "id"]).features == ("x", "id")
    one_after_the_other = read(frame.assign(id=[0, 0, 0, 1, 1, 1]))  # trials of one session
    assert one_after_the_other.runs == (0, 1)


def test_runs_written_as_whole_numbers_are_numbers():
    assert read(wide(run=wide().run.astype(str))).runs == (0, 1, 2)
    assert read(wide(run=wide().run.astype(float))).runs == (0, 1, 2)
    assert read(wide(run="00" + wide().run.astype(str))).runs == ("000", "001", "002")


# ---------------------------------------------------------------------------------------------------------- features

LOGGED = (
    "eval_runtime",
    "train_samples_per_second",
    "a__MAX",
    "epoch",
    "_timestamp",
    "_runtime",
    "lr",
    "learning_rate",
    "wall_time",
    "_wandb",
    "samples",
    "time",
    "lr-Adam",
)


@open_inputs
@given(
    st.lists(st.sampled_from(LOGGED), min_size=1, max_size=12, unique=True), st.permutations([*FEATURES, "step", "run"])
)
def test_what_loggers_write_is_no_feature_and_is_said(logged, order):
    frame = wide()[order].assign(**{name: np.arange(R * T) / 3 for name in logged})
    table = read(frame)
    assert table.features == tuple(name for name in order if name in FEATURES)
    assert set(table.columns.aside) == set(logged)
    assert table.remarks == (
        "left out, as loggers write them beside features (--columns has those that are asked for): "
        + ", ".join(logged),
    )
    asked = read(frame, columns=[*FEATURES, *logged])
    assert asked.features == (*FEATURES, *logged)


def test_settings_are_no_features():
    frame = wide(dim=wide().run * 32, width=4.0)
    table = read(frame)
    assert table.features == (*FEATURES, "width")  # the same in every run: a feature that does not move, or a setting
    assert "left out, being constant in every run and another in each" in table.remarks[0]
    assert read(frame, columns="dim,a").features == ("dim", "a")


def test_text_is_no_feature_and_a_text_among_numbers_is_refused():
    table = read(wide(note="fine", empty=np.nan, flag=True))
    assert holds(table)
    assert table.remarks == ("left out, holding no numbers: note, flag", "left out, holding nothing: empty")
    frame = wide().astype({"b": object})
    frame.loc[3, "b"] = "oops"
    refused(frame, "b holds 'oops', expected columns of numbers .row 4.")


@pytest.mark.parametrize(
    ("columns", "features"),
    [
        ("s_*", (1, 2, 10)),
        ("s_1*", ("0", "s_1")),  # a star that stands for nothing leaves the name
        (["s_10", "a"], ("s_10", "a")),
        ("a, s_2", ("a", "s_2")),
        (("a",), ("a",)),
    ],
)
def test_columns_pick_features(columns, features):
    frame = wide().rename(columns={"b": "s_2", "c": "s_10"}).assign(s_1=np.arange(R * T) ** 0.5)
    assert read(frame, columns=columns).features == features


def test_columns_that_are_not_there_or_share_a_label_are_refused():
    refused(wide(), "has no column z to be a feature", columns=["a", "z"])
    refused(wide(), "none of a, b, c is a feature", columns="z_*")
    refused(wide(x_1=1.0, y_1=2.0), "calls 2 columns '1'", columns="x_*,y_*")


def test_names_are_what_makes_labels_shared():
    assert read(wide()).shared
    assert not read(wide().rename(columns={"a": 1, "b": 2, "c": 3})).shared


def test_columns_of_one_name_or_of_several_levels_are_refused():
    refused(wide().rename(columns={"b": "a"}), "two columns of the same name")
    refused(wide().T.set_index([["x"] * 5, wide().columns]).T, "column names of 2 levels")
    with pytest.raises(TypeError, match="expected a pandas DataFrame, got ndarray"):
        interpret(np.ones((2, 2)))
    refused(wide().iloc[:0], "has no rows")
    with pytest.raises(ValueError, match=r"missing .* is one of drop, interpolate, keep, got 'guess'"):
        TableOptions(missing="guess")


# -------------------------------------------------------------------------------------------------------------- long


def melted(frame=None, feature="feature"):
    return (wide() if frame is None else frame).melt(["run", "step"], var_name=feature, value_name="value")


@open_inputs
@given(st.sampled_from(["feature", "variable", "metric", "key", "name", "tag"]), st.booleans(), st.randoms())
def test_a_long_table_is_told_from_a_wide_one(feature, numbered, random):
    frame = wide().rename(columns=dict(zip(FEATURES, (1, 2, 3), strict=True))) if numbered else wide()
    long = melted(frame, feature)
    rows = list(range(len(long)))
    random.shuffle(rows)
    table = read(long.iloc[rows].reset_index(drop=True), time="step")
    chosen = [table.features.index(label) for label in ((1, 2, 3) if numbered else FEATURES)]
    by_run = dict(zip(table.runs, table.values, strict=True))
    assert np.array_equal(np.stack([by_run[r][:, chosen] for r in range(R)]), VALUES)
    assert table.columns.feature == feature
    assert table.columns.value == "value"


def test_a_long_table_in_order_needs_no_word():
    table = read(melted())
    assert holds(table)
    assert table.remarks == ()
    assert (
        read(melted(feature="key")).remarks[0] == "read as a long table: key names 3 features, value holds their values"
    )
    assert read(melted().assign(note="x")).remarks == ("left out, beside feature and value: note",)


def test_features_of_a_long_table_can_be_picked():
    assert read(melted(), columns=["c", "a"]).features == ("c", "a")
    assert read(melted(wide().rename(columns={"a": "s_1", "b": "s_2"})), columns="s_*").features == (1, 2)
    refused(melted(), "none of a, b, c is called z", columns="z")


def test_a_table_that_may_be_long_or_wide_is_refused_with_both_readings():
    frame = wide(1)[["step", "a"]].rename(columns={"a": "value"}).assign(feature=4)
    refused(frame, r"a wide table with the features feature and value \(say so with --columns feature,value")
    assert read(frame, columns="feature,value").features == ("feature", "value")
    assert read(frame.assign(feature="f4")).features == ("f4",)
    moving = frame.assign(feature=np.arange(T) / 7)
    assert read(moving).features == ("value", "feature")  # numbers with fractions name nothing


def test_a_long_table_without_a_name_or_with_text_for_a_value_is_refused():
    long = melted().astype({"feature": object, "value": object})
    long.loc[1, "value"] = "oops"
    refused(long, "value holds 'oops' in row 2")
    long.loc[1, "value"], long.loc[1, "feature"] = 3.0, None
    refused(long, "row 2 has a value and no feature")


@given(st.dates(datetime.date(1600, 1, 1), datetime.date(2900, 1, 1)), st.integers(1, 40), st.integers(3, 30))
@open_inputs
def test_dates_written_as_numbers_are_refused(first, apart, rows):
    """From one month to the next they go on by some 70: no unit of time does."""
    days = [first + datetime.timedelta(days=apart * row) for row in range(rows)]
    date, values = [int(day.strftime("%Y%m%d")) for day in days], np.arange(rows)
    frame = pd.DataFrame({"date": date, "a": values, "b": values**2})
    with pytest.raises(UnusableDataError, match="dates written as numbers"):
        Trajectories.from_dataframe(frame, time="date")


@pytest.mark.parametrize(
    "steps", [[0, 1, 2], [20_000_000, 20_100_000, 20_200_000], [1900, 1901, 1902], [1e7, 2e7, 3e7]]
)
def test_steps_are_no_dates(steps):
    frame = pd.DataFrame({"step": steps, "a": [1, 2, 4], "b": [3, 1, 2]})
    assert Trajectories.from_dataframe(frame).times[0].tolist() == steps
