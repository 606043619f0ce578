"""An index that was damaged, or written by another hand, is refused in a sentence."""

import json
import shutil

import numpy as np
import pytest

import ecodyn
from ecodyn import Trajectories, UnusableDataError
from ecodyn.trajectories.collection.index import INDEX


@pytest.fixture(scope="module")
def collection(tmp_path_factory):
    folder = tmp_path_factory.mktemp("damaged")
    values = np.random.default_rng(0).random((4, 5, 2))
    Trajectories(values, range(5), settings={"dim": [1, 2, 3, 4]}).save(folder / "runs.nc")
    ecodyn.merge([folder / "runs.nc"], folder / "all")
    shutil.copy(folder / "all" / "part_00000.nc", folder / "part_00000.nc")  # the same file, outside
    return folder / "all"


def damaged(collection, tmp_path, text):
    copy = tmp_path / "copy"
    shutil.copytree(collection, copy)
    (copy / INDEX).write_bytes(text)
    with pytest.raises(UnusableDataError, match="write the collection again"):
        ecodyn.load(copy, lazy=True)


ENTRIES = [
    {"steps": 3},
    {"steps": [0.0]},
    {"steps": [4.0, 3.0, 2.0, 1.0, 0.0]},
    {"lengths": [10**30] * 4},
    {"lengths": [0] * 4},
    {"clusters": [0.5, 1, 2, 3]},
    {"runs": [0, 0, 1, 2]},
    {"provenance": []},
    {"labels_shared": "no"},
    {"settings": {"dim": {"kind": "int64", "values": [10**30] * 4}}},
]


@pytest.mark.parametrize("entry", ENTRIES)
def test_entries_of_another_kind_are_refused(collection, tmp_path, entry):
    table = json.loads((collection / INDEX).read_text())
    damaged(collection, tmp_path, json.dumps(table | entry).encode())


@pytest.mark.parametrize(
    "entry", [{"name": "../part_00000.nc"}, {"name": None}, {"name": ".."}, {"runs": "4"}, {"runs": 4.0}, {"bytes": -1}]
)
def test_files_are_in_the_folder_and_have_numbers(collection, tmp_path, entry):
    table = json.loads((collection / INDEX).read_text())
    table["files"] = [table["files"][0] | entry]
    damaged(collection, tmp_path, json.dumps(table).encode())


def test_files_elsewhere_are_not_read(collection, tmp_path):
    table = json.loads((collection / INDEX).read_text())
    table["files"][0]["name"] = str(collection / "part_00000.nc")
    damaged(collection, tmp_path, json.dumps(table).encode())


@pytest.mark.parametrize(
    "text",
    [b'{"ecodyn_collection": \xff\xfe}', b'{"ecodyn_collection": 1, "files": ' + b"[" * 10**5, b'{"ecodyn_collection"'],
)
def test_what_is_no_json_is_refused(collection, tmp_path, text):
    damaged(collection, tmp_path, text)
