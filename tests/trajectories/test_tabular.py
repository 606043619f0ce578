"""Trajectories to DataFrames and back; and what `load` says of tables."""

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ecodyn
from ecodyn.errors import DataWarning, UnusableDataError
from ecodyn.trajectories import Trajectories, load

open_inputs = settings(max_examples=25, deadline=None, derandomize=True, database=None)
finite = st.floats(allow_nan=False, allow_infinity=False, width=64)
# Names that tables of others give to what is no feature, and text that means a missing cell there.
NAMES = st.sampled_from(
    ["epoch", "lr", "_hidden", "time", "seed", "value", "feature", "NA", "index", "Unnamed: 0", "x", "7"]
)


@st.composite
def trajectories(draw):
    R, K = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    lengths = draw(st.lists(st.integers(1, 4), min_size=R, max_size=R))
    times = st.lists(st.floats(-1e6, 1e6) | st.integers(-9, 9), min_size=4, max_size=4, unique_by=float)
    row = st.lists(finite, min_size=K, max_size=K)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        return Trajectories(
            [np.array(draw(st.lists(row, min_size=n, max_size=n))) for n in lengths],
            [np.sort(np.array(draw(times), float))[:n] for n in lengths],
            features=draw(st.none() | st.lists(NAMES, min_size=K, max_size=K, unique=True)),
            runs=draw(
                st.none() | st.lists(NAMES | st.sampled_from(["007", "null"]), min_size=R, max_size=R, unique=True)
            ),
            labels_shared=draw(st.booleans()),
            provenance=draw(st.sampled_from([{}, {"p": 59}])),
            cluster=draw(st.none() | st.lists(st.integers(0, 2), min_size=R, max_size=R)),
        )


def quietly(function, *args, **kwargs):
    """Odd data are beside the point; what is said of a table is not."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=DataWarning, message=r"^(?!the table|.*\.csv).*")
        return function(*args, **kwargs)


@open_inputs
@given(trajectories(), st.sampled_from(["wide", "long"]))
def test_from_dataframe_after_to_dataframe_is_the_identity(runs, layout):
    assert quietly(Trajectories.from_dataframe, runs.to_dataframe(layout)) == runs


@open_inputs
@given(trajectories())
def test_load_after_save_is_the_identity_whatever_the_names(tmp_path_factory, runs):
    path = tmp_path_factory.mktemp("runs") / "a.csv"
    runs.save(path)
    assert quietly(load, path) == runs


@open_inputs
@given(trajectories(), st.randoms())
def test_the_order_of_rows_and_columns_is_free(runs, random):
    frame = runs.to_dataframe()
    rows, columns = list(range(len(frame))), list(frame.columns)
    random.shuffle(rows)
    random.shuffle(columns)
    shuffled = frame.iloc[rows][columns]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        again = Trajectories.from_dataframe(shuffled).select(runs=runs.runs.tolist())
    assert np.array_equal(again.values, runs.values, equal_nan=True)
    assert np.array_equal(again.times, runs.times, equal_nan=True)
    assert again.features.tolist() == runs.features.tolist()


def waves(R=3, T=5, K=2, **kwargs):
    return Trajectories(np.random.default_rng(0).uniform(1, 2, (R, T, K)), 10.0 * np.arange(T), **kwargs)


def test_frames_of_a_layout():
    runs = waves(features=["x", "y"])
    wide, long = runs.to_dataframe(), runs.to_dataframe("long")
    assert list(wide.columns) == ["step", "run", "x", "y"]
    assert list(long.columns) == ["step", "run", "feature", "value"]
    assert wide["x"].tolist() == runs.values[:, :, 0].reshape(-1).tolist()
    assert long["value"].tolist() == runs.values.reshape(-1).tolist()
    with pytest.raises(ValueError, match="layout wide or long, got 'tall'"):
        runs.to_dataframe("tall")
    with pytest.raises(ValueError, match="a wide table can't have a feature named step"):
        waves(features=["step", "y"]).to_dataframe()
    assert Trajectories.from_dataframe(waves(features=["step", "y"]).to_dataframe("long")).features.tolist() == [
        "step",
        "y",
    ]


def test_a_frame_says_what_it_leaves_out():
    runs = waves(settings={"dim": [1, 2, 3]}, dc=np.ones((3, 5)))
    with pytest.warns(DataWarning, match="holds the signal only; left out: dim, dc"):
        frame = runs.to_dataframe()
    assert np.array_equal(Trajectories.from_dataframe(frame).values, runs.values)


def test_part_of_a_frame_keeps_what_is_known_of_its_runs():
    runs = waves(cluster=[4, 4, 7], features=["lr", "y"], labels_shared=False)
    frame = runs.to_dataframe()
    part = Trajectories.from_dataframe(frame[frame.run != 0])
    assert part.runs.tolist() == [1, 2]
    assert part.clusters.tolist() == [4, 7]
    assert part.features.tolist() == ["lr", "y"]
    assert not part.labels_shared


def test_columns_added_to_a_frame_are_read_as_anyones():
    frame = waves(features=["x", "y"]).to_dataframe().assign(epoch=1.5)
    with pytest.warns(DataWarning, match="as loggers write them .*: epoch"):
        assert Trajectories.from_dataframe(frame).features.tolist() == ["x", "y"]


def test_features_added_to_a_long_frame_are_read_as_anyones():
    frame = waves(features=["x", "y"]).to_dataframe("long")
    more = pd.concat([frame, frame[frame.feature == "x"].assign(feature="z", value=frame.value**2)])
    more.attrs = frame.attrs
    assert Trajectories.from_dataframe(more).features.tolist() == ["x", "y", "z"]


def test_what_was_decided_is_said_once_and_stands_in_the_provenance(tmp_path):
    frame = pd.DataFrame({"seed": [0, 0, 0, 1, 1, 1], "epoch": [0, 1, 2] * 2, "x": [1, 2, 4, 3, None, 5]})
    frame.to_csv(tmp_path / "a.csv", index=False)
    with pytest.warns(DataWarning) as said:
        runs = load(tmp_path / "a.csv")
    assert len(said) == 1
    assert said[0].filename == __file__
    expected = [
        "there is no column step: the column epoch is taken as the time",
        "the column seed is taken to tell the runs",
        "run 1: 1 steps lack a value of some feature and were left out, 2 have all",
    ]
    assert str(said[0].message) == f"{tmp_path / 'a.csv'}: {'; '.join(expected)}"
    assert runs.provenance["table"]["remarks"] == expected
    assert runs.provenance["table"]["columns"]["time"] == "epoch"
    assert runs.lengths.tolist() == [3, 2]
    with pytest.warns(DataWarning) as said:
        assert Trajectories.from_dataframe(frame).lengths.tolist() == [3, 2]
    assert said[0].filename == __file__


def test_options_of_load(tmp_path):
    frame = pd.DataFrame({"who": ["01"] * 3, "year": [0, 1, 2], "s_1": [1.0, None, 4.0], "b": [3.0, 4.0, 9.0]})
    frame.to_csv(tmp_path / "a.csv", index=False)
    with pytest.warns(DataWarning, match="1 missing cells, .* were filled in linearly"):
        runs = load(tmp_path / "a.csv", time="year", run="who", columns="s_*", missing="interpolate")
    assert runs.values[0, :, 0].tolist() == [1.0, 2.5, 4.0]
    assert runs.runs.tolist() == ["01"]
    assert runs.features.tolist() == [1]
    with pytest.raises(ValueError, match=r"missing .* got 'fill'"):
        load(tmp_path / "a.csv", missing="fill")
    waves().save(tmp_path / "a.nc")
    with pytest.raises(ValueError, match=r"a\.nc is no table"):
        load(tmp_path / "a.nc", time="year")


def test_a_file_written_before_features_were_noted_is_read_as_it_was(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text('# ecodyn: {"labels_shared": true, "provenance": {"p": 3}}\nstep,run,lr,epoch\n0,0,1,2\n1,0,2,5\n')
    runs = load(path)
    assert runs.features.tolist() == ["lr", "epoch"]
    assert runs.provenance == {"p": 3}


def test_the_study_of_hare_and_lynx_goes_through_a_frame(tmp_path):
    runs = waves(features=["hare", "lynx"])
    runs.to_dataframe().to_csv(tmp_path / "a.csv")
    with pytest.warns(DataWarning, match="left out, counting rows: Unnamed: 0"):
        again = load(tmp_path / "a.csv")
    assert again.values.tolist() == runs.values.tolist()
    assert again.features.tolist() == ["hare", "lynx"]


def test_refusals_name_the_file(tmp_path):
    (tmp_path / "a.csv").write_text("time,epoch,x\n0,0,1\n1,0,2\n")
    with pytest.raises(UnusableDataError, match=r"a\.csv has several columns that may be the time"):
        ecodyn.load(tmp_path / "a.csv")
