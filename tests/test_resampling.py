"""Sampling exact, smooth data more densely or less says nothing new: verdict and skills stay."""

import warnings

import numpy as np
import pytest

import ecodyn
from ecodyn import Linear, LotkaVolterra, Trajectories

DENSE = np.linspace(0.0, 8.0, 161)
SPARSE = DENSE[::4]
FASTEST = 1.2  # rate of the systems
# Trapezoids over steps of h are off by (rate h)²/12 of what they integrate: half a per cent.
TRAPEZOIDS = (FASTEST * (SPARSE[1] - SPARSE[0])) ** 2 / 12
ROLLOUTS = 1e-8  # what a solver's steps may leave of a law that is true


def with_more():
    """The sparse samples and thirty others, at random among the dense ones."""
    others = np.setdiff1d(np.arange(len(DENSE)), np.arange(0, len(DENSE), 4))
    return np.sort(np.r_[SPARSE, DENSE[np.random.default_rng(4).choice(others, 30, replace=False)]])


SAMPLINGS = {"every second sample": DENSE[::2], "all samples": DENSE, "samples inserted": with_more()}


def relaxation(t):
    """ẋ = b + A x with rates 0.45 ± 0.19i, exactly."""
    starts = np.random.default_rng(4).uniform(0.3, 4.0, (6, 2))
    matrix, fixed = np.array([[-0.6, 0.3], [-0.2, -0.3]]), np.array([1.3, 0.8])
    rates, modes = np.linalg.eig(matrix)
    flow = np.einsum("ij,tj,jk->tik", modes, np.exp(rates * t[:, None]), np.linalg.inv(modes)).real
    return fixed + np.einsum("tik,rk->rti", flow, starts - fixed)


def growth(t):
    """Logistic, of two features on their own, exactly."""
    starts = np.random.default_rng(4).uniform(0.05, 0.5, (6, 1, 2))
    capacity = np.array([2.0, 1.5])
    return capacity / (1 + (capacity / starts - 1) * np.exp(-np.array([FASTEST, 0.7]) * t[:, None]))


def sampled(system, t):
    return Trajectories(system(t), t, ["a", "b"], labels_shared=True)


@pytest.mark.parametrize(("system", "family"), [(relaxation, Linear("full")), (growth, LotkaVolterra("independent"))])
def test_sampling_moves_no_coefficient_of_a_true_law(system, family):
    few = family.fit(sampled(system, SPARSE)).model_.coefficients
    for name in ("all samples", "samples inserted"):
        more = family.fit(sampled(system, SAMPLINGS[name])).model_.coefficients
        np.testing.assert_allclose(more, few, atol=1e-4 * np.abs(few).max(), err_msg=name)


@pytest.mark.slow
@pytest.mark.parametrize("system", [relaxation, growth])
def test_sampling_moves_no_verdict(system):
    def compared(t):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ecodyn.DataWarning)
            families, couplings = ["linear", "lotka_volterra"], ["independent", "full"]
            return ecodyn.compare(sampled(system, t), families, couplings=couplings, protocols=["unseen_runs"])

    few = compared(SPARSE)
    assert few.verdict.best.family == {relaxation: "linear", growth: "lotka_volterra"}[system]
    for name, t in SAMPLINGS.items():
        more = compared(t)
        assert (more.verdict.status, more.verdict.best) == (few.verdict.status, few.verdict.best), name
        for a, b in zip(few.models, more.models, strict=True):
            assert abs(a.skill - b.skill) <= TRAPEZOIDS * (1 - a.skill) + ROLLOUTS, f"{name}: {a.name}"
