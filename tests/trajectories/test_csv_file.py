"""Trajectories as CSV: times and signal survive, what is left out is said, and what is no table is refused."""

import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from trajectory_examples import open_inputs, quietly, rich, signals, waves

from ecodyn.errors import DataWarning, UnusableDataError
from ecodyn.trajectories import load

HARE_LYNX = Path(__file__).parents[2] / "data" / "hare_lynx.csv"


@open_inputs
@given(signals())
def test_load_after_save_is_the_identity_csv(tmp_path_factory, arguments):
    path = tmp_path_factory.mktemp("laws") / "a.csv"
    trajectories = quietly(**arguments)
    trajectories.save(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        assert load(path) == trajectories


def test_hare_and_lynx():
    pelts = load(HARE_LYNX)
    assert pelts.labels_shared
    assert pelts.features.tolist() == ["hare", "lynx"]
    assert pelts.steps.tolist() == list(range(1900, 1921))
    assert pelts.values[0, [0, -1]].tolist() == [[30, 4], [24.7, 8.6]]


def csv(tmp_path, text):
    (tmp_path / "a.csv").write_text(text, encoding="utf-8")
    return load(tmp_path / "a.csv")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("step,a\n2020-01-01,1\n", "row 1 has the step '2020-01-01', expected a number.*times must be"),
        ("step,a\n0,1\n1,many\n", "a holds 'many', expected columns of numbers .row 2"),
        ("step,a,b\n0,1,\n1,,1\n", "no step has a value of all of a, b"),
        ("year,a\n0,1\n", "no column named step, only year, a"),
        ("step:a\n0:1\n", "no column named step, only step:a"),
        ("step,a,b\n0,1,2\n1,1\n", "line 3 has another number of cells than the 3 columns"),
        ("step,a,a\n0,1,2\n", "two columns of the same name"),
        ("step,run\n0,1\n", "none of step, run is a feature"),
        ("# only\nstep,a\n", "has no rows"),
        ("", "is empty"),
        ("step,a\n0,1\n0,2\n", "repeats"),
        ("step,a\n0,inf\n1,2\n", "holds inf"),
        ("# ecodyn: {\nstep,a\n0,1\n", "comment line"),
    ],
)
def test_csv_refused(tmp_path, text, sentence):
    with pytest.raises(UnusableDataError, match=sentence):
        csv(tmp_path, text)


def test_csv_that_is_no_text(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"step,a\n0,\xff\xfe\n")
    with pytest.raises(UnusableDataError, match="UTF-8"):
        load(tmp_path / "a.csv")


def test_csv_of_a_spreadsheet_is_read(tmp_path):
    with pytest.warns(UserWarning, match="1 lines below the names of columns begin with #"):
        read = csv(tmp_path, "\ufeff# note\nstep, run, 1, 2\n# more\n0,b,1,2\n0,a,5,6\n\n1,b,3,7\n")
    assert read.runs.tolist() == ["b", "a"]
    assert read.features.tolist() == [1, 2]
    assert not read.labels_shared
    assert read.lengths.tolist() == [2, 1]
    assert read.provenance["comments"] == ["note", "more"]


def test_csv_says_what_it_leaves_out(tmp_path):
    with pytest.warns(UserWarning, match="left out: gradient, train_loss, test_accuracy, dim, lr, kind, dc, embedding"):
        rich().save(tmp_path / "a.csv")
    again = load(tmp_path / "a.csv")
    assert np.array_equal(again.values, rich().values, equal_nan=True)
    assert np.array_equal(again.times, rich().times, equal_nan=True)
    assert again.clusters.tolist() == [0, 0, 1]
    with pytest.raises(ValueError, match="feature named run"):
        waves(K=1, features=["run"]).save(tmp_path / "b.csv")
