"""Requests that a log can't fulfil, since its arrays are no series of frames."""

import numpy as np
import pytest

from ecodyn.errors import DataWarning, UnusableDataError
from ecodyn.extraction import Request, UnclearTokensError, extract
from ecodyn.logs import LogOptions

VALUES = np.random.default_rng(4).standard_normal((7, 8))
EVERY_TEN = LogOptions(interval=10)


@pytest.mark.parametrize(
    ("asked", "flag"),
    [({"p": 7}, "--p 7"), ({"token_axis": 0}, "--token-axis 0"), ({"tokens": (0, 7)}, "--tokens 0:7")],
)
def test_one_matrix_is_no_series_of_frames(tmp_path, asked, flag):
    np.save(tmp_path / "model.npy", VALUES)
    with pytest.raises(UnusableDataError, match=rf"one frame \(7, 8\), not a series.*{flag}"):
        extract(tmp_path / "model.npy", Request(**asked), options=EVERY_TEN)
    assert extract(tmp_path / "model.npy", options=EVERY_TEN).values.shape == (1, 7, 8)  # as values of features


def test_a_checkpoint_with_an_interval_is_one_frame(tmp_path):
    torch = pytest.importorskip("torch")
    torch.save({"embedding.weight": torch.tensor(VALUES)}, tmp_path / "model.pt")
    with pytest.raises(UnusableDataError, match=r"embedding.weight is one frame \(7, 8\), not a series"):
        extract(tmp_path / "model.pt", Request(p=7), options=EVERY_TEN)


def test_p_of_values_may_be_said_again(tmp_path):
    np.savez(tmp_path / "values.npz", signal=VALUES, p=np.array(17))
    options = LogOptions(interval=10, key="signal")
    same = extract(tmp_path / "values.npz", Request(p=17), options=options)
    np.testing.assert_array_equal(same.values[0], VALUES)
    with pytest.raises(UnusableDataError, match="p = 17 tokens, got --p 7"):
        extract(tmp_path / "values.npz", Request(p=7), options=options)


@pytest.mark.parametrize("name", ["gpt_neox.embed_in.weight", "transformer.wte.weight", "tok_embeddings.weight"])
def test_embeddings_are_told_by_their_names(tmp_path, name):
    torch = pytest.importorskip("torch")
    frames = np.random.default_rng(5).standard_normal((2, 7, 8))
    for step, frame in enumerate(frames):
        torch.save({name: torch.tensor(frame)}, tmp_path / f"step_{step}.pt")
    with pytest.warns(DataWarning, match=rf"{name} is \(tokens, dimensions\) as torch.nn.Embedding has it"):
        found = extract(tmp_path, Request(p=7))
    assert found.values.shape == (1, 2, 3)


STACK = np.random.default_rng(6).standard_normal((3, 7, 8))


def test_fields_may_be_given_beside_the_paths(tmp_path):
    np.savez(tmp_path / "run.npz", a=STACK, b=STACK + 1)
    given = extract(tmp_path / "run.npz", p=7, token_axis=0, key="b", interval=10)
    options = LogOptions(key="b", interval=10)
    assert given == extract(tmp_path / "run.npz", Request(p=7, token_axis=0), options=options)
    part = extract(tmp_path / "run.npz", tokens=(0, 5), token_axis=0, options=options)
    assert part.values.shape == (1, 3, 2)


def test_fields_are_given_once(tmp_path):
    np.save(tmp_path / "run.npy", STACK)
    with pytest.raises(ValueError, match="p stated twice, in Request"):
        extract(tmp_path / "run.npy", Request(p=7), p=7)
    with pytest.raises(ValueError, match="interval stated twice, in LogOptions"):
        extract(tmp_path / "run.npy", options=EVERY_TEN, interval=10)
    with pytest.raises(TypeError, match="no argument q, expected one of p, tokens"):
        extract(tmp_path / "run.npy", q=7)
    with pytest.raises(ValueError, match="at least 2 tokens, got 1"):
        extract(tmp_path / "run.npy", p=1)


def test_refusals_say_where_python_has_what_is_asked_for(tmp_path):
    np.savez(tmp_path / "run.npz", a=STACK, b=STACK)
    with pytest.raises(UnusableDataError, match=r"ecodyn.logs.LogOptions\(key="):
        extract(tmp_path / "run.npz")
    with pytest.raises(UnusableDataError, match=r"ecodyn.logs.LogOptions\(interval="):
        extract(tmp_path / "run.npz", key="a")
    with pytest.raises(UnclearTokensError, match=r"ecodyn.extraction.Request\(p="):
        extract(tmp_path / "run.npz", key="a", interval=10)


def test_refusals_of_a_recorder_name_its_own_arguments(tmp_path):
    torch = pytest.importorskip("torch")
    from ecodyn import Recorder

    recorder = Recorder("weight", out=tmp_path / "run.nc")
    with pytest.raises(UnusableDataError, match=r"as arguments of ecodyn.Recorder") as refusal:
        recorder.step(torch.nn.Linear(7, 8), 0)
    assert "Request" not in str(refusal.value)
    assert "--" not in str(refusal.value)
