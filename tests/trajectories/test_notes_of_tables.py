"""What is noted of a table that ecodyn made holds as long as it has these columns."""

import warnings

import numpy as np
import pytest

from ecodyn import DataWarning, Trajectories, load

STEPS = 10.0 * np.arange(5)


def waves(**kwargs):
    return Trajectories(np.random.default_rng(0).uniform(1, 2, (3, 5, 2)), STEPS, **kwargs)


def renamed(frame):
    return frame.rename(columns={1: "hare", 2: "lynx"})


def relabelled(frame):
    return frame.assign(feature=frame.feature.map({1: "hare", 2: "lynx"}))


CHANGES = [("wide", renamed), ("long", relabelled)]


@pytest.mark.parametrize(("layout", "change"), CHANGES)
def test_features_that_were_given_names_are_shared(layout, change):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        again = Trajectories.from_dataframe(change(waves().to_dataframe(layout)))
    assert again.features.tolist() == ["hare", "lynx"]
    assert again.labels_shared
    assert np.array_equal(again.values, waves().values)


@pytest.mark.parametrize(("layout", "change"), CHANGES)
def test_notes_of_other_columns_are_left_out_and_that_is_said(layout, change):
    runs = waves(provenance={"p": 5}, cluster=[0, 0, 1])
    frame = runs.to_dataframe(layout)
    assert Trajectories.from_dataframe(frame) == runs
    with pytest.warns(DataWarning, match="not the columns that ecodyn wrote: the provenance and clusters") as said:
        again = Trajectories.from_dataframe(change(frame))
    assert len(said) == 1
    assert again.n_clusters == 3
    assert list(again.provenance) == ["table"]


def test_a_file_whose_columns_were_changed_is_read_so_as_well(tmp_path):
    waves(provenance={"p": 5}).save(tmp_path / "a.csv")
    text = (tmp_path / "a.csv").read_text()
    (tmp_path / "a.csv").write_text(text.replace("step,run,1,2", "step,run,hare,lynx"))
    with pytest.warns(DataWarning, match="the provenance noted of those"):
        assert load(tmp_path / "a.csv").labels_shared


def test_what_is_said_of_a_table_leaves_its_notes():
    runs = waves(provenance={"p": 5}, cluster=[0, 0, 1])
    again = Trajectories.from_dataframe(runs.to_dataframe(), time="step", run="run")
    assert again.provenance["p"] == 5
    assert again.clusters.tolist() == [0, 0, 1]


def test_a_mask_is_noted_of_those_columns_only():
    values = waves().values.copy()
    values[0, 2, 0] = np.nan
    with pytest.warns(DataWarning, match="1 of 30 values are missing"):
        runs = Trajectories(values, STEPS, missing=np.isnan(values))
    frame = runs.to_dataframe()
    with pytest.warns(DataWarning):  # of the cell and of the value
        assert Trajectories.from_dataframe(frame).lengths.tolist() == [5, 5, 5]
    with pytest.warns(DataWarning) as said:
        assert Trajectories.from_dataframe(renamed(frame)).lengths.tolist() == [4, 5, 5]
    assert "1 of 30" not in str(said[0].message)
