"""Values of the signal, observables and curves: finite numbers of the expected shape, or a sentence why not."""

import numpy as np
import pytest

from ecodyn.errors import DataWarning, UnusableDataError
from ecodyn.trajectories import Trajectories


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
