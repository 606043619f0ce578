"""Stiff laws of inputs: implicit steps meet the inputs' jumps, in estimation and in rollouts."""

import itertools
import warnings
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ecodyn
from ecodyn import Input, Linear, Trajectories
from ecodyn.estimation import Samples
from ecodyn.estimation.segments import Segments
from ecodyn.estimation.shooting_equations import Objective
from ecodyn.estimation.shooting_search import steps_for_decays
from ecodyn.rollouts.implicit import integrate_stiff
from ecodyn.rollouts.stiff_marching import march_stiff

FAST, SLOW = 300.0, 0.5


def exact(curve, start, times, rates=(SLOW, FAST)):
    """ẋ = −k (x − u) of each rate, for u that is held between jumps."""
    x, found, rates = np.asarray(start, dtype=float), {float(times[0]): np.asarray(start)}, np.array(rates)
    for begin, end in itertools.pairwise(np.unique(np.concatenate([times, curve.breaks]))):
        u = float(curve(begin))
        x = u + (x - u) * np.exp(-rates * (end - begin))
        found[float(end)] = x
    return np.array([found[float(t)] for t in times])


def curve_of(jumps, seed=0):
    heights = np.random.default_rng(seed).uniform(0.2, 2.0, len(jumps) + 1)
    return Input("u", [0.0, *sorted(jumps)], heights, "steps")


def decays(curve, rates):
    """The right-hand side and Jacobian of marched states (batch, feature, 1)."""
    rates = np.array(rates)

    def rhs(x, t):
        return -rates[:, None] * (x - curve(t)[:, None, None])

    return rhs, lambda x, t: np.broadcast_to(-np.diag(rates), (len(x), len(rates), len(rates)))


@settings(max_examples=3)
@given(jumps=st.lists(st.floats(0.05, 3.9), min_size=1, max_size=4, unique_by=lambda t: round(t, 1)))
def test_implicit_steps_meet_jumps_wherever_they_are(jumps):
    curve, grid = curve_of(jumps), np.linspace(0.0, 4.0, 81)
    rhs, jacobian = decays(curve, (SLOW, FAST))
    edges = [
        np.array([[a, *curve.breaks[(curve.breaks > a) & (curve.breaks < b)], b]]) for a, b in itertools.pairwise(grid)
    ]
    path = march_stiff(rhs, jacobian, np.array([[[1.5], [0.3]]]), grid[None], substeps=2, cuts=edges)
    found = np.array([x[0, :, 0] for _, x, alive in path if alive.all()])
    wanted = exact(curve, [1.5, 0.3], grid)
    np.testing.assert_allclose(found[:, 0], wanted[:, 0], atol=1e-6)
    # A fast one is followed to where it goes; how it gets there within a step is damped, not resolved.
    late = np.abs(wanted[:, 1] - curve(grid)) < 1e-6
    since = grid - np.concatenate([[0.0], curve.breaks])[np.searchsorted(curve.breaks, grid, side="right")]
    settled = late & (since > 0.2)
    np.testing.assert_allclose(found[settled, 1], wanted[settled, 1], atol=1e-4)


@settings(max_examples=2)
@given(jumps=st.lists(st.floats(0.05, 3.9), min_size=1, max_size=3, unique_by=lambda t: round(t, 1)))
def test_rollouts_by_an_implicit_method_meet_jumps(jumps):
    curve, grid, rates = curve_of(jumps), np.linspace(0.0, 4.0, 21), np.array([SLOW, 1e5])
    found = integrate_stiff(
        lambda x, t: -rates * (x - curve(t)),
        np.array([1.5, 0.3]),
        grid,
        bound=10.0,
        rtol=1e-8,
        budget=5_000,
        stops=curve.breaks,
    )
    assert found is not None
    # At a jump that is stored, the fast one still has the value of before.
    np.testing.assert_allclose(found[0], exact(curve, [1.5, 0.3], grid, rates), atol=1e-6)


def driven(runs=4):
    """Runs seen finely after each jump, where the fast feature moves, and coarsely elsewhere."""
    rng, values, steps, curves = np.random.default_rng(1), [], [], []
    after = np.geomspace(0.1 / FAST, 0.05, 9)
    for r in range(runs):
        curve = curve_of([1.13 + 0.21 * r, 2.71, 4.13], seed=r)
        times = np.unique(np.concatenate([np.linspace(0, 6, 25), *(b + after for b in [0.0, *curve.breaks])]))
        values.append(exact(curve, rng.uniform(0.3, 2.0, 2), times))
        steps.append(times)
        curves.append(curve)
    return Trajectories(values, steps, ["slow", "fast"], labels_shared=True, inputs={"u": curves})


@pytest.fixture(scope="module")
def runs():
    return driven()


def test_a_stiff_law_that_steps_drive_is_shot_by_implicit_steps(runs):
    family = Linear("independent")
    library = family.library_for(runs)
    samples = Samples.of(runs, own_units=True, inputs=["u"])
    truth = np.array([[0.0, -SLOW, SLOW], [0.0, -FAST, FAST]])  # of 1, x and u
    assert library.names() == ["1", "x", "u"]
    given_units = samples.scaled(library, truth)
    segments = Segments.cut(samples, 24, 1.0)
    objective = Objective(library, samples, segments, mask=truth != 0, estimate_starts=False)
    substeps, implicit = steps_for_decays(objective, given_units[truth != 0])
    assert implicit
    assert substeps >= 1


@pytest.fixture(scope="module")
def law(runs):
    with warnings.catch_warnings():
        warnings.simplefilter("error", ecodyn.DataWarning)  # such as that shooting stopped early
        return Linear("independent").fit(runs).model_


def test_a_stiff_law_that_steps_drive_is_found_and_rolled_out(law):
    np.testing.assert_allclose(law.coefficients[:, 1], [-SLOW, -FAST], rtol=1e-3)
    np.testing.assert_allclose(law.coefficients[:, 2], [SLOW, FAST], rtol=1e-3)
    np.testing.assert_allclose(law.coefficients[:, 0] / law.coefficients[:, 2], 0.0, atol=1e-3)
    curve, grid = curve_of([0.8, 3.3], seed=9), np.linspace(0.0, 5.0, 26)
    rollout = law.simulate([[1.0, 1.0]], grid, inputs={"u": curve})
    np.testing.assert_allclose(rollout.signal[0], exact(curve, [1.0, 1.0], grid), atol=1e-3)


def test_rollouts_that_explicit_steps_have_no_budget_for_are_implicit(law):
    """Of the law whose fast feature decays at 30 000: 5 000 evaluations do not last for a unit of time."""
    faster = replace(law, coefficients=np.array([[0.0, -SLOW, SLOW], [0.0, -3e4, 3e4]]))
    curve, grid = curve_of([0.8, 3.3], seed=9), np.linspace(0.0, 5.0, 26)
    rollout = faster.simulate([[1.0, 1.0]], grid, inputs={"u": curve}, max_evaluations=5_000, rtol=1e-6)
    assert rollout.ok.all()
    np.testing.assert_allclose(rollout.signal[0], exact(curve, [1.0, 1.0], grid, (SLOW, 3e4)), atol=1e-5)
