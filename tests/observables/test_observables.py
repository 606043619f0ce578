"""What is measured of the features of frames."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecodyn.errors import UnusableDataError
from ecodyn.observables import Components, Fourier, Projection, SingularValues, circle_plane
from ecodyn.observables.circularity import circularity
from ecodyn.observables.phase_spread import phase_spread
from ecodyn.observables.pull import pull
from ecodyn.observables.relative_gradient import relative_gradient
from ecodyn.observables.share import share
from ecodyn.observables.signal import signal

SEEDS = st.integers(0, 2**32 - 1)


def drawn(seed, *shape):
    return np.random.default_rng(seed).normal(size=shape)


def components(seed, d, frames=4, features=3):
    return Components(drawn(seed, frames, features, d), drawn(seed + 1, frames, features, d))


@settings(deadline=None)
@given(SEEDS, st.integers(2, 40), st.integers(1, 6))
def test_signal_is_the_norm_of_the_discrete_fourier_transform(seed, p, d):
    frames = drawn(seed, 3, p, d)
    features = Fourier(p)
    expected = np.linalg.norm(np.fft.rfft(frames, axis=1), axis=2)
    circles, zero = features.split(signal(features.components(frames)))
    assert features.labels == tuple(range(1, p // 2 + 1))
    np.testing.assert_allclose(circles, expected[:, 1:], rtol=1e-12, atol=1e-12 * expected.max())
    np.testing.assert_allclose(zero, expected[:, 0], rtol=1e-12, atol=1e-12 * expected.max())


def test_one_token_has_no_circles():
    with pytest.raises(UnusableDataError, match="at least 2"):
        Fourier(1)


def test_alternation_of_even_p_has_no_imaginary_part():
    assert (Fourier(6).components(drawn(0, 2, 6, 3)).imaginary[:, -1] == 0).all()


def ring(p, k, axes):
    angle = 2 * np.pi * k * np.arange(p) / p
    return (np.column_stack([np.cos(angle), np.sin(angle)]) * axes)[None]


@pytest.mark.parametrize(("axes", "round_"), [((1, 1), 1), ((2, 1), 0.5), ((1, 4), 0.25), ((1, 0), 0)])
@pytest.mark.parametrize("scale", [1e-100, 1, 1e100])
def test_circularity_is_the_ratio_of_the_axes(axes, round_, scale):
    found = circularity(Fourier(11).components(scale * ring(11, 3, np.array(axes))))[0, 3]
    assert found == pytest.approx(round_, abs=1e-12)


@given(SEEDS, st.integers(2, 6))
def test_circularity_is_that_of_the_singular_values_in_any_basis(seed, d):
    given_ = components(seed, d)
    values = np.linalg.svd(np.stack([given_.real, given_.imaginary], axis=-1), compute_uv=False)
    found = circularity(given_)
    np.testing.assert_allclose(found, values[..., 1] / values[..., 0], rtol=1e-9, atol=1e-12)
    assert ((found >= 0) & (found <= 1)).all()
    basis = np.linalg.qr(drawn(seed, d, d))[0]
    turned = Components(given_.real @ basis, given_.imaginary @ basis)
    np.testing.assert_allclose(circularity(turned), found, rtol=1e-9, atol=1e-12)


@given(SEEDS)
def test_one_dimension_has_no_circle(seed):
    np.testing.assert_allclose(circularity(components(seed, 1)), 0, atol=1e-12)


@pytest.mark.parametrize("measure", [signal, circularity, phase_spread])
def test_nothing_has_no_signal_and_no_shape(measure):
    assert (measure(Components(np.zeros((2, 3, 4)), np.zeros((2, 3, 4)))) == 0).all()


@pytest.mark.parametrize("measure", [circularity, phase_spread])
def test_shape_needs_complex_components(measure):
    with pytest.raises(UnusableDataError, match="circles"):
        measure(Components(np.ones((2, 3, 4))))


@given(SEEDS, st.integers(1, 6))
def test_phase_spread_is_from_0_to_1(seed, d):
    found = phase_spread(components(seed, d))
    assert ((found >= 0) & (found <= 1)).all()


@given(SEEDS, st.floats(-np.pi, np.pi))
def test_equal_phases_are_not_spread(seed, phase):
    size = np.abs(drawn(seed, 2, 3, 5))
    np.testing.assert_allclose(phase_spread(Components(size * np.cos(phase), size * np.sin(phase))), 0, atol=1e-12)


def test_opposite_phases_are_spread_fully():
    assert phase_spread(Components(np.array([[[1.0, -1.0]]]), np.zeros((1, 1, 2)))) == 1


@given(SEEDS)
def test_shares_add_up_to_one(seed):
    x = np.abs(drawn(seed, 5, 4)) + 0.1
    np.testing.assert_allclose(share({"signal": x}, np.arange(5.0)).sum(axis=1), 1)


def test_relative_gradient_of_an_exponential_is_constant():
    steps = 10.0 * np.arange(8)
    found = relative_gradient({"signal": np.exp(np.outer(steps, [0.01, -0.02]))}, steps)
    np.testing.assert_allclose(found, np.tile(np.expm1(np.array([0.1, -0.2])) / 10, (8, 1)))


def test_relative_gradient_of_a_single_row_is_zero():
    assert relative_gradient({"signal": np.ones((1, 2))}, np.zeros(1)).tolist() == [[0, 0]]


@given(SEEDS, st.integers(1, 5), st.integers(1, 5), st.integers(1, 4))
def test_projection_is_the_matrix_product(seed, rows, columns, k):
    frames = drawn(seed, 3, rows, columns)
    over_tokens, over_dimensions = drawn(seed + 1, k, rows), drawn(seed + 2, k, columns)
    by_tokens = [np.linalg.norm(over_tokens @ frame, axis=1) for frame in frames]
    by_dimensions = [np.linalg.norm(frame @ over_dimensions.T, axis=0) for frame in frames]
    np.testing.assert_allclose(signal(Projection(over_tokens).components(frames)), by_tokens)
    np.testing.assert_allclose(signal(Projection(over_dimensions, "dimensions").components(frames)), by_dimensions)


@pytest.mark.parametrize("p", [2, 3, 8, 11])
@pytest.mark.parametrize("measure", [signal, circularity, phase_spread])
def test_projection_on_waves_is_the_fourier_transform(p, measure):
    frames = drawn(p, 3, p, 4)
    waves = np.exp(-2j * np.pi * np.outer(np.arange(p // 2 + 1), np.arange(p)) / p)
    found, expected = measure(Projection(waves).components(frames)), measure(Fourier(p).components(frames))
    np.testing.assert_allclose(found, expected, atol=1e-12)


@pytest.mark.parametrize("directions", [np.ones(3), np.empty((0, 3)), [[1, np.nan]]])
def test_directions_are_a_matrix_of_numbers(directions):
    with pytest.raises(UnusableDataError, match="feature directions"):
        Projection(directions)


def test_directions_of_another_length_are_refused():
    with pytest.raises(UnusableDataError, match="3 entries"):
        Projection(np.ones((2, 3))).components(np.ones((1, 4, 3)))


@given(SEEDS, st.integers(1, 5), st.integers(1, 5))
def test_singular_values_are_those_of_the_matrices(seed, rows, columns):
    frames = drawn(seed, 3, rows, columns)
    features = SingularValues((rows, columns))
    expected = np.linalg.svd(frames, compute_uv=False)
    assert len(features.labels) == min(rows, columns)
    np.testing.assert_allclose(signal(features.components(frames)), expected, atol=1e-12)


def test_frames_that_are_not_finite_have_no_singular_values():
    frames = np.ones((2, 3, 3))
    frames[1, 0, 0] = np.inf
    assert np.isnan(SingularValues((3, 3)).components(frames).real).any(axis=(1, 2)).tolist() == [False, True]


def rotated(c, angle):
    return Components(
        c.real * np.cos(angle) - c.imaginary * np.sin(angle), c.real * np.sin(angle) + c.imaginary * np.cos(angle)
    )


@settings(deadline=None)
@given(SEEDS, st.integers(1, 6))
def test_the_pull_is_the_signals_rate_of_change_under_gradient_flow(seed, d):
    at, gradient = components(seed, d), components(seed + 2, d)
    step = 1e-6

    def moved(by):
        return signal(Components(at.real - by * gradient.real, at.imaginary - by * gradient.imaginary))

    rate = (moved(step) - moved(-step)) / (2 * step)
    # The second derivative's relative change is step²/‖F‖² times ‖G‖/‖F‖; rounding is 1e-16‖F‖/step.
    curved = step**2 * signal(gradient) ** 3 / np.minimum(signal(at), 1) ** 2
    np.testing.assert_array_less(np.abs(rate - pull(at, gradient)), curved + 1e-8 * (1 + signal(at)))


@settings(deadline=None)
@given(SEEDS, st.integers(1, 6), st.floats(-3, 3))
def test_the_pull_is_at_most_the_gradient_and_knows_no_phase(seed, d, angle):
    at, gradient = components(seed, d), components(seed + 2, d)
    found, most = pull(at, gradient), signal(gradient)
    assert (np.abs(found) <= most * (1 + 1e-12)).all()
    np.testing.assert_allclose(pull(rotated(at, angle), rotated(gradient, angle)), found, atol=1e-12 * most.max())
    np.testing.assert_allclose(pull(at, at), -signal(at), rtol=1e-12)


def test_the_pull_of_real_features_and_of_none():
    at, zero = Components(drawn(0, 4, 3, 2)), Components(np.zeros((4, 3, 2)))
    np.testing.assert_allclose(pull(at, Components(-at.real)), signal(at), rtol=1e-12)
    assert (pull(zero, at) == 0).all()


@given(st.integers(0, 1000), st.sampled_from([1, 3, 5]))
def test_a_circle_is_round_in_its_plane(seed, k):
    """Also under rotations of the embedding, and with other circles beside it."""
    rng = np.random.default_rng(seed)
    p, d = 11, 8
    basis, _ = np.linalg.qr(rng.normal(size=(d, d)))
    angle = 2 * np.pi * np.outer(np.arange(p), [k, 2]) / p
    embedding = 3 * (np.cos(angle[:, :1]) * basis[0] + np.sin(angle[:, :1]) * basis[1])
    embedding = embedding + 7 * np.cos(angle[:, 1:]) * basis[2]
    plane = embedding @ circle_plane(embedding, k)
    np.testing.assert_allclose(np.linalg.norm(plane, axis=1), 3.0, rtol=1e-9)
