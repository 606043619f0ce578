"""Merging again takes no run twice, and takes nothing away that is not its own."""

import numpy as np
import pytest

import ecodyn
from ecodyn import DataWarning, OutputExistsError, Trajectories


@pytest.fixture
def folder(tmp_path):
    runs = Trajectories(np.random.default_rng(0).random((4, 5, 2)), range(5), ["a", "b"], labels_shared=True)
    runs[:2].save(tmp_path / "first.nc")
    runs[2:].save(tmp_path / "second.nc")
    return tmp_path


@pytest.mark.filterwarnings("ignore:run labels repeat")
@pytest.mark.parametrize("name", ["all", "whole.nc"])
def test_an_earlier_output_in_the_folder_is_not_merged_into_itself(folder, name):
    whole = ecodyn.merge([folder], folder / name).load()
    with pytest.warns(DataWarning, match=f"left out, as it is what is written anew: .*{name}"):
        again = ecodyn.merge([folder], folder / name, force=True)
    assert again.load().runs.tolist() == whole.runs.tolist()
    assert np.array_equal(again.load().values, whole.values)


def test_an_output_that_is_named_is_merged(folder):
    ecodyn.merge([folder / "first.nc"], folder / "all")
    assert len(ecodyn.merge([folder / "all", folder / "second.nc"], folder / "all", force=True)) == 4


def test_files_beside_a_collection_are_not_deleted_with_it(folder):
    ecodyn.merge([folder / "first.nc"], folder / "all")
    (folder / "all" / "notes.txt").write_text("mine")
    with pytest.raises(OutputExistsError, match="something else"):
        ecodyn.merge([folder / "second.nc"], folder / "all", force=True)
    assert (folder / "all" / "notes.txt").read_text() == "mine"
    (folder / "all" / "notes.txt").unlink()
    assert ecodyn.merge([folder / "second.nc"], folder / "all", force=True).runs.tolist() == [2, 3]
