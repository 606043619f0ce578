import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecodyn.survival import Survivors, deaths, rank_changes
from ecodyn.survival.extinction import HALF
from ecodyn.trajectories import Trajectories

TIMES = np.arange(0.0, 41.0)


def judged(alive, step=40.0):
    alive = np.asarray(alive, dtype=bool)
    return Survivors(alive, "told", np.full(len(alive), step))


@given(rates=st.lists(st.floats(0.05, 0.5), min_size=3, max_size=6), level=st.floats(0.2, 0.9))
def test_an_exponential_dies_when_its_formula_says(quietly, rates, level):
    rates = np.array([0.0, *rates])
    runs = quietly(80 * np.exp(-rates * TIMES[:, None])[None], TIMES)
    alive = np.exp(-rates * 40) >= level
    alive[0] = True
    found = deaths(runs, judged(alive[None]), level)
    reference = np.median(80 * np.exp(-rates[alive] * TIMES[:, None]), axis=1)
    for k, rate in enumerate(rates):
        below = TIMES[80 * np.exp(-rate * TIMES) < level * reference]
        expected = below[0] if not alive[k] and len(below) else np.nan
        np.testing.assert_equal(found.steps[0, k], expected)


def test_the_faster_die_earlier_and_equals_share_their_rank(races):
    runs = races([[80.0] * 5], [[80, 5, 1, 10, 5]])
    found = deaths(runs, judged([[True, False, False, False, False]]))
    np.testing.assert_array_equal(found.order, [[np.nan, 2.5, 1, 4, 2.5]])
    np.testing.assert_array_equal(found.steps[0, 1], found.steps[0, 4])


def test_a_dip_is_no_death(quietly):
    values = np.full((len(TIMES), 2), 80.0)
    values[5:10, 1] = 10  # comes back
    values[30:, 1] = 10
    found = deaths(quietly(values[None], TIMES), judged([[True, False]]))
    np.testing.assert_array_equal(found.steps, [[np.nan, 30.0]])


def test_what_is_still_up_has_not_died_and_nobody_dies_of_nobody(quietly):
    runs = quietly(np.full((2, 41, 3), [80.0, 60.0, 30.0]), TIMES)
    found = deaths(runs, judged([[True, False, False], [False, False, False]]))
    np.testing.assert_array_equal(found.steps, [[np.nan, np.nan, 0.0], [np.nan] * 3])
    assert np.isnan(found.order[1]).all()


def test_what_comes_after_the_step_is_not_looked_at(races):
    runs = races([[80.0, 80.0, 80.0]], [[80, 20, 1]])
    early, late = (deaths(runs, judged([[True, False, False]], step)) for step in (20.0, 40.0))
    assert np.isnan(early.steps[0, 1])
    assert early.steps[0, 2] == late.steps[0, 2] < late.steps[0, 1]


@given(seed=st.integers(0, 1000), scale=st.floats(1e-3, 1e3))
def test_deaths_follow_labels_and_are_free_of_units(seed, scale):
    rng = np.random.default_rng(seed)
    values, alive = rng.uniform(1, 90, (2, 41, 6)), rng.random((2, 6)) < 0.5
    order = rng.permutation(6)
    found = deaths(Trajectories(values, TIMES), judged(alive))
    moved = deaths(Trajectories(scale * values[..., order], TIMES), judged(alive[:, order]))
    np.testing.assert_array_equal(moved.steps, found.steps[:, order])
    np.testing.assert_array_equal(moved.order, found.order[:, order])


@pytest.mark.parametrize("level", [0.0, 1.0, 50])
def test_the_level_is_a_share(level, races):
    with pytest.raises(ValueError, match=f"between 0 and 1.*{HALF} is usual"):
        deaths(races([[2.0, 2.0]], [[2, 1]]), judged([[True, False]]), level)


@pytest.mark.parametrize(
    ("end", "crossed", "tau"), [([1, 2, 3, 4], 0, 1), ([4, 3, 2, 1], 1, -1), ([2, 1, 4, 3], 2 / 6, 1 / 3)]
)
def test_rank_changes_count_pairs(races, end, crossed, tau):
    changes = rank_changes(races([[1.0, 2, 3, 4]], [end]), judged([[True] * 4]))
    assert changes.crossed == pytest.approx(crossed)
    assert changes.tau == pytest.approx(tau)


def test_rank_changes_from_a_later_start_and_of_no_order(races):
    runs = races([[1.0, 2], [5, 5]], [[8, 4], [6, 7]])
    found = judged([[True, False]] * 2)
    np.testing.assert_array_equal(rank_changes(runs, found).crossed, [1.0, 0.0])
    assert np.isnan(rank_changes(runs, found).tau[1])
    np.testing.assert_array_equal(rank_changes(runs, found, start=30.0).crossed, [0.0, 0.0])
