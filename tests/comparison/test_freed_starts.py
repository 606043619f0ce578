"""Starting states within measurement noise: the true law from them leaves noise and no more, also where chaos grows."""

import numpy as np
import pytest

import ecodyn
from ecodyn.comparison.freed_starts import MOST_MOVED, freed_start
from ecodyn.statistics.noise import noise_variances
from ecodyn.systems import SYSTEMS, simulate


@pytest.fixture(scope="module")
def lorenz():
    """The true law, and noisy runs over two Lyapunov times."""
    clean = simulate(SYSTEMS["lorenz"], runs=8, seed=11)
    return ecodyn.SINDy("full", degree=2).fit(clean).model_, simulate(SYSTEMS["lorenz"], runs=8, seed=11, noise=0.05)


def test_the_true_law_leaves_noise_alone(lorenz):
    law, data = lorenz
    left = []
    for r in range(data.n_runs):
        times = data.times[r]
        start = freed_start(law, data.values[r][..., None], times)
        rollout = law.simulate(start[None], times).signal[0]
        left.append(np.mean((rollout - data.values[r]) ** 2 / noise_variances(data.values[r], times)))
    assert np.sort(left)[-2] < 1.5  # in one of eight the start may be out of reach of small steps
    measured = law.simulate(data.values[:, 0][..., None], data.times[0]).signal
    assert np.median(np.mean((measured - data.values) ** 2, axis=(1, 2))) > 3 * np.median(left)


def test_no_start_is_moved_by_more_than_three_sigma(lorenz):
    law, data = lorenz
    for r in range(3):
        state = data.values[r][..., None]
        moved = freed_start(law, state, data.times[r]) - state[0]
        sigma = np.sqrt([noise_variances(data.values[r][:, [k]], data.times[r])[0] for k in range(3)])
        assert (np.abs(moved[:, 0]) <= MOST_MOVED * sigma * (1 + 1e-9)).all()


def test_clean_starts_stay(lorenz):
    law, _ = lorenz
    clean = simulate(SYSTEMS["lorenz"], runs=1, seed=11)
    state = clean.values[0][..., None]
    np.testing.assert_array_equal(freed_start(law, state, clean.times[0]), state[0])
