"""Parameters at chosen steps: what is read from checkpoints is what was trained."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from ecodyn.errors import UnusableDataError
from ecodyn.networks.modular_addition import MLP, read_snapshots, take_snapshots, write_snapshots
from ecodyn.networks.training import train

SMALL = MLP(p=7, dim=4, width=5)


def test_checkpoints_and_snapshots_are_the_same(tmp_path):
    train(SMALL, [2, 5], 10, batch=2, checkpoints=tmp_path, checkpoint_every=4, dtype="float32")
    read = read_snapshots(SMALL, tmp_path, [2, 5])
    taken = take_snapshots(SMALL, [2, 5], [10, 0, 8, 4])
    np.testing.assert_array_equal(read.steps, [0, 4, 8, 10])
    np.testing.assert_array_equal(taken.steps, read.steps)
    assert read.seeds == taken.seeds
    for one, other in zip(read.parameters, taken.parameters, strict=True):
        assert one.keys() == other.keys()
        for name, tensor in one.items():
            torch.testing.assert_close(tensor, other[name], rtol=1e-6, atol=1e-7)


def test_what_is_written_is_read(tmp_path):
    taken = take_snapshots(SMALL, [2, 5], [0, 4, 10])
    write_snapshots(taken, tmp_path / "kept")
    read = read_snapshots(SMALL, tmp_path / "kept", [2, 5])
    np.testing.assert_array_equal(read.steps, taken.steps)
    for one, other in zip(read.parameters, taken.parameters, strict=True):
        for name, tensor in one.items():
            torch.testing.assert_close(tensor, other[name], rtol=0, atol=0)


def test_the_start_is_the_draw():
    kept = take_snapshots(SMALL, [3], [0], dtype="float64")
    for name, tensor in SMALL.draw_one(3).items():
        torch.testing.assert_close(kept.parameters[0][name][0], tensor, rtol=0, atol=0)


def test_what_can_not_be_read_or_trained_is_said(tmp_path):
    train(SMALL, [2], 4, checkpoints=tmp_path, checkpoint_every=4)
    with pytest.raises(UnusableDataError, match=r"run_9 has no step_STEP\.safetensors"):
        read_snapshots(SMALL, tmp_path, [9])
    with pytest.raises(UnusableDataError, match="give the settings that the checkpoints were trained with"):
        read_snapshots(replace(SMALL, dim=6), tmp_path, [2])
    with pytest.raises(ValueError, match="at least one step and one seed, got 0 steps"):
        take_snapshots(SMALL, [0], [])
    with pytest.raises(UnusableDataError, match="no longer finite at step"):
        take_snapshots(replace(SMALL, learning_rate=1e30), [0], [0, 30])
