"""Requests that a log can't fulfil, since its arrays are no series of frames."""

import numpy as np
import pytest

from ecodyn.errors import DataWarning, UnusableDataError
from ecodyn.extraction import Request, extract
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
