import numpy as np
import pytest

from ecodyn.errors import UnusableDataError
from ecodyn.survival import Survivors, law_fates

WINDOW = (1.0, 40.0)


def strongest(runs):
    """Who ends above the middle of the weakest and the strongest, on a log scale."""
    end = runs.values[:, -1]
    middle = np.sqrt(end.min(axis=1) * end.max(axis=1))
    return Survivors(end > middle[:, None], "told", np.full(runs.n_runs, 40.0))


def test_a_law_of_the_signal_knows_what_its_start_does_and_one_with_the_trait_all(traits):
    runs = traits()
    told = law_fates(runs, strongest(runs), WINDOW)
    by_state = {law.state: law for law in told.laws}
    blind, knowing = by_state["signal"], by_state["signal,gradient@start"]
    np.testing.assert_array_equal(blind.score.auc_per_run, told.start.auc_per_run)
    assert (blind.gain.mean, blind.crossing.mean) == (0, 0)
    assert told.start.auc.mean < 0.9
    assert knowing.score.auc.mean == knowing.score.hit_rate.mean == 1
    assert knowing.gain.mean == pytest.approx(1 - told.start.auc.mean)
    assert knowing.crossing.mean == pytest.approx(told.crossing.mean)
    assert not any(law.diverged for law in told.laws)
    assert by_state["signal,velocity"].score.auc.mean > 0.99  # ẋ at the start tells the trait


def test_features_have_no_names(traits):
    runs = traits(runs=4)
    order = np.random.default_rng(0).permutation(runs.n_features)
    moved = runs.select(features=runs.features[order].tolist())
    states = ["signal,gradient@start"]
    own, other = (law_fates(r, strongest(r), WINDOW, states).laws[0] for r in (runs, moved))
    np.testing.assert_allclose(own.score.auc_per_run, other.score.auc_per_run)


def test_states_that_cannot_be_tried_are_left_out_with_the_reason(races, fated):
    runs = fated(runs=4, observables={})
    told = law_fates(runs, strongest(runs), (0.0, 40.0))
    assert [law.state for law in told.laws] == ["signal"]
    assert "gradient" in told.left_out["signal,gradient@start"]
    assert "before the window" in told.left_out["signal,velocity"]


@pytest.mark.parametrize("window", [(1.0, 41.0), (40.0, 40.0), (45.0, 50.0)])
def test_laws_know_nothing_of_what_comes_after(traits, window):
    runs = traits(runs=3)
    with pytest.raises(UnusableDataError, match="begins before survivors are told, at 40, and ends by then"):
        law_fates(runs, strongest(runs), window)


def test_a_window_in_which_no_law_can_be_fitted_is_a_sentence(traits):
    runs = traits(runs=3)
    with pytest.raises(UnusableDataError, match="no law could be tried"):
        law_fates(runs, strongest(runs), (4.0, 4.0))


def test_one_run_is_a_sentence(traits):
    runs = traits(runs=1)
    with pytest.raises(UnusableDataError, match=r"at least two independent runs, to fit laws to one.*got 1"):
        law_fates(runs, strongest(runs), WINDOW)
