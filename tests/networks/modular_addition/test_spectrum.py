import numpy as np
import pytest
import torch

from ecodyn.networks.modular_addition import spectrum


@pytest.mark.parametrize(("p", "d"), [(3, 1), (23, 8), (59, 128)])
def test_equals_numpys_fft(p, d):
    frames = np.random.default_rng(p).normal(size=(4, p, d))
    expected = np.linalg.norm(np.fft.fft(frames, axis=1), axis=2)[:, : (p + 1) // 2]
    np.testing.assert_allclose(spectrum(torch.from_numpy(frames)), expected, rtol=1e-13)


def test_equals_the_sum_over_tokens():
    p, frame = 7, np.random.default_rng(0).normal(size=(7, 2))
    angles = -2j * np.pi * np.outer(np.arange(4), np.arange(p)) / p
    np.testing.assert_allclose(
        spectrum(torch.from_numpy(frame)), np.linalg.norm(np.exp(angles) @ frame, axis=1), rtol=1e-13
    )


def test_a_circle_is_one_frequency():
    p, k, radius = 13, 4, 2.5
    angle = 2 * np.pi * k * np.arange(p) / p
    circle = torch.from_numpy(radius * np.stack([np.cos(angle), np.sin(angle)], axis=1))
    expected = np.zeros(7)
    expected[k] = radius * p / np.sqrt(2)  # p/2 in each of two dimensions
    np.testing.assert_allclose(spectrum(circle), expected, atol=1e-13)


def test_single_precision_frames_are_transformed_in_double():
    frame = torch.randn(59, 16, dtype=torch.float32, generator=torch.Generator().manual_seed(0))
    assert spectrum(frame).dtype == torch.float64
    torch.testing.assert_close(spectrum(frame), spectrum(frame.double()), rtol=0, atol=0)


def test_frames_of_any_leading_shape_are_transformed_one_by_one():
    frames = torch.from_numpy(np.random.default_rng(3).normal(size=(2, 3, 11, 4)))
    together = spectrum(frames)
    assert together.shape == (2, 3, 6)
    alone = torch.stack([torch.stack([spectrum(frame) for frame in row]) for row in frames])
    torch.testing.assert_close(together, alone, rtol=1e-13, atol=0)


def test_strength_is_kept_by_rotations_and_shifts_of_tokens():
    rng = np.random.default_rng(4)
    frame, rotation = rng.normal(size=(13, 5)), np.linalg.qr(rng.normal(size=(5, 5)))[0]
    expected = spectrum(torch.from_numpy(frame))
    for same in (frame @ rotation, np.roll(frame, 4, axis=0), frame[::-1].copy()):
        torch.testing.assert_close(spectrum(torch.from_numpy(same)), expected, rtol=1e-12, atol=0)
