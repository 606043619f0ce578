"""Laws of Trajectories, and each fault of time, values and files that concerns them."""

import json
import pickle
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecodyn.errors import DataWarning, OutputExistsError, UnusableDataError
from ecodyn.trajectories import Trajectories, as_trajectories, load, parse_state

HARE_LYNX = Path(__file__).parents[2] / "data" / "hare_lynx.csv"
open_inputs = settings(max_examples=12, deadline=None, derandomize=True, database=None)

finite = st.floats(allow_nan=False, allow_infinity=False, width=64)
names = st.text("abcxyz é,\"'#-_", min_size=1, max_size=6).map(lambda text: f"n{text.strip()}")
curve_names = names.map(lambda name: name.replace(",", ";"))


@pytest.fixture
def quiet():
    """Odd data that are beside the point of a test."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        yield


def quietly(*args, **kwargs):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        return Trajectories(*args, **kwargs)


@st.composite
def signals(draw):
    """Arguments for runs of unequal length with times of their own or shared."""
    R, K = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    lengths = draw(st.lists(st.integers(1, 5), min_size=R, max_size=R))
    row = st.lists(finite, min_size=K, max_size=K)
    values = [np.array(draw(st.lists(row, min_size=T, max_size=T))) for T in lengths]
    times = st.lists(st.integers(-50, 50) | st.floats(-1e6, 1e6), min_size=5, max_size=5, unique_by=float)
    own = [np.sort(np.array(draw(times), dtype=float)) for _ in range(R)]
    shared = draw(st.booleans())
    steps = [(own[0] if shared else own[r])[:T] for r, T in enumerate(lengths)]
    return {
        "values": values,
        "steps": steps,
        "features": draw(st.none() | st.lists(names, min_size=K, max_size=K, unique=True)),
        "runs": draw(st.none() | st.lists(st.integers(-9, 99), min_size=R, max_size=R, unique=True)),
        "labels_shared": draw(st.booleans()),
        "provenance": draw(st.dictionaries(names, finite | names | st.none(), max_size=2)),
    }


def waves(R=3, T=21, K=4, **kwargs):
    """Trajectories without anything odd."""
    rng = np.random.default_rng(0)
    return Trajectories(rng.uniform(1, 2, (R, T, K)), np.arange(T) * 5, **kwargs)


def rich():
    """Trajectories that have everything: unequal lengths, own times, every optional part."""
    rng = np.random.default_rng(1)
    parts = [rng.uniform(1, 2, (T, 2)) for T in (4, 6, 5)]
    return Trajectories(
        parts,
        [np.arange(4), np.arange(6) * 2.5, np.arange(5) + 0.1],
        features=[3, 7],
        runs=["a", "b", "c"],
        labels_shared=True,
        provenance={"p": 59, "lr": np.float64(0.01), "seeds": (0, 1)},
        observables={"gradient": [part**2 for part in parts]},
        curves={"train_loss": [part[:, 1] for part in parts], "test_accuracy": [part[:, 0] / 2 for part in parts]},
        dc=[part[:, 0] for part in parts],
        embedding=[rng.normal(size=(5, width)) for width in (2, 4, 3)],
        cluster=[0, 0, 1],
        settings={"dim": [32, 64, 64], "lr": [0.1, 0.2, 0.1], "kind": ["x", "y", "x"]},
    )


# ------------------------------------------------------------------------------------------------- laws


@open_inputs
@given(signals())
def test_load_after_save_is_the_identity_netcdf(tmp_path_factory, arguments):
    path = tmp_path_factory.mktemp("laws") / "a.nc"
    trajectories = quietly(**arguments)
    trajectories.save(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        assert load(path) == trajectories


@open_inputs
@given(signals())
def test_load_after_save_is_the_identity_csv(tmp_path_factory, arguments):
    path = tmp_path_factory.mktemp("laws") / "a.csv"
    trajectories = quietly(**arguments)
    trajectories.save(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        assert load(path) == trajectories


@open_inputs
@given(signals())
def test_dataset_and_pickle_are_the_identity(arguments):
    trajectories = quietly(**arguments)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        assert Trajectories.from_dataset(trajectories.to_dataset()) == trajectories
    copy = pickle.loads(pickle.dumps(trajectories))  # noqa: S301 - what worker processes do to it
    assert copy == trajectories
    assert not copy.values.flags.writeable


def test_everything_survives_a_file(tmp_path):
    rich().save(tmp_path / "a.nc")
    again = load(tmp_path / "a.nc")
    assert again == rich()
    assert again.provenance == {"p": 59, "lr": 0.01, "seeds": [0, 1]}
    assert again.settings["kind"].tolist() == ["x", "y", "x"]
    assert again.clusters.tolist() == [0, 0, 1]
    assert set(again.curves) == {"train_loss", "test_accuracy"}
    assert np.array_equal(again.embedding, rich().embedding, equal_nan=True)


@open_inputs
@given(signals(), st.data())
def test_curves_and_embeddings_of_any_numbers_survive_a_file(tmp_path_factory, arguments, data):
    path = tmp_path_factory.mktemp("laws") / "a.nc"
    of_run = [st.lists(finite, min_size=len(part), max_size=len(part)) for part in arguments["values"]]
    widths = data.draw(st.lists(st.integers(1, 4), min_size=len(of_run), max_size=len(of_run)))
    curves = {name: [data.draw(numbers) for numbers in of_run] for name in data.draw(st.sets(curve_names, max_size=2))}
    embedding = [np.array(data.draw(st.lists(finite, min_size=3 * n, max_size=3 * n))).reshape(3, n) for n in widths]
    trajectories = quietly(**arguments, curves=curves, embedding=embedding)
    trajectories.save(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        assert load(path) == trajectories


def test_file_has_the_documented_form(tmp_path):
    import xarray as xr

    rich().save(tmp_path / "a.nc")
    with xr.open_dataset(tmp_path / "a.nc", engine="h5netcdf") as ds:
        assert ds["signal"].dims == ("run", "step", "feature")
        assert ds["signal"].dtype == np.float64
        assert ds["signal"].encoding["zlib"]
        assert ds["gradient"].dims == ("run", "step", "feature")
        assert ds["dc"].dims == ds["time"].dims == ds["train_loss"].dims == ("run", "step")
        assert ds["embedding"].dims == ("run", "token", "dimension")
        assert ds["length"].values.tolist() == [4, 6, 5]
        assert ds["cluster"].dims == ds["dim"].dims == ("run",)
        assert ds.attrs["ecodyn_schema"] == 1
        assert ds.attrs["labels_shared"] == 1
        assert json.loads(ds.attrs["provenance"])["p"] == 59


def test_plain_file_has_no_optional_variables():
    assert list(waves().to_dataset().data_vars) == ["signal"]
    assert (waves().curves, waves().embedding, waves().dc) == ({}, None, None)


def test_file_written_before_there_were_curves_reads_as_before(tmp_path):
    old = rich().to_dataset().drop_vars(["train_loss", "test_accuracy", "embedding"])
    again = load(write(old, tmp_path / "a.nc"))
    assert (again.curves, again.embedding) == ({}, None)
    assert np.array_equal(again.dc, rich().dc, equal_nan=True)
    assert list(again.settings) == list(rich().settings)


def test_unequal_lengths_on_one_grid_share_times():
    trajectories = Trajectories([np.random.default_rng(0).random((T, 2)) for T in (3, 5)], np.arange(5) * 2)
    assert trajectories.shares_times
    assert trajectories.steps.tolist() == [0, 2, 4, 6, 8]
    assert trajectories.lengths.tolist() == [3, 5]
    assert np.isnan(trajectories.times[0, 3:]).all()
    assert np.isnan(trajectories.values[0, 3:]).all()


def test_times_that_differ_have_no_steps():
    assert rich().times.shape == (3, 6)
    with pytest.raises(UnusableDataError, match="differ from run to run"):
        _ = rich().steps


@open_inputs
@given(st.integers(0, 100), st.integers(0, 100), st.integers(0, 100), st.integers(0, 100))
def test_window_of_a_window_is_the_smaller_window(a, b, c, d):
    low, lower_high, upper_high = sorted((a, b, c))
    first, inner = (low, upper_high + 5), (max(low, min(d, lower_high)), lower_high + 5)
    trajectories = waves(T=22)
    assert trajectories.window(*first).window(*inner) == trajectories.window(*inner)


def test_window_names_step_values_with_both_ends():
    inside = waves().window(10, 50)
    assert inside.steps.tolist() == list(range(10, 51, 5))
    assert Trajectories(waves(T=1001).values, np.arange(1001)).window(60, 1000).n_steps == 941


def test_window_cuts_each_run_by_its_own_times():
    cut = rich().window(2, 7.5)
    assert cut.lengths.tolist() == [2, 3, 3]
    assert cut.times[1].tolist() == [2.5, 5.0, 7.5]
    assert np.array_equal(cut.observables["gradient"], cut.values**2, equal_nan=True)
    assert np.array_equal(cut.dc, cut.values[:, :, 0], equal_nan=True)
    assert np.array_equal(cut.curves["train_loss"], cut.values[:, :, 1], equal_nan=True)


@pytest.mark.parametrize(
    "part",
    [
        lambda whole: whole.window(1, 5),
        lambda whole: whole.every(2),
        lambda whole: whole.head([2, 3, 1]),
        lambda whole: whole.select(runs=["c", "a"]),
        lambda whole: whole.select(dim=64),
    ],
    ids=["window", "every", "head", "runs", "setting"],
)
def test_curves_follow_the_signal_and_embeddings_their_run(part):
    whole, some = rich(), part(rich())
    assert list(some.curves) == ["train_loss", "test_accuracy"]
    assert np.array_equal(some.curves["train_loss"], some.values[:, :, 1], equal_nan=True)
    assert np.array_equal(some.curves["test_accuracy"], some.dc / 2, equal_nan=True)
    width = {"a": 2, "b": 4, "c": 3}
    assert some.embedding.shape == (some.n_runs, 5, max(width[run] for run in some.runs))  # padding of others is gone
    for run, embedding in zip(some.runs, some.embedding, strict=True):
        before = whole.embedding[whole.runs.tolist().index(run)]
        assert np.array_equal(embedding[:, : width[run]], before[:, : width[run]])
        assert np.isnan(embedding[:, width[run] :]).all()


def test_selecting_features_leaves_curves_and_embedding():
    some = rich().select(features=[7])
    assert np.array_equal(some.embedding, rich().embedding, equal_nan=True)
    assert np.array_equal(some.curves["train_loss"], rich().curves["train_loss"], equal_nan=True)


def test_empty_window_states_the_range():
    with pytest.raises(UnusableDataError, match=r"window 200:300.*0 to 100"):
        waves().window(200, 300)
    with pytest.raises(UnusableDataError, match="run a has no step"):
        rich().window(4, 20)


@pytest.mark.parametrize(("a", "b"), [(1, 3), (2, 3), (4, 2), (5, 50)])
def test_every_composes(a, b):
    assert waves().every(a).every(b) == waves().every(a * b)
    assert rich().every(a).every(b) == rich().every(a * b)


@given(st.integers(2, 60))
def test_thinned_keeps_both_ends_and_at_most_so_many(most):
    for whole in (waves(), rich()):
        thin = whole.thinned(most)
        for run in range(whole.n_runs):
            kept, all_of_them = (x.times[run, : x.lengths[run]] for x in (thin, whole))
            assert (kept[0], kept[-1]) == (all_of_them[0], all_of_them[-1])
            assert len(kept) == min(most, len(all_of_them))
            assert set(kept) <= set(all_of_them)
    assert waves().thinned(10**6) == waves()
    with pytest.raises(ValueError, match="at least 2"):
        waves().thinned(1)


def test_every_keeps_the_first_and_refuses_zero():
    assert waves().every(10).steps.tolist() == [0, 50, 100]
    with pytest.raises(ValueError, match="at least 1"):
        waves().every(0)


def test_select_keeps_the_order_asked_for():
    chosen = waves(runs=[5, 6, 9]).select(runs=[9, 5], features=[4, 1, 2])
    assert chosen.runs.tolist() == [9, 5]
    assert chosen.features.tolist() == [4, 1, 2]
    assert np.array_equal(chosen.values, waves().values[[2, 0]][:, :, [3, 0, 1]])
    assert chosen.select(runs=[5, 9], features=[1, 2, 4]) == waves(runs=[5, 6, 9]).select([5, 9], [1, 2, 4])


def test_select_commutes_with_window_and_every():
    one = rich().select(runs=["a", "c"]).window(1, 4).every(2)
    other = rich().every(1).window(1, 4).every(2).select(runs=["a", "c"])
    assert one == other
    assert one.clusters.tolist() == [0, 1]


def test_select_by_range_and_setting():
    assert waves(runs=[0, 1, 20]).select(runs=range(16)).runs.tolist() == [0, 1]
    assert rich().select(dim=64).runs.tolist() == ["b", "c"]
    assert rich().select(dim=[32, 64], kind="x").runs.tolist() == ["a", "c"]
    assert rich().select(runs="a").n_steps == 4  # padding that only others needed is gone


@pytest.mark.parametrize(
    ("choice", "sentence"),
    [
        ({"runs": [7]}, "runs labelled 7, only a, b, c"),
        ({"runs": range(3)}, "runs labelled"),
        ({"runs": []}, "labelled nothing"),
        ({"features": [3, 4]}, "features labelled 4, only 3, 7"),
        ({"dim": 128}, "dim = 128, only 32, 64"),
        ({"depth": 2}, "the settings are dim, lr, kind"),
        ({"runs": ["a", "a"]}, "asked for twice"),
    ],
)
def test_selecting_what_is_not_there_states_what_is(choice, sentence):
    with pytest.raises(ValueError, match=sentence):
        rich().select(**choice)


def test_features_are_aligned_by_label():
    runs = rich().window(1, 5)
    assert runs.aligned([7, 3]) == runs.select(features=[7, 3])
    assert runs.aligned([3, 7]) == runs
    assert runs.aligned(["a", "b"], any_labels=True) is runs
    for labels, any_labels, wrong in (
        ([3, 8], False, "without 8 and with 7"),
        ([3], False, "with 7"),
        ([3], True, "with 7"),
        ([3, 7, 8], True, "without 8;"),
    ):
        with pytest.raises(UnusableDataError, match=wrong):
            runs.aligned(labels, any_labels=any_labels)


def test_state_is_the_signal_and_the_trait_held_fixed():
    trajectories = rich().window(1, 10)
    assert np.array_equal(trajectories.state()[..., 0], trajectories.values, equal_nan=True)
    state = trajectories.state("signal, gradient@start")
    assert state.shape == (*trajectories.shape, 2)
    for r, length in enumerate(trajectories.lengths):
        assert (state[r, :length, :, 1] == trajectories.values[r, 0] ** 2).all()
        assert np.isnan(state[r, length:]).all()


def test_velocity_is_the_mean_change_over_the_three_steps_before():
    whole = rich()
    x, t = whole.values[0], whole.times[0]
    velocity = whole.state("signal,velocity")[0, :, :, 1]
    np.testing.assert_array_equal(velocity[4], (x[4] - x[1]) / (t[4] - t[1]))
    np.testing.assert_array_equal(velocity[1], (x[1] - x[0]) / (t[1] - t[0]))  # one step before is all there is
    np.testing.assert_array_equal(velocity[0], (x[3] - x[0]) / (t[3] - t[0]))  # none: the three after
    assert not whole.knows_before.any()


def test_a_window_remembers_the_velocity_from_before_it():
    whole = rich()
    t = whole.times[0]
    later = whole.window(t[1], np.inf)
    assert later.knows_before.all()
    velocity = whole.state("signal,velocity")[0, :, :, 1]
    for part in (later, later.select(features=later.features[::-1]), later.every(2), later.head([2] * later.n_runs)):
        rows = np.searchsorted(t, part.times[0, : part.lengths[0]])
        expected = velocity[rows][:, :: -1 if part.features[0] != whole.features[0] else 1]
        np.testing.assert_array_equal(part.state("signal,velocity")[0, : part.lengths[0], :, 1], expected)
        picked = part.select(runs=whole.runs[:1])
        np.testing.assert_array_equal(picked.state("signal,velocity")[0, ..., 1], expected)


def test_velocity_of_a_single_step_is_refused():
    whole = rich()
    with pytest.raises(UnusableDataError, match="two steps"):
        whole.head([1] * whole.n_runs).state("signal,velocity")


def test_state_of_a_missing_observable_names_those_present():
    with pytest.raises(UnusableDataError, match="needs gradient, the data have signal"):
        waves().state("signal,gradient@start")


@pytest.mark.parametrize("spec", ["", "gradient", "signal,", "signal,@start", "signal,a@start,a@start", "signal,a,a"])
def test_unknown_states_are_refused(spec):
    with pytest.raises(ValueError, match="state"):
        parse_state(spec)


def test_immutable_and_detached_from_what_was_given():
    given_values = np.random.default_rng(0).random((2, 5, 3))
    trajectories = Trajectories(given_values, np.arange(5))
    before = trajectories.values.copy()
    given_values[:] = 0
    assert np.array_equal(trajectories.values, before)
    for array in (
        trajectories.values,
        trajectories.times,
        trajectories.features,
        trajectories.every(2).values,
    ):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0
    with pytest.raises(AttributeError):
        trajectories.values = before
    curve, embedding = np.ones((2, 5)), np.ones((2, 3, 4))
    measured = Trajectories(before, np.arange(5), curves={"loss": curve}, dc=curve, embedding=embedding)
    curve[:], embedding[:] = 0, 0
    for kept in (measured, measured.window(1, 3), pickle.loads(pickle.dumps(measured))):  # noqa: S301
        for array in (kept.curves["loss"], kept.dc, kept.embedding):
            assert (array == 1).all()
            with pytest.raises(ValueError, match="read-only"):
                array[0] = 0
    measured.curves["x"] = before
    assert list(measured.curves) == ["loss"]
    trajectories.provenance["p"] = 3
    trajectories.observables["x"] = before
    assert trajectories.provenance == {}
    assert list(trajectories.observables) == ["signal"]


def test_equality_sees_every_part():
    base = {"values": waves().values, "steps": np.arange(21)}
    one = Trajectories(**base)
    assert one == Trajectories(**base)
    assert one != "something else"
    for change in (
        {"steps": np.arange(21) + 1},
        {"runs": [1, 2, 3]},
        {"labels_shared": True},
        {"provenance": {"p": 3}},
        {"cluster": [0, 0, 1]},
        {"settings": {"dim": [1, 2, 3]}},
        {"dc": np.ones((3, 21))},
        {"curves": {"train_loss": np.ones((3, 21))}},
        {"embedding": np.ones((3, 5, 2))},
        {"observables": {"gradient": base["values"]}},
    ):
        assert one != Trajectories(**base | change)


def test_representation():
    text = repr(waves(observables={"gradient": waves().values}))
    assert text == (
        "Trajectories: 3 runs × 21 steps (0 to 100) × 4 features; observables signal, gradient; labels not shared"
    )
    assert "; curves train_loss, test_accuracy; embedding 5 tokens × 4 dimensions; " in repr(rich())
    assert "<script>" not in waves(features=["<script>", "b", "c", "d"])._repr_html_()


def test_clusters_default_to_the_runs():
    assert waves().n_clusters == 3
    assert rich().n_clusters == 2


def test_as_trajectories_accepts_arrays_lists_and_tables():
    import pandas as pd

    X = np.random.default_rng(0).random((6, 2))
    assert as_trajectories(X) == Trajectories(X[None], np.arange(6))
    assert as_trajectories(X.tolist()) == as_trajectories(X)
    assert as_trajectories([X, X[:4]], [np.arange(6), np.arange(4)]) == as_trajectories([X, X[:4]])
    assert as_trajectories([X, X + 1], np.arange(6) * 2).steps.tolist() == [0, 2, 4, 6, 8, 10]
    assert as_trajectories(np.stack([X, X + 1])) == as_trajectories([X, X + 1])
    table = as_trajectories(pd.DataFrame(X, columns=["hare", "lynx"]))
    assert table.features.tolist() == ["hare", "lynx"]
    assert table.labels_shared
    assert as_trajectories(table) is table
    with pytest.raises(ValueError, match="leave t out"):
        as_trajectories(table, np.arange(6))
    with pytest.raises(UnusableDataError, match="different columns"):
        as_trajectories([pd.DataFrame(X, columns=["a", "b"]), pd.DataFrame(X, columns=["b", "a"])])
    with pytest.raises(UnusableDataError, match="column step"):
        as_trajectories(pd.DataFrame(X, columns=["step", "b"]))


@pytest.mark.parametrize("X", [np.ones(3), [[1, 2], [3]], None, "x", 3.0, [], {"a": 1}])
def test_as_trajectories_refuses_the_rest_with_a_sentence(X):
    with pytest.raises(UnusableDataError, match=r"values\[0\]"):
        as_trajectories(X)


def test_as_trajectories_refuses_sparse_arrays():
    from scipy.sparse import csr_matrix

    with pytest.raises(UnusableDataError, match="sparse"):
        as_trajectories(csr_matrix(np.eye(3)))


def test_hare_and_lynx():
    pelts = load(HARE_LYNX)
    assert pelts.labels_shared
    assert pelts.features.tolist() == ["hare", "lynx"]
    assert pelts.steps.tolist() == list(range(1900, 1921))
    assert pelts.values[0, [0, -1]].tolist() == [[30, 4], [24.7, 8.6]]


# ------------------------------------------------------------------------------------------ faults: time


def build(steps, T=5):
    return Trajectories(np.random.default_rng(0).random((2, T, 3)), steps)


@pytest.mark.parametrize(
    ("steps", "sentence"),
    [
        ([0, 2, 1, 3, 4], r"goes back at index 2 \(from 2 to 1\)"),
        ([0, 1, 1, 3, 4], "repeats at index 2"),
        ([0, 1, np.nan, 3, 4], "index 2 is nan"),
        ([0, 1, np.inf, 3, 4], "index 2 is inf"),
        (np.arange(4), r"shape \(4,\), expected \(5,\)"),
        (np.arange("2020-01-01", "2020-01-06", dtype="datetime64[D]"), "dates.*times must be numbers"),
        (["a", "b", "c", "d", "e"], "text.*times must be numbers"),
        ([np.arange(5)], "times for 1 runs, values has 2"),
        ([np.arange(5), np.arange(4)], r"steps\[1\]"),
    ],
    ids=["unsorted", "duplicate", "nan", "inf", "wrong length", "dates", "text", "few lists", "short list"],
)
def test_time_refused(steps, sentence):
    with pytest.raises(UnusableDataError, match=sentence):
        build(steps)


def test_time_of_one_run_only_is_checked_too():
    with pytest.raises(UnusableDataError, match="time of run 1 goes back"):
        build([np.arange(5), [0, 1, 2, 9, 3]])


def test_time_without_steps_is_refused():
    with pytest.raises(UnusableDataError, match=r"0 step\(s\)"):
        build([], T=0)


@pytest.mark.parametrize("T", [1, 2])
def test_time_of_one_or_two_steps_is_fine(T, tmp_path):
    short = build(np.arange(T), T)
    assert short.n_steps == T
    short.save(tmp_path / "a.nc")
    assert load(tmp_path / "a.nc") == short


def test_time_irregular_is_fine():
    build([0, 1, 3, 4, 10])
    build(np.unique(np.geomspace(1, 1e6, 50)), T=50)  # logarithmic spacing has no gap
    build([*range(10), *range(60, 1000, 50)], T=29)  # coarser from some step on


def test_time_gap_is_warned_about():
    with pytest.warns(DataWarning, match="gap in the times of run 0, 4 to 500"):
        trajectories = build([0, 1, 2, 3, 4, 500, 501, 502], T=8)
    assert len(trajectories.warnings) == 1


# ---------------------------------------------------------------------------------------- faults: values


@pytest.mark.parametrize(("bad", "word"), [(np.nan, "NaN"), (np.inf, "inf"), (-np.inf, "-inf")])
def test_values_not_finite_name_the_place(bad, word):
    values = np.random.default_rng(0).random((2, 5, 3))
    values[1, 2, 0] = bad
    with pytest.raises(UnusableDataError, match=f"signal holds {word} at run b, step index 2, feature x"):
        Trajectories(values, np.arange(5), features=["x", "y", "z"], runs=["a", "b"])


def test_values_nan_within_a_run_is_no_padding():
    values = np.random.default_rng(0).random((1, 5, 3))
    values[0, 2] = np.nan
    with pytest.raises(UnusableDataError, match="step index 2"):
        Trajectories(values, np.arange(5))


def test_values_nan_throughout_a_run():
    values = np.random.default_rng(0).random((2, 5, 3))
    values[1] = np.nan
    with pytest.raises(UnusableDataError, match="run 1 are NaN throughout"):
        Trajectories(values, np.arange(5))


def test_values_nan_at_the_end_is_padding():
    values = np.random.default_rng(0).random((2, 5, 3))
    values[1, 3:] = np.nan
    assert Trajectories(values, np.arange(5)).lengths.tolist() == [5, 3]


def test_values_nan_at_the_end_of_all_runs_is_said():
    values = np.random.default_rng(0).random((2, 5, 3))
    values[:, 3:] = np.nan
    with pytest.warns(DataWarning, match="ends in 2 steps of NaN"):
        assert Trajectories(values, np.arange(5)).n_steps == 3


def test_values_of_observables_are_checked_as_well():
    values = np.random.default_rng(0).random((2, 5, 3))
    gradient = values.copy()
    gradient[0, 4, 1] = np.nan
    with pytest.raises(UnusableDataError, match="gradient holds NaN at run 0, step index 4, feature 2"):
        Trajectories(values, np.arange(5), observables={"gradient": gradient})
    with pytest.raises(UnusableDataError, match=r"gradient has shape \(2, 5, 2\), expected \(2, 5, 3\)"):
        Trajectories(values, np.arange(5), observables={"gradient": gradient[:, :, :2]})
    with pytest.raises(UnusableDataError, match="dc has shape"):
        Trajectories(values, np.arange(5), dc=np.ones((2, 4)))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda curve: np.where(np.arange(5) == 2, np.nan, curve), "train_loss holds NaN at run a, step index 2 "),
        (lambda curve: np.where(np.arange(5) == 4, np.inf, curve), "train_loss holds inf at run a, step index 4 "),
        (lambda curve: curve[:, :4], r"train_loss has shape \(2, 4\), expected \(2, 5\)"),
        (lambda curve: curve[0], r"expected train_loss of shape \(run, step\), got shape \(5,\)"),
        (lambda curve: np.full((2, 5), 3.0), "train_loss holds 3 after the end of values at run b, step index 3 "),
    ],
    ids=["nan", "inf", "short", "one run", "beyond the end"],
)
@pytest.mark.parametrize("own", [False, True], ids=["curve", "dc"])
def test_values_of_curves_are_checked_as_well(change, sentence, own):
    values = np.random.default_rng(0).random((2, 5, 3))
    values[1, 3:] = np.nan
    curve = change(values[:, :, 0])
    arguments = {"dc": curve} if own else {"curves": {"train_loss": curve}}
    with pytest.raises(UnusableDataError, match=sentence.replace("train_loss", "dc") if own else sentence):
        Trajectories(values, np.arange(5), runs=["a", "b"], **arguments)


@pytest.mark.parametrize(
    "named",
    [
        {"curves": {"dc": np.ones((3, 21))}},
        {"curves": {"embedding": np.ones((3, 21))}},
        {"curves": {"dim": np.ones((3, 21))}, "settings": {"dim": [1, 2, 3]}},
        {"curves": {"gradient": np.ones((3, 21))}, "observables": {"gradient": np.ones((3, 21, 4))}},
        {"settings": {"token": [1, 2, 3]}},
    ],
)
def test_names_of_curves_are_used_once(named):
    with pytest.raises(UnusableDataError, match=r"can't name an observable, a curve or a setting.*rename it"):
        waves(**named)


def test_embeddings_of_fewer_dimensions_are_padded():
    embeddings = [np.random.default_rng(0).random((7, width)) for width in (3, 5, 4)]
    listed = waves(embedding=embeddings)
    assert listed.embedding.shape == (3, 7, 5)
    for embedding, kept in zip(embeddings, listed.embedding, strict=True):
        assert np.array_equal(kept[:, : embedding.shape[1]], embedding)
        assert np.isnan(kept[:, embedding.shape[1] :]).all()
    assert waves(embedding=listed.embedding) == listed
    assert waves(embedding=np.pad(listed.embedding, [(0, 0), (0, 0), (0, 2)], constant_values=np.nan)) == listed


@pytest.mark.parametrize(("bad", "word"), [(np.nan, "NaN"), (np.inf, "inf"), (-np.inf, "-inf")])
@pytest.mark.parametrize(("token", "dimension"), [(0, 0), (2, 1), (6, 4)])
def test_embedding_not_finite_names_the_place(bad, word, token, dimension):
    embedding = np.random.default_rng(0).random((3, 7, 5))
    embedding[1, token, dimension] = bad
    place = rf"holds {word} at run 1, token index {token}, dimension index {dimension} \(1 such in all\), expected"
    with pytest.raises(UnusableDataError, match=f"embedding {place}.*leave that run or the embedding out"):
        waves(embedding=embedding)


def test_embedding_nan_throughout_a_run_is_refused():
    embedding = np.random.default_rng(0).random((3, 7, 5))
    embedding[2] = np.nan
    with pytest.raises(UnusableDataError, match=r"embedding holds NaN at run 2, token index 0.*\(35 such in all\)"):
        waves(embedding=embedding)


@pytest.mark.parametrize(
    ("embedding", "got"),
    [
        (np.ones((2, 7, 5)), r"2 of shape \(7, 5\)"),
        (np.ones((7, 5)), r"7 of shape \(5,\)"),
        (3.0, r"1 of shape \(\)"),
        ([], r"0 of shape \(\)"),
        ([np.ones((7, 5)), np.ones((6, 5)), np.ones((7, 5))], r"3 of shape \(7, 5\), \(6, 5\)"),
        (np.ones((3, 7, 0)), r"3 of shape \(7, 0\)"),
        (np.ones((3, 0, 5)), r"3 of shape \(0, 5\)"),
        (np.ones((3, 7, 5, 1)), r"3 of shape \(7, 5, 1\)"),
    ],
)
def test_embedding_of_the_wrong_shape(embedding, got):
    sentence = rf"expected an embedding \(token, dimension\) for each of 3 runs.*got {got}; give an array"
    with pytest.raises(UnusableDataError, match=sentence):
        waves(embedding=embedding)


@pytest.mark.parametrize("dtype", [np.int32, np.int64, np.uint8, np.bool_, np.float32, object])
def test_values_integers_and_bools_become_float64(dtype, quiet):
    values = np.array([[[0, 1], [1, 0], [1, 1]]], dtype=dtype)
    trajectories = Trajectories(values, np.arange(3))
    assert trajectories.values.dtype == np.float64
    assert np.array_equal(trajectories.values, [[[0, 1], [1, 0], [1, 1]]])


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (np.ones((1, 3, 2)) * 1j, "Complex data not supported"),
        (np.array([[["1", "2"]]]), "got text"),
        (np.array([[[{}, None]]], dtype=object), "got objects"),
        (np.full((1, 3, 2), 1e5).astype("f4").astype("O").tolist(), None),
        (np.ones((3, 2)), r"got shape \(3, 2\); give one run as values\[None\]"),
        (np.ones((1, 3, 0)), r"0 feature\(s\) \(shape=\(1, 3, 0\)\) while a minimum of 1 is required"),
        (np.ones((0, 3, 2)), r"0 run\(s\)"),
        ([np.ones((3, 2)), np.ones((3, 4))], r"values\[0\] has 2 features and values\[1\] has 4"),
        ([np.ones((3, 2)), np.ones((0, 2))], "has 0 steps"),
        ([np.ones(3)], r"values\[0\] of shape \(step, feature\)"),
    ],
)
def test_values_of_the_wrong_kind_or_shape(values, sentence, quiet):
    if sentence is None:
        assert Trajectories(values, np.arange(3)).n_features == 2
        return
    with pytest.raises(UnusableDataError, match=sentence):
        Trajectories(values, np.arange(3))


def test_values_float16_overflow():
    with np.errstate(over="ignore"):
        values = np.array([[[1e6], [1.0]]]).astype(np.float16)
    with pytest.raises(UnusableDataError, match=r"float16 ends at 65504.*float32"):
        Trajectories(values, np.arange(2))


@pytest.mark.parametrize(
    ("labels", "sentence"),
    [
        ({"features": ["a", "b", "a"]}, "features holds 'a' twice"),
        ({"runs": [4, 4]}, "runs holds 4 twice"),
        ({"features": [1, 2]}, "expected 3 labels"),
        ({"features": [1.5, 2, 3]}, "whole numbers or names"),
        ({"runs": ["a", None]}, "whole numbers or names"),
        ({"cluster": [0]}, "expected 2 labels"),
        ({"settings": {"dim": [1]}}, "one value for each of 2 runs"),
        ({"settings": {"signal": [1, 2]}}, "'signal' can't name"),
        ({"provenance": {"object": object()}}, "what JSON can"),
    ],
)
def test_labels_refused(labels, sentence):
    with pytest.raises(UnusableDataError, match=sentence):
        Trajectories(np.random.default_rng(0).random((2, 5, 3)), np.arange(5), **labels)


def test_values_odd_are_warned_about_once():
    values = np.random.default_rng(0).uniform(1, 2, (2, 8, 6))
    values[:, :, 0] = 0
    values[0, :, 1] = 3
    values[1, :, 3] = values[1, :, 2]
    values[:, :, 4] *= 1e-13
    with pytest.warns(DataWarning) as caught:
        trajectories = Trajectories(values, np.arange(8))
    assert len(caught) == 1
    text = str(caught[0].message)
    for sentence in (
        "feature 1 is zero throughout in run 0 (2 of 12 series",
        "feature 2 is constant throughout in run 0 (1 of 12 series",
        "features 3 and 4 are identical in run 1",
        "features 5 and",
    ):
        assert sentence in text
    assert len(trajectories.warnings) == 4
    kept = trajectories.select(features=[6]).window(1, 5)  # no warning again, and none left
    assert kept.warnings == ()


def test_values_negative_are_not_warned_about():
    assert Trajectories(-waves().values, np.arange(21)).warnings == ()


# ----------------------------------------------------------------------------------------- faults: files


@pytest.fixture
def saved(tmp_path):
    waves(T=200).save(tmp_path / "a.nc")
    return tmp_path / "a.nc"


def test_file_existing_is_refused_without_force(saved):
    with pytest.raises(OutputExistsError):
        waves().save(saved)
    waves().save(saved, force=True)
    assert load(saved) == waves()


def test_file_of_another_suffix():
    with pytest.raises(ValueError, match=r"\.nc \(netCDF4\) or \.csv"):
        waves().save("a.npy")
    with pytest.raises(ValueError, match=r"\.nc \(netCDF4\) or \.csv"):
        load("a.pt")


def test_file_missing(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no file"):
        load(tmp_path / "none.nc")


@pytest.mark.parametrize("kept", [0, 4, 100, 2000, -1000, -1])
def test_file_truncated(saved, kept):
    saved.write_bytes(saved.read_bytes()[:kept])
    with pytest.raises(UnusableDataError, match=r"a\.nc"):
        load(saved)


# h5netcdf's File complains when it is collected without having been opened
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_file_with_a_flipped_bit_is_never_taken_for_other_data(saved):
    content = saved.read_bytes()
    original = load(saved)
    noticed = 0
    for place in range(0, len(content), len(content) // 40):
        damaged = bytearray(content)
        damaged[place] ^= 0x10
        saved.write_bytes(damaged)
        try:
            assert load(saved) == original  # the bit was in unused space
        except UnusableDataError:
            noticed += 1
    assert noticed > 20


@pytest.mark.parametrize("suffix", [".nc", ".csv"])
def test_file_that_is_a_git_lfs_pointer(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3\n")
    with pytest.raises(UnusableDataError, match="git lfs pull"):
        load(path)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(b"step,a\n0,1\n", "not a netCDF4"), (b"CDF\x01" + bytes(99), "netCDF3")],
)
def test_file_that_is_no_netcdf4(tmp_path, content, sentence):
    (tmp_path / "a.nc").write_bytes(content)
    with pytest.raises(UnusableDataError, match=sentence):
        load(tmp_path / "a.nc")


def write(ds, path):
    ds.to_netcdf(path, engine="h5netcdf")
    return path


def test_file_without_signal(tmp_path):
    with pytest.raises(UnusableDataError, match=r"a\.nc: expected a variable named signal, found loss"):
        load(write(waves().to_dataset().rename(signal="loss"), tmp_path / "a.nc"))


def test_file_of_a_newer_schema(tmp_path):
    with pytest.raises(UnusableDataError, match=r"schema 2.*upgrade"):
        load(write(waves().to_dataset().assign_attrs(ecodyn_schema=2), tmp_path / "a.nc"))


def test_file_with_nan_before_the_end(tmp_path):
    ds = waves().to_dataset()
    ds["signal"] = ds["signal"].where(ds["step"] != 10)
    with pytest.raises(UnusableDataError, match="step index 2"):
        load(write(ds, tmp_path / "a.nc"))


def test_file_with_other_dimensions_or_lengths(tmp_path):
    with pytest.raises(UnusableDataError, match="signal has dimensions"):
        load(write(waves().to_dataset().rename(feature="species"), tmp_path / "a.nc"))
    with pytest.raises(UnusableDataError, match="length says"):
        load(write(waves().to_dataset().assign(length=("run", [3, 3, 3])), tmp_path / "b.nc"))
    with pytest.raises(UnusableDataError, match="embedding has dimensions"):
        load(write(rich().to_dataset().rename(dimension="width"), tmp_path / "c.nc"))


def test_file_that_claims_more_than_it_holds(tmp_path):
    import h5netcdf

    with h5netcdf.File(tmp_path / "a.nc", "w") as file:
        file.dimensions = {"run": 1000, "step": 10**6, "feature": 1000}
        file.create_variable("signal", ("run", "step", "feature"), "f8", chunks=(1, 1000, 1000))
        file.create_variable("time", ("run", "step"), "f8", chunks=(1, 1000))
    with pytest.raises(UnusableDataError, match="truncated or made up"):
        load(tmp_path / "a.nc")


def test_file_of_another_program_is_read(tmp_path):
    ds = waves().to_dataset().transpose("feature", "step", "run")
    ds.attrs.clear()
    assert load(write(ds, tmp_path / "a.nc")) == waves()
    one = waves(R=1)
    assert load(write(one.to_dataset().isel(run=0, drop=True), tmp_path / "b.nc")) == one
    turned = rich().to_dataset().transpose("dimension", "feature", "step", "token", "run")
    assert load(write(turned, tmp_path / "c.nc")) == rich()
    of_one = rich().select(runs="b").to_dataset()
    assert load(write(of_one.isel(run=0), tmp_path / "d.nc")).embedding.shape == (1, 5, 4)


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
    read = csv(tmp_path, "\ufeff# note\nstep, run, 1, 2\n# more\n0,b,1,2\n0,a,5,6\n\n1,b,3,7\n")
    assert read.runs.tolist() == ["b", "a"]
    assert read.features.tolist() == [1, 2]
    assert not read.labels_shared
    assert read.lengths.tolist() == [2, 1]
    assert read.provenance == {"comments": ["note", "more"]}


def test_csv_says_what_it_leaves_out(tmp_path):
    with pytest.warns(UserWarning, match="left out: gradient, train_loss, test_accuracy, dim, lr, kind, dc, embedding"):
        rich().save(tmp_path / "a.csv")
    again = load(tmp_path / "a.csv")
    assert np.array_equal(again.values, rich().values, equal_nan=True)
    assert np.array_equal(again.times, rich().times, equal_nan=True)
    assert again.clusters.tolist() == [0, 0, 1]
    with pytest.raises(ValueError, match="feature named run"):
        waves(K=1, features=["run"]).save(tmp_path / "b.csv")


def test_save_that_is_interrupted_keeps_the_old_file(saved, monkeypatch):
    import xarray as xr

    def interrupted(ds, path, **kwargs):
        Path(path).write_text("half")
        raise KeyboardInterrupt

    monkeypatch.setattr(xr.Dataset, "to_netcdf", interrupted)
    before = saved.read_bytes()
    with pytest.raises(KeyboardInterrupt):
        waves().save(saved, force=True)
    assert saved.read_bytes() == before
    assert [path.name for path in saved.parent.iterdir()] == ["a.nc"]


def test_a_setting_that_some_runs_do_not_have_is_found_by_its_value():
    values = np.arange(24.0).reshape(3, 4, 2) ** 1.5
    runs = Trajectories(values, np.arange(4), settings={"factor": ["none", "0.9", "1.1"]})
    assert runs.select(factor=0.9).runs.tolist() == [1]
    assert runs.select(factor=[0.9, "none"]).runs.tolist() == [0, 1]
