"""Requests that a log can't fulfil, since its arrays are no series of frames."""

import numpy as np
import pytest

from ecodyn.errors import UnusableDataError
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
