"""Laws of the confidence set, and its promise: it holds ten equal models nine times out of ten."""

import itertools
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecodyn.statistics.confidence_set import EXACT_RUNS, confidence_set

open_inputs = settings(max_examples=15, deadline=None, derandomize=True, database=None)


def drawn(seed, runs, models, worse=None):
    """Losses (run, model) with an effect of the run; ``worse`` adds to single models."""
    rng = np.random.default_rng(seed)
    losses = rng.normal(size=(runs, models)) + 2.0 * rng.normal(size=(runs, 1))
    return losses + (0.0 if worse is None else np.asarray(worse))


# ----------------------------------------------------------------------------------------------- what it promises


@pytest.mark.parametrize(("runs", "repetitions"), [(8, 600), pytest.param(16, 420, marks=pytest.mark.slow)])
def test_ten_equal_models_all_stay_nine_times_out_of_ten(runs, repetitions):
    rng = np.random.default_rng(runs)
    kept = 0
    for _ in range(repetitions):
        losses = rng.normal(size=(runs, 10)) + 2.0 * rng.normal(size=(runs, 1))
        kept += confidence_set(losses).members.all()
    # The standard error of 90 % is 1.2 % of 600 repetitions and 1.5 % of 420.
    assert 0.86 <= kept / repetitions <= 0.94


@pytest.mark.parametrize("runs", [8, 16, 40])
def test_a_clearly_worse_model_leaves(runs):
    found = confidence_set(drawn(1, runs, 4, worse=[0, 0, 6, 0]))
    assert not found.members[2]
    assert found.p_values[2] <= 0.02
    assert found.members[[0, 1, 3]].sum() >= 1


@pytest.mark.parametrize("seed", range(3))
def test_agrees_with_the_bootstrap_where_runs_are_many(seed):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a foreign import's own deprecations
        from arch.bootstrap import MCS

    losses = drawn(seed, 300, 5, worse=[0, 1.0, 0, 2.0, 0.5])
    bootstrap = MCS(losses, size=0.1, reps=500, block_size=1, method="R", seed=seed)
    bootstrap.compute()
    assert confidence_set(losses).members.nonzero()[0].tolist() == sorted(bootstrap.included)


# ----------------------------------------------------------------------------------------------------------- laws


@given(
    seed=st.integers(0, 2**32 - 1), runs=st.sampled_from([2, 5, 8, 11, EXACT_RUNS + 1, 24]), models=st.integers(2, 5)
)
@open_inputs
def test_order_of_runs_and_models_changes_no_number(seed, runs, models):
    rng = np.random.default_rng(seed)
    losses = drawn(seed, runs, models, worse=rng.uniform(0, 1.5, models))
    found = confidence_set(losses)
    rows, columns = rng.permutation(runs), rng.permutation(models)
    shuffled = confidence_set(losses[rows][:, columns])
    assert shuffled.p_values.tolist() == found.p_values[columns].tolist()
    assert shuffled.members.tolist() == found.members[columns].tolist()


@pytest.mark.parametrize("runs", [6, 24])
def test_order_does_not_matter_where_runs_hold_the_same_losses_by_other_models(runs):
    rng = np.random.default_rng(4)
    losses = np.array([rng.permutation([0.1, 0.2, 0.7]) for _ in range(runs)])
    found = confidence_set(losses)
    for seed in range(8):
        rng = np.random.default_rng(seed)
        rows, columns = rng.permutation(runs), rng.permutation(3)
        assert confidence_set(losses[rows][:, columns]).p_values.tolist() == found.p_values[columns].tolist()


@given(seed=st.integers(0, 2**32 - 1), runs=st.sampled_from([4, 9, 20]))
@open_inputs
def test_a_model_entered_twice_ties_with_itself(seed, runs):
    losses = drawn(seed, runs, 3, worse=[0, 0.5, 1.0])
    twice = confidence_set(np.column_stack([losses, losses[:, 1]]))
    assert twice.p_values[1] == twice.p_values[3]
    assert twice.members[1] == twice.members[3]


@pytest.mark.parametrize("runs", [2, 8, 20])
def test_identical_models_are_never_separated(runs):
    column = drawn(2, runs, 1)
    found = confidence_set(np.repeat(column, 4, axis=1))
    assert found.members.all()
    assert found.p_values.tolist() == [1.0] * 4


@pytest.mark.parametrize("runs", [8, 20])
def test_identical_models_leave_together(runs):
    good, bad = drawn(3, runs, 1), drawn(3, runs, 1) + 5 + np.arange(runs)[:, None] / runs
    found = confidence_set(np.column_stack([bad, good, bad]))
    assert found.members.tolist() == [False, True, False]
    assert found.p_values[0] == found.p_values[2]


@given(seed=st.integers(0, 2**32 - 1), runs=st.sampled_from([5, 10, 20]))
@open_inputs
def test_the_set_grows_with_its_level(seed, runs):
    losses = drawn(seed, runs, 5, worse=np.linspace(0, 2, 5))
    sets = [confidence_set(losses, level=level).members for level in (0.5, 0.9, 0.95, 0.99)]
    for small, large in itertools.pairwise(sets):
        assert (large | ~small).all()
    assert sets[0].any()


@given(
    seed=st.integers(0, 2**32 - 1), scale=st.floats(1e-3, 1e3), shift=st.floats(-10, 10), runs=st.sampled_from([6, 20])
)
@open_inputs
def test_scale_and_run_effects_do_not_matter(seed, scale, shift, runs):
    losses = drawn(seed, runs, 4, worse=[0, 0.3, 0.8, 1.5])
    effect = shift * np.random.default_rng(seed).normal(size=(runs, 1))
    moved = confidence_set(scale * (losses + effect))
    # Beyond 16 runs the flips are a sample, which an effect of the run may draw differently: 20 000 of them.
    tolerance = 0.015 if runs > EXACT_RUNS else 1e-12
    assert moved.p_values == pytest.approx(confidence_set(losses).p_values, abs=tolerance)


def test_inflation_keeps_more():
    losses = drawn(5, 12, 3, worse=[0, 1.2, 1.2])
    plain = confidence_set(losses)
    wide = confidence_set(losses, inflation=np.full((3, 3), 3.0))
    assert plain.members.sum() == 1
    assert (wide.p_values >= plain.p_values).all()
    assert wide.members.all()


@pytest.mark.parametrize("shape", [(1, 4), (7, 1), (1, 1)])
def test_one_run_or_one_model_keeps_all(shape):
    found = confidence_set(np.arange(float(np.prod(shape))).reshape(shape))
    assert found.members.all()
    assert found.p_values.tolist() == [1.0] * shape[1]


def test_a_constant_difference_is_a_difference():
    column = drawn(6, 8, 1)
    found = confidence_set(np.column_stack([column, column + 0.5]))
    assert found.members.tolist() == [True, False]
    assert found.p_values[1] == pytest.approx(2 / 2**8)
