import numpy as np
import pytest

from ecodyn.errors import UnusableDataError
from ecodyn.survival import RULES, counts_by, sensitivity, survivors


def test_counts_are_by_value_and_over_clusters(fated):
    settings = {"weight_decay": [0.5, 0.1, 0.5, 0.1, 0.5, 0.1, 0.5, 0.1]}
    runs = fated(settings=settings, cluster=[0, 0, 1, 1, 2, 2, 2, 2])
    found = survivors(runs, "largest_gap")
    low, high = counts_by(runs, found, "weight_decay")
    assert [(c.value, c.runs) for c in (low, high)] == [(0.1, 4), (0.5, 4)]
    assert (low.survivors.mean, low.fewest, low.most, low.survivors.n) == (5, 5, 5, 3)


def test_counts_of_few_do_not_go_below_none(races):
    runs = races(np.full((2, 5), 80.0), [[80, 5, 5, 5, 5], [80, 80, 80, 80, 5]], settings={"dim": [8, 8]})
    (count,) = counts_by(runs, survivors(runs, "above_10"), "dim")
    assert (count.fewest, count.most, count.survivors.low) == (1, 4, 0.0)


def test_a_setting_that_is_not_there_is_a_sentence(fated):
    runs = fated(settings={"dim": [8] * 8})
    with pytest.raises(UnusableDataError, match=r"expected a setting of the runs, dim, got 'p'.*train a grid"):
        counts_by(runs, survivors(runs), "p")


def test_rules_stand_side_by_side(fated):
    runs = fated()
    told = sensitivity(runs)
    assert told.rules == tuple(RULES)
    assert [c.value for c in told.counts] == list(RULES)
    np.testing.assert_array_equal(np.diag(told.agreement), 1)
    np.testing.assert_array_equal(told.agreement, told.agreement.T)
    a, b = told.survivors["twice_mean"].alive, told.survivors["above_10"].alive
    assert told.agreement[0, 1] == pytest.approx((a == b).mean())
    assert told.auc["two_component"].mean > 0.5


def test_a_rule_that_cannot_be_used_is_left_out_with_its_reason(races):
    told = sensitivity(races([[80.0, 80, 80]] * 2, [[80, 70, 5]] * 2))
    assert set(told.unusable) == {"largest_gap", "two_component"}
    assert set(told.rules) == {"twice_mean", "above_10", "noise_floor"}
    assert told.agreement.shape == (3, 3)
    assert all("at least 4 features" in why for why in told.unusable.values())
