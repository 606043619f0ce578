"""Files of tables: every separator and spelling gives the same numbers, to the last bit; what is damaged is named."""

import contextlib
import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ecodyn
from ecodyn.errors import UnusableDataError
from ecodyn.tables import interpret, read_table
from ecodyn.tables.text import read_text

open_inputs = settings(max_examples=40, deadline=None, derandomize=True, database=None)
T = 6
finite = st.floats(allow_nan=False, allow_infinity=False, width=64)
MISSING = ("NA", "nan", "NaN", "", "None", "null", "NULL", "none")


@pytest.fixture
def read(tmp_path):
    def read(text, name="table.csv", **options):
        (tmp_path / name).write_text(text, encoding="utf-8")
        return read_table(tmp_path / name, **options)

    return read


def lines_of(header, rows, separator):
    return "".join(separator.join(map(str, row)) + "\n" for row in [header, *rows])


# --------------------------------------------------------------------------------------------------------- separators


@open_inputs
@given(
    st.sampled_from([",", ";", "\t", "|", " ", ", ", "; ", "  "]),
    st.lists(st.tuples(finite, finite), min_size=1, max_size=T),
    st.sampled_from(["\n", "\r\n"]),
)
def test_any_separator_gives_the_numbers_that_are_written(tmp_path_factory, separator, values, end):
    path = tmp_path_factory.mktemp("tables") / "a.csv"
    rows = [(t, repr(x), repr(y)) for t, (x, y) in enumerate(values)]
    path.write_bytes(lines_of(("step", "a", "b"), rows, separator).replace("\n", end).encode())
    frame = read_table(path)
    assert list(frame.columns) == ["step", "a", "b"]
    assert np.array_equal(frame[["a", "b"]].to_numpy(float), np.array(values, float))


@open_inputs
@given(st.sampled_from([",", ";", "\t"]), st.sampled_from(MISSING), st.sets(st.integers(0, T - 1), max_size=T - 1))
def test_a_missing_cell_is_one_however_it_is_written(tmp_path_factory, separator, spelling, gone):
    path = tmp_path_factory.mktemp("tables") / "a.csv"
    rows = [(t, t + 0.5, spelling if t in gone else 2 * t) for t in range(T)]
    path.write_text(lines_of(("step", "a", "b"), rows, separator))
    table = interpret(read_table(path))
    kept = [t for t in range(T) if t not in gone]
    assert table.times[0].tolist() == kept
    assert table.values[0][:, 1].tolist() == [2 * t for t in kept]
    counts = f"{len(gone)} steps lack a value of some feature and were left out, {len(kept)} have all"
    assert table.remarks[-1:] == ((counts,) if gone else ())


def test_lines_that_two_separators_split_alike_are_refused(read):
    with pytest.raises(UnusableDataError, match="can be split at ',' and at ';', expected one separator"):
        read("step;loss (a,b)\n0;1,5\n1;2,5\n")
    assert list(read("step;loss (a,b)\n0;1.5\n1;2.5\n").columns) == ["step", "loss (a,b)"]
    assert list(read('step,"a;b"\n0,1\n1,"2"\n').columns) == ["step", "a;b"]


def test_quotes_after_blanks_are_quotes(read):
    frame = read('step, "a, b"\n0, "1"\n1, "2"\n')
    assert list(frame.columns) == ["step", "a, b"]
    assert frame["a, b"].tolist() == [1, 2]


def test_the_line_in_which_a_spreadsheet_names_its_separator_is_no_header(read):
    assert interpret(read("sep=;\nstep;a\n0;1\n1;2\n")).features == ("a",)


def test_text_that_only_python_takes_for_a_number_is_none(read):
    with pytest.raises(UnusableDataError, match="a holds '1_000', expected columns of numbers"):
        interpret(read("step,a\n0,1_000\n1,2\n"))


# ----------------------------------------------------------------------------------------------------- decimal commas


def test_decimal_commas_are_found_out(read):
    frame = read("step;run;a;b\n0;x;0,5;1\n10;x;1,25e1;2\n20;x;;3\n")
    assert frame["a"].tolist()[:2] == [0.5, 12.5]
    assert np.isnan(frame["a"][2])
    assert frame["b"].tolist() == [1, 2, 3]
    assert interpret(frame).remarks[0] == "decimal commas, such as in 0,5, were read as such in: a"
    pairs = interpret(read('step,a,at\n0,0.5,"1,2"\n1,0.25,"1,3"\n'))
    assert pairs.features == ("a",)
    assert pairs.remarks == ("left out, holding no numbers: at",)
    assert read('step,a\n0,"0,5"\n1,"1,234"\n')["a"].tolist() == [0.5, 1.234]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("step;a\n0;1,234\n1;2,345\n", r"'1,234', which may be 1234 \(thousands\) or 1.234 \(a decimal comma\)"),
        ("step;a\n0;1,234,567\n1;2,345\n", "'1,234,567', expected numbers without separators of thousands"),
        ("step;a\n0;1,234.5\n1;2,345\n", "'1,234.5', expected numbers without separators of thousands"),
        ("step;a;b\n0;1,5;1.5\n1;2,5;2.5\n", "'1,5' beside numbers with decimal points"),
        ("step,a\n0,1,5\n", "another number of cells than the 2 columns .*decimal commas need another separator"),
    ],
)
def test_commas_that_may_mean_two_things_are_refused(read, text, sentence):
    with pytest.raises(UnusableDataError, match=sentence):
        read(text)


def test_whole_numbers_that_a_double_does_not_hold_are_said(read):
    large = 2**53 + 1
    sentence = "1 whole numbers of a have more digits than a double and were rounded"
    assert interpret(read(f"step,a\n0,{large}\n1,{large + 1}\n")).remarks == (sentence,)
    assert interpret(pd.DataFrame({"step": [0, 1], "a": pd.Series([large, 2], dtype=object)})).remarks == (sentence,)


# ------------------------------------------------------------------------------------------------------------- labels


def test_labels_stay_as_they_are_written(read):
    frame = read("step,run,who,a\n0,007,01,1\n1,007,01,2\n", labels=["who"])
    assert frame["run"].tolist() == ["007"] * 2
    assert frame["who"].tolist() == ["01"] * 2
    assert interpret(frame).runs == ("007",)
    assert interpret(read("step,run,a\n0,7,1\n1,7,2\n")).runs == (7,)
    assert interpret(read("step,feature,value\n0,01,1\n0,02,2\n1,01,3\n1,02,4\n"), count_rows=True).features == (
        "01",
        "02",
    )


@pytest.mark.parametrize("label", ["NA", "nan", "None", "null"])
def test_a_run_called_na_is_missing_in_a_table_and_a_label_in_ecodyns_own(tmp_path, read, label):
    with pytest.raises(UnusableDataError, match="row 1 has no run"):
        interpret(read(f"step,run,a\n0,{label},1\n1,{label},2\n"))
    runs = ecodyn.Trajectories(np.array([[[1.0], [2.0]], [[3.0], [5.0]]]), [0, 1], runs=[label, "b"])
    runs.save(tmp_path / "own.csv")
    assert ecodyn.load(tmp_path / "own.csv") == runs
    assert ecodyn.Trajectories.from_dataframe(runs.to_dataframe()) == runs


# --------------------------------------------------------------------------------------------------------- other files


def test_the_same_table_in_every_format(tmp_path):
    pytest.importorskip("pyarrow")
    values = np.random.default_rng(0).normal(size=(2 * T, 2))
    frame = pd.DataFrame(values, columns=["a", "b"]).assign(step=[*range(T)] * 2, run=np.repeat(["x", "y"], T))
    frame.to_csv(tmp_path / "a.csv", index=False)
    frame.to_csv(tmp_path / "a.tsv", index=False, sep="\t")
    frame.to_parquet(tmp_path / "a.parquet")
    frame.set_index(["run", "step"]).to_parquet(tmp_path / "b.parquet")
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in frame.to_dict("records")))
    for name in ("a.csv", "a.tsv", "a.parquet", "b.parquet", "a.jsonl"):
        runs = ecodyn.load(tmp_path / name)
        assert np.array_equal(runs.values, values.reshape(2, T, 2)), name
        assert runs.runs.tolist() == ["x", "y"]
        assert runs.labels_shared
        assert ecodyn.extract(tmp_path / name).values.tolist() == runs.values.tolist()


def test_comments_go_to_the_attributes(read):
    assert read("# units: none\nstep,a\n0,1\n# a pause\n1,2\n").attrs["comments"] == ["units: none", "a pause"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("step,a,b\n0,1,2\n1,1\n", "line 3 has another number of cells than the 3 columns"),
        ("# c\nstep a b\n0 1 2\n1 1\n", "line 4 has another number of cells than the 3 columns"),
        ('step,a\n0,1\n1,"1', r"can't be read as CSV: .* \(line 3\)"),
        ("step,a,a\n0,1,2\n", "two columns of the same name"),
        ("# only\n", "has no data"),
        ("step,a\n", "has no rows"),
        ("", "is empty"),
        ("version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "git lfs pull"),
        ("# ecodyn: {\nstep,a\n0,1\n", "comment line"),
        ("# ecodyn: 3\nstep,a\n0,1\n", "comment line"),
    ],
)
def test_damage_is_named(read, text, sentence):
    with pytest.raises(UnusableDataError, match=sentence):
        read(text)


def test_what_is_no_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no file"):
        read_table(tmp_path / "none.csv")
    with pytest.raises(UnusableDataError, match="is a folder"):
        read_table(tmp_path)


@open_inputs
@given(st.text(max_size=60))
def test_any_text_is_read_or_refused_with_a_sentence(tmp_path_factory, text):
    path = tmp_path_factory.mktemp("tables") / "a.csv"
    with contextlib.suppress(UnusableDataError):  # anything else that is raised fails the test
        interpret(read_text(path, text), where=str(path))
