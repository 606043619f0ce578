"""A network's fit says how it ended, and data of a size that has no unit are refused."""

from dataclasses import replace

import numpy as np
import pytest
from small_fits import network, quietly

import ecodyn
from ecodyn.errors import DataWarning, UnusableDataError
from ecodyn.families import Linear, load_model
from ecodyn.trajectories import Trajectories

TIMES = np.linspace(0.0, 5.0, 16)
DECAYS = np.random.default_rng(0).uniform(0.5, 2.0, (4, 1, 3)) * np.exp(-0.3 * TIMES[:, None]) + 0.2


def fitted(matching_steps, rollout_steps):
    options = {"hidden": 3, "means": 1, "starts": 1, "intervals": 4, "prior": 1e-2}
    law = network("independent", **options, matching_steps=matching_steps, rollout_steps=rollout_steps)
    return law.fit_model(Trajectories(DECAYS, TIMES))


@pytest.mark.parametrize(
    ("matching_steps", "rollout_steps", "sentence"),
    [
        (1, 0, "iteration limit of matching reached before the fit converged: raise matching_steps; what is left"),
        (1, 1, "iteration limit reached before the fit converged: raise rollout_steps; what is left unexplained"),
        (60, 0, None),
        (60, 60, None),
        (1, 60, None),  # it is the last stage that counts
    ],
)
def test_a_limit_that_was_reached_is_said(matching_steps, rollout_steps, sentence, tmp_path):
    model = fitted(matching_steps, rollout_steps)
    assert model.converged == (sentence is None)
    assert [sentence in said for said in model.warnings] == ([] if sentence is None else [True])
    model.save(tmp_path / "model.json")
    assert load_model(tmp_path / "model.json").warnings == model.warnings


def test_what_diverged_has_not_converged():
    model = replace(fitted(60, 60), converged=False, status="rollouts over more than 12% of the window diverge")
    assert "raise" not in model.warnings[0]


def test_a_comparison_sums_up_what_its_fits_say():
    hasty = network("independent", hidden=3, starts=1, matching_steps=2, rollout_steps=1, intervals=4, prior=1e-2)
    result = quietly(lambda: ecodyn.compare(Trajectories(DECAYS, TIMES), [hasty], protocols=["unseen_runs"], folds=2))
    said = [text for text in result.warnings if "raise rollout_steps" in text]
    assert len(said) == 1
    assert said[0].endswith("(so in 2 fits)")


@pytest.mark.parametrize("size", [1e200, 1e-200])
@pytest.mark.parametrize("law", [network(rollout_steps=1), Linear()], ids=["network", "linear"])
def test_sizes_that_have_no_unit_are_refused(law, size):
    with pytest.raises(UnusableDataError, match=r"got a largest signal of \d.*e[+-]\d+; give the data in another unit"):
        law.fit(Trajectories(size * DECAYS, TIMES))


@pytest.mark.parametrize("size", [1e149, 1e-149])
def test_up_to_there_a_unit_changes_nothing(size):
    plain, scaled = (
        Linear("independent").fit(Trajectories(factor * DECAYS, TIMES)).model_.simulate(factor * DECAYS[:, 0], TIMES)
        for factor in (1.0, size)
    )
    np.testing.assert_allclose(scaled.signal / size, plain.signal, rtol=1e-6)


def test_zeros_are_a_size(quiet):
    law = Linear("independent").fit(Trajectories(0.0 * DECAYS, TIMES))
    assert not law.model_.simulate(0.0 * DECAYS[:, 0], TIMES).signal.any()


def test_fitting_warns_of_a_limit():
    with pytest.warns(DataWarning, match="raise rollout_steps"):
        network("independent", matching_steps=1, rollout_steps=1).fit(Trajectories(DECAYS, TIMES))
