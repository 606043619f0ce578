"""Inputs u(t): what they are between their knots, and that they go with their runs wherever these go."""

import itertools
import pickle
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import ecodyn
from ecodyn import DataWarning, Input, Trajectories, UnusableDataError, load

finite = st.floats(-1e6, 1e6)
kinds = st.sampled_from(["steps", "linear"])


def plain(runs=3, lengths=(6, 6, 4)):
    rng = np.random.default_rng(0)
    values = [rng.random((n, 2)) for n in lengths[:runs]]
    steps = [np.arange(n) * 10.0 for n in lengths[:runs]]
    return Trajectories(values, steps, features=["hare", "lynx"], runs=["u", "v", "w"][:runs])


def driven():
    by_run = {
        "u": Input("wd", [0, 5, 60], [1, 2, 3], "linear"),
        "v": ([0, 60], [1, 2]),
        "w": ([-5, 100], [0, 3]),
    }
    return plain().with_inputs(lr=([0, 25.5], [0.1, 0.01]), kind="steps").with_inputs(wd=by_run, kind="linear")


@st.composite
def curves(draw):
    times = np.cumsum(draw(arrays(float, st.integers(1, 6), elements=st.floats(0.1, 10))))
    return Input("u", times, draw(arrays(float, len(times), elements=finite)), draw(kinds))


@settings(max_examples=25)
@given(curves())
def test_at_a_knot_a_curve_has_its_value(curve):
    np.testing.assert_array_equal(curve(curve.times), curve.values)


@settings(max_examples=25)
@given(curves(), st.floats(-100, 100))
def test_between_breaks_it_is_a_straight_line(curve, t):
    assert curve.values.min() <= curve(t) <= curve.values.max()
    pieces = np.unique([curve.times[0], *curve.breaks, curve.times[-1]])
    for a, b in itertools.pairwise(pieces):
        if curve.kind == "steps":
            assert curve(a) == curve(np.nextafter(b, a)) == curve((a + b) / 2)
        else:
            size = np.abs(curve.values).max()
            np.testing.assert_allclose(curve((a + b) / 2), (curve(a) + curve(b)) / 2, atol=1e-9 * size)


@settings(max_examples=25)
@given(curves(), st.floats(0.01, 100), st.floats(0.01, 100))
def test_units_change_nothing_but_the_numbers(curve, scale, time_scale):
    other = curve.rescaled(scale, time_scale)
    np.testing.assert_allclose(other(curve.times / time_scale) * scale, curve(curve.times), atol=1e-9)


def test_an_input_goes_with_its_runs():
    runs = driven()
    part = runs.select(runs=["w", "u"], features="lynx").window(0, 30).every(2)
    assert [curve.values.tolist() for curve in part.inputs["wd"]] == [[0, 3], [1, 2, 3]]
    assert runs[1].inputs["wd"][0] == runs.inputs["wd"][1]
    joined = Trajectories.concat([runs.select(runs="u"), runs.select(runs=["v", "w"])])
    assert joined.inputs == runs.inputs


def test_what_not_all_parts_have_is_left_out_aloud():
    with pytest.warns(DataWarning, match="not all parts have the input lr, the input wd, left out"):
        together = Trajectories.concat([driven(), plain()], keys=["a", "b"])
    assert not together.inputs


@pytest.mark.parametrize("suffix", ["nc", "csv"])
def test_a_file_gives_them_back(tmp_path, suffix):
    runs = driven()
    runs.save(tmp_path / f"runs.{suffix}")
    assert load(tmp_path / f"runs.{suffix}") == runs


def test_tables_datasets_and_pickles_give_them_back():
    runs = driven()
    assert Trajectories.from_dataframe(runs.to_dataframe()) == runs
    assert Trajectories.from_dataset(runs.to_dataset()) == runs
    assert pickle.loads(pickle.dumps(runs)) == runs  # noqa: S301
    assert runs != plain()
    assert runs.without_inputs() == plain()
    assert list(runs.without_inputs("lr").inputs) == ["wd"]
    with pytest.raises(UnusableDataError, match="no input heat, the inputs are lr, wd"):
        runs.without_inputs("heat")


def test_ways_to_give_one_curve_are_one():
    runs = plain(2)
    on_steps = np.array([1.0, 1, 2, 2, 3, 3])
    wanted = runs.with_inputs(lr=(runs.steps, on_steps), kind="steps")
    for same in (on_steps, [on_steps, on_steps], np.stack([on_steps, on_steps]), dict.fromkeys("uv", on_steps)):
        assert runs.with_inputs(lr=same, kind="steps") == wanted
    assert runs.with_inputs(lr=wanted.inputs["lr"][0]) == wanted
    assert Trajectories(runs.values, runs.steps, ["hare", "lynx"], ["u", "v"], inputs=wanted.inputs) == wanted


@pytest.mark.parametrize("column", ["lr", "value", "eta"])
def test_a_schedule_file(tmp_path, column):
    path = tmp_path / "schedule.csv"
    path.write_text(f"step,{column}\n0,0.1\n25.5,0.01\n")
    assert plain().with_inputs(lr=path, kind="steps").inputs["lr"] == driven().inputs["lr"]


def test_a_schedule_file_of_several_runs(tmp_path):
    path = tmp_path / "schedule.csv"
    path.write_text("run,t,value\nv,0,1\nu,0,2\nv,10,3\nw,-1,5\nother,0,1\n")
    with pytest.warns(DataWarning, match="of other is left out"):
        runs = plain().with_inputs(heat=path, kind="steps")
    assert [curve.values.tolist() for curve in runs.inputs["heat"]] == [[2], [1, 3], [5]]
    path.write_text("run,t,value\nv,0,1\n")
    with pytest.raises(UnusableDataError, match="got none for u, w"):
        plain().with_inputs(heat=path, kind="steps")


def test_what_never_varies_is_said():
    with pytest.warns(DataWarning, match="the input lr is 0.1 throughout all runs"):
        assert plain().with_inputs(lr=0.1).varying_inputs() == ()
    assert plain().with_inputs(lr={"u": 1.0, "v": 2.0, "w": 2.0}).varying_inputs() == ("lr",)
    assert driven().window(0, 20).varying_inputs() == ("wd",)
    assert any("lr is 0.1" in sentence for sentence in driven().window(0, 20).warnings)


def test_they_are_shown():
    assert "inputs lr (steps), wd (linear)" in repr(driven())
    assert "lr (steps)" in driven()._repr_html_()
    assert repr(driven().inputs["lr"][0]) == "Input('lr', 2 knots at 0 to 25.5, values 0.01 to 0.1, 'steps')"
    assert "Input" in ecodyn.__all__


@pytest.mark.parametrize(
    ("sentence", "given"),
    [
        (
            "from the start of run u on, t = 0, got its first value at 10; add",
            {"lr": ([10, 20], [1, 2]), "kind": "steps"},
        ),
        ("up to the end of run u, t = 50, got its last value at 20", {"lr": ([0, 20], [1, 2]), "kind": "linear"}),
        ("how the input lr goes between its 2 values, got no kind", {"lr": ([0, 1], [1, 2])}),
        ("'steps', which holds each value until the next, or 'linear'", {"lr": 1.0, "kind": "cubic"}),
        ("'x' can't name an input", {"x": ([0, 1], [1, 2]), "kind": "steps"}),
        ("for each of the 3 runs, got 1 and not the same", {"lr": {"u": 1.0}}),
        ("for each of the 3 runs, got 4 and not the same", {"lr": dict.fromkeys("uvwx", 1.0)}),
        ("times of the input lr that increase, got 0 and then 0 at index 1", {"lr": ([0, 0], [1, 2]), "kind": "steps"}),
        ("the value of the input lr at index 1 is nan", {"lr": ([0, 1], [1, np.nan]), "kind": "steps"}),
        ("got times of shape (2,) and values of shape (1,)", {"lr": ([0, 1], [1]), "kind": "steps"}),
        ("at each of the 6 steps, got 2 values", {"lr": [1, 2], "kind": "steps"}),
        ("for each of 3 runs, got 2 of them", {"lr": [np.arange(6.0)] * 2, "kind": "steps"}),
        ("at each of the 6 steps of run v, got 5 values", {"lr": [np.arange(n) for n in (6, 5, 4)], "kind": "steps"}),
        ("a pair (times, values), got 3 parts", {"lr": (1, 2, 3), "kind": "steps"}),
        ("one Input, or one for each of the 3 runs, got 1", {"lr": [Input("lr", [0], [1], "steps")]}),
        (
            "of one kind in all runs",
            {"lr": [Input("lr", [0, 60], [1, 2], kind) for kind in ("steps", "steps", "linear")]},
        ),
        ("at least one input by name", {}),
    ],
)
def test_bad_inputs_get_a_sentence(sentence, given):
    with pytest.raises(ValueError, match=re.escape(sentence)):
        plain().with_inputs(**given)


def test_a_name_is_a_word_and_no_observable():
    with pytest.raises(ValueError, match="a word of letters, digits and underscores, such as lr, got 'train/lr'"):
        plain().with_inputs(**{"train/lr": 1.0})
    runs = Trajectories(np.ones((1, 3, 1)) * [[1], [2], [3]], range(3), observables={"gradient": np.ones((1, 3, 1))})
    with pytest.raises(UnusableDataError, match="'gradient' names an observable of the data and an input"):
        runs.with_inputs(gradient=([0, 1], [1, 2]), kind="steps")


def test_a_table_without_times_or_with_two_columns_is_refused(tmp_path):
    path = tmp_path / "schedule.csv"
    path.write_text("when,lr\n0,1\n")
    with pytest.raises(UnusableDataError, match=r"a column step or time in .* for the input lr, got when, lr"):
        plain().with_inputs(lr=path, kind="steps")
    path.write_text("step,a,b\n0,1,2\n")
    with pytest.raises(UnusableDataError, match="called lr or value, got a, b beside step"):
        plain().with_inputs(lr=path, kind="steps")
