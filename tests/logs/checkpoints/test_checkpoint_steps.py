"""One source and one unit of steps for all checkpoints of a run; what is ambiguous is refused with both readings."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecodyn.errors import UnusableDataError
from ecodyn.logs import LogOptions
from ecodyn.logs.checkpoints.steps import steps_of

RUN = Path("run")
N = range(1, 5)


def tell(names, stored=None, pattern=None):
    held = stored or [{} for _ in names]
    stems = [name.removesuffix(".pt") for name in names]
    return steps_of(RUN, names, stems, lambda rows: [held[row] for row in rows], pattern)


def named(template, **columns):
    return [template.format(*row) for row in zip(*columns.values(), strict=True)]


def refusal(names, stored=None, pattern=None):
    with pytest.raises(UnusableDataError, match=r"^run") as refused:
        tell(names, stored, pattern)
    return str(refused.value)


METRICS = ("val_loss={:.3f}", "acc_{:.2f}", "val-wer-{:.1f}", "{:.4f}", "f1={:.2e}")
WORDS = (
    "step_{}",
    "global_step{}",
    "iter-{}",
    "step={:08d}",
    "{}steps",
    "epoch={}",
    "ep{}",
    "ckpt_{}",
    "checkpoint-{}",
    "{}",
)
FIXED = ("", "model", "resnet", "p7", "lr=1e-4", "seed_3", "2024-01-31", "v2", "my.text")


@given(
    steps=st.lists(st.integers(0, 10**6), min_size=1, max_size=5, unique=True),
    word=st.sampled_from(WORDS),
    fixed=st.lists(st.sampled_from(FIXED), max_size=3),
    metrics=st.lists(st.sampled_from(METRICS), max_size=2),
    place=st.integers(0, 5),
    join=st.sampled_from(["_", "-", "__"]),
    data=st.data(),
)
def test_whatever_else_is_in_the_names(steps, word, fixed, metrics, place, join, data):
    names = []
    for step in steps:
        score = data.draw(st.floats(0, 99, allow_nan=False))
        parts = [*fixed, *(metric.format(score) for metric in metrics)]
        parts.insert(place, word.format(step))
        names.append(join.join(part for part in parts if part) + ".pt")
    told = tell(names)
    assert told.values.tolist() == steps
    assert told.kept == tuple(range(len(steps)))
    assert ("times are epochs" in "".join(told.remarks)) == word.startswith("ep")


several = st.lists(st.integers(0, 10**6), min_size=2, max_size=6, unique=True)


@given(steps=several, constant=st.integers(0, 99), first=st.booleans())
def test_a_number_that_is_the_same_in_all_names_is_no_time(steps, constant, first):
    names = [f"model_{constant}_{s}.pt" if first else f"model_{s}_{constant}.pt" for s in steps]
    told = tell(names)
    assert told.values.tolist() == steps
    assert f"the {'second' if first else 'first'} was taken as the step" in told.remarks[0]


@given(pairs=st.lists(st.tuples(st.integers(0, 999), st.integers(0, 999)), min_size=2, max_size=6))
def test_of_two_numbers_without_a_word_one_alone_must_differ_in_all(pairs):
    names = [f"model_{a}_{b}.pt" for a, b in pairs]
    differ = [len({pair[i] for pair in pairs}) == len(pairs) for i in (0, 1)]
    if sum(differ) == 1:
        assert tell(names).values.tolist() == [pair[differ.index(True)] for pair in pairs]
        return
    said = refusal(names)
    if all(differ):  # each reading is shown with the pattern that asks for it, and that works
        for pattern, place in (("model_{step}_*.pt", 0), ("model_*_{step}.pt", 1)):
            assert f"--step-pattern '{pattern}'" in said
            assert tell(names, pattern=pattern).values.tolist() == [pair[place] for pair in pairs]


@given(steps=several)
def test_the_words_of_names_win_over_what_is_stored_and_it_is_said(steps):
    stored = [{"global_step": s + 1} for s in steps]
    told = tell([f"step_{s}.pt" for s in steps], stored)
    assert told.values.tolist() == steps
    (remark,) = told.remarks
    assert f"{len(steps)} of {len(steps)} names and the stored global_step disagree" in remark
    assert tell([f"step_{s}.pt" for s in steps], stored, "stored").values.tolist() == [s + 1 for s in steps]


@given(steps=several)
def test_nothing_is_said_where_both_agree(steps):
    assert tell([f"step_{s}.pt" for s in steps], [{"step": s} for s in steps]).remarks == ()


@pytest.mark.parametrize("key", ["global_step", "global_steps", "step", "iteration", "epoch"])
def test_stored_steps_where_names_have_none(key):
    told = tell(["a.pt", "b.pt"], [{key: 7}, {key: 3}])
    assert told.values.tolist() == [7, 3]
    assert bool(told.remarks) == (key == "epoch")  # which is another unit


def test_what_counts_the_files_gives_way_to_what_is_stored():
    stored = [{"step": 50 * i} for i in N]
    assert tell([f"{i}.pt" for i in N], stored).values.tolist() == [50, 100, 150, 200]
    told = tell([f"ckpt_{i}.pt" for i in N], stored)
    assert told.values.tolist() == [50, 100, 150, 200]
    assert "count the checkpoints" in told.remarks[0]


def test_but_not_where_it_can_be_the_step():
    told = tell([f"{i}.pt" for i in N], [{"step": i, "epoch": 10 * i} for i in N])
    assert (told.values.tolist(), told.remarks) == ([1, 2, 3, 4], ())
    told = tell([f"{100 * i}.pt" for i in N], [{"epoch": i} for i in N])
    assert (told.values.tolist(), told.remarks) == ([100, 200, 300, 400], ())
    told = tell([f"{100 * i}.pt" for i in N], [{"step": i} for i in N])
    assert told.values.tolist() == [100, 200, 300, 400]
    assert "disagree" in told.remarks[0]


@pytest.mark.parametrize("shift", [0, 1])
def test_numbers_that_are_epochs_are_said_to_be(shift):
    told = tell([f"ckpt_{i + shift}.pt" for i in N], [{"epoch": i} for i in N])
    assert told.values.tolist() == [i + shift for i in N]
    assert "times are epochs" in told.remarks[0]
    assert ("disagree" in told.remarks[0]) == bool(shift)


def test_epochs_after_a_number_that_can_be_no_step():
    told = tell([f"checkpoint_{i}_epoch_{10 * i}.pt" for i in N])
    assert told.values.tolist() == [10, 20, 30, 40]
    assert "less and so no step" in told.remarks[0]


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["step_100.pt", "epoch_2.pt"], ["names state steps", "epochs", "'step_{step}.pt'", "'epoch_{step}.pt'"]),
        (["epoch_1.pt", "model_2.pt"], ["names state epochs", "'epoch_{step}.pt'", "'model_{step}.pt'"]),
        (["ckpt_1.pt", "ckpt_1_500.pt"], ["several kinds", "ckpt_1.pt", "ckpt_1_500.pt"]),
        (["step_5.pt", "step_005.pt"], ["step_5.pt and step_005.pt are both 5"]),
        (["epoch_500_step.pt", "epoch_600_step.pt"], ["may count epochs or steps", "'epoch_{step}_step.pt'"]),
        (["1_epoch_2.pt", "2_epoch_4.pt"], ["'{step}_epoch_*.pt'", "'*_epoch_{step}.pt'"]),
        (["epoch_1_iter_900.pt", "epoch_2_iter_300.pt"], ["steps go back", "'epoch_{step}_iter_*.pt'"]),
        (["checkpoint_1_100.pt", "checkpoint_2_200.pt"], ["'checkpoint_{step}_*.pt'", "'checkpoint_*_{step}.pt'"]),
        (["model_20240111_121000.pt", "model_20240112_130000.pt"], ["states no step", "--step-pattern"]),
        (
            ["gen_1.pt", "disc_2.pt", "gen_3.pt", "disc_4.pt"],
            ["'gen_{step}.pt'", "'disc_{step}.pt'", "'*{step}.pt'"],
        ),
        (["a.pt", "b.pt"], ["states no step"]),
        (["step_1_mon.pt", "step_2_tue.pt", "step_3_mon.pt", "step_4_tue.pt"], ["'step_{step}_mon.pt'", "'*{step}*'"]),
        (["data.pt", "model_20240111.pt", "model_20240112.pt"], ["states no step"]),
        (["seed_1.pt", "seed_2.pt"], ["states no step", "--step-pattern"]),
    ],
)
def test_refusals_show_the_readings_and_how_to_ask_for_one(names, said):
    text = refusal(names)
    assert [part for part in said if part not in text] == []
    for pattern in re.findall(r"--step-pattern '([^']+)'", text):
        tell(names, pattern=pattern)


@pytest.mark.parametrize(
    ("stored", "said"),
    [
        ([{"step": 1}, {"epoch": 3}], "step in 1 and epoch in 1"),
        ([{"step": 1}, {}], "step in 1"),
        ([{"step": 1}, {"step": 1}], "a.pt and b.pt are both 1"),
    ],
)
def test_stored_steps_of_several_sources_or_one_step_twice(stored, said):
    assert said in refusal(["a.pt", "b.pt"], stored)


def test_a_stored_number_that_is_the_same_in_all_is_no_time():
    told = tell(["a.pt", "b.pt"], [{"step": 9, "epoch": 1}, {"step": 9, "epoch": 2}])
    assert told.values.tolist() == [1, 2]
    assert "step is the same" in told.remarks[0]


def test_a_name_that_differs_in_more_than_numbers_is_said():
    told = tell(["step_1.pt", "step_2.pt", "resumed_step_3.pt"])
    assert told.values.tolist() == [1, 2, 3]
    assert "resumed_step_3.pt" in told.remarks[0]
    assert tell(["step=1-loss=1e-05.pt", "step=2-loss=-0.5.pt", "step=3-loss=nan.pt", "step=4-loss=2.pt"]).remarks == ()


def test_names_without_a_number_are_set_aside():
    told = tell(["step_1.pt", "init.pt", "step_2.pt"], [{}, {}, {}])
    assert told.kept == (0, 2)
    assert "init.pt" in told.remarks[0]


def test_a_pattern_takes_what_it_names_and_says_what_it_left():
    told = tell(["model_3_10k.pt", "model_3_500.pt", "best.pt"], pattern="model_*_{step}.pt")
    assert (told.kept, told.values.tolist()) == ((0, 1), [10_000, 500])
    assert "best.pt" in told.remarks[0]
    assert "none of its checkpoints" in refusal(["a_1.pt", "a_2.pt"], pattern="b_{step}.pt")
    assert "both 3" in refusal(["a_3_1.pt", "a_3_2.pt"], pattern="a_{step}_*.pt")


@pytest.mark.parametrize("pattern", ["model_*.pt", "{step}_{step}.pt", ""])
def test_a_pattern_without_one_step_is_a_wrong_argument(pattern):
    with pytest.raises(ValueError, match=r"expected a name with \{step\}"):
        LogOptions(step_pattern=pattern)
