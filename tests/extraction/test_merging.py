"""Files merged into a collection are, read again, the runs that the files are together."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import ecodyn
from ecodyn import DataWarning, OutputExistsError, Trajectories, UnusableDataError, merge
from ecodyn.extraction import gather
from ecodyn.trajectories.collection import writing
from ecodyn.trajectories.collection.assembly import assembled
from ecodyn.trajectories.collection.facts import outline
from ecodyn.trajectories.collection.plan import fitted, planned
from ecodyn.trajectories.together import Known, together

LABELS = ["hare", "lynx"]


@pytest.fixture(autouse=True)
def _a_file_for_each_part(monkeypatch):
    """Small parts would share a file."""
    monkeypatch.setattr(writing, "PACKED_BYTES", 1)


def some_runs(seed, lengths=(5, 4), features=LABELS, **more):
    rng = np.random.default_rng(seed)
    values = [rng.random((n, len(features))) + 1 for n in lengths]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        return Trajectories(values, range(max(lengths)), features=features, **{"labels_shared": True, **more})


def saved(parts, folder):
    paths = [folder / f"part_{n}.nc" for n in range(len(parts))]
    for path, part in zip(paths, parts, strict=True):
        part.save(path, force=True)
    return paths


@st.composite
def any_parts(draw):
    """Parts that share their features, and else have this and that, under labels that repeat or don't."""
    parts = []
    for seed in range(draw(st.integers(1, 3))):
        lengths = draw(st.lists(st.integers(2, 5), min_size=1, max_size=2))
        R, rng = len(lengths), np.random.default_rng(seed)
        more = {"features": draw(st.permutations(LABELS)), "labels_shared": draw(st.booleans())}
        if draw(st.booleans()):
            more["observables"] = {"gradient": [rng.random((n, 2)) for n in lengths]}
        if draw(st.booleans()):
            more["curves"] = {"train_loss": [rng.random(n) for n in lengths]}
        if draw(st.booleans()):
            kinds = st.integers(0, 9) | st.floats(0, 1) | st.sampled_from(["a", "none"])
            more["settings"] = {"dim": [draw(kinds)] * R}
        if draw(st.booleans()):
            more["embedding"] = [rng.random((3, 1 + r)) for r in range(R)]
        if draw(st.booleans()):
            more["inputs"] = {"lr": ecodyn.Input("lr", [0, 3 + seed], [1, 2], "steps")}
        more["runs"] = draw(st.sampled_from([None, range(10 * seed, 10 * seed + R)]))
        more["cluster"] = draw(st.sampled_from([None, [7] * R]))
        parts.append(some_runs(seed, lengths, provenance={"p": 5, "part": seed}, **more))
    return parts


def said_of(make):
    """What comes of it, and what was said of parts that do not agree."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", DataWarning)
        found = make()
    kinds = ("not all parts", "numbered anew", "not shared now")
    return found, {str(w.message) for w in caught if any(kind in str(w.message) for kind in kinds)}


@given(any_parts(), st.booleans())
@settings(max_examples=30, deadline=None, derandomize=True, database=None)
def test_parts_planned_by_their_outlines_are_what_they_are_together(parts, keys):
    """Nothing but labels and names has to be known of all parts to say what each becomes in the whole."""
    known = Known(labels_shared=True, starts=[n for part in parts for n in range(part.n_runs)]) if keys else Known()
    expected = said_of(lambda: together(parts, known))

    def planned_and_read():
        whole = planned([outline(part._data) for part in parts], known)
        firsts = np.cumsum([0, *(part.n_runs for part in parts)])
        fit = [fitted(part._data, whole, int(first)) for part, first in zip(parts, firsts, strict=False)]
        return Trajectories._derived(replace(assembled(fit), provenance=whole.provenance))

    assert said_of(planned_and_read) == expected


@pytest.mark.slow
@given(any_parts())
@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],  # files are written over
)
@pytest.mark.filterwarnings("ignore::ecodyn.DataWarning")
def test_whatever_the_files_merging_and_loading_is_what_comparing_them_has(tmp_path, parts):
    paths = saved(parts, tmp_path)
    expected = said_of(lambda: gather(paths).trajectories)
    assert said_of(lambda: merge(paths, tmp_path / "all", force=True).load()) == expected
    assert gather([tmp_path / "all"]).trajectories == expected[0]


def test_runs_cut_into_files_come_back_in_order(tmp_path):
    runs = some_runs(0, (5,) * 7, runs=range(10, 17), settings={"dim": range(7)})
    paths = saved([runs[:3], runs[3:4], runs[4:]], tmp_path)
    later = merge(paths, tmp_path / "all")
    assert later.load().values.tolist() == runs.values.tolist()
    assert later.runs.tolist() == runs.runs.tolist()
    assert later.labels_shared
    assert [part.n_runs for part in later.shards(runs=2)] == [2, 2, 2, 1]
    assert later.load() == Trajectories.concat([runs[:3], runs[3:4], runs[4:]])


@pytest.mark.slow
def test_tables_files_and_collections_are_merged_together(tmp_path):
    some_runs(0, (5, 5)).save(tmp_path / "a.csv")
    some_runs(1, (5, 5), runs=[7, 8]).save(tmp_path / "b.nc")
    merge([tmp_path / "a.csv", tmp_path / "b.nc"], tmp_path / "first")
    some_runs(2, (5,), runs=[9]).save(tmp_path / "c.csv")
    paths = [tmp_path / "first", tmp_path / "c.csv"]
    assert merge(paths, tmp_path / "second").load() == gather(paths).trajectories
    assert merge(paths, tmp_path / "one.nc").load() == gather(paths).trajectories
    assert merge([tmp_path / "first"], tmp_path / "copy").load() == ecodyn.load(tmp_path / "first")


def test_one_file_is_read_at_a_time(tmp_path, monkeypatch):
    """Of all the parts that were read, one is there while the next is read: the others are let go."""
    import weakref

    from ecodyn.extraction import merging

    paths = saved([some_runs(n, runs=[2 * n, 2 * n + 1]) for n in range(3)], tmp_path)
    read, alive = [], []
    whole_file = merging.whole_file

    def counted(path):
        alive.append(sum(one() is not None for one in read))
        data = whole_file(path)
        read.append(weakref.ref(data.observables["signal"]))
        return data

    monkeypatch.setattr(merging, "whole_file", counted)
    merge(paths, tmp_path / "all")
    assert len(alive) == 3
    assert max(alive) <= 1


# ------------------------------------------------------------------------------------------- what is refused


@pytest.mark.slow
def test_other_features_and_another_p_are_refused(tmp_path):
    for other in (some_runs(1, features=["hare", "fox"]), some_runs(1, provenance={"p": 29})):
        paths = saved([some_runs(0, provenance={"p": 23}), other], tmp_path)
        with pytest.raises(UnusableDataError, match=r"same features|of one p"):
            merge(paths, tmp_path / "all")
        assert not (tmp_path / "all").exists()


def test_logs_and_nothing_are_refused(tmp_path):
    np.save(tmp_path / "log.npy", np.ones((3, 5, 2)))
    with pytest.raises(UnusableDataError, match="ecodyn extract"):
        merge([tmp_path / "log.npy"], tmp_path / "all")
    with pytest.raises(FileNotFoundError, match="no file or folder"):
        merge([tmp_path / "none.nc"], tmp_path / "all")
    with pytest.raises(ValueError, match="one or more"):
        merge([], tmp_path / "all")
    (path,) = saved([some_runs(0)], tmp_path)
    with pytest.raises(ValueError, match="name a folder"):
        merge([path], tmp_path / "all.csv")


@pytest.mark.filterwarnings("ignore:run labels repeat:ecodyn.DataWarning")
def test_an_input_of_two_kinds_is_refused(tmp_path):
    kinds = ("steps", "linear")
    parts = [some_runs(n, inputs={"lr": ecodyn.Input("lr", [0, 5], [1, 2], kind)}) for n, kind in enumerate(kinds)]
    paths = saved(parts, tmp_path)
    with pytest.raises(UnusableDataError, match="of one kind"):
        merge(paths, tmp_path / "all")


def test_what_is_there_is_replaced_only_if_asked_for_and_a_collection(tmp_path):
    paths = saved([some_runs(0)], tmp_path)
    merge(paths, tmp_path / "all")
    with pytest.raises(OutputExistsError, match="--force"):
        merge(paths, tmp_path / "all")
    saved([some_runs(1)], tmp_path)
    assert merge(paths, tmp_path / "all", force=True).load() == some_runs(1)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("x")
    with pytest.raises(OutputExistsError, match="something else"):
        merge(paths, tmp_path / "mine", force=True)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["all", "mine", "part_0.nc"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, pytest.param(OSError("disk full"), marks=pytest.mark.slow)])
def test_nothing_is_left_of_a_merge_that_was_stopped(tmp_path, monkeypatch, error):
    paths = saved([some_runs(n, runs=[2 * n, 2 * n + 1]) for n in range(3)], tmp_path)
    merge(paths[:1], tmp_path / "all")
    before = ecodyn.load(tmp_path / "all")
    write, calls = writing.write_netcdf, []

    def failing(*args):
        calls.append(args)
        if len(calls) == 2:
            raise error
        write(*args)

    monkeypatch.setattr(writing, "write_netcdf", failing)
    for name, force in (("new", False), ("all", True)):
        del calls[:]
        with pytest.raises(error if isinstance(error, type) else type(error)):
            merge(paths, tmp_path / name, force=force)
    assert ecodyn.load(tmp_path / "all") == before
    assert sorted(e.name for e in tmp_path.iterdir()) == ["all", *(path.name for path in paths)]


def test_a_damaged_part_is_refused_by_name(tmp_path):
    paths = saved([some_runs(n, runs=[2 * n, 2 * n + 1]) for n in range(2)], tmp_path)
    content = bytearray(paths[1].read_bytes())
    content[-40:] = bytes(40)
    paths[1].write_bytes(bytes(content[:-200]))
    with pytest.raises(UnusableDataError, match=r"part_1\.nc"):
        merge(paths, tmp_path / "all")
    assert not (tmp_path / "all").exists()
