"""Implicit steps along a grid: their order, decays of any rate, and what they refuse to follow."""

import numpy as np
import pytest

from ecodyn.rollouts.stiff_marching import is_stiff, march_stiff


def oscillator(x, t):
    """Van der Pol's, of the states in the first column; further columns follow by the Jacobian."""
    a, b = x[..., 0, :1], x[..., 1, :1]
    first, second = b, 2 * (1 - a**2) * b - a
    slopes = np.stack([first, second], axis=-2)
    directions = np.matmul(oscillator_jacobian(x[..., 0], t), x[..., 1:])
    return np.concatenate([slopes, directions], axis=-1)


def oscillator_jacobian(x, t):
    jacobian = np.zeros((len(x), 2, 2))
    jacobian[:, 0, 1] = 1
    jacobian[:, 1, 0] = -4 * x[:, 0] * x[:, 1] - 1
    jacobian[:, 1, 1] = 2 * (1 - x[:, 0] ** 2)
    return jacobian


def linear(rates):
    matrix = np.diag(rates)

    def rhs(x, t):
        return np.einsum("ij,bjc->bic", matrix, x)

    return rhs, lambda x, t: np.broadcast_to(matrix, (len(x), *matrix.shape))


def last(*args, **options):
    *_, (_, x, alive) = march_stiff(*args, **options)
    return x, alive


def test_fourth_order_for_states_and_for_what_follows_them(solve):
    def single(t, x):
        return oscillator(x.reshape(1, 2, 3), np.zeros(1)).ravel()

    start = np.array([[1.0, 1.0, 0.0], [0.5, 0.0, 1.0]])  # a state and its two directions
    exact = solve(single, start.ravel(), np.array([0.0, 1.0, 2.0]))[-1].reshape(2, 3)
    errors = []
    for steps in (20, 40, 80):
        x, alive = last(oscillator, oscillator_jacobian, start[None], np.linspace(0, 2, steps + 1)[None])
        assert alive.all()
        errors.append(np.abs(x[0] - exact).max(axis=0))
    assert (np.log2(np.array(errors[:-1]) / np.array(errors[1:])) > 3.3).all()


@pytest.mark.parametrize("rate", [1e2, 1e5, 1e9])
def test_a_decay_of_any_rate_is_over(rate):
    rhs, jacobian = linear([-1.0, -rate])
    x, alive = last(rhs, jacobian, np.ones((1, 2, 1)), np.linspace(0, 4, 41)[None])
    assert alive.all()
    np.testing.assert_allclose(x[0, :, 0], [np.exp(-4.0), 0.0], atol=1e-6)


def test_substeps_are_steps_of_a_finer_grid():
    coarse, fine = np.linspace(0, 2, 11)[None], np.linspace(0, 2, 41)[None]
    start = np.array([[[1.0], [0.5]]])
    whole = last(oscillator, oscillator_jacobian, start, fine)[0]
    np.testing.assert_allclose(last(oscillator, oscillator_jacobian, start, coarse, substeps=4)[0], whole, rtol=1e-12)


def test_growth_that_would_be_taken_for_a_decay_is_not_followed():
    rhs, jacobian = linear([-50.0, 30.0])
    _, alive = last(rhs, jacobian, np.full((1, 2, 1), 1e-3), np.linspace(0, 1, 11)[None])
    assert not alive.any()


def test_beyond_the_bound_a_member_is_dead_and_zero():
    rhs, jacobian = linear([2.0])
    x, alive = last(rhs, jacobian, np.array([[[1.0]], [[1e-3]]]), np.tile(np.linspace(0, 2, 41), (2, 1)), bound=10.0)
    assert alive.tolist() == [False, True]
    assert x[0] == 0.0


@pytest.mark.parametrize(
    ("rates", "stiff"),
    [([-1.0, -2.0], False), ([-1.0, -500.0], True), ([20.0, -500.0], False), ([np.nan, -1.0], False)],
)
def test_stiff_is_what_decays_too_fast_and_does_not_explode(rates, stiff):
    _, jacobian = linear(rates)
    found = is_stiff(jacobian, np.ones((3, 11, 2)), np.tile(np.linspace(0, 10, 11), (3, 1)), 16)
    assert found.tolist() == [stiff] * 3
