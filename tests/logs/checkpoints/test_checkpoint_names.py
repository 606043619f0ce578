"""Names of checkpoints: whatever stands around the step, it is the step; metrics, settings and dates never are."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ecodyn.logs.checkpoints.names import CHECKPOINT, EPOCH, PLAIN, STEP, numbers_of, put_aside

STEP_WORDS = ["step", "steps", "global_step", "globalStep", "iter", "iteration", "Iterations", "it", "update", "STEP"]
EPOCH_WORDS = ["epoch", "Epoch", "epochs", "ep"]
CHECKPOINT_WORDS = ["checkpoint", "ckpt", "Checkpoint", "model-checkpoint", "snapshot"]
OTHER_WORDS = ["model", "net", "transformer", "run_a", "my-model", "w", "gpt", "G"]
METRICS = ["val_loss", "acc", "val-wer", "loss", "val_acc", "f1", "bleu", "top1", "psnr", "mse"]
SETTINGS = ["seed", "lr", "p", "dim", "rank", "version", "v", "fold", "bs", "layers"]
separators = st.sampled_from(["_", "-", "=", "", ".", "_=", " = "])
between = st.sampled_from(["_", "-", "--", " "])
counts = st.integers(0, 10**7)
decimals = st.decimals("0.001", "99", places=3).map(str)


@st.composite
def written(draw, number, words):
    """A number tied to a word, perhaps padded with zeros."""
    separator = draw(separators)
    return f"{draw(st.sampled_from(words))}{separator}{number:0{draw(st.integers(0, 9))}d}"


@st.composite
def surroundings(draw):
    """Parts of a name that hold no time."""
    metric = st.tuples(st.sampled_from(METRICS), st.sampled_from("=_-"), decimals).map("".join)
    setting = st.tuples(st.sampled_from(SETTINGS), st.sampled_from("=_-"), counts.map(str)).map("".join)
    word = st.sampled_from(OTHER_WORDS)
    others = [
        metric,
        setting,
        word,
        st.sampled_from(["1e-4", "lr3e-5", "2024-01-31", "7b", "a3f4", "2024-01-31_10-20-30"]),
    ]
    return draw(st.lists(st.one_of(others), max_size=3)), draw(st.lists(st.one_of(others), max_size=3))


@given(step=counts, around=surroundings(), join=between, data=st.data())
@pytest.mark.parametrize(("kind", "words"), [(STEP, STEP_WORDS), (EPOCH, EPOCH_WORDS), (CHECKPOINT, CHECKPOINT_WORDS)])
def test_the_number_after_a_word_for_it_is_found_wherever_it_stands(kind, words, step, around, join, data):
    before, after = around
    name = join.join([*before, data.draw(written(step, words)), *after])
    assert [(n.value, n.kind, n.rival) for n in numbers_of(name)] == [(step, kind, "")]


@given(step=counts, epoch=counts, data=st.data(), join=between)
def test_a_step_and_an_epoch_are_told_apart(step, epoch, data, join):
    parts = [data.draw(written(step, STEP_WORDS)), data.draw(written(epoch, EPOCH_WORDS))]
    name = join.join(data.draw(st.permutations(parts)))
    assert {(n.value, n.kind) for n in numbers_of(name)} == {(step, STEP), (epoch, EPOCH)}


@given(step=counts, data=st.data())
def test_a_word_may_follow_its_number(step, data):
    word, separator = data.draw(st.sampled_from(["steps", "iter", "updates", "step"])), data.draw(st.sampled_from("_-"))
    prefix = data.draw(st.sampled_from(["", "model_", "net-", "ckpt_", "rl_model_"]))
    for glue in (separator, ""):
        assert [(n.value, n.kind) for n in numbers_of(f"{prefix}{step}{glue}{word}")] == [(step, STEP)]


@given(around=surroundings(), join=between)
def test_what_is_no_time_is_never_taken_for_one(around, join):
    before, after = around
    assert numbers_of(join.join([*before, "model", *after])) == ()


@given(st.text(max_size=60))
@example("model_٣_¹")
def test_any_name_at_all(name):
    for number in numbers_of(name):
        assert number.value >= 0
        assert name[number.at :].startswith(number.text)
    put_aside(name)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[("10k", 10_000), ("step_10K", 10_000), ("ckpt-1M", 10**6), ("step_1.5k", 1500), ("90k_iter", 90_000)],
        *[("step_2m", 2 * 10**6), ("model-10k-loss=0.5", 10_000)],
    ],
)
def test_thousands_and_millions(name, value):
    assert [n.value for n in numbers_of(name)] == [value]


@pytest.mark.parametrize(
    "name", ["model-70m", "llama-7b", "a3f4b2", "top1_76", "acc_87", "seed3", "v1.2.3", "0.5", "epoch.3.500"]
)
def test_sizes_hashes_metrics_and_versions_are_no_times(name):
    assert numbers_of(name) == ()


def test_fractions_of_epochs_but_not_of_steps():
    assert [n.value for n in numbers_of("epoch_1.50")] == [1.5]
    assert numbers_of("step_0.87") == ()


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("model_3_500", [(3, PLAIN, ""), (500, PLAIN, "")]),
        ("3_epoch_500", [(3, EPOCH, ""), (500, EPOCH, "")]),  # either may be the epoch
        ("epoch_500_step", [(500, EPOCH, STEP)]),
        ("checkpoint-500-epoch-3-val-wer-11.700", [(500, CHECKPOINT, ""), (3, EPOCH, "")]),
    ],
)
def test_doubt_is_kept(name, found):
    assert [(n.value, n.kind, n.rival) for n in numbers_of(name)] == found


@pytest.mark.parametrize(
    ("name", "word"),
    [
        *[("best_model_9_val_acc=0.7694", "best"), ("last", "last"), ("model-ema", "ema"), ("optimizer", "optimizer")],
        *[("modelBest", "best"), ("rng_state_0", "rng"), ("training_args", "args"), ("step_100", ""), ("lasting", "")],
        *[("zero_pp_rank_0_mp_rank_00_optim_states", "optim"), ("forecast_5", "")],
    ],
)
def test_words_for_what_is_no_step(name, word):
    assert put_aside(name) == word
