"""Families whose results can't be kept: nothing that is made of these is kept for other data either."""

import numpy as np

from ecodyn import Linear, Trajectories, compare
from ecodyn.runtime.kept_values import kept_files

STEPS = np.arange(25) * 0.15


def decays(of_wave):
    """Decays of two features in six runs, with a wave on top of them that no linear law has."""
    rng = np.random.default_rng(0)
    starts = rng.uniform(1, 3, (6, 1, 2))
    noise = rng.normal(0, 0.003, (6, len(STEPS), 2))
    return Trajectories(starts * (np.exp(-STEPS) * (1 + of_wave * np.sin(6 * STEPS)))[:, None] + noise, STEPS)


def test_whether_a_family_leaves_noise_only_is_asked_of_each_data(tmp_path):
    class Local(Linear):
        name = "local"

    asked = {"families": [Local("independent")], "protocols": ["unseen_runs"]}
    of_decays = compare(decays(0.0), **asked, keep=tmp_path).verdict.adequacy
    of_waves = compare(decays(0.2), **asked, keep=tmp_path).verdict.adequacy
    assert kept_files(tmp_path)
    assert of_decays is not None
    assert of_waves is not None
    assert of_waves.p_value < 0.1 < of_decays.p_value
    assert of_waves == compare(decays(0.2), **asked).verdict.adequacy
