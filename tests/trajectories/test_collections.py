"""Runs that are read when they are used are those that would have been there had all been read at once."""

import json
import pickle
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from trajectory_examples import quietly, rich, signals, waves

import ecodyn
from ecodyn import DataWarning, UnusableDataError
from ecodyn.trajectories.collection import one_file, writing
from ecodyn.trajectories.collection.index import INDEX

OTHERS = "has other runs, features or names"

some_examples = settings(
    max_examples=4,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],  # files are written over
)


@pytest.fixture(autouse=True)
def _a_file_for_each_part(monkeypatch):
    """Small parts would share a file."""
    monkeypatch.setattr(writing, "PACKED_BYTES", 1)


def written(runs, path, cuts):
    """A collection of these runs, in files that end at these positions, labels and clusters as they are."""
    ends = [0, *(cut for cut in cuts if cut < len(runs)), len(runs)]
    parts = [runs[first:last]._data for first, last in pairwise(ends)]
    writing.write_collection(parts, runs._data, path, force=True)
    return ecodyn.load(path, lazy=True)


@pytest.mark.parametrize("runs", [rich(), waves(R=3, T=30).window(30, 120)])
def test_runs_of_files_are_as_they_were(runs, tmp_path):
    runs.save(tmp_path / "whole.nc")
    for later in (ecodyn.load(tmp_path / "whole.nc", lazy=True), written(runs, tmp_path / "all", [1])):
        assert later.load() == runs
        assert later.runs_of([2, 0]) == runs[[2, 0]]
        assert list(later.shards(runs=2)) == [runs[:2], runs[2:]]
        assert later.shape == runs.shape
        assert later.shares_times == runs.shares_times


@pytest.mark.slow
@given(signals(), st.lists(st.integers(1, 3), max_size=2, unique=True).map(sorted))
@some_examples
@pytest.mark.filterwarnings("ignore::ecodyn.DataWarning")
def test_any_runs_come_back_whatever_the_files(tmp_path, arguments, cuts):
    runs = quietly(**arguments)
    assert written(runs, tmp_path / "all", cuts).load() == runs


def test_a_collection_goes_to_other_processes_by_its_name(tmp_path):
    later = written(waves(R=4), tmp_path / "all", [2]).every(2)
    sent = pickle.dumps(later)
    assert len(sent) < 10_000
    assert pickle.loads(sent).runs_of([3]) == later.runs_of([3])  # noqa: S301 - made just here


def test_small_parts_share_a_file(tmp_path, monkeypatch):
    runs = waves(R=6)
    monkeypatch.setattr(writing, "PACKED_BYTES", 3 * runs[:1].values.nbytes)  # values and times of two runs
    later = written(runs, tmp_path / "all", [1, 2, 3, 4, 5])
    assert len(later.files) == 3
    assert later.load() == runs


# ------------------------------------------------------------------------------------------- nothing is read unasked


@pytest.fixture
def reads(monkeypatch):
    """The files and rows of which values were read, in order."""
    found = []
    part = one_file.OneFile._part

    def counted(self, ds, first, last):
        found.append((self.path.name, first, last))
        return part(self, ds, first, last)

    monkeypatch.setattr(one_file.OneFile, "_part", counted)
    return found


def test_opening_reads_no_values_and_runs_are_read_when_used(tmp_path, reads):
    written(waves(R=6), tmp_path / "all", [2, 4])
    later = ecodyn.load(tmp_path / "all", lazy=True)
    later.window(10, 50).every(2).select(runs=[0, 5]).select(features=[1])
    assert (later.shape, later.steps[-1], str(later)[:10]) == ((6, 21, 4), 100, "Collection")
    assert reads == []
    later.runs_of([3])
    assert reads == [("part_00001.nc", 1, 2)]
    del reads[:]
    shards = later.shards(runs=3)
    assert reads == []
    next(shards)
    assert reads == [("part_00000.nc", 0, 2), ("part_00001.nc", 0, 1)]


def test_opening_a_collection_opens_none_of_its_files(tmp_path, monkeypatch):
    """An outline of no steps is all that is made of the arrays, however large they are."""
    written(waves(R=6), tmp_path / "all", [2, 4])
    monkeypatch.setattr(one_file.OneFile, "__init__", lambda *_: pytest.fail("a file was opened"))
    outline = ecodyn.load(tmp_path / "all", lazy=True)._facts.outline
    assert sum(array.size for array in outline.arrays().values()) == len(outline.features) + 3 * 6  # and lengths


def test_only_the_runs_asked_for_are_read_of_one_large_file(tmp_path, reads):
    waves(R=9).save(tmp_path / "runs.nc")
    later = ecodyn.load(tmp_path / "runs.nc", lazy=True)
    assert reads == []
    later.runs_of([7, 2, 3])
    assert reads == [("runs.nc", 2, 4), ("runs.nc", 7, 8)]


# ------------------------------------------------------------------------------------------- what is damaged is found


def flipped(file):
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 0xFF
    file.write_bytes(bytes(content))


def test_a_changed_file_is_found_when_its_runs_are_read(tmp_path):
    runs = waves(R=6)
    later = written(runs, tmp_path / "all", [2, 4])
    file = tmp_path / "all" / "part_00001.nc"
    flipped(file)
    assert later.runs_of([0, 5]) == runs[[0, 5]]
    with pytest.raises(UnusableDataError, match=r"part_00001\.nc does not match the checksum in the index"):
        later.runs_of([2])
    (problem,) = ecodyn.load(tmp_path / "all", lazy=True).problems()
    assert "part_00001.nc" in problem


@pytest.mark.slow
def test_a_file_that_is_changed_after_it_was_read_is_found(tmp_path):
    later = written(waves(R=4), tmp_path / "all", [2])
    later.load()
    flipped(tmp_path / "all" / "part_00000.nc")
    with pytest.raises(UnusableDataError, match="does not match the checksum"):
        later.load()


def test_files_that_are_missing_cut_short_or_swapped_are_found(tmp_path):
    folder = tmp_path / "all"
    written(waves(R=4, T=21), folder, [2])
    first, second = folder / "part_00000.nc", folder / "part_00001.nc"
    kept = first.read_bytes()
    first.unlink()
    with pytest.raises(UnusableDataError, match=r"lacks its file part_00000\.nc \(2 runs\)"):
        ecodyn.load(folder)
    first.write_bytes(kept[:-100])
    with pytest.raises(UnusableDataError, match="cut short or replaced"):
        ecodyn.load(folder)
    first.write_bytes(second.read_bytes())
    second.write_bytes(kept)
    with pytest.raises(UnusableDataError, match=r"checksum|bytes"):
        ecodyn.load(folder)


@pytest.mark.parametrize(
    ("edit", "sentence"),
    [
        (lambda text: text[: len(text) // 2], "is damaged"),
        (lambda text: text.replace('"runs": [0, 1, 2, 3]', '"runs": [0, 1, 2]'), "is damaged|names 3 runs"),
        (lambda text: text.replace('"ecodyn_collection": 1', '"ecodyn_collection": 99'), "follows schema 99"),
        (
            lambda text: text.replace('"runs": [0, 1, 2, 3]', '"runs": [0, 1, 2, 7]'),
            OTHERS,
        ),
        (
            lambda text: text.replace('"observables": ["signal"]', '"observables": ["signal", "pull"]'),
            OTHERS,
        ),
    ],
)
def test_an_index_that_is_wrong_is_refused(tmp_path, edit, sentence):
    written(waves(R=4), tmp_path / "all", [2])
    index = tmp_path / "all" / INDEX
    index.write_text(edit(index.read_text()))
    with pytest.raises(UnusableDataError, match=sentence):
        ecodyn.load(tmp_path / "all")


def test_a_damaged_large_file_is_found_when_the_runs_there_are_read(tmp_path):
    waves(R=9, T=200).save(tmp_path / "runs.nc")
    flipped(tmp_path / "runs.nc")
    later = ecodyn.load(tmp_path / "runs.nc", lazy=True)
    assert len(later.problems()) == 1
    with pytest.raises(UnusableDataError, match="damaged"):
        list(later.shards(runs=1))


# ------------------------------------------------------------------------------------------- as others meet them


def test_a_collection_is_taken_wherever_a_file_is(tmp_path):
    runs = waves(R=4)
    later = written(runs, tmp_path / "all", [1])
    for given_as in (later, tmp_path / "all", str(tmp_path / "all")):
        assert ecodyn.as_trajectories(given_as) == runs
    with pytest.raises(ValueError, match="carry their own times"):
        ecodyn.as_trajectories(later, t=2)


def test_what_looks_odd_is_said_when_all_is_loaded(tmp_path):
    values = np.ones((3, 6, 2))
    values[..., 1] = np.arange(6)
    later = written(quietly(values, range(6)), tmp_path / "all", [1])
    with pytest.warns(DataWarning, match="constant throughout in run 0 .3 of 6"):
        ecodyn.load(tmp_path / "all")
    (shard,) = later.shards()  # says nothing, and has it
    assert "constant" in shard.warnings[0]


def test_tables_are_not_read_later(tmp_path):
    waves().save(tmp_path / "runs.csv")
    with pytest.raises(ValueError, match="ecodyn merge"):
        ecodyn.load(tmp_path / "runs.csv", lazy=True)


def test_files_of_other_programs_are_read_later_too(tmp_path):
    """Without a checksum, or a word on lengths: these show when the runs are read."""
    runs = rich()
    foreign = runs.to_dataset().drop_vars("length")
    foreign.to_netcdf(tmp_path / "foreign.nc", engine="h5netcdf")
    later = ecodyn.load(tmp_path / "foreign.nc", lazy=True)
    assert later.lengths.tolist() == runs.lengths.tolist()
    assert later.load() == runs
    assert ecodyn.load(tmp_path / "foreign.nc") == runs


def test_settings_that_json_has_no_word_for_come_back(tmp_path):
    runs = waves(R=3, settings={"rate": [0.1, np.nan, np.inf], "kind": ["nan", "b", "c"], "dim": [1, 2, 3]})
    later = written(runs, tmp_path / "all", [1])
    assert later.load() == runs
    json.loads((tmp_path / "all" / INDEX).read_text(), parse_constant=pytest.fail)


def test_a_collection_says_how_large_it_is(tmp_path):
    later = written(waves(R=1), tmp_path / "all", [])
    assert repr(later) == "Collection: 1 run × 21 steps × 4 features, read when used"
    assert [file.name for file in later.files] == ["part_00000.nc"]
