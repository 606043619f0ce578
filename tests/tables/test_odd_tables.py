"""Tables as they come out of spreadsheets and pivots: read as they are meant, or refused with what to do."""

import numpy as np
import pandas as pd
import pytest

import ecodyn
from ecodyn.errors import DataWarning, UnusableDataError
from ecodyn.tables import TableOptions, interpret


@pytest.fixture
def load(tmp_path):
    def load(text, name="table.csv", **options):
        (tmp_path / name).write_text(text)
        return ecodyn.load(tmp_path / name, **options)

    return load


def pivoted(axis, T=4):
    frame = pd.DataFrame(np.arange(2.0 * T).reshape(T, 2), index=pd.RangeIndex(T, name="step"))
    return frame.rename_axis(columns=axis)


# ---------------------------------------------------------------------------------------------- lines beginning with #


def test_runs_whose_labels_begin_with_a_number_sign_are_runs(load):
    runs = load("run,step,x\n#1,0,1.5\n#1,1,2.5\n#2,0,3.5\n#2,1,4\n")
    assert runs.runs.tolist() == ["#1", "#2"]
    np.testing.assert_array_equal(runs.values[..., 0], [[1.5, 2.5], [3.5, 4]])


def test_a_spreadsheet_error_in_the_first_cell_is_no_comment(load):
    with pytest.raises(UnusableDataError, match=r"row 2 .*#DIV/0!"):
        load("step,x\n0,1\n#DIV/0!,2\n2,3\n")


def test_comments_below_the_names_are_counted(load):
    with pytest.warns(DataWarning, match="2 lines below the names of columns begin with #"):
        runs = load("# above\nstep,x,y\n0,1,2\n# a pause\n1,2,3\n#\n2,3,4\n")
    assert runs.values.shape == (1, 3, 2)
    assert runs.provenance["comments"] == ["above", "a pause", ""]


def test_what_ecodyn_writes_says_nothing_of_comments(tmp_path):
    runs = ecodyn.Trajectories(np.random.default_rng(0).random((2, 3, 2)), [0, 1, 2], runs=["#a", "#b"])
    runs.save(tmp_path / "runs.csv")
    assert ecodyn.load(tmp_path / "runs.csv").runs.tolist() == ["#a", "#b"]


# ------------------------------------------------------------------------------------------------- points of thousands


def test_points_that_may_separate_thousands(load):
    with pytest.raises(UnusableDataError, match=r"may be 1000 \(thousands\) or 1.000 .*no number in the file tells"):
        load("step;x\n0;14\n1;1.000\n2;15\n")
    with pytest.raises(UnusableDataError, match="column step"):
        load("step;x\n998;14\n999;13\n1.000;15\n")


@pytest.mark.parametrize("rows", ["0;1.000\n1;2.500\n", "0;14\n1;1.000\n2;0.5\n", "0;1\n1;0.125\n"])
def test_points_that_the_file_tells_are_decimal(load, rows):
    expected = [float(line.split(";")[1]) for line in rows.split()]
    assert load("step;x\n" + rows).values[0, :, 0].tolist() == expected


# ------------------------------------------------------------------------------------------------------ names of axes


@pytest.mark.parametrize(("axis", "todo"), [("run", "stack"), ("seed", "stack"), ("step", r"frame\.T"), ("t", "T;")])
def test_columns_that_are_runs_or_steps(axis, todo):
    with pytest.raises(UnusableDataError, match=todo):
        interpret(pivoted(axis))


@pytest.mark.parametrize("columns", ["run", "step"])
def test_what_the_sentence_says_turns_it(columns):
    wide = pivoted("run") if columns == "run" else pivoted("run").T
    with pytest.raises(UnusableDataError, match=r"frame\.stack\(\)\.rename\('value'\)\.reset_index\(\)"):
        interpret(wide)
    table = interpret(wide.stack().rename("value").reset_index())
    assert table.runs == (0, 1)
    np.testing.assert_array_equal(np.hstack(table.values), pivoted("run").to_numpy())


@pytest.mark.parametrize("axis", [None, "feature", "species"])
def test_columns_that_are_features(axis):
    np.testing.assert_array_equal(interpret(pivoted(axis)).values[0], pivoted(axis).to_numpy())


def test_a_row_a_feature():
    frame = pd.DataFrame({"feature": ["a", "b"], "step_0": [1.0, 2.0], "step_10": [3.0, 4.0]})
    for turned in (frame, frame.set_index("feature")):
        with pytest.raises(UnusableDataError, match=r"a row for each step; turn it"):
            interpret(turned, count_rows=True)


def test_two_levels_of_columns():
    columns = pd.MultiIndex.from_product([["a", "b"], ["x", "y"]], names=["run", None])
    frame = pd.DataFrame(np.ones((2, 4)), columns=columns)
    with pytest.raises(UnusableDataError, match=r"frame\.stack\('run'\)"):
        interpret(frame)
    with pytest.raises(UnusableDataError, match=r"'/'\.join"):
        interpret(frame.rename_axis(columns=[None, None]))


def test_empty_columns_without_names_are_left_out(load):
    with pytest.warns(DataWarning, match="left out, holding nothing: Unnamed: 0, Unnamed: 1"):
        assert load("step,x,,\n0,1.5,,\n1,2.5,,\n").features.tolist() == ["x"]
    with pytest.raises(UnusableDataError, match="two columns of the same name"):
        load("step,x,x\n0,1.5,2\n1,2.5,3\n")


# ------------------------------------------------------------------------------------------- runs by several columns


def grid():
    """Runs of two widths and two seeds."""
    rows = [(w, s, t, 100.0 * w + 10 * s + t) for w in (8, 16) for s in (0, 1) for t in (0, 1, 2)]
    return pd.DataFrame(rows, columns=["width", "seed", "step", "x"])


@pytest.mark.parametrize("options", [{}, {"run": "width"}, {"run": "seed"}])
def test_two_columns_that_tell_the_runs_together_are_both_named(options):
    frame = grid()
    with pytest.raises(UnusableDataError, match=r"width and seed together: make one column") as caught:
        interpret(frame, TableOptions(**options))
    assert "such as" not in str(caught.value)
    frame["run"] = frame[["width", "seed"]].astype(str).agg("/".join, axis=1)  # as the sentence says
    assert interpret(frame.drop(columns=["width", "seed"])).runs == ("8/0", "8/1", "16/0", "16/1")


def test_one_column_that_tells_the_runs_is_named():
    frame = grid().query("seed == 0").drop(columns="seed")
    with pytest.raises(UnusableDataError, match=r"\(such as width\)"):
        interpret(frame)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [({"run": ["width", "seed"]}, "make one column"), ({"time": ["a", "b"]}, "choose one"), ({"run": 0}, "as text")],
)
def test_names_of_columns_are_text(options, sentence):
    with pytest.raises(ValueError, match=sentence):
        ecodyn.Trajectories.from_dataframe(grid(), **options)


def test_steps_that_doubles_do_not_tell_apart():
    steps = np.array([0, 1, 2], dtype=np.uint64) + np.uint64(2**60)
    with pytest.raises(UnusableDataError, match=r"each whole number above 2\^53"):
        interpret(pd.DataFrame({"step": steps, "x": [1.0, 2.0, 3.0]}))


def test_lines_of_a_chart_without_their_ranges_are_said_to_be_one_run():
    frame = pd.DataFrame({"Step": [0, 10, 20], "s0 - a": [1.0, 2, 4], "s1 - a": [2.0, 3, 7]})
    table = interpret(frame)
    assert table.features == ("s0 - a", "s1 - a")
    assert any("features of one run" in remark for remark in table.remarks)
